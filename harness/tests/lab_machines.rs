//! Machines inside the country, measured from outside, and what is said when what runs on them fails.

mod support;

use std::fs;

use support::{can_run_labs, data, roadblock, said};

/// TSPU-7: the SYN of a blocked address comes in, and the answer goes out as RST/ACK.
#[test]
fn tspu_7_who_is_inside_cannot_answer_a_blocked_address() {
    if !can_run_labs() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("out").display().to_string();
    let run = said(roadblock(&["run", &data("machines.toml"), "--allow-commands", "--out", &out]));
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    let log = fs::read_to_string(format!("{out}/machines/site.log")).expect("the log of the site");
    assert!(log.starts_with("a site begins\n"), "{log}");
}

/// Without the rule the same expectation fails: it is the censor's doing.
#[test]
fn without_the_rule_the_machine_is_reached_from_outside() {
    if !can_run_labs() {
        return;
    }
    let scenario = changed("add = [\"80.128.0.0/11\"]", "add = [\"81.0.0.0/16\"]");
    let run = said(roadblock(&[
        "run",
        scenario.path().to_str().expect("a plain path"),
        "--allow-commands",
        "--phase",
        "blocked",
    ]));
    assert_eq!(run.status, 1, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("tspu-7"), "{}", run.stdout);
}

#[test]
fn a_command_that_ends_before_it_is_ready_is_told_with_its_log() {
    if !can_run_labs() {
        return;
    }
    let scenario = changed("exec python3 -u -m http.server 80 --bind 95.167.250.10", "echo no disk >&2; exit 3");
    let run = said(roadblock(&["run", scenario.path().to_str().expect("a plain path"), "--allow-commands"]));
    assert_eq!(run.status, 4, "{}{}", run.stdout, run.stderr);
    insta::assert_snapshot!(run.stderr);
}

#[test]
fn a_command_that_is_not_ready_in_time_is_told_with_its_log() {
    if !can_run_labs() {
        return;
    }
    let scenario = changed("ready = \"tcp:80\"", "ready = \"udp:80\"\nready-within = \"300ms\"");
    let run =
        said(roadblock(&["exec", scenario.path().to_str().expect("a plain path"), "--allow-commands", "--", "true"]));
    assert_eq!(run.status, 125, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("it was not ready (udp:80) within 0.3 s"), "{}", run.stderr);
    assert!(run.stderr.contains("a site begins"), "{}", run.stderr);
}

/// A server that dies in the middle makes what was measured worthless.
#[test]
fn a_command_that_ends_makes_the_run_invalid() {
    if !can_run_labs() {
        return;
    }
    let scenario =
        changed("exec python3 -u -m http.server 80 --bind 95.167.250.11", "echo Serving HTTP; echo and no more");
    let run = said(roadblock(&[
        "run",
        scenario.path().to_str().expect("a plain path"),
        "--allow-commands",
        "--phase",
        "open",
    ]));
    assert_eq!(run.status, 4, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("its server ended (exit status: 0): Serving HTTP | and no more"), "{}", run.stdout);
}

/// The scenario after a change.
fn changed(from: &str, to: &str) -> tempfile::NamedTempFile {
    let text = fs::read_to_string(data("machines.toml")).expect("the scenario");
    assert!(text.contains(from), "{from} is not in the file");
    let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    fs::write(file.path(), text.replacen(from, to, 1)).expect("it was written");
    file
}
