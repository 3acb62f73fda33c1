//! A suite as JUnit's XML, which CI systems read: a test suite for each unit, a test case for each expectation.

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::document::{Document, UnitConclusion, UnitEntry};
use crate::output::Paint;
use crate::run::report::ExpectationEntry;
use crate::run::write_failed;

/// The XML.
pub(super) fn junit(document: &Document) -> Result<String, quick_junit::SerializeError> {
    let mut junit = Junit::new("roadblock");
    junit.set_time(std::time::Duration::from_millis(document.milliseconds));
    for unit in &document.units {
        let mut suite = TestSuite::new(format!("{}@{}", unit.scenario, unit.phase));
        suite.set_time(std::time::Duration::from_millis(unit.milliseconds));
        suite.add_test_case(lab(unit));
        suite.add_test_cases(unit.expectations.iter().map(|expected| case(unit, expected)));
        junit.add_test_suite(suite);
    }
    junit.to_string()
}

/// Whether the lab itself worked, and `control` reached everything.
fn lab(unit: &UnitEntry) -> TestCase {
    let broken = |kind, message: String| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(message);
        status
    };
    let status = if unit.conclusion == UnitConclusion::NotPlayed {
        let mut status = TestCaseStatus::skipped();
        status.set_message("not played");
        status
    } else if let (UnitConclusion::Unsupported, true, Some(lacks)) =
        (unit.conclusion, unit.expectations.is_empty(), &unit.lacks)
    {
        let mut status = TestCaseStatus::skipped();
        status.set_message(format!("unsupported: {lacks}"));
        status
    } else if let Some(problem) = unit.problems.first() {
        broken(NonSuccessKind::Error, format!("{}: {}", problem.place, problem.what))
    } else if matches!(unit.conclusion, UnitConclusion::TimedOut | UnitConclusion::Interrupted) {
        broken(NonSuccessKind::Error, unit.conclusion.as_str().to_owned())
    } else if !unit.control_missed.is_empty() {
        broken(NonSuccessKind::Failure, format!("control did not reach {}", unit.control_missed.join(", ")))
    } else {
        TestCaseStatus::success()
    };
    let mut case = TestCase::new("lab", status);
    case.set_classname(unit.scenario.clone());
    case
}

fn case(unit: &UnitEntry, expected: &ExpectationEntry) -> TestCase {
    let status = if expected.as_expected {
        TestCaseStatus::success()
    } else if let Some(lacks) = expected.lacks() {
        let mut status = TestCaseStatus::skipped();
        status.set_message(format!("unsupported: {lacks}"));
        status
    } else {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = write_failed(&mut text, Paint::none(), expected);
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(format!("{} was not as expected", expected.id));
        status.set_description(text);
        status
    };
    let mut case = TestCase::new(format!("{} from {}", expected.id, expected.vantage), status);
    case.set_classname(unit.scenario.clone());
    case
}
