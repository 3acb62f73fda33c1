//! `roadblock check`.

use std::fmt::Write;

use roadblock_scenarios::{Diagnostic, Diagnostics, Library};
use serde::Serialize;

use super::{print, print_json};
use crate::cli::{CheckArguments, Format};
use crate::diagnostics;
use crate::output::{self, Paint};
use crate::status;

/// `roadblock.check/1`.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    scenarios: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    scenario: &'a str,
    ok: bool,
    errors: Vec<Diagnostic>,
}

/// Checks each scenario and says all that is wrong.
pub(super) fn check(library: &Library, arguments: &CheckArguments) -> u8 {
    let checked: Vec<(&str, Result<(), Diagnostics>)> = arguments
        .scenarios
        .iter()
        .map(|argument| (&**argument, verify(argument, &arguments.parameters.set, library)))
        .collect();
    let status = if checked.iter().all(|(_, result)| result.is_ok()) { status::OK } else { status::USAGE };
    match arguments.format {
        Format::Human => human(&checked, status),
        Format::Json => print_json(&document(checked), status),
    }
}

/// A scenario, or anything else that the library holds under this id.
fn verify(argument: &str, set: &[String], library: &Library) -> Result<(), Diagnostics> {
    match library.document(argument) {
        Some(_) => library.check_with(argument, set),
        None => library.check_file_with(argument, set),
    }
}

fn human(checked: &[(&str, Result<(), Diagnostics>)], status: u8) -> u8 {
    let (paint, coloured) = (Paint::for_stdout(), Paint::for_stderr().is_coloured());
    let mut summary = String::new();
    for (scenario, result) in checked {
        let word = match result {
            Ok(()) => paint.good("ok").to_string(),
            Err(errors) => {
                output::notice(format_args!("{}\n", diagnostics::render(errors, coloured)));
                paint.bad("failed").to_string()
            }
        };
        // Writing to a string cannot fail.
        let _ = writeln!(summary, "{scenario}: {word}");
    }
    print(&summary, status)
}

fn document<'a>(checked: Vec<(&'a str, Result<(), Diagnostics>)>) -> Document<'a> {
    let entry = |(scenario, result): (&'a str, Result<(), Diagnostics>)| Entry {
        scenario,
        ok: result.is_ok(),
        errors: result.err().map(|errors| errors.all).unwrap_or_default(),
    };
    Document { schema: "roadblock.check/1", scenarios: checked.into_iter().map(entry).collect() }
}
