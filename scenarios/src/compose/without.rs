//! What a scenario leaves out of the one that it extends.

use super::merge::id;
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::source::Text;
use crate::suggest;
use crate::tree::{Entry, Node, Value};

/// Takes each of these out: a key of a table, an element of an array by its `id` (or by its place, where it has none) or
/// as it is written, or with `*` all of them.
pub(super) fn take_out(base: &mut Node, paths: &[Text], errors: &mut Collector) {
    for path in paths {
        let parts: Vec<&str> = path.split('.').collect();
        if let Err(Missing { name, there }) = remove(base, &parts) {
            let message = format!("`{}` is not there to be taken out", path.value);
            let there: Vec<&str> = there.iter().map(String::as_str).collect();
            let help = suggest::help("what it extends has here", &name, there);
            errors.push(Diagnostic::new(DiagnosticKind::NothingToChange, &path.at, message).help(help));
        } else if let [key @ ("phase" | "vantage"), name] = parts.as_slice() {
            forget(base, key, name);
        }
    }
}

/// What was looked for and what there was in its place.
struct Missing {
    name: String,
    there: Vec<String>,
}

fn remove(node: &mut Node, parts: &[&str]) -> Result<(), Missing> {
    match &mut node.value {
        Value::Table(entries) => remove_key(entries, parts),
        Value::Array(nodes) => remove_element(nodes, parts),
        _ => Err(Missing { name: parts.join("."), there: Vec::new() }),
    }
}

fn remove_key(entries: &mut Vec<Entry>, parts: &[&str]) -> Result<(), Missing> {
    if parts == ["*"] {
        entries.clear();
        return Ok(());
    }
    // A key may have dots itself.
    for count in (1..=parts.len()).rev() {
        let key = parts[..count].join(".");
        if let Some(place) = entries.iter().position(|entry| entry.key.value == key) {
            if count < parts.len() {
                return remove(&mut entries[place].node, &parts[count..]);
            }
            entries.remove(place);
            return Ok(());
        }
    }
    let there = entries.iter().map(|entry| entry.key.value.clone()).collect();
    Err(Missing { name: parts.first().copied().unwrap_or_default().to_owned(), there })
}

fn remove_element(nodes: &mut Vec<Node>, parts: &[&str]) -> Result<(), Missing> {
    if parts == ["*"] {
        nodes.clear();
        return Ok(());
    }
    for count in (1..=parts.len()).rev() {
        let name = parts[..count].join(".");
        let is_it = |(place, node): (usize, &Node)| called(node, place) == name;
        if let Some(place) = nodes.iter().enumerate().position(is_it) {
            if count < parts.len() {
                return remove(&mut nodes[place], &parts[count..]);
            }
            nodes.remove(place);
            return Ok(());
        }
    }
    let there = nodes.iter().enumerate().map(|(place, node)| called(node, place)).collect();
    Err(Missing { name: parts.join("."), there })
}

/// What an element is called here: its id, its text, or its place.
fn called(node: &Node, place: usize) -> String {
    match (&node.value, id(node)) {
        (_, Some(id)) => id.to_owned(),
        (Value::String(text), None) => text.clone(),
        _ => place.to_string(),
    }
}

/// With a phase or a vantage goes what was expected of it: it is taken out of the expectations that name it, and those that
/// name nothing else are taken out.
fn forget(base: &mut Node, key: &str, name: &str) {
    let Value::Table(entries) = &mut base.value else { return };
    let Some(expectations) = entries.iter_mut().find(|entry| entry.key.value == "expect") else { return };
    let Value::Array(expectations) = &mut expectations.node.value else { return };
    expectations.retain_mut(|each| {
        let Value::Table(entries) = &mut each.value else { return true };
        let Some(named) = entries.iter_mut().find(|entry| entry.key.value == key) else { return true };
        let is_gone = |node: &Node| match &node.value {
            Value::String(text) if name == "*" => text != "*",
            Value::String(text) => text == name,
            _ => false,
        };
        match &mut named.node.value {
            Value::Array(names) => {
                let before = names.len();
                names.retain(|each| !is_gone(each));
                !names.is_empty() || before == 0
            }
            _ => !is_gone(&named.node),
        }
    });
}
