//! What measurements find out beside their verdict, in labs.

mod support;

use std::path::Path;

use serde_json::Value;
use support::{can_run_labs, data, roadblock, said};

/// A run of a scenario of the tests' own, with profiles of their own.
fn run(file: &str) -> Value {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/library").display().to_string();
    let run = said(roadblock(&["--library", &library, "run", &data(file), "--format", "json"]));
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

/// What each expectation found, and how it differs from what it must find, one a line.
fn findings(document: &Value) -> Vec<String> {
    let line = |expected: &Value| {
        let step = &expected["steps"][0];
        let (id, seen) = (expected["id"].as_str().expect("an id"), &step["seen"]);
        format!("{id}: {} {} {}", seen["verdict"].as_str().expect("a word"), seen["found"], step["differs"])
    };
    document["expectations"].as_array().expect("expectations").iter().map(line).collect()
}

/// T26 and RU-L425-3: what is short tells a limit on bytes from one on packets, the other way whose they are.
#[test]
fn a_limit_on_packets_is_told_from_one_on_bytes() {
    if !can_run_labs() {
        return;
    }
    insta::assert_snapshot!(findings(&run("stalls.toml")).join("\n"));
}

/// T27 and T28: a receiver and a sender, each tells losses from delay.
#[test]
fn policing_is_told_from_shaping_each_way() {
    if !can_run_labs() {
        return;
    }
    insta::assert_snapshot!(findings(&run("limits.toml")).join("\n"));
}
