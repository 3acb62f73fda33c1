//! `roadblock test`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use roadblock_emulator::sandbox;
use roadblock_scenarios::Library;
use roadblock_scenarios::model::Mechanism;

use super::trust::{self, NotAllowed};
use super::{print, print_json};
use crate::cli::{SuiteFormat, TestArguments};
use crate::diagnostics;
use crate::output::{self, Paint};
use crate::status;
use crate::suite::{self, ChooseError, Document, Filter, Mutants, Pool, Progress, Subject, Unit};

/// Plays the expectations of many scenarios, or takes out their rules.
pub(super) fn test(library: &Library, arguments: &TestArguments) -> u8 {
    let filter = match filter(arguments) {
        Ok(filter) => filter,
        Err(status) => return status,
    };
    let subjects = match suite::choose(&arguments.scenarios, &filter, library) {
        Ok(subjects) => subjects,
        Err(error) => return refused(&error),
    };
    let subjects = match admitted(subjects, arguments.allow_commands) {
        Ok(subjects) => subjects,
        Err(refusal) => {
            output::error(&refusal, Some(trust::HELP));
            return status::USAGE;
        }
    };
    let pool = pool(arguments);
    let inside = || {
        let act = if arguments.mutate { mutate } else { play };
        act(&subjects, &filter, pool, arguments)
    };
    match sandbox::run(inside) {
        Ok(status) => status,
        Err(error) => {
            output::error(&error, error.advice().as_deref());
            status::NO_LAB
        }
    }
}

fn filter(arguments: &TestArguments) -> Result<Filter, u8> {
    let mut mechanisms = Vec::new();
    for word in &arguments.mechanisms {
        let Some(mechanism) = Mechanism::ALL.iter().find(|each| each.word() == word) else {
            let known: Vec<&str> = Mechanism::ALL.iter().map(|each| each.word()).collect();
            let help = format!("there are {}", known.join(", "));
            output::error(format_args!("`{word}` is not a mechanism"), Some(&help));
            return Err(status::USAGE);
        };
        mechanisms.push(*mechanism);
    }
    Ok(Filter {
        countries: arguments.countries.clone(),
        mechanisms,
        facts: arguments.facts.clone(),
        phases: arguments.phases.clone(),
        probes: arguments.probes.clone(),
    })
}

fn pool(arguments: &TestArguments) -> Pool {
    Pool {
        labs: arguments.labs.map_or_else(Pool::usual_number_of_labs, |labs| usize::from(labs.get())),
        seed: arguments.seed,
        timeout: Duration::from_secs(arguments.timeout),
        retries: arguments.retries,
        fail_fast: arguments.fail_fast,
    }
}

/// The same, if the commands of all may be run.
fn admitted(subjects: Vec<Subject>, allow_commands: bool) -> Result<Vec<Subject>, NotAllowed> {
    let admit = |subject: Subject| Ok(Subject { scenario: trust::admit(subject.scenario, allow_commands)? });
    subjects.into_iter().map(admit).collect()
}

fn refused(error: &ChooseError) -> u8 {
    match error {
        ChooseError::Wrong(errors) => output::notice(diagnostics::render(errors, Paint::for_stderr().is_coloured())),
        other => output::error(other, None),
    }
    status::USAGE
}

/// In the lab process: plays.
fn play(subjects: &[Subject], filter: &Filter, pool: Pool, arguments: &TestArguments) -> u8 {
    let mut units = match suite::units(subjects, filter) {
        Ok(units) => units,
        Err(error) => {
            output::error(format_args!("failed to plan the measurements: {error}"), None);
            return status::USAGE;
        }
    };
    let chosen = units.len();
    if let Some(partition) = arguments.partition {
        units.retain(|unit| partition.holds(unit.place, &unit.name()));
    }
    // A part may well be empty, where there are more machines than phases.
    if chosen == 0 {
        output::error("nothing fits what was asked for", Some("`roadblock list` names scenarios and their phases"));
        return status::USAGE;
    }
    let document = play_units(&units, chosen, pool, arguments);
    let status = close(&document, arguments.junit.as_deref());
    match arguments.format {
        SuiteFormat::Human => print(&suite::render(&document, Paint::for_stdout()), status),
        SuiteFormat::Json => print_json(&document, status),
        SuiteFormat::Lines => status,
    }
}

fn play_units(units: &[Unit], chosen: usize, pool: Pool, arguments: &TestArguments) -> Document {
    let partition = arguments.partition.map(|partition| partition.to_string());
    let mut document = Document::of(units, chosen, pool.seed, partition);
    let mut progress = Progress::default();
    suite::play(units, pool, |event| {
        document.note(event);
        progress.note(event);
        if arguments.format == SuiteFormat::Lines
            && let Some(line) = document.line(event)
        {
            // Where nobody reads any more, the exit status still says how it went.
            let _ = output::data(line + "\n");
        }
    });
    document
}

/// Writes the JUnit file, if one is wanted; the exit status.
pub(super) fn close(document: &Document, junit: Option<&Path>) -> u8 {
    match junit.map(|path| write_junit(path, document)) {
        Some(Err(error)) => {
            output::error(format_args!("failed to write the JUnit file: {error}"), None);
            status::OWN_FAULT
        }
        Some(Ok(())) | None => status::of(document.conclusion),
    }
}

fn write_junit(path: &Path, document: &Document) -> Result<(), JunitError> {
    Ok(fs::write(path, suite::junit(document)?)?)
}

/// Why there is no JUnit file.
#[derive(Debug, thiserror::Error)]
enum JunitError {
    #[error(transparent)]
    Xml(#[from] suite::SerializeError),
    #[error(transparent)]
    File(#[from] std::io::Error),
}

/// In the lab process: takes out rules.
fn mutate(subjects: &[Subject], filter: &Filter, pool: Pool, arguments: &TestArguments) -> u8 {
    let mutants = suite::mutate(subjects, filter, arguments.sample, pool);
    let status = match &mutants {
        Mutants { interrupted: true, .. } => status::interrupted(),
        mutants if mutants.all_noticed() => status::OK,
        _ => status::UNEXPECTED,
    };
    match arguments.format {
        SuiteFormat::Human => print(&mutants.render(Paint::for_stdout()), status),
        SuiteFormat::Json | SuiteFormat::Lines => print_json(&mutants, status),
    }
}
