//! `roadblock report`.

use std::path::PathBuf;

use super::reports::Reports;
use super::test::close;
use super::{print, print_json};
use crate::cli::{Format, MergeArguments, ReportCommand};
use crate::output::{self, Paint};
use crate::status;
use crate::suite::{self, Document, MergeError, Part};

/// Does something with documents of `test`.
pub(super) fn report(command: &ReportCommand) -> u8 {
    match command {
        ReportCommand::Merge(arguments) => merge(arguments),
    }
}

/// Joins parts; the exit status is that of the test itself.
fn merge(arguments: &MergeArguments) -> u8 {
    let reports = match Reports::open(&arguments.reporters) {
        Ok(reports) => reports,
        Err(error) => {
            output::error(&error, None);
            return status::USAGE;
        }
    };
    let document = match joined(&arguments.files) {
        Ok(document) => document,
        Err(error) => {
            output::error(&error, help(&error));
            return status::USAGE;
        }
    };
    let status = close(&document, reports);
    match arguments.format {
        Format::Human => print(&suite::render(&document, Paint::for_stdout()), status),
        Format::Json => print_json(&document, status),
    }
}

fn joined(files: &[PathBuf]) -> Result<Document, MergeError> {
    let parts: Result<Vec<Part>, MergeError> = files.iter().map(|file| Part::read(file)).collect();
    suite::merge(parts?)
}

/// What to do.
fn help(error: &MergeError) -> Option<&'static str> {
    match error {
        MergeError::Nothing | MergeError::Io { .. } | MergeError::Whole { .. } | MergeError::Schema { .. } => None,
        MergeError::NoDocument { .. } => Some("a test that was killed leaves none: play that part again"),
        MergeError::Differ { .. } | MergeError::Overlap { .. } => {
            Some("play all parts with the same roadblock, library, scenarios, filters and seed")
        }
        MergeError::Partition { .. } | MergeError::Short { .. } => Some("play that part again"),
        MergeError::Twice { .. } => Some("give each part once"),
        MergeError::Missing { .. } => Some("play these parts too, or give their files"),
    }
}
