//! What a tool is known to do: `roadblock.matrix-baseline/1`, a file to keep beside the tool file.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{CellEntry, Document};
use super::verdict::Verdict;
use crate::run::report::Known;

/// The name and version of this document's schema.
const SCHEMA: &str = "roadblock.matrix-baseline/1";

/// What tools gave when somebody looked at it and said that it is right. Sorted, so that what changes in it is seen line by
/// line.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Baseline {
    /// `roadblock.matrix-baseline/1`.
    pub(super) schema: String,
    /// The version of roadblock.
    pub(super) version: String,
    /// A SHA-256 of the library, in hex. Cells are compared by their own.
    pub(super) library: String,
    /// What all chance came from.
    pub(super) seed: u64,
    /// The tools, by their names.
    pub(super) tools: BTreeMap<String, BaselineTool>,
}

/// What one tool gave.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BaselineTool {
    /// A SHA-256 of its tool file and all that lies beside it, in hex.
    pub(super) digest: String,
    /// What its `version` command printed.
    pub(super) version: Option<String>,
    /// Its cells, as `ru/whatsapp-2026@full-block from moscow`.
    pub(super) cells: BTreeMap<String, BaselineCell>,
}

/// What a tool gave in one cell.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BaselineCell {
    /// What a user felt.
    pub(super) verdict: Verdict,
    /// The rules that did it, sorted.
    pub(super) by: Vec<String>,
    /// All rules that interfered, sorted.
    pub(super) fired: Vec<String>,
    /// How far the verdict is known.
    pub(super) grade: Option<Known>,
    /// A SHA-256 of what judged it, in hex.
    pub(super) model: String,
}

/// Why there is no baseline.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BaselineError {
    /// There is no such file.
    #[error("there is no baseline `{}`", path.display())]
    None {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("failed to read the baseline `{}`: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is none.
    #[error("`{}` is no baseline of `roadblock matrix`: {cause}", path.display())]
    NoBaseline {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: serde_json::Error,
    },
    /// It is of another version of roadblock, or another document.
    #[error("`{}` is a `{schema}`, not a `{SCHEMA}`", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// What it says that it is.
        schema: String,
    },
}

impl BaselineError {
    /// What to do.
    pub(crate) const fn help(&self) -> Option<&'static str> {
        match self {
            Self::None { .. } => Some("`--accept` writes one from what is measured now"),
            Self::Io { .. } => None,
            Self::NoBaseline { .. } | Self::Schema { .. } => {
                Some("`--accept` writes one; a document of `--format json` is something else")
            }
        }
    }
}

/// What every document says of itself.
#[derive(Deserialize)]
struct Head {
    schema: String,
}

impl Baseline {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, BaselineError> {
        let text = fs::read_to_string(path).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => BaselineError::None { path: path.to_owned() },
            _ => BaselineError::Io { path: path.to_owned(), cause },
        })?;
        let wrong = |cause| BaselineError::NoBaseline { path: path.to_owned(), cause };
        let Head { schema } = serde_json::from_str(&text).map_err(wrong)?;
        if schema != SCHEMA {
            return Err(BaselineError::Schema { path: path.to_owned(), schema });
        }
        serde_json::from_str(&text).map_err(wrong)
    }

    /// What was measured, accepted. What was not measured is not in it.
    pub(crate) fn of(document: &Document) -> Self {
        let tool = |tool: &super::document::ToolEntry| {
            let own = document.cells.iter().filter(|cell| cell.tool == tool.name && cell.verdict.is_measured());
            let cells = own.map(|cell| (cell.place(), BaselineCell::of(cell))).collect();
            (tool.name.clone(), BaselineTool { digest: tool.digest.clone(), version: tool.version.clone(), cells })
        };
        Self {
            schema: SCHEMA.to_owned(),
            version: document.version.clone(),
            library: document.library.clone(),
            seed: document.seed,
            tools: document.tools.iter().map(tool).collect(),
        }
    }

    /// What all chance came from.
    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    /// How many cells it holds.
    pub(crate) fn len(&self) -> usize {
        self.tools.values().map(|tool| tool.cells.len()).sum()
    }

    /// The file.
    pub(crate) fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

impl BaselineCell {
    pub(super) fn of(cell: &CellEntry) -> Self {
        let names = |rules: &[super::document::RuleEntry]| {
            let mut names: Vec<String> = rules.iter().map(|rule| rule.by.clone()).collect();
            names.sort_unstable();
            names
        };
        Self {
            verdict: cell.verdict.clone(),
            by: names(&cell.by),
            fired: names(&cell.fired),
            grade: cell.grade,
            model: cell.model.clone(),
        }
    }
}

/// The document's JSON Schema.
pub(crate) fn schema() -> schemars::Schema {
    schemars::schema_for!(Baseline)
}
