//! What is measured of Russia's TSPU, in virtual time.

use core::time::Duration;

use crate::support::*;
use roadblock_censor::event::EventKind;
use roadblock_censor::outbox::Command;
use roadblock_censor::policy::{
    BoxPolicy, Condition, Fate, FlowPolicy, IdleTimes, Rewrite, Rule, Sees, TcpFlags, Teardown,
};
use roadblock_censor::{Censor, Verdict};

fn tspu(rules: Vec<Rule>) -> World {
    World::new(policy([in_path(rules)]))
}

fn replaced(verdict: Verdict) -> Vec<u8> {
    match verdict {
        Verdict::Replace(bytes) => bytes,
        other => panic!("not rewritten but {other:?}"),
    }
}

/// TSPU-1: the `ClientHello` passes; the server's packets lose their payload and become RST/ACK with their own numbers;
/// what the client sends goes on; after 75 seconds, which later packets do not prolong, it is over.
#[test]
fn tspu_1_rewrites_the_servers_packets() {
    for mut connection in [Connection::new(4000), Connection::v6(4000)] {
        let mut world = tspu(vec![sni_1(&["whatsapp.com"])]);
        world.open(&mut connection);
        let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
        assert_eq!(world.send(Outbound, &hello), Verdict::Pass);
        assert_eq!(world.story(), ["tspu/sni-1 Triggered", "tspu/sni-1 ResidualArmed"]);
        assert_eq!(world.out.events[0].matched.as_deref(), Some("SNI web.whatsapp.com"));

        for at in [0, 40, 74] {
            world.now = seconds(at);
            let answer = connection.segment(Inbound, DATA, b"server hello");
            let (sequence, acknowledgement) = (connection.server_next - 12, connection.client_next);
            let rewritten = replaced(world.send(Inbound, &answer));
            assert_sound(&rewritten);
            let tcp = tcp_of(&rewritten);
            assert!(tcp.rst && tcp.ack && !tcp.psh);
            assert_eq!((tcp.sequence_number, tcp.acknowledgment_number), (sequence, acknowledgement));
            assert_eq!(rewritten.len(), answer.len() - 12);
            assert_eq!(world.send(Outbound, &hello), Verdict::Pass, "a retransmission goes out and arms nothing");
        }
        assert_eq!(world.count(EventKind::ResidualArmed), 1);
        world.now = seconds(75);
        let answer = connection.segment(Inbound, DATA, b"server hello");
        assert_eq!(world.send(Inbound, &answer), Verdict::PassAndOffload);
    }
}

/// TSPU-8: a flow that the outside began is not matched, nor one where both ends sent a SYN (split handshake).
#[test]
fn tspu_8_roles() {
    for opening in [
        &[(Inbound, SYN), (Outbound, SYN_ACK), (Inbound, ACK)][..],
        &[(Outbound, SYN), (Inbound, SYN), (Outbound, SYN_ACK), (Inbound, ACK)],
        &[(Outbound, SYN_ACK), (Inbound, ACK)],
    ] {
        let mut world = tspu(vec![sni_1(&["whatsapp.com"])]);
        let mut connection = Connection::new(4000);
        for (direction, flags) in opening {
            let segment = connection.segment(*direction, *flags, &[]);
            assert!(matches!(world.send(*direction, &segment), Verdict::Pass | Verdict::PassAndOffload));
        }
        let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
        assert!(matches!(world.send(Outbound, &hello), Verdict::Pass | Verdict::PassAndOffload));
        assert_eq!(world.story(), [""; 0], "{opening:?}");
    }
}

/// TSPU-4, TSPU-8: where SNI-I did not fire because the roles were confused, its backup drops the `ClientHello` itself and
/// both directions, for 40 seconds.
#[test]
fn tspu_4_drops_for_40_seconds() {
    let mut world = tspu(vec![sni_1(&["whatsapp.com"]), sni_4(&["whatsapp.com"])]);
    let mut connection = Connection::new(4000);
    for (direction, flags) in [(Outbound, SYN), (Inbound, SYN), (Outbound, SYN_ACK), (Inbound, ACK)] {
        let segment = connection.segment(direction, flags, &[]);
        world.send(direction, &segment);
    }
    let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
    for at in [0, 1, 39] {
        world.now = seconds(at);
        assert_eq!(world.send(Outbound, &hello), Verdict::Drop, "at {at} s");
        let answer = connection.segment(Inbound, ACK, &[]);
        assert_eq!(world.send(Inbound, &answer), Verdict::Drop, "at {at} s");
    }
    assert!(world.story().iter().all(|line| line.starts_with("tspu/sni-4")));
    world.now = seconds(40);
    let answer = connection.segment(Inbound, ACK, &[]);
    assert_eq!(world.send(Inbound, &answer), Verdict::PassAndOffload);
    assert_eq!(world.send(Outbound, &hello), Verdict::Drop, "the ClientHello, sent again, begins it anew");
}

/// TSPU-4: where SNI-I fired, its backup is not asked.
#[test]
fn tspu_4_is_the_backup_of_tspu_1() {
    let mut world = tspu(vec![sni_1(&["whatsapp.com"]), sni_4(&["whatsapp.com"])]);
    let mut connection = Connection::new(4000);
    world.open(&mut connection);
    let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
    assert_eq!(world.send(Outbound, &hello), Verdict::Pass);
    assert!(world.story().iter().all(|line| line.starts_with("tspu/sni-1")));
}

/// TSPU-10: a flow idle for longer than its state allows is unknown, and a `ClientHello` on it is not matched.
#[test]
fn tspu_10_idle_flows_are_forgotten() {
    let opening = [(Outbound, SYN), (Inbound, SYN_ACK), (Outbound, ACK)];
    for (packets, idle) in [(1, 60), (2, 105), (3, 480)] {
        for (wait, matches) in [(idle, true), (idle + 1, false)] {
            let mut world = tspu(vec![sni_1(&["whatsapp.com"])]);
            let mut connection = Connection::new(4000);
            for (direction, flags) in &opening[..packets] {
                let segment = connection.segment(*direction, *flags, &[]);
                world.send(*direction, &segment);
            }
            world.now = seconds(wait);
            let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
            assert_eq!(world.send(Outbound, &hello), Verdict::Pass);
            assert_eq!(!world.story().is_empty(), matches, "{packets} packets, {wait} s");
        }
    }
}

/// TSPU-9: a box that sees only what leaves cannot rewrite what enters, but it can drop.
#[test]
fn tspu_9_upstream_only_box() {
    let upstream = |rule| BoxPolicy { sees: Sees::Outbound, ..in_path(vec![rule]) };
    for (rule, verdict) in [(sni_1(&["whatsapp.com"]), Verdict::Pass), (sni_4(&["whatsapp.com"]), Verdict::Drop)] {
        let mut world = World::new(policy([upstream(rule)]));
        let mut connection = Connection::new(4000);
        world.open(&mut connection);
        let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
        assert_eq!(world.send(Outbound, &hello), verdict);
        let answer = connection.segment(Inbound, DATA, b"server hello");
        assert_eq!(world.send(Inbound, &answer), Verdict::PassAndOffload, "no box looks this way");
    }
}

/// TSPU-12: a box that reads each segment alone is evaded by cutting the `ClientHello` in two. TSPU-12b: one that
/// reassembles is not, whichever part comes first.
#[test]
fn tspu_12_segmentation_evades_without_reassembly() {
    for (reassembly_limit, matches) in [(None, false), (Some(4096), true)] {
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let tcp = joining(reassembly_limit);
            let mut world = World::new(policy([BoxPolicy { tcp, ..in_path(vec![sni_4(&["whatsapp.com"])]) }]));
            let mut connection = Connection::new(4000);
            world.open(&mut connection);
            let parts: Vec<_> =
                WHATSAPP_HELLO.chunks(110).map(|part| connection.segment(Outbound, DATA, part)).collect();
            let verdicts: Vec<_> = order.iter().map(|part| world.send(Outbound, &parts[*part])).collect();
            assert_eq!(verdicts.contains(&Verdict::Drop), matches, "{reassembly_limit:?} {order:?}");
            assert_eq!(verdicts[2] == Verdict::Drop, matches, "the part that completes it is the one dropped");
        }
    }
}

/// TSPU-12b: many small segments do not tire a box that reassembles; data past its limit does.
#[test]
fn tspu_12b_reassembly_goes_by_bytes() {
    for (limit, matches) in [(4096, true), (200, false)] {
        let tcp = joining(Some(limit));
        let mut world = World::new(policy([BoxPolicy { tcp, ..in_path(vec![sni_4(&["whatsapp.com"])]) }]));
        let mut connection = Connection::new(4000);
        world.open(&mut connection);
        let mut last = Verdict::Pass;
        for part in WHATSAPP_HELLO.chunks(8) {
            let segment = connection.segment(Outbound, DATA, part);
            last = world.send(Outbound, &segment);
        }
        assert_eq!(last, if matches { Verdict::Drop } else { Verdict::PassAndOffload });
    }
}

/// TSPU-13: a false `ClientHello` before the true one, and a wrong checksum on it that the box checks: the first is what
/// the box judges, the second it ignores.
#[test]
fn tspu_13_a_false_client_hello_settles_the_flow() {
    for (is_sound, expected) in [(true, Verdict::PassAndOffload), (false, Verdict::Drop)] {
        let mut world = tspu(vec![sni_4(&["whatsapp.com"])]);
        let mut connection = Connection::new(4000);
        world.open(&mut connection);
        let mut false_hello = connection.segment(Outbound, DATA, INSTAGRAM_HELLO);
        if !is_sound {
            false_hello[36] ^= 0xff;
        }
        world.send(Outbound, &false_hello);
        connection.client_next -= INSTAGRAM_HELLO.len() as u32;
        let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
        assert_eq!(world.send(Outbound, &hello), expected, "checksum right: {is_sound}");
    }
}

/// TSPU-6: a block by address holds for every protocol and every packet, ICMP and the middle of unknown flows too.
#[test]
fn tspu_6_address_block_is_stateless() {
    let address = Condition::ServerAddress(["157.240.0.0/16".parse().expect("a prefix")].into_iter().collect());
    let blocked = Rule { trigger: fate(Fate::Drop), ..rule("ip-out", address) };
    let mut world = tspu(vec![blocked]);
    let mut connection = Connection::new(4000);
    let data = connection.segment(Outbound, DATA, b"middle");
    assert_eq!(world.send(Outbound, &data), Verdict::Drop);
    let answer = connection.segment(Inbound, DATA, b"middle");
    assert_eq!(world.send(Inbound, &answer), Verdict::Drop);
    let mut ping = data[..28].to_vec();
    ping[2..4].copy_from_slice(&28u16.to_be_bytes());
    ping[9] = 1;
    assert_eq!(world.send(Outbound, &ping), Verdict::Drop);
    assert_eq!(world.send(Outbound, &datagram(Outbound, 1, 443, b"elsewhere")), Verdict::Pass);
    assert_eq!(world.out.events[0].matched.as_deref(), Some("address 157.240.1.60"));
    assert_eq!(world.censor.counters().flows, 0, "what needs no memory takes none");
}

/// TSPU-14: a rule misses at its rate, the same flows on every run, once for each flow.
#[test]
fn tspu_14_misses_are_reproducible() {
    let play = |seed: u64| {
        let rule = Rule { miss: 0.02, ..sni_4(&["whatsapp.com"]) };
        let mut world = World::of(Censor::new(policy([in_path(vec![rule])]), seed));
        let missed: Vec<bool> = (0..10_000u16)
            .map(|port| {
                let mut connection = Connection::new(port + 1024);
                world.open(&mut connection);
                let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
                let missed = world.send(Outbound, &hello) != Verdict::Drop;
                let again = world.send(Outbound, &hello) != Verdict::Drop;
                assert_eq!(missed, again, "a retransmission is not drawn again");
                world.out.commands.clear();
                missed
            })
            .collect();
        assert_eq!(world.count(EventKind::Missed), missed.iter().filter(|missed| **missed).count());
        missed
    };
    let first = play(1);
    let rate = first.iter().filter(|missed| **missed).count();
    assert!((150..=250).contains(&rate), "{rate} of 10,000");
    assert_eq!(first, play(1));
    assert_ne!(first, play(2));
}

/// RU-THR-4: no flag ends the tracking of a flow, unless the profile says so.
#[test]
fn ru_thr_4_teardown() {
    for (rst, expected) in [(false, Verdict::Drop), (true, Verdict::Pass)] {
        let flow = FlowPolicy { teardown: Teardown { fin: false, rst }, ..FlowPolicy::default() };
        let mut world = World::new(policy([BoxPolicy { flow, ..in_path(vec![sni_4(&["whatsapp.com"])]) }]));
        let mut connection = Connection::new(4000);
        world.open(&mut connection);
        let reset = connection.segment(Outbound, RST, &[]);
        assert_eq!(world.send(Outbound, &reset), Verdict::Pass);
        let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
        assert_eq!(world.send(Outbound, &hello), expected, "teardown by RST: {rst}");
    }
}

/// Several boxes: what leaves meets them in order, what enters in reverse, and a drop by one hides a packet from the next.
#[test]
fn boxes_are_met_in_order() {
    let drops = |name: &str| BoxPolicy {
        name: name.into(),
        ..in_path(vec![Rule { trigger: fate(Fate::Drop), ..rule("all", Condition::ServerPort([443].into())) }])
    };
    let mut world = World::new(policy([drops("inner"), drops("outer")]));
    let mut connection = Connection::new(4000);
    for direction in [Outbound, Inbound] {
        let segment = connection.segment(direction, ACK, &[]);
        assert_eq!(world.send(direction, &segment), Verdict::Drop);
    }
    assert_eq!(world.story(), ["inner/all Dropped", "outer/all Dropped"]);
}

/// A rewrite by one box is what the next one sees, and both are in the packet that leaves.
#[test]
fn the_next_box_sees_the_rewrite() {
    let rewrites = |name: &str, tcp_flags, strip_payload| {
        let trigger = fate(Fate::Rewrite(Rewrite { tcp_flags, strip_payload, ..Rewrite::default() }));
        let rules = vec![Rule { trigger, ..rule("inbound", Condition::Direction(Inbound)) }];
        BoxPolicy { name: name.into(), ..in_path(rules) }
    };
    let boxes = [rewrites("inner", Some(TcpFlags::RST), false), rewrites("outer", None, true)];
    let mut world = World::new(policy(boxes));
    let answer = Connection::new(4000).segment(Inbound, DATA, b"server hello");
    let rewritten = replaced(world.send(Inbound, &answer));
    assert_sound(&rewritten);
    let tcp = tcp_of(&rewritten);
    assert!(tcp.rst && !tcp.ack && !tcp.psh, "as the inner box wants it");
    assert_eq!(rewritten.len(), answer.len() - 12, "as the outer box wants it");
    assert_eq!(world.story(), ["outer/inbound Rewritten", "inner/inbound Rewritten"]);
}

/// A full table takes no more flows, says so, and makes room when flows are forgotten; an offloaded one is recalled first.
#[test]
fn full_table() {
    let idle = IdleTimes { established: Duration::from_secs(10), ..IdleTimes::default() };
    let flow = FlowPolicy { idle, ..FlowPolicy::default() };
    let boxes = [BoxPolicy { flow, ..in_path(vec![sni_4(&["whatsapp.com"])]) }];
    let mut world = World::of(Censor::new(policy(boxes), 1).with_max_flows(1));
    world.open_harmless(&mut Connection::new(4000));
    let mut second = Connection::new(4001);
    world.open(&mut second);
    let hello = second.segment(Outbound, DATA, WHATSAPP_HELLO);
    assert_eq!(world.send(Outbound, &hello), Verdict::Pass);
    assert_eq!(world.count(EventKind::TableFull), 2, "for the SYN and the SYN/ACK");

    world.now = seconds(11);
    world.clear();
    let mut third = Connection::new(4002);
    world.open(&mut third);
    assert!(matches!(world.out.commands[0], Command::Recall(key) if key.client_port == 4000));
    let hello = third.segment(Outbound, DATA, WHATSAPP_HELLO);
    assert_eq!(world.send(Outbound, &hello), Verdict::Drop);
    assert_eq!(world.censor.counters().flows, 1);
}
