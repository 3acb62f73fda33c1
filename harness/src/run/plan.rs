//! What a run measures in each phase, before anything is measured.

use std::sync::Arc;
use std::time::Duration;

use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::{Expectation, Name, Step, Target, Vantage, VerdictWord};

use crate::probes::{Measure, MeasureError};

/// Which part of a scenario is played.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    /// The phases, in the scenario's order; never empty.
    pub(crate) phases: Vec<Name>,
    /// The vantages, in the scenario's order; never empty.
    pub(crate) vantages: Vec<Name>,
}

/// The measurements of one phase. All are made side by side, each strand from a client of its own.
#[derive(Clone, Debug)]
pub(crate) struct PhasePlan {
    /// The phase.
    pub(crate) phase: Name,
    /// Every target from every vantage.
    pub(crate) visits: Vec<PlannedVisit>,
    /// The expectations.
    pub(crate) strands: Vec<Strand>,
}

/// A target to be opened from a vantage.
#[derive(Clone, Debug)]
pub(crate) struct PlannedVisit {
    /// The vantage.
    pub(crate) vantage: Name,
    /// The target.
    pub(crate) target: Target,
    /// How.
    pub(crate) measure: Measure,
}

/// Expectations that share a client address, in order.
#[derive(Clone, Debug)]
pub(crate) struct Strand {
    /// The vantage.
    pub(crate) vantage: Name,
    /// The expectations.
    pub(crate) expectations: Vec<PlannedExpectation>,
}

/// An expectation at one vantage.
#[derive(Clone, Debug)]
pub(crate) struct PlannedExpectation {
    /// Which one: its place in the scenario's list.
    pub(crate) index: usize,
    /// Where it is measured many times: which of these it is.
    pub(crate) repetition: u16,
    /// Its steps and how each is measured.
    pub(crate) steps: Vec<PlannedStep>,
}

/// A step of an expectation.
#[derive(Clone, Debug)]
pub(crate) struct PlannedStep {
    /// What it must give.
    pub(crate) step: Step,
    /// How it is measured.
    pub(crate) measure: Measure,
    /// How the same is measured from control, where their speeds are compared.
    pub(crate) control: Option<Measure>,
}

impl PhasePlan {
    /// All that is to be measured in this phase from these vantages.
    pub(crate) fn new(scenario: &Scenario, phase: &Name, vantages: &[Name]) -> Result<Self, MeasureError> {
        let mut plan = Self { phase: Arc::clone(phase), visits: Vec::new(), strands: Vec::new() };
        for vantage in vantages.iter().filter_map(|name| scenario.vantage(name)) {
            plan.add_visits(scenario, vantage)?;
            plan.strands.extend(strands(scenario, phase, vantage)?);
        }
        Ok(plan)
    }

    /// How many measurements there are.
    pub(crate) fn len(&self) -> usize {
        self.visits.len() + self.strands.iter().map(Strand::len).sum::<usize>()
    }

    /// How many steps in a row may end by a time-out: about how long the phase takes, in time-outs.
    pub(crate) fn long_steps(&self) -> usize {
        let in_strand = |strand: &Strand| strand.steps().filter(|step| takes_long(step)).count();
        self.strands.iter().map(in_strand).max().unwrap_or_default()
    }

    /// When, on the lab's clock, all begin their first step that takes long; visits begin at once then.
    ///
    /// A step that ends by a time-out takes seconds that nothing shortens, because TCP's timers do not follow the lab's
    /// clock, and the clock is not moved meanwhile. So strands begin at such different moments that these steps of
    /// all of them run side by side: a phase takes about as long as its longest strand takes alone.
    pub(crate) fn long_steps_begin(&self) -> Duration {
        self.strands.iter().map(Strand::before_long_step).max().unwrap_or_default()
    }

    fn add_visits(&mut self, scenario: &Scenario, vantage: &Vantage) -> Result<(), MeasureError> {
        for target in scenario.targets() {
            let measure = Measure::new(scenario, vantage, &target.probe)?;
            self.visits.push(PlannedVisit { vantage: Arc::clone(&vantage.name), target: target.clone(), measure });
        }
        Ok(())
    }
}

impl Strand {
    /// What its steps must give, in order.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.expectations.iter().flat_map(|expectation| &expectation.steps).map(|planned| &planned.step)
    }

    /// How long its waits before its first step that takes long are; all of them where none does.
    pub(crate) fn before_long_step(&self) -> Duration {
        let mut before = Duration::ZERO;
        for PlannedStep { step, .. } in self.expectations.iter().flat_map(|expectation| &expectation.steps) {
            before += step.wait;
            if takes_long(step) {
                return before;
            }
        }
        // Nothing is long here: the end of its waits need not meet anything.
        Duration::ZERO
    }

    /// Whether anything of it is measured from control too.
    pub(crate) fn needs_control(&self) -> bool {
        self.expectations.iter().flat_map(|each| &each.steps).any(|step| step.control.is_some())
    }

    /// Whether anything of it needs a test helper.
    pub(crate) fn needs_helper(&self) -> bool {
        self.expectations.iter().flat_map(|each| &each.steps).any(|step| step.measure.needs_helper())
    }

    fn len(&self) -> usize {
        self.expectations.iter().map(|expectation| expectation.steps.len()).sum()
    }
}

/// Whether a step is expected to end by a time-out, as far as the scenario says.
fn takes_long(step: &Step) -> bool {
    match (step.verdict, step.failure.as_deref()) {
        (VerdictWord::Ok, _) => false,
        (_, None) => true,
        (_, Some(failure)) => matches!(failure, "generic_timeout_error" | "timed_out"),
    }
}

fn strands(scenario: &Scenario, phase: &Name, vantage: &Vantage) -> Result<Vec<Strand>, MeasureError> {
    let mut strands: Vec<(Option<&Name>, Strand)> = Vec::new();
    let all = scenario.expectations.iter().enumerate();
    for (index, expectation) in all.filter(|(_, each)| applies(each, phase, vantage)) {
        let mut steps = Vec::new();
        for step in &expectation.steps {
            steps.push(planned(scenario, vantage, step)?);
        }
        if let Some(times) = &expectation.times {
            strands.extend((0..times.of).map(|repetition| {
                let expectations = vec![PlannedExpectation { index, repetition, steps: steps.clone() }];
                (None, Strand { vantage: Arc::clone(&vantage.name), expectations })
            }));
            continue;
        }
        let planned = PlannedExpectation { index, repetition: 0, steps };
        let sequence = expectation.sequence.as_ref();
        if let Some((_, strand)) = strands.iter_mut().find(|(name, _)| name.is_some() && *name == sequence) {
            strand.expectations.push(planned);
        } else {
            let strand = Strand { vantage: Arc::clone(&vantage.name), expectations: vec![planned] };
            strands.push((sequence, strand));
        }
    }
    Ok(strands.into_iter().map(|(_, strand)| strand).collect())
}

fn planned(scenario: &Scenario, vantage: &Vantage, step: &Step) -> Result<PlannedStep, MeasureError> {
    let control = scenario.control().filter(|_| step.of_control.is_some());
    Ok(PlannedStep {
        step: step.clone(),
        measure: Measure::new(scenario, vantage, &step.probe)?,
        control: control.map(|control| Measure::new(scenario, control, &step.probe)).transpose()?,
    })
}

fn applies(expectation: &Expectation, phase: &Name, vantage: &Vantage) -> bool {
    expectation.phases.contains(phase) && expectation.vantages.contains(&vantage.name)
}

#[cfg(test)]
mod tests {
    use roadblock_scenarios::{Library, load};

    use super::*;

    /// The flagship with expectations that share a sequence, and one that waits.
    fn plan() -> (Scenario, PhasePlan) {
        let mut scenario = load("ru/whatsapp-2026", &Library::embedded()).expect("a sound scenario");
        scenario.expectations.retain(|each| each.vantages.iter().any(|name| &**name == "moscow"));
        scenario.expectations.retain(|each| each.phases.iter().any(|id| &**id == "full-block"));
        scenario.expectations.truncate(4);
        for expectation in &mut scenario.expectations {
            expectation.steps.truncate(1);
        }
        scenario.expectations[0].sequence = Some("shared".into());
        scenario.expectations[2].sequence = Some("shared".into());
        let plan = PhasePlan::new(&scenario, &"full-block".into(), &["moscow".into()]).expect("a plan");
        (scenario, plan)
    }

    #[test]
    fn a_sequence_is_one_strand() {
        let (_, plan) = plan();
        let indexes: Vec<Vec<usize>> =
            plan.strands.iter().map(|strand| strand.expectations.iter().map(|each| each.index).collect()).collect();
        assert_eq!(indexes, [vec![0, 2], vec![1], vec![3]]);
    }

    #[test]
    fn every_target_is_opened_from_every_vantage() {
        let (scenario, plan) = plan();
        assert_eq!(plan.visits.len(), scenario.targets().count());
        assert_eq!(plan.len(), scenario.targets().count() + 4);
    }

    #[test]
    fn steps_that_end_by_a_time_out_are_put_side_by_side() {
        let (_, mut plan) = plan();
        let step = |wait: u64, verdict, failure: Option<&str>| {
            let planned = plan.strands[0].expectations[0].steps[0].clone();
            let failure = failure.map(str::to_owned);
            let step = Step { wait: Duration::from_secs(wait), verdict, failure, ..planned.step };
            PlannedStep { step, ..planned }
        };
        let reset = || step(0, VerdictWord::Tls, Some("connection_reset"));
        let steps = [
            vec![reset(), step(10, VerdictWord::Tcp, None), step(76, VerdictWord::Ok, None)],
            vec![step(0, VerdictWord::Tcp, Some("generic_timeout_error"))],
            vec![reset(), step(76, VerdictWord::Ok, None)],
        ];
        let strands = steps.map(|steps| Strand {
            vantage: "moscow".into(),
            expectations: vec![PlannedExpectation { index: 0, repetition: 0, steps }],
        });
        let before: Vec<u64> = strands.iter().map(|strand| strand.before_long_step().as_secs()).collect();
        assert_eq!(before, [10, 0, 0]);
        plan.strands = strands.to_vec();
        assert_eq!(plan.long_steps_begin(), Duration::from_secs(10));
    }
}
