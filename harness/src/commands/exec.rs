//! `roadblock exec` and `roadblock shell`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use roadblock_emulator::lab::{CommandError, CommandSpec, Lab, LabError, LabOptions, Problem};
use roadblock_emulator::sandbox;
use roadblock_scenarios::{Library, Scenario};

use super::capture::{CaptureFile, LinesFile};
use super::select::Seat;
use super::way_in::WayIn;
use super::{explain, graft, library};
use crate::cli::{ExecArguments, SeatArguments, Serve};
use crate::ctl::Change;
use crate::{output, status};

/// What is done inside, and what is kept of it.
struct Inside {
    command: CommandSpec,
    servers: Vec<Serve>,
    /// The programs to graft.
    grafts: Vec<PathBuf>,
    capture: Option<CaptureFile>,
    events: Option<LinesFile>,
    measurements: Option<LinesFile>,
}

/// Runs a command inside a scenario.
pub(super) fn exec(library: &Library, arguments: ExecArguments) -> u8 {
    enter(library, &arguments.seat, arguments.servers, arguments.command)
}

/// Opens a shell inside a scenario.
pub(super) fn shell(library: &Library, arguments: &SeatArguments) -> u8 {
    let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty());
    enter(library, arguments, Vec::new(), vec![shell.unwrap_or_else(|| "/bin/sh".into())])
}

fn enter(library: &Library, arguments: &SeatArguments, servers: Vec<Serve>, argv: Vec<OsString>) -> u8 {
    let Some(scenario) =
        library::runnable(library, &arguments.scenario, &arguments.parameters.set, arguments.allow_commands)
    else {
        return status::EXEC_OURS;
    };
    let seat = match Seat::new(&scenario, arguments.phase.as_deref(), arguments.vantage.as_deref()) {
        Ok(seat) => seat,
        Err(error) => {
            output::error(error, None);
            return status::EXEC_OURS;
        }
    };
    let capture = match arguments.capture.as_deref().map(CaptureFile::open).transpose() {
        Ok(capture) => capture,
        Err(error) => {
            output::error(error, None);
            return status::EXEC_OURS;
        }
    };
    let open = |path: &Option<PathBuf>| path.as_deref().map(LinesFile::open).transpose();
    let (events, measurements) = match (open(&arguments.events), open(&arguments.measurements)) {
        (Ok(events), Ok(measurements)) => (events, measurements),
        (Err(error), _) | (_, Err(error)) => {
            output::error(error, None);
            return status::EXEC_OURS;
        }
    };
    let grafts = match graft::find_all(&arguments.grafts) {
        Ok(grafts) => grafts,
        Err(error) => {
            output::error(error, None);
            return status::EXEC_OURS;
        }
    };
    let command = CommandSpec { argv, root: arguments.root };
    let wanted = Inside { command, servers, grafts, capture, events, measurements };
    let read = library::again(library, &arguments.scenario, &arguments.parameters.set, arguments.allow_commands);
    let (door, way_in) = WayIn::open(&scenario, Change::Allowed, read, arguments.quiet);
    match sandbox::run_with_door(door, || inside(&scenario, &seat, wanted, arguments, way_in)) {
        Ok(status) => status,
        Err(error) => {
            output::error(&error, error.advice().as_deref());
            status::EXEC_OURS
        }
    }
}

/// In the lab process.
fn inside(
    scenario: &Arc<Scenario>,
    seat: &Seat,
    Inside { command, servers, grafts, capture, events, measurements }: Inside,
    arguments: &SeatArguments,
    way_in: Option<WayIn>,
) -> u8 {
    let options = LabOptions { seed: arguments.seed, capture: capture.is_some(), ..LabOptions::default() };
    let lab = match Lab::start_with(Arc::clone(scenario), &seat.phase, options) {
        Ok(lab) => Arc::new(lab),
        Err(error) => return failed(&error),
    };
    if let Some(way_in) = way_in {
        way_in.serve(&lab);
    }
    for program in &grafts {
        if let Err(error) = lab.graft(program) {
            output::error(error, None);
            return status::EXEC_OURS;
        }
    }
    for Serve { machine, command } in &servers {
        if let Err(error) = lab.serve(machine, &["sh", "-c", command].map(OsString::from)) {
            return not_run(&error);
        }
    }
    let status = match lab.run_command(&seat.vantage, &command) {
        Ok(status) => status,
        Err(error) => not_run(&error),
    };
    if !arguments.quiet
        && let Some(line) = explain::explain(&lab, seat)
    {
        output::notice(line);
    }
    if let Some(capture) = capture {
        capture.write(&lab);
    }
    if let Some(events) = events {
        events.write(&lab.events().all());
    }
    if let Some(measurements) = measurements {
        measurements.write(&lab.submitted());
    }
    for Problem { place, what } in lab.problems() {
        output::notice(format_args!("roadblock: what the command met is not to be trusted: {place}: {what}"));
    }
    status
}

fn failed(error: &LabError) -> u8 {
    output::error(format_args!("failed to build the lab: {error}"), error.advice().as_deref());
    status::EXEC_OURS
}

fn not_run(error: &CommandError) -> u8 {
    output::error(error, None);
    match error {
        CommandError::NotFound(_) => status::EXEC_NOT_FOUND,
        CommandError::NotRunnable { .. } => status::EXEC_NOT_RUNNABLE,
        CommandError::Lab(_) => status::EXEC_OURS,
    }
}
