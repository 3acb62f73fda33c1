//! What those who build, run and show a scenario ask of it.

use std::sync::Arc;

use roadblock_censor::policy::{Grade, Response, Rule};
use serde::Serialize;

use crate::kernel_rules;
use crate::model::{Phase, PhaseState, Scenario, Target, Vantage};

/// A rule or a lie, as `show` lists it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct RuleListing {
    /// What `by` calls it: `tspu/sni-1`, `isp/lies.0`.
    pub by: String,
    /// The facts it reproduces.
    pub facts: Vec<Arc<str>>,
    /// How far it is known.
    pub grade: Grade,
    /// Whether it can interfere at all: a rule whose list is empty in every phase cannot, nor can one that only lets pass.
    pub active: bool,
    /// Whether it can only let pass what a later rule would interfere with.
    pub exempts: bool,
}

impl Phase {
    /// All rules and lies, and whether each can act in this phase.
    pub fn rules(&self) -> Vec<RuleListing> {
        rules_of(&self.state)
    }
}

impl Scenario {
    /// The vantage of a command that names none: the first.
    pub fn default_vantage(&self) -> Option<&Vantage> {
        self.vantages.first()
    }

    /// The vantage with no censor on its path.
    pub fn control(&self) -> Option<&Vantage> {
        self.vantage("control")
    }

    /// The phase of a command that names none: the last.
    pub fn default_phase(&self) -> Option<&Phase> {
        self.phases.last()
    }

    /// What a person would open, of all services, in the order of `use`.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.services.iter().flat_map(|service| &service.targets)
    }

    /// All rules and lies. Every phase has the same; only what they look for differs.
    pub fn rules(&self) -> Vec<RuleListing> {
        let phases = self.phases.iter().map(|phase| rules_of(&phase.state));
        let merged = phases.reduce(|mut rules, later| {
            for (rule, later) in rules.iter_mut().zip(later) {
                rule.active |= later.active;
                rule.exempts |= later.exempts;
            }
            rules
        });
        merged.unwrap_or_default()
    }

    /// A copy in which one rule or lie, as `by` calls it, is taken out of every phase. `None` where there is none such.
    #[must_use]
    pub fn without_rule(&self, by: &str) -> Option<Self> {
        let (holder, id) = by.split_once('/')?;
        let mut copy = self.clone();
        let mut found = false;
        for phase in &mut copy.phases {
            for in_box in phase.state.policies.values_mut().flat_map(|policy| &mut policy.boxes) {
                if *in_box.name == *holder {
                    let before = in_box.rules.len();
                    in_box.rules.retain(|rule| *rule.id != *id);
                    found |= in_box.rules.len() < before;
                }
            }
            if let Some(lies) = phase.state.lies.get_mut(holder) {
                let before = lies.len();
                lies.retain(|lie| *lie.id != *id);
                found |= lies.len() < before;
            }
        }
        // What stood before a rule kept it with the machine.
        kernel_rules::settle(&mut copy.phases);
        found.then_some(copy)
    }
}

/// All rules and lies of a phase.
pub(crate) fn rules_of(state: &PhaseState) -> Vec<RuleListing> {
    let lies = state.lies.iter().flat_map(|(resolver, lies)| {
        lies.iter().map(move |lie| RuleListing {
            by: format!("{resolver}/{}", lie.id),
            facts: lie.facts.clone(),
            grade: lie.grade,
            active: !lie.names.is_empty(),
            exempts: false,
        })
    });
    let rules = state.policies.values().flat_map(|policy| &policy.boxes).flat_map(|in_box| {
        in_box.rules.iter().enumerate().map(move |(place, rule)| RuleListing {
            by: format!("{}/{}", in_box.name, rule.id),
            facts: rule.facts.clone(),
            grade: rule.grade,
            active: can_interfere(rule),
            exempts: rule.when.can_hold() && !interferes(rule) && in_box.rules[place + 1..].iter().any(can_interfere),
        })
    });
    lies.chain(rules).collect()
}

fn can_interfere(rule: &Rule) -> bool {
    rule.when.can_hold() && interferes(rule)
}

/// Whether a rule does anything but let packets pass, those that come later included.
fn interferes(rule: &Rule) -> bool {
    let later = rule.residuals.iter().flat_map(|residual| [&residual.outbound, &residual.inbound]);
    later.chain([&rule.trigger]).any(|response| *response != Response::default())
}
