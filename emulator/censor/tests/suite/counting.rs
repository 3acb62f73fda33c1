//! What acts only after so much has passed (TSPU-2, RU-L425-1), and the first bytes of streams (RU-WA-1).

use crate::support::*;
use roadblock_censor::Verdict;
use roadblock_censor::policy::{BoxPolicy, Condition, Fate, Residual, Rule, Sees, Speech, Threshold, ThresholdUnit};

/// TSPU-2: the `ClientHello` passes, then five to eight packets.
fn sni_2(patterns: &[&str]) -> Rule {
    let residual = Residual { after: Some(packets(5, 8)), ..dropped_for(420) };
    let when = Condition::All(vec![sni(patterns), Condition::ClientInside]);
    Rule { facts: vec!["TSPU-2".into()], residuals: vec![residual], ..rule("sni-2", when) }
}

/// RU-L425-1: a hoster's connections freeze.
fn l4_25(after: Threshold) -> Rule {
    let when =
        Condition::All(vec![prefixes(&["157.240.0.0/16", "8.8.8.0/24"]), not(Condition::Fired("exempt".into()))]);
    Rule { after: Some(after), trigger: fate(Fate::Drop), residuals: vec![dropped_for(480)], ..rule("l4-25", when) }
}

fn bytes(most: u64, count: Sees) -> Threshold {
    Threshold { unit: ThresholdUnit::Bytes, count, ..packets(most, most) }
}

/// TSPU-2: how many packets pass after the `ClientHello` lies between five and eight, differs between flows and not between
/// runs; retransmitting the `ClientHello` does not begin anew; after 420 seconds it is over.
#[test]
fn tspu_2_drops_after_a_few_packets() {
    let play = || {
        let mut passed = Vec::new();
        for port in 4000..4040 {
            let mut world = World::new(policy([in_path(vec![sni_2(&["whatsapp.com"])])]));
            let mut connection = Connection::new(port);
            // Draws differ by server too.
            connection.server.0 = [157, 240, 1, (port - 3999) as u8].into();
            world.open(&mut connection);
            let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
            assert_eq!(world.send(Outbound, &hello), Verdict::Pass);
            let fates: Vec<bool> = (0..12)
                .map(|number| {
                    let direction = if number % 3 == 0 { Outbound } else { Inbound };
                    let again = number == 3;
                    let packet = if again { hello.clone() } else { connection.segment(direction, DATA, b"data") };
                    world.send(direction, &packet) == Verdict::Pass
                })
                .collect();
            let count = fates.iter().take_while(|passes| **passes).count();
            assert!(fates[count..].iter().all(|passes| !*passes), "{fates:?}");
            passed.push(count);
            assert_eq!(world.story()[..3], ["tspu/sni-2 Triggered", "tspu/sni-2 ResidualArmed", "tspu/sni-2 Dropped"]);
            world.now = seconds(421);
            let data = connection.segment(Inbound, DATA, b"data");
            assert_ne!(world.send(Inbound, &data), Verdict::Drop);
        }
        passed
    };
    let passed = play();
    assert_eq!(passed, play());
    for count in 5..=8 {
        assert!(passed.contains(&count), "{count} never passed: {passed:?}");
    }
    assert!(passed.iter().all(|count| (5..=8).contains(count)));
}

/// RU-L425-1: 25 packets pass, both directions counted, then none, whatever they carry, without a reset; a new connection
/// has as many again, and so has UDP.
#[test]
fn ru_l425_1_freezes_after_25_packets() {
    let mut world = World::new(policy([in_path(vec![l4_25(packets(25, 25))])]));
    for port in [4000, 4001] {
        let mut connection = Connection::new(port);
        world.open(&mut connection);
        for number in 4..30 {
            let direction = if number % 2 == 0 { Outbound } else { Inbound };
            let segment = connection.segment(direction, DATA, b"2b");
            let expected = if number <= 25 { Verdict::Pass } else { Verdict::Drop };
            assert_eq!(world.send(direction, &segment), expected, "packet {number}");
        }
    }
    for number in 1..30 {
        let expected = if number <= 25 { Verdict::Pass } else { Verdict::Drop };
        assert_eq!(world.send(Inbound, &datagram(Inbound, 4000, 443, b"2b")), expected, "datagram {number}");
    }
    let mut elsewhere = Connection { server: ([1, 1, 1, 1].into(), 443), ..Connection::new(4000) };
    let syn = elsewhere.segment(Outbound, SYN, &[]);
    assert_eq!(world.send(Outbound, &syn), Verdict::Pass);
    let answer = elsewhere.segment(Inbound, DATA, b"2b");
    assert_eq!(world.send(Inbound, &answer), Verdict::PassAndOffload, "ruled out by its address");
}

/// RU-L425-2: a name on the whitelist takes its connection out, which is then left to the kernel.
#[test]
fn ru_l425_2_the_whitelist_exempts() {
    let exempt = Rule { also: true, ..rule("exempt", sni(&["instagram.com"])) };
    let mut world = World::new(policy([in_path(vec![exempt, l4_25(packets(5, 5))])]));
    let mut connection = Connection::new(4000);
    world.open(&mut connection);
    let hello = connection.segment(Outbound, DATA, INSTAGRAM_HELLO);
    assert_eq!(world.send(Outbound, &hello), Verdict::Pass);
    for _ in 0..10 {
        let data = connection.segment(Inbound, DATA, b"data");
        assert_eq!(world.send(Inbound, &data), Verdict::PassAndOffload);
    }
    let mut other = Connection::new(4001);
    world.open(&mut other);
    for expected in [Verdict::Pass, Verdict::Pass, Verdict::Drop] {
        let hello = other.segment(Outbound, DATA, WHATSAPP_HELLO);
        assert_eq!(world.send(Outbound, &hello), expected);
    }
}

/// Bytes are those of payload, and of the direction that is counted.
#[test]
fn bytes_are_counted_in_one_direction() {
    let mut world = World::new(policy([in_path(vec![l4_25(bytes(100, Sees::Inbound))])]));
    let mut connection = Connection::new(4000);
    world.open(&mut connection);
    for (direction, length, expected) in [
        (Outbound, 1000, Verdict::Pass),
        (Inbound, 100, Verdict::Pass),
        (Inbound, 0, Verdict::Pass),
        (Outbound, 1000, Verdict::Pass),
        (Inbound, 1, Verdict::Drop),
        (Outbound, 1, Verdict::Drop),
    ] {
        let segment = connection.segment(direction, DATA, &vec![7; length]);
        assert_eq!(world.send(direction, &segment), expected, "{length} bytes {direction:?}");
    }
}

/// A flow that the box does not track has no count, so it never freezes.
#[test]
fn untracked_flows_have_no_count() {
    let mut world = World::new(policy([in_path(vec![l4_25(packets(0, 0))])]));
    let mut connection = Connection::new(4000);
    for _ in 0..3 {
        let data = connection.segment(Outbound, DATA, b"data");
        assert_eq!(world.send(Outbound, &data), Verdict::Pass);
    }
}

/// RU-WA-1: the `WA` header dies on the listed ports, sent again too; TLS to the same address and port lives, the header in
/// the middle of a stream is none, and routing information before it hides nothing.
#[test]
fn ru_wa_1_the_chat_header_is_recognised() {
    let header = &b"WA\x06\x03\x00\x00\x24"[..];
    let routed = &b"ED\x00\x01\x00\x00\x02abWA\x06\x03"[..];
    let chat = Condition::All(vec![
        speech(Speech::WhatsAppChat),
        Condition::ServerPort([443, 5222].into()),
        Condition::ClientInside,
    ]);
    let rule =
        || Rule { trigger: fate(Fate::Drop), residuals: vec![dropped_for(420)], ..rule("wa-chat", chat.clone()) };
    for reassembly_limit in [None, Some(4096)] {
        let tcp = joining(reassembly_limit);
        let boxes = || policy([BoxPolicy { tcp: tcp.clone(), ..in_path(vec![rule()]) }]);
        let play = |port: u16, payloads: &[&[u8]]| {
            let mut world = World::new(boxes());
            let mut connection = Connection { server: ([31, 13, 84, 53].into(), port), ..Connection::new(4000) };
            world.open(&mut connection);
            let send = |payload: &&[u8]| {
                let segment = connection.segment(Outbound, DATA, payload);
                world.send(Outbound, &segment) != Verdict::Drop
            };
            let fates: Vec<bool> = payloads.iter().map(send).collect();
            (fates, world.story().first().cloned())
        };
        let dropped = Some("tspu/wa-chat Dropped".to_owned());
        assert_eq!(play(443, &[header, header]), (vec![false, false], dropped.clone()));
        assert_eq!(play(5222, &[routed]), (vec![false], dropped.clone()));
        assert_eq!(play(443, &[WHATSAPP_HELLO, header]), (vec![true, true], None));
        // A header cut in two is seen only by a box that puts segments together.
        let cut = play(443, &[&header[..3], &header[3..]]);
        assert_eq!(cut.0, [true, reassembly_limit.is_none()]);
    }
    let mut world = World::new(policy([in_path(vec![rule()])]));
    let mut connection = Connection { server: ([31, 13, 84, 53].into(), 80), ..Connection::new(4000) };
    let syn = connection.segment(Outbound, SYN, &[]);
    world.send(Outbound, &syn);
    let chat = connection.segment(Outbound, DATA, header);
    assert_eq!(world.send(Outbound, &chat), Verdict::Pass, "a port that is not listed");
}

/// What condemned a stream is heard again when it is sent again, with and without reassembly; what follows it is not it.
#[test]
fn a_retransmitted_opening_is_heard_again() {
    for reassembly_limit in [None, Some(4096)] {
        let tcp = joining(reassembly_limit);
        let chat = Rule { trigger: fate(Fate::Drop), ..rule("chat", speech(Speech::WhatsAppChat)) };
        let mut world = World::new(policy([BoxPolicy { tcp, ..in_path(vec![chat]) }]));
        let mut connection = Connection::new(4000);
        world.open(&mut connection);
        let header = connection.segment(Outbound, DATA, b"WA\x06\x03");
        for _ in 0..3 {
            assert_eq!(world.send(Outbound, &header), Verdict::Drop, "{reassembly_limit:?}");
        }
        let more = connection.segment(Outbound, DATA, b"more");
        assert_ne!(world.send(Outbound, &more), Verdict::Drop, "{reassembly_limit:?}");
    }
}

/// A stream that can no longer begin as a rule wants is left to the kernel at once.
#[test]
fn other_streams_are_given_up_at_once() {
    let whens = [Speech::WhatsAppChat, Speech::TelegramTransport, Speech::SshBanner];
    let rules = whens.map(|spoken| rule("stream", speech(spoken))).to_vec();
    let mut world = World::new(policy([in_path(rules)]));
    let mut connection = Connection::new(4000);
    world.open(&mut connection);
    let hello = connection.segment(Outbound, DATA, INSTAGRAM_HELLO);
    assert_eq!(world.send(Outbound, &hello), Verdict::PassAndOffload);
}
