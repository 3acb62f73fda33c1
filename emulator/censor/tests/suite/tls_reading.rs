//! What boxes do about TLS and DTLS beyond the name: extensions, fingerprints, the server's certificate, and how records are
//! read.

use core::time::Duration;

use roadblock_censor::dissect::tls::{HelloNeed, InnerGuess, JoinRecords, RecordVersion};
use roadblock_censor::fingerprints::FingerprintPattern;
use roadblock_censor::policy::{
    BoxPolicy, Condition, Content, Fate, HelloQuestion, PacketQuestion, Reassembly, Residual, ResidualKey, Rule,
    TlsQuestion, TrackFrom,
};
use roadblock_censor::{FingerprintSet, Verdict};

use crate::support::*;

const CHROMIUM: &[u8] = include_bytes!("../data/chromium-client-hello.bin");
const CHROMIUM_ECH: &[u8] = include_bytes!("../data/chromium-ech-hello.bin");
const CURL_ECH_NAME: &[u8] = include_bytes!("../data/curl-ech-name-hello.bin");
const CHROME_131: &[u8] = include_bytes!("../data/chrome131-client-hello.bin");
const FIREFOX_133: &[u8] = include_bytes!("../data/firefox133-client-hello.bin");
const GO_AES: &[u8] = include_bytes!("../data/go-client-hello-aes.bin");
const GO_CHACHA: &[u8] = include_bytes!("../data/go-client-hello-chacha.bin");
const GO_TLS12: &[u8] = include_bytes!("../data/go-client-hello-tls12.bin");
const FLIGHT: &[u8] = include_bytes!("../data/openssl-server-flight-tls12.bin");
const FLIGHT_13: &[u8] = include_bytes!("../data/openssl-server-flight-tls13.bin");
const PION: &[u8] = include_bytes!("../data/pion-dtls-v2-client-hello.bin");
const OPENSSL_DTLS: [&[u8]; 2] = [
    include_bytes!("../data/dtls-client-hello-fragment-1.bin"),
    include_bytes!("../data/dtls-client-hello-fragment-2.bin"),
];

fn asks(question: HelloQuestion) -> Condition {
    Condition::Content(Content::Tls(TlsQuestion::Hello(question)))
}

fn fingerprints(texts: &[&str]) -> FingerprintSet {
    texts.iter().map(|text| text.parse::<FingerprintPattern>().expect("a pattern")).collect()
}

fn dropping(when: Condition) -> Rule {
    Rule { trigger: fate(Fate::Drop), ..rule("hello", when) }
}

/// A box that puts a stream together.
fn joining(rules: Vec<Rule>) -> BoxPolicy {
    let mut joining = in_path(rules);
    joining.tcp.reassembly = Reassembly::Full;
    joining
}

/// Opens a connection, be it left to the kernel or not.
fn open(world: &mut World, connection: &mut Connection) {
    for (direction, flags) in [(Outbound, SYN), (Inbound, SYN_ACK), (Outbound, ACK)] {
        let segment = connection.segment(direction, flags, &[]);
        assert_ne!(world.send(direction, &segment), Verdict::Drop);
    }
}

/// Whether a client that says this in segments of so many bytes has one dropped.
fn is_dropped(each: &BoxPolicy, stream: &[u8], size: usize) -> bool {
    let mut world = World::new(policy([each.clone()]));
    let mut connection = Connection::new(4000);
    open(&mut world, &mut connection);
    let send = |chunk: &[u8]| world.send(Outbound, &connection.segment(Outbound, DATA, chunk)) == Verdict::Drop;
    stream.chunks(size).map(send).filter(|dropped| *dropped).count() > 0
}

/// The same message in records of at most so many bytes.
fn in_records(stream: &[u8], size: usize) -> Vec<u8> {
    let record = |chunk: &[u8]| [&[22, 3, 1, (chunk.len() >> 8) as u8, chunk.len() as u8], chunk].concat();
    stream[5..].chunks(size).flat_map(record).collect()
}

/// TSPU-15: the name `cloudflare-ech.com` together with the ECH extension, to its network's addresses; either alone passes,
/// and both pass elsewhere.
#[test]
fn tspu_15_ech_and_name_and_address() {
    let rule = |prefix: &str| {
        let name = HelloQuestion::Sni(names(&["cloudflare-ech.com"]));
        dropping(Condition::All(vec![asks(name), asks(HelloQuestion::Ech), prefixes(&[prefix])]))
    };
    for (prefix, hello, expected) in [
        ("157.240.0.0/16", CHROMIUM_ECH, true),
        ("157.240.0.0/16", CHROMIUM, false),
        ("157.240.0.0/16", CURL_ECH_NAME, false),
        ("104.16.0.0/12", CHROMIUM_ECH, false),
    ] {
        assert_eq!(is_dropped(&joining(vec![rule(prefix)]), hello, 1400), expected);
    }
}

/// GFW-ESNI, GFW-ESNI-HS: the extension 0xffce on any port, after a whole handshake; nothing is dropped without one, of
/// another draft's extension, or of a `ClientHello` without a name. The client's segments are dropped, the server's not.
#[test]
fn gfw_esni_extension_after_a_handshake() {
    let residual = Residual {
        key: ResidualKey::ThreeTuple,
        last: Duration::from_secs(120),
        begins: Duration::from_secs(1),
        outbound: fate(Fate::Drop),
        ..Residual::default()
    };
    let rule = Rule { residuals: vec![residual], ..rule("esni", asks(HelloQuestion::Esni)) };
    let mut gfw = joining(vec![rule]);
    gfw.flow.from = TrackFrom::Established;
    let is_blocked = |kind: u16, opens: bool| {
        let mut world = World::new(policy([gfw.clone()]));
        let mut connection = Connection { server: ([157, 240, 1, 60].into(), 8080), ..Connection::new(4000) };
        if opens {
            world.open(&mut connection);
        }
        let hello = with_extension(WHATSAPP_HELLO, kind);
        assert_ne!(world.send(Outbound, &connection.segment(Outbound, DATA, &hello)), Verdict::Drop);
        world.now += Duration::from_secs(2);
        let answer = connection.segment(Inbound, DATA, b"answer");
        assert_ne!(world.send(Inbound, &answer), Verdict::Drop);
        world.send(Outbound, &connection.segment(Outbound, DATA, b"more")) == Verdict::Drop
    };
    assert!(is_blocked(0xffce, true));
    assert!(!is_blocked(0xffce, false), "a ClientHello without a handshake");
    for kind in [0xff02, 0xff03, 0xff04, 0xfe0d] {
        assert!(!is_blocked(kind, true), "{kind:#x}");
    }
}

/// The same `ClientHello` with one more extension, empty, at its end.
fn with_extension(stream: &[u8], kind: u16) -> Vec<u8> {
    let mut bytes = stream.to_vec();
    let suites = 44 + usize::from(stream[43]);
    let compression = suites + 2 + usize::from(u16::from_be_bytes([stream[suites], stream[suites + 1]]));
    for at in [3, 7, compression + 1 + usize::from(stream[compression])] {
        let len = u16::from_be_bytes([bytes[at], bytes[at + 1]]) + 4;
        bytes[at..at + 2].copy_from_slice(&len.to_be_bytes());
    }
    bytes.extend([(kind >> 8) as u8, kind as u8, 0, 0]);
    bytes
}

/// IR-TLSFP-1: Go's own `ClientHello`s by JA3: the one with AES-GCM first is listed, that with `ChaCha20` first and that of
/// TLS 1.2 are not, though they name the same server.
#[test]
fn ir_tlsfp_1_a_listed_ja3() {
    let rule = dropping(asks(HelloQuestion::Ja3(fingerprints(&["03117a8ed39ef02427ebbc39f121275c"]))));
    let each = joining(vec![rule]);
    let dropped = [GO_AES, GO_CHACHA, GO_TLS12, CHROME_131].map(|hello| is_dropped(&each, hello, 1400));
    assert_eq!(dropped, [true, false, false, false]);
}

/// RU-TG-1: Chrome's JA4 is cut and Firefox's to the same server is not; smaller segments do not help.
#[test]
fn ru_tg_1_chrome_is_cut_and_firefox_is_not() {
    let cut = asks(HelloQuestion::Ja4(fingerprints(&["t13d1516h2_8daaf6152771_*"])));
    let each = joining(vec![dropping(Condition::All(vec![cut, prefixes(&["157.240.0.0/16"])]))]);
    for size in [1400, 256] {
        let dropped = [CHROME_131, FIREFOX_133].map(|hello| is_dropped(&each, hello, size));
        assert_eq!(dropped, [true, false], "segments of {size}");
    }
}

/// What a `ClientHello` offers: protocols of ALPN and versions.
#[test]
fn alpn_and_versions() {
    for (question, expected) in [
        (HelloQuestion::Any, [true; 3]),
        (HelloQuestion::Named, [true; 3]),
        (HelloQuestion::Alpn(vec!["h2".into()]), [true, true, false]),
        (HelloQuestion::Alpn(vec!["h3".into(), "http/1.1".into()]), [true, true, false]),
        (HelloQuestion::Version(vec![0x0303]), [false, false, true]),
        (HelloQuestion::Version(vec![0x0304]), [true, true, false]),
    ] {
        let each = joining(vec![dropping(asks(question.clone()))]);
        assert_eq!([CHROMIUM, GO_AES, GO_TLS12].map(|hello| is_dropped(&each, hello, 1400)), expected, "{question:?}");
    }
}

/// TSPU-12, `tls.records`: two records hide a name from a box that reads the first alone, whether it joins segments or not.
#[test]
fn tspu_12_two_records() {
    let split = in_records(WHATSAPP_HELLO, 100);
    for reassembly in [Reassembly::None, Reassembly::Full] {
        let mut each = in_path(vec![dropping(sni(&["whatsapp.com"]))]);
        each.tcp.reassembly = reassembly;
        assert!(is_dropped(&each, &split, 1400));
        each.reads.tls.records = JoinRecords::First;
        assert!(!is_dropped(&each, &split, 1400));
        assert!(is_dropped(&each, WHATSAPP_HELLO, 1400));
    }
}

/// TSPU-12b, `tls.records`: segments alone and records alone hide nothing from a box that joins both, one at a time.
#[test]
fn tspu_12b_segments_and_records_together() {
    let split = in_records(WHATSAPP_HELLO, 100);
    let mut each = joining(vec![dropping(sni(&["whatsapp.com"]))]);
    for (records, expected) in [(JoinRecords::InSegment, false), (JoinRecords::Join, true)] {
        each.reads.tls.records = records;
        assert!(is_dropped(&each, WHATSAPP_HELLO, 1400));
        assert!(is_dropped(&each, WHATSAPP_HELLO, 60), "segments, {records:?}");
        assert!(is_dropped(&each, &split, 1400), "records, {records:?}");
        for size in [60, 105, 210] {
            assert_eq!(is_dropped(&each, &split, size), expected, "both, {records:?}, {size}");
        }
    }
}

/// TSPU-12, TSPU-12b: Chromium's `ClientHello` is longer than a segment, and the name lies in the first or the second as the
/// client shuffles. One with the name in the first is seen by a box that puts nothing together where its beginning is enough,
/// and not where it must be whole; a question about what was not seen has no answer.
#[test]
fn tspu_12b_a_hello_longer_than_a_segment() {
    let name = HelloQuestion::Sni(names(&["cloudflare-ech.com"]));
    let ja3 = HelloQuestion::Ja3(fingerprints(&["00000000000000000000000000000000"]));
    let at = CHROMIUM_ECH.windows(18).position(|bytes| bytes == b"cloudflare-ech.com").expect("the name");
    for (question, hello, size, expected) in [
        (asks(name.clone()), HelloNeed::Whole, 1960, true),
        (asks(name.clone()), HelloNeed::Whole, at + 18, false),
        (asks(name.clone()), HelloNeed::Cut, at + 18, true),
        (asks(name), HelloNeed::Cut, at + 17, false),
        (not(asks(ja3.clone())), HelloNeed::Cut, 1960, true),
        (not(asks(ja3)), HelloNeed::Cut, at + 18, false),
    ] {
        let mut each = in_path(vec![dropping(question)]);
        each.reads.tls.hello = hello;
        assert_eq!(is_dropped(&each, CHROMIUM_ECH, size), expected, "{hello:?}, segments of {size}");
    }
}

/// `tls.version`: an unusual version in the record hides a name from a strict box.
#[test]
fn strict_versions() {
    let mut each = in_path(vec![dropping(sni(&["whatsapp.com"]))]);
    let mut unusual = WHATSAPP_HELLO.to_vec();
    unusual[2] = 4;
    assert!(is_dropped(&each, &unusual, 1400));
    each.reads.tls.version = RecordVersion::Strict;
    assert!(!is_dropped(&each, &unusual, 1400));
    assert!(is_dropped(&each, WHATSAPP_HELLO, 1400));
}

/// IR-CERT-1: the name in the server's certificate counts, whatever name the client sent; that of TLS 1.3 is not seen, and
/// one of another site is none of the listed. A certificate in several segments is seen by a box that joins them.
#[test]
fn ir_cert_1_the_servers_certificate() {
    let when = |pattern: &str| Condition::Content(Content::Tls(TlsQuestion::Certificate(names(&[pattern]))));
    let is_dropped = |each: BoxPolicy, flight: &[u8], size: usize| {
        let mut world = World::new(policy([each]));
        let mut connection = Connection::new(4000);
        open(&mut world, &mut connection);
        let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
        assert_ne!(world.send(Outbound, &hello), Verdict::Drop);
        let send = |chunk: &[u8]| world.send(Inbound, &connection.segment(Inbound, DATA, chunk)) == Verdict::Drop;
        flight.chunks(size).map(send).filter(|dropped| *dropped).count() > 0
    };
    let both = |pattern: &str| [in_path(vec![dropping(when(pattern))]), joining(vec![dropping(when(pattern))])];
    for (pattern, expected) in [("instagram.com", true), ("=cdninstagram.com", true), ("whatsapp.com", false)] {
        for each in both(pattern) {
            assert_eq!(is_dropped(each.clone(), FLIGHT, 1400), expected, "{pattern}");
            assert!(!is_dropped(each, FLIGHT_13, 1400));
        }
    }
    for unlisted in both("whatsapp.com") {
        let when = not(unlisted.rules[0].when.clone());
        let each = BoxPolicy { rules: vec![dropping(when)], ..unlisted };
        assert!(is_dropped(each.clone(), FLIGHT, 1400), "a certificate for another");
        assert!(!is_dropped(each, FLIGHT_13, 1400), "one that nobody sees");
    }
    let [alone, joining] = both("instagram.com");
    assert_eq!([is_dropped(alone, FLIGHT, 300), is_dropped(joining, FLIGHT, 300)], [false, true]);
}

/// RU-FET-1: HTTPS inside a tunnel is dropped from the server's first data on, HTTP inside it is not, nor HTTPS outside one;
/// in turns as sing-box and curl took them.
#[test]
fn ru_fet_1_https_in_a_tunnel() {
    let inner = Condition::Content(Content::Tls(TlsQuestion::Inner(InnerGuess::default())));
    let each = |reassembly| {
        let mut each = in_path(vec![Rule { residuals: vec![dropped_for(60)], ..dropping(inner.clone()) }]);
        each.tcp.reassembly = reassembly;
        each
    };
    let (shadowsocks, trojan) = ([0x71, 0x10], [22, 3]);
    for (opening, turns, dropped) in [
        (shadowsocks, &[(Outbound, 624), (Inbound, 956), (Outbound, 214), (Inbound, 289), (Inbound, 1448)][..], 2),
        (shadowsocks, &[(Outbound, 185), (Inbound, 1448), (Inbound, 1244), (Outbound, 112), (Inbound, 149)], 0),
        (
            trojan,
            &[
                (Outbound, 1448),
                (Outbound, 56),
                (Inbound, 1448),
                (Inbound, 518),
                (Outbound, 154),
                (Outbound, 539),
                (Inbound, 910),
                (Outbound, 202),
                (Inbound, 277),
            ],
            1,
        ),
        (
            trojan,
            &[(Outbound, 517), (Inbound, 890), (Outbound, 80), (Outbound, 100), (Inbound, 255), (Inbound, 1448)],
            0,
        ),
    ] {
        for reassembly in [Reassembly::None, Reassembly::Full] {
            let mut world = World::new(policy([each(reassembly)]));
            let mut connection = Connection::new(4000);
            world.open(&mut connection);
            let send = |(direction, len): &(_, usize)| {
                let payload = [&opening[..], &vec![0x55; len - 2]].concat();
                world.send(*direction, &connection.segment(*direction, DATA, &payload)) == Verdict::Drop
            };
            let fates: Vec<_> = turns.iter().map(send).collect();
            let expected: Vec<_> = (0..turns.len()).map(|place| place >= turns.len() - dropped).collect();
            assert_eq!(fates, expected, "{turns:?}, {reassembly:?}");
        }
    }
}

/// RU-FET-1: what turns tell is known of the packet that tells it, and of none after it: the flow is then left to the kernel.
#[test]
fn ru_fet_1_turns_are_told_once() {
    let inner = Condition::Content(Content::Tls(TlsQuestion::Inner(InnerGuess::default())));
    let long = Condition::Packet(PacketQuestion::PayloadLength { least: 1000, most: u16::MAX });
    let mut world = World::new(policy([in_path(vec![dropping(Condition::All(vec![inner, long]))])]));
    let mut connection = Connection::new(4000);
    world.open(&mut connection);
    let turns = [(Outbound, 624), (Inbound, 956), (Outbound, 214), (Inbound, 289), (Inbound, 1448)];
    let send = |(direction, len)| world.send(direction, &connection.segment(direction, DATA, &vec![0x55; len]));
    let fates = turns.map(send);
    assert_eq!(fates[..3], [Verdict::Pass, Verdict::Pass, Verdict::Pass]);
    assert_eq!(fates[3..], [Verdict::PassAndOffload, Verdict::PassAndOffload]);
}

/// RU-DTLS-2: pion's usual `ClientHello` of DTLS 1.2 and all that follows are dropped after a moment, whichever end is the
/// client; that of another program passes.
#[test]
fn ru_dtls_2_the_usual_pion() {
    let residual = Residual { begins: Duration::from_millis(300), ..dropped_for(600) };
    let question = HelloQuestion::Ja3(fingerprints(&["bf2af86a469f04b1d72fc5c154f6548b"]));
    let when = Condition::All(vec![
        Condition::Content(Content::Dtls(question)),
        Condition::Content(Content::Dtls(HelloQuestion::Version(vec![0xfefd]))),
    ]);
    let rule = Rule { residuals: vec![residual], ..rule("pion", when) };
    for client in [Outbound, Inbound] {
        for (hellos, expected) in [(&[PION][..], true), (&OPENSSL_DTLS, false)] {
            let mut world = World::new(policy([in_path(vec![rule.clone()])]));
            let mut send = |direction, payload: &[u8]| {
                world.now += Duration::from_millis(200);
                world.send(direction, &datagram(direction, 40_000, 50_000, payload)) == Verdict::Drop
            };
            for hello in hellos {
                assert!(!send(client, hello));
            }
            assert!(!send(client.reversed(), b"answer"));
            assert_eq!([send(client, b"more"), send(client.reversed(), b"more")], [expected; 2]);
        }
    }
}

/// A `ClientHello` of DTLS in two datagrams is put together: its JA4 and its name are known with the second.
#[test]
fn ru_dtls_2_two_datagrams() {
    for question in [
        HelloQuestion::Ja4(fingerprints(&["dd2d280700_d943125447b4_e7e480e5a997"])),
        HelloQuestion::Sni(names(&["whatsapp.com"])),
    ] {
        let mut world = World::new(policy([in_path(vec![dropping(Condition::Content(Content::Dtls(question)))])]));
        let dropped =
            OPENSSL_DTLS.map(|hello| world.send(Outbound, &datagram(Outbound, 40_000, 50_000, hello)) == Verdict::Drop);
        assert_eq!(dropped, [false, true]);
    }
}
