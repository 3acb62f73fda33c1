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
    let mut before: BTreeMap<String, RuleAccount> =
        before.map(rules).unwrap_or_default().into_iter().map(|rule| (rule.by.clone(), rule)).collect();
    let mut changes: Vec<Change> =
        rules(now).into_iter().map(|rule| change(before.remove(&rule.by).as_ref(), rule)).collect();
    // What has nothing left to look for is no longer among the rules.
    changes.extend(before.into_values().map(ended));
    changes
        .into_iter()
        .filter(|change| !change.added.is_empty() || !change.removed.is_empty() || change.does.is_some())
        .collect()
}

/// A rule that can no longer act.
fn ended(before: RuleAccount) -> Change {
    let removed: Vec<String> = before.looks_for.into_iter().collect();
    let does = removed.is_empty().then(|| "nothing any more".to_owned());
    Change { by: before.by, added: Vec::new(), removed, does }
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

#[cfg(test)]
mod tests {
    use roadblock_scenarios::{Library, resolve};

    use super::*;

    #[test]
    fn a_list_that_a_phase_empties_is_said_to_be_gone() {
        let text = "id = \"mine\"\ntitle = \"Mine\"\nuse = [\"services/neutral\", \"services/public-dns\"]\n\
             [hop.access]\n[hop.elsewhere]\n\
             [vantage.inside]\nisp = \"AS12389 Rostelecom\"\npath = [\"access\"]\nresolvers = [\"8.8.8.8\"]\n\
             [vantage.control]\nisp = \"AS3320 Deutsche Telekom\"\npath = [\"elsewhere\"]\nresolvers = [\"8.8.8.8\"]\n\
             [censor.box]\nprofile = \"censors/sni-reset\"\nat = \"access\"\nto-client = [\"github.com\"]\n\
             [[phase]]\nid = \"block\"\n\
             [[phase]]\nid = \"after\"\nchange = [{ in = \"censor.box.to-client\", set = [] }]\n";
        let scenario = resolve(text, "mine.toml", &Library::embedded()).unwrap_or_else(|errors| panic!("{errors}"));
        let [block, after] = [0, 1].map(|place| &scenario.phases[place].state);
        let changes = changes(Some(block), after);
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert_eq!((&*changes[0].by, &*changes[0].removed), ("box/to-client", &["github.com".to_owned()][..]));
    }
}
