//! ICMP, from the profile through the kernel to the machine and back.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use roadblock_emulator::lab::{Lab, LabOptions};

use crate::support::{SCENARIO, WIKIPEDIA, WIKIPEDIA_V6, address, at, client, connect, lab_with, seen};

/// IR-2025-1: two pings are answered, by either family; the third costs the client everything.
pub(crate) fn ir_2025_1_pings_cost_a_client_everything() {
    let text = SCENARIO
        .replacen("censors/tspu-2026", "censors/pings", 1)
        .replacen("sni-1 = [\"whatsapp.com\"]\n", "", 1)
        .replacen("ip-drop = [\"157.240.0.0/16\", \"2a03:2880::/32\"]\n", "", 1);
    let (text, _) = text.split_once("[[phase]]\nid = \"two\"").expect("it has a second phase");
    let lab = lab_with(text, LabOptions::default());
    let fresh = |family| {
        let client = client(&lab);
        if family == "-4" { client.v4.into() } else { client.v6.into() }
    };
    let families = [("-4", WIKIPEDIA), ("-6", WIKIPEDIA_V6)].map(|(family, server)| (family, server, fresh(family)));
    for (family, server, from) in families {
        let before = seen(&lab);
        assert!(answers(&lab, family, from, server) && answers(&lab, family, from, server));
        assert_eq!(seen(&lab) - before, 4, "two echoes and their answers");
        assert!(!answers(&lab, family, from, server));
    }
    for (family, server, from) in families {
        assert!(!opens(&lab, from, server), "another protocol");
        assert!(opens(&lab, fresh(family), server), "another client");
    }
}

/// Whether a ping is answered within a second.
fn answers(lab: &Lab, family: &'static str, from: std::net::IpAddr, to: &'static str) -> bool {
    let from = from.to_string();
    at(lab, "inside", move || {
        let ping = Command::new("ping").args(["-n", "-q", "-c1", "-W1", family, "-I", &from, to]).output();
        ping.expect("the program is installed").status.success()
    })
}

/// Whether a connection is made before its SYN would be sent again.
fn opens(lab: &Lab, from: std::net::IpAddr, to: &'static str) -> bool {
    at(lab, "inside", move || {
        let (tell, told) = std::sync::mpsc::channel();
        let (from, to) = (SocketAddr::new(from, 0), SocketAddr::new(address(to), 443));
        // It outlives this test where nothing answers.
        std::thread::spawn(move || tell.send(connect(from, to).is_ok()));
        told.recv_timeout(Duration::from_millis(900)).unwrap_or(false)
    })
}
