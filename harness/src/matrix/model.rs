//! What of a scenario judges a tool: the model that a verdict rests on.

use roadblock_scenarios::Scenario;

use super::digest::of;

/// A SHA-256, in hex, of all that a packet of this vantage can meet in this phase: the vantage itself, the censors on its path
/// with their rules, parameters and lists, what its resolvers say, and the services. What other vantages meet, other phases,
/// titles, sources and expectations are not in it.
pub(super) fn model_digest(scenario: &Scenario, phase: &str, vantage: &str) -> String {
    let (Some(phase), Some(vantage)) = (scenario.phase(phase), scenario.vantage(vantage)) else { return String::new() };
    let mut model = vec![("vantage", format!("{vantage:?}"))];
    for censor in scenario.censors.iter().filter(|censor| vantage.path.contains(&censor.at)) {
        model.push(("censor", format!("{censor:?}")));
        model.push(("policy", format!("{:?}", phase.state.policies.get(&censor.name))));
    }
    let is_asked = |address| vantage.resolvers.contains(address);
    for resolver in scenario.resolvers.iter().filter(|resolver| resolver.addresses.iter().any(is_asked)) {
        model.push(("resolver", format!("{resolver:?}")));
        model.push(("lies", format!("{:?}", phase.state.lies.get(&resolver.name))));
    }
    model.extend(scenario.services.iter().map(|service| ("hosts", format!("{:?}", service.hosts))));
    of(model.iter().map(|(name, part)| (*name, part.as_bytes())))
}

#[cfg(test)]
mod tests {
    use roadblock_scenarios::{Library, load_with};

    use super::*;

    fn digest(set: &[&str], phase: &str, vantage: &str) -> String {
        let set: Vec<String> = set.iter().map(|each| (*each).to_owned()).collect();
        let scenario = load_with("ru/whatsapp-2026", &set, &Library::embedded()).expect("a sound scenario");
        model_digest(&scenario, phase, vantage)
    }

    #[test]
    fn the_same_is_the_same_and_each_phase_and_vantage_has_its_own() {
        let full = digest(&[], "full-block", "moscow");
        assert_eq!(full, digest(&[], "full-block", "moscow"));
        assert_ne!(full, digest(&[], "before", "moscow"));
        assert_ne!(full, digest(&[], "full-block", "control"));
        // Nothing changes for control, whose path has no censor.
        assert_eq!(digest(&[], "before", "control"), digest(&[], "full-block", "control"));
        assert_eq!(full.len(), 64);
    }

    #[test]
    fn what_a_profile_says_counts_and_what_is_only_told_does_not() {
        let digest = |place: &str, from: &str, to: &str| {
            let text = std::fs::read_to_string(format!("{}/../scenarios/{place}", env!("CARGO_MANIFEST_DIR")));
            let text = text.expect("a file of the library");
            let changed = text.replacen(from, to, 1);
            assert_eq!(changed == text, from == to, "{from}");
            let library = Library::embedded().with_files([(place.to_owned(), changed)]);
            let scenario = load_with("mechanisms/sni-reset-client", &[], &library).expect("a sound scenario");
            model_digest(&scenario, "always", "inside")
        };
        let (own, profile) = ("mechanisms/sni-reset-client.toml", "censors/sni-reset.toml");
        let before = digest(own, "", "");
        assert_eq!(digest(own, "title = \"A TLS", "title = \"Another TLS"), before, "a title");
        assert_eq!(digest(own, "id = \"reset\"", "id = \"renamed\""), before, "an expectation");
        assert_ne!(digest(own, "to-client = [", "to-client = [\"gosuslugi.ru\", "), before, "a parameter");
        assert_ne!(digest(profile, "flags = \"RA\"", "flags = \"R\""), before, "a rule");
    }
}
