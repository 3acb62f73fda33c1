//! A replay for people.

use std::collections::HashMap;
use std::fmt::Write;

use super::report::{PolicyHead, ReplayedEvent, Report};
use crate::output::Paint;

/// The replay as text: what was judged, by whom, and what was decided. What is decided again about the same flow is counted.
pub(crate) fn render(report: &Report, paint: Paint) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(text, "{}", head(report, paint));
    let lines = lines(&report.events);
    if lines.is_empty() {
        text.push_str("\nNothing was decided: no rule has to do with these packets.\n");
        return text;
    }
    let width = lines.iter().map(|line| line.event.flow.chars().count()).max().unwrap_or_default();
    let title = format!("{:>11}  {:>7}  {:<width$}  decision", "seconds", "packet", "flow");
    let _ = writeln!(text, "\n{}", paint.strong(title));
    for Line { event, count } in &lines {
        let packet = event.packet.map(|number| number.to_string()).unwrap_or_default();
        let again = if *count > 1 { format!(" ({count} times)") } else { String::new() };
        let words =
            if INTERFERENCE.contains(&&*event.kind) { paint.bad(&event.words) } else { paint.faint(&event.words) };
        let seconds = seconds(event.at);
        let _ = writeln!(text, "{seconds:>11}  {packet:>7}  {:<width$}  {words}{again}", event.flow);
    }
    let _ = write!(text, "\n{}", sum(report));
    text
}

/// Kinds of decisions that a user feels.
const INTERFERENCE: &[&str] =
    &["dropped", "rewritten", "injected", "rejected", "policed", "shaped", "redirected", "diverted"];

struct Line<'a> {
    event: &'a ReplayedEvent,
    count: usize,
}

fn lines(events: &[ReplayedEvent]) -> Vec<Line<'_>> {
    let mut places: HashMap<(&str, &str, Option<&str>), usize> = HashMap::new();
    let mut lines: Vec<Line<'_>> = Vec::new();
    for event in events {
        let place = *places.entry((&event.flow, &event.words, event.phase.as_deref())).or_insert(lines.len());
        match lines.get_mut(place) {
            Some(line) => line.count += 1,
            None => lines.push(Line { event, count: 1 }),
        }
    }
    lines
}

fn head(report: &Report, paint: Paint) -> String {
    let capture = &report.capture;
    let mut text = format!("{}: {} packets, {} judged\n", capture.file, capture.packets, capture.judged);
    for left_out in &capture.left_out {
        let _ = writeln!(text, "  {} left out: {}", left_out.packets, left_out.why);
    }
    let _ = writeln!(text, "by {}, seed {}", who(&report.policy), report.seed);
    let _ = writeln!(text, "inside: {}", capture.inside);
    for note in &capture.notes {
        let _ = writeln!(text, "{} {note}", paint.doubtful("note:"));
    }
    text
}

fn who(policy: &PolicyHead) -> String {
    match policy {
        PolicyHead::Profile { profile, parameters } if parameters.is_empty() => profile.clone(),
        PolicyHead::Profile { profile, parameters } => format!("{profile} with {}", parameters.join(", ")),
        PolicyHead::Scenario { scenario, phases, hops } => {
            format!("the censors of {scenario} at {} in {}", hops.join(", "), phases.join(", "))
        }
    }
}

fn sum(report: &Report) -> String {
    let counts = &report.packets;
    let forgotten = match counts.forgotten {
        0 => String::new(),
        some => format!("; {some} punishments, counts or rates forgotten for want of room"),
    };
    format!(
        "{} passed, {} rewritten, {} dropped, {} injected{forgotten}\n",
        counts.passed, counts.rewritten, counts.dropped, counts.injected
    )
}

/// Seconds with six digits, as tcpdump and Wireshark write them.
fn seconds(nanoseconds: u64) -> String {
    format!("{}.{:06}", nanoseconds / 1_000_000_000, nanoseconds / 1000 % 1_000_000)
}
