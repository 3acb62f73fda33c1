//! `roadblock probe`.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use roadblock_emulator::lab::LabOptions;
use roadblock_emulator::sandbox;
use roadblock_scenarios::model::Probe;
use roadblock_scenarios::{Library, Scenario};
use time::OffsetDateTime;

use super::run::failed;
use super::select::Seat;
use super::{ended, library, print, refused};
use crate::cli::{ProbeArguments, ProbeFormat};
use crate::ooni::written::{Circumstances, written};
use crate::output::{self, Paint};
use crate::probe::{self, Document, Kind, Played};
use crate::status;

/// Measures once and says what was met.
pub(super) fn probe(library: &Library, arguments: &ProbeArguments) -> u8 {
    let Some(scenario) =
        library::runnable(library, &arguments.scenario, &arguments.parameters.set, arguments.allow_commands)
    else {
        return status::USAGE;
    };
    let seat = match Seat::new(&scenario, arguments.phase.as_deref(), arguments.vantage.as_deref()) {
        Ok(seat) => seat,
        Err(error) => return refused(error),
    };
    let asked =
        probe::kind(&arguments.probe).and_then(|kind| Ok((kind, kind.ask(&scenario, arguments.target.as_deref())?)));
    let (kind, probe) = match asked {
        Ok(asked) => asked,
        Err(error) => return refused(error),
    };
    let file = match arguments.output.as_deref().map(|path| open(path, arguments.format)).transpose() {
        Ok(file) => file,
        Err(error) => {
            let path = arguments.output.as_deref().unwrap_or(Path::new("")).display();
            output::error(format_args!("failed to open `{path}`: {error}"), None);
            return status::USAGE;
        }
    };
    ended(sandbox::run(|| inside(&scenario, &seat, (kind, &probe), arguments, file)))
}

/// In the lab process.
fn inside(
    scenario: &Arc<Scenario>,
    seat: &Seat,
    (kind, probe): (&'static Kind, &Probe),
    arguments: &ProbeArguments,
    file: Option<File>,
) -> u8 {
    // The seat was found in this scenario.
    let Some(vantage) = scenario.vantage(&seat.vantage) else { return status::OWN_FAULT };
    let began = OffsetDateTime::now_utc();
    let options = LabOptions { seed: arguments.seed, ..LabOptions::default() };
    let played = match probe::play(scenario, (&seat.phase, vantage), probe, options) {
        Ok(played) => played,
        Err(error) => return failed(&error),
    };
    let text = match arguments.format {
        ProbeFormat::Human | ProbeFormat::Json => {
            let document = Document::new(scenario, (&seat.phase, &seat.vantage), arguments.seed, probe, &played);
            match arguments.format {
                ProbeFormat::Json => serde_json::to_string_pretty(&document).map(|text| text + "\n"),
                _ => Ok(probe::render(&document, paint(arguments))),
            }
        }
        ProbeFormat::Ooni => {
            let (test, target) = (kind.test, arguments.target.as_deref());
            let circumstances = Circumstances { scenario, vantage, phase: &seat.phase, test, target, began };
            serde_json::to_string(&written(&played.measured, circumstances)).map(|text| text + "\n")
        }
    };
    match text {
        Ok(text) => put(&text, file, status_of(&played)),
        Err(error) => {
            output::error(format_args!("failed to write the measurement: {error}"), None);
            status::OWN_FAULT
        }
    }
}

/// Whatever was met, it was measured; a lab that failed beside it has measured nothing.
fn status_of(played: &Played) -> u8 {
    if played.problems.is_empty() { status::OK } else { status::OWN_FAULT }
}

fn paint(arguments: &ProbeArguments) -> Paint {
    if arguments.output.is_some() { Paint::none() } else { Paint::for_stdout() }
}

fn put(text: &str, file: Option<File>, otherwise: u8) -> u8 {
    let Some(mut file) = file else { return print(text, otherwise) };
    match file.write_all(text.as_bytes()) {
        Ok(()) => otherwise,
        Err(error) => {
            output::error(format_args!("failed to write the measurement: {error}"), None);
            status::OWN_FAULT
        }
    }
}

/// Opened outside the lab, where the path means what its user means by it.
fn open(path: &Path, format: ProbeFormat) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true);
    match format {
        ProbeFormat::Ooni => options.append(true),
        ProbeFormat::Human | ProbeFormat::Json => options.write(true).truncate(true),
    };
    options.open(path)
}
