//! Programs as measurements, and whose commands are run.

mod support;

use std::collections::BTreeSet;
use std::fs;

use support::{can_run_labs, data, roadblock, said};

#[test]
fn programs_are_judged_by_how_they_end() {
    if !can_run_labs() {
        return;
    }
    let run = said(roadblock(&["run", &data("commands.toml"), "--allow-commands", "--format", "json"]));
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).expect("a document");
    let expectations = report["expectations"].as_array().expect("expectations");
    let seen = |id: &str| {
        let found = expectations.iter().find(|each| each["id"] == id).expect("the expectation");
        found["steps"][0]["seen"].clone()
    };
    let how = seen("reset")["how"].as_str().expect("evidence").to_owned();
    assert!(how.starts_with("ends with status 35: curl: (35)"), "{how}");
    assert!(seen("not-there")["how"].as_str().expect("evidence").contains("not found"));
}

/// The commands of a measurement come from the address of its client, so that what they met is known.
#[test]
fn each_command_has_a_client_of_its_own() {
    if !can_run_labs() {
        return;
    }
    let run = said(roadblock(&["run", &data("commands.toml"), "--allow-commands", "--format", "json"]));
    let report: serde_json::Value = serde_json::from_str(&run.stdout).expect("a document");
    let clients: BTreeSet<&str> = report["events"]
        .as_array()
        .expect("events")
        .iter()
        .filter(|event| event["rule"] == "sni-1")
        .filter_map(|event| event["client"].as_str())
        .collect();
    for id in ["reset", "reset-as-said"] {
        let expectations = report["expectations"].as_array().expect("expectations");
        let expected = expectations.iter().find(|each| each["id"] == id).expect("the expectation");
        let own = expected["clients"][0].as_str().expect("an address");
        assert!(clients.contains(own), "{id}: {own} is not in {clients:?}");
    }
}

/// Exit status 2, or 125 where a command of the user's own was to run; the line and the flag are named.
#[test]
fn a_strangers_commands_are_refused_with_their_line() {
    let machines = data("machines.toml");
    let refused = said(roadblock(&["run", &machines]));
    assert_eq!(refused.status, 2, "{refused:?}");
    insta::assert_snapshot!(refused.stderr.replace(&machines, "machines.toml"));
    let refused = said(roadblock(&["exec", &machines, "--", "true"]));
    assert_eq!(refused.status, 125, "{refused:?}");
    let commands = said(roadblock(&["run", &data("commands.toml")]));
    assert_eq!(commands.status, 2, "{commands:?}");
    assert!(commands.stderr.contains("commands.toml:30:29: "), "{commands:?}");
}

/// A folder laid over the library is a stranger's, whatever its scenarios are called.
#[test]
fn a_strangers_library_is_refused_too() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::create_dir(directory.path().join("ru")).expect("a folder");
    let text = fs::read_to_string(data("machines.toml")).expect("the scenario");
    let text = text.replace("tests/machines", "ru/mine");
    fs::write(directory.path().join("ru/mine.toml"), text).expect("it was written");
    let library = directory.path().to_str().expect("a plain path");
    let refused = said(roadblock(&["--library", library, "run", "ru/mine"]));
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(refused.stderr.contains("--allow-commands"), "{refused:?}");
}
