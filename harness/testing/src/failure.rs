//! Why a test did not run inside.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// The test itself is not to blame for any of these.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// There is no such program, or it cannot be run.
    #[error(
        "this test runs in a lab of roadblock's, and {} cannot be started: {cause}\n  install roadblock, or say with \
         ROADBLOCK=/path/to/roadblock where it is", program.display()
    )]
    NotStarted {
        /// What was tried.
        program: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The doctor says no.
    #[error("this machine cannot run labs:\n  {}{}", why.join("\n  "), pasted(advice))]
    NoLabs {
        /// What failed.
        why: Vec<String>,
        /// The lines to paste.
        advice: Vec<String>,
    },
    /// roadblock made no lab, for a reason that it has said.
    #[error("roadblock made no lab (status {status})")]
    Refused {
        /// Its exit status.
        status: i32,
    },
    /// The executable ended well without running the test.
    #[error(
        "libtest knows no test named {test:?}: it was not run. Is it made by another attribute that gives it another name?"
    )]
    NotRun {
        /// The name it was asked for.
        test: String,
    },
    /// The executable cannot be named.
    #[error("this test's own executable cannot be found: {0}")]
    Executable(io::Error),
}

fn pasted(advice: &[String]) -> String {
    if advice.is_empty() { String::new() } else { format!("\npaste:\n  {}", advice.join("\n  ")) }
}
