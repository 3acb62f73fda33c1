//! Broken files that the reader takes all the same can be planned: what it lets through, the lab must not stumble over.

#[path = "../../scenarios/tests/support/mutate.rs"]
mod mutate;

use mutate::mutated;
use roadblock_emulator::plan::ruleset::Ruleset;
use roadblock_emulator::plan::topology::Topology;
use roadblock_scenarios::{Library, resolve};

#[test]
fn what_is_not_refused_can_be_planned() {
    let library = Library::embedded();
    let mut planned = 0;
    for file in (0..200).map(|number| mutated(number, &library)) {
        let Ok(scenario) = resolve(&file.text, "test.toml", &library) else { continue };
        let topology = Topology::of(&scenario);
        assert!(topology.namespaces.len() >= scenario.vantages.len() + scenario.hops.len(), "{}", file.name);
        for hop in &scenario.hops {
            let rules = Ruleset::of(&scenario, &hop.name, false);
            assert!(rules.is_ok(), "{}: {:?}", file.name, rules.err());
            for phase in &scenario.phases {
                Ruleset::elements(&scenario, &hop.name, &phase.id);
            }
        }
        planned += 1;
    }
    assert!(planned > 10, "only {planned} were planned");
}
