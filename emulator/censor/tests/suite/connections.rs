//! Counts that flows share, and counts within a time.

use core::time::Duration;

use roadblock_censor::outbox::Command;
use roadblock_censor::policy::{Condition, Fate, Per, Residual, ResidualKey, Rule, Sees, Threshold, ThresholdUnit};
use roadblock_censor::{Censor, Verdict};

use crate::support::*;

/// So many connections of a client to a server within so many seconds.
fn connections(most: u64, within: u64) -> Threshold {
    Threshold {
        unit: ThresholdUnit::Connections,
        per: Per::TwoTuple,
        within: Some(Duration::from_secs(within)),
        ..packets(most, most)
    }
}

/// RU-SIB-1: more than twelve TLS connections to one server within a while, and those that come after freeze for a minute.
fn siberian() -> Rule {
    Rule {
        facts: vec!["RU-SIB-1".into()],
        after: Some(connections(12, 20)),
        trigger: fate(Fate::Drop),
        residuals: vec![dropped_for(60)],
        ..rule("many", sni(&["*a*"]))
    }
}

/// Opens a connection to this server and says a `ClientHello`; what became of that.
fn connect(world: &mut World, client_port: u16, server: [u8; 4]) -> (Connection, Verdict) {
    let mut connection = Connection { server: (server.into(), 443), ..Connection::new(client_port) };
    world.open(&mut connection);
    let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
    let verdict = world.send(Outbound, &hello);
    (connection, verdict)
}

const SERVER: [u8; 4] = [5, 255, 255, 70];
const OTHER: [u8; 4] = [5, 255, 255, 77];

/// RU-SIB-1: the thirteenth connection freezes and the twelve before it live on; another server has a count of its own, and
/// so has another client.
#[test]
fn ru_sib_1_the_thirteenth_connection_freezes() {
    let mut world = World::new(policy([in_path(vec![siberian()])]));
    let mut alive = Vec::new();
    for port in 4000..4012 {
        let (connection, verdict) = connect(&mut world, port, SERVER);
        assert_ne!(verdict, Verdict::Drop, "connection {port}");
        alive.push(connection);
    }
    let (mut frozen, verdict) = connect(&mut world, 4012, SERVER);
    assert_eq!(verdict, Verdict::Drop);
    let answer = frozen.segment(Inbound, DATA, b"any");
    assert_eq!(world.send(Inbound, &answer), Verdict::Drop);
    for connection in &mut alive {
        let more = connection.segment(Outbound, DATA, b"more");
        assert_ne!(world.send(Outbound, &more), Verdict::Drop, "one that was there before");
        // Its ClientHello again is not another connection, and the flow was decided about.
        connection.client_next = 1001;
        let again = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
        assert_ne!(world.send(Outbound, &again), Verdict::Drop, "one that was there before, again");
    }
    assert_ne!(connect(&mut world, 5000, OTHER).1, Verdict::Drop);
    let mut other = Connection { client: ([10, 0, 0, 2].into(), 4000), ..Connection::new(4000) };
    other.server = (SERVER.into(), 443);
    world.open(&mut other);
    let hello = other.segment(Outbound, DATA, WHATSAPP_HELLO);
    assert_ne!(world.send(Outbound, &hello), Verdict::Drop);
}

/// RU-SIB-1: those that lie further back are forgotten, so that the same number of connections over a longer time is no
/// matter.
#[test]
fn ru_sib_1_a_window_slides() {
    let mut world = World::new(policy([in_path(vec![siberian()])]));
    for port in 4000..4100 {
        assert_ne!(connect(&mut world, port, SERVER).1, Verdict::Drop, "connection {port}");
        world.now += millis(1700);
    }
    let frozen = (5000..5012).map(|port| connect(&mut world, port, SERVER).1);
    assert_eq!(frozen.filter(|verdict| *verdict == Verdict::Drop).count(), 11, "eleven of late, and twelve more");
    world.now += Duration::from_secs(21);
    assert_ne!(connect(&mut world, 6000, SERVER).1, Verdict::Drop, "it heals");
}

/// RU-SIB-1: with a residual on client and server, further connections do not even open, until a minute has passed.
#[test]
fn ru_sib_1_the_server_is_lost_for_a_minute() {
    let residual = Residual { key: ResidualKey::TwoTuple, ..dropped_for(60) };
    let rule = Rule { residuals: vec![residual], ..siberian() };
    let mut world = World::new(policy([in_path(vec![rule])]));
    for port in 4000..4013 {
        connect(&mut world, port, SERVER);
    }
    let mut late = Connection { server: (SERVER.into(), 443), ..Connection::new(4100) };
    let syn = late.segment(Outbound, SYN, &[]);
    assert_eq!(world.send(Outbound, &syn), Verdict::Drop);
    world.now = seconds(60);
    assert_eq!(world.send(Outbound, &syn), Verdict::Pass);
}

/// Packets and bytes are counted over several flows too, tracked or not, within a time.
#[test]
fn flows_share_a_count_of_packets() {
    let within = Some(Duration::from_secs(10));
    let counted =
        |unit, most| Threshold { unit, per: Per::Client, within, count: Sees::Outbound, ..packets(most, most) };
    for (threshold, size) in [(counted(ThresholdUnit::Packets, 5), 1), (counted(ThresholdUnit::Bytes, 5000), 1000)] {
        let udp = Condition::Protocol(17);
        let flood = Rule { after: Some(threshold), trigger: fate(Fate::Drop), ..rule("flood", udp) };
        let mut world = World::new(policy([in_path(vec![flood])]));
        let send = |world: &mut World, port| {
            let datagram = datagram_with([1, 1, 1, (port % 250) as u8].into(), Outbound, port, 443, &vec![0; size]);
            world.send(Outbound, &datagram)
        };
        let verdicts: Vec<_> = (4000..4007).map(|port| send(&mut world, port)).collect();
        let dropped: Vec<_> = verdicts.iter().map(|verdict| *verdict == Verdict::Drop).collect();
        assert_eq!(dropped, [false, false, false, false, false, true, true], "{threshold:?}");
        world.now += Duration::from_secs(11);
        assert_eq!(send(&mut world, 5000), Verdict::Pass, "and not left to the kernel");
    }
}

/// Which connections come after those that may pass is decided once for each, with its first packet that matches.
#[test]
fn a_connection_is_counted_once() {
    let any_data = Condition::All(vec![
        Condition::Protocol(6),
        Condition::Packet(roadblock_censor::policy::PacketQuestion::PayloadLength { least: 1, most: u16::MAX }),
    ]);
    let counting = Rule { after: Some(connections(2, 3600)), trigger: fate(Fate::Drop), ..rule("many", any_data) };
    let mut world = World::new(policy([in_path(vec![counting])]));
    let mut all: Vec<_> = (4000..4004).map(Connection::new).collect();
    for round in 0..5 {
        for (number, connection) in all.iter_mut().enumerate() {
            if round == 0 {
                world.open(connection);
            }
            let segment = connection.segment(Outbound, DATA, b"any");
            let expected = if number < 2 { Verdict::Pass } else { Verdict::Drop };
            assert_eq!(world.send(Outbound, &segment), expected, "connection {number}, round {round}");
        }
    }
}

/// A rule that counts connections never leaves a flow that it may still count to the kernel.
#[test]
fn counted_flows_are_not_offloaded() {
    let counting = Rule { after: Some(connections(3, 60)), trigger: fate(Fate::Drop), ..rule("many", sni(&["*a*"])) };
    let mut world = World::new(policy([in_path(vec![counting])]));
    for port in 4000..4010 {
        let mut connection = Connection { server: (SERVER.into(), 443), ..Connection::new(port) };
        world.open(&mut connection);
        let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
        let expected = port >= 4003;
        assert_eq!(world.send(Outbound, &hello) == Verdict::Drop, expected, "connection {port}");
    }
}

/// A count stays with its rule when a phase leaves it as it is, and begins anew where what is counted is another thing.
#[test]
fn counts_outlive_a_phase() {
    for (within, expected) in [(20, Verdict::Drop), (40, Verdict::PassAndOffload)] {
        let mut world = World::new(policy([in_path(vec![siberian()])]));
        for port in 4000..4012 {
            connect(&mut world, port, SERVER);
        }
        let before = rule("before", Condition::Any(vec![]));
        let after = Rule { after: Some(connections(12, within)), ..siberian() };
        world.censor.replace_policy(policy([in_path(vec![before, after])]), world.now, &mut world.out);
        assert!(matches!(world.out.commands.last(), Some(Command::RecallAll)));
        assert_eq!(connect(&mut world, 5000, SERVER).1, expected, "within {within} s");
    }
}

/// A flood of clients fills no table beyond its bound, and what was forgotten is counted.
#[test]
fn floods_are_bounded() {
    let counting = Rule {
        after: Some(Threshold { per: Per::ThreeTuple, ..packets(0, 0) }),
        residuals: vec![dropped_for(3600)],
        ..rule("all", Condition::Protocol(17))
    };
    let mut world = World::of(Censor::new(policy([in_path(vec![counting])]), 1).with_max_flows(64));
    let most = roadblock_censor::machine::MAX_COUNTS;
    for number in 0..most as u32 + 1000 {
        let [a, b, c, d] = (number + 0x0101_0101).to_be_bytes();
        world.send(Outbound, &datagram_with([a, b, c, d].into(), Outbound, 4000, 443, b"x"));
        world.clear();
    }
    let counters = world.censor.counters();
    assert_eq!((counters.forgotten.counts, counters.forgotten.residuals), (1000, 1000));
    assert_eq!(counters.residuals, roadblock_censor::machine::MAX_RESIDUALS);
}
