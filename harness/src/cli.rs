//! What can be written on the command line.

mod ctl;
mod dataset;
mod import;
mod lab;
mod library;
mod matrix;
mod probe;
mod reporters;
mod test;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use ctl::{CtlArguments, CtlCommand, CtlEventsArguments};
pub(crate) use dataset::DatasetArguments;
pub(crate) use import::{ImportArguments, ImportCommand, ImportOoniArguments};
pub(crate) use lab::{ExecArguments, ReplayArguments, RunArguments, SeatArguments, Serve};
pub(crate) use library::{
    CheckArguments, Deny, ListArguments, ListBy, NewArguments, SchemaArguments, SchemaOf, ShowArguments,
};
pub(crate) use matrix::MatrixArguments;
pub(crate) use probe::{ProbeArguments, ProbeFormat};
pub(crate) use reporters::{ReporterArguments, When};
pub(crate) use test::{MergeArguments, ReportArguments, ReportCommand, Rerun, SuiteFormat, TestArguments};

use ctl::CTL_EXAMPLES;
use dataset::DATASET_EXAMPLES;
use import::IMPORT_EXAMPLES;
use lab::{EXEC_EXAMPLES, REPLAY_EXAMPLES, RUN_EXAMPLES, SHELL_EXAMPLES};
use library::{CHECK_EXAMPLES, NEW_EXAMPLES, SHOW_EXAMPLES};
use matrix::MATRIX_EXAMPLES;
use test::TEST_EXAMPLES;

/// A small internet with censors in it, on one machine and without root
#[derive(Debug, Parser)]
#[command(name = "roadblock", version, arg_required_else_help = true, max_term_width = 100, after_help = EXIT_STATUSES)]
pub(crate) struct Cli {
    /// Look for scenarios, services, profiles and lists here before the built-in library
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) library: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play a scenario phase by phase and report what each vantage met
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArguments),
    /// Play the expectations of many scenarios, many labs side by side
    #[command(after_help = TEST_EXAMPLES)]
    Test(TestArguments),
    /// Try out circumvention tools in the phases of many scenarios: what would their users feel?
    #[command(after_help = MATRIX_EXAMPLES)]
    Matrix(MatrixArguments),
    /// Run a command inside a scenario
    #[command(after_help = EXEC_EXAMPLES)]
    Exec(ExecArguments),
    /// Open a shell inside a scenario
    #[command(after_help = SHELL_EXAMPLES)]
    Shell(SeatArguments),
    /// Measure one thing from one vantage, for people, for programs, or as OONI would publish it
    #[command(after_help = crate::probe::help())]
    Probe(ProbeArguments),
    /// List the labs that run, move one to another phase or through time, follow what is decided in it
    #[command(after_help = CTL_EXAMPLES)]
    Ctl(CtlArguments),
    /// Say what a censor would have done to a capture, packet by packet; needs no privileges
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay(ReplayArguments),
    /// Make measurements as OONI publishes them, each labelled with what the lab did to it
    #[command(after_help = DATASET_EXAMPLES)]
    Dataset(DatasetArguments),
    /// Make scenarios of measurements
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArguments),
    /// Join what several machines tested
    Report(ReportArguments),
    /// List the scenarios of the library, by country or by mechanism
    List(ListArguments),
    /// Explain a scenario: who, where, what is blocked, when, and how far it is known
    #[command(after_help = SHOW_EXAMPLES)]
    Show(ShowArguments),
    /// Start a scenario of one's own: a small one that runs at once, or a copy of another
    #[command(after_help = NEW_EXAMPLES)]
    New(NewArguments),
    /// Check scenario files and say all that is wrong with them
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArguments),
    /// Print the JSON Schema of a file or a document
    Schema(SchemaArguments),
    /// Try out whether this machine can run labs, and say what to do if not
    Doctor(FormatArgument),
    /// Print a completion script for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArguments),
    /// Print the manual page, or write those of all commands
    #[command(after_help = MAN_EXAMPLES)]
    Man(ManArguments),
}

/// What a scenario lets its user set.
#[derive(Args, Debug)]
pub(crate) struct ParameterArguments {
    /// Set a parameter of the scenario; VALUE is TOML, or a bare word; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
}

/// `roadblock completions`.
#[derive(Args, Debug)]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// `roadblock man`.
#[derive(Args, Debug)]
pub(crate) struct ManArguments {
    /// Write the pages of roadblock and of each command into this folder instead: `roadblock.1`, `roadblock-exec.1`, ...
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// A format and nothing else.
#[derive(Args, Debug)]
pub(crate) struct FormatArgument {
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// How to print a result.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Human,
    /// For programs: a document that names its schema
    Json,
}

/// What all chance comes from where nothing else is said.
pub(crate) const DEFAULT_SEED: u64 = 1;

const EXIT_STATUSES: &str = "\
Exit status:
  0  all was as expected
  1  an expectation failed
  2  bad usage or bad scenario
  3  this machine cannot run labs; `roadblock doctor` says why
  4  roadblock's own fault
`exec` and `shell` pass the command's own and use 125 for ours, 126 for a command that cannot
be run and 127 for one that does not exist";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  roadblock completions bash > ~/.local/share/bash-completion/completions/roadblock";

const MAN_EXAMPLES: &str = "\
Examples:
  roadblock man | man -l -
  roadblock man --out ~/.local/share/man/man1";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_help_text_is_as_reviewed() {
        let mut root = Cli::command();
        root.build();
        insta::assert_snapshot!("help", root.clone().term_width(100).render_long_help());
        for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
            let mut command = command.clone().term_width(100);
            insta::assert_snapshot!(format!("help-{}", command.get_name()), command.render_long_help());
            for deeper in command.get_subcommands().filter(|deeper| deeper.get_name() != "help") {
                let name = format!("help-{}-{}", command.get_name(), deeper.get_name());
                insta::assert_snapshot!(name, deeper.clone().term_width(100).render_long_help());
            }
        }
    }

    #[test]
    fn all_after_two_dashes_is_the_command() {
        let cli = Cli::try_parse_from(["roadblock", "exec", "a/b", "--quiet", "--", "curl", "--phase", "x"]);
        let Ok(Cli { command: Command::Exec(arguments), .. }) = cli else { panic!("{cli:?}") };
        assert_eq!(arguments.command, ["curl", "--phase", "x"]);
        assert!(arguments.seat.quiet && arguments.seat.phase.is_none());
    }
}
