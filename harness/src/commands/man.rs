//! `roadblock man`.

use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use super::print;
use crate::cli::Cli;
use crate::{output, status};

/// Prints the page of roadblock itself, or writes all pages into a folder.
pub(super) fn man(out: Option<&Path>) -> u8 {
    let program = Cli::command();
    if let Some(folder) = out {
        let written = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(program, folder));
        return written.map_or_else(|error| failed("the manual pages", &error), |()| status::OK);
    }
    let mut page = Vec::new();
    match Man::new(program).render(&mut page) {
        Ok(()) => print(&String::from_utf8_lossy(&page), status::OK),
        Err(error) => failed("the manual page", &error),
    }
}

fn failed(what: &str, error: &std::io::Error) -> u8 {
    output::error(format_args!("failed to write {what}: {error}"), None);
    status::OWN_FAULT
}
