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
    /// How much that matches passes before it acts on what comes after. A flow that the box does not track has no count, so
    /// a rule that counts packets or bytes of each flow, or connections, never acts on it.
    pub after: Option<Threshold>,
    /// What happens to the packet that matched.
    pub trigger: Response,
    /// What follows: punishments that are tried in order, of which the first that covers a packet decides. All are armed
    /// together.
    pub residuals: Vec<Residual>,
    /// How often it fails to act, from 0 to 1 (TSPU-14), drawn once for each flow. Keyed by seed, rule, client and server
    /// address, server port and how many such flows came before.
    pub miss: f64,
    /// Whether the flow's first payload and its server are handed to an active prober (GFW-SS-1).
    pub suspect: bool,
    /// Whether the search goes on after this rule matched.
    pub also: bool,
    /// Whether it stays with the machine even where the kernel could execute it: what the kernel executes cannot change its
    /// shape in a live lab.
    pub machine_only: bool,
}

impl Default for Rule {
    /// A rule without a name that matches every packet and does nothing about it.
    fn default() -> Self {
        Self {
            id: "".into(),
            facts: Vec::new(),
            grade: Grade::default(),
            when: Condition::All(Vec::new()),
            after: None,
            trigger: Response::default(),
            residuals: Vec::new(),
            miss: 0.0,
            suspect: false,
            also: false,
            machine_only: false,
        }
    }
}
