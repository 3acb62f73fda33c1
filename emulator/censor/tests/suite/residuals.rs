//! Punishment that outlives its trigger: whom it hits, when it begins, what keeps it alive, and what forgets it.

use core::time::Duration;
use std::net::IpAddr;

use roadblock_censor::event::EventKind;
use roadblock_censor::outbox::{Command, Suspect, Toward};
use roadblock_censor::policy::{
    BoxPolicy, BytePrefix, Condition, Fate, FlowPolicy, Injection, InjectionKind, PacketQuestion, PortInterest,
    Recipient, Refresh, Residual, ResidualKey, Response, Rewrite, Rule, SegmentShape, TcpFlags, TrackFrom,
};
use roadblock_censor::wire::build;
use roadblock_censor::wire::ip::Addresses;
use roadblock_censor::{Censor, Direction, Verdict};

use crate::support::*;

/// What curl sends.
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: www.instagram.com\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n\r\n";

fn starts(bytes: &[u8]) -> Condition {
    Condition::starts(vec![BytePrefix { offset: 0, bytes: bytes.to_vec() }])
}

fn with_payload() -> Condition {
    Condition::Packet(PacketQuestion::PayloadLength { least: 1, most: u16::MAX })
}

/// A segment that begins a connection.
fn is_syn() -> Condition {
    Condition::Packet(PacketQuestion::Flags { of: TcpFlags::SYN_ACK, set: TcpFlags::SYN })
}

fn inject(kind: InjectionKind) -> Response {
    Response { fate: Fate::Pass, inject: vec![Injection::from(kind)] }
}

/// Everything that leaves is swallowed.
fn cut_outbound(seconds: u64) -> Residual {
    Residual { inbound: Response::default(), ..dropped_for(seconds) }
}

fn to(connection: Connection, server: [u8; 4], port: u16) -> Connection {
    Connection { server: (server.into(), port), ..connection }
}

fn from(connection: Connection, client: [u8; 4]) -> Connection {
    Connection { client: (client.into(), connection.client.1), ..connection }
}

/// Whether the first packet of a new connection passes.
fn is_open(world: &mut World, mut connection: Connection) -> bool {
    let syn = connection.segment(Outbound, SYN, &[]);
    world.send(Outbound, &syn) == Verdict::Pass
}

/// A connection that says these bytes; what became of them.
fn say(world: &mut World, connection: &mut Connection, bytes: &[u8]) -> Verdict {
    world.open(connection);
    let segment = connection.segment(Outbound, DATA, bytes);
    world.send(Outbound, &segment)
}

/// GFW-HTTP-3: for 90 seconds a SYN to the same server and port is answered by a SYN/ACK whose sequence number is wrong,
/// and data by a reset; other ports and servers are free.
#[test]
fn gfw_http_3_a_forged_handshake_answers() {
    let forged = SegmentShape { flags: TcpFlags::SYN_ACK, at: vec![77], ..SegmentShape::default() };
    let residual = |when, outbound| Residual {
        when: Some(when),
        key: ResidualKey::ThreeTuple,
        last: Duration::from_secs(90),
        outbound,
        ..Residual::default()
    };
    let residuals = vec![
        residual(is_syn(), inject(InjectionKind::Segment(forged))),
        residual(with_payload(), inject(InjectionKind::reset(Recipient::Client, TcpFlags::RST_ACK))),
    ];
    let trigger = inject(InjectionKind::reset(Recipient::Client, TcpFlags::RST_ACK));
    let mut world = World::new(policy([on_path(vec![Rule { trigger, residuals, ..rule("http", starts(b"GET ")) }])]));
    say(&mut world, &mut Connection::new(4000), REQUEST);
    world.clear();
    world.now = seconds(89);
    let mut second = Connection::new(4001);
    assert!(is_open(&mut world, second), "an on-path box stops nothing");
    second.segment(Outbound, SYN, &[]);
    let [forged] = world.injections()[..] else { panic!("one answer") };
    let (tcp, toward) = (tcp_of(&forged.bytes), forged.toward);
    assert_sound(&forged.bytes);
    assert!(tcp.syn && tcp.ack && toward == Toward::Inside);
    assert_eq!((tcp.sequence_number, tcp.acknowledgment_number), (77, second.client_next), "no server says this");
    let [event] = &world.out.events[..] else { panic!("one event") };
    assert_eq!((event.kind, event.residual), (EventKind::Injected, true));

    world.clear();
    let acknowledgement = second.segment(Outbound, ACK, &[]);
    world.send(Outbound, &acknowledgement);
    assert_eq!(world.injections().len(), 0, "neither a SYN nor data");
    let data = second.segment(Outbound, DATA, b"any");
    world.send(Outbound, &data);
    let [reset] = world.injections()[..] else { panic!("one reset") };
    assert!(tcp_of(&reset.bytes).rst);

    for other in [to(Connection::new(4002), [157, 240, 1, 60], 80), to(Connection::new(4003), [157, 240, 1, 61], 443)] {
        world.clear();
        assert!(is_open(&mut world, other));
        assert_eq!(world.injections().len(), 0);
    }
    world.now = seconds(90);
    assert!(is_open(&mut world, Connection::new(4004)));
    assert_eq!(world.injections().len(), 0, "it lasts 90 seconds");
}

/// GFW-HTTP-3: a share of the connections that follow is hit, each from its first packet to its last; the one that
/// triggered it is hit whatever the share.
#[test]
fn gfw_http_3_a_share_of_what_follows() {
    for share in [0.5, 0.75] {
        let residual = Residual { key: ResidualKey::ThreeTuple, hits: share, ..dropped_for(90) };
        let rules = vec![Rule { residuals: vec![residual], ..rule("http", starts(b"GET ")) }];
        let mut world = World::new(policy([in_path(rules)]));
        let mut trigger = Connection::new(4000);
        say(&mut world, &mut trigger, REQUEST);
        let more = trigger.segment(Outbound, DATA, b"more");
        assert_eq!(world.send(Outbound, &more), Verdict::Drop);
        let mut hit = 0;
        for port in 5000..7000 {
            let mut connection = Connection::new(port);
            let packets: Vec<_> = [(SYN, &b""[..]), (ACK, b""), (DATA, b"data")]
                .map(|(flags, payload)| connection.segment(Outbound, flags, payload))
                .into_iter()
                .map(|segment| world.send(Outbound, &segment))
                .collect();
            let dropped = packets.iter().filter(|verdict| **verdict == Verdict::Drop).count();
            assert!(dropped == 0 || dropped == 3, "all of a connection or none of it: {packets:?}");
            assert!(!packets.contains(&Verdict::PassAndOffload), "the kernel must not pass what may be hit");
            hit += usize::from(dropped == 3);
        }
        let expected = 2000.0 * share;
        assert!((f64::from(u32::try_from(hit).expect("few")) - expected).abs() < 80.0, "{hit} of 2000 at {share}");
    }
}

/// GFW-ESNI: the drop begins a second after its trigger, and lasts 120 seconds from then, whatever is sent in between.
#[test]
fn gfw_esni_begins_late_and_is_not_refreshed() {
    let residual = Residual { key: ResidualKey::ThreeTuple, begins: Duration::from_secs(1), ..cut_outbound(120) };
    let rules = vec![Rule { residuals: vec![residual], ..rule("esni", sni(&["whatsapp.com"])) }];
    let mut world = World::new(policy([in_path(rules)]));
    let mut connection = Connection::new(4000);
    assert_eq!(say(&mut world, &mut connection, WHATSAPP_HELLO), Verdict::Pass);
    let send = |world: &mut World, connection: &mut Connection, at: Duration, payload: &[u8]| {
        world.now = seconds(0) + at;
        let segment = connection.segment(Outbound, DATA, payload);
        world.send(Outbound, &segment)
    };
    assert_eq!(
        send(&mut world, &mut connection, millis(900), WHATSAPP_HELLO),
        Verdict::Pass,
        "and the kernel does not"
    );
    assert_eq!(send(&mut world, &mut connection, millis(1000), b"more"), Verdict::Drop);
    let answer = connection.segment(Inbound, DATA, b"ServerHello");
    assert_eq!(world.send(Inbound, &answer), Verdict::Pass, "one direction only");
    assert_eq!(send(&mut world, &mut connection, millis(120_900), WHATSAPP_HELLO), Verdict::Drop);
    assert!(is_open(&mut world, to(Connection::new(4001), [157, 240, 1, 60], 80)), "another port");
    world.now = seconds(121);
    assert!(is_open(&mut world, Connection::new(4002)), "a second to begin and 120 to last");
    assert_eq!(world.count(EventKind::ResidualArmed), 1);
}

/// IR-PF-1: what the client sends starts the 60 seconds anew, so its retransmissions keep the cut alive; what the server
/// sends passes and does not.
#[test]
fn ir_pf_1_retransmissions_keep_it_alive() {
    let residual = Residual { refresh: Refresh::OnClientPacket, ..cut_outbound(60) };
    let rules = vec![Rule {
        trigger: fate(Fate::Drop),
        residuals: vec![residual],
        ..rule("protocol", not(starts(b"\x16\x03")))
    }];
    let mut world = World::new(policy([in_path(rules)]));
    let mut connection = Connection::new(4000);
    let said = b"SSH-2.0-OpenSSH_9.6\r\n";
    assert_eq!(say(&mut world, &mut connection, said), Verdict::Drop);
    connection.client_next -= said.len() as u32;
    let again = connection.segment(Outbound, DATA, said);
    let banner = connection.segment(Inbound, DATA, said);
    for at in [59, 118, 177] {
        world.now = seconds(at);
        assert_eq!(world.send(Outbound, &again), Verdict::Drop, "at {at} s");
    }
    world.now = seconds(236);
    assert_eq!(world.send(Inbound, &banner), Verdict::Pass);
    world.now = seconds(237);
    world.clear();
    // The rule matches anew, but the residual had ended, for it arms another.
    world.send(Outbound, &again);
    assert_eq!(world.count(EventKind::ResidualArmed), 1);
}

/// KZ-2: the timer starts anew with each packet, either way.
#[test]
fn kz_2_every_packet_keeps_it_alive() {
    let residual = Residual { refresh: Refresh::OnPacket, ..dropped_for(120) };
    let rules = vec![Rule { trigger: fate(Fate::Drop), residuals: vec![residual], ..rule("http", starts(b"GET ")) }];
    let mut world = World::new(policy([in_path(rules)]));
    let mut connection = Connection::new(4000);
    say(&mut world, &mut connection, REQUEST);
    for (at, direction) in [(119, Inbound), (238, Outbound), (357, Inbound)] {
        world.now = seconds(at);
        let segment = connection.segment(direction, DATA, b"any");
        assert_eq!(world.send(direction, &segment), Verdict::Drop, "at {at} s");
    }
    world.now = seconds(477);
    let late = connection.segment(Outbound, ACK, &[]);
    assert_ne!(world.send(Outbound, &late), Verdict::Drop);
}

/// TM-1: for 30 seconds any packet of the connection, of either end, is answered by another reset; a reset is not.
#[test]
fn tm_1_any_packet_gets_another_reset() {
    let reset = || inject(InjectionKind::reset(Recipient::Client, TcpFlags::RST_ACK));
    let residual =
        Residual { last: Duration::from_secs(30), outbound: reset(), inbound: reset(), ..Residual::default() };
    let flow = FlowPolicy { from: TrackFrom::Any, ..FlowPolicy::default() };
    let rules = vec![Rule { trigger: reset(), residuals: vec![residual], ..rule("sni", sni(&["whatsapp.com"])) }];
    let mut world = World::new(policy([BoxPolicy { flow, ..on_path(rules) }]));
    let mut connection = Connection::new(4000);
    let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
    world.send(Outbound, &hello);
    for (direction, flags, resets) in
        [(Inbound, ACK, 1), (Outbound, ACK, 1), (Outbound, SYN, 1), (Inbound, DATA, 1), (Outbound, RST, 0)]
    {
        world.now += Duration::from_secs(5);
        world.clear();
        let segment = connection.segment(direction, flags, &[]);
        assert_ne!(world.send(direction, &segment), Verdict::Drop, "it is on-path");
        assert_eq!(world.injections().len(), resets, "{direction:?} {flags:#x}");
        assert!(world.injections().iter().all(|made| made.toward == Toward::Inside));
    }
    world.now = seconds(30);
    world.clear();
    let late = connection.segment(Outbound, ACK, &[]);
    world.send(Outbound, &late);
    assert_eq!(world.injections().len(), 0);
}

/// An ICMP echo of this client.
fn ping(client: [u8; 4], direction: Direction) -> Vec<u8> {
    let addresses = Addresses::new(client.into(), IpAddr::from([1, 1, 1, 1])).expect("one family");
    let (addresses, kind) = if direction == Outbound { (addresses, 8) } else { (addresses.reversed(), 0) };
    let message = [kind, 0, if kind == 8 { 0xf7 } else { 0xff }, 0xff, 0, 0, 0, 0];
    build::ip(&addresses, 1, 64, &message)
}

/// IR-2025-1: after a few pings a client is cut off, over all protocols and from all servers; others are not, and the flows
/// that the kernel passed come back.
#[test]
fn ir_2025_1_a_client_is_cut_off() {
    use roadblock_censor::policy::{Per, Threshold};
    let residual = Residual { key: ResidualKey::Client, ..dropped_for(60) };
    let rules = vec![
        Rule {
            after: Some(Threshold { per: Per::Client, ..packets(2, 2) }),
            trigger: fate(Fate::Drop),
            residuals: vec![residual],
            ..rule("pings", Condition::All(vec![Condition::Protocol(1), Condition::Direction(Outbound)]))
        },
        rule("names", sni(&["nothing.example"])),
    ];
    let mut world = World::new(policy([in_path(rules)]));
    let mut open = Connection::new(4000);
    world.open_harmless(&mut open);
    world.clear();
    for (count, expected) in [Verdict::Pass, Verdict::Pass, Verdict::Drop].into_iter().enumerate() {
        assert_eq!(world.send(Outbound, &ping([10, 0, 0, 1], Outbound)), expected, "ping {count}");
    }
    assert!(
        world.out.commands.iter().any(|command| matches!(command, Command::Recall(_))),
        "what the kernel passed must come back"
    );
    let data = open.segment(Outbound, DATA, b"more");
    assert_eq!(world.send(Outbound, &data), Verdict::Drop, "a connection that was open");
    assert_eq!(world.send(Outbound, &datagram(Outbound, 5353, 53, INSTAGRAM_QUERY)), Verdict::Drop);
    assert_eq!(world.send(Inbound, &ping([10, 0, 0, 1], Inbound)), Verdict::Drop);
    assert!(is_open(&mut world, from(Connection::new(4001), [10, 0, 0, 2])), "another client");
    world.now = seconds(60);
    assert!(is_open(&mut world, Connection::new(4002)));
}

/// IR-2025-1: the `ClientHello` reaches the server, and all data that the server says is dropped; its bare ACKs are not.
#[test]
fn ir_2025_1_the_server_is_silenced() {
    let residual = Residual { when: Some(with_payload()), outbound: Response::default(), ..dropped_for(60) };
    let rules = vec![Rule { residuals: vec![residual], ..rule("sni", sni(&["whatsapp.com"])) }];
    let mut world = World::new(policy([in_path(rules)]));
    let mut connection = Connection::new(4000);
    assert_eq!(say(&mut world, &mut connection, WHATSAPP_HELLO), Verdict::Pass);
    for (flags, payload, expected) in [(ACK, &b""[..], Verdict::Pass), (DATA, b"ServerHello", Verdict::Drop)] {
        let segment = connection.segment(Inbound, flags, payload);
        assert_eq!(world.send(Inbound, &segment), expected);
    }
}

/// IR-2026-1: a name that is not listed costs everybody the server, or the server's port, for a minute.
#[test]
fn ir_2026_1_a_server_is_cut_off() {
    for (key, other_port) in [(ResidualKey::Server, false), (ResidualKey::ServerEndpoint, true)] {
        let residual = Residual { key, ..dropped_for(60) };
        let rules = vec![Rule { residuals: vec![residual], ..rule("unlisted", not(sni(&["instagram.com"]))) }];
        let mut world = World::new(policy([in_path(rules)]));
        let mut bystander = from(Connection::new(4000), [10, 0, 0, 2]);
        world.open_harmless(&mut bystander);
        say(&mut world, &mut Connection::new(4000), WHATSAPP_HELLO);
        let data = bystander.segment(Outbound, DATA, b"more");
        assert_eq!(world.send(Outbound, &data), Verdict::Drop, "a connection of someone else's that the kernel passed");
        assert!(!is_open(&mut world, from(Connection::new(4001), [10, 0, 0, 3])));
        assert_eq!(is_open(&mut world, to(Connection::new(4002), [157, 240, 1, 60], 80)), other_port);
        let to_port = datagram_with([157, 240, 1, 60].into(), Outbound, 4000, 443, b"any");
        let verdict = world.send(Outbound, &to_port);
        assert_eq!(verdict != Verdict::Drop, other_port, "{key:?} and UDP");
        assert!(is_open(&mut world, to(Connection::new(4003), [157, 240, 1, 61], 443)), "another server");
        world.now = seconds(60);
        assert!(is_open(&mut world, Connection::new(4004)));
    }
}

/// GFW-FET-2: about 26.3 % of connections are cut, for 180 seconds on the 3-tuple, and the rest go on as if nothing were.
#[test]
fn gfw_fet_2_some_connections() {
    let chance = 0.263;
    let residual = Residual { key: ResidualKey::ThreeTuple, ..cut_outbound(180) };
    let rules = vec![Rule {
        miss: 1.0 - chance,
        trigger: fate(Fate::Drop),
        residuals: vec![residual],
        ..rule("fet", starts(b"\x9e\x1f"))
    }];
    let mut world = World::of(Censor::new(policy([in_path(rules)]), 5));
    let mut blocked = 0u32;
    for number in 0..2000u16 {
        let [high, low] = number.to_be_bytes();
        let mut connection = to(Connection::new(4000), [47, 88, high, low], 8388);
        let verdict = say(&mut world, &mut connection, b"\x9e\x1f\x03\xcc");
        let more = connection.segment(Outbound, DATA, b"more");
        let after = world.send(Outbound, &more);
        assert_eq!(verdict == Verdict::Drop, after == Verdict::Drop, "a connection's fate is decided once");
        blocked += u32::from(verdict == Verdict::Drop);
    }
    assert!((f64::from(blocked) / 2000.0 - chance).abs() < 0.03, "{blocked} of 2000");
}

/// GFW-SS-1: what gave a server away goes to a prober, once for each connection and no more of it than it takes.
#[test]
fn gfw_ss_1_a_server_is_suspected() {
    let long = Condition::All(vec![with_payload(), Condition::Direction(Outbound)]);
    let mut world = World::new(policy([on_path(vec![Rule { suspect: true, ..rule("entropy", long) }])]));
    for (port, length) in [(4000, 300), (4001, 9000)] {
        world.clear();
        let mut connection = to(Connection::new(port), [203, 0, 113, 9], 8388);
        let payload: Vec<u8> = (0..length).map(|index: u32| (index * 167 % 251) as u8).collect();
        assert_eq!(say(&mut world, &mut connection, &payload), Verdict::Pass);
        let more = connection.segment(Outbound, DATA, b"more");
        world.send(Outbound, &more);
        let suspects: Vec<_> = world
            .out
            .commands
            .iter()
            .filter_map(|command| match command {
                Command::Suspect(suspect) => Some(suspect),
                _ => None,
            })
            .collect();
        let [suspect] = suspects[..] else { panic!("{} suspects", suspects.len()) };
        assert_eq!((suspect.server, suspect.port), ([203, 0, 113, 9].into(), 8388));
        assert_eq!(suspect.payload, payload[..payload.len().min(Suspect::MAX_PAYLOAD)]);
        assert_eq!(world.count(EventKind::Suspected), 1);
    }
}

/// KZ-1: a connection is handed to an interceptor from its `ClientHello` on, each packet with one verdict.
#[test]
fn kz_1_a_connection_is_diverted() {
    let residual = Residual { outbound: fate(Fate::Divert), inbound: fate(Fate::Divert), ..dropped_for(60) };
    let rules =
        vec![Rule { trigger: fate(Fate::Divert), residuals: vec![residual], ..rule("mitm", sni(&["whatsapp.com"])) }];
    let mut world = World::new(policy([in_path(rules.clone()), in_path(vec![rule("next", sni(&["whatsapp.com"]))])]));
    let mut connection = Connection::new(4000);
    assert_eq!(say(&mut world, &mut connection, WHATSAPP_HELLO), Verdict::Divert);
    let answer = connection.segment(Inbound, DATA, b"any");
    assert_eq!(world.send(Inbound, &answer), Verdict::Divert);
    assert_eq!(world.story(), ["tspu/mitm Diverted", "tspu/mitm ResidualArmed", "tspu/mitm Diverted"]);
    assert_eq!(world.censor.counters().passed, 5, "a driver without an interceptor forwards them");
    let mut watcher = World::new(policy([on_path(rules)]));
    assert_eq!(say(&mut watcher, &mut Connection::new(4000), WHATSAPP_HELLO), Verdict::Pass, "it cannot");
}

/// A residual that no packet has been hit by yet ends as it should, and the rule may then trigger anew.
#[test]
fn one_that_spares_a_packet_does_not_hide_the_rule() {
    let residual = Residual { when: Some(Condition::Direction(Inbound)), ..dropped_for(10) };
    let reset = Rewrite { tcp_flags: Some(TcpFlags::RST), ..Rewrite::default() };
    let rules = vec![Rule {
        trigger: fate(Fate::Rewrite(reset)),
        residuals: vec![residual],
        ..rule("sni", sni(&["whatsapp.com"]))
    }];
    let mut world = World::new(policy([in_path(rules)]));
    let mut connection = Connection::new(4000);
    assert!(matches!(say(&mut world, &mut connection, WHATSAPP_HELLO), Verdict::Replace(_)));
    connection.client_next -= WHATSAPP_HELLO.len() as u32;
    let again = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
    world.now = seconds(9);
    assert!(matches!(world.send(Outbound, &again), Verdict::Replace(_)), "the trigger acts on what it matches");
    let answer = connection.segment(Inbound, DATA, b"any");
    assert_eq!(world.send(Inbound, &answer), Verdict::Drop);
    world.now = seconds(10);
    let answer = connection.segment(Inbound, DATA, b"any");
    assert_ne!(world.send(Inbound, &answer), Verdict::Drop, "it was not armed anew at 9 s");
    assert_eq!(world.count(EventKind::ResidualArmed), 1);
}

/// A punishment that reaches beyond the trigger's port or protocol needs the kernel to hand over what it may hit.
#[test]
fn interest_reaches_as_far_as_the_key() {
    let any = PortInterest::Any;
    for (key, tcp, udp) in [
        (ResidualKey::FourTuple, PortInterest::Some([443].into()), PortInterest::None),
        (ResidualKey::ThreeTuple, PortInterest::Some([443].into()), PortInterest::None),
        (ResidualKey::ServerEndpoint, PortInterest::Some([443].into()), PortInterest::None),
        (ResidualKey::TwoTuple, any.clone(), PortInterest::None),
        (ResidualKey::Server, any.clone(), any.clone()),
        (ResidualKey::Client, any.clone(), any),
    ] {
        let residual = Residual { key, ..dropped_for(60) };
        let rules = vec![Rule { residuals: vec![residual], ..rule("sni", sni(&["whatsapp.com"])) }];
        let interest = policy([in_path(rules)]).interest();
        assert_eq!((interest.tcp, interest.udp), (tcp, udp), "{key:?}");
    }
}
