//! The `roadblock` that makes the lab.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::{Command, Output, Stdio};

use serde::Deserialize;

use crate::failure::Failure;

/// The environment variable that names the program, if it is not `roadblock` in the PATH.
const PROGRAM: &str = "ROADBLOCK";

/// The program.
pub(crate) struct Roadblock(OsString);

/// What is read of `roadblock.doctor/1`.
#[derive(Deserialize)]
struct Doctor {
    ok: bool,
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    ok: bool,
    name: String,
    what: String,
    advice: Option<String>,
}

impl Roadblock {
    /// As the environment says.
    pub(crate) fn find() -> Self {
        Self(env::var_os(PROGRAM).filter(|program| !program.is_empty()).unwrap_or_else(|| "roadblock".into()))
    }

    /// Runs it to its end.
    pub(crate) fn run(
        &self,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        variables: &[(&str, &str)],
    ) -> Result<Output, Failure> {
        #[expect(clippy::disallowed_methods, reason = "the lab is another program's, and this is how it is started")]
        let mut command = Command::new(&self.0);
        command.args(arguments).envs(variables.iter().copied()).stdin(Stdio::null());
        command.output().map_err(|cause| Failure::NotStarted { program: self.0.clone().into(), cause })
    }

    /// Why this machine cannot run labs; `None` if it can, or if that could not be learned.
    pub(crate) fn why_no_labs(&self) -> Option<Failure> {
        let output = self.run(["doctor", "--format", "json"], &[]).ok()?;
        let Doctor { ok, checks } = serde_json::from_slice(&output.stdout).ok()?;
        let failed = checks.into_iter().filter(|check| !check.ok);
        let (why, advice): (Vec<_>, Vec<_>) =
            failed.map(|Check { name, what, advice, .. }| (format!("{name}: {what}"), advice)).unzip();
        (!ok).then(|| Failure::NoLabs { why, advice: advice.into_iter().flatten().collect() })
    }
}
