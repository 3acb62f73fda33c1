//! A matrix as JUnit's XML: a test suite for each tool, a test case for each cell.
//!
//! That a tool is blocked is what is measured, and no failure. With a baseline what differs by the tool's doing is one.

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

use super::changes::before_and_now;
use super::compare::{CellChange, ChangeKind};
use super::document::{CellEntry, Document};
use super::told::{felt, reason};
use super::verdict::Verdict;

/// The XML.
pub(super) fn junit(document: &Document) -> Result<String, SerializeError> {
    let mut junit = Report::new("roadblock matrix");
    junit.set_time(Duration::from_millis(document.milliseconds));
    for tool in &document.tools {
        let mut suite = TestSuite::new(tool.name.clone());
        let own = document.cells.iter().filter(|cell| cell.tool == tool.name);
        suite.add_test_cases(own.map(|cell| case(document, cell)));
        let changes = document.changes.iter().flat_map(|changes| changes.of_kind(ChangeKind::Gone));
        suite.add_test_cases(changes.filter(|change| change.tool == tool.name).map(gone));
        if let Some(version) = &tool.version {
            suite.add_property(("version", version.as_str()));
        }
        junit.add_test_suite(suite);
    }
    junit.to_string()
}

fn case(document: &Document, cell: &CellEntry) -> TestCase {
    let change = document.changes.as_ref().and_then(|changes| changes.of_cell(cell));
    let status = match (&cell.verdict, change) {
        (_, Some(change)) if change.kind.is_failure() => {
            failed(NonSuccessKind::Failure, format!("{}: {}", change.kind.as_str(), before_and_now(change)))
        }
        (Verdict::Broken { .. } | Verdict::Invalid { .. }, None) if document.changes.is_none() => {
            failed(NonSuccessKind::Error, felt(cell))
        }
        (Verdict::Untried { .. }, _) => skipped(reason(&cell.verdict).unwrap_or_default()),
        _ => TestCaseStatus::success(),
    };
    let mut case = TestCase::new(cell.place(), status);
    case.set_classname(cell.tool.clone());
    case.set_time(Duration::from_millis(cell.milliseconds));
    let note = change.filter(|change| !change.kind.is_failure()).map(|change| change.kind.as_str());
    let said = [Some(felt(cell)), note.map(str::to_owned)].into_iter().flatten().collect::<Vec<_>>().join("\n");
    case.set_system_out(said);
    case
}

/// What is in the baseline only.
fn gone(change: &CellChange) -> TestCase {
    let mut case = TestCase::new(change.place.clone(), skipped(&before_and_now(change)));
    case.set_classname(change.tool.clone());
    case
}

fn failed(kind: NonSuccessKind, message: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message);
    status
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}
