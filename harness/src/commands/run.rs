//! `roadblock run`.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use roadblock_emulator::sandbox;
use roadblock_scenarios::{Library, Scenario};

use super::{library, print, print_json, select};
use crate::cli::{Format, RunArguments};
use crate::output::{self, Paint};
use crate::run::{self, Conclusion, RunError, RunResult, Selection};
use crate::status;

/// Plays a scenario and reports.
pub(super) fn run(library: &Library, arguments: &RunArguments) -> u8 {
    let Some(scenario) = library::scenario(library, &arguments.scenario) else {
        return status::USAGE;
    };
    let selection = match select::selection(&scenario, &arguments.phases, &arguments.vantages) {
        Ok(selection) => selection,
        Err(error) => {
            output::error(error, None);
            return status::USAGE;
        }
    };
    match sandbox::run(|| inside(&scenario, &selection, arguments)) {
        Ok(status) => status,
        Err(error) => {
            output::error(&error, error.advice().as_deref());
            status::NO_LAB
        }
    }
}

/// In the lab process.
fn inside(scenario: &Arc<Scenario>, selection: &Selection, arguments: &RunArguments) -> u8 {
    let result = match run::run(scenario, selection, arguments.seed) {
        Ok(result) => result,
        Err(error) => return failed(&error),
    };
    let status = status_of(result.report.conclusion);
    let status = match arguments.format {
        Format::Human => print(&run::render(&result.report, Paint::for_stdout()), status),
        Format::Json => print_json(&result.report, status),
    };
    match arguments.out.as_deref().map(|directory| write(directory, &result)) {
        Some(Err(error)) => {
            output::error(format_args!("failed to write the report: {error}"), None);
            status::OWN_FAULT
        }
        _ => status,
    }
}

fn failed(error: &RunError) -> u8 {
    let advice = match error {
        RunError::Lab(error) => error.advice(),
        RunError::Measure(_) | RunError::Trust(_) | RunError::Runtime(_) => None,
    };
    output::error(error, advice.as_deref());
    // Where there is advice, the machine is what is wrong.
    if advice.is_some() { status::NO_LAB } else { status::OWN_FAULT }
}

fn write(directory: &Path, result: &RunResult) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let report = serde_json::to_string_pretty(&result.report)?;
    fs::write(directory.join("report.json"), report + "\n")?;
    let mut lines = String::new();
    for event in &result.events {
        lines.push_str(&serde_json::to_string(event)?);
        lines.push('\n');
    }
    fs::write(directory.join("events.jsonl"), lines)
}

fn status_of(conclusion: Conclusion) -> u8 {
    match conclusion {
        Conclusion::AsExpected => status::OK,
        Conclusion::Unexpected => status::UNEXPECTED,
        Conclusion::Invalid => status::OWN_FAULT,
        Conclusion::Interrupted => status::INTERRUPTED,
    }
}
