//! Where a lab's packets are captured.

use std::net::IpAddr;

use roadblock_scenarios::model::{Name, Scenario};

/// A hop where packets are captured.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Watched {
    /// The hop.
    pub(super) hop: Name,
    /// Both towards the clients and towards the internet; else towards the clients alone.
    pub(super) both: bool,
    /// Only what these addresses send and receive; empty: everything.
    pub(super) only: Vec<IpAddr>,
}

/// The hops that decide: those with a censor, on both sides. Where a vantage meets none, its first hop shows what it sent
/// and received. A resolver's hop shows what the resolver was asked and said, because that goes no further.
pub(super) fn watched(scenario: &Scenario) -> Vec<Watched> {
    let has_censor = |hop: &Name| scenario.censors.iter().any(|censor| censor.at == *hop);
    let mut uncensored = scenario.vantages.iter().filter(|vantage| !vantage.path.iter().any(has_censor));
    let first_hops: Vec<&Name> = uncensored.by_ref().filter_map(|vantage| vantage.path.first()).collect();
    let mut watched = Vec::new();
    for hop in scenario.hops.iter().map(|hop| &hop.name) {
        let resolvers = scenario.resolvers.iter().filter(|resolver| resolver.at == *hop);
        let only: Vec<IpAddr> = resolvers.flat_map(|resolver| resolver.addresses.iter().copied()).collect();
        let both = has_censor(hop);
        if both || first_hops.contains(&hop) {
            watched.push(Watched { hop: Name::clone(hop), both, only: Vec::new() });
        } else if !only.is_empty() {
            watched.push(Watched { hop: Name::clone(hop), both, only });
        }
    }
    watched
}

#[cfg(test)]
mod tests {
    use roadblock_scenarios::{Library, load};

    use super::*;

    #[test]
    fn censors_resolvers_and_first_hops_are_watched() {
        let mut scenario = load("ru/whatsapp-2026", &Library::embedded()).expect("a sound scenario");
        scenario.resolvers.retain(|resolver| *resolver.at != *"border");
        let watched = watched(&scenario);
        let told = |hop: &str| {
            let found = watched.iter().find(|each| &*each.hop == hop);
            found.map(|each| (each.both, each.only.is_empty()))
        };
        assert_eq!(told("tspu-moscow"), Some((true, true)), "the censor's hop, both sides");
        assert_eq!(told("rt-access"), Some((false, false)), "the resolver of a vantage with a censor");
        assert_eq!(told("mf-access"), Some((false, true)), "the first hop of a vantage without one");
        assert_eq!(told("border"), None, "nothing is decided there");
    }
}
