//! `roadblock ctl`.

use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;

use super::{print, print_json};
use crate::cli::{CtlCommand, CtlEventsArguments, Format};
use crate::ctl::{self, About, Answer, CtlError, Demand, Reason, Status};
use crate::output::{self, Paint};
use crate::run::Table;
use crate::status;

/// `roadblock.labs/1`.
#[derive(Serialize)]
struct Labs {
    schema: &'static str,
    labs: Vec<About>,
}

/// `roadblock.lab/1`.
#[derive(Serialize)]
struct OneLab {
    schema: &'static str,
    #[serde(flatten)]
    status: Box<Status>,
}

/// Talks to a lab that runs.
pub(super) fn ctl(command: &CtlCommand) -> u8 {
    match command {
        CtlCommand::List(arguments) => list(arguments.format),
        CtlCommand::Phase(arguments) => done(arguments.lab.as_deref(), Demand::Phase { id: arguments.phase.clone() }),
        CtlCommand::Reload(arguments) => done(arguments.lab.as_deref(), Demand::Reload),
        CtlCommand::Clock(arguments) => {
            let nanoseconds = u64::try_from(arguments.by.as_nanos()).unwrap_or(u64::MAX);
            done(arguments.lab.as_deref(), Demand::Clock { nanoseconds })
        }
        CtlCommand::Events(arguments) => match events(arguments) {
            Ok(status) => status,
            Err(error) => failed(&error),
        },
        CtlCommand::Status(arguments) => match (ask(arguments.lab.as_deref(), Demand::Status), arguments.format) {
            (Ok(Answer::Status(status)), Format::Human) => {
                print(&human_status(&status, Paint::for_stdout()), status::OK)
            }
            (Ok(Answer::Status(status)), Format::Json) => {
                print_json(&OneLab { schema: "roadblock.lab/1", status }, status::OK)
            }
            (Ok(other), _) => odd(&other),
            (Err(error), _) => failed(&error),
        },
    }
}

fn list(format: Format) -> u8 {
    let labs = ctl::all();
    match format {
        Format::Json => print_json(&Labs { schema: "roadblock.labs/1", labs }, status::OK),
        Format::Human if labs.is_empty() => {
            output::notice("no lab of yours is running");
            status::OK
        }
        Format::Human => print(&human_list(&labs, now(), Paint::for_stdout()), status::OK),
    }
}

fn ask(lab: Option<&str>, demand: Demand) -> Result<Answer, CtlError> {
    ctl::find(lab)?.ask(demand)
}

/// Asks for a change and says what came of it.
fn done(lab: Option<&str>, demand: Demand) -> u8 {
    match ask(lab, demand) {
        Ok(Answer::Phase { from, to }) if from == to => {
            print(&format!("still in phase {to}, begun anew\n"), status::OK)
        }
        Ok(Answer::Phase { from, to }) => print(&format!("phase {from} -> {to}\n"), status::OK),
        Ok(Answer::Reloaded { phase, phases }) => {
            print(&format!("plays the file as it is now, in phase {phase} of {}\n", phases.join(", ")), status::OK)
        }
        Ok(Answer::Clock { nanoseconds }) => {
            print(&format!("the lab's clock shows {}\n", elapsed(nanoseconds)), status::OK)
        }
        Ok(other) => odd(&other),
        Err(error) => failed(&error),
    }
}

fn events(arguments: &CtlEventsArguments) -> Result<u8, CtlError> {
    let mut lab = ctl::find(arguments.lab.as_deref())?;
    let mut answer = lab.ask(Demand::Events { follow: arguments.follow })?;
    loop {
        let line = match (answer, arguments.format) {
            (Answer::Event { decision, .. }, Format::Json) => format!("{decision}\n"),
            (Answer::Event { decision, flow, words }, Format::Human) => human_event(&decision, &flow, &words),
            (Answer::End, _) => return Ok(status::OK),
            (other, _) => return Ok(odd(&other)),
        };
        let written = print(&line, status::OK);
        if written != status::OK {
            return Ok(written);
        }
        answer = match lab.hear() {
            // The lab has ended, and so have its decisions.
            Err(CtlError::Silent { .. }) if arguments.follow => return Ok(status::OK),
            heard => heard?,
        };
    }
}

fn failed(error: &CtlError) -> u8 {
    let said = error.to_string();
    // What is wrong with a file comes as `check` says it, each mistake with its own head.
    if said.starts_with("error:") {
        output::notice(said);
    } else {
        output::error(said, None);
    }
    match error {
        CtlError::NoLabs
        | CtlError::NoSuchLab { .. }
        | CtlError::SeveralLabs { .. }
        | CtlError::Refused { reason: Reason::Usage, .. } => status::USAGE,
        CtlError::Refused { reason: Reason::Refused, .. } => status::REFUSED,
        CtlError::Refused { reason: Reason::Fault, .. } | CtlError::Silent { .. } | CtlError::OtherVersion { .. } => {
            status::OWN_FAULT
        }
    }
}

fn odd(answer: &Answer) -> u8 {
    output::error(format_args!("the lab gave an answer to another question: {answer:?}"), None);
    status::OWN_FAULT
}

fn human_list(labs: &[About], now: u64, paint: Paint) -> String {
    let mut table = Table::default();
    table.headings(paint, ["lab", "pid", "scenario", "phase", "vantages", "since", "command"]);
    for About { lab, pid, scenario, phase, vantages, since, command, .. } in labs {
        let ago = format!("{} ago", elapsed(now.saturating_sub(*since).saturating_mul(SECOND)));
        // What was typed may hold anything; a table is for eyes.
        let command = command.replace(char::is_control, " ");
        table.row([lab, &pid.to_string(), scenario, phase, &vantages.join(", "), &ago, &command]);
    }
    table.render("")
}

fn human_status(status: &Status, paint: Paint) -> String {
    let Status { about, phases, nanoseconds, events, hops, problems } = status;
    let mut table = Table::default();
    let measured = if about.changeable { "" } else { " (being measured, so it cannot be changed)" };
    table.row(["lab", &format!("{}{measured}", about.lab)]);
    table.row(["scenario", &about.scenario]);
    let number = phases.iter().position(|phase| *phase == about.phase).map_or(0, |place| place + 1);
    table.row(["phase", &format!("{}, {number} of {}", about.phase, phases.len())]);
    table.row(["clock", &elapsed(*nanoseconds)]);
    table.row(["decisions", &events.to_string()]);
    let mut text = table.render("");
    if !hops.is_empty() {
        let mut table = Table::default();
        table.headings(paint, ["hop", "packets", "dropped", "injected", "flows", "punishments"]);
        for hop in hops {
            let numbers = [hop.packets, hop.dropped, hop.injected, hop.flows as u64, hop.residuals as u64];
            table.row([hop.hop.clone()].into_iter().chain(numbers.map(|number| number.to_string())));
        }
        text.push_str(&table.render(""));
    }
    for problem in problems {
        let line = format!("not to be trusted: {}: {}", problem.place, problem.what);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", paint.bad(line));
    }
    text
}

/// `12.034567  tspu-moscow  tcp 5.136.0.10:40000 -> 1.1.1.1:443  tspu/sni-1 triggered: …`.
fn human_event(decision: &serde_json::Value, flow: &str, words: &str) -> String {
    let nanoseconds = decision.get("at").and_then(serde_json::Value::as_u64).unwrap_or_default();
    let hop = decision.get("hop").and_then(serde_json::Value::as_str).unwrap_or_default();
    let seconds = format!("{}.{:06}", nanoseconds / SECOND, nanoseconds / 1000 % 1_000_000);
    format!("{seconds:>11}  {hop}  {flow}  {words}\n")
}

/// `1h 02m 03s`, and no more than is needed of it.
fn elapsed(nanoseconds: u64) -> String {
    let seconds = Duration::from_nanos(nanoseconds).as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds:02}s"),
        (hours, minutes, seconds) => format!("{hours}h {minutes:02}m {seconds:02}s"),
    }
}

#[expect(clippy::disallowed_methods, reason = "how long ago a lab began is a matter of the machine's clock")]
pub(super) fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map(|since| since.as_secs()).unwrap_or_default()
}

const SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> About {
        About {
            lab: "bcdf".to_owned(),
            pid: 4711,
            scenario: "ru/whatsapp-2026".to_owned(),
            phase: "full-block".to_owned(),
            vantages: vec!["moscow".to_owned(), "control".to_owned()],
            command: "roadblock shell ru/whatsapp-2026".to_owned(),
            since: 1000,
            changeable: true,
        }
    }

    #[test]
    fn a_list_is_a_table() {
        let other = About { lab: "ghjk".to_owned(), phase: "before".to_owned(), since: 4700, ..about() };
        insta::assert_snapshot!(human_list(&[about(), other], 4725, Paint::none()));
    }

    #[test]
    fn a_status_says_whether_it_is_to_be_trusted() {
        use crate::ctl::{HopStatus, StatusProblem};
        let hop =
            HopStatus { hop: "tspu-moscow".to_owned(), packets: 120, dropped: 7, injected: 2, flows: 3, residuals: 1 };
        let problem = StatusProblem { place: "tspu-moscow".to_owned(), what: "its queue lost 3 packets".to_owned() };
        let status = Status {
            about: About { changeable: false, ..about() },
            phases: ["before", "full-block"].map(str::to_owned).to_vec(),
            nanoseconds: 75 * SECOND,
            events: 9,
            hops: vec![hop],
            problems: vec![problem],
        };
        insta::assert_snapshot!(human_status(&status, Paint::none()));
    }

    #[test]
    fn an_event_is_a_line() {
        let decision = serde_json::json!({ "at": 12_034_567_000_u64, "hop": "tspu-moscow" });
        let line = human_event(
            &decision,
            "tcp 5.136.0.10:40000 -> 1.1.1.1:443",
            "tspu/sni-1 triggered: SNI x (TSPU-1, measured)",
        );
        insta::assert_snapshot!(line);
    }

    #[test]
    fn time_is_written_as_far_as_needed() {
        assert_eq!(elapsed(SECOND * 59 + 999_999_999), "59s");
        assert_eq!(elapsed(SECOND * 61), "1m 01s");
        assert_eq!(elapsed(SECOND * 3723), "1h 02m 03s");
    }
}
