//! `roadblock matrix`.

use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;

use super::{Format, ReporterArguments};

/// `roadblock matrix`.
#[derive(Args, Debug)]
pub(crate) struct MatrixArguments {
    /// A tool file: one of the library, as `tools/openvpn`, or a path that starts with `/` or `.` or ends in `.toml`; may be
    /// given several times. Its commands are run on this machine, its servers and some clients as root inside the labs
    #[arg(short = 'f', long = "file", value_name = "TOOL", required = true)]
    pub(crate) files: Vec<String>,
    /// Scenarios of the library, also with `*` in them, files, and folders that start with `/` or `.`; all of the library if
    /// not given; may be given several times
    #[arg(long = "scenarios", value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<String>,
    /// Only scenarios of this country, as `ru`; may be given several times
    #[arg(long = "country", value_name = "COUNTRY")]
    pub(crate) countries: Vec<String>,
    /// Only scenarios about this mechanism, as `freeze`; may be given several times
    #[arg(long = "mechanism", value_name = "MECHANISM")]
    pub(crate) mechanisms: Vec<String>,
    /// Only this phase; may be given several times
    #[arg(long = "phase", value_name = "PHASE")]
    pub(crate) phases: Vec<String>,
    /// At this vantage, in scenarios that have it; may be given several times. At the first of each scenario if not given
    #[arg(long = "vantage", value_name = "VANTAGE")]
    pub(crate) vantages: Vec<String>,
    /// How many seconds a cell may take
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub(crate) timeout: u64,
    /// How many labs there are at a time; eight for each processor if not given
    #[arg(long, value_name = "NUMBER")]
    pub(crate) labs: Option<NonZero<u16>>,
    /// What all chance in the labs comes from; with `--baseline` what it came from then, else 1
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Compare with what is known of the tools: what differs by a tool's doing exits with 1, what differs by the model's is a
    /// note
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write the baseline from what is measured now
    #[arg(long, requires = "baseline")]
    pub(crate) accept: bool,
    /// Let scenarios that do not come with roadblock run their commands on this machine. Tool files need no permission
    #[arg(long)]
    pub(crate) allow_commands: bool,
    /// Write the document and the logs of servers and clients into this directory: `matrix.json`, `logs/`
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// How to print what came of it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Where it goes besides.
    #[command(flatten)]
    pub(crate) reporters: ReporterArguments,
}

pub(super) const MATRIX_EXAMPLES: &str = "\
Examples:
  roadblock matrix -f ./tool.toml --scenarios 'ru/*'
  roadblock matrix -f ./old/tool.toml -f ./new/tool.toml --scenarios cn/fully-encrypted-2021 --out out/
  roadblock matrix -f ./tool.toml --mechanism freeze --format json
  roadblock matrix -f ./tool.toml --scenarios 'ru/*' --baseline baseline.json --accept
  roadblock matrix -f ./tool.toml --scenarios 'ru/*' --baseline baseline.json --html matrix.html";
