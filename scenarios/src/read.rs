//! From tree to declarations: one description of a table gives its reader and its JSON Schema.
//!
//! [`Read`] is for a value, [`Field`] for a key of a table, which may be missing. A reader notes what is wrong and goes
//! on, so that one look finds all mistakes; `None` says that there is nothing to go on with.

mod collections;
mod leaves;
mod macros;

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::source::Location;
use crate::suggest;
use crate::tree::{Entry, Node, Value};

pub(crate) use collections::{Dictionary, OneOrMany};
pub(crate) use leaves::Date;
pub use leaves::duration;
pub(crate) use macros::{choice, table, words};

/// A value of the language.
pub(crate) trait Read: Sized {
    /// Reads it; what is wrong is noted.
    fn read(node: &Node, errors: &mut Collector) -> Option<Self>;

    /// Its schema; what is used more than once goes into the definitions.
    fn schema(definitions: &mut Definitions) -> Json;

    /// How the language writes it, so that a default can be shown; `None` for what has no short form.
    fn written(&self) -> Option<Json> {
        None
    }
}

/// A key of a table.
pub(crate) trait Field: Sized {
    /// Whether it must be there.
    const REQUIRED: bool;

    /// Reads it from a table that is said to be at this place.
    fn take(node: Option<&Node>, key: &str, table: &Location, errors: &mut Collector) -> Option<Self>;

    /// The schema of its value.
    fn schema(definitions: &mut Definitions) -> Json;
}

impl<T: Read> Field for T {
    const REQUIRED: bool = true;

    fn take(node: Option<&Node>, key: &str, table: &Location, errors: &mut Collector) -> Option<Self> {
        if node.is_none() {
            missing(key, table, errors);
        }
        T::read(node?, errors)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }
}

impl<T: Read> Field for Option<T> {
    const REQUIRED: bool = false;

    fn take(node: Option<&Node>, _: &str, _: &Location, errors: &mut Collector) -> Option<Self> {
        Some(node.and_then(|node| T::read(node, errors)))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }
}

/// A table that knows its place.
pub(crate) trait Located {
    /// Where it stands.
    fn at(&self) -> &Location;
}

/// A key that must be there, but without which the rest of the table can still be looked at.
#[derive(Clone, Debug)]
pub(crate) struct Needed<T>(pub(crate) Option<T>);

impl<T: Read> Field for Needed<T> {
    const REQUIRED: bool = true;

    fn take(node: Option<&Node>, key: &str, table: &Location, errors: &mut Collector) -> Option<Self> {
        Some(Self(T::take(node, key, table, errors)))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }
}

/// A key that may be missing, where it matters whether it is there even if its value cannot be read.
impl<T: Read> Field for Option<Needed<T>> {
    const REQUIRED: bool = false;

    fn take(node: Option<&Node>, _: &str, _: &Location, errors: &mut Collector) -> Option<Self> {
        Some(node.map(|node| Needed(T::read(node, errors))))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }
}

/// The schemas of tables, by name, as `$defs` has them.
#[derive(Debug, Default)]
pub(crate) struct Definitions(BTreeMap<&'static str, Json>);

impl Definitions {
    /// A reference to a definition, which is made if it is not there yet. A table that holds itself meets its own name.
    pub(crate) fn define(&mut self, name: &'static str, make: impl FnOnce(&mut Self) -> Json) -> Json {
        if !self.0.contains_key(name) {
            self.0.insert(name, Json::Null);
            let schema = make(self);
            self.0.insert(name, schema);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    /// All of them.
    pub(crate) fn into_json(self) -> Json {
        self.0.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
    }
}

/// The entries of a table. Keys that it does not know are mistakes, unless the table is open.
pub(crate) fn entries<'n>(node: &'n Node, known: &[&str], open: bool, errors: &mut Collector) -> Option<&'n [Entry]> {
    let Value::Table(entries) = &node.value else {
        return wrong_type(node, "a table", errors);
    };
    for Entry { key, .. } in entries {
        if !open && !known.contains(&key.as_str()) {
            let message = format!("unknown key `{}`", key.value);
            let help = suggest::help("the keys here are", key, known.iter().copied());
            errors
                .push(Diagnostic::new(DiagnosticKind::UnknownKey, &key.at, message).label("not a key here").help(help));
        }
    }
    Some(entries)
}

/// The value of a key.
pub(crate) fn value<'n>(entries: &'n [Entry], key: &str) -> Option<&'n Node> {
    entries.iter().find(|entry| entry.key.value == key).map(|entry| &entry.node)
}

/// Notes that a value is of the wrong type.
pub(crate) fn wrong_type<T>(node: &Node, expected: &str, errors: &mut Collector) -> Option<T> {
    let message = format!("expected {expected}, found {}", node.describe());
    errors.push(Diagnostic::new(DiagnosticKind::WrongType, &node.at, message).label(format!("not {expected}")));
    None
}

/// A documentation comment as one line of text.
pub(crate) fn prose(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A schema with a description beside it.
pub(crate) fn described(schema: Json, lines: &[&str]) -> Json {
    let mut schema = schema;
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), Json::String(prose(lines)));
    }
    schema
}

/// A schema with a default beside it.
pub(crate) fn with_default(schema: Json, default: Option<Json>) -> Json {
    let mut schema = schema;
    if let (Some(object), Some(default)) = (schema.as_object_mut(), default) {
        object.insert("default".to_owned(), default);
    }
    schema
}

fn missing(key: &str, table: &Location, errors: &mut Collector) {
    let message = format!("the key `{key}` is missing");
    errors.push(
        Diagnostic::new(DiagnosticKind::MissingKey, table, message).help(format!("add `{key} = …` to this table")),
    );
}

/// Notes that a value has none of the forms it may have.
pub(crate) fn one_of<T>(node: &Node, forms: &[&str], errors: &mut Collector) -> Option<T> {
    let found = match &node.value {
        Value::String(text) => format!("\"{text}\""),
        Value::Table(entries) if entries.is_empty() => "an empty table".to_owned(),
        Value::Table(entries) if entries.len() > 1 => format!("a table with {} keys", entries.len()),
        _ => node.describe().to_owned(),
    };
    let message = format!("expected one of {}, found {found}", forms.join(", "));
    errors.push(Diagnostic::new(DiagnosticKind::WrongType, &node.at, message));
    None
}

/// Notes that a word is none of those that may stand here.
pub(crate) fn unknown_word<T>(node: &Node, word: &str, known: &[&str], errors: &mut Collector) -> Option<T> {
    let message = format!("`{word}` is not a word that may stand here");
    let help = suggest::help("the words are", word, known.iter().copied());
    errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
    None
}
