//! What this machine cannot play: neither failed nor invalid.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of a suite of which this machine cannot play all.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unsupported {
    /// It is counted, and the rest decides
    Skip,
    /// It exits with 3 where the rest went as expected
    #[default]
    Fail,
}

/// Why a unit was not played.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum NotPlayed {
    /// This machine lacks something.
    Unsupported(String),
    /// The lab could not be built, and the machine is not to blame.
    Failed(String),
}

impl Unsupported {
    /// As it stands on the command line.
    pub(super) fn told(self) -> String {
        let word = match self {
            Self::Skip => "skip",
            Self::Fail => "fail",
        };
        format!("`--unsupported {word}`")
    }
}
