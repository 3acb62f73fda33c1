//! A scenario as it is in one phase: the changes up to it made, the other phases gone.

use super::{Profiles, child, elements, text};
use crate::declare::ParameterType;
use crate::diagnostic::Collector;
use crate::read::value;
use crate::resolve::{Context, Setting};
use crate::tree::{Entry, Node, Value};

/// Makes the changes of all phases up to this one, and leaves nothing of the others.
pub(super) fn make(node: &mut Node, phase: &str, profiles: &Profiles, context: &Context<'_>, errors: &mut Collector) {
    let phases = elements(node, "phase").map(std::mem::take).unwrap_or_default();
    for mut each in phases {
        let Value::Table(entries) = &mut each.value else { continue };
        let is_last = text(entries, "id") == Some(phase);
        let place = entries.iter().position(|entry| entry.key.value == "change");
        let changes = place.map(|place| entries.remove(place).node.value);
        if let Some(Value::Array(changes)) = changes {
            let mut maker = Maker { profiles, context, errors };
            for change in &changes {
                maker.change(node, change);
            }
        }
        if is_last {
            if let Some(phases) = elements(node, "phase") {
                phases.push(each);
            }
            break;
        }
    }
    if let Some(expectations) = elements(node, "expect") {
        expectations.retain_mut(|each| is_of(each, phase));
    }
}

/// Whether something is expected in a phase; from now on only there.
fn is_of(expectation: &mut Node, phase: &str) -> bool {
    let Value::Table(entries) = &expectation.value else { return true };
    let is_it = |node: &Node| matches!(&node.value, Value::String(name) if name == phase || name == "*");
    let named = value(entries, "phase").is_none_or(|node| match &node.value {
        Value::Array(nodes) => nodes.iter().any(is_it),
        _ => is_it(node),
    });
    if let Some(node) = child(expectation, "phase") {
        node.value = Value::String(phase.to_owned());
    }
    named
}

struct Maker<'a, 'b> {
    profiles: &'a Profiles,
    context: &'a Context<'b>,
    errors: &'a mut Collector,
}

impl Maker<'_, '_> {
    fn change(&mut self, root: &mut Node, change: &Node) {
        let Value::Table(change) = &change.value else { return };
        let Some((target, kind)) = text(change, "in").and_then(|path| self.target(root, path)) else { return };
        for Entry { key, node } in change {
            match key.as_str() {
                "set" => *target = node.clone(),
                "add" => self.add(target, node, kind),
                "remove" => self.remove(target, node, kind),
                _ => {}
            }
        }
    }

    /// What a change is about, and what it holds.
    fn target<'n>(&self, root: &'n mut Node, path: &str) -> Option<(&'n mut Node, ParameterType)> {
        let parts: Vec<&str> = path.split('.').collect();
        match parts.as_slice() {
            ["censor", censor, parameter] => {
                let kind = *self.profiles.get(*censor)?.kinds.get(*parameter)?;
                Some((child(child(child(root, "censor")?, censor)?, parameter)?, kind))
            }
            ["resolver", resolver, "lies", id @ .., "names"] => {
                let id = id.join(".");
                let lies = elements(child(child(root, "resolver")?, resolver)?, "lies")?;
                let called = |lie: &Node| crate::compose::id(lie).is_some_and(|each| each == id);
                let place = lies.iter().position(called).or_else(|| id.trim_start_matches("lies.").parse().ok())?;
                Some((child(lies.get_mut(place)?, "names")?, ParameterType::Names))
            }
            _ => None,
        }
    }

    fn add(&mut self, target: &mut Node, node: &Node, kind: ParameterType) {
        let mut all = listed(target).unwrap_or_else(|| self.items(target, kind));
        let more = listed(node).unwrap_or_else(|| self.items(node, kind));
        extend(&mut all, more);
        target.value = Value::Array(all);
    }

    fn remove(&mut self, target: &mut Node, node: &Node, kind: ParameterType) {
        // What is said of a list by its name cannot be taken from it by an item's.
        let plain = |node: &Node| listed(node).filter(|all| !all.iter().any(is_list));
        let (mut all, gone) = match (plain(target), plain(node)) {
            (Some(all), Some(gone)) => (all, gone),
            _ => (self.items(target, kind), self.items(node, kind)),
        };
        all.retain(|each| !gone.iter().any(|other| is_same(each, other)));
        target.value = Value::Array(all);
    }

    /// All items that a value means, lists read.
    fn items(&mut self, node: &Node, kind: ParameterType) -> Vec<Node> {
        let texts = Setting::read(kind, node, self.context, self.errors).map(|setting| setting.texts());
        let item = |text| Node { at: node.at.clone(), value: Value::String(text) };
        texts.unwrap_or_default().into_iter().map(item).collect()
    }
}

/// The items as they are written; `None` for a union of lists.
fn listed(node: &Node) -> Option<Vec<Node>> {
    match &node.value {
        Value::Array(nodes) => Some(nodes.clone()),
        Value::Table(_) => None,
        _ => Some(vec![node.clone()]),
    }
}

fn is_list(node: &Node) -> bool {
    matches!(&node.value, Value::String(text) if text.starts_with('@'))
}

fn is_same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::String(one), Value::String(other)) => one == other,
        (Value::Integer(one), Value::Integer(other)) => one == other,
        _ => false,
    }
}

fn extend(all: &mut Vec<Node>, more: Vec<Node>) {
    for node in more {
        if !all.iter().any(|each| is_same(each, &node)) {
            all.push(node);
        }
    }
}
