//! Exit statuses and messages that need no lab.

mod support;

use support::{FLAGSHIP, data, program, roadblock, said};

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
        (&["replay", "/no/such/file", "--profile", "censors/sni-drop"], 2),
        (&["replay", "/", "--profile", "censors/sni-drop"], 2),
        (&["replay", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "--profile", "censors/sni-drop"], 2),
        (&["replay", "x.pcap"], 2),
        (&["replay", "x.pcap", "--profile", "censors/no-such"], 2),
        (&["replay", "x.pcap", "--profile", "censors/sni-drop", "--set", "nmes = \"a.b\""], 2),
        (&["replay", "x.pcap", "--scenario", FLAGSHIP, "--hop", "moon"], 2),
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
    let found = document["scenarios"][0]["diagnostics"].as_array().expect("what was found");
    assert!(found.len() >= 3, "{found:?}");
    let unknown = found.iter().find(|each| each["code"] == "unknown-key").expect("`resolver` is unknown");
    let expected = serde_json::json!({
        "severity": "error", "code": "unknown-key", "message": "unknown key `resolver`", "file": path, "line": 6,
        "column": 1, "help": unknown["help"],
    });
    assert_eq!(*unknown, expected);
    assert!(unknown["help"].as_str().is_some_and(|help| help.contains("`resolvers`")), "{unknown}");
}

#[test]
fn what_is_odd_is_a_warning_that_can_be_denied() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("odd.toml");
    let text = std::fs::read_to_string(support::library().join("mechanisms/ip-drop.toml")).expect("a scenario");
    let (from, to) = ("at = \"access\"\ndrop", "at = \"access\"\nreset = [\"31.13.84.0/24\"]\ndrop");
    assert!(text.contains(from));
    std::fs::write(&path, text.replace(from, to)).expect("written");
    let path = path.display().to_string();
    let odd = said(roadblock(&["check", &path]));
    assert_eq!((odd.status, odd.stdout), (0, format!("{path}: ok\n")));
    assert!(odd.stderr.contains("warning: these prefixes match no address of the lab"), "{}", odd.stderr);
    assert!(odd.stderr.trim_end().ends_with("\n1 warning"), "{}", odd.stderr);
    let denied = said(roadblock(&["check", &path, "--deny", "warnings", "--format", "json"]));
    let document: serde_json::Value = serde_json::from_str(&denied.stdout).expect("a document");
    assert_eq!((denied.status, &document["scenarios"][0]["ok"]), (2, &false.into()));
    assert_eq!(document["scenarios"][0]["diagnostics"][0]["severity"], "warning");
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
    for of in ["scenario", "profile", "service", "run", "replay"] {
        let schema = said(roadblock(&["schema", of]));
        let schema: serde_json::Value = serde_json::from_str(&schema.stdout).expect("a schema");
        assert!(schema["$schema"].is_string(), "{of}");
        jsonschema::validator_for(&schema).expect("a schema as the standard has it");
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

/// What curl said in a lab where nothing was blocked, in a file of a lab's own.
const CAPTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/curl-whatsapp.pcapng");

#[test]
fn a_replay_says_packet_by_packet_what_a_censor_would_have_done() {
    let arguments = ["replay", CAPTURE, "--profile", "censors/sni-drop", "--set", "names = [\"whatsapp.com\"]"];
    let human = said(roadblock(&arguments));
    assert_eq!((human.status, &*human.stderr), (0, ""));
    insta::assert_snapshot!(human.stdout.replace(CAPTURE, "[capture]"));
    let nothing = said(roadblock(&["replay", CAPTURE, "--profile", "censors/sni-drop", "--set", "names = \"a.b\""]));
    insta::assert_snapshot!(nothing.stdout.replace(CAPTURE, "[capture]"));
}

#[test]
fn the_document_of_a_replay_is_what_its_schema_says() {
    let schema = said(roadblock(&["schema", "replay"]));
    let schema: serde_json::Value = serde_json::from_str(&schema.stdout).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a validator");
    let profile = ["--profile", "censors/sni-drop", "--name", "box", "--set", "names = \"whatsapp.com\""];
    for who in [&profile[..], &["--scenario", FLAGSHIP]] {
        let replayed = said(roadblock(&[&["replay", CAPTURE, "--format", "json"], who].concat()));
        let document: serde_json::Value = serde_json::from_str(&replayed.stdout).expect("a document");
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        assert_eq!(document["schema"], "roadblock.replay/1");
        assert!(document["events"].as_array().is_some_and(|events| !events.is_empty()));
    }
}

/// Of a capture from anywhere, each packet is judged, and inside is what the command says or who began.
#[test]
fn a_capture_from_anywhere_has_the_sides_that_the_command_says() {
    let directory = tempfile::tempdir().expect("a directory");
    let plain = directory.path().join("plain.pcap");
    let plain = plain.to_str().expect("a plain path");
    assert!(program("editcap").args(["-F", "pcap", CAPTURE, plain]).status().expect("editcap runs").success());
    for (inside, kinds) in [
        (&[][..], &["dropped", "residual-armed"][..]),
        (&["--inside", "95.167.0.0/16"], &["dropped", "residual-armed"]),
        (&["--inside", "2001:db8::/32", "--inside", "192.0.2.0/24"], &[]),
    ] {
        let set = ["--set", "names = \"whatsapp.com\"", "--format", "json"];
        let replayed =
            said(roadblock(&[&["replay", plain, "--profile", "censors/sni-drop"], &set[..], inside].concat()));
        let document: serde_json::Value = serde_json::from_str(&replayed.stdout).expect("a document");
        let found: std::collections::BTreeSet<&str> =
            document["events"].as_array().expect("events").iter().filter_map(|event| event["kind"].as_str()).collect();
        let found: Vec<&str> = found.into_iter().filter(|kind| *kind != "passed").collect();
        assert_eq!(found, kinds, "{inside:?}");
    }
}

/// Packets wait for a rate, and for their other fragments; an event says where in the packet its reason stands.
#[test]
fn what_waits_goes_on_in_a_replay_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let profile = directory.path().join("slow.toml");
    let text = "kind = \"profile\"\nid = \"slow\"\ntitle = \"Slow\"\nbox = { place = \"in-path\", fragments = { queue = {} } }\n\
                [[rule]]\nid = \"name\"\nwhen = { tls.sni = \"whatsapp.com\" }\nalso = true\n\
                [[rule]]\nid = \"slow\"\nwhen = { protocol = \"tcp\" }\ntrigger = { shape = { rate = \"8kbit\", queue = \"60s\" } }\n";
    std::fs::write(&profile, text).expect("written");
    let profile = profile.to_str().expect("a plain path");
    let replayed = said(roadblock(&["replay", CAPTURE, "--profile", profile, "--format", "json"]));
    assert_eq!(replayed.status, 0, "{}", replayed.stderr);
    let document: serde_json::Value = serde_json::from_str(&replayed.stdout).expect("a document");
    assert_eq!((&document["packets"]["passed"], &document["packets"]["dropped"]), (&41.into(), &0.into()));
    let events = document["events"].as_array().expect("events");
    assert!(events.iter().any(|event| event["kind"] == "shaped"), "{events:#?}");
    let named = events.iter().find(|event| event["rule"] == "name").expect("the name is found");
    let at = |end: usize| named["bytes"][end].as_u64().expect("a place");
    assert_eq!(at(1) - at(0), "web.whatsapp.com".len() as u64, "{named:#}");
}

#[test]
fn a_scenario_is_shown_with_everything_filled_in() {
    let directory = tempfile::tempdir().expect("a directory");
    let mine = directory.path().join("mine.toml");
    let text = "id = \"mine/one\"\ntitle = \"Mine\"\nextends = \"ru/whatsapp-2026\"\nvantage.moscow.delay = \"9ms\"\n";
    std::fs::write(&mine, text).expect("written");
    let mine = mine.display().to_string();
    let shown = said(roadblock(&["show", "--resolved", &mine, "--phase", "full-block"]));
    assert_eq!((shown.status, &*shown.stderr), (0, ""));
    assert!(shown.stdout.contains(&format!("# {mine}:4\n")), "{}", shown.stdout);
    // What is shown is a scenario again.
    let again = directory.path().join("again.toml");
    std::fs::write(&again, &shown.stdout).expect("written");
    let checked = said(roadblock(&["check", &again.display().to_string()]));
    assert_eq!(checked.status, 0, "{}", checked.stderr);
    let json = said(roadblock(&["show", "--resolved", &mine, "--format", "json"]));
    let document: serde_json::Value = serde_json::from_str(&json.stdout).expect("a document");
    assert_eq!(document["schema"], "roadblock.resolved/1");
    let values = document["values"].as_array().expect("values");
    let delay = values.iter().find(|each| each["path"] == "vantage.moscow.delay").expect("it is there");
    assert_eq!((&delay["value"], &delay["from"], &delay["line"]), (&"9ms".into(), &"file".into(), &4.into()));
    for arguments in [
        &["show", "--resolved", &mine, "--phase", "never"][..],
        &["show", &mine, "--phase", "full-block"],
        &["show", &mine, "--set", "no-such=1"],
    ] {
        assert_eq!(said(roadblock(arguments)).status, 2, "{arguments:?}");
    }
}

/// An editor asks of a file that extends another less than of one that stands alone, and takes a parameter for a value.
#[test]
fn editors_are_told_what_the_reader_takes() {
    let schema = said(roadblock(&["schema"]));
    let schema: serde_json::Value = serde_json::from_str(&schema.stdout).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a validator");
    let vantage = serde_json::json!({ "delay": "$slow" });
    let alone = serde_json::json!({ "id": "a/b", "title": "T", "vantage": { "x": vantage } });
    assert!(!validator.is_valid(&alone), "a vantage has a network and a path");
    let mut extending = alone.clone();
    extending["extends"] = "ru/whatsapp-2026".into();
    assert!(validator.is_valid(&extending));
    extending["vantage"]["x"]["delay"] = "fast".into();
    assert!(!validator.is_valid(&extending), "no duration, and no parameter");
}

/// Who is connected unusually, what is not a service, and what would be run, is told before anything is.
#[test]
fn show_tells_of_machines_and_translators() {
    let show = |file: &str| said(roadblock(&["show", &data(file)])).stdout;
    assert!(show("nat64.toml").contains("; IPv6 alone, and IPv4 by NAT64"), "{}", show("nat64.toml"));
    assert!(show("nat.toml").contains("; behind NAT: home, carrier"), "{}", show("nat.toml"));
    let machines = show("machines.toml");
    assert!(
        machines.contains("site      at access  95.167.250.10, 2a01:620:0:f5::10  runs `echo a site begins"),
        "{machines}"
    );
    assert!(machines.contains("commands that this machine would run: 2"), "{machines}");
}

/// The documents are what `roadblock test mechanisms/shutdown --probe ping --partition count:K/2 --format json` printed.
#[test]
fn parts_of_a_test_are_joined_without_a_lab_and_exit_as_the_test() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let (first, second) = (data("parts/1-of-2.json"), data("parts/2-of-2.json"));
    let junit = directory.path().join("junit.xml").display().to_string();
    let merged = said(roadblock(&["report", "merge", &second, &first, "--junit", &junit]));
    assert_eq!((merged.status, &*merged.stderr), (0, ""));
    assert!(merged.stdout.contains("1 scenarios, 2 phases: "), "{}", merged.stdout);
    let xml = std::fs::read_to_string(junit).expect("a file");
    assert_eq!(xml.matches("<testsuite ").count(), 2, "{xml}");

    let text = std::fs::read_to_string(&second).expect("a document");
    assert!(text.contains("\"as_expected\": true"), "{text}");
    let failed =
        write("failed.json", &text.replace("\"conclusion\": \"as-expected\"", "\"conclusion\": \"unexpected\""));
    let merged = said(roadblock(&["report", "merge", &first, &failed, "--format", "json"]));
    let document: serde_json::Value = serde_json::from_str(&merged.stdout).expect("a document");
    assert_eq!((merged.status, &document["conclusion"]), (1, &"unexpected".into()));

    let seed = write("seed.json", &text.replace("\"seed\": 1", "\"seed\": 2"));
    let half = write("half.json", &text[..text.len() / 2]);
    for (files, what) in [
        (&[&first][..], "no file is of part count:2/2".to_owned()),
        (&[&first, &second, &second], "are both of part count:2/2".to_owned()),
        (&[&first, &seed], format!("`{first}` has seed 1 and `{seed}` has seed 2")),
        (&[&first, &half], format!("`{half}` is no document")),
        (&[&first, &"/no/such".to_owned()], "failed to read `/no/such`".to_owned()),
    ] {
        let arguments: Vec<&str> =
            ["report", "merge"].into_iter().chain(files.iter().map(|file| file.as_str())).collect();
        let refused = said(roadblock(&arguments));
        assert_eq!((refused.status, &*refused.stdout), (2, ""), "{refused:?}");
        assert!(refused.stderr.contains(&what), "{refused:?}");
    }
}
