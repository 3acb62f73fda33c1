//! The directory of `run --out`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use roadblock_scenarios::model::Name;
use roadblock_scenarios::{Library, Scenario};

use crate::output;
use crate::report;
use crate::run::RunResult;
use crate::run::report::CAPTURE_FILE;

/// The files of a run, opened before the lab lays its own over parts of the file system, so that a directory that cannot
/// be written is said before anything is measured.
#[derive(Debug)]
pub(super) struct Out {
    report: File,
    events: File,
    page: File,
    capture: File,
    /// For each machine that runs something, its log.
    logs: Vec<(Name, File)>,
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
    pub(super) fn open(directory: &Path, scenario: &Scenario) -> Result<Self, OutError> {
        let open = || {
            let page = directory.join("report");
            fs::create_dir_all(&page)?;
            let machines = directory.join("machines");
            let mut logs = Vec::new();
            for machine in scenario.machines.iter().filter(|machine| machine.run.is_some()) {
                fs::create_dir_all(&machines)?;
                let log = File::create(machines.join(format!("{}.log", machine.name)))?;
                logs.push((Name::clone(&machine.name), log));
            }
            Ok(Self {
                report: File::create(directory.join("report.json"))?,
                events: File::create(directory.join("events.jsonl"))?,
                page: File::create(page.join("index.html"))?,
                capture: File::create(directory.join(CAPTURE_FILE))?,
                logs,
            })
        };
        open().map_err(|cause| OutError { directory: directory.to_owned(), cause })
    }

    /// Writes the report, the page, the decisions with their times, one a line, the packets, and what the machines said.
    pub(super) fn write(mut self, result: &RunResult, scenario: &Scenario, library: &Library) -> io::Result<()> {
        let mut report = serde_json::to_vec_pretty(&result.report)?;
        report.push(b'\n');
        self.report.write_all(&report)?;
        self.page.write_all(report::page(&result.report, scenario, library).as_bytes())?;
        self.capture.write_all(result.pcapng.as_deref().unwrap_or_default())?;
        for (machine, file) in &mut self.logs {
            for log in result.logs.iter().filter(|log| log.machine == *machine) {
                file.write_all(&log.text)?;
            }
        }
        output::lines(&mut io::BufWriter::new(self.events), &result.events)
    }
}
