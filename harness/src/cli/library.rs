//! What looks at files: `list`, `show`, `new`, `check` and `schema`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Format, ParameterArguments};

/// `roadblock show`.
#[derive(Args, Debug)]
pub(crate) struct ShowArguments {
    /// A scenario of the library, or a path that starts with `/` or `.` or ends in `.toml`
    pub(crate) scenario: String,
    /// What is set.
    #[command(flatten)]
    pub(crate) parameters: ParameterArguments,
    /// Print the whole scenario with everything filled in, each value with the file and line that it came from
    #[arg(long)]
    pub(crate) resolved: bool,
    /// With --resolved: as it is in this phase
    #[arg(long, value_name = "PHASE", requires = "resolved")]
    pub(crate) phase: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// `roadblock new`.
#[derive(Args, Debug)]
pub(crate) struct NewArguments {
    /// The file to write; it must not be there yet
    pub(crate) file: PathBuf,
    /// Copy this scenario, of the library or from a path, with its comments
    #[arg(long, value_name = "SCENARIO")]
    pub(crate) from: Option<String>,
    /// Give it this id; if not given, a copy keeps its own and a new one is named after its file
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
}

/// `roadblock check`.
#[derive(Args, Debug)]
pub(crate) struct CheckArguments {
    /// Scenarios, profiles, services or tools of the library, or paths that start with `/` or `.` or end in `.toml`
    #[arg(required = true, value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<String>,
    /// What is set.
    #[command(flatten)]
    pub(crate) parameters: ParameterArguments,
    /// What besides errors makes a file bad
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) deny: Option<Deny>,
    /// How to print what is wrong
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// What `check` does not let pass.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Deny {
    /// What is odd: lists that match nothing, places that nobody has
    Warnings,
}

/// `roadblock schema`.
#[derive(Args, Debug)]
pub(crate) struct SchemaArguments {
    /// Of what
    #[arg(value_enum, default_value_t)]
    pub(crate) of: SchemaOf,
}

/// `roadblock list`.
#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    /// What to group them by
    #[arg(long, value_enum, default_value_t)]
    pub(crate) by: ListBy,
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// What a list is grouped by.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum ListBy {
    /// The country whose networks a scenario shows
    #[default]
    Country,
    /// The ways of blocking, each with the scenarios that show it
    Mechanism,
}

/// What a schema is of.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// A scenario file
    #[default]
    Scenario,
    /// A censor profile
    Profile,
    /// A service file
    Service,
    /// A tool file
    Tool,
    /// What `roadblock run --format json` prints
    Run,
    /// What `roadblock replay --format json` prints
    Replay,
    /// What `roadblock test --format json` prints
    Test,
    /// The manifest of what `roadblock dataset` makes
    Dataset,
    /// What `roadblock matrix --format json` prints
    Matrix,
    /// What `roadblock matrix --baseline FILE --accept` writes
    MatrixBaseline,
    /// What `roadblock probe --format json` prints
    Probe,
}

pub(super) const SHOW_EXAMPLES: &str = "\
Examples:
  roadblock show ru/whatsapp-2026
  roadblock show ./mine.toml --format json
  roadblock show --resolved ru/whatsapp-2026 --phase full-block";

pub(super) const NEW_EXAMPLES: &str = "\
Examples:
  roadblock new mine.toml
  roadblock new --from ru/whatsapp-2026 --id lab/mine mine.toml && roadblock run ./mine.toml";

pub(super) const CHECK_EXAMPLES: &str = "\
Examples:
  roadblock check ./mine.toml
  roadblock check ru/whatsapp-2026 censors/tspu-2026 --format json";
