//! A cell in words, the same for every reporter.

use super::document::{CellEntry, Document, PhaseEntry};
use super::verdict::Verdict;

/// `blocked by tspu/sni-1 and 2 more (TSPU-1, measured)`, or why nothing is known.
pub(super) fn felt(cell: &CellEntry) -> String {
    if let Some(reason) = reason(&cell.verdict) {
        return format!("{}: {reason}", cell.verdict);
    }
    match by(cell) {
        Some(by) => format!("{} by {by}", cell.verdict),
        None => cell.verdict.to_string(),
    }
}

/// `tspu/sni-1 and 2 more (TSPU-1, measured)`: the rule that did most, how many others did it too, and how far it is known.
pub(super) fn by(cell: &CellEntry) -> Option<String> {
    let first = cell.by.first()?;
    let more = match cell.by.len() {
        1 => String::new(),
        rules => format!(" and {} more", rules - 1),
    };
    let known = first.facts.iter().map(String::as_str).chain([first.grade.as_str()]).collect::<Vec<_>>().join(", ");
    Some(format!("{}{more} ({known})", first.by))
}

/// Why a verdict is none about the censor: its first line.
pub(super) fn reason(verdict: &Verdict) -> Option<&str> {
    match verdict {
        Verdict::Broken { reason } | Verdict::Invalid { reason } | Verdict::Untried { reason } => {
            Some(reason.lines().next().unwrap_or_default())
        }
        _ => None,
    }
}

/// How a verdict looks, in colour and with a sign that says the same.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Look {
    /// Nothing is known about tool and censor.
    Unknown,
    /// It works.
    Works,
    /// Some of it works.
    Partly,
    /// Nothing of use works.
    Blocked,
}

impl Look {
    pub(super) const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Works => Self::Works,
            Verdict::Freezes { .. } | Verdict::Policed { .. } | Verdict::Slow { .. } | Verdict::Dies { .. } => {
                Self::Partly
            }
            Verdict::HandshakeOnly | Verdict::Blocked => Self::Blocked,
            Verdict::Broken { .. } | Verdict::Invalid { .. } | Verdict::Untried { .. } => Self::Unknown,
        }
    }

    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Unknown => "?",
            Self::Works => "✓",
            Self::Partly => "~",
            Self::Blocked => "✕",
        }
    }
}

/// The rows of a matrix: each phase with each vantage that was measured from, in the document's order.
pub(super) fn rows(document: &Document) -> Vec<(&PhaseEntry, &str)> {
    let mut rows: Vec<(&PhaseEntry, &str)> = Vec::new();
    for phase in &document.phases {
        for cell in document.cells.iter().filter(|cell| cell.scenario == phase.scenario && cell.phase == phase.phase) {
            let is_known = |(known, vantage): &(&PhaseEntry, &str)| {
                known.scenario == phase.scenario && known.phase == phase.phase && *vantage == cell.vantage
            };
            if !rows.iter().any(is_known) {
                rows.push((phase, &cell.vantage));
            }
        }
    }
    rows
}

/// What a tool gave in a row, and its place among all cells.
pub(super) fn cell_at<'d>(
    document: &'d Document,
    tool: &str,
    (phase, vantage): (&PhaseEntry, &str),
) -> Option<(usize, &'d CellEntry)> {
    document.cells.iter().enumerate().find(|(_, cell)| {
        cell.tool == tool && cell.scenario == phase.scenario && cell.phase == phase.phase && cell.vantage == vantage
    })
}
