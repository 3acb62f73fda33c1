//! `roadblock matrix`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use roadblock_emulator::sandbox;
use roadblock_scenarios::model::Name;
use roadblock_scenarios::{Library, Scenario, load_tool};

use super::baseline::Beside;
use super::reports::Reports;
use super::test::{mechanisms, refused};
use super::trust;
use super::{ended, print, print_json};
use crate::cli::{DEFAULT_SEED, Format, MatrixArguments};
use crate::diagnostics;
use crate::matrix::{self, Document, MatrixConclusion, Order, Square, Subject};
use crate::output::{self, Paint};
use crate::run::report::CONTROL;
use crate::status;
use crate::suite::{self, Filter};

/// Plays tools in the phases of scenarios.
pub(super) fn matrix(library: &Library, arguments: &MatrixArguments) -> u8 {
    let (subjects, squares) = match chosen(library, arguments) {
        Ok(chosen) => chosen,
        Err(status) => return status,
    };
    let (beside, reports, out) = match opened(arguments) {
        Ok(opened) => opened,
        Err(status) => return status,
    };
    let order = Order {
        subjects: &subjects,
        squares: &squares,
        labs: arguments.labs.map_or_else(matrix::usual_number_of_labs, |labs| usize::from(labs.get())),
        seed: arguments.seed.or(beside.seed()).unwrap_or(DEFAULT_SEED),
        timeout: Duration::from_secs(arguments.timeout),
        out: out.as_deref(),
        library,
    };
    ended(sandbox::run(|| inside(order, beside, reports, arguments.format)))
}

type Opened = (Beside, Reports, Option<PathBuf>);

/// All files, before anything is measured; the exit status if one cannot be had.
fn opened(arguments: &MatrixArguments) -> Result<Opened, u8> {
    let beside = Beside::open(arguments.baseline.as_deref(), arguments.accept)?;
    let reports = Reports::open(&arguments.reporters).map_err(|error| {
        output::error(error, None);
        status::USAGE
    })?;
    let out = arguments.out.as_deref().map(made).transpose().map_err(|error| {
        output::error(error, None);
        status::USAGE
    })?;
    Ok((beside, reports, out))
}

/// In the lab process: plays, compares, reports and prints.
fn inside(order: Order<'_>, beside: Beside, reports: Reports, format: Format) -> u8 {
    let played = matrix::run(order).map(|document| beside.compared(document));
    let document = match played.and_then(|document| kept(document, order.out)) {
        Ok(document) => document,
        Err(error) => {
            output::error(format_args!("failed to keep what came of it: {error}"), None);
            return status::OWN_FAULT;
        }
    };
    let status = match (document.conclusion, &document.changes) {
        (MatrixConclusion::Measured, Some(changes)) if !changes.are_accepted() => status::UNEXPECTED,
        (MatrixConclusion::Measured, _) => status::OK,
        (MatrixConclusion::Invalid, _) => status::OWN_FAULT,
        (MatrixConclusion::Interrupted, _) => status::interrupted(),
    };
    let status =
        match reports.write(&document).map_err(|error| error.to_string()).and_then(|()| beside.accept(&document)) {
            Ok(()) => status,
            Err(error) => {
                output::error(error, None);
                status::OWN_FAULT
            }
        };
    match format {
        Format::Human => print(&matrix::render(&document, Paint::for_stdout()), status),
        Format::Json => print_json(&document, status),
    }
}

/// Writes the document beside the logs.
fn kept(document: Document, out: Option<&Path>) -> std::io::Result<Document> {
    if let Some(directory) = out {
        let mut text = serde_json::to_vec_pretty(&document)?;
        text.push(b'\n');
        fs::write(directory.join("matrix.json"), text)?;
    }
    Ok(document)
}

/// Why there is no directory to write to.
#[derive(Debug, thiserror::Error)]
#[error("failed to write into `{}`: {cause}", directory.display())]
struct OutError {
    directory: PathBuf,
    cause: std::io::Error,
}

/// The directory, made before anything is measured; its whole path, because the lab process may be elsewhere.
fn made(directory: &Path) -> Result<PathBuf, OutError> {
    let make = || fs::create_dir_all(directory).and_then(|()| fs::canonicalize(directory));
    make().map_err(|cause| OutError { directory: directory.to_owned(), cause })
}

type Chosen = (Vec<Arc<Subject>>, Vec<Square>);

fn chosen(library: &Library, arguments: &MatrixArguments) -> Result<Chosen, u8> {
    let subjects = tools(library, &arguments.files)?;
    let filter = Filter {
        countries: arguments.countries.clone(),
        mechanisms: mechanisms(&arguments.mechanisms)?,
        phases: arguments.phases.clone(),
        ..Filter::default()
    };
    let scenarios = suite::choose(&arguments.scenarios, &filter, library).map_err(|error| refused(&error))?;
    let mut squares = Vec::new();
    for subject in scenarios {
        let scenario = trust::admit(subject.scenario, arguments.allow_commands).map_err(|refusal| {
            output::error(&refusal, Some(trust::HELP));
            status::USAGE
        })?;
        let vantages = vantages(&scenario, &arguments.vantages);
        let phases = scenario.phases.iter().filter(|phase| filter.wants_phase(&phase.id) && !vantages.is_empty());
        squares.extend(phases.map(|phase| Square {
            scenario: Arc::clone(&scenario),
            phase: Name::clone(&phase.id),
            vantages: vantages.clone(),
        }));
    }
    if squares.is_empty() {
        let help = "`roadblock list` names scenarios and their phases, `roadblock show` a scenario's vantages";
        output::error("nothing fits what was asked for", Some(help));
        return Err(status::USAGE);
    }
    Ok((subjects, squares))
}

fn tools(library: &Library, files: &[String]) -> Result<Vec<Arc<Subject>>, u8> {
    let mut subjects: Vec<Arc<Subject>> = Vec::new();
    let mut sound = true;
    for file in files {
        match load_tool(file, library) {
            Ok(loaded) => {
                let name = Name::clone(&loaded.tool.name);
                if subjects.iter().any(|other| other.loaded.tool.name == name) {
                    let help = "write a `name` of its own into one of the files";
                    output::error(format_args!("two tools are called `{name}`"), Some(help));
                    sound = false;
                }
                subjects.push(Arc::new(Subject::new(file, loaded)));
            }
            Err(errors) => {
                output::notice(diagnostics::render(&errors, Paint::for_stderr().is_coloured()));
                sound = false;
            }
        }
    }
    if sound { Ok(subjects) } else { Err(status::USAGE) }
}

/// The vantages of a scenario that are asked for; the first where none is.
fn vantages(scenario: &Scenario, wanted: &[String]) -> Vec<Name> {
    let names = scenario.vantages.iter().map(|vantage| Name::clone(&vantage.name));
    if wanted.is_empty() {
        return names.filter(|name| **name != *CONTROL).take(1).collect();
    }
    names.filter(|name| wanted.iter().any(|each| **each == **name)).collect()
}
