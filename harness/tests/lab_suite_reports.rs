//! Where what `roadblock test` found goes besides its own output, and what it leaves for the next test.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::{Said, can_run_labs, library, program, roadblock, said};

/// A scenario whose first expectations fail, and one that goes well, in a folder of their own.
fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = fs::read_to_string(library().join("mechanisms/sni-reset-client.toml")).expect("the scenario");
    let listed = "to-client = [";
    assert!(scenario.contains(listed), "{scenario}");
    let named = |name: &str| scenario.replace("mechanisms/sni-reset-client", name);
    let broken = named("broken").replace(listed, "to-client = [\"gosuslugi.ru\"] # ");
    fs::create_dir(folder.path().join("scenarios")).expect("a folder");
    fs::write(folder.path().join("scenarios/broken.toml"), broken).expect("written");
    fs::write(folder.path().join("scenarios/sound.toml"), named("sound")).expect("written");
    folder
}

/// The binary in a workspace, whose state lies there too.
fn there(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = roadblock(arguments);
    command.current_dir(folder).env("XDG_STATE_HOME", folder.join("state")).env_remove("GITHUB_ACTIONS");
    command
}

#[test]
fn a_job_of_githubs_gets_annotations_and_a_summary() {
    if !can_run_labs() {
        return;
    }
    let folder = workspace();
    let file = |name: &str| folder.path().join(name);
    fs::write(file("summary.md"), "what another step said\n").expect("written");
    let mut command = there(folder.path(), &["test", "./scenarios", "--format", "json", "--html", "page.html"]);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", file("summary.md"));
    command.env("GITHUB_WORKSPACE", folder.path());
    let test = said(command);
    assert_eq!(test.status, 1, "{test:?}");
    let annotations: Vec<&str> = test.stderr.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(annotations.len(), 6, "{annotations:#?}");
    let line = fs::read_to_string(file("scenarios/broken.toml")).expect("read");
    let line = line.lines().position(|line| line.starts_with("[[expect]]")).expect("an expectation") + 1;
    let begin = format!("::error file=scenarios/broken.toml,line={line},title=reset in broken@always::failed: reset");
    assert!(annotations[0].starts_with(&begin), "{} is not as {begin}", annotations[0]);
    let summary = fs::read_to_string(file("summary.md")).expect("a summary");
    assert!(summary.starts_with("what another step said\n## roadblock test: not as expected"), "{summary}");
    assert!(summary.contains("| sound | ✅ always |"), "{summary}");
    let page = fs::read_to_string(file("page.html")).expect("a page");
    assert!(page.contains("✕ not as expected") && !page.contains("http://"), "{page}");
    let document: Value = serde_json::from_str(&test.stdout).expect("stdout is the document alone");
    assert_eq!(document["conclusion"], "unexpected");
}

#[test]
fn what_failed_is_played_again_and_nothing_else() {
    if !can_run_labs() {
        return;
    }
    let folder = workspace();
    let rerun = |more: &[&str]| {
        said(there(folder.path(), &[&["test", "--rerun", "failed", "--format", "json"], more].concat()))
    };
    let none = rerun(&[]);
    assert_eq!(none.status, 2, "{none:?}");
    assert!(none.stderr.contains("no former test is kept in"), "{none:?}");
    let first = said(there(folder.path(), &["test", "./scenarios", "--seed", "7", "--format", "json"]));
    assert_eq!(first.status, 1, "{first:?}");
    fs::write(folder.path().join("first.json"), &first.stdout).expect("written");
    let again = rerun(&[]);
    assert_eq!((again.status, scenarios(&again), seed(&again)), (1, vec!["broken".to_owned()], 7), "{again:?}");
    let sound = folder.path().join("scenarios/sound.toml");
    let mended = fs::read_to_string(sound).expect("read").replace("\"sound\"", "\"broken\"");
    fs::write(folder.path().join("scenarios/broken.toml"), mended).expect("written");
    let again = rerun(&[]);
    assert_eq!((again.status, scenarios(&again)), (0, vec!["broken".to_owned()]), "{again:?}");
    let nothing = rerun(&[]);
    assert_eq!((nothing.status, scenarios(&nothing)), (0, vec![]), "{nothing:?}");
    assert!(nothing.stderr.contains("nothing failed in the former test (1 phases, seed 7"), "{nothing:?}");
    let from_file = rerun(&["--former", "first.json"]);
    assert_eq!((from_file.status, scenarios(&from_file)), (0, vec!["broken".to_owned()]), "{from_file:?}");
}

#[test]
fn what_this_machine_lacks_is_neither_failed_nor_invalid() {
    if !can_run_labs() {
        return;
    }
    let folder = workspace();
    let scenario = fs::read_to_string(support::data("commands.toml")).expect("the scenario");
    let probe = "[[expect]]\nid = \"lacking\"\nprobe = { command = { run = \"no-such-program --version\" } }\nverdict = \"ok\"\n";
    let path = folder.path().join("scenarios/broken.toml");
    fs::write(&path, scenario + "\n" + probe).expect("written");
    let test = |how: &[&str]| said(there(folder.path(), &[&["test", "./scenarios", "--allow-commands"], how].concat()));
    let failed = test(&["--format", "json"]);
    assert_eq!(failed.status, 3, "{failed:?}");
    let document: Value = serde_json::from_str(&failed.stdout).expect("a document");
    assert_eq!(document["conclusion"], "unsupported");
    let skipped = test(&["--unsupported", "skip", "--junit", "junit.xml"]);
    assert_eq!(skipped.status, 0, "{skipped:?}");
    assert!(skipped.stdout.contains("phases are unsupported here; passed over"), "{skipped:?}");
    let junit = fs::read_to_string(folder.path().join("junit.xml")).expect("a file");
    assert!(
        junit.contains("<skipped message=\"unsupported: exit status 127") && !junit.contains("<failure"),
        "{junit}"
    );
}

/// A machine without user namespaces plays nothing: the whole suite is unsupported.
#[test]
fn a_machine_that_runs_no_labs_says_so_in_every_report() {
    if !can_run_labs() {
        return;
    }
    let folder = workspace();
    let limited = |how: &str| -> Said {
        let script = format!(
            "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" test ./scenarios --junit junit.xml --unsupported {how}"
        );
        let mut command = program("unshare");
        command.args(["--user", "--map-root-user", "sh", "-c", &script, env!("CARGO_BIN_EXE_roadblock")]);
        command.current_dir(folder.path()).env("XDG_STATE_HOME", folder.path().join("state"));
        said(command)
    };
    let failed = limited("fail");
    assert_eq!(failed.status, 3, "{failed:?}");
    assert!(failed.stderr.contains("sudo sysctl"), "{failed:?}");
    let skipped = limited("skip");
    assert_eq!(skipped.status, 0, "{skipped:?}");
    assert!(skipped.stdout.contains("2 phases are unsupported here; passed over"), "{skipped:?}");
    let junit = fs::read_to_string(folder.path().join("junit.xml")).expect("a file");
    assert_eq!(junit.matches("<skipped message=\"unsupported: failed to make a user namespace").count(), 2, "{junit}");
}

/// With one seed all is the same but times, the speeds that come of them, and how often a busy machine had to try.
#[test]
fn three_tests_of_one_seed_differ_in_times_only() {
    if !can_run_labs() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let scenarios = ["cn/dns", "ir/http", "mechanisms/fully-encrypted", "ru/tls-policing-2025"];
    let test = || {
        let arguments = [&["test", "--retries", "2", "--format", "json"][..], &scenarios].concat();
        let test = said(there(folder.path(), &arguments));
        assert_eq!(test.status, 0, "{test:?}");
        let document: Value = serde_json::from_str(&test.stdout).expect("a document");
        serde_json::to_string_pretty(&without_times(&document)).expect("text")
    };
    let (first, second, third) = (test(), test(), test());
    assert!(first == second && second == third, "the documents differ:\n{}", differing(&[first, second, third]));
}

/// The first lines that are not the same in all.
fn differing(documents: &[String; 3]) -> String {
    let [first, second, third] = documents.each_ref().map(|document| document.lines());
    let rows = first.zip(second).zip(third).filter(|((one, two), three)| one != two || two != three);
    rows.take(5).map(|((one, two), three)| [one, two, three].join("\n")).collect::<Vec<_>>().join("\n\n")
}

fn without_times(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members
                .iter()
                .filter(|(name, _)| !["milliseconds", "tries", "percent", "evidence"].contains(&name.as_str()));
            kept.map(|(name, value)| (name.clone(), without_times(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_times).collect(),
        // Whether the machine was too busy for the first try.
        Value::String(word) if word == "flaky" => "as-expected".into(),
        other => other.clone(),
    }
}

fn scenarios(test: &Said) -> Vec<String> {
    let document: Value = serde_json::from_str(&test.stdout).expect("a document");
    let units = document["units"].as_array().expect("units").iter();
    units.map(|unit| unit["scenario"].as_str().expect("an id").to_owned()).collect()
}

fn seed(test: &Said) -> u64 {
    let document: Value = serde_json::from_str(&test.stdout).expect("a document");
    document["seed"].as_u64().expect("a number")
}
