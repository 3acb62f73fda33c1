//! `roadblock completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::print;
use crate::cli::Cli;
use crate::status;

/// Prints a completion script.
pub(super) fn completions(shell: Shell) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "roadblock", &mut script);
    print(&String::from_utf8_lossy(&script), status::OK)
}
