//! Phases and vantages that the command line names.

use std::sync::Arc;

use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::Name;

use crate::run::Selection;

/// A name that the scenario does not have.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SelectError {
    /// A phase.
    #[error("`{scenario}` has no phase `{name}`; it has {has}")]
    Phase {
        /// The scenario.
        scenario: Name,
        /// What was asked for.
        name: String,
        /// What there is.
        has: String,
    },
    /// A hop.
    #[error("`{scenario}` has no hop `{name}`; it has {has}")]
    Hop {
        /// The scenario.
        scenario: Name,
        /// What was asked for.
        name: String,
        /// What there is.
        has: String,
    },
    /// A vantage.
    #[error("`{scenario}` has no vantage `{name}`; it has {has}")]
    Vantage {
        /// The scenario.
        scenario: Name,
        /// What was asked for.
        name: String,
        /// What there is.
        has: String,
    },
}

/// Where and when a command runs.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    /// The phase; the last where not said.
    pub(crate) phase: Name,
    /// The vantage; the first where not said.
    pub(crate) vantage: Name,
}

impl Seat {
    /// The seat that the command line means.
    pub(super) fn new(scenario: &Scenario, phase: Option<&str>, vantage: Option<&str>) -> Result<Self, SelectError> {
        let last = scenario.phases.last().map_or("", |phase| &phase.id);
        let first = scenario.vantages.first().map_or("", |vantage| &vantage.name);
        Ok(Self {
            phase: self::phase(scenario, phase.unwrap_or(last))?,
            vantage: self::vantage(scenario, vantage.unwrap_or(first))?,
        })
    }
}

/// The part of the scenario that the command line means: all where nothing is said, and `control` always, because without
/// it nobody knows whether a target was up.
pub(super) fn selection(scenario: &Scenario, phases: &[String], vantages: &[String]) -> Result<Selection, SelectError> {
    let wanted_phases: Vec<Name> = phases.iter().map(|name| phase(scenario, name)).collect::<Result<_, _>>()?;
    let wanted_vantages: Vec<Name> = vantages.iter().map(|name| vantage(scenario, name)).collect::<Result<_, _>>()?;
    let is_control = |name: &Name| scenario.control().is_some_and(|control| control.name == *name);
    let all_phases = scenario.phases.iter().map(|phase| &phase.id);
    let all_vantages = scenario.vantages.iter().map(|vantage| &vantage.name);
    Ok(Selection {
        phases: all_phases.filter(|id| phases.is_empty() || wanted_phases.contains(id)).cloned().collect(),
        vantages: all_vantages
            .filter(|name| vantages.is_empty() || wanted_vantages.contains(name) || is_control(name))
            .cloned()
            .collect(),
    })
}

/// The phase of this name.
pub(super) fn phase(scenario: &Scenario, name: &str) -> Result<Name, SelectError> {
    let found = scenario.phase(name).map(|phase| Arc::clone(&phase.id));
    found.ok_or_else(|| SelectError::Phase {
        scenario: Arc::clone(&scenario.id),
        name: name.to_owned(),
        has: quoted(scenario.phases.iter().map(|phase| &*phase.id)),
    })
}

/// The hop of this name.
pub(super) fn hop(scenario: &Scenario, name: &str) -> Result<Name, SelectError> {
    let found = scenario.hops.iter().find(|hop| &*hop.name == name).map(|hop| Arc::clone(&hop.name));
    found.ok_or_else(|| SelectError::Hop {
        scenario: Arc::clone(&scenario.id),
        name: name.to_owned(),
        has: quoted(scenario.hops.iter().map(|hop| &*hop.name)),
    })
}

fn vantage(scenario: &Scenario, name: &str) -> Result<Name, SelectError> {
    let found = scenario.vantage(name).map(|vantage| Arc::clone(&vantage.name));
    found.ok_or_else(|| SelectError::Vantage {
        scenario: Arc::clone(&scenario.id),
        name: name.to_owned(),
        has: quoted(scenario.vantages.iter().map(|vantage| &*vantage.name)),
    })
}

fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use roadblock_scenarios::{Library, load};

    use super::*;

    fn flagship() -> Scenario {
        load("ru/whatsapp-2026", &Library::embedded()).expect("a sound scenario")
    }

    #[test]
    fn a_command_that_names_nothing_gets_the_last_phase_and_the_first_vantage() {
        let seat = Seat::new(&flagship(), None, None).expect("a seat");
        assert_eq!((&*seat.phase, &*seat.vantage), ("dns-redirect", "moscow"));
    }

    #[test]
    fn a_run_that_names_a_vantage_measures_control_too() {
        let scenario = flagship();
        let some = selection(&scenario, &["full-block".to_owned()], &["regional".to_owned()]).expect("a selection");
        assert_eq!(some.phases.iter().map(|id| &**id).collect::<Vec<_>>(), ["full-block"]);
        assert_eq!(some.vantages.iter().map(|name| &**name).collect::<Vec<_>>(), ["regional", "control"]);
        let all = selection(&scenario, &[], &[]).expect("a selection");
        assert_eq!((all.phases.len(), all.vantages.len()), (scenario.phases.len(), scenario.vantages.len()));
    }

    #[test]
    fn a_name_that_is_not_there_is_answered_with_those_that_are() {
        let error = Seat::new(&flagship(), Some("full"), None).expect_err("no such phase");
        insta::assert_snapshot!(error, @"`ru/whatsapp-2026` has no phase `full`; it has `before`, `calls-throttled`, `whatsapp-degraded`, `telegram-restricted`, `full-block`, `meta-block`, `telegram-cut`, `dns-redirect`");
        let error = Seat::new(&flagship(), None, Some("kazan")).expect_err("no such vantage");
        insta::assert_snapshot!(error, @"`ru/whatsapp-2026` has no vantage `kazan`; it has `moscow`, `mobile`, `regional`, `control`");
    }
}
