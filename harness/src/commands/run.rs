//! `roadblock run`.

use std::cell::Cell;
use std::sync::Arc;

use roadblock_emulator::lab::Lab;
use roadblock_emulator::sandbox;
use roadblock_scenarios::{Library, Scenario};

use super::out::Out;
use super::way_in::WayIn;
use super::{ended, library, print, print_json, refused, select};
use crate::cli::{Format, RunArguments};
use crate::ctl::Change;
use crate::output::{self, Paint};
use crate::run::{self, RunError, Selection};
use crate::status;

/// Plays a scenario and reports.
pub(super) fn run(library: &Library, arguments: &RunArguments) -> u8 {
    let Some(scenario) =
        library::runnable(library, &arguments.scenario, &arguments.parameters.set, arguments.allow_commands)
    else {
        return status::USAGE;
    };
    let selection = match select::selection(&scenario, &arguments.phases, &arguments.vantages) {
        Ok(selection) => selection,
        Err(error) => return refused(error),
    };
    let out = match arguments.out.as_deref().map(|directory| Out::open(directory, &scenario)).transpose() {
        Ok(out) => out,
        Err(error) => return refused(error),
    };
    // One lab lives through all phases only where packets are captured; else there is one for each, gone in a moment.
    let (door, way_in) = match out {
        Some(_) => WayIn::open(&scenario, Change::Refused, Box::new(|| Err("it is not read again".to_owned())), true),
        None => (None, None),
    };
    ended(sandbox::run_with_door(door, || inside(library, &scenario, &selection, arguments, out, way_in)))
}

/// In the lab process.
fn inside(
    library: &Library,
    scenario: &Arc<Scenario>,
    selection: &Selection,
    arguments: &RunArguments,
    out: Option<Out>,
    way_in: Option<WayIn>,
) -> u8 {
    let way_in = Cell::new(way_in);
    let begun = |lab: &Arc<Lab>| {
        if let Some(way_in) = way_in.take() {
            way_in.serve(lab);
        }
    };
    let result = match run::run(scenario, selection, arguments.seed, out.is_some(), &begun) {
        Ok(result) => result,
        Err(error) => return failed(&error),
    };
    let status = status::of(result.report.conclusion);
    let status = match arguments.format {
        Format::Human => print(&run::render(&result.report, Paint::for_stdout()), status),
        Format::Json => print_json(&result.report, status),
    };
    for note in result.report.capture.iter().flat_map(|capture| &capture.notes) {
        output::notice(format_args!("roadblock: the capture is not complete: {note}"));
    }
    match out.map(|out| out.write(&result, scenario, library)) {
        Some(Err(error)) => {
            output::error(format_args!("failed to write the report: {error}"), None);
            status::OWN_FAULT
        }
        Some(Ok(())) | None => status,
    }
}

/// Says why a lab was not built or nothing could be measured in it.
pub(super) fn failed(error: &RunError) -> u8 {
    let advice = error.advice();
    output::error(error, advice.as_deref());
    // Where there is advice, the machine is what is wrong.
    if advice.is_some() { status::NO_LAB } else { status::OWN_FAULT }
}
