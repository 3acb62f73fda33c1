//! What of a scenario a lab is built of, and so cannot change while it lives.

use std::collections::BTreeMap;

use roadblock_scenarios::Scenario;

use crate::plan::delays::delays;

/// What differs of that between two readings of a file, as `vantage.moscow differs`.
pub(super) fn between(old: &Scenario, new: &Scenario) -> Vec<String> {
    let (old, new) = (built_of(old), built_of(new));
    let mut differences = Vec::new();
    for (name, was) in &old {
        match new.get(name) {
            None => differences.push(format!("{name} is gone")),
            Some(is) if is != was => differences.push(format!("{name} differs")),
            Some(_) => {}
        }
    }
    differences.extend(new.keys().filter(|name| !old.contains_key(*name)).map(|name| format!("{name} is new")));
    differences
}

/// Each thing that a lab is built of, by what the file calls it, with all that it says about it. A debug text has every field,
/// those too that are added to the model later.
fn built_of(scenario: &Scenario) -> BTreeMap<String, String> {
    let mut parts = BTreeMap::new();
    for hop in &scenario.hops {
        parts.insert(format!("hop.{}", hop.name), format!("{hop:?}"));
    }
    for vantage in &scenario.vantages {
        parts.insert(format!("vantage.{}", vantage.name), format!("{vantage:?}"));
    }
    for resolver in &scenario.resolvers {
        parts.insert(format!("resolver.{}", resolver.name), format!("{resolver:?}"));
    }
    for censor in &scenario.censors {
        // Its policy changes, and with it the profile that it comes from.
        parts.insert(format!("censor.{}", censor.name), censor.at.to_string());
    }
    for machine in &scenario.machines {
        // The line where its command stands means nothing.
        let run = machine.run.as_ref().map(|run| (&run.command, &run.ready));
        let place = (&machine.at, machine.v4, machine.v6, &machine.behind);
        parts.insert(format!("machine.{}", machine.name), format!("{place:?} {run:?}"));
    }
    for service in &scenario.services {
        parts.insert(format!("the service {}", service.id), format!("{:?}", service.hosts));
    }
    for (hop, delay) in delays(scenario) {
        parts.insert(format!("the delay at hop.{hop}"), format!("{delay:?}"));
    }
    parts
}

#[cfg(test)]
mod tests {
    use roadblock_scenarios::{Library, resolve};

    use super::*;

    const FILE: &str = r#"
id = "tests/small"
title = "A small lab"
use = ["services/neutral", "services/public-dns"]
[hop.access]
[hop.elsewhere]
[vantage.inside]
isp = "AS12389 Rostelecom"
path = ["access"]
resolvers = ["8.8.8.8"]
[vantage.control]
isp = "AS3320 Deutsche Telekom"
path = ["elsewhere"]
resolvers = ["8.8.8.8"]
[censor.tspu]
profile = "censors/tspu-2026"
at = "access"
sni-1 = ["ya.ru"]
[[phase]]
id = "one"
"#;

    fn differences(from: &str, to: &str) -> Vec<String> {
        let read =
            |text: &str| resolve(text, "small.toml", &Library::embedded()).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(FILE.contains(from), "{from}");
        between(&read(FILE), &read(&FILE.replace(from, to)))
    }

    #[test]
    fn lists_and_phases_are_no_difference() {
        assert_eq!(differences("sni-1 = [\"ya.ru\"]", "sni-4 = [\"ya.ru\"]"), [""; 0]);
        assert_eq!(differences("[[phase]]", "[[phase]]\nid = \"zero\"\n[[phase]]"), [""; 0]);
        assert_eq!(differences("A small lab", "Another title"), [""; 0]);
    }

    #[test]
    fn what_the_lab_is_built_of_is_named() {
        let more = "[vantage.more]\nisp = \"AS8359 MTS\"\npath = [\"access\"]\nresolvers = [\"8.8.8.8\"]\n[[phase]]";
        assert_eq!(differences("[[phase]]", more), ["vantage.more is new"]);
        assert_eq!(
            differences("[\"access\"]\nresolvers = [\"8.8", "[\"access\"]\nresolvers = [\"8.8.4.4\", \"8.8"),
            ["vantage.inside differs"]
        );
        assert_eq!(differences("\"services/neutral\", ", ""), ["the service services/neutral is gone"]);
    }
}
