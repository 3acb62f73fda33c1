//! A kind of measurement, as the command line names it.

use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::Probe;

use crate::ooni::test::Test;

/// A kind of measurement: its word, what it takes, and which test of OONI's it is.
pub(crate) struct Kind {
    /// What the command line calls it.
    pub(crate) word: &'static str,
    /// What it measures, in one line.
    pub(crate) about: &'static str,
    /// What it takes for a target, as `NAME` or `ADDRESS:PORT`; nothing where it takes none.
    pub(crate) takes: Option<&'static str>,
    /// The measurement that is asked for.
    pub(crate) probe: fn(&Ask<'_>) -> Result<Probe, AskError>,
    /// The test of OONI's as which it is written.
    pub(crate) test: Test,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    /// The scenario, whose names have addresses.
    pub(crate) scenario: &'a Scenario,
    /// The target as it is written; empty where none is.
    pub(crate) target: &'a str,
}

/// Why a measurement cannot be made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum AskError {
    /// There is no such probe.
    #[error("there is no probe `{word}`; there are {known}")]
    Unknown {
        /// What was asked for.
        word: String,
        /// What there is.
        known: String,
    },
    /// It takes a target.
    #[error("`{word}` takes a target: {takes}")]
    NoTarget {
        /// The probe.
        word: &'static str,
        /// What it takes.
        takes: &'static str,
    },
    /// It takes no target.
    #[error("`{word}` takes no target, and `{target}` is one")]
    Target {
        /// The probe.
        word: &'static str,
        /// What was given.
        target: String,
    },
    /// The target is not what it takes.
    #[error("`{target}` is not {wanted}")]
    Form {
        /// What was given.
        target: String,
        /// What it must be, as `an address and a port, as 1.1.1.1:443`.
        wanted: &'static str,
    },
    /// Nothing is there to compare with.
    #[error("nothing in `{scenario}` is neutral; add \"services/neutral\" to its `use`")]
    NoNeutral {
        /// The scenario.
        scenario: String,
    },
    /// A name that nothing in the scenario has.
    #[error("nothing in `{scenario}` is called `{name}`; write an address with it, as {name}@1.1.1.1:443")]
    NoAddress {
        /// The scenario.
        scenario: String,
        /// The name.
        name: String,
    },
}

impl Kind {
    /// The measurement of this target.
    pub(crate) fn ask(&'static self, scenario: &Scenario, target: Option<&str>) -> Result<Probe, AskError> {
        match (self.takes, target) {
            (Some(takes), None) => Err(AskError::NoTarget { word: self.word, takes }),
            (None, Some(target)) => Err(AskError::Target { word: self.word, target: target.to_owned() }),
            _ => (self.probe)(&Ask { scenario, target: target.unwrap_or_default() }),
        }
    }
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kind").field("word", &self.word).finish_non_exhaustive()
    }
}
