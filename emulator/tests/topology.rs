//! Which namespaces a scenario comes to, how they are linked, and which way packets go.

use std::fmt::Write;
use std::sync::Arc;

use roadblock_emulator::plan::Topology;
use roadblock_emulator::plan::topology::RouteKind;
use roadblock_scenarios::{Library, resolve};

/// One vantage through three hops, and the control.
const HEAD: &str = r#"
id = "tests/topology"
title = "Who is linked to whom"
use = ["services/neutral", "services/public-dns"]

[hop.access]
[hop.box]
[hop.border]
[hop.elsewhere]

[vantage.control]
isp = "AS3320 Deutsche Telekom"
path = ["elsewhere"]
resolvers = ["8.8.8.8"]

[resolver.isp]
at = "box"

[vantage.inside]
isp = "AS12389 Rostelecom"
path = ["access", "box", "border"]
resolvers = ["8.8.8.8", "isp"]
"#;

#[test]
fn a_machine_inside_the_country_hangs_off_its_hop_and_is_known_above_it() {
    insta::assert_snapshot!(plan("[machine.site]\nat = \"access\"\nbehind = \"10.66.0.0/24\""));
}

#[test]
fn translators_stand_between_the_client_and_its_first_hop() {
    insta::assert_snapshot!(plan_of("nat = [\"home\", \"carrier\"]"));
}

#[test]
fn a_nat64_has_a_device_where_headers_are_translated() {
    insta::assert_snapshot!(plan_of("families = [\"v6\"]\nnat64 = true"));
}

#[test]
fn a_client_with_one_family_has_no_address_and_no_way_of_the_other() {
    insta::assert_snapshot!(plan_of("families = [\"v4\"]"));
}

/// The part of the plan that is the client's, with more keys of its vantage.
fn plan_of(keys: &str) -> String {
    let all = plan(keys);
    let end = all.find("hop.box").expect("the second hop");
    all[..end].to_owned()
}

/// Everything but the control's own way.
fn plan(tail: &str) -> String {
    let text = format!("{HEAD}{tail}\n");
    let scenario = resolve(&text, "test.toml", &Library::embedded()).unwrap_or_else(|errors| panic!("{errors}"));
    let topology = Topology::of(&Arc::new(scenario));
    let mut text = String::new();
    for namespace in
        topology.namespaces.iter().filter(|each| !["client.control", "hop.elsewhere"].contains(&&*each.name))
    {
        writeln!(text, "{} ({:?})", namespace.name, namespace.role).expect("a text takes anything");
        for (here, there) in topology.links_of(&namespace.name) {
            writeln!(text, "  {} to {} {}", here.interface, there.namespace, there.interface).expect("likewise");
        }
        for each in &namespace.addresses {
            writeln!(text, "  {} on {}", each.address, each.interface).expect("likewise");
        }
        for route in &namespace.routes {
            let way = match &route.kind {
                RouteKind::Local => "local".to_owned(),
                RouteKind::Device { interface } => format!("into {interface}"),
                RouteKind::Over { interface, source: Some(source) } => format!("over {interface} from {source}"),
                RouteKind::Over { interface, source: None } => format!("over {interface}"),
            };
            writeln!(text, "  {} {way}", route.prefix).expect("likewise");
        }
    }
    text
}
