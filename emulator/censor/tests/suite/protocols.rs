//! What a censor tells of other protocols, asked of the whole machine.

use crate::support::*;
use roadblock_censor::dissect::http::Keywords;
use roadblock_censor::dissect::openvpn::{AckRule, OpcodeRule};
use roadblock_censor::dissect::socks::Version;
use roadblock_censor::dissect::wireguard::{Amnezia, Kind};
use roadblock_censor::policy::{BytesQuestion, Condition, Content, Fate, Reassembly, Rule, Speech, TcpPolicy};
use roadblock_censor::{Direction, Verdict};

const TOR: &[u8] = include_bytes!("../data/tor-client-hello.bin");
const SOCKS4: &[u8] = include_bytes!("../data/curl-socks4.bin");
const SOCKS5: &[u8] = include_bytes!("../data/curl-socks5.bin");
const REQUEST: &[u8] = include_bytes!("../data/curl-request.bin");
const INITIATION: &[u8] = include_bytes!("../data/wireguard-initiation.bin");
const RESPONSE: &[u8] = include_bytes!("../data/wireguard-response.bin");
const WIREGUARD_DATA: &[u8] = include_bytes!("../data/wireguard-data.bin");
const OPENVPN_SESSION: &str = include_str!("../data/openvpn-udp-session.txt");

fn world(speech: Speech, reassembly: Reassembly) -> World {
    let when = Condition::Content(Content::Speech(speech));
    let mut each = in_path(vec![Rule { trigger: fate(Fate::Drop), ..rule("protocol", when) }]);
    each.tcp = TcpPolicy { reassembly, ..TcpPolicy::default() };
    World::new(policy([each]))
}

/// Which packets of one connection are dropped, sent by the client or the server.
fn dropped_of(speech: Speech, reassembly: Reassembly, said: &[(Direction, &[u8])]) -> Vec<bool> {
    let mut world = world(speech, reassembly);
    let mut connection = Connection::new(4000);
    for (direction, flags) in [(Outbound, SYN), (Inbound, SYN_ACK), (Outbound, ACK)] {
        let segment = connection.segment(direction, flags, &[]);
        world.send(direction, &segment);
    }
    let sent = said.iter().map(|(direction, payload)| {
        let segment = connection.segment(*direction, DATA, payload);
        world.send(*direction, &segment) == Verdict::Drop
    });
    sent.collect()
}

fn is_dropped(speech: &Speech, payload: &[u8]) -> bool {
    let drops = |reassembly| dropped_of(speech.clone(), reassembly, &[(Outbound, payload)]) == [true];
    assert_eq!(drops(Reassembly::None), drops(Reassembly::Full));
    drops(Reassembly::Full)
}

/// FP-TOR: Tor's own `ClientHello` is told from others, also where it comes in pieces that are put together.
#[test]
fn fp_tor_client_hello() {
    assert!(is_dropped(&Speech::TorTls, TOR));
    for other in [INSTAGRAM_HELLO, WHATSAPP_HELLO, REQUEST] {
        assert!(!is_dropped(&Speech::TorTls, other));
    }
    let pieces: Vec<(Direction, &[u8])> = TOR.chunks(100).map(|piece| (Outbound, piece)).collect();
    assert_eq!(dropped_of(Speech::TorTls, Reassembly::Full, &pieces), [false, false, false, false, false, true]);
    assert_eq!(dropped_of(Speech::TorTls, Reassembly::None, &pieces), [false; 6]);
}

/// Requests to a proxy of each version of SOCKS, and what is none.
#[test]
fn socks_by_version() {
    for (payload, v4, v5) in
        [(SOCKS4, true, false), (SOCKS5, false, true), (REQUEST, false, false), (TOR, false, false)]
    {
        assert_eq!(is_dropped(&Speech::Socks(None), payload), v4 || v5);
        assert_eq!(is_dropped(&Speech::Socks(Some(Version::V4)), payload), v4);
        assert_eq!(is_dropped(&Speech::Socks(Some(Version::V5)), payload), v5);
    }
}

/// Records of a client behind its `ClientHello`: the change of cipher, and application data of this length.
fn after_hello(length: u8) -> Vec<u8> {
    [&[20, 3, 3, 0, 1, 1, 23, 3, 3, 0, length], &vec![0x5a; usize::from(length)][..]].concat()
}

/// RU-MSG-1: the `ClientHello` and the `ServerHello` pass, and the client's first application data are dropped, again whenever they
/// are sent again; a true Finished passes, and all that comes after it.
#[test]
fn ru_msg_1_data_behind_an_imitated_handshake() {
    let answer: &[u8] = include_bytes!("../data/openssl-server-flight-tls13.bin");
    let (data, finished) = (after_hello(200), after_hello(53));
    for reassembly in [Reassembly::None, Reassembly::Full] {
        let dropped = |second: &[u8]| {
            let said: [(Direction, &[u8]); 4] =
                [(Outbound, WHATSAPP_HELLO), (Inbound, answer), (Outbound, second), (Outbound, &[23, 3, 3, 0, 1, 9])];
            dropped_of(Speech::TelegramFakeTls, reassembly, &said)
        };
        assert_eq!(dropped(&data), [false, false, true, false], "{reassembly:?}");
        assert_eq!(dropped(&finished), [false; 4], "{reassembly:?}");
    }
    let mut world = world(Speech::TelegramFakeTls, Reassembly::Full);
    let mut connection = Connection::new(4000);
    world.open(&mut connection);
    let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
    assert_eq!(world.send(Outbound, &hello), Verdict::Pass, "what comes after it is still read");
    let data = connection.segment(Outbound, DATA, &data);
    for _ in 0..4 {
        assert_eq!(world.send(Outbound, &data), Verdict::Drop);
    }
    assert!(!is_dropped(&Speech::TelegramFakeTls, REQUEST));
}

/// RU-MSG-1: the data are seen also where the `ClientHello` alone decides what other rules ask, and told once.
#[test]
fn ru_msg_1_beside_rules_that_a_hello_decides() {
    for words in [None, Some(Keywords::exact(["nowhere in it"]).expect("bytes"))] {
        let fake = Condition::Content(Content::Speech(Speech::TelegramFakeTls));
        let fake = Rule { trigger: fate(Fate::Drop), ..rule("fake", fake) };
        let other =
            words.map(|words| rule("other", Condition::Content(Content::Bytes(BytesQuestion::Contains(words)))));
        let rules = [rule("sni", Condition::sni(names(&["other.example"]))), fake].into_iter().chain(other);
        let mut each = in_path(rules.collect());
        each.tcp = TcpPolicy { reassembly: Reassembly::Full, ..TcpPolicy::default() };
        let mut world = World::new(policy([each]));
        let mut connection = Connection::new(4000);
        world.open(&mut connection);
        let sent = [WHATSAPP_HELLO, &after_hello(200), &[23, 3, 3, 0, 1, 9], b"more"].map(|payload| {
            let segment = connection.segment(Outbound, DATA, payload);
            world.send(Outbound, &segment) == Verdict::Drop
        });
        assert_eq!(sent, [false, true, false, false]);
    }
}

/// Which datagrams of one flow are dropped.
fn datagrams_dropped(speech: Speech, payloads: &[(Direction, Vec<u8>)]) -> Vec<bool> {
    let mut world = world(speech, Reassembly::None);
    let sent = payloads.iter().map(|(direction, payload)| {
        world.send(*direction, &datagram(*direction, 4000, 51820, payload)) == Verdict::Drop
    });
    sent.collect()
}

/// FP-WG-1: AmneziaWG passes who looks for WireGuard, and is seen, data and all, by who knows its numbers.
#[test]
fn fp_wg_1_amnezia() {
    let numbers = [11u32, 22, 33, 44];
    let disguised = |datagram: &[u8], number: u32, before: usize| {
        [&vec![0xa5; before][..], &number.to_le_bytes(), &datagram[4..]].concat()
    };
    let sent = [
        (Outbound, vec![0x77; 50]),
        (Outbound, disguised(INITIATION, 11, 15)),
        (Inbound, disguised(RESPONSE, 22, 18)),
        (Outbound, disguised(WIREGUARD_DATA, 44, 0)),
        (Outbound, disguised(WIREGUARD_DATA, 44, 0)),
        (Inbound, disguised(WIREGUARD_DATA, 44, 0)),
    ];
    assert_eq!(datagrams_dropped(Speech::WireGuard(None), &sent), [false; 6]);
    let amnezia = Amnezia { s1: 15, s2: 18, headers: numbers.map(Some), ..Amnezia::default() };
    let any = Speech::AmneziaWg(amnezia.clone(), None);
    assert_eq!(datagrams_dropped(any, &sent), [false, true, true, true, true, true]);
    let data = Speech::AmneziaWg(amnezia.clone(), Some(Kind::Data));
    assert_eq!(datagrams_dropped(data, &sent), [false, false, false, true, true, true]);
    // A flow that was found to speak it is heard for as long as it lasts.
    let noise = core::iter::repeat_n((Inbound, vec![0x33; 41]), 10);
    let late: Vec<_> = sent[..3].iter().cloned().chain(noise).chain([sent[3].clone()]).collect();
    let dropped = datagrams_dropped(Speech::AmneziaWg(amnezia.clone(), Some(Kind::Data)), &late);
    assert_eq!(dropped.iter().position(|is_dropped| *is_dropped), Some(13));
    let plain = [(Outbound, INITIATION.to_vec()), (Inbound, RESPONSE.to_vec())];
    assert_eq!(datagrams_dropped(Speech::AmneziaWg(amnezia, None), &plain), [false, false]);
    assert_eq!(datagrams_dropped(Speech::WireGuard(None), &plain), [true, true]);
}

/// The recorded session with its first bytes scrambled, in datagrams as long as they were.
fn openvpn_session(veil: u8) -> Vec<(Direction, Vec<u8>)> {
    let packets = OPENVPN_SESSION.lines().map(|line| {
        let mut words = line.split(' ');
        let direction = if words.next() == Some("C") { Outbound } else { Inbound };
        let first = words.next().and_then(|byte| u8::from_str_radix(byte, 16).ok()).expect("a byte");
        let length = words.next().and_then(|length| length.parse().ok()).expect("a length");
        let mut payload = vec![0x99; length];
        payload[0] = first ^ veil;
        (direction, payload)
    });
    packets.collect()
}

/// FP-OVPN-2: a session is told at its hundredth packet, scrambled by XOR or not, which its form alone would not tell; a flow of
/// other bytes is not.
#[test]
fn fp_ovpn_2_opcodes_of_a_hundred_packets() {
    let opcodes = || Speech::OpenVpnOpcodes(OpcodeRule::default());
    for veil in [0, 0x5a, 0xff] {
        let dropped = datagrams_dropped(opcodes(), &openvpn_session(veil));
        let at: Vec<usize> = (0..dropped.len()).filter(|place| dropped[*place]).collect();
        assert_eq!(at, [99], "scrambled with {veil:#x}");
        let seen_plainly = datagrams_dropped(Speech::OpenVpn(None), &openvpn_session(veil)).contains(&true);
        assert_eq!(seen_plainly, veil == 0);
    }
    let noise: Vec<_> =
        (0..110u8).map(|at| (if at % 2 == 0 { Outbound } else { Inbound }, vec![at.wrapping_mul(37), 1, 2])).collect();
    assert!(!datagrams_dropped(opcodes(), &noise).contains(&true));
    let few = OpcodeRule { packets: 20, ..OpcodeRule::default() };
    let dropped = datagrams_dropped(Speech::OpenVpnOpcodes(few), &openvpn_session(0));
    assert_eq!(dropped.iter().position(|is_dropped| *is_dropped), Some(19));
}

/// FP-OVPN-2: over TCP the opcode comes after a length; what a flow carries is told by the sizes of its acknowledgements too.
#[test]
fn fp_ovpn_2_over_tcp_and_by_acknowledgements() {
    let session = openvpn_session(0x5a);
    let segments: Vec<Vec<u8>> = session
        .iter()
        .map(|(_, payload)| [&u16::try_from(payload.len()).expect("short").to_be_bytes()[..], payload].concat())
        .collect();
    let said: Vec<(Direction, &[u8])> =
        session.iter().zip(&segments).map(|((direction, _), segment)| (*direction, &segment[..])).collect();
    for reassembly in [Reassembly::None, Reassembly::Full] {
        let dropped = dropped_of(Speech::OpenVpnOpcodes(OpcodeRule::default()), reassembly, &said);
        assert_eq!(dropped.iter().position(|is_dropped| *is_dropped), Some(99), "{reassembly:?}");
    }
    // A client that acknowledges twice in each of the first tens, and never after.
    let packet = |at: usize| match at {
        0 => (Outbound, vec![1; 54]),
        1 => (Inbound, vec![2; 66]),
        2 | 5 | 11 | 14 => (Outbound, vec![3; 62]),
        _ if at.is_multiple_of(2) => (Outbound, vec![4; 700 + at]),
        _ => (Inbound, vec![5; 1000 + at]),
    };
    let tunnel: Vec<_> = (0..110).map(packet).collect();
    let dropped = datagrams_dropped(Speech::OpenVpnAcks(AckRule::default()), &tunnel);
    assert_eq!(dropped.iter().position(|is_dropped| *is_dropped), Some(99));
    let chatty: Vec<_> = (0..110).map(|at| if at > 60 { (Outbound, vec![3; 62]) } else { packet(at) }).collect();
    assert!(!datagrams_dropped(Speech::OpenVpnAcks(AckRule::default()), &chatty).contains(&true));
}
