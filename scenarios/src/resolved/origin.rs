//! Where a value came from.

use serde::Serialize;
use serde_json::Value as Json;

use super::Profiles;
use crate::model::Parameter;
use crate::source::Location;
use crate::tree::{Entry, Node, Value};

/// Where a value came from.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum Origin {
    /// The scenario's own file.
    File {
        /// Its name.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// A file that it extends.
    Extends {
        /// Its name.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// A parameter's default.
    Default {
        /// The parameter's name.
        parameter: String,
        /// The file that declares it.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// What a parameter was set to, by a file or a command.
    Set {
        /// The parameter's name.
        parameter: String,
        /// The file, or `--set` and what was written.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// The default of the profile.
    Profile {
        /// The profile's file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// A table of the library.
    Library {
        /// Its name.
        file: String,
    },
    /// The default of the language.
    Language,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { file, line } | Self::Extends { file, line } => write!(f, "{file}:{line}"),
            Self::Default { parameter, file, line } => write!(f, "{file}:{line}, the default of ${parameter}"),
            // What a command sets has one line.
            Self::Set { parameter, file, .. } if file.starts_with("--set ") => write!(f, "${parameter} by {file}"),
            Self::Set { parameter, file, line } => write!(f, "{file}:{line}, ${parameter} is set"),
            Self::Profile { file, line } => write!(f, "{file}:{line}, the profile's default"),
            Self::Library { file } => write!(f, "{file}"),
            Self::Language => f.write_str("the default of the language"),
        }
    }
}

/// A value that is neither a table nor an array, and where it came from.
#[derive(Clone, Debug, Serialize)]
pub struct ResolvedValue {
    /// The keys to it, with dots; elements of arrays by their `id`, or by their number.
    pub path: String,
    /// What it is.
    pub value: Json,
    /// Where it came from.
    #[serde(flatten)]
    pub origin: Origin,
}

/// The file of what the language fills in.
pub(super) const LANGUAGE: &str = "";

/// The files that values come from.
#[derive(Debug)]
pub(super) struct Origins<'a> {
    /// The file that was asked for.
    pub(super) own: &'a str,
    pub(super) profiles: &'a Profiles,
    pub(super) parameters: &'a [Parameter],
}

impl Origins<'_> {
    pub(super) fn of(&self, at: &Location) -> Origin {
        let (file, line) = (at.file.to_string(), at.line);
        let is_within = |outer: &Location| {
            outer.file == at.file && outer.span.start <= at.span.start && at.span.end <= outer.span.end
        };
        if file == LANGUAGE {
            return Origin::Language;
        }
        if line == 0 {
            return Origin::Library { file };
        }
        if self.profiles.values().any(|profile| *profile.file == *at.file) {
            return Origin::Profile { file, line };
        }
        match self.parameters.iter().find(|parameter| is_within(&parameter.at)) {
            Some(found) if found.is_set => Origin::Set { parameter: found.name.to_string(), file, line },
            Some(found) => Origin::Default { parameter: found.name.to_string(), file, line },
            None if file == self.own => Origin::File { file, line },
            None => Origin::Extends { file, line },
        }
    }
}

/// All values of a tree.
pub(super) fn values(node: &Node, origins: &Origins<'_>) -> Vec<ResolvedValue> {
    let mut all = Vec::new();
    gather(String::new(), node, origins, &mut all);
    all
}

fn gather(path: String, node: &Node, origins: &Origins<'_>, all: &mut Vec<ResolvedValue>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match &node.value {
        Value::Table(entries) if !entries.is_empty() => {
            for Entry { key, node } in entries {
                gather(below(key), node, origins, all);
            }
        }
        Value::Array(nodes) if !nodes.is_empty() => {
            for (index, each) in nodes.iter().enumerate() {
                let name = crate::compose::id(each).map_or_else(|| index.to_string(), str::to_owned);
                gather(below(&name), each, origins, all);
            }
        }
        _ => all.push(ResolvedValue { value: json(node), origin: origins.of(&node.at), path }),
    }
}

fn json(node: &Node) -> Json {
    match &node.value {
        Value::String(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Boolean(boolean) => (*boolean).into(),
        Value::Date(day) => day.as_deref().into(),
        Value::Array(nodes) => nodes.iter().map(json).collect(),
        Value::Table(entries) => entries.iter().map(|entry| (entry.key.value.clone(), json(&entry.node))).collect(),
    }
}
