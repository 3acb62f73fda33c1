//! roadblock: a network emulation testbed for internet blocking.
//!
//! `main` has one thread until the sandbox has forked: only then may a runtime start (`roadblock_emulator::sandbox`).

mod cli;
mod commands;
mod ctl;
mod dataset;
mod diagnostics;
mod import;
mod matrix;
mod ooni;
mod output;
mod probe;
mod probes;
mod replay;
mod report;
mod run;
mod status;
mod suite;

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;

fn main() -> ExitCode {
    let status = match Cli::try_parse() {
        Ok(cli) => commands::dispatch(cli),
        Err(error) => commands::usage(&error, std::env::args_os()),
    };
    ExitCode::from(status)
}
