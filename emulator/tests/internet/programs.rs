//! The programs that look at the internet from outside.

use std::ffi::OsStr;
use std::process::{Command, Output, Stdio};

/// Runs a program and gives what it said. A machine without it fails the test.
pub(crate) fn run<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).env_remove("http_proxy").env_remove("https_proxy");
    command.output().unwrap_or_else(|error| panic!("this test needs {program} (see ci/test): {error}"))
}

/// What a program that must succeed printed.
pub(crate) fn output<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> String {
    let output = run(program, arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program}: {}\n{said}{}", output.status, String::from_utf8_lossy(&output.stderr));
    said
}
