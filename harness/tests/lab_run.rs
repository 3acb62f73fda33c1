//! `roadblock run`, from the scenario to the report.

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use support::{FLAGSHIP, can_run_labs, flagship_text, notice, program, roadblock, said};

#[test]
fn the_flagship_goes_as_expected() {
    let _alone = alone();
    if !can_run_labs() {
        return;
    }
    let run = said(roadblock(&["run", FLAGSHIP]));
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    insta::with_settings!({ filters => vec![(r"\d+\.\d s", "[time]")] }, { insta::assert_snapshot!(run.stdout) });
}

#[test]
fn the_document_is_what_its_schema_says_and_is_the_same_again() {
    let _alone = alone();
    if !can_run_labs() {
        return;
    }
    let schema = said(roadblock(&["schema", "run"]));
    let schema: Value = serde_json::from_str(&schema.stdout).expect("a schema");
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("report").display().to_string();
    let arguments = ["run", FLAGSHIP, "--phase", "full-block", "--format", "json", "--out", &out];
    let documents = [0; 2].map(|_| {
        let run = said(roadblock(&arguments));
        assert_eq!(run.status, 0, "{}", run.stderr);
        serde_json::from_str::<Value>(&run.stdout).expect("a document")
    });
    let validator = jsonschema::validator_for(&schema).expect("a validator");
    let errors: Vec<String> = validator.iter_errors(&documents[0]).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(documents[0]["schema"], "roadblock.run/1");
    let [first, second] = documents.map(without_times);
    assert_eq!(first, second);
    let written = fs::read_to_string(format!("{out}/report.json")).expect("a report");
    assert_eq!(without_times(serde_json::from_str(&written).expect("a document")), second);
    let events = fs::read_to_string(format!("{out}/events.jsonl")).expect("the events");
    assert!(events.lines().count() > 0 && events.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
}

/// One rule less, and the expectation that stands for it fails and is named.
#[test]
fn without_a_rule_its_expectation_fails_and_says_what_was_seen() {
    let _alone = alone();
    if !can_run_labs() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let copy = directory.path().join("without.toml");
    let rule = "    { in = \"censor.tspu.ip-drop\", add = [\"@lists/whatsapp-prefixes\"] },\n";
    let text = flagship_text();
    assert!(text.contains(rule));
    fs::write(&copy, text.replace(rule, "")).expect("written");
    let path = copy.display().to_string();
    let run = said(roadblock(&["run", &path, "--phase", "full-block", "--vantage", "moscow"]));
    assert_eq!(run.status, 1, "{}{}", run.stdout, run.stderr);
    let directory = directory.path().display().to_string();
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d+\.\d s", "[time]");
    settings.add_filter(&directory, "[directory]");
    settings.add_filter(r"toml:\d+", "toml:[line]");
    settings.bind(|| insta::assert_snapshot!(run.stdout));
}

/// With and without privileges the results are the same, and a command runs as whoever called.
#[test]
fn an_ordinary_user_sees_the_same() {
    let _alone = alone();
    if !can_run_labs() {
        return;
    }
    if !is_root() {
        notice("not root, so the other tests have shown what an ordinary user sees");
        return;
    }
    let home = tempfile::tempdir().expect("a directory");
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o777)).expect("a writable home");
    let arguments = ["run", FLAGSHIP, "--phase", "full-block", "--format", "json"];
    let [ordinary, root] = [said(as_nobody(home.path(), &arguments)), said(roadblock(&arguments))];
    assert_eq!(ordinary.status, 0, "{}{}", ordinary.stdout, ordinary.stderr);
    let [ordinary, root] = [ordinary, root].map(|run| without_times(serde_json::from_str(&run.stdout).expect("JSON")));
    assert_eq!(ordinary, root);
    let id = said(as_nobody(home.path(), &["exec", FLAGSHIP, "--", "id", "-u"]));
    assert_eq!((id.status, &*id.stdout), (0, "65534\n"), "{id:?}");
    let before = ["exec", FLAGSHIP, "--phase", "before", "--", "curl", "-sS", "https://web.whatsapp.com/"];
    let page = said(as_nobody(home.path(), &before));
    assert!(page.stdout.contains("<title>WhatsApp Web</title>"), "{page:?}");
}

/// The binary as a user without any privileges.
fn as_nobody(home: &Path, arguments: &[&str]) -> Command {
    let binary = home.join("roadblock");
    if !binary.exists() {
        fs::copy(env!("CARGO_BIN_EXE_roadblock"), &binary).expect("a copy that others can read");
    }
    let mut command = program("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"]);
    command.arg(binary).args(arguments).env("HOME", home).current_dir("/").stdin(Stdio::null());
    command
}

/// Ctrl-C at a terminal goes to every process of the group.
#[test]
fn what_was_measured_before_ctrl_c_is_reported() {
    reports_when_ended("-INT", &|run| format!("-{run}"), 130);
}

/// What a CI job that takes too long is sent goes to the process alone that the job started.
#[test]
fn what_was_measured_before_sigterm_is_reported() {
    reports_when_ended("-TERM", &|run| run.to_string(), 143);
}

fn reports_when_ended(signal: &str, whom: &dyn Fn(u32) -> String, status: i32) {
    let _alone = alone();
    if !can_run_labs() {
        return;
    }
    let mut command = roadblock(&["run", FLAGSHIP, "--format", "json"]);
    let mut run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn().expect("it starts");
    let mut notices = BufReader::new(run.stderr.take().expect("a pipe"));
    let mut first = String::new();
    notices.read_line(&mut first).expect("a line when the first phase has ended, whichever it is");
    assert!(first.starts_with("phase "), "{first}");
    let killed = program("kill").args([signal, "--", &whom(run.id())]).status().expect("kill runs");
    assert!(killed.success());
    let mut document = String::new();
    run.stdout.take().expect("a pipe").read_to_string(&mut document).expect("text");
    assert_eq!(run.wait().expect("an end").code(), Some(status), "{document}");
    let document: Value = serde_json::from_str(&document).expect("a document");
    assert_eq!(document["conclusion"], "interrupted");
    assert!(!document["cells"].as_array().expect("cells").is_empty(), "{document:#}");
}

/// One test at a time: on a busy machine clients ask again, and a censor that counts packets counts those too.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_root() -> bool {
    program("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n")
}

/// The document without what differs from run to run.
fn without_times(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let varies = ["milliseconds", "percent", "evidence", "flows", "capture"];
            let kept = members.into_iter().filter(|(name, _)| !varies.contains(&name.as_str()));
            kept.map(|(name, value)| (name, without_times(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_times).collect(),
        other => other,
    }
}
