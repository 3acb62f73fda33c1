//! Nothing leaves a lab.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use roadblock_emulator::lab::CommandSpec;
use roadblock_emulator::plan::Topology;

use crate::support::{at, lab};

/// `ip` agrees: each interface's other end is in a namespace of the lab, and nowhere is there another.
pub(crate) fn only_planned_links_exist() {
    let lab = lab();
    let topology = Topology::of(lab.scenario());
    let links: Vec<serde_json::Value> = serde_json::from_str(&output_of(&lab, "ip -j -d link")).expect("JSON");
    let kinds: Vec<(&str, &str)> = links
        .iter()
        .map(|link| (link["ifname"].as_str().unwrap_or(""), link["linkinfo"]["info_kind"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(kinds, [("lo", ""), ("eth0", "veth")]);
    let ends = topology.links.iter().flat_map(|link| [&link.inner, &link.outer]);
    assert!(ends.clone().all(|end| topology.namespace(&end.namespace).is_some()), "every end is in the lab");
}

/// The addresses of the machine that the lab runs on lead to the lab's own internet, where nobody listens.
pub(crate) fn host_addresses_are_out_of_reach() {
    let lab = lab();
    for host in ["127.0.0.1:22", "10.0.0.1:80", "172.17.0.1:80", "192.168.1.1:80", "[::1]:22", "169.254.169.254:80"] {
        let address: SocketAddr = host.parse().expect("an address");
        let connected = at(&lab, "inside", move || TcpStream::connect_timeout(&address, Duration::from_secs(2)));
        assert!(connected.is_err(), "{host} answered");
    }
}

/// What a command prints, run as root over the vantage.
pub(crate) fn output_of(lab: &roadblock_emulator::lab::Lab, command: &str) -> String {
    let argv = ["sh", "-c", &format!("{command} > /run/output")].map(Into::into).to_vec();
    let status = lab.run_command("inside", &CommandSpec { argv, root: true }).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(status, 0, "{command}");
    std::fs::read_to_string("/run/roadblock/lab0/client.inside/run/output").expect("it was written")
}
