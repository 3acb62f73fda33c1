//! `roadblock test`.

use std::cell::Cell;
use std::time::Duration;

use roadblock_emulator::sandbox;
use roadblock_scenarios::Library;
use roadblock_scenarios::model::Mechanism;

use super::reports::Reports;
use super::state;
use super::trust::{self, NotAllowed};
use super::{ended, print, print_json};
use crate::cli::{DEFAULT_SEED, Rerun, SuiteFormat, TestArguments};
use crate::diagnostics;
use crate::output::{self, Paint};
use crate::report::OutputFile;
use crate::status;
use crate::suite::{self, Asked, ChooseError, Document, Filter, Former, Mutants, Pool, Progress, Subject, Unit};

/// Plays the expectations of many scenarios, or takes out their rules.
pub(super) fn test(library: &Library, arguments: &TestArguments) -> u8 {
    match prepare(library, arguments) {
        Ok(prepared) if arguments.mutate => {
            let Prepared { subjects, filter, pool, .. } = prepared;
            ended(sandbox::run(|| mutate(&subjects, &filter, pool, arguments)))
        }
        Ok(prepared) => played(prepared, arguments),
        Err(status) => status,
    }
}

/// What is played and how, and where it is reported.
struct Prepared {
    subjects: Vec<Subject>,
    filter: Filter,
    pool: Pool,
    former: Option<Former>,
    asked: Asked,
}

/// All that can be wrong with what was asked for, said before any lab; the exit status if something is.
fn prepare(library: &Library, arguments: &TestArguments) -> Result<Prepared, u8> {
    let filter = filter(arguments)?;
    let former = arguments.rerun.map(|Rerun::Failed| former(arguments)).transpose()?;
    let scenarios = match &former {
        Some(former) if arguments.scenarios.is_empty() => former.scenarios().to_vec(),
        _ => arguments.scenarios.clone(),
    };
    let subjects = suite::choose(&scenarios, &filter, library).map_err(|error| refused(&error))?;
    let subjects = admitted(subjects, arguments.allow_commands).map_err(|refusal| {
        output::error(&refusal, Some(trust::HELP));
        status::USAGE
    })?;
    let seed = arguments.seed.or(former.as_ref().map(Former::seed)).unwrap_or(DEFAULT_SEED);
    let asked = Asked {
        scenarios,
        chosen: 0,
        seed,
        partition: arguments.partition.map(|partition| partition.to_string()),
        unsupported: arguments.unsupported,
    };
    Ok(Prepared { subjects, filter, pool: pool(arguments, seed), former, asked })
}

/// The former test, and a word about it.
fn former(arguments: &TestArguments) -> Result<Former, u8> {
    let Some(path) = arguments.former.clone().or_else(state::last_test) else {
        output::error("no former test is kept where there is no home", Some("name its document by `--former FILE`"));
        return Err(status::USAGE);
    };
    match Former::read(&path) {
        Ok(former) if former.failed() == 0 => {
            output::notice(format_args!("nothing failed in the former test ({})", former.describe()));
            Ok(former)
        }
        Ok(former) => Ok(former),
        Err(error) => {
            output::error(&error, Some("`roadblock test` keeps its document there; `--former FILE` names another"));
            Err(status::USAGE)
        }
    }
}

/// Chooses units, plays them in a sandbox, reports.
fn played(prepared: Prepared, arguments: &TestArguments) -> u8 {
    let Prepared { subjects, filter, pool, former, mut asked } = prepared;
    let mut units = match suite::units(&subjects, &filter) {
        Ok(units) => units,
        Err(error) => {
            output::error(format_args!("failed to plan the measurements: {error}"), None);
            return status::USAGE;
        }
    };
    // A part may well be empty, where there are more machines than phases, and so may what failed.
    if units.is_empty() {
        output::error("nothing fits what was asked for", Some("`roadblock list` names scenarios and their phases"));
        return status::USAGE;
    }
    if let Some(former) = former {
        former.only_failed(&mut units);
    }
    asked.chosen = units.len();
    if let Some(partition) = arguments.partition {
        units.retain(|unit| partition.holds(unit.place, &unit.name()));
    }
    let reports = match Reports::open(&arguments.reporters) {
        Ok(reports) => reports,
        Err(error) => {
            output::error(&error, None);
            return status::USAGE;
        }
    };
    let kept = state::keep_test();
    let document = Document::of(&units, asked);
    let mut unplayed = document.clone();
    // Both processes have these, and only one uses them: the lab's, or where there can be none, this one.
    let files = Cell::new(Some((reports, kept)));
    let report = |document: &Document| match files.take() {
        Some((reports, kept)) => reported(document, reports, kept, arguments.format),
        None => status::OWN_FAULT,
    };
    match sandbox::run(|| report(&play_units(&units, document, pool, arguments.format))) {
        Ok(status) => status,
        Err(error) => {
            unplayed.note_no_lab(&error.to_string());
            let status = report(&unplayed);
            output::error(&error, error.advice().as_deref());
            status
        }
    }
}

fn filter(arguments: &TestArguments) -> Result<Filter, u8> {
    let mechanisms = mechanisms(&arguments.mechanisms)?;
    Ok(Filter {
        countries: arguments.countries.clone(),
        mechanisms,
        facts: arguments.facts.clone(),
        phases: arguments.phases.clone(),
        probes: arguments.probes.clone(),
    })
}

/// The mechanisms of these words.
pub(super) fn mechanisms(words: &[String]) -> Result<Vec<Mechanism>, u8> {
    let mut mechanisms = Vec::new();
    for word in words {
        let Some(mechanism) = Mechanism::ALL.iter().find(|each| each.word() == word) else {
            let known: Vec<&str> = Mechanism::ALL.iter().map(|each| each.word()).collect();
            let help = format!("there are {}", known.join(", "));
            output::error(format_args!("`{word}` is not a mechanism"), Some(&help));
            return Err(status::USAGE);
        };
        mechanisms.push(*mechanism);
    }
    Ok(mechanisms)
}

fn pool(arguments: &TestArguments, seed: u64) -> Pool {
    Pool {
        labs: arguments.labs.map_or_else(Pool::usual_number_of_labs, |labs| usize::from(labs.get())),
        seed,
        timeout: Duration::from_secs(arguments.timeout),
        retries: arguments.retries,
        fail_fast: arguments.fail_fast,
        unsupported: arguments.unsupported,
    }
}

/// The same, if the commands of all may be run.
fn admitted(subjects: Vec<Subject>, allow_commands: bool) -> Result<Vec<Subject>, NotAllowed> {
    let admit = |subject: Subject| Ok(Subject { scenario: trust::admit(subject.scenario, allow_commands)? });
    subjects.into_iter().map(admit).collect()
}

/// Says what is wrong with what was asked for.
pub(super) fn refused(error: &ChooseError) -> u8 {
    match error {
        ChooseError::Wrong(errors) => output::notice(diagnostics::render(errors, Paint::for_stderr().is_coloured())),
        other => output::error(other, None),
    }
    status::USAGE
}

/// In the lab process: plays, and tells what happens.
fn play_units(units: &[Unit], mut document: Document, pool: Pool, format: SuiteFormat) -> Document {
    let mut progress = Progress::default();
    suite::play(units, pool, |event| {
        document.note(event);
        progress.note(event);
        if format == SuiteFormat::Lines
            && let Some(line) = document.line(event)
        {
            // Where nobody reads any more, the exit status still says how it went.
            let _ = output::data(line + "\n");
        }
    });
    document
}

/// Reports everywhere, keeps the document for `--rerun`, and prints it; the exit status.
fn reported(document: &Document, reports: Reports, kept: Option<OutputFile>, format: SuiteFormat) -> u8 {
    if let (Some(file), Ok(text)) = (kept, serde_json::to_string(document)) {
        // Without it nothing is lost but `--rerun`.
        let _ = file.write(&text);
    }
    let status = close(document, reports);
    match format {
        SuiteFormat::Human => print(&suite::render(document, Paint::for_stdout()), status),
        SuiteFormat::Json => print_json(document, status),
        SuiteFormat::Lines => status,
    }
}

/// Reports everywhere but on stdout; the exit status.
pub(super) fn close(document: &Document, reports: Reports) -> u8 {
    match reports.write(document) {
        Err(error) => {
            output::error(&error, None);
            status::OWN_FAULT
        }
        Ok(()) => status::of(document.conclusion),
    }
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
