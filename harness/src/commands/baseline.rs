//! The baseline of `roadblock matrix`: compared with, or written anew.

use std::path::{Path, PathBuf};

use crate::matrix::{self, Baseline, Document, MatrixConclusion};
use crate::output;
use crate::report::OutputFile;
use crate::status;

/// What a matrix is laid beside.
#[derive(Debug)]
pub(super) enum Beside {
    /// Nothing.
    Nothing,
    /// What is known.
    Known(Box<Baseline>),
    /// What is known is what is measured now.
    Accepted {
        /// The file.
        path: PathBuf,
        /// It, open.
        file: OutputFile,
        /// What was known before, if anything was.
        before: Option<Box<Baseline>>,
    },
}

impl Beside {
    /// Reads the baseline, or opens it to be written; the exit status if that cannot be done.
    pub(super) fn open(path: Option<&Path>, accept: bool) -> Result<Self, u8> {
        let Some(path) = path else { return Ok(Self::Nothing) };
        let before = Baseline::read(path).map(Box::new);
        if !accept {
            return before.map(Self::Known).map_err(|error| {
                output::error(&error, error.help());
                status::USAGE
            });
        }
        let file = OutputFile::replace(path).map_err(|error| {
            output::error(error, None);
            status::USAGE
        })?;
        Ok(Self::Accepted { path: path.to_owned(), file, before: before.ok() })
    }

    /// What all chance came from then.
    pub(super) fn seed(&self) -> Option<u64> {
        match self {
            Self::Known(baseline) => Some(baseline.seed()),
            Self::Nothing | Self::Accepted { .. } => None,
        }
    }

    /// The same, with what is not as it was.
    pub(super) fn compared(&self, document: Document) -> Document {
        match self {
            Self::Known(baseline) => Document { changes: Some(matrix::compare(baseline, &document)), ..document },
            Self::Nothing | Self::Accepted { .. } => document,
        }
    }

    /// Writes the baseline, where it is wanted and all was measured.
    pub(super) fn accept(self, document: &Document) -> Result<(), String> {
        let Self::Accepted { path, file, before } = self else { return Ok(()) };
        if document.conclusion != MatrixConclusion::Measured {
            return Err(format!("not all was measured, so `{}` stays as it was", path.display()));
        }
        let baseline = Baseline::of(document);
        let text = baseline.text().map_err(|error| format!("failed to write the baseline: {error}"))?;
        file.write(&text).map_err(|error| error.to_string())?;
        output::notice(format_args!("kept {} cells in {}", baseline.len(), path.display()));
        let gone = before.map_or(0, |before| matrix::compare(&before, document).gone());
        if gone > 0 {
            output::notice(format_args!("{gone} cells that were not asked for now are no longer in it"));
        }
        Ok(())
    }
}
