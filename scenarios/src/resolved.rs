//! A scenario with everything filled in, and where each value came from.
//!
//! What files extend is joined, parameters and defaults are put in, and for one phase its changes are made. What is shown is a
//! scenario again: read, it means the same.

mod changes;
mod fill;
mod origin;
mod toml;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::compose::compose;
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind, Diagnostics};
use crate::library::{Library, about_argument, open};
use crate::model::{Name, Scenario};
use crate::read::value;
use crate::resolve::{self as resolver, Context};
use crate::suggest;
use crate::tree::{Entry, Node, Value};

pub use origin::{Origin, ResolvedValue};

use origin::Origins;

/// A scenario with everything filled in.
#[derive(Clone, Debug, Serialize)]
pub struct Resolved {
    /// `ru/whatsapp-2026`.
    pub scenario: Name,
    /// The phase whose changes are made; none where all phases are shown with what they change.
    pub phase: Option<Name>,
    /// Each value, in the order of the file.
    pub values: Vec<ResolvedValue>,
    /// The same as a file, each line with where it came from.
    #[serde(skip)]
    pub toml: String,
}

/// Fills in everything that a scenario leaves out; `argument` and `set` as in [`load_with`](crate::load_with). With a phase,
/// all is as it is then.
pub fn resolved(
    argument: &str,
    set: &[String],
    phase: Option<&str>,
    library: &Library,
) -> Result<Resolved, Diagnostics> {
    let mut errors = Collector::default();
    let resolved = build(argument, set, phase, library, &mut errors);
    errors.finish(resolved)
}

fn build(
    argument: &str,
    set: &[String],
    phase: Option<&str>,
    library: &Library,
    errors: &mut Collector,
) -> Option<Resolved> {
    let (opened, id) = open(argument, library, errors)?;
    let context = Context::new(library, errors);
    let composed = compose(&opened, set, &context, errors)?;
    let scenario = resolver::scenario_of(&composed, id, &context, errors)?;
    if !errors.is_empty() {
        return None;
    }
    let phase = match phase {
        Some(name) => Some(known_phase(name, &scenario, errors)?),
        None => None,
    };
    let mut node = composed.node;
    let profiles = fill::profiles(&mut node, &context, errors);
    fill::language(&mut node);
    fill::places(&mut node, &scenario, &context);
    if let Some(phase) = &phase {
        changes::make(&mut node, phase, &profiles, &context, errors);
    }
    let origins = Origins { own: opened.source.name(), profiles: &profiles, parameters: &scenario.parameters };
    Some(Resolved {
        scenario: scenario.id.clone(),
        phase,
        values: origin::values(&node, &origins),
        toml: toml::write(&node, &origins),
    })
}

fn known_phase(name: &str, scenario: &Scenario, errors: &mut Collector) -> Option<Name> {
    let found = scenario.phase(name).map(|phase| phase.id.clone());
    if found.is_none() {
        let message = format!("no phase has the id `{name}`");
        let help = suggest::help("the phases are", name, scenario.phases.iter().map(|phase| &*phase.id));
        let mistake: Diagnostic = about_argument(DiagnosticKind::UnknownPhase, name, &message, errors).help(help);
        errors.push(mistake);
    }
    found
}

/// The profile of each censor, as far as showing goes: where it lies, and what each parameter holds.
type Profiles = BTreeMap<String, fill::Profile>;

/// The entries of a table inside a table.
fn inner<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Vec<Entry>> {
    match &mut child(node, key)?.value {
        Value::Table(entries) => Some(entries),
        _ => None,
    }
}

/// The value of a key.
fn child<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    let Value::Table(entries) = &mut node.value else { return None };
    entries.iter_mut().find(|entry| entry.key.value == key).map(|entry| &mut entry.node)
}

/// The elements of an array inside a table.
fn elements<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Vec<Node>> {
    match &mut child(node, key)?.value {
        Value::Array(nodes) => Some(nodes),
        _ => None,
    }
}

/// The text of a key.
fn text<'n>(entries: &'n [Entry], key: &str) -> Option<&'n str> {
    match &value(entries, key)?.value {
        Value::String(text) => Some(text),
        _ => None,
    }
}
