//! The schemas and the reader say the same.

use std::path::Path;

use roadblock_scenarios::{Library, schema};
use serde_json::{Value, json};

/// Whether a value keeps to a schema, for the keywords that the schemas use. Written apart from the reader on purpose.
fn check(value: &Value, schema: &Value, root: &Value, at: &str) -> Result<(), String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/$defs/").ok_or("a reference to elsewhere")?;
        let target = root["$defs"].get(name).ok_or_else(|| format!("no definition {name}"))?;
        check(value, target, root, at)?;
    }
    if let Some(other) = schema.get("not")
        && check(value, other, root, at).is_ok()
    {
        return Err(format!("{at} fits what it must not"));
    }
    if let Some(condition) = schema.get("if")
        && check(value, condition, root, at).is_ok()
    {
        check(value, &schema["then"], root, at)?;
    }
    if let Some(forms) = schema["anyOf"].as_array() {
        let mistakes: Vec<String> = forms.iter().filter_map(|form| check(value, form, root, at).err()).collect();
        if mistakes.len() == forms.len() {
            return Err(format!("{at} fits no form: {}", mistakes.join("; ")));
        }
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Err(format!("{at}: {value} is none of the words"));
    }
    if schema.get("const").is_some_and(|word| word != value) {
        return Err(format!("{at}: {value} is not the word"));
    }
    // The one pattern that tells forms apart; the others are the reader's business.
    if schema["pattern"] == "^\\$[^$]" && !value.as_str().is_some_and(|text| text.starts_with('$')) {
        return Err(format!("{at}: {value} is no parameter's name"));
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some(other) => return Err(format!("a type the check does not know: {other}")),
        None => true,
    };
    if !fits {
        return Err(format!("{at}: {value} is of the wrong type"));
    }
    for item in value.as_array().into_iter().flatten() {
        check(item, schema.get("items").unwrap_or(&json!({})), root, at)?;
    }
    let Some(object) = value.as_object() else { return Ok(()) };
    for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !object.contains_key(key) {
            return Err(format!("{at}: {key} is missing"));
        }
    }
    for (key, inner) in object {
        let at = format!("{at}.{key}");
        match (schema["properties"].get(key), &schema["additionalProperties"]) {
            (Some(property), _) => check(inner, property, root, &at)?,
            (None, Value::Bool(false)) => return Err(format!("{at}: an unknown key")),
            (None, Value::Object(_)) => check(inner, &schema["additionalProperties"], root, &at)?,
            (None, _) => {}
        }
    }
    Ok(())
}

/// A file as JSON, as an editor's language server sees it.
fn as_json(text: &str) -> Value {
    fn convert(value: &toml::de::DeValue<'_>) -> Value {
        use toml::de::DeValue;
        match value {
            DeValue::String(text) => json!(text),
            DeValue::Integer(number) => json!(number.as_str().parse::<i64>().expect("decimal")),
            DeValue::Float(number) => json!(number.as_str().parse::<f64>().expect("a number")),
            DeValue::Boolean(boolean) => json!(boolean),
            DeValue::Datetime(date) => json!(date.to_string()),
            DeValue::Array(array) => array.iter().map(|each| convert(each.get_ref())).collect(),
            DeValue::Table(table) => {
                table.iter().map(|(key, value)| (key.get_ref().to_string(), convert(value.get_ref()))).collect()
            }
        }
    }
    let table = toml::de::DeTable::parse(text).expect("it is TOML");
    table.get_ref().iter().map(|(key, value)| (key.get_ref().to_string(), convert(value.get_ref()))).collect()
}

fn validate(ids: impl Iterator<Item = String>, schema: &Value) {
    let library = Library::embedded();
    for id in ids {
        let source = library.document(&id).expect("it is there");
        check(&as_json(source.text()), schema, schema, &id).expect("it keeps to the schema");
    }
}

#[test]
fn every_file_of_the_library_keeps_to_its_schema() {
    let library = Library::embedded();
    let owned = |ids: &mut dyn Iterator<Item = &str>| ids.map(str::to_owned).collect::<Vec<_>>().into_iter();
    validate(owned(&mut library.ids()), &schema::scenario());
    validate(owned(&mut library.profiles()), &schema::profile());
    validate(owned(&mut library.services()), &schema::service());
}

#[test]
fn the_check_itself_sees_mistakes() {
    let schema = schema::scenario();
    for bad in [
        json!({ "id": "x" }),
        json!({ "id": "x", "title": "x", "sorces": [] }),
        json!({ "id": "x", "title": "x", "use": 1 }),
        json!({ "id": "x", "title": "x", "vantage": { "a": { "isp": "x" } } }),
        json!({ "id": "x", "title": "x", "expect": [{ "probe": { "dnss": {} }, "verdict": "ok" }] }),
        json!({ "id": "x", "title": "x", "expect": [{ "verdict": "ok" }] }),
        json!({ "extends": "y", "id": "x", "title": "x", "vantage": { "a": { "ips": "x" } } }),
        json!({ "extends": "y", "title": "x" }),
        json!({ "id": "x", "title": "x", "mechanisms": ["dns-lies"] }),
        json!({ "id": "x", "title": "x", "param": { "p": { "type": "$kind" } } }),
    ] {
        assert!(check(&bad, &schema, &schema, "bad").is_err(), "{bad}");
    }
}

#[test]
fn what_extends_another_need_not_say_all_and_parameters_stand_for_values() {
    let schema = schema::scenario();
    for good in [
        json!({ "extends": "y", "id": "x", "title": "x", "vantage": { "a": { "delay": "5ms" } } }),
        json!({ "extends": "y", "id": "x", "title": "x", "expect": [{ "id": "e", "verdict": "ok" }] }),
        json!({ "extends": "y", "id": "x", "title": "x", "vantage": { "a": { "delay": "$slow", "path": "$way" } } }),
        json!({ "extends": "y", "id": "x", "title": "x", "expect": [{ "verdict": "$verdict", "phase": ["$phase"] }] }),
        json!({ "extends": "y", "id": "x", "title": "x", "mechanisms": ["$how"], "set": { "a": [1] } }),
    ] {
        check(&good, &schema, &schema, "good").expect("it keeps to the schema");
    }
}

#[test]
fn every_property_is_described_and_every_reference_leads_somewhere() {
    fn walk(value: &Value, root: &Value) {
        if let Some(name) = value["$ref"].as_str() {
            assert!(root["$defs"].get(name.trim_start_matches("#/$defs/")).is_some(), "{name} leads nowhere");
        }
        for (key, property) in value["properties"].as_object().into_iter().flatten() {
            let described = property["description"].as_str().or(value["description"].as_str());
            assert!(described.is_some_and(|text| !text.is_empty()), "{key} has no description");
        }
        match value {
            // What is asked again of files that stand alone was described where it is a key.
            Value::Object(object) => {
                object.iter().filter(|(key, _)| *key != "then").for_each(|(_, inner)| walk(inner, root));
            }
            Value::Array(array) => array.iter().for_each(|inner| walk(inner, root)),
            _ => {}
        }
    }
    for schema in [schema::scenario(), schema::profile(), schema::service()] {
        walk(&schema, &schema);
    }
}

#[test]
fn the_schemas_are_as_they_were() {
    // A change of the language shows here, and in the file that editors use.
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new("snapshots"));
    settings.bind(|| {
        insta::assert_snapshot!(
            "scenario-schema",
            serde_json::to_string_pretty(&schema::scenario()).expect("it is JSON")
        );
        insta::assert_snapshot!(
            "profile-schema",
            serde_json::to_string_pretty(&schema::profile()).expect("it is JSON")
        );
        insta::assert_snapshot!(
            "service-schema",
            serde_json::to_string_pretty(&schema::service()).expect("it is JSON")
        );
    });
}
