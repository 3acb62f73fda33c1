//! Readers of arrays and of tables with free keys.
//!
//! An element that cannot be read is left out, and noted; the others are still looked at.

use serde_json::{Value as Json, json};

use super::{Definitions, Read, wrong_type};
use crate::diagnostic::Collector;
use crate::source::Text;
use crate::tree::{Entry, Node, Value};

impl<T: Read> Read for Vec<T> {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        match &node.value {
            Value::Array(nodes) => Some(nodes.iter().filter_map(|each| T::read(each, errors)).collect()),
            _ => wrong_type(node, "an array", errors),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({ "type": "array", "items": T::schema(definitions) })
    }

    fn written(&self) -> Option<Json> {
        self.iter().map(T::written).collect::<Option<Vec<Json>>>().map(Json::Array)
    }
}

/// One value, or an array of them.
#[derive(Clone, Debug)]
pub(crate) struct OneOrMany<T>(pub(crate) Vec<T>);

impl<T: Read> Read for OneOrMany<T> {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        match &node.value {
            Value::Array(_) => Vec::read(node, errors).map(Self),
            _ => T::read(node, errors).map(|one| Self(vec![one])),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({ "anyOf": [T::schema(definitions), Vec::<T>::schema(definitions)] })
    }

    fn written(&self) -> Option<Json> {
        match self.0.as_slice() {
            [one] => one.written(),
            _ => self.0.written(),
        }
    }
}

/// A table whose keys are names that the file gives, in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct Dictionary<T> {
    /// What could be read.
    pub(crate) entries: Vec<(Text, T)>,
    /// The names of what could not.
    pub(crate) broken: Vec<Text>,
}

impl<T> Default for Dictionary<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), broken: Vec::new() }
    }
}

impl<T> Dictionary<T> {
    /// What has this name.
    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.entries.iter().find(|(key, _)| key.as_str() == name).map(|(_, value)| value)
    }

    /// Whether anything has this name, readable or not.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.names().any(|each| each == name)
    }

    /// All names, readable or not.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.keys().map(|key| key.as_str())
    }

    /// All names with their places.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Text> {
        self.entries.iter().map(|(key, _)| key).chain(&self.broken)
    }
}

impl<T: Read> Read for Dictionary<T> {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let Value::Table(entries) = &node.value else {
            return wrong_type(node, "a table", errors);
        };
        let mut dictionary = Self::default();
        for Entry { key, node } in entries {
            match T::read(node, errors) {
                Some(value) => dictionary.entries.push((key.clone(), value)),
                None => dictionary.broken.push(key.clone()),
            }
        }
        Some(dictionary)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({ "type": "object", "additionalProperties": T::schema(definitions) })
    }

    fn written(&self) -> Option<Json> {
        self.entries.is_empty().then(|| json!({}))
    }
}
