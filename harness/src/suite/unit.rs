//! What is played in one lab.

use std::sync::Arc;

use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::Name;

use super::filter::{Filter, Subject};
use crate::probes::MeasureError;
use crate::run::report::CONTROL;
use crate::run::{PhasePlan, Selection};

/// One phase of one scenario.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// Its place among all that were chosen, from 0.
    pub(crate) place: usize,
    /// The scenario.
    pub(crate) scenario: Arc<Scenario>,
    /// What is measured.
    pub(crate) plan: Arc<PhasePlan>,
    /// The vantages of the measurements.
    pub(crate) vantages: Vec<Name>,
}

impl Unit {
    /// All that the scenario says about a phase: its expectations, and that `control` reaches every target.
    pub(crate) fn new(scenario: &Arc<Scenario>, phase: &Name) -> Result<Self, MeasureError> {
        let vantages: Vec<Name> = scenario.vantages.iter().map(|vantage| Arc::clone(&vantage.name)).collect();
        let mut plan = PhasePlan::new(scenario, phase, &vantages)?;
        plan.visits.retain(|visit| &*visit.vantage == CONTROL);
        Ok(Self { place: 0, scenario: Arc::clone(scenario), plan: Arc::new(plan), vantages })
    }

    /// `ru/whatsapp-2026@full-block`.
    pub(crate) fn name(&self) -> String {
        format!("{}@{}", self.scenario.id, self.plan.phase)
    }

    /// What a run of it is asked for.
    pub(crate) fn selection(&self) -> Selection {
        Selection { phases: vec![Arc::clone(&self.plan.phase)], vantages: self.vantages.clone() }
    }

    /// Whether there is anything to measure.
    pub(crate) fn is_empty(&self) -> bool {
        self.plan.len() == 0
    }
}

/// The units of these scenarios that a filter lets through, in their order.
pub(crate) fn units(subjects: &[Subject], filter: &Filter) -> Result<Vec<Unit>, MeasureError> {
    let mut units = Vec::new();
    for Subject { scenario } in subjects {
        for phase in scenario.phases.iter().filter(|phase| filter.wants_phase(&phase.id)) {
            let mut unit = Unit::new(scenario, &phase.id)?;
            if filter.narrows_expectations() {
                let mut plan = PhasePlan::clone(&unit.plan);
                plan.visits.clear();
                plan.strands.retain(|strand| filter.wants_strand(scenario, strand));
                unit.plan = Arc::new(plan);
            }
            units.push(unit);
        }
    }
    units.retain(|unit| !unit.is_empty());
    for (place, unit) in units.iter_mut().enumerate() {
        unit.place = place;
    }
    Ok(units)
}
