//! How clients are connected: what the keys of a vantage come to, and what is said about those that cannot be.

use roadblock_scenarios::model::{Access, Family, NatKind, Vantage};
use roadblock_scenarios::{Library, resolve};

/// A scenario to which keys of its first vantage are to come.
const SOUND: &str = r#"
id = "test"
title = "A test"
use = ["services/neutral", "services/public-dns"]

[hop.access]
[hop.elsewhere]

[vantage.control]
isp = "AS3320 Deutsche Telekom"
path = ["elsewhere"]
resolvers = ["8.8.8.8"]

[resolver.isp]
at = "access"

[vantage.inside]
isp = "AS12389 Rostelecom"
path = ["access"]
"#;

fn inside(keys: &str) -> Vantage {
    let text = format!("{SOUND}{keys}\n");
    let scenario =
        resolve(&text, "test.toml", &Library::embedded()).unwrap_or_else(|errors| panic!("{text}\n{errors}"));
    scenario.vantage("inside").expect("it is there").clone()
}

#[test]
fn both_families_and_no_translator_where_nothing_is_said() {
    let vantage = inside("resolvers = [\"isp\"]");
    assert_eq!(vantage.access, Access::default());
    assert_eq!(vantage.resolvers.len(), 2);
}

#[test]
fn resolvers_are_those_that_can_be_reached() {
    let vantage = inside("resolvers = [\"isp\"]\nfamilies = [\"v6\"]");
    assert_eq!(vantage.access.families, [Family::V6]);
    assert!(vantage.resolvers.len() == 1 && vantage.resolvers[0].is_ipv6(), "{:?}", vantage.resolvers);
}

/// Whatever the order of the file, the router at home is the nearer one.
#[test]
fn translators_stand_in_their_order() {
    let vantage = inside("resolvers = [\"isp\"]\nnat = [\"carrier\", \"home\"]");
    assert_eq!(vantage.access.nat, [NatKind::Home, NatKind::Carrier]);
    assert_eq!(inside("resolvers = [\"isp\"]\nnat = \"home\"").access.nat, [NatKind::Home]);
}

#[test]
fn what_cannot_be_is_said_with_what_to_do() {
    let texts = [
        "resolvers = [\"8.8.8.8\"]\nfamilies = [\"v6\"]",
        "resolvers = [\"isp\"]\nfamilies = [\"v6\"]\nnat = \"home\"",
        "resolvers = [\"isp\"]\nnat64 = true",
        "resolvers = [\"2001:4860:4860::8888\"]\nfamilies = [\"v6\"]\nnat64 = true",
        "resolvers = [\"isp\"]\nfamilies = [\"v5\"]",
        "resolvers = [\"isp\"]\nnat = [\"mobile\"]",
    ];
    let said = |keys: &&str| {
        let errors = resolve(&format!("{SOUND}{keys}\n"), "test.toml", &Library::embedded()).expect_err("it is bad");
        format!("{keys}\n{errors}\n")
    };
    insta::assert_snapshot!(texts.iter().map(said).collect::<Vec<_>>().join("\n"));
}
