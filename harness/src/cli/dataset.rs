//! What makes labelled measurements.

use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;

use super::{DEFAULT_SEED, Format};

/// `roadblock dataset`.
#[derive(Args, Debug)]
pub(crate) struct DatasetArguments {
    /// How many measurements to make, a quarter of them of failures that are nobody's doing
    #[arg(short = 'n', long, value_name = "COUNT", required_unless_present = "each_phase")]
    pub(crate) count: Option<NonZero<u32>>,
    /// What the choice of measurements, and all chance in their labs, comes from
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_SEED)]
    pub(crate) seed: u64,
    /// Instead of drawing, make one measurement in each phase of each scenario
    #[arg(long, conflicts_with = "count")]
    pub(crate) each_phase: bool,
    /// Use only these scenarios: `*` stands for any text, as in `ru/*`; may be given several times
    #[arg(long, value_name = "PATTERN")]
    pub(crate) scenarios: Vec<String>,
    /// Write measurements.jsonl and manifest.json into this folder; without it the measurements are printed, and what rules
    /// say of them goes to stderr
    #[arg(long, short, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// How many labs to have at a time
    #[arg(long, value_name = "COUNT")]
    pub(crate) labs: Option<NonZero<u16>>,
    /// With --out: how to print what rules say
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

pub(super) const DATASET_EXAMPLES: &str = "\
Examples:
  roadblock dataset -n 200 --seed 7 -o set/
  roadblock dataset -n 20 --scenarios 'ru/*' > measurements.jsonl

Exit status:
  0  all of it was measured
  4  some was not; the manifest says what and why";
