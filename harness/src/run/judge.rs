//! Is what was seen what a step must give?

use roadblock_scenarios::model::Step;

use super::describe::describe;
use super::evidence::Measured;
use super::report::{Difference, StepEntry, Word};

/// What the report says about a step.
pub(crate) fn judge(step: &Step, measured: &Measured) -> StepEntry {
    let Step { wait, probe, verdict, failure, by, .. } = step;
    let verdict = Word::from(*verdict);
    let seen = measured.seen();
    let mut differs = Vec::new();
    if verdict != seen.verdict {
        differs.push(Difference::Verdict);
    }
    if failure.is_some() && *failure != seen.failure {
        differs.push(Difference::Failure);
    }
    if by.as_ref().is_some_and(|by| seen.by.as_ref() != Some(by) && !(seen.verdict == Word::Ok && measured.met(by))) {
        differs.push(Difference::By);
    }
    StepEntry {
        probe: describe(probe),
        wait_milliseconds: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        verdict,
        failure: failure.clone(),
        by: by.clone(),
        seen,
        differs,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use roadblock_scenarios::model::{Probe, VerdictWord};

    use super::super::testing::{event, flow, outcome};
    use super::*;

    fn step(verdict: VerdictWord, failure: Option<&str>, by: Option<&str>) -> Step {
        Step {
            wait: Duration::ZERO,
            same_tuple: false,
            probe: Probe::Tcp { address: [1, 1, 1, 1].into(), port: 443 },
            verdict,
            failure: failure.map(str::to_owned),
            by: by.map(str::to_owned),
        }
    }

    #[test]
    fn only_what_the_scenario_says_is_compared() {
        let measured = Measured { outcome: outcome(VerdictWord::Tls, 1), events: vec![event(flow(1), "sni-1")] };
        let judged = |step: &Step| judge(step, &measured).differs;
        assert_eq!(judged(&step(VerdictWord::Tls, None, None)), []);
        assert_eq!(judged(&step(VerdictWord::Tls, None, Some("tspu/sni-1"))), []);
        assert_eq!(judged(&step(VerdictWord::Ok, None, None)), [Difference::Verdict]);
        let all = step(VerdictWord::Ok, Some("connection_reset"), Some("tspu/sni-4"));
        assert_eq!(judged(&all), [Difference::Verdict, Difference::Failure, Difference::By]);
    }

    #[test]
    fn a_lie_that_is_expected_as_the_answer_has_its_author() {
        let measured = Measured { outcome: outcome(VerdictWord::Ok, 1), events: vec![event(flow(1), "inject")] };
        assert_eq!(judge(&step(VerdictWord::Ok, None, Some("tspu/inject")), &measured).differs, []);
        assert_eq!(judge(&step(VerdictWord::Ok, None, Some("tspu/other")), &measured).differs, [Difference::By]);
    }
}
