//! Exit statuses and messages that need no lab.

mod support;

use support::{FLAGSHIP, program, roadblock, said};

#[test]
fn bad_usage_is_two_and_under_exec_one_hundred_and_twenty_five() {
    for (arguments, status) in [
        (&["run"][..], 2),
        (&["nonsense"], 2),
        (&["run", "no/such"], 2),
        (&["run", FLAGSHIP, "--phase", "never"], 2),
        (&["run", FLAGSHIP, "--out", "/proc/no/such"], 2),
        (&["show", "./missing.toml"], 2),
        (&["--library", "/no/such/folder", "list"], 2),
        (&["exec", FLAGSHIP], 125),
        (&["exec", "no/such", "--", "true"], 125),
        (&["exec", FLAGSHIP, "--vantage", "moon", "--", "true"], 125),
        (&["shell", "./missing.toml"], 125),
        (&["--library", "/no/such/folder", "exec", FLAGSHIP, "--", "true"], 125),
        (&["--help"], 0),
        (&["exec", "--help"], 0),
    ] {
        let said = said(roadblock(arguments));
        assert_eq!(said.status, status, "{arguments:?}: {}", said.stderr);
    }
}

#[test]
fn all_mistakes_come_at_once_with_their_lines() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("bad.toml");
    let text = "id = \"x/bad\"\ntitle = 3\nuse = [\"services/whatsap\"]\n\n[vantage.here]\nresolver = [\"8.8.8.8\"]\n";
    std::fs::write(&path, text).expect("written");
    let path = path.display().to_string();
    let human = said(roadblock(&["check", &path]));
    assert_eq!((human.status, human.stdout), (2, format!("{path}: failed\n")));
    for place in ["bad.toml:2:", "bad.toml:3:", "bad.toml:6:"] {
        assert!(human.stderr.contains(place), "{place} in\n{}", human.stderr);
    }
    let json = said(roadblock(&["check", &path, FLAGSHIP, "--format", "json"]));
    let document: serde_json::Value = serde_json::from_str(&json.stdout).expect("a document");
    assert_eq!((json.status, &document["schema"]), (2, &"roadblock.check/1".into()));
    assert_eq!((&document["scenarios"][0]["ok"], &document["scenarios"][1]["ok"]), (&false.into(), &true.into()));
    assert!(document["scenarios"][0]["errors"].as_array().is_some_and(|errors| errors.len() >= 3));
}

#[test]
fn each_scenario_of_the_library_is_listed_sound_and_explained() {
    let list = said(roadblock(&["list", "--format", "json"]));
    assert_eq!(list.status, 0, "{}", list.stderr);
    let list: serde_json::Value = serde_json::from_str(&list.stdout).expect("a document");
    let ids: Vec<&str> =
        list["scenarios"].as_array().expect("scenarios").iter().filter_map(|each| each["id"].as_str()).collect();
    assert!(ids.contains(&FLAGSHIP));
    for id in ids {
        for format in ["human", "json"] {
            let shown = said(roadblock(&["show", id, "--format", format]));
            assert_eq!((shown.status, &*shown.stderr), (0, ""), "{id}");
        }
    }
}

#[test]
fn schemas_and_completions_are_printed() {
    for of in ["scenario", "profile", "service", "run"] {
        let schema = said(roadblock(&["schema", of]));
        let schema: serde_json::Value = serde_json::from_str(&schema.stdout).expect("a schema");
        assert!(schema["$schema"].is_string(), "{of}");
    }
    for shell in ["bash", "fish", "zsh"] {
        assert!(said(roadblock(&["completions", shell])).stdout.contains("roadblock"), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::Stdio;

    let script = format!("'{}' schema run | true", env!("CARGO_BIN_EXE_roadblock"));
    let output = program("sh").args(["-c", &script]).stderr(Stdio::piped()).output().expect("a shell");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
