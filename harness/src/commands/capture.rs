//! The files that `exec` writes: `--capture`, `--events`, `--measurements`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use roadblock_emulator::lab::Lab;

use crate::output;

/// A capture's file, opened before the lab lays its own over parts of the file system, so that one that cannot be written is
/// said before anything runs.
#[derive(Debug)]
pub(super) struct CaptureFile {
    path: PathBuf,
    file: File,
}

/// Why a capture's file cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("failed to write `{}`: {cause}", path.display())]
pub(crate) struct CaptureFileError {
    path: PathBuf,
    cause: io::Error,
}

impl CaptureFile {
    /// Makes the file.
    pub(super) fn open(path: &Path) -> Result<Self, CaptureFileError> {
        match File::create(path) {
            Ok(file) => Ok(Self { path: path.to_owned(), file }),
            Err(cause) => Err(CaptureFileError { path: path.to_owned(), cause }),
        }
    }

    /// Writes what a lab has captured. What fails is said and changes no exit status: that is the command's own.
    pub(super) fn write(mut self, lab: &Lab) {
        let tape = match lab.tape() {
            Ok(Some(tape)) => tape,
            Ok(None) => return,
            Err(error) => return output::error(format_args!("failed to read the capture: {error}"), None),
        };
        for note in &tape.notes {
            output::notice(format_args!("roadblock: the capture is not complete: {note}"));
        }
        if let Err(cause) = self.file.write_all(&tape.to_pcapng(&lab.scenario().id, &tls_keys())) {
            let path = self.path.display();
            output::error(format_args!("failed to write `{path}`: {cause}"), None);
        }
    }
}

/// The file of `exec --events` or `--measurements`, opened likewise.
#[derive(Debug)]
pub(super) struct LinesFile {
    path: PathBuf,
    file: File,
}

impl LinesFile {
    /// Makes the file.
    pub(super) fn open(path: &Path) -> Result<Self, CaptureFileError> {
        match File::create(path) {
            Ok(file) => Ok(Self { path: path.to_owned(), file }),
            Err(cause) => Err(CaptureFileError { path: path.to_owned(), cause }),
        }
    }

    /// Writes documents, one a line. What fails is said and changes no exit status.
    pub(super) fn write<T: serde::Serialize>(self, documents: &[T]) {
        let mut file = io::BufWriter::new(self.file);
        if let Err(cause) = output::lines(&mut file, documents) {
            output::error(format_args!("failed to write `{}`: {cause}", self.path.display()), None);
        }
    }
}

/// The lines of the file that `SSLKEYLOGFILE` names, to which curl, browsers and others write the keys of their sessions.
fn tls_keys() -> String {
    let Some(path) = std::env::var_os(KEY_LOG).filter(|path| !path.is_empty()) else { return String::new() };
    match fs::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        // A command that spoke no TLS wrote none.
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => String::new(),
        Err(cause) => {
            output::notice(format_args!(
                "roadblock: the capture has no TLS keys: failed to read the file of {KEY_LOG}: {cause}"
            ));
            String::new()
        }
    }
}

/// The variable's name.
const KEY_LOG: &str = "SSLKEYLOGFILE";
