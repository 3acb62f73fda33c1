//! Is what was seen what a step must give?

use roadblock_scenarios::model::{Finds, OfControl, Probe, Step};
use serde_json::Value;

use super::describe::describe;
use super::evidence::Measured;
use super::report::{Difference, OfControlEntry, StepEntry, Word};
use crate::probes::Failure;

/// What the report says about a step; where its speed is compared, beside the same from control.
pub(crate) fn judge(step: &Step, measured: &Measured, control: Option<&Measured>) -> StepEntry {
    let Step { wait, probe, verdict, failure, by, of_control, finds, keys, .. } = step;
    let verdict = Word::from(*verdict);
    let mut seen = measured.seen();
    if finds.is_none() {
        seen.leave_open();
    }
    let mut differs = Vec::new();
    if verdict != seen.verdict {
        differs.push(Difference::Verdict);
    }
    if failure.is_some() && *failure != seen.failure {
        differs.push(Difference::Failure);
    }
    // Who is reached in spite of a rule met it all the same.
    let did_it = |by: &String| seen.by.as_ref() == Some(by) || (seen.verdict == Word::Ok && measured.met(by));
    if !by.is_empty() && !by.iter().any(did_it) {
        differs.push(Difference::By);
    }
    let of_control = of_control.map(|wanted| compare(wanted, probe, measured, control));
    if of_control.is_some_and(|entry| !is_within(entry)) {
        differs.push(Difference::OfControl);
    }
    if finds.as_ref().is_some_and(|finds| !measured.outcome.found.as_ref().is_some_and(|found| found.is(finds))) {
        differs.push(Difference::Finds);
    }
    let lacks = match &measured.outcome.failure {
        Some(Failure::Missing(what)) => Some(what.clone()),
        _ => None,
    };
    let given = |name: &str| seen.test_keys.get(name).unwrap_or(&Value::Null);
    if keys.iter().any(|(name, value)| !same(value, given(name))) {
        differs.push(Difference::Keys);
    }
    StepEntry {
        probe: describe(probe),
        wait_milliseconds: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        verdict,
        failure: failure.clone(),
        by: by.clone(),
        of_control,
        finds: finds.iter().flat_map(Finds::words).map(|(key, value)| (key.to_owned(), value)).collect(),
        keys: keys.iter().cloned().collect(),
        seen,
        differs,
        lacks,
    }
}

/// Whether two values are the same; 1 and 1.0 are.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.to_bits() == other.to_bits(),
        _ => one == other,
    }
}

/// The ratio of two speeds. What is faster than anybody needs counts as that fast, because how fast the lab is depends on the
/// machine.
fn compare(wanted: OfControl, probe: &Probe, measured: &Measured, control: Option<&Measured>) -> OfControlEntry {
    let enough = match probe {
        Probe::Throughput { at_least, .. } => u64::from(*at_least) * FAST_ENOUGH,
        _ => u64::MAX,
    };
    let speed = |measured: &Measured| measured.outcome.speed.map(|speed| speed.min(enough));
    let control = control.and_then(speed).filter(|speed| *speed > 0);
    let percent = speed(measured).zip(control).map(|(speed, control)| speed * 100 / control);
    OfControlEntry { at_least: wanted.at_least, at_most: wanted.at_most, percent }
}

fn is_within(entry: OfControlEntry) -> bool {
    let OfControlEntry { at_least, at_most, percent } = entry;
    let Some(percent) = percent.and_then(|percent| u32::try_from(percent).ok()) else { return false };
    let ratio = f64::from(percent) / 100.0;
    at_least.is_none_or(|least| ratio >= least) && at_most.is_none_or(|most| ratio <= most)
}

/// So many times what a person calls slow is fast, whatever else it is.
const FAST_ENOUGH: u64 = 10;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use roadblock_scenarios::model::{Probe, VerdictWord};

    use super::super::testing::{event, flow, outcome};
    use super::*;
    use crate::probes::Outcome;

    fn step(verdict: VerdictWord, failure: Option<&str>, by: Option<&str>) -> Step {
        Step {
            wait: Duration::ZERO,
            same_tuple: false,
            probe: Probe::Tcp { address: [1, 1, 1, 1].into(), port: 443 },
            verdict,
            failure: failure.map(str::to_owned),
            by: by.map(str::to_owned).into_iter().collect(),
            of_control: None,
            finds: None,
            keys: Vec::new(),
        }
    }

    #[test]
    fn what_nobody_asked_for_is_evidence() {
        let mut seen = Measured { outcome: outcome(VerdictWord::Throttled, 1), events: Vec::new() }.seen();
        seen.found.insert("limit".to_owned(), "slow".to_owned());
        seen.leave_open();
        assert!(seen.found.is_empty());
        let evidence = serde_json::json!({ "found": { "limit": "slow" }, "numbers": null });
        assert_eq!(seen.evidence, Some(evidence));
    }

    #[test]
    fn only_what_the_scenario_says_is_compared() {
        let measured = Measured { outcome: outcome(VerdictWord::Tls, 1), events: vec![event(flow(1), "sni-1")] };
        let judged = |step: &Step| judge(step, &measured, None).differs;
        assert_eq!(judged(&step(VerdictWord::Tls, None, None)), []);
        assert_eq!(judged(&step(VerdictWord::Tls, None, Some("tspu/sni-1"))), []);
        assert_eq!(judged(&step(VerdictWord::Ok, None, None)), [Difference::Verdict]);
        let all = step(VerdictWord::Ok, Some("connection_reset"), Some("tspu/sni-4"));
        assert_eq!(judged(&all), [Difference::Verdict, Difference::Failure, Difference::By]);
    }

    #[test]
    fn a_lie_that_is_expected_as_the_answer_has_its_author() {
        let measured = Measured { outcome: outcome(VerdictWord::Ok, 1), events: vec![event(flow(1), "inject")] };
        assert_eq!(judge(&step(VerdictWord::Ok, None, Some("tspu/inject")), &measured, None).differs, []);
        assert_eq!(judge(&step(VerdictWord::Ok, None, Some("tspu/other")), &measured, None).differs, [Difference::By]);
    }

    #[test]
    fn any_of_several_rules_may_have_done_it() {
        let measured = Measured { outcome: outcome(VerdictWord::Tls, 1), events: vec![event(flow(1), "sni-1")] };
        let by = |rules: &[&str]| Step {
            by: rules.iter().map(|rule| (*rule).to_owned()).collect(),
            ..step(VerdictWord::Tls, None, None)
        };
        assert_eq!(judge(&by(&["tspu/sni-4", "tspu/sni-1"]), &measured, None).differs, []);
        assert_eq!(judge(&by(&["tspu/sni-4", "isp/lie"]), &measured, None).differs, [Difference::By]);
    }

    #[test]
    fn a_speed_is_compared_with_controls() {
        let transfer =
            |speed| Measured { outcome: Outcome { speed, ..outcome(VerdictWord::Ok, 1) }, events: Vec::new() };
        let step = |at_least, at_most| Step {
            probe: Probe::Throughput {
                host: "a.example".to_owned(),
                address: None,
                kilobytes: 64,
                upload: false,
                at_least: 1000,
                beside: None,
            },
            of_control: Some(OfControl { at_least, at_most }),
            ..step(VerdictWord::Ok, None, None)
        };
        let judged = |step: &Step, speed, control| {
            let entry = judge(step, &transfer(speed), Some(&transfer(control)));
            (entry.of_control.and_then(|entry| entry.percent), entry.differs.is_empty())
        };
        let slow = step(None, Some(0.2));
        assert_eq!(judged(&slow, Some(150), Some(60_000)), (Some(1), true));
        assert_eq!(judged(&slow, Some(2_500), Some(60_000)), (Some(25), false));
        let fast = step(Some(0.8), None);
        assert_eq!(judged(&fast, Some(20_000), Some(60_000)), (Some(100), true), "both are fast enough");
        assert_eq!(judged(&fast, Some(7_000), Some(60_000)), (Some(70), false));
        assert_eq!(judged(&fast, None, Some(60_000)), (None, false));
        assert_eq!(judged(&fast, Some(1), Some(0)), (None, false));
        assert!(!judge(&slow, &transfer(Some(1)), None).differs.is_empty());
    }
}
