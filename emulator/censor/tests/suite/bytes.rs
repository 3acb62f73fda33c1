//! What a censor reads in the bytes themselves, asked of the whole machine.

use crate::support::*;
use roadblock_censor::dissect::http::Keywords;
use roadblock_censor::policy::{
    BytesQuestion, Condition, Content, Fate, Measure, Reassembly, Residual, ResidualKey, Rule, TcpPolicy,
};
use roadblock_censor::{EventKind, Verdict};

const OBFS4: &[u8] = include_bytes!("../data/obfs4-first.bin");
const SHADOWSOCKS: &[u8] = include_bytes!("../data/shadowsocks-first.bin");
const REQUEST: &[u8] = include_bytes!("../data/curl-request.bin");

fn bytes(question: BytesQuestion) -> Condition {
    Condition::Content(Content::Bytes(question))
}

fn measure(of: Measure, least: f64, most: f64) -> Condition {
    bytes(BytesQuestion::Measure { of, least, most })
}

/// Which segments of one connection are dropped by a box that drops those in which this holds.
fn dropped(when: Condition, reassembly: Reassembly, segments: &[&[u8]]) -> Vec<bool> {
    let mut each = in_path(vec![Rule { trigger: fate(Fate::Drop), ..rule("bytes", when) }]);
    each.tcp = TcpPolicy { reassembly, ..TcpPolicy::default() };
    let mut world = World::new(policy([each]));
    let mut connection = Connection::new(4000);
    world.open(&mut connection);
    let sent = segments.iter().map(|payload| {
        let segment = connection.segment(Outbound, DATA, payload);
        world.send(Outbound, &segment) == Verdict::Drop
    });
    sent.collect()
}

/// GFW-FET-1, GFW-FET-2: the first payload of obfs4 and Shadowsocks condemns the flow and the server's port for 180 seconds, TLS
/// and HTTP do not; the second payload of a flow is not looked at, nor are datagrams.
#[test]
fn gfw_fet_1_first_payload_alone() {
    let blocking = || {
        let residual = Residual {
            key: ResidualKey::ThreeTuple,
            last: core::time::Duration::from_secs(180),
            outbound: fate(Fate::Drop),
            ..Residual::default()
        };
        let when = bytes(BytesQuestion::FullyEncrypted);
        let rule = Rule { trigger: fate(Fate::Drop), residuals: vec![residual], ..rule("fet", when) };
        policy([in_path(vec![rule])])
    };
    for (payload, is_blocked) in [(OBFS4, true), (SHADOWSOCKS, true), (WHATSAPP_HELLO, false), (REQUEST, false)] {
        let mut world = World::new(blocking());
        let mut connection = Connection::new(4000);
        world.open(&mut connection);
        let segment = connection.segment(Outbound, DATA, payload);
        assert_eq!(world.send(Outbound, &segment) == Verdict::Drop, is_blocked);
        let mut next = Connection::new(4001);
        let syn = next.segment(Outbound, SYN, &[]);
        assert_eq!(world.send(Outbound, &syn) == Verdict::Drop, is_blocked, "another connection to the same port");
        world.now = seconds(181);
        let syn = Connection::new(4002).segment(Outbound, SYN, &[]);
        assert_eq!(world.send(Outbound, &syn), Verdict::Pass, "it is over");
    }
    for reassembly in [Reassembly::None, Reassembly::Full] {
        let fet = || bytes(BytesQuestion::FullyEncrypted);
        assert_eq!(dropped(fet(), reassembly, &[REQUEST, OBFS4]), [false, false], "{reassembly:?}");
        // What comes in two segments is judged by the first.
        assert_eq!(dropped(fet(), reassembly, &[&REQUEST[..30], OBFS4]), [false, false], "{reassembly:?}");
        assert_eq!(dropped(fet(), reassembly, &[&OBFS4[..100], &OBFS4[100..]]), [true, false], "{reassembly:?}");
    }
    let mut world = World::new(blocking());
    assert_eq!(world.send(Outbound, &datagram(Outbound, 4000, 8388, OBFS4)), Verdict::Pass, "UDP is not affected");
    assert_eq!(world.count(EventKind::Dropped), 0);
}

/// GFW-FET-1: what comes after the first segment is not judged, also where another rule has the stream put together.
#[test]
fn gfw_fet_1_nothing_is_put_together() {
    let words = Keywords::exact(["nowhere in it"]).expect("bytes");
    let fet = Rule { trigger: fate(Fate::Drop), ..rule("fet", bytes(BytesQuestion::FullyEncrypted)) };
    let mut each = in_path(vec![rule("other", bytes(BytesQuestion::Contains(words))), fet]);
    each.tcp = TcpPolicy { reassembly: Reassembly::Full, ..TcpPolicy::default() };
    let mut world = World::new(policy([each]));
    let mut connection = Connection::new(4000);
    world.open(&mut connection);
    for payload in [&[0; 10][..], OBFS4] {
        let segment = connection.segment(Outbound, DATA, payload);
        assert_eq!(world.send(Outbound, &segment), Verdict::Pass, "few bits are set in the first");
    }
}

/// GFW-PORT: a SYN and empty segments are ignored, and the first data, even a single byte, are acted on.
#[test]
fn gfw_port_first_data_whatever_they_are() {
    for reassembly in [Reassembly::None, Reassembly::Full] {
        let first = || bytes(BytesQuestion::First);
        assert_eq!(dropped(first(), reassembly, &[b"", b"a", b"b"]), [false, true, false], "{reassembly:?}");
    }
}

/// Each measure, of the first packet, on TCP and UDP; its bounds belong to it.
#[test]
fn measures_of_the_first_packet() {
    for (payload, of, value) in [
        (&b"\x0f\x0f"[..], Measure::Popcount, 4.0),
        (b"abab", Measure::Entropy, 1.0),
        (b"ab\x00\x01", Measure::Printable, 0.5),
        (b"ab\x00abc", Measure::PrintablePrefix, 2.0),
        (b"ab\x00abc", Measure::PrintableRun, 3.0),
    ] {
        for (least, most, expected) in
            [(value, value, true), (value + 0.1, 9.0, false), (0.0, value - 0.1, false), (0.0, 9.0, true)]
        {
            let when = || measure(of, least, most);
            assert_eq!(dropped(when(), Reassembly::None, &[payload])[0], expected, "{of:?} {least} to {most}");
            let rule = Rule { trigger: fate(Fate::Drop), ..rule("bytes", when()) };
            let mut world = World::new(policy([in_path(vec![rule])]));
            let verdict = world.send(Outbound, &datagram(Outbound, 4000, 9000, payload));
            assert_eq!(verdict == Verdict::Drop, expected, "{of:?} {least} to {most} in a datagram");
        }
    }
    let text = || measure(Measure::Printable, 0.9, 1.0);
    assert_eq!(
        dropped(text(), Reassembly::Full, &[OBFS4, REQUEST]),
        [false, false],
        "the second packet is not measured"
    );
}

/// Bytes anywhere in a payload, to the letter; over the segments' border where they are put together.
#[test]
fn contains_to_the_letter() {
    let when = |word: &[u8]| bytes(BytesQuestion::Contains(Keywords::exact([word]).expect("bytes")));
    for reassembly in [Reassembly::None, Reassembly::Full] {
        assert_eq!(dropped(when(b"curl/7"), reassembly, &[REQUEST]), [true]);
        assert_eq!(dropped(when(b"CURL/7"), reassembly, &[REQUEST]), [false]);
    }
    let border = REQUEST.windows(4).position(|four| four == b"curl").expect("curl") + 2;
    let (head, tail) = REQUEST.split_at(border);
    assert_eq!(dropped(when(b"curl/7"), Reassembly::Full, &[head, tail]), [false, true]);
    assert_eq!(dropped(when(b"curl/7"), Reassembly::None, &[head, tail]), [false, false]);
    let (_, whole) = REQUEST.split_at(border - 2);
    assert_eq!(
        dropped(when(b"curl/7"), Reassembly::None, &[b"more", whole]),
        [false, true],
        "in a later segment alone"
    );
}

/// IR-PF-1: the first two packets with data must each look like DNS, HTTP or TLS; a first segment that is too short to look so
/// condemns a harmless flow (IR-PF-2).
#[test]
fn ir_pf_1_first_bytes_must_look_right() {
    let starts = |bytes: &[u8]| {
        Condition::starts(vec![roadblock_censor::policy::BytePrefix { offset: 0, bytes: bytes.to_vec() }])
    };
    let known = || Condition::Any(vec![starts(&[0x16, 3, 1]), starts(b"GET ")]);
    let other = || Condition::All(vec![not(known()), bytes(BytesQuestion::First)]);
    assert_eq!(dropped(other(), Reassembly::None, &[WHATSAPP_HELLO]), [false]);
    assert_eq!(dropped(other(), Reassembly::None, &[OBFS4]), [true]);
    assert_eq!(dropped(other(), Reassembly::None, &[&WHATSAPP_HELLO[..2], &WHATSAPP_HELLO[2..]]), [true, false]);
}
