//! What the kernel may pass by itself, and what brings it back.

use core::time::Duration;

use crate::support::*;
use roadblock_censor::event::EventKind;
use roadblock_censor::outbox::Command;
use roadblock_censor::policy::{BoxPolicy, Condition, Fate, FlowPolicy, ResidualKey, Rule, TrackFrom};
use roadblock_censor::{Censor, Outbox, Verdict};

fn recalls(out: &Outbox) -> Vec<u16> {
    out.commands
        .iter()
        .filter_map(|command| match command {
            Command::Recall(key) => Some(key.client_port),
            _ => None,
        })
        .collect()
}

fn drop_3t(patterns: &[&str]) -> Rule {
    let mut rule = sni_4(patterns);
    rule.residuals[0].key = ResidualKey::ThreeTuple;
    rule
}

/// A flow judged harmless is passed on in each direction by itself, said once, and its opening and closing segments never
/// are.
#[test]
fn harmless_flows_are_offloaded() {
    let mut world = World::new(policy([in_path(vec![sni_4(&["whatsapp.com"])])]));
    let mut connection = Connection::new(4000);
    world.open_harmless(&mut connection);
    assert_eq!(world.count(EventKind::Passed), 1);
    assert_eq!(world.censor.counters().offloaded, 1);
    let reset = connection.segment(Outbound, RST, &[]);
    assert_eq!(world.send(Outbound, &reset), Verdict::Pass);
}

/// A flow whose client sends no `ClientHello` is given up after as many segments as the profile says.
#[test]
fn other_protocols_are_given_up() {
    let mut world = World::new(policy([in_path(vec![sni_4(&["whatsapp.com"])])]));
    let mut connection = Connection::new(4000);
    world.open(&mut connection);
    for expected in [Verdict::Pass, Verdict::Pass, Verdict::Pass, Verdict::PassAndOffload] {
        let segment = connection.segment(Outbound, DATA, b"SSH-2.0-OpenSSH");
        assert_eq!(world.send(Outbound, &segment), expected);
    }
}

/// A port used again is a new flow: it is recalled and inspected.
#[test]
fn a_reused_port_is_inspected_again() {
    let mut world = World::new(policy([in_path(vec![sni_4(&["whatsapp.com"])])]));
    world.open_harmless(&mut Connection::new(4000));
    world.clear();
    let mut again = Connection { client_next: 777_000, server_next: 888_000, ..Connection::new(4000) };
    world.open(&mut again);
    assert!(matches!(world.out.commands[0], Command::Recall(key) if key.client_port == 4000), "before its verdict");
    let hello = again.segment(Outbound, DATA, WHATSAPP_HELLO);
    assert_eq!(world.send(Outbound, &hello), Verdict::Drop);
}

/// A residual that covers an offloaded flow brings it back before anything else, and hits it.
#[test]
fn a_residual_recalls_offloaded_flows() {
    let mut world = World::new(policy([in_path(vec![drop_3t(&["whatsapp.com"])])]));
    let mut earlier = Connection::new(4000);
    world.open_harmless(&mut earlier);
    let mut elsewhere = Connection { server: ([1, 1, 1, 1].into(), 443), ..Connection::new(4001) };
    world.open_harmless(&mut elsewhere);
    let mut connection = Connection::new(4002);
    world.open(&mut connection);
    world.clear();
    let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
    assert_eq!(world.send(Outbound, &hello), Verdict::Drop);
    assert!(matches!(world.out.commands[..], [Command::Recall(key), Command::Verdict(..)] if key.client_port == 4000));
    let data = earlier.segment(Outbound, DATA, b"more");
    assert_eq!(world.send(Outbound, &data), Verdict::Drop);
    let data = elsewhere.segment(Outbound, DATA, b"more");
    assert_eq!(world.send(Outbound, &data), Verdict::PassAndOffload, "another server is not covered");
}

/// What a TCP flow did never hits UDP between the same ends.
#[test]
fn tcp_and_udp_do_not_mix() {
    let mut rule = drop_3t(&["whatsapp.com"]);
    rule.residuals[0].key = ResidualKey::TwoTuple;
    let mut world = World::new(policy([in_path(vec![rule])]));
    let server = ([8, 8, 8, 8].into(), 443);
    let mut connection = Connection { server, ..Connection::new(4000) };
    world.open(&mut connection);
    let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
    assert_eq!(world.send(Outbound, &hello), Verdict::Drop);
    assert_eq!(world.send(Outbound, &datagram(Outbound, 4000, 443, b"quic")), Verdict::Pass);
    let mut other_port = Connection { server: ([8, 8, 8, 8].into(), 8443), ..Connection::new(4001) };
    let syn = other_port.segment(Outbound, SYN, &[]);
    assert_eq!(world.send(Outbound, &syn), Verdict::Drop, "by client and server alone, every port is hit");
}

/// UDP flows that match nothing are passed on after their first datagram each way.
#[test]
fn other_udp_is_offloaded() {
    let blocked = Condition::All(vec![
        Condition::Protocol(17),
        Condition::ServerPort([443].into()),
        Condition::Not(Box::new(Condition::ClientInside)),
    ]);
    let mut world = World::new(policy([in_path(vec![Rule { trigger: fate(Fate::Drop), ..rule("udp", blocked) }])]));
    assert_eq!(world.send(Outbound, &datagram(Outbound, 4000, 443, b"quic")), Verdict::PassAndOffload);
    assert_eq!(world.send(Inbound, &datagram(Inbound, 4000, 443, b"quic")), Verdict::PassAndOffload);
    assert_eq!(world.send(Inbound, &datagram(Inbound, 4001, 443, b"unasked")), Verdict::Drop);
}

/// TSPU-10: a flow joined in the middle is unknown: neither matched nor offloaded, unless the profile tracks from any
/// segment.
#[test]
fn tspu_10_joined_in_the_middle() {
    for (from, expected) in [(TrackFrom::Syn, Verdict::Pass), (TrackFrom::Any, Verdict::Drop)] {
        let flow = FlowPolicy { from, ..FlowPolicy::default() };
        let mut world = World::new(policy([BoxPolicy { flow, ..in_path(vec![sni_4(&["whatsapp.com"])]) }]));
        let mut connection = Connection::new(4000);
        for payload in [WHATSAPP_HELLO, b"more"] {
            let segment = connection.segment(Outbound, DATA, payload);
            assert_eq!(world.send(Outbound, &segment), expected, "{from:?}");
        }
    }
}

/// An exemption before a block holds, and does not keep the flow from being offloaded.
#[test]
fn exemptions_are_offloaded() {
    let exempt = rule("allowed", sni(&["instagram.com"]));
    let rest =
        Condition::All(vec![Condition::Not(Box::new(Condition::sni(names(&[])))), Condition::ServerPort([443].into())]);
    let block = Rule { trigger: fate(Fate::Drop), ..rule("unlisted", rest) };
    let mut world = World::new(policy([in_path(vec![exempt, block])]));
    let mut connection = Connection::new(4000);
    world.open(&mut connection);
    let hello = connection.segment(Outbound, DATA, INSTAGRAM_HELLO);
    assert_eq!(world.send(Outbound, &hello), Verdict::Pass);
    let more = connection.segment(Outbound, DATA, b"more");
    assert_eq!(world.send(Outbound, &more), Verdict::PassAndOffload);
    assert!(world.out.events.iter().all(|event| !event.is_interference()));
    let mut connection = Connection::new(4001);
    world.open(&mut connection);
    let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
    assert_eq!(world.send(Outbound, &hello), Verdict::Drop);
}

/// A new phase keeps flows and the residuals of rules that stay, drops the others, and recalls everything.
#[test]
fn a_new_phase() {
    for (new_rules, expected) in
        [(vec![sni_4(&["other.example"])], Verdict::Drop), (vec![sni_1(&["whatsapp.com"])], Verdict::Pass)]
    {
        let mut world = World::new(policy([in_path(vec![sni_4(&["whatsapp.com"])])]));
        let mut harmless = Connection::new(4000);
        world.open_harmless(&mut harmless);
        let mut punished = Connection::new(4001);
        world.open(&mut punished);
        let hello = punished.segment(Outbound, DATA, WHATSAPP_HELLO);
        assert_eq!(world.send(Outbound, &hello), Verdict::Drop);
        world.clear();
        world.censor.replace_policy(policy([in_path(new_rules)]), world.now, &mut world.out);
        assert_eq!(world.out.commands, [Command::RecallAll]);
        assert_eq!(world.censor.counters().offloaded, 0);
        for direction in [Outbound, Inbound] {
            let data = punished.segment(direction, DATA, b"more");
            // Nothing of what the server says is asked about any more.
            let expected = if direction == Inbound && expected == Verdict::Pass {
                Verdict::PassAndOffload
            } else {
                expected.clone()
            };
            assert_eq!(world.send(direction, &data), expected);
        }
        // The flow is still known, and what it says from now on is judged anew.
        let hello = harmless.segment(Outbound, DATA, INSTAGRAM_HELLO);
        assert_eq!(world.send(Outbound, &hello), Verdict::PassAndOffload);
    }
}

/// A held packet that would have offloaded its flow does not once the flow is recalled.
#[test]
fn a_recall_reaches_held_packets() {
    let boxes = [in_path(vec![sni_4(&["whatsapp.com"])])];
    let mut world = World::of(Censor::new(policy(boxes), 1).with_delay(Duration::from_secs(1)));
    let mut connection = Connection::new(4000);
    for (direction, flags, payload) in
        [(Outbound, SYN, &[][..]), (Inbound, SYN_ACK, &[]), (Outbound, DATA, INSTAGRAM_HELLO)]
    {
        let segment = connection.segment(direction, flags, payload);
        world.offer(direction, &segment);
    }
    world.censor.replace_policy(policy([in_path(vec![sni_4(&["instagram.com"])])]), world.now, &mut world.out);
    world.poll_all();
    assert!(!world.out.commands.iter().any(|command| matches!(command, Command::Verdict(_, Verdict::PassAndOffload))));
    assert_eq!(recalls(&world.out), [0; 0]);
}
