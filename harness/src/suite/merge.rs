//! Parts of a suite, played on several machines, joined into the document that one machine would have given.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::document::{Document, SCHEMA, UnitEntry};
use super::partition::{Partition, PartitionError};
use crate::run::report::Conclusion;

/// A document, and the file that it was read from.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// The file.
    pub(crate) file: String,
    /// What it holds.
    pub(crate) document: Document,
}

/// Why documents cannot be joined. Each names the files that it is about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MergeError {
    /// There are none.
    #[error("there is nothing to join")]
    Nothing,
    /// A file cannot be opened or read.
    #[error("failed to read `{}`: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file holds no document, or half of one, as a test leaves that was killed.
    #[error("`{file}` is no document of `roadblock test --format json`: {cause}")]
    NoDocument {
        /// The file.
        file: String,
        /// Why.
        cause: serde_json::Error,
    },
    /// A file holds another document.
    #[error("`{file}` is a `{schema}`, and only `{SCHEMA}` can be joined")]
    Schema {
        /// The file.
        file: String,
        /// What it says that it is.
        schema: String,
    },
    /// Two documents are not of one test.
    #[error("`{one}` has {ones} and `{other}` has {others}: these are not parts of one test")]
    Differ {
        /// A file.
        one: String,
        /// What it has.
        ones: String,
        /// Another.
        other: String,
        /// What that has.
        others: String,
    },
    /// A document says that it is a part of something that cannot be.
    #[error("`{file}` is of part `{partition}`, which cannot be: {cause}")]
    Partition {
        /// The file.
        file: String,
        /// What it says.
        partition: String,
        /// Why not.
        cause: PartitionError,
    },
    /// A whole is joined with something else.
    #[error("`{file}` was played without `--partition`: it is the whole, and nothing can be joined with it")]
    Whole {
        /// The file.
        file: String,
    },
    /// A part is there more than once.
    #[error("`{one}` and `{other}` are both of part {partition}")]
    Twice {
        /// The part.
        partition: Partition,
        /// A file.
        one: String,
        /// Another.
        other: String,
    },
    /// Parts are not there.
    #[error("no file is of part {}: there {} only {}", missing.join(", "), if files.len() == 1 { "is" } else { "are" }, files.join(", "))]
    Missing {
        /// The parts.
        missing: Vec<String>,
        /// The files, each with its part.
        files: Vec<String>,
    },
    /// A unit was played in two parts: they were asked for different things.
    #[error("`{one}` has {ones} where `{other}` has {others}: each phase belongs to one part only")]
    Overlap {
        /// A file.
        one: String,
        /// The unit that it has.
        ones: String,
        /// Another.
        other: String,
        /// The unit that this has.
        others: String,
    },
    /// Units are in none of the files.
    #[error("{} hold {units} of {chosen} phases: a part has lost some", files.join(", "))]
    Short {
        /// The files.
        files: Vec<String>,
        /// How many there are.
        units: usize,
        /// How many there must be.
        chosen: usize,
    },
}

/// What every document says of itself.
#[derive(Deserialize)]
struct Head {
    schema: String,
}

impl Part {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, MergeError> {
        let text = fs::read_to_string(path).map_err(|cause| MergeError::Io { path: path.to_owned(), cause })?;
        Self::parse(path.display().to_string(), &text)
    }

    /// The document that a file holds.
    pub(super) fn parse(file: String, text: &str) -> Result<Self, MergeError> {
        match serde_json::from_str(text) {
            Ok(Head { schema }) if schema != SCHEMA => Err(MergeError::Schema { file, schema }),
            Err(cause) => Err(MergeError::NoDocument { file, cause }),
            Ok(Head { .. }) => match serde_json::from_str(text) {
                Ok(document) => Ok(Self { file, document }),
                Err(cause) => Err(MergeError::NoDocument { file, cause }),
            },
        }
    }

    fn partition(&self) -> Result<Option<Partition>, MergeError> {
        let Some(partition) = &self.document.partition else { return Ok(None) };
        let wrong = |cause| MergeError::Partition { file: self.file.clone(), partition: partition.clone(), cause };
        partition.parse().map(Some).map_err(wrong)
    }
}

/// The document of the whole: units in the order in which one machine would have played them. It took as long as the part
/// that took longest.
pub(crate) fn merge(parts: Vec<Part>) -> Result<Document, MergeError> {
    let Some(first) = parts.first() else { return Err(MergeError::Nothing) };
    for other in &parts {
        of_one_test(first, other)?;
    }
    add_up(&parts)?;
    let Document { schema, version, seed, scenarios, unsupported, chosen, .. } = first.document.clone();
    let early = parts.iter().any(|part| part.document.conclusion == Conclusion::Interrupted);
    let milliseconds = parts.iter().map(|part| part.document.milliseconds).max().unwrap_or_default();
    let units = units(parts, chosen)?;
    let conclusion = Conclusion::Interrupted;
    let mut whole = Document {
        schema,
        version,
        seed,
        scenarios,
        unsupported,
        partition: None,
        chosen,
        milliseconds,
        conclusion,
        units,
    };
    whole.conclusion = whole.conclude(early);
    Ok(whole)
}

/// Whether two documents can be parts of one test.
fn of_one_test(one: &Part, other: &Part) -> Result<(), MergeError> {
    let (ones, others) = (&one.document, &other.document);
    for (ones, others) in [
        (format!("version {}", ones.version), format!("version {}", others.version)),
        (format!("seed {}", ones.seed), format!("seed {}", others.seed)),
        (format!("scenarios {:?}", ones.scenarios), format!("scenarios {:?}", others.scenarios)),
        (ones.unsupported.told(), others.unsupported.told()),
        (format!("{} phases in all", ones.chosen), format!("{} phases in all", others.chosen)),
    ] {
        if ones != others {
            let (one, other) = (one.file.clone(), other.file.clone());
            return Err(MergeError::Differ { one, ones, other, others });
        }
    }
    Ok(())
}

/// Whether each part of the whole is there once.
fn add_up(parts: &[Part]) -> Result<(), MergeError> {
    let mut found: Vec<(Partition, &Part)> = Vec::new();
    for part in parts {
        let Some(partition) = part.partition()? else {
            return if parts.len() == 1 { Ok(()) } else { Err(MergeError::Whole { file: part.file.clone() }) };
        };
        if let Some((_, one)) = found.iter().find(|(each, _)| *each == partition) {
            let (one, other) = (one.file.clone(), part.file.clone());
            return Err(MergeError::Twice { partition, one, other });
        }
        found.push((partition, part));
    }
    let Some((first, _)) = found.first() else { return Ok(()) };
    if let Some((foreign, part)) = found.iter().find(|(each, _)| !each.is_beside(*first)) {
        let (ones, others) = (format!("part {first}"), format!("part {foreign}"));
        let (one, other) = (found[0].1.file.clone(), part.file.clone());
        return Err(MergeError::Differ { one, ones, other, others });
    }
    let is_there = |partition: &Partition| found.iter().any(|(each, _)| each == partition);
    let missing: Vec<String> = first.siblings().filter(|each| !is_there(each)).map(|each| each.to_string()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let files = found.iter().map(|(partition, part)| format!("`{}` ({partition})", part.file)).collect();
    Err(MergeError::Missing { missing, files })
}

/// All units, in their order.
fn units(parts: Vec<Part>, chosen: usize) -> Result<Vec<UnitEntry>, MergeError> {
    let files: Vec<String> = parts.iter().map(|part| format!("`{}`", part.file)).collect();
    let mut units: Vec<(String, UnitEntry)> = Vec::new();
    for Part { file, document } in parts {
        units.extend(document.units.into_iter().map(|unit| (file.clone(), unit)));
    }
    let (mut places, mut names) = (HashMap::new(), HashMap::new());
    for (file, unit) in &units {
        let same_place = places.insert(unit.place, (file, unit));
        let same_name = names.insert(unit.name(), (file, unit));
        if let Some((one, other)) = same_place.or(same_name) {
            let (ones, others) = (other.name(), unit.name());
            return Err(MergeError::Overlap { one: one.clone(), ones, other: file.clone(), others });
        }
    }
    if units.len() != chosen || units.iter().any(|(_, unit)| unit.place >= chosen) {
        return Err(MergeError::Short { files, units: units.len(), chosen });
    }
    units.sort_by_key(|(_, unit)| unit.place);
    Ok(units.into_iter().map(|(_, unit)| unit).collect())
}
