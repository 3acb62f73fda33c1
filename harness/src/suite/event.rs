//! What happens while a suite is played.

use std::time::Duration;

use crate::run::report::Report;

/// What happens, in order. Units are called by their place among those that are played.
#[derive(Debug)]
pub(crate) enum Event {
    /// So many units are to be played.
    Planned {
        /// Their names.
        units: Vec<String>,
    },
    /// A unit is being played.
    Started {
        /// Which.
        unit: usize,
    },
    /// A unit was played.
    Finished {
        /// Which.
        unit: usize,
        /// What it gave.
        outcome: Box<Outcome>,
    },
    /// No other unit will be played.
    Ended {
        /// Whether Ctrl-C or a failure ended it before all were played.
        early: bool,
        /// How long all took.
        took: Duration,
    },
}

/// What playing a unit gave, its last try.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What was measured, or why nothing could be.
    pub(crate) result: Result<Report, String>,
    /// How often it was tried before with another result: a unit that was tried again and then went as expected is flaky.
    pub(crate) failed_before: u32,
    /// How long the last try took.
    pub(crate) took: Duration,
    /// Whether its time was over before it ended.
    pub(crate) timed_out: bool,
}
