//! Measurements that are made more than once: tries of one client, and the same from many.

use std::ops::RangeInclusive;

use crate::declare::{ExpectDeclaration, OfControlDeclaration, TimesDeclaration};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::{OfControl, Probe, Step, Times, VerdictWord};
use crate::read::Located;
use crate::source::Location;

/// The tries of one client: the first step as often as it is said, the later ones `ok` where it is reached after some.
pub(super) fn attempts(declared: &ExpectDeclaration, first: &Step, errors: &mut Collector) -> Vec<Step> {
    let Some(attempts) = declared.attempts else {
        if let Some(reached) = &declared.reached_after {
            let message = "`reached-after` needs to know how many tries there are";
            complain(&reached.at, message, "add `attempts`, one more than this at least", errors);
        }
        return vec![first.clone()];
    };
    if !(2..=MOST_ATTEMPTS).contains(&attempts) {
        let message = format!("{attempts} tries are not between 2 and {MOST_ATTEMPTS}");
        complain(declared.at(), &message, "write another number, or take `attempts` out", errors);
        return vec![first.clone()];
    }
    let reached_after = declared.reached_after.as_ref();
    if let Some(reached) = reached_after
        && (reached.value == 0 || reached.value >= attempts || first.verdict == VerdictWord::Ok)
    {
        let message = format!("it cannot be reached after {} of {attempts} tries", reached.value);
        let help = "the tries before must give another verdict than `ok`, and at least one must come after them";
        complain(&reached.at, &message, help, errors);
    }
    let blocked = reached_after.map_or(attempts, |reached| reached.value.min(attempts));
    let later = |number| if number == 0 { first.wait } else { declared.every };
    let try_number = |number| Step { wait: later(number), ..first.clone() };
    let reached =
        |number| Step { verdict: VerdictWord::Ok, failure: None, by: Vec::new(), finds: None, ..try_number(number) };
    (0..attempts).map(|number| if number < blocked { try_number(number) } else { reached(number) }).collect()
}

/// How often the same is measured from many clients.
pub(super) fn times(declared: &ExpectDeclaration, errors: &mut Collector) -> Option<Times> {
    let wanted = declared.times.as_ref()?;
    let alone = declared.then.0.is_empty() && declared.attempts.is_none() && declared.sequence.is_none();
    if !alone {
        let message = "what is measured many times, each time from another client, is one measurement";
        let help = "take `then`, `attempts` and `sequence` out, or make two expectations of it";
        complain(wanted.at(), message, help, errors);
    }
    let ok = range(wanted, errors)?;
    if declared.verdict == VerdictWord::Ok && *ok.start() < wanted.of {
        let message = "what is not `ok` must give a verdict of its own";
        complain(wanted.at(), message, "write as `verdict` what the others give", errors);
    }
    Some(Times { of: wanted.of, ok })
}

fn range(wanted: &TimesDeclaration, errors: &mut Collector) -> Option<RangeInclusive<u16>> {
    let range = match wanted.ok.0.as_slice() {
        [number] => Some(*number..=*number),
        [least, most] if least <= most => Some(*least..=*most),
        _ => None,
    };
    let range = range.filter(|range| (2..=MOST_TIMES).contains(&wanted.of) && *range.end() <= wanted.of);
    if range.is_none() {
        let message = "`ok` must be one number, or the least and the most, of at most `of`, and `of` from 2 to 200";
        let help = "write `{ of = 20, ok = 14 }` or `{ of = 20, ok = [12, 16] }`";
        complain(wanted.at(), message, help, errors);
    }
    range
}

/// What a speed must be beside that from control.
pub(super) fn of_control(
    declared: Option<&OfControlDeclaration>,
    probe: &Probe,
    errors: &mut Collector,
) -> Option<OfControl> {
    let declared = declared?;
    if !matches!(probe, Probe::Throughput { .. }) {
        let message = "only a `throughput` has a speed to compare";
        complain(declared.at(), message, "measure a `throughput`, or take `of-control` out", errors);
    }
    let OfControlDeclaration { at_least, at_most, .. } = *declared;
    if at_least.is_none() && at_most.is_none() {
        complain(declared.at(), "`of-control` says nothing", "add `at-least` or `at-most`", errors);
    }
    if at_least.zip(at_most).is_some_and(|(least, most)| least > most) {
        complain(declared.at(), "no ratio is that large and that small", "exchange the two", errors);
    }
    Some(OfControl { at_least, at_most })
}

fn complain(at: &Location, message: &str, help: &str, errors: &mut Collector) {
    errors.push(Diagnostic::new(DiagnosticKind::BadValue, at, message).help(help));
}

const MOST_ATTEMPTS: u16 = 50;
const MOST_TIMES: u16 = 200;
