//! A fact as a test: it holds with its profile, and no longer once any of its rules is removed.

use roadblock_censor::Policy;
use roadblock_scenarios::Library;

use super::Pair;

/// What a profile of the library comes to with these parameters, as a scenario writes them.
pub(crate) fn profile(id: &str, parameters: &str) -> Policy {
    let profile = Library::embedded().profile(id, parameters);
    profile.unwrap_or_else(|mistakes| panic!("{id} with {parameters}: {mistakes:?}")).policy
}

/// What a profile written here comes to, with nothing set.
pub(crate) fn inline(text: &str) -> Policy {
    let head = "kind = \"profile\"\nid = \"censors/inline\"\ntitle = \"Inline\"\n";
    let files = [("censors/inline.toml".to_owned(), format!("{head}{text}"))];
    let profile = Library::embedded().with_files(files).profile("censors/inline", "");
    profile.unwrap_or_else(|mistakes| panic!("{text}: {mistakes:?}")).policy
}

/// Runs what a fact says with a profile, where it must hold, and with the profile less each of these rules, where it must not.
pub(crate) fn fact_case(
    fact: &str,
    id: &str,
    parameters: &str,
    rules: &[&str],
    holds: impl Fn(Policy) -> Result<(), String>,
) {
    let policy = profile(id, parameters);
    for rule in rules {
        let all = || policy.boxes.iter().flat_map(|each| &each.rules);
        let Some(found) = all().find(|each| *each.id == **rule) else { panic!("{id} has no rule {rule}") };
        assert!(found.facts.iter().any(|each| **each == *fact), "{id}/{rule} does not cite {fact}");
    }
    holds(policy.clone()).unwrap_or_else(|why| panic!("{fact} does not hold with {id}: {why}"));
    for rule in rules {
        let mut without = policy.clone();
        for each in &mut without.boxes {
            each.rules.retain(|each| *each.id != **rule);
        }
        assert!(holds(without).is_err(), "{fact} holds with {id} less {rule}, so that is not what makes it hold");
    }
}

/// The same over IPv4 with everything else as usual.
pub(crate) fn fact_pair(
    fact: &str,
    id: &str,
    parameters: &str,
    rules: &[&str],
    holds: impl Fn(&mut Pair) -> Result<(), String>,
) {
    fact_case(fact, id, parameters, rules, |policy| holds(&mut Pair::new(policy)));
}

/// Says what was expected where it is not so.
pub(crate) fn check(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}
