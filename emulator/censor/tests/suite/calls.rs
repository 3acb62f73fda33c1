//! Calls and tunnels: protocols that are known by their datagrams (RU-CALL-1, RU-VPN-1, RU-VPN-2, FP-WG-1, FP-OVPN-1).

use core::time::Duration;

use crate::support::*;
use roadblock_censor::dissect::{openvpn, wireguard};
use roadblock_censor::event::EventKind;
use roadblock_censor::policy::{
    BoxPolicy, BytePrefix, Condition, Fate, InspectPolicy, PacketQuestion, Residual, ResidualKey, Rule, Speech,
};
use roadblock_censor::{Direction, Verdict};

const STUN: &[u8] = include_bytes!("../data/stun-rfc5769-request.bin");
const INITIATION: &[u8] = include_bytes!("../data/wireguard-initiation.bin");
const RESPONSE: &[u8] = include_bytes!("../data/wireguard-response.bin");
const WIREGUARD_DATA: &[u8] = include_bytes!("../data/wireguard-data.bin");
const OPENVPN_RESET: &[u8] = include_bytes!("../data/openvpn-udp-reset.bin");
const OPENVPN_ANSWER: &[u8] = include_bytes!("../data/openvpn-udp-answer.bin");
const OPENVPN_CONTROL: &[u8] = include_bytes!("../data/openvpn-udp-control.bin");
const OPENVPN_DATA: &[u8] = include_bytes!("../data/openvpn-udp-data.bin");
const OPENVPN_TCP_RESET: &[u8] = include_bytes!("../data/openvpn-tcp-reset.bin");
const OPENVPN_TCP_DATA: &[u8] = include_bytes!("../data/openvpn-tcp-data.bin");
const DTLS: &[u8] = include_bytes!("../data/dtls-client-hello.bin");

/// RU-CALL-1: STUN passes, a few packets more do, and then the call is dead both ways.
fn call_rule() -> Rule {
    let residual = Residual { after: Some(packets(2, 2)), ..dropped_for(420) };
    Rule { residuals: vec![residual], ..rule("call-stun", speech(Speech::Stun)) }
}

/// RU-VPN-1: more than two data packets do not pass.
fn wireguard_rule() -> Rule {
    let data = speech(Speech::WireGuard(Some(wireguard::Kind::Data)));
    let when = Condition::All(vec![data, not(prefixes(&["77.88.0.0/16"]))]);
    Rule { after: Some(packets(2, 2)), trigger: fate(Fate::Drop), ..rule("wireguard", when) }
}

fn openvpn_rule() -> Rule {
    let when = speech(Speech::OpenVpn(Some(openvpn::Kind::Data)));
    Rule { after: Some(packets(15, 15)), trigger: fate(Fate::Drop), ..rule("openvpn", when) }
}

fn world(rules: Vec<Rule>, datagrams: u32) -> World {
    let inspect = InspectPolicy { datagrams, ..InspectPolicy::default() };
    World::new(policy([BoxPolicy { inspect, ..in_path(rules) }]))
}

fn send(world: &mut World, direction: Direction, port: u16, payload: &[u8]) -> Verdict {
    world.send(direction, &datagram(direction, port, 51_820, payload))
}

/// RU-CALL-1: the call dies a few packets after STUN, the other way too, and another call begins anew; the events name it.
#[test]
fn ru_call_1_calls_die_after_the_first_packets() {
    let mut world = world(vec![call_rule()], 4);
    assert_eq!(send(&mut world, Outbound, 4000, STUN), Verdict::Pass);
    assert_eq!(world.story(), ["tspu/call-stun Triggered", "tspu/call-stun ResidualArmed"]);
    assert_eq!(world.out.events[0].matched.as_deref(), Some("STUN"));
    assert_eq!(send(&mut world, Inbound, 4000, STUN), Verdict::Pass);
    assert_eq!(send(&mut world, Outbound, 4000, b"rtp"), Verdict::Pass);
    for direction in [Inbound, Outbound, Outbound] {
        assert_eq!(send(&mut world, direction, 4000, b"rtp"), Verdict::Drop);
    }
    assert_eq!(send(&mut world, Outbound, 4001, STUN), Verdict::Pass);
    world.now = seconds(421);
    assert_eq!(send(&mut world, Outbound, 4000, b"rtp"), Verdict::Pass);
}

/// A flow that a residual spares for now is not left to the kernel, whatever it speaks.
#[test]
fn a_spared_flow_is_looked_at() {
    let residual = Residual { key: ResidualKey::ThreeTuple, after: Some(packets(3, 3)), ..dropped_for(420) };
    let mut world = world(vec![Rule { residuals: vec![residual], ..call_rule() }], 1);
    assert_eq!(send(&mut world, Outbound, 4000, STUN), Verdict::Pass);
    for expected in [Verdict::Pass, Verdict::Pass, Verdict::Pass, Verdict::Drop] {
        assert_eq!(send(&mut world, Outbound, 4001, b"noise"), expected);
    }
}

/// RU-CALL-1: what the field does about it, a datagram of something else in front, works where one datagram decides.
#[test]
fn ru_call_1_a_fake_in_front_gets_through() {
    for (datagrams, expected) in [(1, Verdict::PassAndOffload), (2, Verdict::Drop)] {
        let mut world = world(vec![call_rule()], datagrams);
        assert!(matches!(send(&mut world, Outbound, 4000, b"fake"), Verdict::Pass | Verdict::PassAndOffload));
        for _ in 0..3 {
            send(&mut world, Outbound, 4000, STUN);
        }
        assert_eq!(send(&mut world, Outbound, 4000, b"rtp"), expected, "{datagrams} datagrams");
    }
}

/// FP-WG-1, RU-VPN-1: the handshake succeeds, two data packets pass, no more do; the handshake goes on succeeding; another
/// port and an exempt server are not touched.
#[test]
fn ru_vpn_1_wireguard_is_cut_by_data_packets() {
    let mut world = world(vec![wireguard_rule()], 1);
    assert_eq!(send(&mut world, Outbound, 4000, INITIATION), Verdict::Pass);
    assert_eq!(send(&mut world, Inbound, 4000, RESPONSE), Verdict::Pass);
    assert_eq!(send(&mut world, Outbound, 4000, WIREGUARD_DATA), Verdict::Pass);
    assert_eq!(send(&mut world, Inbound, 4000, WIREGUARD_DATA), Verdict::Pass);
    for direction in [Outbound, Inbound, Outbound] {
        assert_eq!(send(&mut world, direction, 4000, WIREGUARD_DATA), Verdict::Drop);
    }
    assert_eq!(send(&mut world, Outbound, 4000, INITIATION), Verdict::Pass);
    assert_eq!(world.story(), ["tspu/wireguard Dropped"; 3]);
    assert_eq!(send(&mut world, Outbound, 4001, INITIATION), Verdict::Pass);
    assert_eq!(send(&mut world, Outbound, 4001, WIREGUARD_DATA), Verdict::Pass);
    let exempt = |payload| datagram_with([77, 88, 8, 8].into(), Outbound, 4002, 51_820, payload);
    assert_eq!(world.send(Outbound, &exempt(INITIATION)), Verdict::PassAndOffload, "ruled out by its address");
}

/// RU-VPN-2: one junk datagram before the initiation gets `WireGuard` through a box that decides by the first.
#[test]
fn ru_vpn_2_junk_in_front_gets_through() {
    let mut world = world(vec![wireguard_rule()], 1);
    assert_eq!(send(&mut world, Outbound, 4000, b"junk"), Verdict::PassAndOffload);
    for _ in 0..4 {
        assert_eq!(send(&mut world, Outbound, 4000, WIREGUARD_DATA), Verdict::PassAndOffload);
    }
}

/// FP-OVPN-1, RU-VPN-1: fifteen data packets pass after the handshake, no more do; data without a reset before are noise.
#[test]
fn ru_vpn_1_openvpn_is_cut_by_data_packets() {
    let mut world = world(vec![openvpn_rule()], 1);
    for (direction, payload) in
        [(Outbound, OPENVPN_RESET), (Inbound, OPENVPN_ANSWER), (Outbound, OPENVPN_CONTROL), (Inbound, OPENVPN_CONTROL)]
    {
        assert_eq!(send(&mut world, direction, 4000, payload), Verdict::Pass);
    }
    for number in 1..=18 {
        let expected = if number <= 15 { Verdict::Pass } else { Verdict::Drop };
        assert_eq!(send(&mut world, Outbound, 4000, OPENVPN_DATA), expected, "data packet {number}");
    }
    assert_eq!(send(&mut world, Outbound, 4000, OPENVPN_CONTROL), Verdict::Pass);
    for _ in 0..20 {
        assert_eq!(send(&mut world, Outbound, 4001, OPENVPN_DATA), Verdict::PassAndOffload);
    }
}

/// FP-OVPN-1, RU-VPN-1: the same over TCP, where the reset is the client's first data, with and without reassembly.
#[test]
fn ru_vpn_1_openvpn_over_tcp() {
    for reassembly_limit in [None, Some(4096)] {
        let tcp = joining(reassembly_limit);
        let mut world = World::new(policy([BoxPolicy { tcp, ..in_path(vec![openvpn_rule()]) }]));
        let mut connection = Connection::new(4000);
        world.open(&mut connection);
        let reset = connection.segment(Outbound, DATA, OPENVPN_TCP_RESET);
        assert_eq!(world.send(Outbound, &reset), Verdict::Pass);
        for number in 1..=17 {
            let direction = if number % 2 == 0 { Inbound } else { Outbound };
            let data = connection.segment(direction, DATA, OPENVPN_TCP_DATA);
            let expected = if number <= 15 { Verdict::Pass } else { Verdict::Drop };
            assert_eq!(world.send(direction, &data), expected, "data packet {number}, {reassembly_limit:?}");
        }
        let mut other = Connection::new(4001);
        world.open(&mut other);
        for _ in 0..20 {
            let data = other.segment(Outbound, DATA, OPENVPN_TCP_DATA);
            assert!(matches!(world.send(Outbound, &data), Verdict::Pass | Verdict::PassAndOffload));
        }
    }
}

/// A DTLS `ClientHello` and any bytes at any place can be asked for; one byte less does not match.
#[test]
fn first_bytes_of_datagrams() {
    let starts = Condition::starts(vec![BytePrefix { offset: 1, bytes: vec![0, 0, 0, 1] }]);
    let long = Condition::Packet(PacketQuestion::PayloadLength { least: 1001, most: u16::MAX });
    let quic = Condition::All(vec![starts, long, Condition::ServerPort([51_820].into())]);
    let drop = |id, when| Rule { trigger: fate(Fate::Drop), ..rule(id, when) };
    let mut world = world(vec![drop("dtls", speech(Speech::DtlsHello)), drop("quic-1", quic)], 4);
    assert_eq!(send(&mut world, Outbound, 4000, DTLS), Verdict::Drop);
    assert_eq!(world.out.events[0].matched.as_deref(), Some("a DTLS ClientHello"));
    // TSPU-5: version 1 in at least 1001 bytes.
    let mut initial = vec![0xc0, 0, 0, 0, 1];
    initial.resize(1000, 7);
    assert_eq!(send(&mut world, Outbound, 4001, &initial), Verdict::Pass);
    initial.push(7);
    assert_eq!(send(&mut world, Outbound, 4002, &initial), Verdict::Drop);
    initial[4] = 0x1d;
    assert_eq!(send(&mut world, Outbound, 4003, &initial), Verdict::Pass, "a draft version");
}

/// FP-OVPN-1: one byte says little, so packets of a flow that was not seen to begin with a reset are noise.
#[test]
fn fp_ovpn_1_data_without_a_reset_are_noise() {
    let drop = Rule { trigger: fate(Fate::Drop), ..rule("openvpn", speech(Speech::OpenVpn(None))) };
    let mut world = world(vec![drop], 4);
    for payload in [OPENVPN_DATA, OPENVPN_CONTROL, OPENVPN_DATA] {
        assert_eq!(send(&mut world, Outbound, 4000, payload), Verdict::Pass);
    }
    assert_eq!(send(&mut world, Outbound, 4001, OPENVPN_RESET), Verdict::Drop);
}

/// A rule that exempts an address by passing it leaves its flows to the kernel at once, whatever later rules would read.
#[test]
fn an_exempt_address_is_not_listened_to() {
    let exempt = rule("exempt", prefixes(&["8.8.8.0/24"]));
    let mut world = world(vec![exempt, call_rule()], 4);
    assert_eq!(send(&mut world, Outbound, 4000, b"noise"), Verdict::Pass, "what exempts is told once");
    assert_eq!(send(&mut world, Outbound, 4000, STUN), Verdict::PassAndOffload);
    assert_eq!(world.story(), ["tspu/exempt Passed"]);
}

/// A flow that speaks nothing a rule names is left to the kernel after as many datagrams as the profile says.
#[test]
fn other_datagrams_are_given_up() {
    let mut world = world(vec![call_rule()], 3);
    for expected in [Verdict::Pass, Verdict::Pass, Verdict::PassAndOffload, Verdict::PassAndOffload] {
        assert_eq!(send(&mut world, Outbound, 4000, b"noise"), expected);
    }
    assert_eq!(world.count(EventKind::Passed), 1);
}

/// A count and a residual's grace go on over a change of phase where the rule stays, and begin anew where it was away.
#[test]
fn counts_outlive_a_phase() {
    for (away, expected) in [(false, Verdict::Drop), (true, Verdict::Pass)] {
        let rules = || vec![wireguard_rule()];
        let mut world = world(rules(), 4);
        for payload in [INITIATION, WIREGUARD_DATA, WIREGUARD_DATA] {
            assert_eq!(send(&mut world, Outbound, 4000, payload), Verdict::Pass);
        }
        if away {
            world.censor.replace_policy(policy([in_path(vec![])]), world.now, &mut world.out);
        }
        world.now += Duration::from_secs(1);
        world.censor.replace_policy(policy([in_path(rules())]), world.now, &mut world.out);
        assert_eq!(send(&mut world, Outbound, 4000, WIREGUARD_DATA), expected);
    }
}
