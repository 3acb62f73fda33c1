//! What GitHub shows of a suite beside the lines of scenario files.

use super::document::{Document, UnitConclusion, UnitEntry};
use super::unsupported::Unsupported;
use crate::output::Paint;
use crate::report::github::{Annotation, Level};
use crate::run::report::ExpectationEntry;
use crate::run::write_failed;

/// One annotation for each expectation that failed, at its line; one for each unit that failed in another way.
pub(super) fn annotations(document: &Document) -> Vec<Annotation> {
    document.units.iter().flat_map(|unit| of_unit(document, unit)).collect()
}

fn of_unit(document: &Document, unit: &UnitEntry) -> Vec<Annotation> {
    let about = |level, message: String| Annotation { level, place: None, title: unit.name(), message };
    let problems = || unit.problems.iter().map(|problem| format!("{}: {}", problem.place, problem.what));
    match unit.conclusion {
        UnitConclusion::AsExpected | UnitConclusion::NotPlayed | UnitConclusion::Interrupted => Vec::new(),
        UnitConclusion::Flaky => {
            vec![about(Level::Warning, format!("flaky: as expected only at try {}", unit.tries))]
        }
        UnitConclusion::Unsupported => {
            let level = match document.unsupported {
                Unsupported::Skip => Level::Notice,
                Unsupported::Fail => Level::Error,
            };
            vec![about(level, format!("unsupported: {}", unit.lacks.as_deref().unwrap_or_default()))]
        }
        UnitConclusion::Invalid => problems().map(|what| about(Level::Error, format!("invalid: {what}"))).collect(),
        UnitConclusion::TimedOut => vec![about(Level::Error, "timed out".to_owned())],
        UnitConclusion::Unexpected => {
            let missed = unit.control_missed.iter().map(|target| format!("control did not reach {target}"));
            let missed = missed.map(|what| about(Level::Error, what));
            let failed = unit.expectations.iter().filter(|each| !each.as_expected);
            missed.chain(failed.map(|expected| of_expectation(unit, expected))).collect()
        }
    }
}

fn of_expectation(unit: &UnitEntry, expected: &ExpectationEntry) -> Annotation {
    let mut message = String::new();
    // Writing to a string cannot fail.
    let _ = write_failed(&mut message, Paint::none(), expected);
    let place = expected.place.rsplit_once(':').and_then(|(file, line)| Some((file.to_owned(), line.parse().ok()?)));
    Annotation {
        level: Level::Error,
        place,
        title: format!("{} in {}", expected.id, unit.name()),
        message: message.trim().to_owned(),
    }
}
