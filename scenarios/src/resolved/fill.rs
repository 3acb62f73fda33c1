//! What files leave out: the defaults of profiles and of the language, and the addresses that the lab gives.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::origin::LANGUAGE;
use super::{Profiles, child, elements, inner};
use crate::declare::{ParameterType, ScenarioFile};
use crate::diagnostic::Collector;
use crate::model::Scenario;
use crate::read::{Definitions, Located, Read, value};
use crate::resolve::{Context, read_profile};
use crate::source::{Location, Text};
use crate::tree::{Entry, Node, Value};

/// A profile, as far as showing goes.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    /// The name of its file.
    pub(super) file: Arc<str>,
    /// What each parameter holds.
    pub(super) kinds: BTreeMap<String, ParameterType>,
}

/// Puts in what each censor's profile says where the scenario says nothing. Returns the profile of each censor.
pub(super) fn profiles(node: &mut Node, context: &Context<'_>, errors: &mut Collector) -> Profiles {
    let mut profiles = Profiles::new();
    for Entry { key, node: censor } in inner(node, "censor").into_iter().flatten() {
        let Value::Table(entries) = &mut censor.value else { continue };
        let named = value(entries, "profile").and_then(|node| Text::read(node, errors));
        let Some(profile) = named.and_then(|id| read_profile(&id, context, errors)) else { continue };
        for (name, parameter) in &profile.parameters.entries {
            if value(entries, name).is_none() {
                let neutral = if parameter.kind.is_list() { Value::Array(Vec::new()) } else { Value::Boolean(false) };
                let node = parameter.default.clone().unwrap_or_else(|| Node { at: language_at(), value: neutral });
                entries.push(Entry { key: name.clone(), node });
            }
        }
        let kinds = profile.parameters.entries.iter().map(|(name, each)| (name.value.clone(), each.kind));
        profiles.insert(key.value.clone(), Profile { file: Arc::clone(&profile.at().file), kinds: kinds.collect() });
    }
    profiles
}

/// Puts in the defaults of the language. Empty lists and tables say nothing and stay out.
pub(super) fn language(node: &mut Node) {
    let mut definitions = Definitions::default();
    let root = ScenarioFile::schema(&mut definitions);
    by_schema(node, &root, &definitions.into_json());
    let first = inner(node, "vantage").and_then(|vantages| vantages.first().map(|entry| entry.key.value.clone()));
    for (index, expectation) in elements(node, "expect").into_iter().flatten().enumerate() {
        let Value::Table(entries) = &mut expectation.value else { continue };
        put(entries, "id", Value::String(format!("expect.{index}")), &language_at());
        put(entries, "phase", Value::String("*".to_owned()), &language_at());
        if let Some(first) = &first {
            put(entries, "vantage", Value::String(first.clone()), &language_at());
        }
    }
}

fn by_schema(node: &mut Node, schema: &Json, definitions: &Json) {
    let schema = match schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        Some(name) => &definitions[name],
        None => schema,
    };
    if let Some(forms) = schema["anyOf"].as_array() {
        if let Some(form) = forms.iter().find(|form| fits(node, form, definitions)) {
            by_schema(node, form, definitions);
        }
        return;
    }
    match &mut node.value {
        Value::Array(nodes) => nodes.iter_mut().for_each(|each| by_schema(each, &schema["items"], definitions)),
        Value::Table(entries) => {
            for Entry { key, node } in entries.iter_mut() {
                let inner = schema["properties"].get(key.as_str()).unwrap_or(&schema["additionalProperties"]);
                by_schema(node, inner, definitions);
            }
            for (key, property) in schema["properties"].as_object().into_iter().flatten() {
                if let Some(default) = property.get("default").and_then(of_json) {
                    put(entries, key, default, &language_at());
                }
            }
        }
        _ => {}
    }
}

/// Whether a form of several is the one that a value has.
fn fits(node: &Node, form: &Json, definitions: &Json) -> bool {
    let form = match form["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        Some(name) => &definitions[name],
        None => form,
    };
    if let Some(forms) = form["anyOf"].as_array() {
        return forms.iter().any(|form| fits(node, form, definitions));
    }
    match &node.value {
        Value::Array(_) => form["type"] == "array",
        Value::Table(entries) => {
            form["type"] == "object" && entries.iter().all(|entry| form["properties"].get(entry.key.as_str()).is_some())
        }
        _ => false,
    }
}

/// A default as a value; `None` for one that is empty.
fn of_json(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Bool(boolean) => Value::Boolean(*boolean),
        Json::String(text) if !text.is_empty() => Value::String(text.clone()),
        Json::Number(number) => {
            number.as_i64().map(|number| Value::Integer(Some(number))).or(number.as_f64().map(Value::Float))?
        }
        Json::Array(items) if !items.is_empty() => {
            let node = |item: &Json| Some(Node { at: language_at(), value: of_json(item)? });
            Value::Array(items.iter().map(node).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// Puts in the addresses that the lab gives where the file gives none.
pub(super) fn places(node: &mut Node, scenario: &Scenario, context: &Context<'_>) {
    let networks = Location { file: "networks.toml".into(), span: 0..0, line: 0, column: 0 };
    for vantage in &scenario.vantages {
        let (Some(known), Some(entries)) =
            (context.network(vantage.network.asn), child(node, "vantage").and_then(|all| inner(all, &vantage.name)))
        else {
            continue;
        };
        let text = |key: &str, prefix: String| Entry {
            key: Text { value: key.to_owned(), at: networks.clone() },
            node: Node { at: networks.clone(), value: Value::String(prefix) },
        };
        let space = vec![text("v4", known.v4.to_string()), text("v6", known.v6.to_string())];
        put(entries, "address", Value::Table(space), &networks);
    }
    for resolver in &scenario.resolvers {
        let Some(entries) = child(node, "resolver").and_then(|all| inner(all, &resolver.name)) else { continue };
        let node = |address: &std::net::IpAddr| Node { at: language_at(), value: Value::String(address.to_string()) };
        put(entries, "address", Value::Array(resolver.addresses.iter().map(node).collect()), &language_at());
    }
}

/// A value for a key that is not there.
fn put(entries: &mut Vec<Entry>, key: &str, default: Value, at: &Location) {
    if value(entries, key).is_none() {
        let key = Text { value: key.to_owned(), at: at.clone() };
        entries.push(Entry { key, node: Node { at: at.clone(), value: default } });
    }
}

/// The place of what the language fills in.
pub(super) fn language_at() -> Location {
    Location { file: LANGUAGE.into(), span: 0..0, line: 0, column: 0 }
}
