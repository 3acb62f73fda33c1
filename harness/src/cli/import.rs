//! What makes scenarios of measurements.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `roadblock import`.
#[derive(Args, Debug)]
pub(crate) struct ImportArguments {
    /// From what.
    #[command(subcommand)]
    pub(crate) command: ImportCommand,
}

/// From what.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Make a scenario of each measurement of OONI's, whose run gives the same verdict
    #[command(after_help = OONI_EXAMPLES)]
    Ooni(ImportOoniArguments),
}

/// `roadblock import ooni`.
#[derive(Args, Debug)]
pub(crate) struct ImportOoniArguments {
    /// Measurements as JSON or JSON lines; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The file to write, which ends in `.toml`, or a folder, where each scenario gets a file named after its id; nothing that
    /// is there is written over. Without it one measurement's scenario is printed
    #[arg(long, short, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
}

pub(super) const IMPORT_EXAMPLES: &str = "\
Examples:
  roadblock import ooni measurement.json -o mine.toml && roadblock run ./mine.toml";

const OONI_EXAMPLES: &str = "\
Tests: web_connectivity, whatsapp, telegram, facebook_messenger, signal, urlgetter, tcpping, tlsping,
simplequicping, sni_blocking, dnscheck. What a measurement does not tell stands in the file and on stderr.

Examples:
  roadblock import ooni measurement.json -o mine.toml && roadblock run ./mine.toml
  roadblock import ooni measurements.jsonl -o imported/ && roadblock test ./imported/

Exit status:
  0  each measurement is a scenario now
  2  one of them is not; why is said, and the others are";
