//! `roadblock check`.

use std::fmt::Write;

use roadblock_scenarios::{Diagnostic, DiagnosticKind, Diagnostics, Library, Severity, check_tool, is_tool};
use serde::Serialize;

use super::{print, print_json};
use crate::cli::{CheckArguments, Deny, Format};
use crate::diagnostics;
use crate::output::{self, Paint};
use crate::status;

/// `roadblock.check/1`.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    scenarios: Vec<Entry<'a>>,
}

/// What was checked, as it was named, and whether it can be used.
#[derive(Serialize)]
struct Entry<'a> {
    scenario: &'a str,
    ok: bool,
    diagnostics: Vec<Finding<'a>>,
}

/// One thing that is wrong or odd.
#[derive(Serialize)]
struct Finding<'a> {
    severity: Severity,
    /// Which sort it is, as `unknown-key`.
    code: DiagnosticKind,
    message: &'a str,
    file: &'a str,
    /// From 1.
    line: usize,
    /// From 1, in characters.
    column: usize,
    /// What to do.
    help: Option<&'a str>,
}

/// A file that was checked.
struct Checked<'a> {
    scenario: &'a str,
    findings: Diagnostics,
    ok: bool,
}

/// Checks each scenario and says all that is wrong.
pub(super) fn check(library: &Library, arguments: &CheckArguments) -> u8 {
    let checked: Vec<Checked<'_>> =
        arguments.scenarios.iter().map(|argument| verify(argument, arguments, library)).collect();
    let status = if checked.iter().all(|each| each.ok) { status::OK } else { status::USAGE };
    match arguments.format {
        Format::Human => human(&checked, status),
        Format::Json => print_json(&document(&checked), status),
    }
}

/// A scenario, or anything else that the library holds under this id.
fn verify<'a>(argument: &'a str, arguments: &CheckArguments, library: &Library) -> Checked<'a> {
    let set = &arguments.parameters.set;
    let result = match library.document(argument) {
        None if is_tool(argument) => check_tool(argument, library),
        Some(_) => library.check_with(argument, set),
        None => library.check_file_with(argument, set),
    };
    let denied = |findings: &Diagnostics| arguments.deny == Some(Deny::Warnings) && !findings.all.is_empty();
    let ok = result.as_ref().is_ok_and(|findings| !denied(findings));
    Checked { scenario: argument, findings: result.unwrap_or_else(|findings| findings), ok }
}

fn human(checked: &[Checked<'_>], status: u8) -> u8 {
    let (paint, coloured) = (Paint::for_stdout(), Paint::for_stderr().is_coloured());
    let mut summary = String::new();
    for Checked { scenario, findings, ok } in checked {
        if !findings.all.is_empty() {
            output::notice(format_args!("{}\n", diagnostics::render(findings, coloured)));
        }
        let word = if *ok { paint.good("ok").to_string() } else { paint.bad("failed").to_string() };
        // Writing to a string cannot fail.
        let _ = writeln!(summary, "{scenario}: {word}");
    }
    print(&summary, status)
}

fn document<'a>(checked: &'a [Checked<'a>]) -> Document<'a> {
    let entry = |Checked { scenario, findings, ok }: &'a Checked<'a>| Entry {
        scenario,
        ok: *ok,
        diagnostics: findings.all.iter().map(finding).collect(),
    };
    Document { schema: "roadblock.check/1", scenarios: checked.iter().map(entry).collect() }
}

fn finding(diagnostic: &Diagnostic) -> Finding<'_> {
    Finding {
        severity: diagnostic.severity,
        code: diagnostic.kind,
        message: &diagnostic.message,
        file: &diagnostic.location.file,
        line: diagnostic.location.line,
        column: diagnostic.location.column,
        help: diagnostic.help.as_deref(),
    }
}
