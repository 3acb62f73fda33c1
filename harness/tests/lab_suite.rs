//! `roadblock test`: many scenarios, parts of them, and scenarios without one of their rules.

mod support;

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use support::{Said, can_run_labs, library, roadblock, said};

#[test]
fn the_document_is_what_its_schema_says_and_parts_are_together_the_whole() {
    if !can_run_labs() {
        return;
    }
    let schema = document(&said(roadblock(&["schema", "test"])));
    let validator = jsonschema::validator_for(&schema).expect("a validator");
    let whole = suite(&["mechanisms/dns-*"]);
    let errors: Vec<String> = validator.iter_errors(&whole).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(
        (whole["schema"].as_str(), whole["conclusion"].as_str()),
        (Some("roadblock.test/1"), Some("as-expected"))
    );
    assert!(units(&whole).len() >= 6, "{whole:#}");
    for way in ["count", "hash"] {
        let parts = [1, 2, 3].map(|part| suite(&["mechanisms/dns-*", "--partition", &format!("{way}:{part}/3")]));
        let together: Vec<Value> = parts.iter().flat_map(units).collect();
        let names = |units: &[Value]| units.iter().map(ToString::to_string).collect::<BTreeSet<String>>();
        assert_eq!(names(&together), names(&units(&whole)), "{way}");
        assert_eq!(together.len(), units(&whole).len(), "{way}: no unit is played twice");
    }
}

#[test]
fn parts_that_are_joined_give_the_document_of_the_whole() {
    if !can_run_labs() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let whole = suite(&["mechanisms/dns-*"]);
    // There are more parts than some scenarios have phases, and by their names some parts may be empty.
    for (way, of) in [("count", 3), ("hash", 5)] {
        let part = |part: u32| {
            let file = directory.path().join(format!("{way}-{part}.json")).display().to_string();
            let document = suite(&["mechanisms/dns-*", "--partition", &format!("{way}:{part}/{of}")]);
            fs::write(&file, document.to_string()).expect("written");
            file
        };
        // In another order than that in which they were dealt out.
        let files: Vec<String> = (1..=of).rev().map(part).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let merged = said(roadblock(&[&["report", "merge", "--format", "json"], &*files].concat()));
        assert_eq!(merged.status, 0, "{}", merged.stderr);
        assert_eq!(without_times(&document(&merged)), without_times(&whole), "{way}");
        let short = said(roadblock(&[&["report", "merge"], &files[1..]].concat()));
        assert_eq!(short.status, 2, "{short:?}");
        assert!(short.stderr.contains(&format!("no file is of part {way}:{of}/{of}")), "{short:?}");
    }
}

#[test]
fn what_did_not_go_as_expected_is_told_in_the_table_and_to_junit() {
    if !can_run_labs() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let scenario = fs::read_to_string(library().join("mechanisms/sni-reset-client.toml")).expect("the scenario");
    let listed = "to-client = [";
    assert!(scenario.contains(listed), "{scenario}");
    let broken =
        scenario.replace(listed, "to-client = [\"gosuslugi.ru\"] # ").replace("mechanisms/sni-reset-client", "mine");
    fs::write(directory.path().join("mine.toml"), broken).expect("written");
    let junit = directory.path().join("junit.xml").display().to_string();
    let folder = directory.path().display().to_string();
    let test = said(roadblock(&["test", &folder, "mechanisms/sni-drop-3t", "--junit", &junit]));
    assert_eq!(test.status, 1, "{}{}", test.stdout, test.stderr);
    assert!(test.stdout.contains("differs   verdict"), "{}", test.stdout);
    let row = |name: &str| test.stdout.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(row("mine").ends_with("unexpected"), "{}", test.stdout);
    assert!(row("mechanisms/sni-drop-3t").ends_with("as expected"), "{}", test.stdout);
    let xml = fs::read_to_string(junit).expect("a file");
    assert!(xml.contains("<testsuite name=\"mine@always\"") && xml.contains("<failure"), "{xml}");
}

#[test]
fn a_rule_that_nothing_proves_survives() {
    if !can_run_labs() {
        return;
    }
    let sound = said(roadblock(&["test", "--mutate", "mechanisms/sni-reset-client"]));
    assert_eq!(sound.status, 0, "{}{}", sound.stdout, sound.stderr);
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("mine.toml");
    let scenario = fs::read_to_string(library().join("mechanisms/sni-reset-client.toml")).expect("the scenario");
    let unproved = scenario
        .replace("mechanisms/sni-reset-client", "mine")
        .replace("profile =", "to-server = [\"github.com\"]\nprofile =");
    fs::write(&path, unproved).expect("written");
    let path = path.display().to_string();
    let mutants = said(roadblock(&["test", "--mutate", &path, "--format", "json"]));
    assert_eq!(mutants.status, 1, "{}{}", mutants.stdout, mutants.stderr);
    let fates = document(&mutants)["mutants"].clone();
    let survivors = fates.as_array().expect("a list").iter().filter(|mutant| mutant["fate"]["is"] == "survived");
    let survivors: Vec<&str> = survivors.filter_map(|mutant| mutant["without"].as_str()).collect();
    assert_eq!(survivors, ["box/to-server"], "{fates:#}");
}

#[test]
fn what_is_not_there_is_said_before_any_lab() {
    for (arguments, what) in [
        (&["test", "xx/*"][..], "no scenario of the library is like `xx/*`"),
        (&["test", "xx/nothing"], "the library has no scenario `xx/nothing`"),
        (&["test", "--mechanism", "magic"], "`magic` is not a mechanism"),
        (&["test", "--partition", "count:3/2"], "with K from 1 to N"),
    ] {
        let test = said(roadblock(arguments));
        assert_eq!(test.status, 2, "{test:?}");
        assert!(test.stderr.contains(what), "{test:?}");
    }
}

/// Of strangers' scenarios too only those commands are run that the user allows.
#[test]
fn a_strangers_commands_are_refused_and_allowed() {
    let machines = support::data("machines.toml");
    let refused = said(roadblock(&["test", &machines]));
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(
        refused.stderr.contains("machines.toml:28:7: ") && refused.stderr.contains("--allow-commands"),
        "{refused:?}"
    );
    if !can_run_labs() {
        return;
    }
    let allowed = said(roadblock(&["test", &machines, "--allow-commands"]));
    assert_eq!(allowed.status, 0, "{allowed:?}");
}

fn suite(arguments: &[&str]) -> Value {
    let test = said(roadblock(&[&["test", "--format", "json"], arguments].concat()));
    assert_eq!(test.status, 0, "{}{}", test.stdout, test.stderr);
    document(&test)
}

fn document(said: &Said) -> Value {
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

/// The units of a document, without their times.
fn units(document: &Value) -> Vec<Value> {
    document["units"].as_array().expect("units").iter().map(without_times).collect()
}

/// Without what differs from one time to the next.
fn without_times(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members
                .iter()
                .filter(|(name, _)| !["milliseconds", "tries", "percent", "evidence"].contains(&name.as_str()));
            kept.map(|(name, value)| (name.clone(), without_times(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_times).collect(),
        other => other.clone(),
    }
}
