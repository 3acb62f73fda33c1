//! One rule: when a box acts, and what it does.

use std::sync::Arc;

use super::{Condition, Grade, Residual, Response, Threshold};

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name within the profile.
    pub id: Arc<str>,
    /// The facts it reproduces.
    pub facts: Vec<Arc<str>>,
    /// How far it is known: the weakest of its facts.
    pub grade: Grade,
    /// When it applies.
    pub when: Condition,
    /// How many matching packets of a flow pass before it acts on those that come after. A flow that the box does not track
    /// has no count, so such a rule never acts on it.
    pub after: Option<Threshold>,
    /// What happens to the packet that matched.
    pub trigger: Response,
    /// What follows, and for how long.
    pub residual: Option<Residual>,
    /// How often it fails to act, from 0 to 1 (TSPU-14). Keyed by seed, rule, client and server address, server port and
    /// how many such flows came before.
    pub miss: f64,
    /// Whether the search goes on after this rule matched.
    pub also: bool,
}
