//! The test outside: it has itself run inside, and ends as it did there.

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::ops::ControlFlow;
use std::panic;
use std::process::Output;

use crate::failure::Failure;
use crate::frame::{Inside, between_marks};
use crate::program::Roadblock;
use crate::seat::{Seat, Unsupported};

/// Names, in the process inside, the test that it was started for.
const TEST: &str = "ROADBLOCK_TEST";

/// How a sound test ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ends {
    /// It returns.
    ByReturning,
    /// `#[should_panic]`: it panics with a message that contains this.
    ByPanicking(&'static str),
}

/// How the test ended inside, in libtest's judgement.
#[derive(Debug, Eq, PartialEq)]
enum Verdict {
    Passed,
    Failed,
}

/// Inside the lab: goes on to the test's first statement. Outside: has the test run inside and prints what it said; then
/// breaks if the test passed, and otherwise ends as a failed test does.
///
/// `name` is the test's full path, beginning with its crate.
pub fn enter(seat: &Seat, name: &str, ends: Ends) -> ControlFlow<(), Inside> {
    let name = name.split_once("::").map_or(name, |(_crate, name)| name);
    if env::var_os(TEST).is_some_and(|inside| inside == name) {
        return ControlFlow::Continue(Inside::begin());
    }
    let verdict = run_inside(seat, name).unwrap_or_else(|failure| match (failure, seat.unsupported) {
        (failure @ Failure::NoLabs { .. }, Unsupported::Skip) => {
            // Past libtest's capture, which would hide it: a test that did not run shall not look like one that did.
            let _ = writeln!(std::io::stderr(), "SKIPPED {name}: {failure}");
            Verdict::Passed
        }
        (failure, _) => {
            print(&format!("roadblock: {failure}\n"));
            Verdict::Failed
        }
    });
    match (verdict, ends) {
        (Verdict::Passed, _) => end_as_it_should(ends),
        // All there is to say has been said, and a panic of this thread would add a place that nobody wants to see.
        (Verdict::Failed, Ends::ByReturning) => panic::resume_unwind(Box::new("the test failed inside the lab")),
        // For libtest a test that should panic fails by returning.
        (Verdict::Failed, Ends::ByPanicking(_)) => {}
    }
    ControlFlow::Break(())
}

/// Ends here as a sound test does, which was judged inside.
fn end_as_it_should(ends: Ends) {
    if let Ends::ByPanicking(message) = ends {
        panic::resume_unwind(Box::new(message));
    }
}

fn run_inside(seat: &Seat, name: &str) -> Result<Verdict, Failure> {
    let executable = env::current_exe().map_err(Failure::Executable)?;
    let mut arguments = seat.arguments();
    arguments.push(executable.into());
    // An ignored test that runs here was asked for, and is not to be ignored inside.
    arguments.extend(["--exact", name, "--nocapture", "--include-ignored"].map(OsString::from));
    let roadblock = Roadblock::find();
    let output = roadblock.run(arguments, &[(TEST, name)])?;
    show(seat, &output);
    judge(&output, name).map_err(|failure| match failure {
        Failure::Refused { .. } => roadblock.why_no_labs().unwrap_or(failure),
        other => other,
    })
}

/// What was said inside, as if it had been said here: libtest shows it where it shows a test's output.
fn show(seat: &Seat, output: &Output) {
    let stdout = String::from_utf8_lossy(&output.stdout);
    print(&format!("roadblock: in {seat}\n"));
    print(between_marks(&stdout).unwrap_or_default());
    print(&String::from_utf8_lossy(&output.stderr));
}

fn judge(output: &Output, name: &str) -> Result<Verdict, Failure> {
    let began = between_marks(&String::from_utf8_lossy(&output.stdout)).is_some();
    match (began, output.status.code()) {
        (true, Some(0)) => Ok(Verdict::Passed),
        (true, _) => Ok(Verdict::Failed),
        (false, Some(0)) => Err(Failure::NotRun { test: name.to_owned() }),
        (false, status) => Err(Failure::Refused { status: status.unwrap_or_default() }),
    }
}

/// By the macro, since that is what libtest captures.
#[expect(clippy::print_stdout, reason = "this is what the test itself would print")]
fn print(text: &str) {
    print!("{text}");
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn ended(code: i32, stdout: &str) -> Output {
        Output { status: ExitStatus::from_raw(code << 8), stdout: stdout.into(), stderr: Vec::new() }
    }

    #[test]
    fn a_test_passes_only_if_it_ran() {
        let began = "\nrunning 1 test\n\u{2}roadblock: the test begins\u{3}\n";
        assert_eq!(judge(&ended(0, began), "a").expect("judged"), Verdict::Passed);
        assert_eq!(judge(&ended(101, began), "a").expect("judged"), Verdict::Failed);
        let killed = Output { status: ExitStatus::from_raw(9), stdout: began.into(), stderr: Vec::new() };
        assert_eq!(judge(&killed, "a").expect("judged"), Verdict::Failed);
        assert!(matches!(judge(&ended(0, "running 0 tests"), "a"), Err(Failure::NotRun { .. })));
        assert!(matches!(judge(&ended(125, ""), "a"), Err(Failure::Refused { status: 125 })));
    }
}
