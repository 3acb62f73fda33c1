//! Translators, as the kernel has them, and what lies on either side of them.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use roadblock_emulator::lab::{Lab, LabOptions};

use crate::support::{SCENARIO, WIKIPEDIA, WIKIPEDIA_V6, address, at, connect, get, lab_with};

/// The small lab with its vantage behind a router at home and the provider's translator.
fn behind_two() -> Lab {
    let text = SCENARIO.replacen("[vantage.inside]", "[vantage.inside]\nnat = [\"home\", \"carrier\"]", 1);
    lab_with(&text, LabOptions { number: 1, ..LabOptions::default() })
}

pub(crate) fn rulesets_are_as_planned() {
    let lab = behind_two();
    let all = ["nat-home-inside", "nat-carrier-inside"].map(|name| format!("{name}:\n{}", listed(&lab, name)));
    insta::assert_snapshot!("rulesets_of_translators", all.join("\n"));
}

/// Connection tracking would put fragments together, and call odd handshakes invalid, before the censor sees them.
pub(crate) fn no_hop_tracks_connections() {
    let lab = behind_two();
    let client = lab.fresh_client("inside").expect("an address");
    assert!(client.v4.octets().starts_with(&[192, 168, 1]), "{}", client.v4);
    at(&lab, "inside", move || {
        let mut stream = connect((client.v4, 0).into(), SocketAddr::new(address(WIKIPEDIA), 80)).expect("a connection");
        get(&mut stream);
    });
    for hop in ["access", "box", "border", "elsewhere"] {
        assert_eq!(tracked(&lab, &format!("hop.{hop}")), "", "{hop}");
    }
    let carrier = tracked(&lab, "nat-carrier-inside");
    assert!(carrier.contains("src=100.64.0.10") && carrier.contains("dst=95.167.0.10"), "{carrier}");
    let home = tracked(&lab, "nat-home-inside");
    assert!(home.contains(&format!("src={}", client.v4)) && home.contains("dst=100.64.0.10"), "{home}");
}

/// Nobody outside reaches what is inside, by neither family; before the translators it is reached.
pub(crate) fn nothing_comes_in_unasked() {
    let reached = |lab: &Lab, to: SocketAddr| {
        let connected = at(lab, "control", move || std::net::TcpStream::connect_timeout(&to, Duration::from_secs(1)));
        connected.err().map(|error| error.kind())
    };
    let refused = Some(std::io::ErrorKind::ConnectionRefused);
    let plain = crate::support::lab();
    let client = plain.main_client("inside").expect("an address");
    assert_eq!(reached(&plain, (client.v4, 9999).into()), refused);
    assert_eq!(reached(&plain, (client.v6, 9999).into()), refused);
    drop(plain);
    let lab = behind_two();
    let client = lab.main_client("inside").expect("an address");
    assert_eq!(reached(&lab, ([95, 167, 0, 10], 9999).into()), Some(std::io::ErrorKind::TimedOut));
    assert_eq!(reached(&lab, (client.v6, 9999).into()), Some(std::io::ErrorKind::TimedOut));
    at(&lab, "inside", move || {
        let server = SocketAddr::new(address(WIKIPEDIA_V6), 80);
        get(&mut connect((client.v6, 0).into(), server).expect("what is asked for comes in"));
    });
}

fn listed(lab: &Lab, namespace: &str) -> String {
    run(lab, namespace, "nft", &["list", "ruleset"])
}

fn tracked(lab: &Lab, namespace: &str) -> String {
    run(lab, namespace, "cat", &["/proc/self/net/nf_conntrack"])
}

/// What a program says in a namespace.
fn run(lab: &Lab, namespace: &str, program: &'static str, arguments: &'static [&'static str]) -> String {
    let (tell, told) = std::sync::mpsc::channel();
    lab.namespace_runtime(namespace).expect("the namespace").spawn(async move {
        tell.send(Command::new(program).args(arguments).output().expect("the program is installed"))
    });
    let output = told.recv().expect("it ran");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}
