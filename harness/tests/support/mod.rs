//! What the tests of the built binary share.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The flagship.
pub(crate) const FLAGSHIP: &str = "ru/whatsapp-2026";

/// Whether this machine can run labs. Where it cannot, the test fails, unless `ROADBLOCK_ALLOW_SKIP=1` says that it may
/// be passed over; that is printed.
pub(crate) fn can_run_labs() -> bool {
    let doctor = roadblock(&["doctor"]).output().expect("the binary runs");
    if doctor.status.success() {
        return true;
    }
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(std::env::var_os("ROADBLOCK_ALLOW_SKIP").is_some_and(|value| value == "1"), "no labs here:\n{said}");
    notice(&format!("SKIPPED, because ROADBLOCK_ALLOW_SKIP=1 and this machine cannot run labs:\n{said}"));
    false
}

/// Prints a line even where the test harness swallows what tests print.
pub(crate) fn notice(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("a stderr");
}

/// The binary with these arguments, without a terminal and without colours.
pub(crate) fn roadblock(arguments: &[&str]) -> Command {
    let mut command = program(env!("CARGO_BIN_EXE_roadblock"));
    command.args(arguments).stdin(Stdio::null()).env_remove("NO_COLOR");
    command
}

/// A program of this machine.
#[expect(clippy::disallowed_methods, reason = "tests look at the binary and at the machine with other programs")]
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(name)
}

/// A command inside the flagship at a phase and a vantage.
pub(crate) fn inside(phase: &str, vantage: &str, command: &[&str]) -> Said {
    let arguments = [&["exec", FLAGSHIP, "--phase", phase, "--vantage", vantage, "--"], command].concat();
    said(roadblock(&arguments))
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Said {
    /// Its exit status.
    pub(crate) status: i32,
    /// Its stdout.
    pub(crate) stdout: String,
    /// Its stderr.
    pub(crate) stderr: String,
}

/// Runs a command to its end.
pub(crate) fn said(mut command: Command) -> Said {
    let Output { status, stdout, stderr } = command.output().expect("the binary runs");
    Said {
        status: status.code().expect("it was not killed"),
        stdout: String::from_utf8(stdout).expect("text"),
        stderr: String::from_utf8(stderr).expect("text"),
    }
}

/// The library's folder.
pub(crate) fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

/// The flagship's text.
pub(crate) fn flagship_text() -> String {
    std::fs::read_to_string(library().join(format!("{FLAGSHIP}.toml"))).expect("the flagship")
}

/// Curl that gives up soon, with these arguments.
pub(crate) fn curl<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["curl", "-sS", "--connect-timeout", "3", "--max-time", "6"], arguments].concat()
}

/// A scenario that only tests know.
pub(crate) fn data(file: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file).display().to_string()
}

/// Runs a scenario, which must go as it expects.
pub(crate) fn run(path: &str) -> Value {
    let run = said(roadblock(&["run", path, "--format", "json"]));
    assert_eq!(run.status, 0, "{}\n{}", run.stderr, said(roadblock(&["run", path])).stdout);
    serde_json::from_str(&run.stdout).expect("a document")
}

/// What each step of each expectation gave, one a line.
pub(crate) fn table(document: &Value) -> String {
    let mut table = String::new();
    for expected in document["expectations"].as_array().expect("expectations") {
        for step in expected["steps"].as_array().expect("steps") {
            let seen = &step["seen"];
            let word = |key: &str| seen[key].as_str().unwrap_or("-").to_owned();
            let (verdict, failure, by) = (word("verdict"), word("failure"), word("by"));
            let id = expected["id"].as_str().expect("an id");
            let said = [word("part"), word("how")].join(" ");
            writeln!(table, "{id}: {verdict}, {failure}, {by}, {said}").expect("a line");
        }
    }
    table
}
