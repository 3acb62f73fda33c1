//! The language key by key, as Markdown, out of its schemas.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;

use serde_json::{Map, Value};

/// The tables of these schemas, each once, in the order in which they are met; what lies in one comes after it.
pub(crate) fn render(schemas: &[(&str, &Value)]) -> String {
    let mut headings = BTreeMap::new();
    let mut order = Vec::new();
    for (file, schema) in schemas {
        let root = schema["$ref"].as_str().expect("a root").trim_start_matches("#/$defs/");
        walk(file, root, schema, &mut headings, &mut order);
    }
    let mut text = String::new();
    for (name, schema) in order {
        let definition = &schema["$defs"][&name];
        writeln!(text, "\n### {}\n\n{}", headings[&name], prose(&definition["description"]))
            .expect("a string takes all");
        let reference = Reference { headings: &headings, root: schema };
        match definition["anyOf"].as_array() {
            Some(forms) => reference.forms(forms, &mut text),
            None => reference.keys(definition, &mut text),
        }
    }
    text
}

/// Gives each definition a heading: the way to where it is met first.
fn walk<'s>(
    file: &str,
    root: &str,
    schema: &'s Value,
    headings: &mut BTreeMap<String, String>,
    order: &mut Vec<(String, &'s Value)>,
) {
    let mut next = VecDeque::from([(root.to_owned(), file.to_owned())]);
    while let Some((name, path)) = next.pop_front() {
        if headings.contains_key(&name) {
            continue;
        }
        let is_root = path == file;
        let heading = if is_root { path.clone() } else { format!("`{path}`") };
        // A table that is one of the forms of a value is met at the same place as the value.
        let is_taken = headings.values().any(|each| anchor(each) == anchor(&heading));
        headings.insert(name.clone(), if is_taken { format!("{heading} as a table") } else { heading });
        order.push((name.clone(), schema));
        let mut found = Vec::new();
        gather(&schema["$defs"][&name], if is_root { "" } else { &path }, &mut found);
        next.extend(found);
    }
}

/// The definitions that a schema refers to, each with the way to it.
fn gather(schema: &Value, path: &str, found: &mut Vec<(String, String)>) {
    if let Some(name) = schema["$ref"].as_str() {
        found.push((name.trim_start_matches("#/$defs/").to_owned(), path.to_owned()));
    }
    for form in schema["anyOf"].as_array().into_iter().flatten() {
        gather(form, path, found);
    }
    if schema["items"].is_object() {
        let is_many = !path.ends_with("[]");
        gather(&schema["items"], &if is_many { format!("{path}[]") } else { path.to_owned() }, found);
    }
    if schema["additionalProperties"].is_object() {
        gather(&schema["additionalProperties"], &format!("{path}.NAME"), found);
    }
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        gather(property, &path, found);
    }
}

struct Reference<'a> {
    headings: &'a BTreeMap<String, String>,
    root: &'a Value,
}

impl Reference<'_> {
    /// A table's keys, those that must be there first.
    fn keys(&self, definition: &Value, text: &mut String) {
        let required: Vec<&str> =
            definition["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let empty = Map::new();
        let properties = definition["properties"].as_object().unwrap_or(&empty);
        let (first, later): (Vec<_>, Vec<_>) = properties.iter().partition(|(key, _)| required.contains(&key.as_str()));
        text.push_str("\n| key | value | default | meaning |\n|---|---|---|---|\n");
        for (key, property) in first.into_iter().chain(later) {
            let default = match &property["default"] {
                _ if required.contains(&key.as_str()) => "**required**".to_owned(),
                Value::Null | Value::Object(_) => String::new(),
                Value::Array(items) if items.is_empty() => String::new(),
                default => format!("`{default}`"),
            };
            let row = [format!("`{key}`"), self.kind(property), default, prose(&property["description"])];
            text.push_str(&row_of(&row));
        }
    }

    /// The forms that a value may have.
    fn forms(&self, forms: &[Value], text: &mut String) {
        text.push_str("\n| form | meaning |\n|---|---|\n");
        for form in forms {
            let only = form["properties"].as_object().filter(|_| form["$ref"].is_null()).into_iter().flatten().next();
            let shown = match only {
                Some((key, property)) => format!("`{{ {key} = … }}`: {}", self.kind(property)),
                None => self.kind(form),
            };
            let name = form["$ref"].as_str().map(|path| path.trim_start_matches("#/$defs/"));
            let described = name.map_or(form, |name| &self.root["$defs"][name]);
            text.push_str(&row_of(&[shown, prose(&described["description"])]));
        }
    }

    /// What a value is, in a few words.
    fn kind(&self, schema: &Value) -> String {
        if let Some(name) = schema["$ref"].as_str().map(|path| path.trim_start_matches("#/$defs/")) {
            let heading = &self.headings[name];
            return format!("[{heading}](#{})", anchor(heading));
        }
        if let Some(word) = schema["const"].as_str() {
            return format!("`\"{word}\"`");
        }
        if let Some(words) = schema["enum"].as_array() {
            return words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        }
        if let Some(forms) = schema["anyOf"].as_array() {
            return self.one_of(forms);
        }
        match schema["type"].as_str() {
            Some("string") => text_kind(schema).to_owned(),
            Some("boolean") => "`true` or `false`".to_owned(),
            Some("number") => format!("number from {} to {}", schema["minimum"], schema["maximum"]),
            Some("integer") => match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
                (Some(0), Some(most)) if most < 65_536 => format!("whole number to {most}"),
                (Some(least), Some(most)) if least > 0 && most < 65_536 => {
                    format!("whole number from {least} to {most}")
                }
                _ => "whole number".to_owned(),
            },
            Some("array") => format!("array: {}", self.kind(&schema["items"])),
            Some("object") if schema["additionalProperties"].is_object() => {
                match self.kind(&schema["additionalProperties"]) {
                    any if any == ANYTHING => "values by name".to_owned(),
                    kind => format!("tables by name: {kind}"),
                }
            }
            Some("object") => match schema["properties"].as_object() {
                Some(properties) => {
                    let keys = properties.iter().map(|(key, property)| format!("`{key}`: {}", self.kind(property)));
                    format!("table of {}", keys.collect::<Vec<_>>().join(", "))
                }
                None => "table".to_owned(),
            },
            Some(other) => other.to_owned(),
            None => ANYTHING.to_owned(),
        }
    }

    fn one_of(&self, forms: &[Value]) -> String {
        if let [one, many] = forms
            && many["type"] == "array"
            && many["items"] == *one
        {
            return format!("{}, or an array of such", self.kind(one));
        }
        let kinds: Vec<String> = forms.iter().map(|form| self.kind(form)).collect();
        kinds.join(", or ")
    }
}

/// What has no type.
const ANYTHING: &str = "any value";

fn text_kind(schema: &Value) -> &'static str {
    match (schema["format"].as_str(), schema["pattern"].as_str()) {
        (Some("date"), _) => "date, as `2026-02-11`",
        (_, Some(pattern)) if pattern.contains("us|ms|s|min|h") => "duration, as `\"75s\"`",
        (_, Some("^\\$")) => "a parameter's name",
        _ => "text",
    }
}

/// What GitHub makes of a heading.
pub(crate) fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|each| each.is_alphanumeric() || matches!(each, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn row_of(cells: &[String]) -> String {
    format!("| {} |\n", cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
}

fn prose(description: &Value) -> String {
    description.as_str().unwrap_or_default().to_owned()
}

#[test]
fn anchors_are_as_github_makes_them() {
    assert_eq!(anchor("`vantage.NAME`"), "vantagename");
    assert_eq!(anchor("`expect[].then[]`"), "expectthen");
    assert_eq!(anchor("Scenario file"), "scenario-file");
    let schema = serde_json::json!({
        "$ref": "#/$defs/A",
        "$defs": { "A": { "properties": { "a": { "type": "string", "description": "x|y" } }, "required": ["a"] } }
    });
    assert!(render(&[("File", &schema)]).ends_with("| `a` | text | **required** | x\\|y |\n"));
}
