//! What measures once: `probe`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{DEFAULT_SEED, ParameterArguments};

/// `roadblock probe`.
#[derive(Args, Debug)]
pub(crate) struct ProbeArguments {
    /// A scenario of the library, or a path that starts with `/` or `.` or ends in `.toml`
    pub(crate) scenario: String,
    /// What to measure: a probe, as below
    pub(crate) probe: String,
    /// Of what: a name, a URL, or an address, as the probe takes it
    pub(crate) target: Option<String>,
    /// What is set.
    #[command(flatten)]
    pub(crate) parameters: ParameterArguments,
    /// The phase; the last one if not given
    #[arg(long, value_name = "PHASE")]
    pub(crate) phase: Option<String>,
    /// The vantage; the first one if not given
    #[arg(long, value_name = "VANTAGE")]
    pub(crate) vantage: Option<String>,
    /// What all chance in the lab comes from
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_SEED)]
    pub(crate) seed: u64,
    /// Let a scenario that does not come with roadblock run its commands on this machine: `run` of its machines, `command`
    /// of its probes
    #[arg(long)]
    pub(crate) allow_commands: bool,
    /// How to print what was measured
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ProbeFormat,
    /// Write it into this file instead of to stdout; a measurement of OONI's form is added to those that are there
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// How to print one measurement.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum ProbeFormat {
    /// For people
    #[default]
    Human,
    /// For programs: a document that names its schema
    Json,
    /// As OONI publishes measurements, one a line, with the truth in its annotations
    Ooni,
}
