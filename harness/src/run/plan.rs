//! What a run measures in each phase, before anything is measured.

use std::sync::Arc;

use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::{Expectation, Family, Name, Step, Target, Vantage};

use crate::probes::{Measure, MeasureError};

/// Which part of a scenario is played.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    /// The phases, in the scenario's order; never empty.
    pub(crate) phases: Vec<Name>,
    /// The vantages, in the scenario's order; never empty.
    pub(crate) vantages: Vec<Name>,
}

/// The measurements of one phase.
#[derive(Debug)]
pub(crate) struct PhasePlan {
    /// The phase.
    pub(crate) phase: Name,
    /// Every target from every vantage.
    pub(crate) visits: Vec<PlannedVisit>,
    /// Expectations that never wait: all at once.
    pub(crate) quiet: Vec<Strand>,
    /// Expectations that move the lab's clock: one after the other, when nothing else is measured.
    pub(crate) waiting: Vec<Strand>,
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
    /// Its steps and how each is measured.
    pub(crate) steps: Vec<(Step, Measure)>,
}

impl PhasePlan {
    /// All that is to be measured in this phase from these vantages.
    pub(crate) fn new(scenario: &Scenario, phase: &Name, vantages: &[Name]) -> Result<Self, MeasureError> {
        let mut plan = Self { phase: Arc::clone(phase), visits: Vec::new(), quiet: Vec::new(), waiting: Vec::new() };
        for vantage in vantages.iter().filter_map(|name| scenario.vantage(name)) {
            plan.add_visits(scenario, vantage)?;
            plan.add_expectations(scenario, vantage)?;
        }
        Ok(plan)
    }

    /// How many measurements there are.
    pub(crate) fn len(&self) -> usize {
        let strands = self.quiet.iter().chain(&self.waiting);
        self.visits.len() + strands.map(Strand::len).sum::<usize>()
    }

    fn add_visits(&mut self, scenario: &Scenario, vantage: &Vantage) -> Result<(), MeasureError> {
        for target in scenario.targets() {
            let measure = Measure::visit(scenario, vantage, &target.url, Family::V4)?;
            self.visits.push(PlannedVisit { vantage: Arc::clone(&vantage.name), target: target.clone(), measure });
        }
        Ok(())
    }

    fn add_expectations(&mut self, scenario: &Scenario, vantage: &Vantage) -> Result<(), MeasureError> {
        for strand in strands(scenario, &self.phase, vantage)? {
            let list = if strand.waits() { &mut self.waiting } else { &mut self.quiet };
            list.push(strand);
        }
        Ok(())
    }
}

impl Strand {
    fn len(&self) -> usize {
        self.expectations.iter().map(|expectation| expectation.steps.len()).sum()
    }

    fn waits(&self) -> bool {
        let mut steps = self.expectations.iter().flat_map(|expectation| &expectation.steps);
        steps.any(|(step, _)| !step.wait.is_zero())
    }
}

fn strands(scenario: &Scenario, phase: &Name, vantage: &Vantage) -> Result<Vec<Strand>, MeasureError> {
    let mut strands: Vec<(Option<&Name>, Strand)> = Vec::new();
    let all = scenario.expectations.iter().enumerate();
    for (index, expectation) in all.filter(|(_, each)| applies(each, phase, vantage)) {
        let mut steps = Vec::new();
        for step in &expectation.steps {
            steps.push((step.clone(), Measure::new(scenario, vantage, &step.probe)?));
        }
        let planned = PlannedExpectation { index, steps };
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

fn applies(expectation: &Expectation, phase: &Name, vantage: &Vantage) -> bool {
    expectation.phases.contains(phase) && expectation.vantages.contains(&vantage.name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
        scenario.expectations[3].steps[0].wait = Duration::from_secs(76);
        let plan = PhasePlan::new(&scenario, &"full-block".into(), &["moscow".into()]).expect("a plan");
        (scenario, plan)
    }

    #[test]
    fn a_sequence_is_one_strand_and_what_waits_is_apart() {
        let (_, plan) = plan();
        let indexes = |strands: &[Strand]| -> Vec<Vec<usize>> {
            strands.iter().map(|strand| strand.expectations.iter().map(|each| each.index).collect()).collect()
        };
        assert_eq!(indexes(&plan.quiet), [vec![0, 2], vec![1]]);
        assert_eq!(indexes(&plan.waiting), [vec![3]]);
    }

    #[test]
    fn every_target_is_opened_from_every_vantage() {
        let (scenario, plan) = plan();
        assert_eq!(plan.visits.len(), scenario.targets().count());
        assert_eq!(plan.len(), scenario.targets().count() + 4);
    }
}
