//! What a box believes that the receiver of a segment does not: each check of a TCP policy, on and off (GFW-TCB-1, GFW-TCB-2,
//! GFW-TCB-3 and the fakes of zapret, byedpi and Geneva).

use crate::support::*;

use core::time::Duration;

use roadblock_censor::policy::{
    BoxPolicy, Check, Decide, Fate, FlowPolicy, InspectPolicy, Overlap, Reassembly, Resync, Rule, SecondSyn,
    SequenceCheck, TcpPolicy, Teardown, TeardownCheck, TrackFrom, TtlCheck, Urgent,
};
use roadblock_censor::{Instant, Verdict};

/// A box that drops whatsapp.com and puts segments together.
fn world_of(flow: FlowPolicy, tcp: TcpPolicy) -> World {
    let rule = Rule { trigger: fate(Fate::Drop), ..rule("sni", sni(&["whatsapp.com"])) };
    World::new(policy([BoxPolicy { flow, tcp, ..in_path(vec![rule]) }]))
}

fn full() -> TcpPolicy {
    TcpPolicy { reassembly: Reassembly::Full, ..TcpPolicy::default() }
}

/// The checksum of a segment over IPv4, made right again.
fn mend(packet: &mut [u8]) {
    packet[10..12].fill(0);
    let header: Vec<u8> = packet[..20].to_vec();
    packet[10..12].copy_from_slice(&internet(&header).to_be_bytes());
    packet[36..38].fill(0);
    let length = (packet.len() - 20) as u16;
    let mut pseudo = packet[12..20].to_vec();
    pseudo.extend([0, 6]);
    pseudo.extend(length.to_be_bytes());
    pseudo.extend(&packet[20..]);
    packet[36..38].copy_from_slice(&internet(&pseudo).to_be_bytes());
}

/// RFC 1071, written out.
fn internet(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Puts options, padded to words, into a segment.
fn with_options(packet: &[u8], options: &[u8]) -> Vec<u8> {
    assert_eq!(options.len() % 4, 0);
    let mut changed = [&packet[..40], options, &packet[40..]].concat();
    let total = changed.len() as u16;
    changed[2..4].copy_from_slice(&total.to_be_bytes());
    changed[32] = ((20 + options.len()) as u8 / 4) << 4;
    mend(&mut changed);
    changed
}

/// Whether the box sees a fake `ClientHello` for another name, changed like this, in front of the real one: it takes the flow
/// for harmless then.
fn is_fooled(tcp: TcpPolicy, change: &dyn Fn(Vec<u8>) -> Vec<u8>) -> bool {
    let mut world = world_of(FlowPolicy::default(), tcp);
    let mut connection = Connection::new(4000);
    world.open(&mut connection);
    // The server has said something too, so that there is a number to acknowledge.
    let before = connection;
    let fake = change(connection.segment(Outbound, DATA, INSTAGRAM_HELLO));
    let verdict = world.send(Outbound, &fake);
    assert!(matches!(verdict, Verdict::Pass | Verdict::PassAndOffload));
    if verdict == Verdict::PassAndOffload {
        return true; // The kernel passes the real one by itself.
    }
    connection = before;
    let real = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
    world.send(Outbound, &real) != Verdict::Drop
}

/// GFW-TCB-2: a fake that the server throws away fools the box that believes it, and not the one that checks.
#[test]
fn gfw_tcb_2_insertion_packets() {
    type Change = dyn Fn(Vec<u8>) -> Vec<u8>;
    let patched = |at: usize, value: u8| {
        move |mut packet: Vec<u8>| {
            packet[at] = value;
            mend(&mut packet);
            packet
        }
    };
    let ignoring = |change: &dyn Fn(&mut TcpPolicy)| {
        let mut tcp = full();
        change(&mut tcp);
        tcp
    };
    let bad_checksum = |mut packet: Vec<u8>| {
        packet[36] ^= 0x55;
        packet
    };
    let cases: Vec<(&str, TcpPolicy, TcpPolicy, Box<Change>)> = vec![
        ("checksum", full(), ignoring(&|tcp| tcp.checksum = Check::Ignore), Box::new(bad_checksum)),
        // SYN and FIN together with PSH and ACK.
        ("flags", full(), ignoring(&|tcp| tcp.flags = Check::Ignore), Box::new(patched(33, 0x1d))),
        ("no ACK", full(), ignoring(&|tcp| tcp.acknowledgement = Check::Ignore), Box::new(patched(33, 0x08))),
        // An acknowledgement of what the server will say in a billion bytes.
        ("bad ACK", full(), ignoring(&|tcp| tcp.acknowledgement = Check::Ignore), Box::new(patched(28, 0x7f))),
        (
            "MD5",
            full(),
            ignoring(&|tcp| tcp.md5 = Check::Ignore),
            Box::new(|packet| with_options(&packet, &[&[19, 18][..], &[7; 16], &[1, 1]].concat())),
        ),
        ("data offset", full(), ignoring(&|tcp| tcp.header = Check::Ignore), Box::new(patched(32, 0x20))),
        ("TTL", ignoring(&|tcp| tcp.ttl = TtlCheck::Min(5)), full(), Box::new(patched(8, 4))),
        ("TTL drift", ignoring(&|tcp| tcp.ttl = TtlCheck::Drift(2)), full(), Box::new(patched(8, 61))),
    ];
    for (name, strict, lax, change) in cases {
        assert!(!is_fooled(strict, &change), "{name}, checked");
        assert!(is_fooled(lax, &change), "{name}, not checked");
    }
}

/// PAWS (RFC 7323 section 5): a timestamp from before the last is thrown away by the server.
#[test]
fn old_timestamps() {
    let stamp = |value: u32| [&[1, 1, 8, 10][..], &value.to_be_bytes(), &[0; 4]].concat();
    for (check, fooled) in [(Check::Verify, false), (Check::Ignore, true)] {
        let mut world = world_of(FlowPolicy::default(), TcpPolicy { timestamps: check, ..full() });
        let mut connection = Connection::new(4000);
        for (direction, flags) in [(Outbound, SYN), (Inbound, SYN_ACK), (Outbound, ACK)] {
            let segment = connection.segment(direction, flags, &[]);
            world.send(direction, &with_options(&segment, &stamp(700_000)));
        }
        let before = connection;
        let fake = with_options(&connection.segment(Outbound, DATA, INSTAGRAM_HELLO), &stamp(100_000));
        let verdict = world.send(Outbound, &fake);
        connection = before;
        let real = with_options(&connection.segment(Outbound, DATA, WHATSAPP_HELLO), &stamp(700_001));
        let passes = verdict == Verdict::PassAndOffload || world.send(Outbound, &real) != Verdict::Drop;
        assert_eq!(passes, fooled, "{check:?}");
    }
}

/// Sequence numbers outside the window (`badseq`) fool the box that does not look at them, where it looks at segments alone.
#[test]
fn sequence_numbers() {
    for (sequence, increment, fooled) in [
        (SequenceCheck::Ignore, 0u32.wrapping_sub(10_000), true),
        (SequenceCheck::Ignore, 0x8000_0000, true),
        (SequenceCheck::Window, 0u32.wrapping_sub(10_000), false),
        (SequenceCheck::Window, 0x8000_0000, false),
        (SequenceCheck::Exact, 0x8000_0000, false),
        (SequenceCheck::Exact, 1, false),
        (SequenceCheck::Window, 1, true),
    ] {
        let tcp = TcpPolicy { sequence, ..TcpPolicy::default() };
        let shift = |mut packet: Vec<u8>| {
            let moved = u32::from_be_bytes([packet[24], packet[25], packet[26], packet[27]]).wrapping_add(increment);
            packet[24..28].copy_from_slice(&moved.to_be_bytes());
            mend(&mut packet);
            packet
        };
        assert_eq!(is_fooled(tcp, &shift), fooled, "{sequence:?} {increment:#x}");
    }
}

/// Whether the box drops a `ClientHello` that is sent in these pieces (offset, length, whether it is the real text).
fn is_caught(tcp: &TcpPolicy, pieces: &[(usize, usize, bool)]) -> bool {
    let mut world = world_of(FlowPolicy::default(), tcp.clone());
    let mut connection = Connection::new(4000);
    world.open(&mut connection);
    let mut caught = false;
    for (offset, length, is_real) in pieces {
        let mut part = connection;
        part.client_next += *offset as u32;
        let text: Vec<u8> = WHATSAPP_HELLO[*offset..*offset + *length].to_vec();
        let text = if *is_real { text } else { vec![b'x'; text.len()] };
        let segment = part.segment(Outbound, DATA, &text);
        match world.send(Outbound, &segment) {
            Verdict::Drop => caught = true,
            Verdict::PassAndOffload => return false,
            _ => {}
        }
    }
    caught
}

/// GFW-TCB-3: segments alone, in order, in any order; and which of two copies is believed.
#[test]
fn gfw_tcb_3_reassembly_and_overlaps() {
    let end = WHATSAPP_HELLO.len();
    let of = |reassembly: Reassembly, overlap: Overlap| TcpPolicy { reassembly, overlap, ..TcpPolicy::default() };
    let whole = [(0, end, true)];
    let split = [(0, 100, true), (100, end - 100, true)];
    let disorder = [(100, end - 100, true), (0, 100, true)];
    // The first bytes are real, so that it may still be TLS; what follows is there twice.
    let fake_first = [(0, 3, true), (100, end - 100, false), (100, end - 100, true), (3, 97, true)];
    let fake_last = [(0, 3, true), (100, end - 100, true), (100, end - 100, false), (3, 97, true)];
    let caught =
        |tcp: &TcpPolicy| [&whole[..], &split, &disorder, &fake_first, &fake_last].map(|pieces| is_caught(tcp, pieces));
    assert_eq!(caught(&of(Reassembly::None, Overlap::First)), [true, false, false, false, false]);
    assert_eq!(caught(&of(Reassembly::InOrder, Overlap::First)), [true, true, false, false, false]);
    assert_eq!(caught(&of(Reassembly::Full, Overlap::First)), [true, true, true, false, true]);
    assert_eq!(caught(&of(Reassembly::Full, Overlap::Last)), [true, true, true, true, false]);
}

/// GFW-TCB-3: a hole is borne up to so many bytes; what lies further on is forgotten.
#[test]
fn gfw_tcb_3_holes_up_to_a_size() {
    let end = WHATSAPP_HELLO.len();
    for (hole, caught) in [(None, true), (Some(100), true), (Some(99), false)] {
        let tcp = TcpPolicy { hole, ..full() };
        assert_eq!(is_caught(&tcp, &[(100, end - 100, true), (0, 100, true)]), caught, "{hole:?}");
        let in_front = [(200, end - 200, true), (150, 50, true), (100, 50, true), (0, 100, true)];
        assert!(!is_caught(&TcpPolicy { hole: Some(149), ..full() }, &in_front), "the first lies too far on");
    }
}

/// A hole is waited for as long as the policy says.
#[test]
fn holes_are_forgotten() {
    for (hold, caught) in [(None, true), (Some(Duration::from_secs(5)), false)] {
        let mut world = world_of(FlowPolicy::default(), TcpPolicy { hold, ..full() });
        let mut connection = Connection::new(4000);
        world.open(&mut connection);
        let mut late = connection;
        late.client_next += 100;
        let tail = late.segment(Outbound, DATA, &WHATSAPP_HELLO[100..]);
        assert_eq!(world.send(Outbound, &tail), Verdict::Pass);
        world.now = Instant::ZERO + Duration::from_secs(6);
        let head = connection.segment(Outbound, DATA, &WHATSAPP_HELLO[..100]);
        assert_eq!(world.send(Outbound, &head) == Verdict::Drop, caught, "{hold:?}");
    }
}

/// `oob`: the urgent byte in the midst of the name is data to one box and nothing to another, as to the server.
#[test]
fn urgent_bytes() {
    let name = WHATSAPP_HELLO.windows(8).position(|part| part == b"whatsapp").expect("the name");
    for (urgent, reassembly, caught) in [
        (Urgent::Skip, Reassembly::None, true),
        (Urgent::Skip, Reassembly::Full, true),
        (Urgent::Inline, Reassembly::None, false),
        (Urgent::Inline, Reassembly::Full, false),
    ] {
        let mut world = world_of(FlowPolicy::default(), TcpPolicy { urgent, reassembly, ..TcpPolicy::default() });
        let mut connection = Connection::new(4000);
        world.open(&mut connection);
        let text = [&WHATSAPP_HELLO[..name + 2], b"!", &WHATSAPP_HELLO[name + 2..]].concat();
        let mut segment = connection.segment(Outbound, DATA | 0x20, &text);
        segment[38..40].copy_from_slice(&((name + 3) as u16).to_be_bytes());
        mend(&mut segment);
        assert_eq!(world.send(Outbound, &segment) == Verdict::Drop, caught, "{urgent:?} {reassembly:?}");
    }
}

/// GFW-TCB-1, Geneva's mock censors: what makes a box begin, begin anew, lose its place, or give up.
#[test]
fn gfw_tcb_1_state() {
    /// A packet, moved in sequence by so much.
    type Extra = (u8, u32);
    let caught = |flow: &FlowPolicy, sequence: SequenceCheck, before: &[Extra], after: &[Extra]| {
        let mut world = world_of(flow.clone(), TcpPolicy { sequence, flags: Check::Ignore, ..full() });
        let mut connection = Connection::new(4000);
        let extra = |world: &mut World, connection: Connection, extras: &[Extra]| {
            for (flags, by) in extras {
                let mut moved = connection;
                moved.client_next = moved.client_next.wrapping_add(*by);
                let segment = moved.segment(Outbound, *flags, &[]);
                world.send(Outbound, &segment);
            }
        };
        extra(&mut world, connection, before);
        for (direction, flags) in [(Outbound, SYN), (Inbound, SYN_ACK), (Outbound, ACK)] {
            let segment = connection.segment(direction, flags, &[]);
            world.send(direction, &segment);
        }
        extra(&mut world, connection, after);
        let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
        world.send(Outbound, &hello) == Verdict::Drop
    };
    let with = |change: &dyn Fn(&mut FlowPolicy)| {
        let mut flow = FlowPolicy::default();
        change(&mut flow);
        flow
    };
    let exact = SequenceCheck::Exact;
    let (none, desync): (&[Extra], &[Extra]) = (&[], &[(SYN, 7777)]);

    // The first SYN counts, or the last.
    let first = with(&|flow| flow.second_syn = SecondSyn::Ignore);
    assert!(caught(&first, exact, none, none));
    assert!(!caught(&first, exact, desync, none), "an extra SYN desynchronises it");
    assert!(caught(&FlowPolicy::default(), exact, desync, none), "the last SYN counts");
    let resync = with(&|flow| flow.resync = Resync { syn: true, ..Resync::default() });
    assert!(caught(&resync, exact, desync, none), "what comes next says what comes next");

    // A reset ends the tracking, with the right number, with any, from any port, or never.
    let torn = |check: TeardownCheck| {
        with(&|flow| {
            flow.teardown = Teardown { fin: false, rst: true };
            flow.teardown_check = check;
        })
    };
    let (reset, odd_reset): (&[Extra], &[Extra]) = (&[(RST, 0)], &[(RST, 0x8000_0000)]);
    let window = SequenceCheck::Ignore;
    assert!(caught(&FlowPolicy::default(), window, none, reset));
    assert!(!caught(&torn(TeardownCheck::Sequence), window, none, reset));
    assert!(caught(&torn(TeardownCheck::Sequence), window, none, odd_reset));
    assert!(!caught(&torn(TeardownCheck::Tuple), window, none, odd_reset));
    assert!(!caught(&torn(TeardownCheck::Nothing), window, none, odd_reset));

    // After a reset the next data say what comes next: a fake at a wrong place leads the box away.
    let unsure = with(&|flow| flow.resync = Resync { rst: true, ..Resync::default() });
    assert!(caught(&unsure, exact, none, odd_reset), "it finds its place again");

    // What must be seen before a flow is known.
    let silent = |from: TrackFrom, steps: &[(roadblock_censor::Direction, u8)]| {
        let mut world = world_of(with(&|flow| flow.from = from), full());
        let mut connection = Connection::new(4000);
        for (direction, flags) in steps {
            let segment = connection.segment(*direction, *flags, &[]);
            world.send(*direction, &segment);
        }
        let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
        world.send(Outbound, &hello) == Verdict::Drop
    };
    let steps = [(Outbound, SYN), (Inbound, SYN_ACK), (Outbound, ACK)];
    for (from, expected) in [
        (TrackFrom::Established, [false, false, false, true]),
        (TrackFrom::SynAck, [false, false, true, true]),
        (TrackFrom::Syn, [false, true, true, true]),
        (TrackFrom::Any, [true; 4]),
        (TrackFrom::Nothing, [true; 4]),
    ] {
        assert_eq!([0, 1, 2, 3].map(|count| silent(from, &steps[..count])), expected, "{from:?}");
    }
}

/// RU-THR-3: junk in front, longer than the box bears with, ends the looking; short junk does not.
#[test]
fn ru_thr_3_junk_in_front() {
    for (junk, caught) in [(150, false), (50, true)] {
        let inspect = InspectPolicy { unparsable: Some(100), segments: 15, ..InspectPolicy::default() };
        let rule = Rule { trigger: fate(Fate::Drop), ..rule("sni", sni(&["whatsapp.com"])) };
        let mut world = World::new(policy([BoxPolicy { inspect, ..in_path(vec![rule]) }]));
        let mut connection = Connection::new(4000);
        world.open(&mut connection);
        let first = connection.segment(Outbound, DATA, &vec![0xee; junk]);
        let passed = world.send(Outbound, &first);
        let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
        let verdict = if passed == Verdict::PassAndOffload { passed } else { world.send(Outbound, &hello) };
        assert_eq!(verdict == Verdict::Drop, caught, "{junk} bytes of junk");
    }
}

/// IR-PF-2: a box that looks at so many packets of a flow is tired by packets without data.
#[test]
fn ir_pf_2_empty_packets_tire_it() {
    for (empty, caught) in [(2, true), (9, false)] {
        let inspect = InspectPolicy { packets: Some(9), ..InspectPolicy::default() };
        let rule = Rule { trigger: fate(Fate::Drop), ..rule("sni", sni(&["whatsapp.com"])) };
        let mut world = World::new(policy([BoxPolicy { inspect, ..in_path(vec![rule]) }]));
        let mut connection = Connection::new(4000);
        world.open(&mut connection);
        for _ in 0..empty {
            let segment = connection.segment(Outbound, ACK, &[]);
            world.send(Outbound, &segment);
        }
        let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
        assert_eq!(world.send(Outbound, &hello) == Verdict::Drop, caught, "{empty} empty packets");
    }
}

/// IR-2024-1: a box that puts segments together reads a record to its end, if the packets that it looks at told its length.
#[test]
fn ir_2024_1_a_known_length_is_read_to_its_end() {
    // With the SYN and the ACK the fourth packet is the second with data.
    for (step, caught) in [(3, true), (2, false)] {
        let inspect = InspectPolicy { packets: Some(4), ..InspectPolicy::default() };
        let tcp = TcpPolicy { reassembly: Reassembly::Full, ..TcpPolicy::default() };
        let rule = Rule { trigger: fate(Fate::Drop), ..rule("sni", sni(&["whatsapp.com"])) };
        let mut world = World::new(policy([BoxPolicy { inspect, tcp, ..in_path(vec![rule]) }]));
        let mut connection = Connection::new(4000);
        world.open(&mut connection);
        let verdicts: Vec<Verdict> = WHATSAPP_HELLO
            .chunks(step)
            .map(|piece| {
                let segment = connection.segment(Outbound, DATA, piece);
                world.send(Outbound, &segment)
            })
            .collect();
        assert_eq!(verdicts.last() == Some(&Verdict::Drop), caught, "{step} bytes at a time");
    }
}

/// A flow is decided by its first `ClientHello`, or each later one is read too.
#[test]
fn the_first_name_decides_or_not() {
    for (decide, caught) in [(Decide::Once, false), (Decide::Always, true)] {
        for reassembly in [Reassembly::None, Reassembly::Full] {
            let inspect = InspectPolicy { decide, ..InspectPolicy::default() };
            let tcp = TcpPolicy { reassembly, ..TcpPolicy::default() };
            let rule = Rule { trigger: fate(Fate::Drop), ..rule("sni", sni(&["whatsapp.com"])) };
            let mut world = World::new(policy([BoxPolicy { inspect, tcp, ..in_path(vec![rule]) }]));
            let mut connection = Connection::new(4000);
            world.open(&mut connection);
            let harmless = connection.segment(Outbound, DATA, INSTAGRAM_HELLO);
            let passed = world.send(Outbound, &harmless);
            let second = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
            let verdict = if passed == Verdict::PassAndOffload { passed } else { world.send(Outbound, &second) };
            assert_eq!(verdict == Verdict::Drop, caught, "{decide:?} {reassembly:?}");
        }
    }
}

/// A box with room for one flow does not see the second, until the first is forgotten.
#[test]
fn room_for_one_flow() {
    let flow = FlowPolicy { capacity: Some(1), ..FlowPolicy::default() };
    let mut world = world_of(flow, full());
    let (mut first, mut second) = (Connection::new(4000), Connection::new(4001));
    world.open(&mut first);
    world.open(&mut second);
    let hello = second.segment(Outbound, DATA, WHATSAPP_HELLO);
    assert_ne!(world.send(Outbound, &hello), Verdict::Drop, "there is no room");
    let hello = first.segment(Outbound, DATA, WHATSAPP_HELLO);
    assert_eq!(world.send(Outbound, &hello), Verdict::Drop);
    world.now = Instant::ZERO + Duration::from_secs(500);
    let mut third = Connection::new(4002);
    world.open(&mut third);
    let hello = third.segment(Outbound, DATA, WHATSAPP_HELLO);
    assert_eq!(world.send(Outbound, &hello), Verdict::Drop);
}
