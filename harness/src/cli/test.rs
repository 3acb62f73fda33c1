//! `roadblock test` and `roadblock report`.

use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Format, ReporterArguments};
use crate::suite::{Partition, Unsupported};

/// `roadblock test`.
#[derive(Args, Debug)]
pub(crate) struct TestArguments {
    /// Scenarios of the library, also with `*` in them, files, and folders that start with `/` or `.`; all of the library if
    /// not given
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<String>,
    /// Only scenarios of this country, as `ru`; may be given several times
    #[arg(long = "country", value_name = "COUNTRY")]
    pub(crate) countries: Vec<String>,
    /// Only scenarios about this mechanism, as `sni-reset`; may be given several times
    #[arg(long = "mechanism", value_name = "MECHANISM")]
    pub(crate) mechanisms: Vec<String>,
    /// Only expectations about a rule that cites this fact, as `TSPU-1`; may be given several times
    #[arg(long = "fact", value_name = "FACT")]
    pub(crate) facts: Vec<String>,
    /// Only this phase; may be given several times
    #[arg(long = "phase", value_name = "PHASE")]
    pub(crate) phases: Vec<String>,
    /// Only expectations that measure by this probe, as `tls`; may be given several times
    #[arg(long = "probe", value_name = "PROBE")]
    pub(crate) probes: Vec<String>,
    /// Only a part, so that several machines share the work: `count:K/N` or `hash:K/N`, by which another scenario moves no
    /// other
    #[arg(long, value_name = "PART")]
    pub(crate) partition: Option<Partition>,
    /// Try a phase that does not go as expected so many times again; if it does then, it is called flaky
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) retries: u32,
    /// Begin nothing more once something did not go as expected
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// How many seconds a phase may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) timeout: u64,
    /// How many labs there are at a time; eight for each processor if not given
    #[arg(long, value_name = "NUMBER")]
    pub(crate) labs: Option<NonZero<u16>>,
    /// What all chance in the labs comes from; with `--rerun` what it came from then, else 1
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Only what failed in the former test, or was not played to its end; its scenarios where none are given
    #[arg(long, value_name = "WHAT", value_enum)]
    pub(crate) rerun: Option<Rerun>,
    /// The document of the former test; what your last test left if not given
    #[arg(long, value_name = "FILE", requires = "rerun")]
    pub(crate) former: Option<PathBuf>,
    /// What becomes of phases that this machine cannot play, for want of a kernel's feature or of a program
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub(crate) unsupported: Unsupported,
    /// Take out each rule in turn, and fail if nothing notices
    #[arg(long, conflicts_with_all = ["partition", "rerun", "unsupported", "junit", "html", "markdown"])]
    pub(crate) mutate: bool,
    /// With `--mutate`: only one rule in so many
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "mutate")]
    pub(crate) sample: usize,
    /// Let scenarios that do not come with roadblock run their commands on this machine: `run` of their machines, `command`
    /// of their probes
    #[arg(long)]
    pub(crate) allow_commands: bool,
    /// How to print what came of it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: SuiteFormat,
    /// Where it goes besides.
    #[command(flatten)]
    pub(crate) reporters: ReporterArguments,
}

/// `roadblock report`.
#[derive(Args, Debug)]
pub(crate) struct ReportArguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: ReportCommand,
}

/// What to do with documents of `test`.
#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Join the parts of a test into the document that one machine would have given; exits as that test would have
    #[command(after_help = MERGE_EXAMPLES)]
    Merge(MergeArguments),
}

/// `roadblock report merge`.
#[derive(Args, Debug)]
pub(crate) struct MergeArguments {
    /// What `roadblock test --partition ... --format json` printed, all parts of one whole, in any order
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// How to print what came of it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Where it goes besides.
    #[command(flatten)]
    pub(crate) reporters: ReporterArguments,
}

/// What of a former test is played again.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Rerun {
    /// What failed, or was not played to its end
    Failed,
}

/// How to print what a suite gives.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum SuiteFormat {
    /// For people
    #[default]
    Human,
    /// For programs: a document that names its schema, at the end
    Json,
    /// For programs: a line for each phase as soon as it was played
    Lines,
}

pub(super) const TEST_EXAMPLES: &str = "\
Examples:
  roadblock test
  roadblock test 'ru/*' --mechanism sni-rewrite --junit junit.xml
  roadblock test ./scenarios/ --partition count:1/4 --retries 1
  roadblock test --rerun failed
  roadblock test --mutate --sample 10";

pub(super) const MERGE_EXAMPLES: &str = "\
Examples:
  roadblock test --partition count:1/2 --format json >one.json    # on one machine
  roadblock test --partition count:2/2 --format json >two.json    # on another
  roadblock report merge one.json two.json --junit junit.xml";
