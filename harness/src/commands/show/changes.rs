//! What a phase changes.

use std::collections::BTreeMap;

use roadblock_scenarios::model::PhaseState;
use serde::Serialize;

use super::rules::{RuleAccount, rules};

/// What a phase changes in a rule or a lie.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Change {
    /// Which one.
    pub(super) by: String,
    /// What it looks for from now on.
    pub(super) added: Vec<String>,
    /// What it no longer looks for.
    pub(super) removed: Vec<String>,
    /// What it does from now on, where that is not what it did.
    pub(super) does: Option<String>,
}

/// The changes from one phase to the next; from nothing to the first.
pub(super) fn changes(before: Option<&PhaseState>, now: &PhaseState) -> Vec<Change> {
    let before: BTreeMap<String, RuleAccount> =
        before.map(rules).unwrap_or_default().into_iter().map(|rule| (rule.by.clone(), rule)).collect();
    let changes = rules(now).into_iter().map(|rule| change(before.get(&rule.by), rule));
    changes.filter(|change| !change.added.is_empty() || !change.removed.is_empty() || change.does.is_some()).collect()
}

fn change(before: Option<&RuleAccount>, now: RuleAccount) -> Change {
    let nothing = std::collections::BTreeSet::new();
    let looked_for = before.map_or(&nothing, |rule| &rule.looks_for);
    Change {
        added: now.looks_for.difference(looked_for).cloned().collect(),
        removed: looked_for.difference(&now.looks_for).cloned().collect(),
        does: before.is_some_and(|rule| rule.does != now.does).then_some(now.does),
        by: now.by,
    }
}
