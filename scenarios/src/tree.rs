//! TOML as a tree in which every key and every value knows its place.

pub(crate) mod render;

use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::source::{Location, SourceFile, Text};

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: Location,
    pub(crate) value: Value,
}

/// What TOML can say.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    String(String),
    /// `None`: a number that 64 bits do not hold.
    Integer(Option<i64>),
    Float(f64),
    Boolean(bool),
    /// A day, as `YYYY-MM-DD`; `None`: one with a time, or a time alone.
    Date(Option<String>),
    Array(Vec<Node>),
    /// In the order of the file.
    Table(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Text,
    pub(crate) node: Node,
}

impl Node {
    /// What it is, as a person would say it.
    pub(crate) fn describe(&self) -> &'static str {
        match self.value {
            Value::String(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Boolean(_) => "a boolean",
            Value::Date(_) => "a date or time",
            Value::Array(_) => "an array",
            Value::Table(_) => "a table",
        }
    }
}

/// Reads the text. Syntax errors are noted, and what could be read beside them is returned.
pub(crate) fn parse(source: &Arc<SourceFile>, errors: &mut Collector) -> Node {
    errors.open(source);
    let (document, mistakes) = DeTable::parse_recoverable(source.text());
    for mistake in told(source, &mistakes) {
        errors.push(mistake);
    }
    Node { at: source.location(0..0), value: table(document.get_ref(), source) }
}

/// The first mistake of each line; what else is wrong there mostly follows from it. After a bracket that is not closed all that
/// comes is read as if it stood inside, and only the first is told.
fn told(source: &SourceFile, mistakes: &[toml::de::Error]) -> Vec<Diagnostic> {
    let mut told: Vec<Diagnostic> = mistakes
        .iter()
        .map(|mistake| {
            let at = source.location(mistake.span().unwrap_or_default());
            Diagnostic::new(DiagnosticKind::Syntax, &at, mistake.message())
        })
        .collect();
    told.sort_by_key(|each| each.location.span.start);
    told.dedup_by_key(|each| each.location.line);
    if mistakes.iter().any(|mistake| mistake.message().contains("unclosed")) {
        told.truncate(1);
        let help =
            "is every `[`, `{` and quote before this closed? What comes after one that is not is read as a part of it";
        told = told.into_iter().map(|each| each.help(help)).collect();
    }
    told
}

fn table(table: &DeTable<'_>, source: &SourceFile) -> Value {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: Text { value: key.get_ref().to_string(), at: source.location(key.span()) },
            node: Node { at: source.location(value.span()), value: convert(value.get_ref(), source) },
        })
        .collect();
    // The parser sorts by name; here the order of the file counts, because the first vantage is the default.
    entries.sort_by_key(|entry| entry.key.at.span.start);
    Value::Table(entries)
}

fn convert(value: &DeValue<'_>, source: &SourceFile) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok()),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(boolean) => Value::Boolean(*boolean),
        DeValue::Datetime(date) => {
            let is_day = date.time.is_none() && date.offset.is_none();
            Value::Date(is_day.then(|| date.to_string()))
        }
        DeValue::Array(array) => Value::Array(
            array
                .iter()
                .map(|each| Node { at: source.location(each.span()), value: convert(each.get_ref(), source) })
                .collect(),
        ),
        DeValue::Table(inner) => table(inner, source),
    }
}
