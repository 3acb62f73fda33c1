//! A policy that a running machine can move to at once.

use std::sync::Arc;

use super::compile::Compiled;
use crate::policy::Policy;

/// A policy with all worked out that can be without the machine. Working it out takes time where lists are long, so it is done
/// before packets have to wait for it.
#[derive(Clone, Debug)]
pub struct ReadyPolicy(pub(super) Arc<Compiled>);

impl ReadyPolicy {
    /// Works out what can be.
    pub fn new(policy: Policy) -> Self {
        Self(Arc::new(Compiled::new(policy)))
    }
}
