//! What a former test left, so that what failed in it is played again.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::document::{Document, UnitConclusion};
use super::merge::{MergeError, Part};
use super::unit::Unit;

/// A former test.
#[derive(Debug)]
pub(crate) struct Former {
    document: Document,
}

/// Why there is no former test.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormerError {
    /// No test was played yet, or its document was taken away.
    #[error("no former test is kept in `{}`", path.display())]
    None {
        /// Where it would be.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(MergeError),
}

impl Former {
    /// Reads its document.
    pub(crate) fn read(path: &Path) -> Result<Self, FormerError> {
        match Part::read(path) {
            Ok(Part { document, .. }) => Ok(Self { document }),
            Err(MergeError::Io { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
                Err(FormerError::None { path: path.to_owned() })
            }
            Err(error) => Err(FormerError::Unreadable(error)),
        }
    }

    /// What all chance came from.
    pub(crate) fn seed(&self) -> u64 {
        self.document.seed
    }

    /// The scenarios, as somebody asked for them.
    pub(crate) fn scenarios(&self) -> &[String] {
        &self.document.scenarios
    }

    /// In one line, for those who wonder which test it was.
    pub(crate) fn describe(&self) -> String {
        let Document { units, seed, version, .. } = &self.document;
        format!("{} phases, seed {seed}, roadblock {version}", units.len())
    }

    /// How many of its units failed or were not played to their end.
    pub(crate) fn failed(&self) -> usize {
        self.names().len()
    }

    /// Only those units that failed or were not played to their end then, in their order.
    pub(crate) fn only_failed(&self, units: &mut Vec<Unit>) {
        let names = self.names();
        units.retain(|unit| names.contains(&unit.name()));
        for (place, unit) in units.iter_mut().enumerate() {
            unit.place = place;
        }
    }

    fn names(&self) -> BTreeSet<String> {
        let failed = |conclusion| match conclusion {
            UnitConclusion::AsExpected | UnitConclusion::Flaky | UnitConclusion::Unsupported => false,
            UnitConclusion::NotPlayed
            | UnitConclusion::Interrupted
            | UnitConclusion::TimedOut
            | UnitConclusion::Unexpected
            | UnitConclusion::Invalid => true,
        };
        self.document
            .units
            .iter()
            .filter(|unit| failed(unit.conclusion))
            .map(super::document::UnitEntry::name)
            .collect()
    }
}
