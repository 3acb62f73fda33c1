//! The directory of `run --out`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::run::RunResult;

/// The files of a run, opened before the lab lays its own over parts of the file system, so that a directory that cannot
/// be written is said before anything is measured.
#[derive(Debug)]
pub(super) struct Out {
    report: File,
    events: File,
}

/// Why a run's files cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("failed to write into `{}`: {cause}", directory.display())]
pub(crate) struct OutError {
    directory: PathBuf,
    cause: io::Error,
}

impl Out {
    /// Makes the directory and the files.
    pub(super) fn open(directory: &Path) -> Result<Self, OutError> {
        let open = || {
            fs::create_dir_all(directory)?;
            let report = File::create(directory.join("report.json"))?;
            let events = File::create(directory.join("events.jsonl"))?;
            Ok(Self { report, events })
        };
        open().map_err(|cause| OutError { directory: directory.to_owned(), cause })
    }

    /// Writes the report, and the decisions with their times, one a line.
    pub(super) fn write(mut self, result: &RunResult) -> io::Result<()> {
        let mut report = serde_json::to_vec_pretty(&result.report)?;
        report.push(b'\n');
        self.report.write_all(&report)?;
        let mut events = io::BufWriter::new(self.events);
        for event in &result.events {
            serde_json::to_writer(&mut events, event)?;
            events.write_all(b"\n")?;
        }
        events.flush()
    }
}
