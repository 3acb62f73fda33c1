//! What the kernel says it has, as `ip` and `nft` read it, against the plan.

use std::collections::BTreeSet;
use std::process::Command;

use roadblock_emulator::lab::Lab;
use roadblock_emulator::plan::topology::{RouteKind, hop_namespace};
use roadblock_emulator::plan::{Ruleset, Topology};
use serde_json::Value;

use crate::support::lab;

/// Runs a program in a hop's namespace and reads its JSON.
pub(crate) fn json_at(lab: &Lab, hop: &str, program: &str, arguments: &'static [&'static str]) -> Value {
    let (tell, told) = std::sync::mpsc::channel();
    let program = program.to_owned();
    lab.hop_runtime(hop).expect("the hop exists").spawn(async move {
        tell.send(Command::new(&program).args(arguments).output().expect("the program is installed"))
    });
    let output = told.recv().expect("it ran");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

pub(crate) fn links_addresses_and_routes_are_as_planned() {
    let lab = lab();
    let topology = Topology::of(lab.scenario());
    for hop in ["access", "box", "border", "elsewhere"] {
        let name = hop_namespace(hop);
        let plan = topology.namespace(&name).expect("planned");
        let links = json_at(&lab, hop, "ip", &["-j", "address"]);
        let found: BTreeSet<(String, String)> = rows(&links)
            .iter()
            .filter(|link| link["ifname"] != "lo")
            .map(|link| (text(&link["ifname"]), text(&link["address"])))
            .collect();
        let hardware = |bytes: [u8; 6]| bytes.map(|byte| format!("{byte:02x}")).join(":");
        let planned: BTreeSet<(String, String)> =
            topology.links_of(&name).map(|(here, _)| (here.interface.to_string(), hardware(here.hardware))).collect();
        assert_eq!(found, planned, "links of {hop}");

        let found: BTreeSet<String> = rows(&links)
            .iter()
            .flat_map(|link| rows(&link["addr_info"]).to_vec())
            .map(|address| text(&address["local"]))
            .filter(|address| address != "127.0.0.1" && address != "::1")
            .collect();
        let planned: BTreeSet<String> = plan.addresses.iter().map(|each| each.address.to_string()).collect();
        assert_eq!(found, planned, "addresses of {hop}");

        let mut found = routes(&json_at(&lab, hop, "ip", &["-j", "-4", "route", "show", "table", "main"]));
        found.extend(routes(&json_at(&lab, hop, "ip", &["-j", "-6", "route", "show", "table", "main"])));
        // Each loopback address of IPv6 has a route of the kernel's own beside the planned ones.
        found.retain(|(_, interface)| interface != "lo");
        let planned: BTreeSet<(String, String)> = plan
            .routes
            .iter()
            .filter_map(|route| match &route.kind {
                RouteKind::Over { interface, .. } => Some((destination(&route.prefix), interface.to_string())),
                RouteKind::Local | RouteKind::Device { .. } => None,
            })
            .collect();
        assert_eq!(found, planned, "routes of {hop}");

        let neighbours = json_at(&lab, hop, "ip", &["-j", "neighbour", "show", "nud", "permanent"]);
        assert_eq!(rows(&neighbours).len(), 2 * topology.links_of(&name).count(), "fixed neighbours of {hop}");
    }
}

pub(crate) fn ruleset_is_as_planned() {
    let lab = lab();
    let plan = Ruleset::of(lab.scenario(), "box", false).expect("a plan").expect("something to do");
    let listed = json_at(&lab, "box", "nft", &["-j", "list", "ruleset"]);
    let objects = rows(&listed["nftables"]).to_vec();
    let of = |kind: &'static str| objects.iter().filter_map(move |object| object.get(kind));

    let chains: Vec<(String, String, i64)> = of("chain")
        .map(|chain| (text(&chain["name"]), text(&chain["hook"]), chain["prio"].as_i64().unwrap_or(0)))
        .collect();
    let expected = [("inspect", -450), ("offload", -440)];
    assert_eq!(chains, expected.map(|(name, prio)| (name.to_owned(), "prerouting".to_owned(), prio)));

    let found: BTreeSet<String> = of("set").map(|set| text(&set["name"])).collect();
    let planned: BTreeSet<String> = plan.sets.iter().map(|set| set.name.clone()).collect();
    assert_eq!(found, planned, "sets");
    let blocked = of("set").find(|set| set["name"] == "block0_v4").expect("the set of prefixes");
    assert_eq!(blocked["elem"][0]["prefix"]["addr"], "157.240.0.0");
    assert_eq!(blocked["elem"][0]["prefix"]["len"], 16);

    let comments = |chain: &'static str| -> Vec<String> {
        of("rule").filter(move |rule| rule["chain"] == chain).map(|rule| text(&rule["comment"])).collect()
    };
    let planned = |rules: &[roadblock_emulator::plan::ruleset::RulePlan]| -> Vec<String> {
        rules.iter().map(|rule| rule.comment.clone()).collect()
    };
    assert_eq!(comments("inspect"), planned(&plan.inspect));
    assert_eq!(comments("offload"), planned(&plan.offload));
    insta::assert_json_snapshot!("ruleset_of_the_box", listed, {
        ".nftables[].metainfo" => "[nft]",
        ".nftables[].table.handle" => 0,
        ".nftables[].chain.handle" => 0,
        ".nftables[].set.handle" => 0,
        ".nftables[].rule.handle" => 0,
    });
}

/// A prefix as `ip` writes it.
fn destination(prefix: &ipnet::IpNet) -> String {
    match prefix {
        prefix if prefix.prefix_len() == 0 => "default".to_owned(),
        prefix if prefix.prefix_len() == prefix.max_prefix_len() => prefix.addr().to_string(),
        prefix => prefix.to_string(),
    }
}

fn routes(listed: &Value) -> BTreeSet<(String, String)> {
    rows(listed).iter().map(|route| (text(&route["dst"]), text(&route["dev"]))).collect()
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
