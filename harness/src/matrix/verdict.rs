//! What a tool's user feels in a cell, in one word and at most one number.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a tool's user feels in a cell.
///
/// Its numbers are orders of magnitude, each a power of two: what is behind them, which differs a little from run to run,
/// is in the cell's parts under `raw`.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(tag = "word", rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// All parts of the check went well.
    Works,
    /// It connected, and nothing got through.
    HandshakeOnly,
    /// A transfer began and then stood still.
    Freezes {
        /// After about so many kilobytes: 8 or less, 16, 32 and so on.
        kilobytes: u64,
    },
    /// The first new connections carried data, and later ones did not.
    Policed {
        /// How many did, those of the transfers included.
        connections: u64,
    },
    /// It works, at so many hundredths of the speed that it has at the control vantage.
    Slow {
        /// About so many: 50, 25, 13, 6, 3, 2; 1 where it is less.
        percent: u64,
    },
    /// A connection that worked at first was dead later.
    Dies {
        /// So many seconds after it began, on the lab's clock.
        seconds: u64,
    },
    /// Nothing got through, or not what it is for: the page that is blocked without it.
    Blocked,
    /// It does not work at the control vantage either: it is the tool, not the censor.
    Broken {
        /// What happened there.
        reason: String,
    },
    /// Something failed inside the lab, so that nothing is known.
    Invalid {
        /// What failed.
        reason: String,
    },
    /// It was not run.
    Untried {
        /// Why not.
        reason: String,
    },
}

impl Verdict {
    /// The word alone, as documents have it.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::HandshakeOnly => "handshake-only",
            Self::Freezes { .. } => "freezes",
            Self::Policed { .. } => "policed",
            Self::Slow { .. } => "slow",
            Self::Dies { .. } => "dies",
            Self::Blocked => "blocked",
            Self::Broken { .. } => "broken",
            Self::Invalid { .. } => "invalid",
            Self::Untried { .. } => "untried",
        }
    }

    /// Whether the tool was measured: whether this says something about the tool and the censor.
    pub(crate) const fn is_measured(&self) -> bool {
        !matches!(self, Self::Invalid { .. } | Self::Untried { .. })
    }

    /// Whether a user would say the same: the same word, and numbers that are at most one order of magnitude apart, which is
    /// how much luck there is in what lies just at the edge of one.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Freezes { kilobytes: one }, Self::Freezes { kilobytes: two })
            | (Self::Slow { percent: one }, Self::Slow { percent: two }) => near(*one, *two),
            (Self::Policed { connections: one }, Self::Policed { connections: two }) => one.abs_diff(*two) <= 1,
            (Self::Dies { seconds: one }, Self::Dies { seconds: two }) => one.abs_diff(*two) <= LONG_FLOW_STEP_SECONDS,
            (one, two) => one.word() == two.word(),
        }
    }
}

/// Whether two orders of magnitude are neighbours or the same.
fn near(one: u64, two: u64) -> bool {
    one.max(two) <= 2 * one.min(two).max(1)
}

/// How far apart two looks at the long flow are.
pub(super) const LONG_FLOW_STEP_SECONDS: u64 = 5;

/// As a table's cell says it: `freezes at 16 KB`, `slow x0.03`.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Freezes { kilobytes } => write!(f, "freezes at {kilobytes} KB"),
            Self::Policed { connections } => write!(f, "policed at {connections} connections"),
            Self::Slow { percent } => write!(f, "slow x0.{percent:02}"),
            Self::Dies { seconds } => write!(f, "dies after {seconds} s"),
            other => f.write_str(other.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_written_as_people_say_it_and_as_programs_read_it() {
        let written = [
            (Verdict::Works, "works", r#"{"word":"works"}"#),
            (Verdict::HandshakeOnly, "handshake-only", r#"{"word":"handshake-only"}"#),
            (Verdict::Freezes { kilobytes: 16 }, "freezes at 16 KB", r#"{"word":"freezes","kilobytes":16}"#),
            (
                Verdict::Policed { connections: 12 },
                "policed at 12 connections",
                r#"{"word":"policed","connections":12}"#,
            ),
            (Verdict::Slow { percent: 3 }, "slow x0.03", r#"{"word":"slow","percent":3}"#),
            (Verdict::Dies { seconds: 20 }, "dies after 20 s", r#"{"word":"dies","seconds":20}"#),
            (Verdict::Blocked, "blocked", r#"{"word":"blocked"}"#),
        ];
        for (verdict, said, json) in written {
            assert_eq!(verdict.to_string(), said);
            assert_eq!(serde_json::to_string(&verdict).expect("JSON"), json);
            assert_eq!(serde_json::from_str::<Verdict>(json).expect("a verdict"), verdict);
        }
    }

    #[test]
    fn what_differs_by_luck_alone_is_alike() {
        let freezes = |kilobytes| Verdict::Freezes { kilobytes };
        assert!(freezes(16).is_like(&freezes(32)) && freezes(16).is_like(&freezes(8)));
        assert!(!freezes(16).is_like(&freezes(64)));
        assert!(Verdict::Slow { percent: 3 }.is_like(&Verdict::Slow { percent: 6 }));
        assert!(!Verdict::Slow { percent: 3 }.is_like(&Verdict::Slow { percent: 25 }));
        assert!(!Verdict::Works.is_like(&Verdict::Blocked));
        let broken = |reason: &str| Verdict::Broken { reason: reason.to_owned() };
        assert!(broken("one").is_like(&broken("another")) && broken("one").is_measured());
    }
}
