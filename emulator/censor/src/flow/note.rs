//! What a box remembers of one rule on one flow.

use std::sync::Arc;

use crate::count::Count;
use crate::event::EventKind;
use crate::time::Instant;

/// A rule's past on a flow.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) rule: Arc<str>,
    /// Whether it fired.
    pub(crate) fired: bool,
    /// Whether it missed, where that was drawn.
    pub(crate) missed: Option<bool>,
    /// How much matched so far, where that is counted for each flow.
    pub(crate) counted: Option<Count>,
    /// Whether the flow came after those that may pass, where flows are counted.
    pub(crate) is_past: Option<bool>,
    /// What was drawn for the flow as one that the rule's residuals may hit; the less, the surer.
    pub(crate) luck: Option<u32>,
    /// Whether the flow was counted by a residual that counts flows.
    pub(crate) joined: bool,
    /// When it was last told that it lost a packet or had one wait, and which of the two.
    pub(crate) told: Option<(Instant, EventKind)>,
}

impl Note {
    pub(crate) fn new(rule: &Arc<str>) -> Self {
        Self {
            rule: Arc::clone(rule),
            fired: false,
            missed: None,
            counted: None,
            is_past: None,
            luck: None,
            joined: false,
            told: None,
        }
    }
}
