//! What boxes do about QUIC: by its version and length, by the name in its Initial, in one datagram or several.

use core::time::Duration;

use roadblock_censor::Verdict;
use roadblock_censor::dissect::quic::{JoinCrypto, Version};
use roadblock_censor::fingerprints::FingerprintPattern;
use roadblock_censor::policy::{
    BoxPolicy, BytePrefix, BytesQuestion, Condition, Content, Decide, Fate, HelloQuestion, PacketQuestion,
    QuicQuestion, Residual, ResidualKey, Rule,
};

use crate::support::*;

const AIOQUIC: &[u8] = include_bytes!("../data/aioquic-initial-v1.bin");
const AIOQUIC_V2: &[u8] = include_bytes!("../data/aioquic-initial-v2.bin");
const RFC_9001: &[u8] = include_bytes!("../data/rfc9001-client-initial.bin");
const CHROMIUM: [&[u8]; 2] =
    [include_bytes!("../data/chromium-initial-1.bin"), include_bytes!("../data/chromium-initial-2.bin")];
const CHROMIUM_ECH: [&[u8]; 2] =
    [include_bytes!("../data/chromium-ech-initial-1.bin"), include_bytes!("../data/chromium-ech-initial-2.bin")];
const SERVER: [u8; 4] = [157, 240, 1, 60];

fn asks(question: QuicQuestion) -> Condition {
    Condition::Content(Content::Quic(question))
}

fn quic_sni(patterns: &[&str]) -> Condition {
    asks(QuicQuestion::Hello(HelloQuestion::Sni(names(patterns))))
}

/// What becomes of a client's datagrams to the server, one after the other.
fn send_all(world: &mut World, client_port: u16, server_port: u16, payloads: &[&[u8]]) -> Vec<bool> {
    let send = |payload: &&[u8]| {
        let datagram = datagram_with(SERVER.into(), Outbound, client_port, server_port, payload);
        world.send(Outbound, &datagram) == Verdict::Drop
    };
    payloads.iter().map(send).collect()
}

/// GFW-QUIC-1: the name in the first datagram of a flow whose client has the higher port; what leaves is dropped for three
/// minutes on client, server and server's port, beginning with the next.
fn gfw() -> BoxPolicy {
    let residual = Residual {
        key: ResidualKey::ThreeTuple,
        last: Duration::from_secs(180),
        outbound: fate(Fate::Drop),
        ..Residual::default()
    };
    let when = Condition::All(vec![
        quic_sni(&["instagram.com", "example.com"]),
        Condition::ClientPortAboveServer,
        Condition::ClientInside,
    ]);
    let rule = Rule { facts: vec!["GFW-QUIC-1".into()], residuals: vec![residual], ..rule("quic-sni", when) };
    let mut gfw = in_path(vec![rule]);
    gfw.inspect.datagrams = 1;
    gfw.flow.idle.datagrams = Duration::from_secs(60);
    gfw.reads.quic.versions = vec![Version::V1];
    gfw.reads.quic.crypto = JoinCrypto::FirstFrame;
    gfw.reads.quic.datagrams = 1;
    gfw
}

/// GFW-QUIC-1: the Initial passes, what follows to that server's port does not, from any port of the client; what enters
/// and what goes elsewhere passes; after three minutes it is over.
#[test]
fn gfw_quic_1_the_name_in_an_initial() {
    let mut world = World::new(policy([gfw()]));
    assert_eq!(send_all(&mut world, 50_000, 443, &[AIOQUIC, AIOQUIC, b"later"]), [false, true, true]);
    let answer = datagram_with(SERVER.into(), Inbound, 50_000, 443, b"answer");
    assert_ne!(world.send(Inbound, &answer), Verdict::Drop);
    assert_eq!(send_all(&mut world, 50_001, 443, &[b"any"]), [true], "another port of the client");
    assert_eq!(send_all(&mut world, 50_001, 8443, &[b"any"]), [false], "another port of the server");
    world.now = seconds(181);
    assert_eq!(send_all(&mut world, 50_002, 443, &[b"any"]), [false]);
    assert!(world.out.events.iter().any(|event| event.matched.as_deref() == Some("QUIC SNI www.instagram.com")));
}

/// GFW-QUIC-1: nothing happens where the client's port is not above the server's, where the name is another, and where any
/// datagram came first, until the flow is forgotten after a minute.
#[test]
fn gfw_quic_1_what_it_does_not_see() {
    let is_blocked = |client, server, payloads: &[&[u8]]| {
        let mut world = World::new(policy([gfw()]));
        send_all(&mut world, client, server, payloads);
        send_all(&mut world, client, server, &[b"later"]) == [true]
    };
    assert!(is_blocked(50_000, 443, &[AIOQUIC]) && is_blocked(5000, 4999, &[AIOQUIC]));
    assert!(!is_blocked(4000, 5000, &[AIOQUIC]) && !is_blocked(443, 443, &[AIOQUIC]), "GFW-QUIC-1's ports");
    assert!(is_blocked(50_000, 443, &[RFC_9001]));
    assert!(!is_blocked(50_000, 443, &CHROMIUM_ECH), "another name");
    assert!(!is_blocked(50_000, 443, &[b"anything", AIOQUIC]));
    assert!(!is_blocked(50_000, 443, &[AIOQUIC_V2]), "version 2");

    let mut world = World::new(policy([gfw()]));
    send_all(&mut world, 50_000, 443, &[b"anything"]);
    world.now = seconds(61);
    assert_eq!(send_all(&mut world, 50_000, 443, &[AIOQUIC, b"later"]), [false, true]);
}

/// GFW-QUIC-1: Chromium's `ClientHello` lies in many frames of two datagrams. Each weakness alone lets it through; a box with
/// none sees it, in either order of the datagrams and behind a datagram of junk.
#[test]
fn gfw_quic_1_each_weakness_of_crypto_frames() {
    let strict = || {
        let mut strict = gfw();
        strict.inspect.datagrams = 4;
        strict.reads = BoxPolicy::default().reads;
        strict
    };
    let is_blocked = |each: BoxPolicy, payloads: &[&[u8]]| {
        let mut world = World::new(policy([each]));
        send_all(&mut world, 50_000, 443, payloads);
        send_all(&mut world, 50_000, 443, &[b"later"]) == [true]
    };
    let [one, two] = CHROMIUM;
    for payloads in [&[one, two][..], &[two, one], &[b"anything", one, two], &[AIOQUIC_V2]] {
        assert!(is_blocked(strict(), payloads));
    }
    let mut first_frame = strict();
    first_frame.reads.quic.crypto = JoinCrypto::FirstFrame;
    let mut first_datagram = strict();
    first_datagram.reads.quic.datagrams = 1;
    for weak in [first_frame, first_datagram] {
        assert!(!is_blocked(weak.clone(), &[one, two]));
        assert!(is_blocked(weak, &[AIOQUIC]));
    }
    // One that looks at the first datagram alone to say what a flow is reads on in a ClientHello that began there.
    let mut tired = strict();
    tired.inspect.datagrams = 1;
    assert!(is_blocked(tired.clone(), &[one, two]));
    assert!(!is_blocked(tired, &[b"anything", one, two]));
}

/// An Initial for another name in front, as nfqws sends them, deceives a box for which the first name decides, and not one
/// that goes on looking; the one that it was deceived by may be sent again and decides nothing new.
#[test]
fn a_decoy_in_front() {
    for (decide, expected) in [(Decide::Once, [false; 4]), (Decide::Always, [false, false, true, false])] {
        let mut each = in_path(vec![Rule { trigger: fate(Fate::Drop), ..rule("name", quic_sni(&["instagram.com"])) }]);
        each.inspect.decide = decide;
        let mut world = World::new(policy([each.clone()]));
        assert_eq!(send_all(&mut world, 40_000, 443, &[RFC_9001, RFC_9001, AIOQUIC, b"later"]), expected);
        let mut world = World::new(policy([each]));
        assert_eq!(send_all(&mut world, 40_000, 443, &[AIOQUIC]), [true], "without the decoy");
    }
}

/// TSPU-5: version 1 to port 443 in a datagram of 1001 bytes and more, and its flow for seven minutes; by the bytes of the
/// fact or by the key for it.
#[test]
fn tspu_5_version_1_and_length() {
    let version_bytes = BytePrefix { offset: 1, bytes: vec![0, 0, 0, 1] };
    let by_bytes = Condition::Content(Content::Bytes(BytesQuestion::Starts(vec![version_bytes])));
    for version in [by_bytes, asks(QuicQuestion::Version(vec![1]))] {
        let when = Condition::All(vec![
            version,
            Condition::Packet(PacketQuestion::PayloadLength { least: 1001, most: u16::MAX }),
            Condition::ServerPort([443].into()),
            Condition::ClientInside,
        ]);
        let rule = Rule { trigger: fate(Fate::Drop), residuals: vec![dropped_for(420)], ..rule("quic-1", when) };
        let policy = || policy([in_path(vec![rule.clone()])]);
        let mut draft_29 = RFC_9001.to_vec();
        draft_29[1..5].copy_from_slice(&0xff00_001d_u32.to_be_bytes());
        let mut ping = RFC_9001.to_vec();
        ping[1..5].copy_from_slice(&0xbaba_baba_u32.to_be_bytes());
        for (payload, port, is_blocked) in [
            (RFC_9001, 443, true),
            (AIOQUIC, 443, true),
            (CHROMIUM[0], 443, true),
            (&RFC_9001[..1001], 443, true),
            (&RFC_9001[..1000], 443, false),
            (RFC_9001, 8443, false),
            (&draft_29, 443, false),
            (&ping, 443, false),
            (AIOQUIC_V2, 443, false),
        ] {
            // A packet that is cut is none, so that its version is known by its bytes alone.
            let is_cut = payload.len() == 1001
                && matches!(rule.when, Condition::All(ref parts) if matches!(parts[0], Condition::Content(Content::Quic(_))));
            let mut world = World::new(policy());
            let dropped = send_all(&mut world, 40_000, port, &[payload, b"short"]);
            assert_eq!(dropped, [is_blocked && !is_cut; 2], "{} bytes to {port}", payload.len());
        }
        let mut world = World::new(policy());
        send_all(&mut world, 40_000, 443, &[RFC_9001]);
        world.now = seconds(419);
        assert_eq!(send_all(&mut world, 40_000, 443, &[b"short"]), [true]);
        world.now = seconds(421);
        assert_eq!(send_all(&mut world, 40_000, 443, &[b"short"]), [false]);
    }
}

/// TSPU-5b: the truth table of Yota's boxes: a listed name is dropped whatever the server, and version 1 to servers that are
/// not on a list; a probe of a version that nobody speaks passes.
#[test]
fn tspu_5b_name_and_server() {
    let home: [u8; 4] = [87, 240, 129, 133];
    let listed = Rule { trigger: fate(Fate::Drop), ..rule("name", quic_sni(&["instagram.com"])) };
    let foreign = Condition::All(vec![
        asks(QuicQuestion::Initial),
        asks(QuicQuestion::Version(vec![1])),
        not(prefixes(&["87.240.128.0/18"])),
    ]);
    let foreign = Rule { trigger: fate(Fate::Drop), ..rule("server", foreign) };
    let mut ping = RFC_9001.to_vec();
    ping[1..5].copy_from_slice(&0xbaba_baba_u32.to_be_bytes());
    for (server, payload, by) in [
        (SERVER, AIOQUIC, Some("name")),
        (SERVER, RFC_9001, Some("server")),
        (home, RFC_9001, None),
        (home, AIOQUIC, Some("name")),
        (SERVER, &ping, None),
    ] {
        let mut world = World::new(policy([in_path(vec![listed.clone(), foreign.clone()])]));
        // Sent again, and again: a client does not give up at once, nor does the box.
        for _ in 0..6 {
            let datagram = datagram_with(server.into(), Outbound, 40_000, 443, payload);
            assert_eq!(world.send(Outbound, &datagram) == Verdict::Drop, by.is_some(), "{server:?}: {by:?}");
        }
        let rules: Vec<_> = world.out.events.iter().filter_map(|event| event.rule.as_deref()).collect();
        assert!(rules.iter().all(|rule| Some(*rule) == by), "{rules:?}");
    }
}

/// A new phase begins the looking anew; what a server sends is no client's Initial; and an Initial of a version that a box
/// does not read is none to it.
#[test]
fn phases_servers_and_versions() {
    let of_names = |patterns: &[&str]| {
        let mut each = in_path(vec![Rule { trigger: fate(Fate::Drop), ..rule("name", quic_sni(patterns)) }]);
        each.reads.quic.datagrams = 2;
        policy([each])
    };
    let mut world = World::new(of_names(&["example.com"]));
    assert_eq!(send_all(&mut world, 40_000, 443, &CHROMIUM[..1]), [false]);
    world.censor.replace_policy(of_names(&["instagram.com"]), world.now, &mut world.out);
    assert_eq!(send_all(&mut world, 40_000, 443, &CHROMIUM), [false, true]);

    let mut world = World::new(of_names(&["instagram.com"]));
    assert_eq!(send_all(&mut world, 40_000, 443, &[b"any"]), [false]);
    let answer = datagram_with(SERVER.into(), Inbound, 40_000, 443, AIOQUIC);
    assert_ne!(world.send(Inbound, &answer), Verdict::Drop);

    let mut each = in_path(vec![Rule { trigger: fate(Fate::Drop), ..rule("initial", asks(QuicQuestion::Initial)) }]);
    each.reads.quic.versions = vec![Version::V2];
    let mut world = World::new(policy([each]));
    assert_eq!(send_all(&mut world, 40_000, 443, &[AIOQUIC, AIOQUIC_V2, b"any"]), [false, true, false]);
}

/// TSPU-15: over QUIC too, the name `cloudflare-ech.com` and the ECH extension together; either alone passes.
#[test]
fn tspu_15_ech_and_name_over_quic() {
    let when = Condition::All(vec![
        quic_sni(&["cloudflare-ech.com", "instagram.com"]),
        asks(QuicQuestion::Hello(HelloQuestion::Ech)),
    ]);
    let rule = Rule { trigger: fate(Fate::Drop), residuals: vec![dropped_for(420)], ..rule("ech", when) };
    for (payloads, is_blocked) in [(&CHROMIUM_ECH[..], true), (&CHROMIUM, true), (&[AIOQUIC], false)] {
        let mut world = World::new(policy([in_path(vec![rule.clone()])]));
        assert_eq!(send_all(&mut world, 40_000, 443, payloads).last(), Some(&is_blocked));
    }
}

/// A client is known by its JA4 and by what it offers, over QUIC as over TCP; a rule about TLS over TCP does not see QUIC.
#[test]
fn quic_fingerprints_and_protocols() {
    let ja4 =
        |text: &str| HelloQuestion::Ja4([text.parse::<FingerprintPattern>().expect("a pattern")].into_iter().collect());
    for (question, expected) in [
        (ja4("q13d0307h3_55b375c5d22e_*"), [true, false]),
        (ja4("q13d0312h3_*_*"), [false, true]),
        (ja4("t13d0312h3_*_*"), [false, false]),
        (HelloQuestion::Alpn(vec!["h3".into()]), [true, true]),
        (HelloQuestion::Alpn(vec!["h2".into()]), [false, false]),
        (HelloQuestion::Version(vec![0x0304]), [true, true]),
        (HelloQuestion::Named, [true, true]),
    ] {
        let rule = Rule { trigger: fate(Fate::Drop), ..rule("client", asks(QuicQuestion::Hello(question.clone()))) };
        let dropped = [&[AIOQUIC][..], &CHROMIUM].map(|payloads| {
            let mut world = World::new(policy([in_path(vec![rule.clone()])]));
            send_all(&mut world, 40_000, 443, payloads).contains(&true)
        });
        assert_eq!(dropped, expected, "{question:?}");
    }
    let mut world = World::new(policy([in_path(vec![Rule {
        trigger: fate(Fate::Drop),
        ..rule("tls", Condition::sni(names(&["*a*"])))
    }])]));
    assert_eq!(send_all(&mut world, 40_000, 443, &[AIOQUIC, CHROMIUM[0], CHROMIUM[1]]), [false; 3]);
}
