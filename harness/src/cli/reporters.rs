//! Where a command's result goes besides stdout.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The reporters of `test`, `report merge` and `matrix`.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Reports")]
pub(crate) struct ReporterArguments {
    /// Write a JUnit file
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Write a page that needs nothing else
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write a summary in Markdown
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Write annotations for GitHub to stderr, and the summary to `$GITHUB_STEP_SUMMARY`; `auto`: in a job of GitHub's
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, num_args = 0..=1, require_equals = true, default_missing_value = "always")]
    pub(crate) github: When,
}

/// When something is done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum When {
    /// Where it is of use
    #[default]
    Auto,
    /// In any case
    Always,
    /// Not at all
    Never,
}
