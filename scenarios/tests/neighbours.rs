//! What lies beside a measurement, kind by kind, and what is said where nothing does.

use std::collections::BTreeMap;
use std::fmt::Write;

use roadblock_scenarios::model::{NeighbourKind, Protocol};
use roadblock_scenarios::{Diagnostics, Library, Scenario, resolve};

fn resolved(uses: &str, expectations: &str) -> Result<Scenario, Diagnostics> {
    let text = format!(
        r#"
id = "test"
title = "A test"
use = [{uses}]
[hop.access]
[hop.elsewhere]
[vantage.inside]
isp = "AS12389 Rostelecom"
path = ["access"]
resolvers = ["isp"]
[vantage.control]
isp = "AS3320 Deutsche Telekom"
path = ["elsewhere"]
resolvers = ["8.8.8.8"]
[resolver.isp]
at = "access"
lies = [{{ names = ["wikipedia.org"], answer = {{ rcode = "NXDOMAIN" }} }}]
[[phase]]
id = "first"
[[phase]]
id = "second"
{expectations}
"#
    );
    resolve(&text, "test.toml", &Library::embedded())
}

/// The expectations of a scenario with one that measures this, which is blocked, and has these neighbours.
fn around(probe: &str, neighbours: &str) -> Result<Scenario, Diagnostics> {
    let services = ["neutral", "public-dns", "whatsapp", "meta", "telegram", "webrtc", "vpn"];
    let uses = services.map(|name| format!("\"services/{name}\"")).join(", ");
    let expectation = format!(
        "[[expect]]\nid = \"one\"\nphase = \"second\"\nsequence = \"a\"\nprobe = {probe}\nverdict = \"tcp\"\n\
         failure = \"connection_reset\"\nby = \"isp/lies.0\"\nneighbours = {neighbours}\n"
    );
    resolved(&uses, &expectation)
}

const PROBES: &[&str] = &[
    r#"{ dns = { name = "www.wikipedia.org" } }"#,
    r#"{ dns = { name = "www.example.com", family = "v6", resolver = "8.8.8.8", transport = "tcp" } }"#,
    r#"{ dns = { name = "www.wikipedia.org", resolver = "77.88.8.8", transport = "https" } }"#,
    r#"{ dns = { name = "www.wikipedia.org", resolver = "1.1.1.1", transport = "tls" } }"#,
    r#"{ ping = { address = "185.15.59.224" } }"#,
    r#"{ tcp = { address = "93.184.215.14", port = 80 } }"#,
    r#"{ tcp = { address = "31.13.84.53", port = 5222 } }"#,
    r#"{ tls = { address = "1.1.1.1", sni = "web.whatsapp.com" } }"#,
    r#"{ tls = { sni = "www.wikipedia.org", family = "v6" } }"#,
    r#"{ http = { url = "http://www.wikipedia.org/wiki/x?y" } }"#,
    r#"{ http = { url = "https://www.wikipedia.org:8443/", family = "v6", http = 2 } }"#,
    r#"{ throughput = { host = "mmg.whatsapp.net" } }"#,
    r#"{ whatsapp-chat = { address = "31.13.84.53", port = 443 } }"#,
    r#"{ telegram-chat = { address = "149.154.167.51" } }"#,
    r#"{ call = { host = "turn.cloudflare.com" } }"#,
    r#"{ stun = { address = "141.101.90.1" } }"#,
    r#"{ speak = { address = "93.184.215.14", port = 80, send = "text:GET / HTTP/1.1" } }"#,
    r#"{ wireguard = { host = "wg.vpn.example" } }"#,
];

#[test]
fn each_measurement_has_its_neighbours() {
    let mut said = String::new();
    for probe in PROBES {
        let scenario = around(probe, "\"untouched\"").unwrap_or_else(|mistakes| panic!("{probe}\n{mistakes}"));
        writeln!(said, "{probe}").expect("a string");
        for neighbour in &scenario.expectations[1..] {
            let kind = neighbour.neighbour_of.as_ref().expect("a neighbour").kind;
            writeln!(said, "  {:8} {:?}", kind.word(), neighbour.steps[0].probe).expect("a string");
        }
    }
    insta::assert_snapshot!(said);
}

#[test]
fn a_neighbour_is_an_expectation_with_a_client_of_its_own() {
    let probe = r#"{ tls = { address = "1.1.1.1", sni = "web.whatsapp.com" } }"#;
    let scenario = around(probe, r#"{ name = "ok", address = "tls" }"#).expect("sound");
    let [parent, name, address] = scenario.expectations.as_slice() else { panic!("{:?}", scenario.expectations) };
    assert!(parent.neighbour_of.is_none());
    for (neighbour, id, kind) in
        [(name, "one~name", NeighbourKind::Name), (address, "one~address", NeighbourKind::Address)]
    {
        assert_eq!(&*neighbour.id, id);
        let of = neighbour.neighbour_of.as_ref().expect("a neighbour");
        assert_eq!((&*of.of, of.kind), ("one", kind));
        assert_eq!((&neighbour.vantages, &neighbour.phases), (&parent.vantages, &parent.phases));
        assert_eq!((neighbour.sequence.as_ref(), neighbour.steps.len()), (None, 1));
        assert_eq!(neighbour.steps[0].failure, None);
    }
    assert!(name.steps[0].by.is_empty());
    assert_eq!(address.steps[0].by, parent.steps[0].by);
}

#[test]
fn the_neutral_host_and_resolver_can_be_chosen() {
    let probe = r#"{ tls = { address = "1.1.1.1", sni = "web.whatsapp.com" } }"#;
    let scenario = around(probe, r#"{ others = "ok", neutral = "ya.ru" }"#).expect("sound");
    let said = format!("{:?}", scenario.expectations.iter().map(|each| &each.steps[0].probe).collect::<Vec<_>>());
    assert!(said.contains("ya.ru") && said.contains("77.88.55.242"), "{said}");
    let probe = r#"{ dns = { name = "www.wikipedia.org" } }"#;
    let scenario = around(probe, r#"{ address = "ok", resolver = "1.0.0.1" }"#).expect("sound");
    assert!(format!("{:?}", scenario.expectations[1].steps[0].probe).contains("1.0.0.1"));
}

#[test]
fn what_has_no_neighbour_is_said() {
    let tls = r#"{ tls = { address = "1.1.1.1", sni = "web.whatsapp.com" } }"#;
    let cases = [
        (r#""whatsapp""#, "\"untouched\""),
        (r#"{ tcp = { address = "31.13.84.53", port = 5222 } }"#, r#"{ name = "ok" }"#),
        (r#"{ tcp = { address = "31.13.84.53", port = 5222 } }"#, r#"{ address = "ok" }"#),
        (r#"{ ping = { address = "31.13.84.53" } }"#, r#"{ port = "ok" }"#),
        (r#"{ tls = { address = "203.113.113.9", sni = "web.whatsapp.com" } }"#, r#"{ port = "ok" }"#),
        (tls, r#"{ name = "ok", neutral = "web.whatsapp.com" }"#),
        (tls, r#"{ name = "ok", neutral = "nobody.example" }"#),
        (tls, r#"{ neutral = "ya.ru" }"#),
        (tls, r#""touched""#),
        (tls, r#"{ names = "ok" }"#),
    ];
    let mut said: Vec<String> = cases
        .iter()
        .map(|(probe, neighbours)| {
            let mistakes = around(probe, neighbours).err().unwrap_or_else(|| panic!("{probe} {neighbours} is fine"));
            format!("{probe} {neighbours}\n{mistakes}")
        })
        .collect();
    let alone = format!("[[expect]]\nprobe = {tls}\nverdict = \"tls\"\nneighbours = \"untouched\"\n");
    said.push(resolved("\"services/public-dns\"", &alone).expect_err("there is no neutral host").to_string());
    insta::assert_snapshot!(said.join("\n\n"));
}

/// Every host with a web server or a name server has another port, and nothing is in the way of another.
#[test]
fn what_listens_at_its_usual_port_answers_at_another_too() {
    let scenario = around(PROBES[4], "\"untouched\"").expect("sound");
    let mut counts: BTreeMap<Protocol, u32> = BTreeMap::new();
    for host in scenario.services.iter().flat_map(|service| &service.hosts) {
        for listener in &host.listen {
            let Some(other) = listener.protocol.other_port() else { continue };
            if listener.port == listener.protocol.usual_port() {
                let there = host.listen.iter().any(|each| each.port == other);
                assert!(there, "{:?} has nothing at port {other}", host.names);
                *counts.entry(listener.protocol).or_default() += 1;
            }
        }
    }
    assert_eq!(counts.len(), 5, "{counts:?}");
}
