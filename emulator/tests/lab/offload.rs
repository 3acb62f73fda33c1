//! The guards of the offload: what must be looked at although its flow was passed.
//!
//! A test counts what the machine has seen: a packet that the kernel passed by itself is not among it.

use std::net::{SocketAddr, UdpSocket};

use roadblock_emulator::lab::{Lab, LabOptions};

use crate::support::{SCENARIO, WIKIPEDIA, WIKIPEDIA_V6, address, at, client, connect, get, lab, lab_with, seen};

/// Opens a connection and asks for something that is not TLS, so that the flow is judged harmless and passed. Returns the
/// connection.
fn pass(lab: &Lab, from: SocketAddr, to: SocketAddr) -> std::net::TcpStream {
    at(lab, "inside", move || {
        let mut stream = connect(from, to).expect("connected");
        // A box looks at a few segments before it gives a flow up as harmless.
        for _ in 0..8 {
            get(&mut stream);
        }
        stream
    })
}

/// The same box, looking at plain HTTP, so that a connection can be kept in use after it was judged.
fn plain() -> String {
    SCENARIO.replace("censors/tspu-2026", "censors/tspu-80")
}

pub(crate) fn a_passed_flow_is_no_longer_looked_at() {
    let lab = plain_lab(LabOptions::default());
    let from = SocketAddr::new(client(&lab).v4.into(), 40_000);
    let mut stream = pass(&lab, from, SocketAddr::new(address(WIKIPEDIA), 80));
    let before = seen(&lab);
    at(&lab, "inside", move || {
        for _ in 0..20 {
            get(&mut stream);
        }
        // Kept open until it was counted: a FIN is looked at.
        std::mem::forget(stream);
    });
    assert_eq!(seen(&lab), before, "packets of a passed flow reached the machine");
    assert_eq!(lab.counters("box").expect("it looks").offloaded, 1);
}

pub(crate) fn every_fragment_is_looked_at() {
    fragments(WIKIPEDIA, |client| client.v4.into());
}

pub(crate) fn every_v6_fragment_is_looked_at() {
    fragments(WIKIPEDIA_V6, |client| client.v6.into());
}

/// A datagram in three fragments, on a port that nobody looks at: all three are seen.
fn fragments(server: &str, family: fn(&roadblock_emulator::lab::Client) -> std::net::IpAddr) {
    let lab = lab();
    let from = SocketAddr::new(family(&client(&lab)), 40_001);
    let to = SocketAddr::new(address(server), 9999);
    let before = seen(&lab);
    at(&lab, "inside", move || {
        let socket = UdpSocket::bind(from).expect("bound");
        socket.send_to(&[0; 4000], to).expect("sent");
    });
    // 4008 bytes of UDP over an MTU of 1500 are three fragments in either family.
    wait_until(&lab, before + 3);
    assert_eq!(seen(&lab), before + 3);
}

pub(crate) fn a_port_used_again_is_looked_at() {
    let lab = plain_lab(LabOptions::default());
    let from = SocketAddr::new(client(&lab).v4.into(), 40_002);
    let to = SocketAddr::new(address(WIKIPEDIA), 80);
    let first = pass(&lab, from, to);
    // A reset ends the connection at once and leaves no TIME-WAIT behind.
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    nix::sys::socket::setsockopt(&first, nix::sys::socket::sockopt::Linger, &linger).expect("set");
    drop(first);
    let before = seen(&lab);
    let second = pass(&lab, from, to);
    assert!(seen(&lab) - before >= 4, "SYN, SYN/ACK, ACK and the first data of the second connection");
    drop(second);
}

pub(crate) fn udp_does_not_ride_on_a_pass_of_tcp() {
    let text =
        plain() + "\n[censor.dns]\nprofile = \"censors/dns-injector\"\nat = \"box\"\nnames = [\"whatsapp.com\"]\n";
    let lab = lab_with(&text, LabOptions::default());
    let from = SocketAddr::new(client(&lab).v4.into(), 40_003);
    let stream = pass(&lab, from, SocketAddr::new(address(WIKIPEDIA), 80));
    assert_eq!(lab.counters("box").expect("it looks").offloaded, 1);
    let before = seen(&lab);
    at(&lab, "inside", move || {
        let socket = UdpSocket::bind(from).expect("bound");
        // To the port where names are looked at, from the port that TCP was passed from.
        socket.send_to(b"no query", SocketAddr::new(address(WIKIPEDIA), 53)).expect("sent");
    });
    wait_until(&lab, before + 1);
    drop(stream);
}

pub(crate) fn a_phase_change_ends_a_pass() {
    let lab = plain_lab(LabOptions::default());
    let from = SocketAddr::new(client(&lab).v4.into(), 40_004);
    let mut stream = pass(&lab, from, SocketAddr::new(address(WIKIPEDIA), 80));
    lab.enter_phase("two").unwrap_or_else(|error| panic!("{error}"));
    let before = seen(&lab);
    at(&lab, "inside", move || {
        get(&mut stream);
        std::mem::forget(stream);
    });
    assert!(seen(&lab) > before, "the flow was still passed by the kernel");
}

pub(crate) fn a_full_set_is_counted() {
    let lab = plain_lab(LabOptions { passed_flows: 2, ..LabOptions::default() });
    assert_eq!(lab.offload_full(), 0);
    let host = client(&lab).v4;
    let streams: Vec<_> = (0..4)
        .map(|number| {
            let from = SocketAddr::new(host.into(), 41_000 + number);
            pass(&lab, from, SocketAddr::new(address(WIKIPEDIA), 80))
        })
        .collect();
    // Counting reads the log first.
    seen(&lab);
    assert!(lab.offload_full() > 0, "four flows do not fit into a set of two");
    assert!(lab.problems().is_empty(), "a full set costs speed and changes no verdict: {:?}", lab.problems());
    drop(streams);
}

/// Asks until the machine has seen so many packets. They are on their way; if they never come, the test's limit ends it.
fn wait_until(lab: &Lab, packets: u64) {
    while seen(lab) < packets {
        std::thread::yield_now();
    }
}

fn plain_lab(options: LabOptions) -> Lab {
    lab_with(&plain(), options)
}
