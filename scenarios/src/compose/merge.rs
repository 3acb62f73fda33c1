//! A tree laid over another: tables key by key, anything else whole.
//!
//! Three exceptions, because the language says so: phases, expectations and lies are told apart by their `id`; services,
//! sources and mechanisms are added to those that are there; and of a probe or an answer, which has one of several forms, the
//! form that is said holds.

use crate::read::value;
use crate::tree::{Entry, Node, Value};

/// Lays a tree over another.
pub(crate) fn lay(base: Node, over: Node) -> Node {
    at(&mut Vec::new(), base, over)
}

/// Lays a value over another, both at this path.
fn at(path: &mut Vec<String>, base: Node, over: Node) -> Node {
    let manner = Manner::of(path, &base, &over);
    match (manner, base.value, over.value) {
        (Manner::ById, Value::Array(base), Value::Array(items)) => {
            Node { value: Value::Array(by_id(path, base, items)), at: over.at }
        }
        (Manner::Append, Value::Array(base), Value::Array(items)) => {
            Node { value: Value::Array(appended(base, items)), at: over.at }
        }
        (Manner::KeyByKey, Value::Table(base), Value::Table(entries)) => {
            Node { value: Value::Table(key_by_key(path, base, entries)), at: over.at }
        }
        (_, _, value) => Node { value, at: over.at },
    }
}

fn key_by_key(path: &mut Vec<String>, mut base: Vec<Entry>, over: Vec<Entry>) -> Vec<Entry> {
    for Entry { key, node } in over {
        let Some(place) = base.iter().position(|each| each.key.value == key.value) else {
            base.push(Entry { key, node });
            continue;
        };
        path.push(key.value.clone());
        let below = base.remove(place).node;
        base.insert(place, Entry { key, node: at(path, below, node) });
        path.pop();
    }
    base
}

/// Elements with an id that is there are laid over it; the others come after.
fn by_id(path: &mut Vec<String>, mut base: Vec<Node>, over: Vec<Node>) -> Vec<Node> {
    // Each may be met once: a file that names the same twice makes a mistake that must show.
    let mut free: Vec<Option<String>> = base.iter().map(|node| id(node).map(str::to_owned)).collect();
    for node in over {
        let place = id(&node).and_then(|id| free.iter().position(|each| each.as_deref() == Some(id)));
        let Some(place) = place else {
            base.push(node);
            continue;
        };
        path.push(free[place].take().unwrap_or_default());
        let below = base.remove(place);
        base.insert(place, at(path, below, node));
        path.pop();
    }
    base
}

/// All elements; a text that is there is not said twice.
fn appended(mut base: Vec<Node>, over: Vec<Node>) -> Vec<Node> {
    for node in over {
        let is_there =
            |each: &Node| matches!((&each.value, &node.value), (Value::String(a), Value::String(b)) if a == b);
        if !base.iter().any(is_there) {
            base.push(node);
        }
    }
    base
}

/// What an element of an array is called.
pub(crate) fn id(node: &Node) -> Option<&str> {
    let Value::Table(entries) = &node.value else { return None };
    match &value(entries, "id")?.value {
        Value::String(id) => Some(id),
        _ => None,
    }
}

/// How a value is laid over another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Manner {
    KeyByKey,
    ById,
    Append,
    Whole,
}

impl Manner {
    fn of(path: &[String], base: &Node, over: &Node) -> Self {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["use" | "sources" | "mechanisms"] => Self::Append,
            ["phase" | "expect"] | ["resolver", _, "lies"] => Self::ById,
            ["expect", _, "probe"] | ["expect", _, "then", "probe"] if is_other_form(base, over, &[]) => Self::Whole,
            ["resolver", _, "lies", _, "answer"] if is_other_form(base, over, &["ttl"]) => Self::Whole,
            _ if is_list(base) || is_list(over) => Self::Whole,
            _ => Self::KeyByKey,
        }
    }
}

/// Whether a table has a form that the other has not. `beside` are the keys that go with any form.
fn is_other_form(base: &Node, over: &Node, beside: &[&str]) -> bool {
    let (Value::Table(base), Value::Table(over)) = (&base.value, &over.value) else { return true };
    let mut forms = over.iter().filter(|entry| !beside.contains(&entry.key.as_str()));
    forms.any(|entry| value(base, &entry.key).is_none())
}

/// Whether a value is a list that is made of others: `{ union = […], except = […] }`.
fn is_list(node: &Node) -> bool {
    let Value::Table(entries) = &node.value else { return false };
    let is_part = |entry: &Entry| {
        matches!(entry.key.as_str(), "union" | "except") && !matches!(entry.node.value, Value::Table(_))
    };
    !entries.is_empty() && entries.iter().all(is_part)
}
