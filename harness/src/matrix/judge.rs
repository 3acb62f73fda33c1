//! From the parts of a check to what a user feels, and to the rules that did it.

use std::collections::BTreeMap;

use roadblock_censor::{Event, EventKind};

use super::check::PartResult;
use super::document::{Part, PartEnd, RuleEntry};
use super::verdict::Verdict;
use crate::run::report::Known;
use crate::run::word;

/// What a cell's parts are judged beside.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beside {
    /// Whether the client has said in its log that it has reached its server.
    pub(super) connected: bool,
    /// How fast the same tool was at the control vantage, in kilobits a second: from the server and to it.
    pub(super) control: Option<(u64, u64)>,
}

/// What a user feels, and the part that says so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Judged {
    /// The verdict.
    pub(super) verdict: Verdict,
    /// The parts that it rests on; none where all went well.
    pub(super) rests_on: Vec<Part>,
}

/// Judges. Nothing that depends on how fast this machine is decides alone: what stands still or is slow must be a hundred times
/// beyond what a lab needs, and slow is only what a rule has made slow.
pub(super) fn judge(parts: &[PartResult], beside: Beside) -> Judged {
    let judged = |verdict, part: Part| Judged { verdict, rests_on: vec![part] };
    let part = |wanted: Part| parts.iter().find(|each| each.part == wanted);
    let did_not_start = part(Part::Client).filter(|client| client.end != PartEnd::Whole);
    if did_not_start.is_some() {
        return judged(Verdict::Blocked, Part::Client);
    }
    if let Some(command) = part(Part::Command) {
        return match command.end {
            PartEnd::Whole => Judged { verdict: Verdict::Works, rests_on: Vec::new() },
            _ => judged(Verdict::Blocked, Part::Command),
        };
    }
    let first = [Part::Download, Part::Page];
    let little = part(Part::Download).is_none_or(|part| part.done < LITTLE && part.end != PartEnd::Whole);
    if little && part(Part::Page).is_none_or(|part| part.done == 0) {
        let reached = |end| matches!(end, PartEnd::HandshakeOnly | PartEnd::Partial);
        let reached = first.iter().any(|each| part(*each).is_some_and(|part| reached(part.end)));
        let verdict = if reached || beside.connected { Verdict::HandshakeOnly } else { Verdict::Blocked };
        return Judged { verdict, rests_on: first.to_vec() };
    }
    // Connections so far that carried what they had to.
    let mut connections = 0;
    for each in parts {
        if let Some(verdict) = fault(each, connections, beside) {
            return judged(verdict, each.part);
        }
        connections += match each.part {
            Part::Download | Part::Page | Part::Upload => 1,
            Part::Connections => each.done,
            _ => 0,
        };
    }
    Judged { verdict: Verdict::Works, rests_on: Vec::new() }
}

/// What is wrong with a part, where others before it carried something.
fn fault(part: &PartResult, connections: u64, beside: Beside) -> Option<Verdict> {
    let whole = part.end == PartEnd::Whole;
    match (part.part, part.end) {
        (_, PartEnd::NotMade) | (Part::Client | Part::Command, _) | (Part::LongFlow, PartEnd::Whole) => None,
        (Part::Download | Part::Upload, PartEnd::Whole) => slowness(part, beside),
        (Part::Download | Part::Upload, PartEnd::Partial) if is_limited(part) => Some(slow(part, beside)),
        // It still moved when it was given up, and nobody had touched it: a tunnel in DNS queries is slow by itself.
        (Part::Download | Part::Upload, PartEnd::Partial) if part.failure.is_none() && !is_touched(part) => None,
        (Part::Download | Part::Upload, PartEnd::Partial | PartEnd::HandshakeOnly) => {
            Some(Verdict::Freezes { kilobytes: magnitude(part.done / 1024) })
        }
        (Part::Upload, PartEnd::Nothing) | (Part::LongFlow, PartEnd::Nothing | PartEnd::HandshakeOnly) => {
            Some(Verdict::Policed { connections })
        }
        (Part::Connections, _) => (!whole).then_some(Verdict::Policed { connections: connections + part.done }),
        (Part::LongFlow, PartEnd::Partial) => Some(Verdict::Dies { seconds: part.done }),
        (Part::Download | Part::Page | Part::Dns, _) => (!whole).then_some(Verdict::Blocked),
    }
}

/// Slow, where a rule has held it back and the ratio is far below one.
fn slowness(part: &PartResult, beside: Beside) -> Option<Verdict> {
    let Verdict::Slow { percent } = slow(part, beside) else { return None };
    (is_limited(part) && percent <= SLOW_PERCENT).then_some(Verdict::Slow { percent })
}

fn slow(part: &PartResult, beside: Beside) -> Verdict {
    let enough = |speed: u64| speed.clamp(1, FAST_ENOUGH);
    let control = beside.control.map_or(FAST_ENOUGH, |(down, up)| if part.part == Part::Upload { up } else { down });
    let own = part.kilobits_per_second.map_or(0, |speed| speed.min(FAST_ENOUGH));
    Verdict::Slow { percent: percent(own, enough(control)) }
}

/// The power of two nearest to a ratio, in hundredths.
fn percent(own: u64, control: u64) -> u64 {
    // The middle between two powers of two lies, by their logarithms, at the smaller one times the square root of two: 1.414.
    let mut halves: u32 = 0;
    while halves < 7 && own * 1414 * (1 << halves) < control * 1000 {
        halves += 1;
    }
    (100 + (1 << halves) / 2) / (1 << halves)
}

/// Whether a rule has limited the rate.
fn is_limited(part: &PartResult) -> bool {
    part.events.iter().any(|each| matches!(each.event.kind, EventKind::Policed | EventKind::Shaped))
}

/// Whether anything has interfered.
fn is_touched(part: &PartResult) -> bool {
    part.events.iter().any(|each| each.event.is_interference())
}

/// The power of two nearest to this, at least 8: how much of so little got through depends on how a tool packs it.
fn magnitude(kilobytes: u64) -> u64 {
    let mut power: u64 = 8;
    while kilobytes * 1000 >= power * 1414 && power < 1 << 20 {
        power *= 2;
    }
    power
}

/// With less than so many bytes and no page nothing got through: they are those that came before somebody had counted far enough.
const LITTLE: u64 = 10 * 1024;
/// What is faster than this, in kilobits a second, is fast, however fast the control vantage is: how fast that is depends on the
/// machine. A quarter of a megabyte takes half a second then.
const FAST_ENOUGH: u64 = 4000;
/// At most so many hundredths are slow: a quarter of what is fast is 1 Mbit/s, below which this library calls a transfer slow.
const SLOW_PERCENT: u64 = 25;

/// The rules that did it: those that interfered while the parts were made that the verdict rests on, else in all that was made
/// before. Those come first that acted on packets, as opposed to only getting ready to.
pub(super) fn did_it(judged: &Judged, parts: &[PartResult]) -> Vec<RuleEntry> {
    if judged.rests_on.is_empty() {
        return Vec::new();
    }
    let within = |part: &&PartResult| judged.rests_on.contains(&part.part);
    let events_of = |wanted: &dyn Fn(&&PartResult) -> bool| -> Vec<&Event> {
        parts.iter().filter(wanted).flat_map(|part| &part.events).map(|each| &each.event).collect()
    };
    let own = rules(events_of(&within).into_iter());
    let mut found = if own.is_empty() { rules(events_of(&|_| true).into_iter()) } else { own };
    found.sort_by_key(|rule| (!rule.kinds.iter().any(|kind| is_deed(kind)), rule.by.clone()));
    found
}

/// The rules behind these decisions, sorted.
pub(super) fn rules<'a>(events: impl Iterator<Item = &'a Event>) -> Vec<RuleEntry> {
    let mut rules: BTreeMap<String, RuleEntry> = BTreeMap::new();
    for event in events.filter(|event| event.is_interference()) {
        let Some(by) = event.by() else { continue };
        let rule = rules.entry(by.clone()).or_insert_with(|| RuleEntry {
            by,
            kinds: Vec::new(),
            matched: Vec::new(),
            facts: event.facts.iter().map(ToString::to_string).collect(),
            grade: Known::from(event.grade),
        });
        add(&mut rule.kinds, word(&event.kind));
        if let Some(matched) = &event.matched {
            add(&mut rule.matched, without_measures(matched));
        }
    }
    rules.into_values().collect()
}

/// What matched, up to what was measured of a packet's bytes: those of a cipher are others each time.
fn without_measures(matched: &str) -> String {
    let is_measure = |word: &str| {
        let number = word.split_once('.').filter(|(whole, rest)| !whole.is_empty() && !rest.is_empty());
        number.is_some_and(|(whole, rest)| whole.chars().chain(rest.chars()).all(|each| each.is_ascii_digit()))
    };
    let words: Vec<&str> = matched.split(' ').take_while(|word| !is_measure(word)).collect();
    words.join(" ").trim_end_matches(',').to_owned()
}

fn add(sorted: &mut Vec<String>, text: String) {
    if let Err(place) = sorted.binary_search(&text) {
        sorted.insert(place, text);
    }
}

/// Whether packets met it, as opposed to a rule that waits for the next ones.
fn is_deed(kind: &str) -> bool {
    !matches!(kind, "triggered" | "residual-armed")
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
