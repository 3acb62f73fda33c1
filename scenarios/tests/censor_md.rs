//! `docs/censor.md` says what is: its examples are read, and each key that its tables name is in the language.

use std::fs;
use std::path::Path;

use roadblock_scenarios::{Library, schema};
use serde_json::Value;

/// Keys that the page promises and the language does not have yet. It must become empty.
const PROMISED: &[&str] = &[];

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/censor.md")).expect("the page")
}

/// The blocks of TOML.
fn blocks(page: &str) -> Vec<&str> {
    let parts = page.split("```toml\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default()).collect()
}

/// Reads a block: a profile as it stands, and anything else as lines of a rule.
fn read(block: &str) -> Result<(), String> {
    let head = "kind = \"profile\"\nid = \"censors/example\"\ntitle = \"T\"\nparam.pool = { type = \"addresses\" }\n\
                box.place = \"in-path\"\n[[rule]]\nid = \"one\"\nwhen = { tls.sni = \"a.b\" }\n";
    let text = if block.contains("kind = \"profile\"") { block.to_owned() } else { format!("{head}{block}") };
    let library = Library::embedded().with_files([("censors/example.toml".to_owned(), text)]);
    library.profile("censors/example", "").map(drop).map_err(|mistakes| mistakes.to_string())
}

#[test]
fn every_example_of_the_page_is_read() {
    let page = page();
    let blocks = blocks(&page);
    assert!(blocks.len() >= 3, "{blocks:?}");
    for block in blocks {
        if let Err(mistakes) = read(block) {
            panic!("{block}\n{mistakes}");
        }
    }
}

/// The rows of the table below a heading of columns, each as its cells.
fn table<'a>(page: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let from = page.find(heading).unwrap_or_else(|| panic!("no table begins with {heading}"));
    let rows = page[from..].lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// What stands in backticks and has the form of a key.
fn keys(cell: &str) -> Vec<&str> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.filter(|word| word.chars().all(|each| each.is_ascii_alphanumeric() || matches!(each, '.' | '-'))).collect()
}

/// Whether a definition has a key, which may lie in tables inside it.
fn has(schema: &Value, definition: &Value, key: &str) -> bool {
    if let Some(name) = definition["$ref"].as_str() {
        let name = name.trim_start_matches("#/$defs/");
        return has(schema, &schema["$defs"][name], key);
    }
    if let Some(forms) = definition["anyOf"].as_array() {
        return forms.iter().any(|form| has(schema, form, key));
    }
    if definition["type"] == "array" {
        return has(schema, &definition["items"], key);
    }
    let (first, rest) = key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
    let property = &definition["properties"][first];
    !property.is_null() && rest.is_none_or(|rest| has(schema, property, rest))
}

/// The keys of a table that a definition lacks.
fn missing(heading: &str, column: usize, definition: &str) -> Vec<String> {
    let (page, schema) = (page(), schema::profile());
    let start = &schema["$defs"][definition];
    assert!(!start.is_null(), "no {definition}");
    let rows = table(&page, heading);
    let named: Vec<String> =
        rows.iter().flat_map(|row| keys(row.get(column).copied().unwrap_or_default())).map(str::to_owned).collect();
    assert!(named.len() > 15, "{named:?}");
    named.into_iter().filter(|key| !has(&schema, start, key)).collect()
}

#[test]
fn every_key_of_a_box_is_in_the_language() {
    let missing = missing("| key | values, the default first |", 0, "BoxDeclaration");
    let missing: Vec<&String> = missing.iter().filter(|key| !PROMISED.contains(&key.as_str())).collect();
    assert!(missing.is_empty(), "the page names keys of a box that are none: {missing:?}");
}

#[test]
fn every_key_of_a_condition_is_in_the_language() {
    let missing = missing("| about | keys |", 1, "When");
    // These stand beside `when`, or beside another key.
    let beside = ["when", "after", "offset"];
    let missing: Vec<&String> =
        missing.iter().filter(|key| !PROMISED.contains(&key.as_str()) && !beside.contains(&key.as_str())).collect();
    assert!(missing.is_empty(), "the page names keys of `when` that are none: {missing:?}");
}

#[test]
fn what_is_promised_is_not_there_yet() {
    let schema = schema::profile();
    let kept = |key: &&str| ["BoxDeclaration", "When"].iter().any(|name| has(&schema, &schema["$defs"][name], key));
    let kept: Vec<&str> = PROMISED.iter().copied().filter(kept).collect();
    assert!(kept.is_empty(), "promised no more: {kept:?}");
}

/// What the language has and the page does not name is a secret.
#[test]
fn every_key_of_the_language_is_on_the_page() {
    let (page, schema) = (page(), schema::profile());
    let mut secret = Vec::new();
    for definition in
        ["BoxDeclaration", "When", "RuleDeclaration", "ThenWhat", "InjectDeclaration", "ResponseDeclaration"]
    {
        let mut all = Vec::new();
        gather(&schema, &schema["$defs"][definition], "", &mut all, 3);
        secret.extend(all.into_iter().filter(|key| !says(&page, key)).map(|key| format!("{definition}: {key}")));
    }
    assert!(secret.is_empty(), "docs/censor.md does not name {secret:#?}");
}

/// All keys of a definition and of the tables inside it, with dots.
fn gather(schema: &Value, definition: &Value, before: &str, all: &mut Vec<String>, depth: usize) {
    let definition = match definition["$ref"].as_str() {
        Some(name) => &schema["$defs"][name.trim_start_matches("#/$defs/")],
        None => definition,
    };
    for form in definition["anyOf"].as_array().into_iter().flatten() {
        gather(schema, form, before, all, depth);
    }
    if definition["type"] == "array" {
        gather(schema, &definition["items"], before, all, depth);
    }
    for (key, inner) in definition["properties"].as_object().into_iter().flatten() {
        let key = if before.is_empty() { key.clone() } else { format!("{before}.{key}") };
        if depth > 1 && !["any", "not", "when"].contains(&key.as_str()) {
            gather(schema, inner, &key, all, depth - 1);
        }
        all.push(key);
    }
}

/// Whether the page has a key: with its dots, or its last part as a word of its own.
fn says(page: &str, key: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or(key);
    let is_part = |each: char| each.is_ascii_alphanumeric() || each == '-';
    page.contains(&format!("`{key}`")) || page.split(|each: char| !is_part(each)).any(|word| word == last)
}
