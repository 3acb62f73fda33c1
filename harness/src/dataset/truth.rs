//! What the lab did to a measurement.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cell::Cell;

/// What was done to a measurement.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Class {
    /// A censor's rule or a resolver's lie acted on it.
    Interfered,
    /// It met something that fails without anybody's blocking.
    Benign,
    /// Nothing acted on it.
    Free,
}

/// The label of a measurement.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct Truth {
    /// What was done.
    pub(crate) class: Class,
    /// The rules and lies that acted on it, as `tspu/sni-1`, in the order in which they first did.
    pub(crate) rules: Vec<String>,
    /// The facts that they cite.
    pub(crate) facts: Vec<String>,
    /// In words: the first rule and what it matched, or `benign: …`.
    pub(crate) cause: Option<String>,
}

/// A rule that acted.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Act {
    /// The rule.
    pub(crate) by: String,
    /// What it matched.
    pub(crate) matched: Option<String>,
    /// The facts that it cites.
    pub(crate) facts: Vec<String>,
}

impl Truth {
    /// The label of a measurement of this cell, on which these acted; `is_read` says whether the page came as it should.
    pub(crate) fn new(cell: &Cell, acts: &[Act], is_read: bool) -> Self {
        let (mut rules, mut facts) = (Vec::new(), Vec::new());
        for act in acts {
            if !rules.contains(&act.by) {
                rules.push(act.by.clone());
            }
            facts.extend(act.facts.iter().filter(|fact| !facts.contains(*fact)).cloned().collect::<Vec<_>>());
        }
        let class = match (cell.is_benign(), rules.is_empty()) {
            (true, true) if is_read => Class::Free,
            (true, _) => Class::Benign,
            (false, true) => Class::Free,
            (false, false) => Class::Interfered,
        };
        let did = acts.first().map(|act| match &act.matched {
            Some(matched) => format!("{}: {matched}", act.by),
            None => act.by.clone(),
        });
        let cause = if class == Class::Benign { Some(format!("benign: {}", cell.scenario.title)) } else { did };
        Self { class, rules, facts, cause }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use roadblock_scenarios::{Library, load};

    use super::super::cell::cells;
    use super::*;

    fn first(id: &str) -> Cell {
        let scenario = Arc::new(load(id, &Library::embedded()).expect("a sound scenario"));
        cells(&scenario).swap_remove(0)
    }

    fn act(by: &str) -> Act {
        Act { by: by.to_owned(), matched: Some("SNI a.example".to_owned()), facts: vec!["TSPU-1".to_owned()] }
    }

    #[test]
    fn what_acts_in_a_censored_scenario_interferes() {
        let truth = Truth::new(&first("ru/whatsapp-2026"), &[act("tspu/sni-1"), act("tspu/sni-1")], false);
        assert_eq!((truth.class, truth.rules.len(), truth.facts.len()), (Class::Interfered, 1, 1));
        assert_eq!(truth.cause.as_deref(), Some("tspu/sni-1: SNI a.example"));
    }

    #[test]
    fn what_fails_by_itself_is_benign_and_what_does_not_is_free() {
        let down = first("benign/server-down");
        assert_eq!(Truth::new(&down, &[], false).class, Class::Benign);
        assert_eq!(Truth::new(&down, &[], true).class, Class::Free);
        assert_eq!(Truth::new(&down, &[act("line/loss")], true).class, Class::Benign);
        assert_eq!(Truth::new(&first("ru/whatsapp-2026"), &[], true).class, Class::Free);
    }
}
