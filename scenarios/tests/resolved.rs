//! A scenario with everything filled in means the same, and says where each value came from.

mod folder;

use std::collections::BTreeSet;

use folder::Folder;
use roadblock_scenarios::model::Phase;
use roadblock_scenarios::{Library, Origin, Resolved, Scenario, load, load_with, resolve, resolved};

/// What a scenario means, without the places in files.
fn meaning(scenario: &Scenario) -> String {
    let expectations: Vec<String> = scenario
        .expectations
        .iter()
        .map(|each| format!("{} {:?} {:?} {:?} {:?}", each.id, each.vantages, each.phases, each.sequence, each.steps))
        .collect();
    let Scenario { hops, vantages, resolvers, censors, services, machines, phases, .. } = scenario;
    format!(
        "{hops:?}\n{vantages:?}\n{resolvers:?}\n{censors:?}\n{services:?}\n{machines:?}\n{phases:?}\n{expectations:#?}"
    )
}

fn shown(argument: &str, set: &[&str], phase: Option<&str>, library: &Library) -> Resolved {
    let set: Vec<String> = set.iter().map(|each| (*each).to_owned()).collect();
    resolved(argument, &set, phase, library).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// The scenario that is read of what is shown.
fn read(shown: &Resolved, library: &Library) -> Scenario {
    resolve(&shown.toml, "shown.toml", library).unwrap_or_else(|mistakes| panic!("{mistakes}\n{}", shown.toml))
}

#[test]
fn what_is_shown_of_each_scenario_is_read_as_the_same() {
    let library = Library::embedded();
    for id in library.ids() {
        let Ok(scenario) = load(id, &library) else { continue };
        let again = read(&shown(id, &[], None, &library), &library);
        assert!(meaning(&scenario) == meaning(&again), "{id}");
    }
}

#[test]
fn what_is_shown_of_each_phase_is_read_as_that_phase() {
    let library = Library::embedded();
    for id in library.ids() {
        let Ok(scenario) = load(id, &library) else { continue };
        for phase in &scenario.phases {
            let again = read(&shown(id, &[], Some(&phase.id), &library), &library);
            assert_eq!(again.phases.len(), 1, "{id} {}", phase.id);
            assert!(judged(phase) == judged(&again.phases[0]), "{id} {}", phase.id);
            let ids = |scenario: &Scenario| {
                let named = scenario.expectations.iter().filter(|each| each.phases.contains(&phase.id));
                named.map(|each| each.id.to_string()).collect::<BTreeSet<_>>()
            };
            assert_eq!(ids(&scenario), ids(&again), "{id} {}", phase.id);
        }
    }
}

/// All that a phase decides. Where it is decided, in the kernel or by the machine, depends on the other phases too.
fn judged(phase: &Phase) -> String {
    let mut state = phase.state.clone();
    for rule in state.policies.values_mut().flat_map(|policy| &mut policy.boxes).flat_map(|each| &mut each.rules) {
        rule.machine_only = false;
    }
    format!("{state:?}")
}

const BASE: &str = r#"
id = "base"
title = "Base"
use = ["services/neutral", "services/public-dns"]
param.hidden = { type = "names", default = ["wikipedia.org"], grade = "recalled" }
param.slow = { type = "duration", default = "2ms" }
param.miss = { type = "probability", default = 0.0 }

[hop.access]
[hop.elsewhere]

[vantage.inside]
isp = "AS12389 Rostelecom"
path = ["access"]
delay = "$slow"
resolvers = ["isp"]

[vantage.control]
isp = "AS3320 Deutsche Telekom"
path = ["elsewhere"]
resolvers = ["8.8.8.8"]

[resolver.isp]
at = "access"
lies = [{ id = "hide", names = ["$hidden", "=a.example"], answer = { rcode = "NXDOMAIN" } }]

[censor.box]
profile = "censors/mine"
at = "access"
miss = "$miss"

[[phase]]
id = "first"
date = 2026-01-01

[[phase]]
id = "second"
date = 2026-02-01
change = [
    { in = "resolver.isp.lies.hide.names", add = { union = "@./more.txt", except = "b.example" } },
    { in = "censor.box.names", add = ["example.com", "example.org"] },
    { in = "censor.box.names", remove = "example.org" },
]

[[expect]]
id = "hidden"
probe = { dns = { name = "www.wikipedia.org" } }
verdict = "dns"
by = "isp/hide"
"#;

const PROFILE: &str = r#"
kind = "profile"
id = "censors/mine"
title = "Mine"
param.names = { type = "names" }
param.miss = { type = "probability", default = 0.5 }
param.last = { type = "duration", default = "75s" }
box.place = "in-path"

[[rule]]
id = "sni"
when = { tls.sni = "$names" }
trigger = "drop"
then = { both = "drop" }
key = "3t"
last = "$last"
miss = "$miss"
"#;

const TOP: &str = r#"
id = "mine/top"
title = "Top"
extends = "./below/base.toml"
set = { slow = "5ms" }
use = ["services/whatsapp"]

[[phase]]
id = "second"
felt = "Nothing."

[[expect]]
id = "hidden"
phase = "second"
"#;

/// The files, and the library with the profile.
fn files(name: &str) -> (Folder, String, Library) {
    let folder = Folder::new(name);
    folder.write("below/base.toml", BASE);
    folder.write("below/more.txt", "b.example\nc.example\n");
    let top = folder.write("top.toml", TOP);
    (folder, top, Library::embedded().with_files([("censors/mine.toml".to_owned(), PROFILE.to_owned())]))
}

#[test]
fn each_value_says_where_it_came_from() {
    let (folder, top, library) = files("resolved");
    let plain = |shown: Resolved| shown.toml.replace(&folder.path().display().to_string(), ".");
    insta::assert_snapshot!("all-phases", plain(shown(&top, &[], None, &library)));
    insta::assert_snapshot!("one-phase", plain(shown(&top, &["miss=0.25"], Some("second"), &library)));
}

#[test]
fn programs_are_told_the_same() {
    let (folder, top, library) = files("resolved-json");
    let shown = shown(&top, &["miss=0.25"], Some("second"), &library);
    let set = load_with(&top, &["miss=0.25".to_owned()], &library).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(set.parameters.iter().filter(|each| each.is_set).count(), 2);
    let of = |path: &str| {
        let value = shown.values.iter().find(|each| each.path == path).unwrap_or_else(|| panic!("no {path}"));
        (value.value.clone(), value.origin.clone())
    };
    let base = folder.path().join("below/base.toml").display().to_string();
    assert_eq!(
        of("vantage.inside.isp"),
        ("AS12389 Rostelecom".into(), Origin::Extends { file: base.clone(), line: 13 })
    );
    assert_eq!(of("phase.second.felt"), ("Nothing.".into(), Origin::File { file: top.clone(), line: 10 }));
    assert_eq!(
        of("censor.box.last"),
        ("75s".into(), Origin::Profile { file: "censors/mine.toml".to_owned(), line: 7 })
    );
    assert_eq!(of("vantage.control.delay"), ("2ms".into(), Origin::Language));
    assert_eq!(of("resolver.isp.lies.hide.answer.ttl"), (60.into(), Origin::Language));
    let slow = Origin::Set { parameter: "slow".to_owned(), file: top, line: 5 };
    assert_eq!(of("vantage.inside.delay"), ("5ms".into(), slow));
    let miss = Origin::Set { parameter: "miss".to_owned(), file: "--set miss=0.25".to_owned(), line: 1 };
    assert_eq!(of("censor.box.miss"), (0.25.into(), miss));
    let hidden = Origin::Default { parameter: "hidden".to_owned(), file: base, line: 5 };
    let names = shown.values.iter().filter(|each| each.path.starts_with("resolver.isp.lies.hide.names"));
    assert!(names.clone().any(|each| each.value == "c.example"));
    assert_eq!(names.count(), 3);
    assert_eq!(of("vantage.inside.address.v4").1, Origin::Library { file: "networks.toml".to_owned() });
    let whole = resolved(&folder.path().join("top.toml").display().to_string(), &[], None, &library).expect("sound");
    assert_eq!(whole.values.iter().find(|each| each.value == "wikipedia.org").map(|each| &each.origin), Some(&hidden));
}

#[test]
fn what_is_not_sound_is_not_shown() {
    let library = Library::embedded();
    let said =
        resolved("ru/whatsapp-2026", &[], Some("dns-redirekt"), &library).expect_err("no such phase").to_string();
    assert!(
        said.contains("no phase has the id `dns-redirekt`") && said.contains("did you mean `dns-redirect`?"),
        "{said}"
    );
    assert!(resolved("ru/none", &[], None, &library).is_err());
    assert!(resolved("ru/whatsapp-2026", &["x=1".to_owned()], None, &library).is_err());
}
