//! Every file of the library is sound, and what is on disk is what the binary carries.

mod support;

use std::path::Path;

use roadblock_censor::policy::Grade;
use roadblock_scenarios::{Library, load};

#[test]
fn every_file_is_sound() {
    let library = Library::embedded();
    let ids: Vec<&str> = library.ids().chain(library.profiles()).chain(library.services()).collect();
    assert!(ids.len() >= 24, "only {ids:?}");
    for id in ids {
        if let Err(mistakes) = library.check(id) {
            panic!("{id}:\n{mistakes}");
        }
    }
}

#[test]
fn the_binary_carries_every_folder_that_is_on_disk() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let embedded = Library::embedded();
    let on_disk = Library::at(root).expect("the crate's own folder is there");
    assert_eq!(embedded.ids().collect::<Vec<_>>(), on_disk.ids().collect::<Vec<_>>());
    assert_eq!(embedded.services().collect::<Vec<_>>(), on_disk.services().collect::<Vec<_>>());
    assert_eq!(embedded.profiles().collect::<Vec<_>>(), on_disk.profiles().collect::<Vec<_>>());
    assert_eq!(embedded.lists().collect::<Vec<_>>(), on_disk.lists().collect::<Vec<_>>());
}

#[test]
fn a_path_and_an_id_give_the_same_scenario() {
    let library = Library::embedded();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ru/whatsapp-2026.toml");
    let by_path = load(path.to_str().expect("a plain path"), &library).expect("it is sound");
    let by_id = load("ru/whatsapp-2026", &library).expect("it is sound");
    assert_eq!(by_path.id, by_id.id);
    assert_eq!(by_path.rules(), by_id.rules());
    assert_eq!(support::render(&by_path), support::render(&by_id));
}

#[test]
fn every_rule_and_lie_that_can_act_has_an_expectation_that_names_it() {
    let library = Library::embedded();
    for id in library.ids() {
        let scenario = load(id, &library).expect("it is sound");
        let named: Vec<&String> =
            scenario.expectations.iter().flat_map(|each| &each.steps).flat_map(|step| &step.by).collect();
        for rule in scenario.rules().into_iter().filter(|rule| rule.active) {
            assert!(named.contains(&&rule.by), "{id}: nothing proves {}", rule.by);
        }
    }
}

#[test]
fn a_rule_is_the_same_in_every_phase_and_can_be_taken_out_of_all() {
    let library = Library::embedded();
    for id in library.ids() {
        let scenario = load(id, &library).expect("it is sound");
        let rules = scenario.rules();
        // What fails without anybody's doing has no rule that does it.
        let nobody_s = id.starts_with("benign/") || matches!(id, "ooni/uncensored" | "ooni/localhost");
        assert!(!rules.is_empty() || nobody_s, "{id} has no rule");
        for rule in &rules {
            let without = scenario.without_rule(&rule.by).expect("the rule is there");
            let left: Vec<_> = without.rules().into_iter().map(|each| each.by).collect();
            let rest: Vec<_> = rules.iter().map(|each| each.by.clone()).filter(|by| *by != rule.by).collect();
            assert_eq!(left, rest, "{id} without {}", rule.by);
        }
        assert!(scenario.without_rule("no/such").is_none());
    }
}

#[test]
fn the_flagship_has_the_defaults_that_commands_rely_on() {
    let scenario = load("ru/whatsapp-2026", &Library::embedded()).expect("it is sound");
    assert_eq!(scenario.default_vantage().map(|vantage| &*vantage.name), Some("moscow"));
    assert_eq!(scenario.default_phase().map(|phase| &*phase.id), Some("dns-redirect"));
    assert!(scenario.control().is_some());
    let targets: Vec<&str> = scenario.targets().map(|target| target.title.as_str()).collect();
    assert_eq!(targets.first(), Some(&"WhatsApp"));
    assert_eq!(targets.len(), 18);
    let grade = |by: &str| scenario.rules().into_iter().find(|rule| rule.by == by).map(|rule| rule.grade);
    assert_eq!(grade("isp/nsdi"), Some(Grade::Measured));
    assert_eq!(grade("tspu/sni-1"), Some(Grade::Recalled), "TSPU-8 is recalled, and the weakest fact counts");
}

#[test]
fn what_is_listed_in_a_phase_is_what_the_facts_say() {
    let scenario = load("ru/whatsapp-2026", &Library::embedded()).expect("it is sound");
    let lies = |phase: &str, name: &str| {
        let phase = scenario.phase(phase).expect("the phase is there");
        phase.state.lies["isp"].iter().any(|lie| lie.names.matches(name))
    };
    assert!(!lies("before", "web.whatsapp.com"));
    assert!(lies("full-block", "web.whatsapp.com"));
    assert!(lies("full-block", "mmg.whatsapp.net"));
    assert!(!lies("full-block", "www.facebook.com"));
    assert!(lies("meta-block", "www.facebook.com"));
    assert!(lies("meta-block", "web.whatsapp.com"), "what one phase changes holds in the next");
    assert!(!lies("meta-block", "max.ru"));
}

#[test]
fn a_library_on_disk_takes_the_place_of_the_embedded_one_file_by_file() {
    let library = Library::embedded().with_files([(
        "services/neutral.toml".to_owned(),
        "kind = \"service\"\nid = \"services/neutral\"\ntitle = \"Mine\"\n\
         [[host]]\nnames = [\"www.wikipedia.org\"]\naddresses = [\"185.15.59.99\"]\n\
         [[host]]\nnames = [\"www.example.com\"]\naddresses = [\"185.15.59.98\"]\n"
            .to_owned(),
    )]);
    let scenario = load("mechanisms/dns-nxdomain", &library).unwrap_or_else(|errors| panic!("{errors}"));
    let address = "185.15.59.99".parse::<std::net::IpAddr>().expect("a literal");
    assert_eq!(scenario.addresses_of("www.wikipedia.org"), [address]);
    assert!(!scenario.addresses_of("www.wikipedia.org.").is_empty());
}

#[test]
fn the_flagship_resolves_to_what_it_did() {
    let scenario = load("ru/whatsapp-2026", &Library::embedded()).expect("it is sound");
    insta::assert_snapshot!("flagship", support::render(&scenario));
}

#[test]
fn rules_about_addresses_alone_are_left_to_the_kernel() {
    let library = Library::embedded();
    for (id, by) in [("ru/whatsapp-2026", "ip-drop"), ("mechanisms/ip-reset", "reset"), ("mechanisms/ip-port", "port")]
    {
        let scenario = load(id, &library).expect("it is sound");
        let state = &scenario.default_phase().expect("there is one").state;
        let mut boxes = state.policies.values().flat_map(|policy| &policy.boxes);
        let found = boxes.any(|each| each.kernel_blocks().any(|(rule, _)| &*rule.id == by));
        assert!(found, "{id}: the kernel cannot execute {by}");
    }
}

/// The TOML of one of a text's fenced blocks, counted from one, each line freed of a comment sign.
fn fenced<'a>(text: &'a str, number: usize, sign: &str) -> String {
    let block = text.split("```toml").nth(number).and_then(|rest| rest.split("```").next()).expect("there is a block");
    block.lines().map(|line: &'a str| line.strip_prefix(sign).unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_examples_in_the_documentation_are_sound() {
    let in_readme = fenced(include_str!("../README.md"), 1, "");
    let in_source = fenced(include_str!("../src/declare/profile.rs"), 1, "//!");
    for profile in [in_readme, in_source] {
        let library = Library::embedded().with_files([("censors/example.toml".to_owned(), profile)]);
        if let Err(mistakes) = library.check("censors/example") {
            panic!("{mistakes}");
        }
    }
}
