//! The rules and lies of a phase.

use std::collections::BTreeSet;

use ipnet::{Ipv4Subnets, Ipv6Subnets};
use roadblock_censor::PrefixSet;
use roadblock_censor::policy::{Condition, Rule};
use roadblock_scenarios::model::{Lie, PhaseState};
use serde::Serialize;

use super::deeds;
use crate::run::Known;

/// A rule or a lie.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RuleAccount {
    /// What `by` calls it.
    pub(super) by: String,
    /// The names, prefixes and ports it looks for, each list as it is after merging.
    pub(super) looks_for: BTreeSet<String>,
    /// What it does.
    pub(super) does: String,
    /// The facts it reproduces.
    pub(super) facts: Vec<String>,
    /// How far it is known.
    pub(super) grade: Known,
}

/// All rules and lies of a phase, the lies first.
pub(super) fn rules(state: &PhaseState) -> Vec<RuleAccount> {
    let lies = state.lies.iter().flat_map(|(resolver, lies)| lies.iter().map(move |lie| of_lie(resolver, lie)));
    let boxes = state.policies.values().flat_map(|policy| &policy.boxes);
    let rules = boxes.flat_map(|each| {
        each.rules.iter().filter(|rule| rule.when.can_hold()).map(move |rule| of_rule(&each.name, rule))
    });
    lies.chain(rules).collect()
}

fn of_lie(resolver: &str, lie: &Lie) -> RuleAccount {
    RuleAccount {
        by: format!("{resolver}/{}", lie.id),
        looks_for: lie.names.iter().map(ToString::to_string).collect(),
        does: deeds::of_lie(&lie.answer),
        facts: lie.facts.iter().map(ToString::to_string).collect(),
        grade: lie.grade.into(),
    }
}

fn of_rule(in_box: &str, rule: &Rule) -> RuleAccount {
    let mut looks_for = BTreeSet::new();
    gather(&rule.when, "", &mut looks_for);
    RuleAccount {
        by: format!("{in_box}/{}", rule.id),
        looks_for,
        does: deeds::of_rule(rule),
        facts: rule.facts.iter().map(ToString::to_string).collect(),
        grade: rule.grade.into(),
    }
}

/// What a condition looks for; what it does not look for has `not` before it.
fn gather(condition: &Condition, not: &str, words: &mut BTreeSet<String>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| gather(part, not, words)),
        Condition::Not(part) => gather(part, if not.is_empty() { "not " } else { "" }, words),
        Condition::ServerPort(ports) => {
            words.extend(ports.ranges().iter().map(|range| format!("{not}port {}", port(*range))));
        }
        Condition::ClientPort(ports) => {
            words.extend(ports.ranges().iter().map(|range| format!("{not}client port {}", port(*range))));
        }
        Condition::Packet(question) => {
            words.insert(format!("{not}{}", question.title()));
        }
        Condition::Content(content) => {
            words.extend(content.looks_for().into_iter().map(|item| format!("{not}{item}")));
        }
        Condition::ClientAddress(prefixes) => {
            words.extend(self::prefixes(prefixes).map(|prefix| format!("{not}client {prefix}")));
        }
        Condition::ServerAddress(prefixes) => {
            words.extend(self::prefixes(prefixes).map(|prefix| format!("{not}{prefix}")));
        }
        // How the flow goes is the rule's manner, not its aim.
        Condition::Protocol(_)
        | Condition::ClientPortAboveServer
        | Condition::ClientInside
        | Condition::Direction(_)
        | Condition::Time(_)
        | Condition::Fired(_) => {}
    }
}

fn port((first, last): (u16, u16)) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

fn prefixes(set: &PrefixSet) -> impl Iterator<Item = String> {
    let v4 = set.v4_ranges().iter().flat_map(|(first, last)| Ipv4Subnets::new((*first).into(), (*last).into(), 0));
    let v6 = set.v6_ranges().iter().flat_map(|(first, last)| Ipv6Subnets::new((*first).into(), (*last).into(), 0));
    v4.map(|prefix| prefix.to_string()).chain(v6.map(|prefix| prefix.to_string()))
}
