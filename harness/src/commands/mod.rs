//! The commands. Each gives the exit status.

mod baseline;
mod capture;
mod check;
mod completions;
mod ctl;
mod dataset;
mod doctor;
mod exec;
mod explain;
mod graft;
mod import;
mod library;
mod list;
mod man;
mod matrix;
mod new;
mod out;
mod probe;
mod replay;
mod report;
mod reports;
mod run;
mod schema;
mod select;
mod show;
mod state;
mod test;
mod trust;
mod usage;
mod way_in;

use roadblock_emulator::sandbox::SandboxError;

use crate::cli::{Cli, Command};
use crate::{output, status};

pub(crate) use usage::usage;

/// Does what the command line says.
pub(crate) fn dispatch(cli: Cli) -> u8 {
    let library = match library::open(cli.library.as_deref()) {
        Ok(library) => library,
        Err(error) => {
            output::error(error, None);
            return if runs_a_program(&cli.command) { status::EXEC_OURS } else { status::USAGE };
        }
    };
    match cli.command {
        Command::Run(arguments) => run::run(&library, &arguments),
        Command::Test(arguments) => test::test(&library, &arguments),
        Command::Matrix(arguments) => matrix::matrix(&library, &arguments),
        Command::Exec(arguments) => exec::exec(&library, arguments),
        Command::Shell(arguments) => exec::shell(&library, &arguments),
        Command::Probe(arguments) => probe::probe(&library, &arguments),
        Command::Ctl(arguments) => ctl::ctl(&arguments.command),
        Command::Replay(arguments) => replay::replay(&library, &arguments),
        Command::Dataset(arguments) => dataset::dataset(&library, &arguments),
        Command::Import(arguments) => import::import(&library, &arguments.command),
        Command::Report(arguments) => report::report(&arguments.command),
        Command::List(arguments) => list::list(&library, &arguments),
        Command::Show(arguments) => show::show(&library, &arguments),
        Command::New(arguments) => new::new(&library, &arguments),
        Command::Check(arguments) => check::check(&library, &arguments),
        Command::Schema(arguments) => schema::schema(arguments.of),
        Command::Doctor(arguments) => doctor::doctor(arguments.format),
        Command::Completions(arguments) => completions::completions(arguments.shell),
        Command::Man(arguments) => man::man(arguments.out.as_deref()),
    }
}

fn runs_a_program(command: &Command) -> bool {
    matches!(command, Command::Exec(_) | Command::Shell(_))
}

/// The exit status of what ended in a sandbox. That there can be none is said, with what to do about it.
fn ended(status: Result<u8, SandboxError>) -> u8 {
    status.unwrap_or_else(|error| {
        output::error(&error, error.advice().as_deref());
        status::NO_LAB
    })
}

/// Says what is wrong with what was asked for, and gives the exit status for it.
fn refused(error: impl std::error::Error) -> u8 {
    output::error(error, None);
    status::USAGE
}

/// Writes data to stdout; what cannot be written is our own fault.
fn print(text: &str, otherwise: u8) -> u8 {
    match output::data(text) {
        Ok(()) => otherwise,
        Err(error) => {
            output::error(format_args!("failed to write to stdout: {error}"), None);
            status::OWN_FAULT
        }
    }
}

/// Writes a document to stdout.
fn print_json(document: &impl serde::Serialize, otherwise: u8) -> u8 {
    match serde_json::to_string_pretty(document) {
        Ok(text) => print(&(text + "\n"), otherwise),
        Err(error) => {
            output::error(format_args!("failed to write the document: {error}"), None);
            status::OWN_FAULT
        }
    }
}
