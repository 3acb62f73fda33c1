//! What probes hand in.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// The measurements that were handed in so far.
#[derive(Debug, Default)]
pub struct Measurements(Mutex<Vec<Value>>);

impl Measurements {
    /// All of them, in the order of arrival.
    pub fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps one, and says which it is: the first is 1.
    pub(super) fn keep(&self, measurement: Value) -> usize {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(measurement);
        kept.len()
    }
}
