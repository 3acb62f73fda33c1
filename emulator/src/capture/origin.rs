//! Which lab a capture was taken in: what it takes to judge the same packets once more.

use roadblock_scenarios::model::Name;
use serde::{Deserialize, Serialize};

/// What a capture says of its lab, in a comment of its own.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Origin {
    /// The scenario's id.
    pub scenario: Name,
    /// What all chance in the lab came from.
    pub seed: u64,
    /// When the lab's clock was at zero, in nanoseconds since 1970.
    pub began: u64,
    /// The phases, in the order in which the lab entered them.
    pub phases: Vec<Entered>,
}

/// A phase that a lab entered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Entered {
    /// The phase.
    pub phase: Name,
    /// When, on the clock of the capture's packets, in nanoseconds since 1970.
    pub at: u64,
}

impl Origin {
    /// The comment of a capture file's section that says it.
    pub fn to_comment(&self) -> String {
        // A structure of texts and numbers has always a form in JSON.
        format!("{MARK}{}", serde_json::to_string(self).unwrap_or_default())
    }

    /// What such a comment says; `None` for any other.
    pub fn from_comment(comment: &str) -> Option<Self> {
        serde_json::from_str(comment.strip_prefix(MARK)?).ok()
    }
}

/// How the comment begins.
const MARK: &str = "roadblock lab: ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood_and_nothing_else_is() {
        let entered = Entered { phase: "full-block".into(), at: 1_764_000_000_000_000_001 };
        let began = 1_764_000_000_000_000_000;
        let origin = Origin { scenario: "ru/whatsapp-2026".into(), seed: 7, began, phases: vec![entered] };
        assert_eq!(Origin::from_comment(&origin.to_comment()), Some(origin));
        for other in ["ru/whatsapp-2026, seed 1", "roadblock lab: {}", "roadblock lab: "] {
            assert_eq!(Origin::from_comment(other), None, "{other}");
        }
    }
}
