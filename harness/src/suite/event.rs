//! What happens while a suite is played.

use std::time::Duration;

use super::unsupported::NotPlayed;
use crate::run::report::{Conclusion, Report};

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
    pub(crate) result: Result<Report, NotPlayed>,
    /// How often it was tried before with another result: a unit that was tried again and then went as expected is flaky.
    pub(crate) failed_before: u32,
    /// How long the last try took.
    pub(crate) took: Duration,
    /// Whether its time was over before it ended.
    pub(crate) timed_out: bool,
}

impl Outcome {
    /// Whether somebody asked for the end before its own; a time that was over is none of theirs.
    pub(super) fn was_interrupted(&self) -> bool {
        !self.timed_out && matches!(&self.result, Ok(Report { conclusion: Conclusion::Interrupted, .. }))
    }

    /// Whether all of it was measured and was as it must be.
    pub(super) fn is_as_expected(&self) -> bool {
        matches!(&self.result, Ok(Report { conclusion: Conclusion::AsExpected, .. }))
    }

    /// Whether this machine cannot play it, or lacks something for whatever of it is not as it must be.
    pub(super) fn is_unsupported(&self) -> bool {
        match &self.result {
            Ok(report) => {
                report.conclusion == Conclusion::Unexpected
                    && report.control_reached_all()
                    && report.expectations.iter().all(|each| each.as_expected || each.lacks().is_some())
            }
            Err(not_played) => matches!(not_played, NotPlayed::Unsupported(_)),
        }
    }
}
