//! What the schema of a scenario must allow beyond what its tables say: a file that extends another need not say all, and a
//! parameter's name may stand for a value.

use serde_json::{Map, Value, json};

/// A schema that fits both files that stand alone and files that extend others. What must be there is asked of the former
/// only; of the latter the reader knows it when it has joined them.
pub(super) fn relax(schema: &mut Value) {
    let Some(needs) = needs(&schema["$defs"]["ScenarioFile"], schema, &mut Vec::new()) else { return };
    for (name, definition) in schema["$defs"].as_object_mut().into_iter().flatten() {
        if !WHOLE.contains(&name.as_str())
            && let Some(definition) = definition.as_object_mut()
        {
            definition.remove("required");
        }
    }
    schema["if"] = json!({ "not": { "required": ["extends"] } });
    schema["then"] = needs;
}

/// Tables that are never laid over another.
const WHOLE: [&str; 4] = ["ScenarioFile", "SourceDeclaration", "Parameter", "Change"];

/// Only what a table and the tables in it require.
fn needs(table: &Value, root: &Value, trail: &mut Vec<String>) -> Option<Value> {
    if let Some(name) = table["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        // A table that holds itself asks for no more than it did before.
        if trail.iter().any(|each| each == name) || WHOLE.contains(&name) && !trail.is_empty() {
            return None;
        }
        trail.push(name.to_owned());
        let needs = needs(&root["$defs"][name], root, trail);
        trail.pop();
        return needs;
    }
    let mut all = Map::new();
    if let Some(required) = table["required"].as_array().filter(|keys| !keys.is_empty()) {
        all.insert("required".to_owned(), json!(required));
    }
    let mut properties = Map::new();
    for (key, property) in table["properties"].as_object().into_iter().flatten() {
        if let Some(inner) = needs(property, root, trail) {
            properties.insert(key.clone(), inner);
        }
    }
    if !properties.is_empty() {
        all.insert("properties".to_owned(), Value::Object(properties));
    }
    for inside in ["items", "additionalProperties"] {
        if table[inside].is_object()
            && let Some(inner) = needs(&table[inside], root, trail)
        {
            all.insert(inside.to_owned(), inner);
        }
    }
    (!all.is_empty()).then_some(Value::Object(all))
}

/// Lets the name of a parameter stand wherever a value may.
pub(super) fn allow_parameters(schema: &mut Value) {
    let tables: Vec<String> = schema["$defs"].as_object().map(|all| all.keys().cloned().collect()).unwrap_or_default();
    let is_table = |name: &str, root: &Value| root["$defs"][name]["properties"].is_object();
    let plain: Vec<String> = tables.iter().filter(|name| is_table(name, schema)).cloned().collect();
    for name in &tables {
        let definition = &mut schema["$defs"][name];
        let forms = if definition.get("anyOf").is_some() {
            definition["anyOf"].as_array_mut().into_iter().flatten().collect()
        } else {
            vec![definition]
        };
        for form in forms {
            let properties = form.get_mut("properties").and_then(Value::as_object_mut);
            for (key, property) in properties.into_iter().flatten() {
                if !(name == "ScenarioFile" && FIXED.contains(&key.as_str()) || name == "Parameter") {
                    allow(property, &plain);
                }
            }
        }
    }
    schema["$defs"]["ParameterName"] = json!({
        "type": "string",
        "pattern": "^\\$[^$]",
        "description": "A parameter of the scenario, `$` before its name.",
    });
}

/// Keys that are read before parameters are filled in.
const FIXED: [&str; 7] = ["kind", "id", "title", "extends", "without", "param", "set"];

fn allow(value: &mut Value, tables: &[String]) {
    for inside in ["items", "additionalProperties"] {
        if value[inside].is_object() {
            allow(&mut value[inside], tables);
        }
    }
    value
        .get_mut("anyOf")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter(|form| form["type"] == "array")
        .for_each(|form| {
            if form["items"].is_object() {
                allow(&mut form["items"], tables);
            }
        });
    let name = value["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
    let is_table = value["type"] == "object" || name.is_some_and(|name| tables.iter().any(|table| table == name));
    let is_any_text = value["type"] == "string" && value.get("pattern").is_none() && value.get("format").is_none();
    let is_anything = ["type", "$ref", "anyOf", "enum", "const"].iter().all(|key| value.get(*key).is_none());
    if is_table || is_any_text || is_anything {
        return;
    }
    let mut inner = value.take();
    let description = inner.as_object_mut().and_then(|object| object.remove("description"));
    *value = json!({ "anyOf": [inner, { "$ref": "#/$defs/ParameterName" }] });
    if let Some(description) = description {
        value["description"] = description;
    }
}
