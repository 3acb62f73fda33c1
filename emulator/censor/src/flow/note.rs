//! What a box remembers of one rule on one flow.

use std::sync::Arc;

use crate::policy::{Threshold, ThresholdUnit};
use crate::time::Instant;
use crate::view::View;

/// A rule's past on a flow.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) rule: Arc<str>,
    /// Whether it fired.
    pub(crate) fired: bool,
    /// Whether it missed, where that was drawn.
    pub(crate) missed: Option<bool>,
    /// How much matched so far, where that is counted.
    pub(crate) counted: Option<Count>,
    /// When its losses were last told.
    pub(crate) told: Option<Instant>,
}

impl Note {
    pub(crate) fn new(rule: &Arc<str>) -> Self {
        Self { rule: Arc::clone(rule), fired: false, missed: None, counted: None, told: None }
    }
}

/// How much went by, and how much may.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Count {
    passed: u64,
    limit: u64,
}

impl Count {
    pub(crate) const fn up_to(limit: u64) -> Self {
        Self { passed: 0, limit }
    }

    /// Counts a packet; whether it comes after what may pass.
    pub(crate) fn is_past(&mut self, threshold: &Threshold, view: &View<'_>) -> bool {
        if threshold.count.direction(view.direction) {
            let amount = match threshold.unit {
                ThresholdUnit::Packets | ThresholdUnit::Connections => 1,
                ThresholdUnit::Bytes => view.payload().len() as u64,
            };
            self.passed = self.passed.saturating_add(amount);
        }
        self.passed > self.limit
    }
}
