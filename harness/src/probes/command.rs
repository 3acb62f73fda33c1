//! A program of this machine as a measurement: how does it end?

use std::io;
use std::time::Duration;

use roadblock_emulator::lab::Errand;
use roadblock_scenarios::model::VerdictWord;

use super::failure::Failure;
use super::tools::Tools;
use super::trace::Outcome;

/// What is run, and how it must end.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The command, for a shell.
    pub(crate) run: String,
    /// The exit status that means `ok`.
    pub(crate) status: u8,
    /// How long it may take.
    pub(crate) within: Duration,
}

/// Runs it and waits.
pub(crate) async fn probe(tools: &Tools, program: &Program) -> Outcome {
    let Some(errands) = &tools.errands else {
        return judged(program, Err(io::Error::other("this lab runs no commands")));
    };
    judged(program, errands.run(&tools.source.client, &program.run, program.within).await)
}

fn judged(program: &Program, ended: io::Result<Errand>) -> Outcome {
    let failed = |verdict, failure, how: String| Outcome { failure: Some(failure), ..Outcome::new(verdict).said(how) };
    let Errand { status, last_line } = match ended {
        Ok(errand) => errand,
        Err(cause) => {
            let failure = Failure::Ours(format!("the command could not be run: {cause}"));
            return failed(VerdictWord::Unmeasured, failure, cause.to_string());
        }
    };
    let said = last_line.map(|line| format!(": {line}")).unwrap_or_default();
    match status {
        Some(status) if status == program.status => Outcome::new(VerdictWord::Ok),
        // What a shell says of a program that is not there, or cannot be run.
        Some(status @ (NOT_FOUND | NOT_RUNNABLE)) => {
            let failure = Failure::Missing(format!("exit status {status}{said}"));
            failed(VerdictWord::Unmeasured, failure, format!("cannot be run{said}"))
        }
        Some(status) => {
            let failure = Failure::Unknown(format!("exit status {status}"));
            failed(VerdictWord::Protocol, failure, format!("ends with status {status}{said}"))
        }
        None => {
            let within = program.within.as_secs_f64();
            failed(VerdictWord::Protocol, Failure::GenericTimeout, format!("does not end within {within} s{said}"))
        }
    }
}

const NOT_RUNNABLE: u8 = 126;
const NOT_FOUND: u8 = 127;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_its_verdict_and_its_evidence() {
        let program = Program { run: "curl".to_owned(), status: 0, within: Duration::from_millis(1500) };
        let ends =
            [(Some(0), None), (Some(35), Some("reset by peer")), (Some(127), Some("curl: not found")), (None, None)];
        let mut table: Vec<String> = Vec::new();
        for (status, line) in ends {
            let outcome = judged(&program, Ok(Errand { status, last_line: line.map(str::to_owned) }));
            let failure = outcome.failure.map(|failure| failure.to_string());
            table.push(format!("{status:?}: {:?}, {failure:?}, {:?}", outcome.verdict, outcome.how));
        }
        let fork = judged(&program, Err(io::Error::from_raw_os_error(11)));
        table.push(format!("no process: {:?}, {:?}", fork.verdict, fork.how));
        let expected = judged(&Program { status: 35, ..program }, Ok(Errand { status: Some(35), last_line: None }));
        table.push(format!("expected: {:?}", expected.verdict));
        insta::assert_snapshot!(table.join("\n"));
    }
}
