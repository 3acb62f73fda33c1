//! Packets in pieces, in every way in which a box treats them.

use core::time::Duration;
use std::collections::HashMap;

use crate::support::*;
use proptest::prelude::*;
use roadblock_censor::event::EventKind;
use roadblock_censor::machine::{MAX_FRAGMENT_BYTES, MAX_FRAGMENTS};
use roadblock_censor::outbox::Command;
use roadblock_censor::policy::{
    BoxPolicy, DuplicateFragment, Fate, FragmentOverlap, FragmentPolicy, FragmentTtl, Ipv6Extensions, Rewrite, Rule,
    TcpFlags,
};
use roadblock_censor::wire::fragment::{Piece, split};
use roadblock_censor::wire::ip::IpPacket;
use roadblock_censor::{PacketId, Verdict};

const TSPU: FragmentPolicy = FragmentPolicy::TSPU_QUEUE;
const IGNORED: FragmentPolicy = FragmentPolicy::Ignore;

fn put_together(overlap: FragmentOverlap) -> FragmentPolicy {
    FragmentPolicy::Reassemble { overlap, limit: 64, timeout: Duration::from_secs(30) }
}

fn drops_sni(fragments: FragmentPolicy) -> BoxPolicy {
    BoxPolicy { fragments, ..in_path(vec![sni_4(&["whatsapp.com"])]) }
}

/// A world in which a connection is open, and the packet with its `ClientHello`.
fn with_hello(boxes: impl Into<Vec<BoxPolicy>>, mut connection: Connection) -> (World, Vec<u8>) {
    let mut world = World::new(policy(boxes));
    world.open(&mut connection);
    world.clear();
    (world, connection.segment(Outbound, DATA, WHATSAPP_HELLO))
}

fn whatsapp(boxes: impl Into<Vec<BoxPolicy>>) -> (World, Vec<u8>) {
    with_hello(boxes, Connection::new(4000))
}

/// A packet in pieces of so many bytes.
fn pieces(packet: &[u8], size: usize) -> Vec<Vec<u8>> {
    let len = IpPacket::parse(packet).expect("a packet").payload().len();
    let cuts: Vec<usize> = (size..len).step_by(size).collect();
    split(packet, &cuts, 0x1234).expect("cut in eights")
}

/// A datagram in so many pieces.
fn in_pieces(count: usize) -> Vec<Vec<u8>> {
    pieces(&datagram(Outbound, 4000, 4500, &vec![7; count * 8 - 8]), 8)
}

fn offer_all(world: &mut World, pieces: &[Vec<u8>]) -> Vec<PacketId> {
    pieces.iter().map(|piece| world.offer(Outbound, piece)).collect()
}

fn verdicts(world: &World, ids: &[PacketId]) -> Vec<Option<Verdict>> {
    ids.iter().map(|id| world.verdict(*id)).collect()
}

fn reasons(world: &World) -> Vec<&str> {
    let dropped = world.out.events.iter().filter(|event| event.kind == EventKind::Dropped && event.rule.is_none());
    dropped.filter_map(|event| event.matched.as_deref()).collect()
}

/// TSPU-11: fragments wait until all are there and then go on one by one; of a packet of 45 all do, of one of 46 none.
#[test]
fn tspu_11_limit_45() {
    for (count, passes) in [(45, true), (46, false)] {
        let mut world = World::new(policy([drops_sni(TSPU)]));
        let pieces = in_pieces(count);
        assert_eq!(pieces.len(), count);
        let ids = offer_all(&mut world, &pieces[..count - 1]);
        assert!(verdicts(&world, &ids).iter().all(Option::is_none), "all wait");
        assert_eq!(world.censor.counters().held, count - 1);
        let last = world.offer(Outbound, &pieces[count - 1]);
        let expected = if passes { Verdict::Pass } else { Verdict::Drop };
        for id in ids.iter().chain([&last]) {
            assert_eq!(world.verdict(*id), Some(expected.clone()), "{count}");
        }
        assert_eq!(world.censor.counters().held, 0);
        assert_eq!(reasons(&world), if passes { vec![] } else { vec!["too many fragments"] });
    }
}

/// TSPU-11: a fragment that is there already, or overlaps with one, discards all of the packet.
#[test]
fn tspu_11_duplicates_discard_the_queue() {
    let whole = datagram(Outbound, 4000, 4500, &[7; 40]);
    let (coarse, fine) = (pieces(&whole, 16), pieces(&whole, 8));
    let ignores = FragmentPolicy::Queue {
        limit: 45,
        timeout: Duration::from_secs(5),
        duplicate: DuplicateFragment::Ignore,
        ttl: FragmentTtl::OfFirst,
    };
    for again in [&coarse[0], &fine[1]] {
        let mut world = World::new(policy([drops_sni(TSPU)]));
        let mut ids = offer_all(&mut world, &coarse[..2]);
        ids.push(world.offer(Outbound, again));
        assert_eq!(verdicts(&world, &ids), vec![Some(Verdict::Drop); 3]);
        assert_eq!(reasons(&world), ["a duplicate or overlapping fragment"]);

        let mut world = World::new(policy([drops_sni(ignores)]));
        let mut ids = offer_all(&mut world, &coarse[..2]);
        assert_eq!(world.send(Outbound, again), Verdict::Drop);
        ids.push(world.offer(Outbound, &coarse[2]));
        assert_eq!(verdicts(&world, &ids), vec![Some(Verdict::Pass); 3]);
    }
}

/// TSPU-11: all fragments go on with the time to live of the one that holds the packet's beginning, whichever came first.
#[test]
fn tspu_11_ttl_of_the_first() {
    for v6 in [false, true] {
        let server = if v6 { "2a03:2880::1" } else { "8.8.8.8" };
        let whole = datagram_with(server.parse().expect("an address"), Outbound, 4000, 4500, &[7; 30]);
        let mut pieces = pieces(&whole, 16);
        pieces[0] = Piece::parse(&pieces[0]).expect("a piece").with_ttl(9);
        pieces.reverse();
        let mut world = World::new(policy([drops_sni(TSPU)]));
        let ids = offer_all(&mut world, &pieces);
        for (id, own) in ids.iter().zip(&pieces) {
            match world.verdict(*id) {
                Some(Verdict::Replace(bytes)) => {
                    let (piece, own) = (Piece::parse(&bytes).expect("a piece"), Piece::parse(own).expect("a piece"));
                    assert_eq!((piece.ttl(), piece.id(), piece.data()), (9, own.id(), own.data()));
                    etherparse::SlicedPacket::from_ip(&bytes).expect("etherparse reads it");
                }
                verdict => assert!(verdict == Some(Verdict::Pass) && Piece::parse(own).expect("a piece").ttl() == 9),
            }
        }
    }
}

/// TSPU-11: fragments of a packet that is not complete after five seconds are dropped.
#[test]
fn tspu_11_five_seconds() {
    let pieces = in_pieces(3);
    for (wait, passes) in [(millis(4999), true), (millis(5000), false)] {
        let mut world = World::new(policy([drops_sni(TSPU)]));
        let mut ids = offer_all(&mut world, &pieces[..2]);
        assert_eq!(world.censor.poll_at(), Some(seconds(5)));
        world.now += wait;
        ids.push(world.offer(Outbound, &pieces[2]));
        let expected =
            if passes { vec![Some(Verdict::Pass); 3] } else { vec![Some(Verdict::Drop), Some(Verdict::Drop), None] };
        assert_eq!(verdicts(&world, &ids), expected);
        world.poll_all();
        assert_eq!(world.censor.counters().held, 0, "the last gets its verdict too");
    }
}

/// A `ClientHello` in two fragments is read where they are put together or queued, and not where they are ignored.
#[test]
fn a_hello_in_two_fragments() {
    let modes = [
        (IGNORED, [Verdict::Pass, Verdict::Pass]),
        (FragmentPolicy::Drop, [Verdict::Drop, Verdict::Drop]),
        (put_together(FragmentOverlap::First), [Verdict::Pass, Verdict::Drop]),
        (TSPU, [Verdict::Drop, Verdict::Drop]),
    ];
    for (mode, expected) in modes {
        for connection in [Connection::new(4000), Connection::v6(4000)] {
            for is_reversed in [false, true] {
                let (mut world, hello) = with_hello([drops_sni(mode)], connection);
                let cut = IpPacket::parse(&hello).expect("a packet").payload().len() / 2 / 8 * 8;
                let mut pieces = split(&hello, &[cut], 5).expect("two pieces");
                if is_reversed {
                    pieces.reverse();
                }
                let ids = offer_all(&mut world, &pieces);
                let verdicts: Vec<_> = verdicts(&world, &ids).into_iter().flatten().collect();
                assert_eq!(verdicts, expected, "{mode:?} {is_reversed}");
            }
        }
    }
}

/// On the path nothing is held or dropped, but what is put together is read.
#[test]
fn on_the_path_copies_are_read() {
    for (mode, is_read) in
        [(IGNORED, false), (FragmentPolicy::Drop, false), (TSPU, true), (put_together(FragmentOverlap::First), true)]
    {
        let each = BoxPolicy { fragments: mode, ..on_path(vec![sni_1(&["whatsapp.com"])]) };
        let (mut world, hello) = whatsapp([each]);
        for piece in pieces(&hello, 200) {
            assert_eq!(world.send(Outbound, &piece), Verdict::Pass);
        }
        assert_eq!(world.count(EventKind::Triggered) == 1, is_read, "{mode:?}");
    }
}

/// GFW-TCB-3: of two copies of the same bytes the box believes the one that came first, or last, as it is told.
#[test]
fn gfw_tcb_3_overlapping_fragments() {
    for (overlap, decoy_first, is_read) in [
        (FragmentOverlap::First, true, false),
        (FragmentOverlap::First, false, true),
        (FragmentOverlap::Last, true, true),
        (FragmentOverlap::Last, false, false),
    ] {
        let (mut world, hello) = whatsapp([drops_sni(put_together(overlap))]);
        let real = split(&hello, &[48, 200], 5).expect("three pieces");
        let mut decoy = real[1].clone();
        let at = decoy.len() - Piece::parse(&real[1]).expect("a piece").data().len();
        decoy[at..].fill(b'x');
        let middle = if decoy_first { [&decoy, &real[1]] } else { [&real[1], &decoy] };
        for piece in [&real[0], middle[0], middle[1]] {
            assert_eq!(world.send(Outbound, piece), Verdict::Pass);
        }
        let last = world.send(Outbound, &real[2]);
        // Where the decoy is believed, the checksum is wrong and the segment is not read.
        assert_eq!(last == Verdict::Drop, is_read, "{overlap:?}, the decoy first: {decoy_first}");
    }
}

/// A box after the queue sees the fragments that come out of it, and one before it those that come in.
#[test]
fn boxes_see_fragments_in_turn() {
    let second = |fragments| BoxPolicy { name: "second".into(), ..drops_sni(fragments) };
    let first = BoxPolicy { fragments: TSPU, ..in_path(vec![]) };
    for (mode, expected) in [(IGNORED, Verdict::Pass), (FragmentPolicy::Drop, Verdict::Drop), (TSPU, Verdict::Drop)] {
        let (mut world, hello) = whatsapp([first.clone(), second(mode)]);
        let pieces = pieces(&hello, 200);
        let ids = offer_all(&mut world, &pieces);
        assert_eq!(verdicts(&world, &ids), vec![Some(expected); pieces.len()], "{mode:?}");
        let holds = world.out.commands.iter().filter(|command| matches!(command, Command::Hold(_))).count();
        assert_eq!(holds, pieces.len(), "each is held once");
    }
}

/// TSPU-1 over fragments: the whole packet is rewritten and goes in the place of the first that came; the rest is dropped.
#[test]
fn a_rewrite_takes_the_place_of_the_fragments() {
    let rewrite = Rewrite { tcp_flags: Some(TcpFlags::RST_ACK), strip_payload: true, ..Rewrite::default() };
    let rules = vec![Rule { trigger: fate(Fate::Rewrite(rewrite)), ..rule("all", sni(&["whatsapp.com"])) }];
    let (mut world, hello) = whatsapp([BoxPolicy { fragments: TSPU, ..in_path(rules) }]);
    let pieces = pieces(&hello, 200);
    let ids = offer_all(&mut world, &pieces);
    let Some(Verdict::Replace(bytes)) = world.verdict(ids[0]) else { panic!("not rewritten") };
    assert_sound(&bytes);
    assert!(tcp_of(&bytes).rst);
    assert_eq!(verdicts(&world, &ids[1..]), vec![Some(Verdict::Drop); pieces.len() - 1]);
}

/// TSPU-6: an address is blocked for every fragment, also where no box reads any, and where the first does not hold a whole
/// transport header.
#[test]
fn tspu_6_fragments_to_a_blocked_address() {
    let rules = vec![Rule { trigger: fate(Fate::Drop), ..rule("ip", prefixes(&["157.240.1.60/32"])) }];
    let (mut world, hello) =
        (World::new(policy([in_path(rules)])), Connection::new(4000).segment(Outbound, DATA, b"data"));
    for piece in pieces(&hello, 8) {
        assert_eq!(world.send(Outbound, &piece), Verdict::Drop);
    }
}

/// A rule can look for fragments: for each where they pass as they come, and for the packet where it is put together.
#[test]
fn a_rule_can_look_for_fragments() {
    for mode in [IGNORED, TSPU] {
        let when = roadblock_censor::policy::Condition::Packet(roadblock_censor::policy::PacketQuestion::Fragment);
        let rules = vec![Rule { trigger: fate(Fate::Drop), ..rule("fragments", when) }];
        let mut world = World::new(policy([BoxPolicy { fragments: mode, ..in_path(rules) }]));
        let whole = datagram(Outbound, 4000, 4500, &[7; 40]);
        let ids = offer_all(&mut world, &pieces(&whole, 16));
        assert_eq!(verdicts(&world, &ids), vec![Some(Verdict::Drop); 3], "{mode:?}");
        assert_eq!(world.count(EventKind::Dropped), if mode == TSPU { 1 } else { 3 });
        assert!(matches!(world.send(Outbound, &whole), Verdict::Pass | Verdict::PassAndOffload));
    }
}

/// A modelled path's delay holds fragments once, and they leave in the order in which they came.
#[test]
fn a_delay_holds_no_fragment_twice() {
    let censor = roadblock_censor::Censor::new(policy([drops_sni(TSPU)]), 1).with_delay(millis(5));
    let mut world = World::of(censor);
    let ids = offer_all(&mut world, &in_pieces(4));
    world.poll_all();
    let mut seen: HashMap<PacketId, Vec<bool>> = HashMap::new();
    let mut order = Vec::new();
    for command in &world.out.commands {
        match command {
            Command::Hold(id) => seen.entry(*id).or_default().push(false),
            Command::Verdict(id, _) => {
                seen.entry(*id).or_default().push(true);
                order.push(*id);
            }
            _ => {}
        }
    }
    assert_eq!(order, ids);
    assert!(seen.values().all(|steps| *steps == [false, true]), "{seen:?}");
}

/// What waits when a phase begins stays where its box is still there and queues as before, and else is let go.
#[test]
fn queues_outlive_a_phase() {
    for (mode, expected) in [(TSPU, None), (IGNORED, Some(Verdict::Pass))] {
        let mut world = World::new(policy([drops_sni(TSPU)]));
        let pieces = in_pieces(2);
        let first = world.offer(Outbound, &pieces[0]);
        let now = world.now;
        let before = BoxPolicy { name: "new".into(), ..in_path(vec![]) };
        world.censor.replace_policy(policy([before, drops_sni(mode)]), now, &mut world.out);
        assert_eq!(world.verdict(first), expected);
        assert_eq!(world.send(Outbound, &pieces[1]), Verdict::Pass);
        assert_eq!(world.verdict(first), Some(Verdict::Pass));
    }
}

/// A flood of first fragments: no more is kept than fits, the oldest gives way, and that is counted.
#[test]
fn floods_are_bounded() {
    for mode in [TSPU, put_together(FragmentOverlap::First)] {
        for size in [8, 8000] {
            let mut world = World::new(policy([drops_sni(mode)]));
            let whole = datagram(Outbound, 4000, 4500, &vec![7; size + 8]);
            let mut piece = split(&whole, &[size], 0).expect("two pieces").swap_remove(0);
            let most = MAX_FRAGMENTS.min(MAX_FRAGMENT_BYTES / piece.len());
            for number in 0..most + 100 {
                piece[4..6].copy_from_slice(&u16::try_from(number).expect("few").to_be_bytes());
                world.offer(Outbound, &piece);
                assert!(world.censor.counters().held <= most);
            }
            assert_eq!(world.censor.counters().forgotten.fragments, 100);
            world.poll_all();
            assert_eq!(world.censor.counters().held, 0);
        }
    }
}

/// A header in front of the transport header hides it from a box that does not walk.
#[test]
fn extension_headers_hide_what_follows() {
    for (ipv6_extensions, expected) in [(Ipv6Extensions::Walk, Verdict::Drop), (Ipv6Extensions::Ignore, Verdict::Pass)]
    {
        let (mut world, hello) =
            with_hello([BoxPolicy { ipv6_extensions, ..drops_sni(IGNORED) }], Connection::v6(4000));
        // As zapret sends it: destination options with a PadN of four.
        let mut hidden = hello.clone();
        let next = core::mem::replace(&mut hidden[6], 60);
        hidden.splice(40..40, [next, 0, 1, 4, 0, 0, 0, 0]);
        let len = u16::try_from(hidden.len() - 40).expect("short");
        hidden[4..6].copy_from_slice(&len.to_be_bytes());
        assert_eq!(world.send(Outbound, &hidden), expected, "{ipv6_extensions:?}");
    }
}

/// IPv4 options do not hide anything (RFC 791 section 3.1): a record-route option in front of a `ClientHello`.
#[test]
fn ipv4_options_hide_nothing() {
    let (mut world, hello) = whatsapp([drops_sni(IGNORED)]);
    let mut longer = hello.clone();
    longer[0] = 0x47;
    longer.splice(20..20, [7, 7, 4, 0, 0, 0, 0, 0]);
    let len = u16::try_from(longer.len()).expect("short");
    longer[2..4].copy_from_slice(&len.to_be_bytes());
    assert_eq!(world.send(Outbound, &longer), Verdict::Drop);
}

/// An ICMP error about a packet of a condemned connection shares its fate, and that of another does not.
#[test]
fn icmp_errors_are_of_the_flow_that_they_quote() {
    let (mut world, hello) = whatsapp([drops_sni(IGNORED)]);
    assert_eq!(world.send(Outbound, &hello), Verdict::Drop);
    let about = |packet: &[u8]| {
        let ip = IpPacket::parse(packet).expect("a packet");
        let rejection = roadblock_censor::policy::Rejection::HostUnreachable;
        roadblock_censor::wire::build::unreachable(&ip, rejection).expect("an error")
    };
    assert_eq!(world.send(Inbound, &about(&hello)), Verdict::Drop);
    let other = Connection::new(4001).segment(Outbound, DATA, b"other");
    assert_eq!(world.send(Inbound, &about(&other)), Verdict::Pass);
}

proptest! {
    /// However a packet is cut and in whatever order its pieces come, it meets the fate that it meets whole.
    #[test]
    fn pieces_meet_the_fate_of_the_whole(
        is_listed: bool,
        is_v6: bool,
        is_queued: bool,
        size in 1..40usize,
        order in Just((0..45usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let hello = if is_listed { WHATSAPP_HELLO } else { INSTAGRAM_HELLO };
        let mode = if is_queued { TSPU } else { put_together(FragmentOverlap::First) };
        let connection = || if is_v6 { Connection::v6(4000) } else { Connection::new(4000) };
        let (mut world, _) = with_hello([drops_sni(mode)], connection());
        let (mut whole, _) = with_hello([drops_sni(mode)], connection());
        let mut opened = connection();
        for (direction, flags) in [(Outbound, SYN), (Inbound, SYN_ACK), (Outbound, ACK)] {
            opened.segment(direction, flags, &[]);
        }
        let packet = opened.segment(Outbound, DATA, hello);
        let pieces = pieces(&packet, size.max(packet.len() / 40 / 8 + 1) * 8);
        prop_assume!((2..=45).contains(&pieces.len()));
        let mut ids = Vec::new();
        for place in order {
            if let Some(piece) = pieces.get(place) {
                ids.push(world.offer(Outbound, piece));
            }
        }
        let is_dropped = whole.send(Outbound, &packet) == Verdict::Drop;
        prop_assert_eq!(is_dropped, is_listed);
        let verdicts = verdicts(&world, &ids);
        prop_assert_eq!(verdicts.last(), Some(&Some(if is_dropped { Verdict::Drop } else { Verdict::Pass })));
        if is_queued {
            prop_assert!(verdicts.iter().all(|verdict| verdict == verdicts.last().expect("some")));
        }
        prop_assert_eq!(world.story(), whole.story());
    }
}
