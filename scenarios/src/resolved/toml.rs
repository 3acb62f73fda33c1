//! A tree as a scenario file, each line with where it came from.

use std::fmt::Write;

use super::origin::Origins;
use crate::declare::ScenarioFile;
use crate::source::Location;
use crate::tree::render::{inline, key};
use crate::tree::{Entry, Node, Value};

/// The file.
pub(super) fn write(node: &Node, origins: &Origins<'_>) -> String {
    let mut node = node.clone();
    escape(&mut node);
    let Value::Table(entries) = &node.value else { return String::new() };
    let mut writer = Writer { text: String::new(), origins };
    let is_section = |entry: &&Entry| SECTIONS.contains(&entry.key.as_str()) || ARRAYS.contains(&entry.key.as_str());
    let mut plain: Vec<&Entry> = entries.iter().filter(|entry| !is_section(entry)).collect();
    // In the order of the language, whichever file says what.
    plain.sort_by_key(|entry| ScenarioFile::KEYS.iter().position(|key| *key == entry.key.as_str()));
    writer.lines(&plain);
    for entry in entries.iter().filter(is_section) {
        writer.section(entry);
    }
    writer.text
}

/// No text may look like a parameter's name, for all are filled in.
fn escape(node: &mut Node) {
    match &mut node.value {
        Value::String(text) if text.starts_with('$') => text.insert(0, '$'),
        Value::Table(entries) => entries.iter_mut().for_each(|entry| escape(&mut entry.node)),
        Value::Array(nodes) => nodes.iter_mut().for_each(escape),
        _ => {}
    }
}

/// The tables of tables.
const SECTIONS: [&str; 5] = ["hop", "vantage", "resolver", "censor", "machine"];

/// The arrays of tables.
const ARRAYS: [&str; 2] = ["phase", "expect"];

struct Writer<'a> {
    text: String,
    origins: &'a Origins<'a>,
}

/// A line, and what is said behind it.
type Line = (String, Option<Location>);

impl Writer<'_> {
    fn section(&mut self, entry: &Entry) {
        let name = entry.key.as_str();
        match &entry.node.value {
            Value::Table(tables) => {
                for Entry { key: inner, node } in tables {
                    self.table(&format!("[{name}.{}]", key(inner)), &format!("{name}.{}", key(inner)), node);
                }
            }
            Value::Array(tables) => {
                for node in tables {
                    self.table(&format!("[[{name}]]"), name, node);
                }
            }
            _ => {}
        }
    }

    fn table(&mut self, heading: &str, path: &str, node: &Node) {
        let Value::Table(entries) = &node.value else { return };
        self.heading(heading);
        let is_lies = |entry: &&Entry| entry.key.value == "lies";
        let plain: Vec<&Entry> = entries.iter().filter(|entry| !is_lies(entry)).collect();
        self.lines(&plain);
        for lies in entries.iter().filter(is_lies) {
            let Value::Array(lies) = &lies.node.value else { continue };
            for lie in lies {
                self.table(&format!("[[{path}.lies]]"), path, lie);
            }
        }
    }

    fn heading(&mut self, heading: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{}{heading}", if self.text.is_empty() { "" } else { "\n" });
    }

    fn lines(&mut self, entries: &[&Entry]) {
        let mut lines = Vec::new();
        for entry in entries {
            leaves(&key(&entry.key), &entry.node, &mut lines);
        }
        let short = lines.iter().map(|(line, _)| line.chars().count()).filter(|width| *width <= WIDEST);
        let width = short.max().unwrap_or_default();
        for (line, at) in lines {
            let _ = match at {
                Some(at) => writeln!(self.text, "{line:width$}  # {}", self.origins.of(&at)),
                None => writeln!(self.text, "{line}"),
            };
        }
    }
}

/// Up to where origins stand below each other.
const WIDEST: usize = 72;

/// The lines of a value: one for each value of a table, and for each element that was written elsewhere than its array.
fn leaves(path: &str, node: &Node, lines: &mut Vec<Line>) {
    match &node.value {
        Value::Table(entries) if !entries.is_empty() => {
            for entry in entries {
                leaves(&format!("{path}.{}", key(&entry.key)), &entry.node, lines);
            }
        }
        Value::Array(nodes) if nodes.iter().any(|each| !is_beside(each, node)) => {
            lines.push((format!("{path} = ["), None));
            let element = |each: &Node| (format!("    {},", inline(each)), Some(each.at.clone()));
            lines.extend(nodes.iter().map(element));
            lines.push(("]".to_owned(), None));
        }
        _ => lines.push((format!("{path} = {}", inline(node)), Some(node.at.clone()))),
    }
}

fn is_beside(one: &Node, other: &Node) -> bool {
    one.at.file == other.at.file && one.at.line == other.at.line
}
