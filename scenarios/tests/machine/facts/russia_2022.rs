//! Russia: what Xue et al. measured of the TSPU in 2022 beyond its rules for names and addresses, with `censors/tspu-2022`.

use core::time::Duration;

use roadblock_censor::policy::{FragmentPolicy, Reassembly};
use roadblock_censor::wire::build;
use roadblock_censor::wire::fragment::split;
use roadblock_censor::wire::ip::Addresses;
use roadblock_censor::{Direction, Policy};

use super::russia::{ANSWER, cut_exchange, elsewhere, fact_box, ping, seconds, settle};
use super::{INSTAGRAM_HELLO, WHATSAPP_HELLO, hello_for};
use crate::pair::case::{check, fact_case, fact_pair, profile};
use crate::pair::craft::{ACK, PSH, RST, SYN, Segment};
use crate::pair::{Connection, Inbound, Outbound, Outcome, Pair, SERVER, Seen};

const PROFILE: &str = "censors/tspu-2022";
const SNI_1: &str = "sni-1 = [\"whatsapp.com\"]";

/// TSPU-3: in each direction 600 to 700 bytes a second arrive of what one end sends, and nobody is reset; another name's
/// connection is as fast as ever.
#[test]
fn tspu_3_almost_nothing_arrives() {
    fact_pair("TSPU-3", PROFILE, "sni-3 = [\"whatsapp.com\"]", &["sni-3"], |pair| {
        for (hello, is_slow) in [(WHATSAPP_HELLO, true), (INSTAGRAM_HELLO, false)] {
            let connection = pair.connect(443);
            check(pair.exchange(connection, hello, ANSWER) == Outcome::Answered, "it answers")?;
            for direction in [Inbound, Outbound] {
                let rate = rate(pair, connection, direction);
                let expected = if is_slow { 600..=700 } else { 1500..=1600 };
                check(expected.contains(&rate), &format!("{direction:?}: {rate} bytes a second"))?;
            }
        }
        check(pair.client.segments(RST).is_empty(), "nobody is reset")
    });
}

/// How many bytes a second arrive when 1520 are sent, once what may pass at once has.
fn rate(pair: &mut Pair, connection: Connection, direction: Direction) -> usize {
    let count = |pair: &Pair| match direction {
        Inbound => pair.client.packets.iter().map(|(_, packet)| packet.len()).sum::<usize>(),
        Outbound => pair.server.packets.iter().map(|(_, packet)| packet.len()).sum(),
    };
    let mut before = 0;
    for number in 0..1100 {
        if number == 100 {
            before = count(pair);
        }
        let segment = match direction {
            Inbound => pair.at_server(connection).expect("a server").segment(pair.now),
            Outbound => pair.segment(connection),
        };
        // Old data, so that neither end answers with more than an acknowledgement.
        let sequence = segment.sequence.wrapping_sub(100);
        let segment = Segment { sequence, flags: PSH | ACK, payload: vec![b'x'; 100], ..segment };
        pair.send(direction, segment.bytes());
        pair.run(Duration::from_millis(100));
    }
    (count(pair) - before) / 100
}

/// TSPU-6: in one report a SYN to a blocked address is answered by RST/ACK, and a ping by nothing.
#[test]
fn tspu_6_or_a_syn_is_refused() {
    let parameters = format!("ip-refuse = [\"{SERVER}/32\"]");
    fact_pair("TSPU-6", PROFILE, &parameters, &["ip-refuse", "ip-refuse-rest"], |pair| {
        let connection = pair.connect(443);
        let echo = ping(pair);
        pair.send(Outbound, echo);
        settle(pair);
        let seen = &pair.at_client(connection).seen;
        check(matches!(seen[..], [(_, Seen::Refused)]), "refused")?;
        check(pair.client.segments(RST).iter().all(|reset| reset.flags == RST | ACK), "by RST/ACK")?;
        check(pair.server.packets.is_empty(), "nothing arrives")
    });
}

/// TSPU-7: the SYN of a blocked address enters, and what a host inside answers becomes RST/ACK with the numbers of its SYN/ACK.
#[test]
fn tspu_7_who_is_blocked_is_not_answered() {
    let parameters = format!("ip-drop = [\"{SERVER}/32\"]");
    fact_case("TSPU-7", PROFILE, &parameters, &["ip-in"], |policy| {
        let mut pair = elsewhere(policy.clone());
        let connection = pair.connect_inward(45_000, 443);
        check(pair.is_open(connection), "another address is answered")?;

        let mut pair = Pair::new(policy);
        pair.connect_inward(45_000, 443);
        check(pair.client.segments(SYN).len() == 1, "the SYN enters")?;
        let answers = pair.server.segments(SYN | RST);
        let [answer, ..] = &answers[..] else { return Err("no answer".to_owned()) };
        check(answer.flags == RST | ACK && answer.payload.is_empty(), "it is RST/ACK")?;
        let inside = pair.client.sockets.get(&45_000).ok_or("no socket inside")?;
        check(answer.sequence == inside.first_sequence, "with the number of the SYN/ACK")?;
        check(answer.acknowledgement == 1_000_001, "and its acknowledgement")?;
        let seen = &pair.server.sockets[&45_000].seen;
        check(matches!(seen[..], [(_, Seen::Refused)]), "so who asked is refused")
    });
}

/// TSPU-8: a SYN/ACK from inside before anything else, or a SYN from outside first, makes the inside the server, and SNI-I
/// does not act. A plain handshake it acts on.
#[test]
fn tspu_8_who_speaks_first() {
    fact_pair("TSPU-8", PROFILE, SNI_1, &["sni-1"], |pair| {
        for flags in [SYN | ACK, SYN] {
            let before = pair.connect(443);
            let (port, inside) = (before.port + 1, (pair.client.address, before.port + 1));
            let first = pair.segment(before);
            let (direction, first) = match flags {
                // It dies behind the censor.
                SYN => (Inbound, Segment { source: first.destination, destination: inside, ttl: 11, ..first }),
                _ => (Outbound, Segment { source: inside, ttl: 5, ..first }),
            };
            let first = Segment { sequence: 1_000_000, acknowledgement: 1, flags, ..first };
            pair.send(direction, first.bytes());
            settle(pair);
            let connection = pair.connect_from(port, 443);
            let outcome = pair.exchange(connection, WHATSAPP_HELLO, ANSWER);
            check(outcome == Outcome::Answered, &format!("{flags:#x} first: {outcome:?}"))?;
            pair.client.next_port();
        }
        let connection = pair.connect(443);
        check(pair.exchange(connection, WHATSAPP_HELLO, ANSWER) == Outcome::Reset, "plainly: reset")
    });
}

/// TSPU-9: where the box sees only what leaves, addresses, SNI-II, SNI-IV and QUIC are blocked, and SNI-I does nothing.
#[test]
fn tspu_9_what_leaves_is_enough() {
    let parameters = "ip-drop = [\"93.184.215.14/32\"]\nsni-1 = [\"one.example\"]\nsni-2 = [\"two.example\"]\n\
                      sni-4 = [\"four.example\"]\nquic = true";
    let rules = ["ip-drop", "sni-2", "sni-4", "quic-1"];
    fact_case("TSPU-9", "censors/tspu-2022-upstream", parameters, &rules, |policy| {
        let mut pair = elsewhere(policy.clone());
        let connection = pair.connect(443);
        check(!pair.is_open(connection), "a blocked address")?;

        let mut pair = Pair::new(policy);
        let connection = pair.connect(443);
        check(pair.exchange(connection, &hello_for("one.example"), ANSWER) == Outcome::Answered, "SNI-I")?;
        let connection = pair.connect(443);
        check(pair.exchange(connection, &hello_for("four.example"), ANSWER) == Outcome::Silence, "SNI-IV")?;
        check(pair.at_server(connection).is_some_and(|server| server.stream().is_empty()), "SNI-IV drops it itself")?;

        let connection = pair.connect(443);
        pair.client_sends(connection, &hello_for("two.example"));
        settle(&mut pair);
        let before = pair.server.packets.len();
        for _ in 0..12 {
            pair.client_sends(connection, b"data");
            pair.server_sends(connection, b"data");
            settle(&mut pair);
        }
        let passed = pair.server.packets.len() - before;
        check((5..=8).contains(&passed), &format!("SNI-II: {passed} packets left"))?;
        check(pair.at_client(connection).stream().len() >= 12 * 4, "what the server sends arrives")?;

        pair.datagram(Outbound, (5000, 443), super::russia_quic::AIOQUIC);
        settle(&mut pair);
        check(pair.server.datagrams.is_empty(), "QUIC")
    });
}

/// TSPU-10: a flow that is idle for longer than 60 seconds after its SYN, 105 after the SYN/ACK and 480 once it stands is
/// unknown, and its `ClientHello` is not read.
#[test]
fn tspu_10_each_state_is_forgotten() {
    fact_pair("TSPU-10", PROFILE, "sni-4 = [\"whatsapp.com\"]", &["sni-4"], |pair| {
        let model = pair.connect(443);
        let (out, back) = (pair.segment(model), pair.at_server(model).ok_or("no server")?.segment(pair.now));
        let mut port = 50_000;
        for (handshake, limit) in [(1, 60), (2, 105), (3, 480)] {
            for (pause, arrives) in [(limit - 1, false), (limit + 1, true)] {
                port += 1;
                let inside = (pair.client.address, port);
                // Each dies behind the censor, so that only that knows of them.
                let sent = Segment { source: inside, sequence: 1_000_000, ttl: 5, ..out.clone() };
                let got = Segment {
                    destination: inside,
                    sequence: 5_000_000,
                    acknowledgement: 1_000_001,
                    ttl: 11,
                    ..back.clone()
                };
                let steps = [
                    (Outbound, Segment { flags: SYN, acknowledgement: 0, ..sent.clone() }),
                    (Inbound, Segment { flags: SYN | ACK, ..got }),
                    (Outbound, Segment { flags: ACK, sequence: 1_000_001, acknowledgement: 5_000_001, ..sent.clone() }),
                ];
                for (direction, step) in steps.into_iter().take(handshake) {
                    pair.send(direction, step.bytes());
                    settle(pair);
                }
                pair.run(seconds(pause).saturating_sub(Duration::from_millis(200)));
                let before = pair.server.packets.len();
                let hello =
                    Segment { flags: PSH | ACK, sequence: 1_000_001, acknowledgement: 5_000_001, ttl: 64, ..sent };
                pair.send(Outbound, Segment { payload: WHATSAPP_HELLO.to_vec(), ..hello }.bytes());
                settle(pair);
                let passed = pair.server.packets.len() > before;
                check(passed == arrives, &format!("{handshake} packets and {pause} s: passed {passed}"))?;
            }
        }
        Ok(())
    });
}

/// TSPU-10: a connection that was idle for longer than 480 seconds is unknown, and its `ClientHello` is not read.
#[test]
fn tspu_10_a_long_pause_gets_through() {
    for (pause, expected) in [(470, Outcome::Reset), (490, Outcome::Answered)] {
        let mut pair = Pair::new(profile(PROFILE, SNI_1));
        let connection = pair.connect(443);
        pair.run(seconds(pause));
        assert_eq!(pair.exchange(connection, WHATSAPP_HELLO, ANSWER), expected, "{pause} s");
    }
}

/// TSPU-11: 45 fragments wait for each other and go on one by one, each with the first one's time to live; of 46 none does,
/// nor of those with a duplicate among them, nor where the last comes more than five seconds after the first.
#[test]
fn tspu_11_fragments_wait_for_each_other() {
    let without = |each: &mut roadblock_censor::policy::BoxPolicy| each.fragments = FragmentPolicy::Ignore;
    fact_box("TSPU-11", PROFILE, "", without, |policy| {
        type Change = fn(&mut Vec<Vec<u8>>);
        let cases: [(usize, u64, usize, Change); 6] = [
            (45, 0, 45, |_| {}),
            (46, 0, 0, |_| {}),
            (2, 4, 2, |_| {}),
            (2, 6, 0, |_| {}),
            (3, 0, 0, |pieces| pieces.insert(1, pieces[0].clone())),
            (3, 0, 3, |pieces| pieces.reverse()),
        ];
        for (count, pause, expected, change) in cases {
            let mut pair = Pair::new(policy.clone());
            let addresses = Addresses::new(pair.client.address, pair.server.address).ok_or("one family")?;
            let whole = build::udp(&addresses, 5000, 5001, &vec![7; count * 8 - 8]);
            let cuts: Vec<usize> = (1..count).map(|number| number * 8).collect();
            let mut pieces = split(&whole, &cuts, 7).ok_or("too short")?;
            // The first one's time to live is that of the one with the packet's beginning.
            for piece in pieces.iter_mut().skip(1) {
                piece[8] = 40;
                crate::pair::craft::fix_v4(piece);
            }
            change(&mut pieces);
            for (number, piece) in pieces.into_iter().enumerate() {
                if number == 1 {
                    pair.run(seconds(pause));
                }
                check(number == 0 || pair.server.packets.is_empty(), "nothing goes on before all are there")?;
                pair.send(Outbound, piece);
            }
            pair.run(seconds(10));
            let got = &pair.server.packets;
            check(got.len() == expected, &format!("{count} fragments, {pause} s: {} arrive", got.len()))?;
            check(got.iter().all(|(_, packet)| packet[8] == 64 - 12), "with the first one's time to live")?;
            check(pair.server.datagrams.len() == usize::from(expected > 0), "the server puts them together")?;
        }
        Ok(())
    });
}

/// TSPU-12: a `ClientHello` is read where one segment holds all of it from its first byte on. In two segments, behind another
/// record, with its name or its end beyond the segment, or with a wrong type or length it is not.
#[test]
fn tspu_12_a_client_hello_in_one_segment() {
    fact_pair("TSPU-12", PROFILE, SNI_1, &["sni-1"], |pair| {
        let changed = |at: usize, to: u8| {
            let mut hello = WHATSAPP_HELLO.to_vec();
            hello[at] = to;
            hello
        };
        let change_of_cipher = [&[20, 3, 3, 0, 1, 1][..], WHATSAPP_HELLO].concat();
        let cases: [(&str, &[u8], &[usize], Outcome); 9] = [
            ("whole", WHATSAPP_HELLO, &[], Outcome::Reset),
            ("in two segments", WHATSAPP_HELLO, &[100], Outcome::Answered),
            ("its first byte alone", WHATSAPP_HELLO, &[1], Outcome::Answered),
            ("behind another record", &change_of_cipher, &[], Outcome::Answered),
            ("behind another segment", &change_of_cipher, &[6], Outcome::Reset),
            ("padded", &padded(2000), &[1448], Outcome::Answered),
            ("the record's type", &changed(0, 23), &[], Outcome::Answered),
            ("the message's type", &changed(5, 2), &[], Outcome::Answered),
            ("the record's length", &changed(4, 1), &[], Outcome::Answered),
        ];
        for (what, hello, cuts, expected) in cases {
            let outcome = cut_exchange(pair, hello, cuts);
            check(outcome == expected, &format!("{what}: {outcome:?}"))?;
        }
        Ok(())
    });
}

/// The `ClientHello` with RFC 7685's padding, so long with its record's header.
pub(super) fn padded(length: usize) -> Vec<u8> {
    let more = length - WHATSAPP_HELLO.len();
    let mut hello = WHATSAPP_HELLO.to_vec();
    let data = more - 4;
    hello.extend([0, 21, (data >> 8) as u8, (data & 0xff) as u8]);
    hello.resize(length, 0);
    let extensions = super::extensions_at();
    for place in [3, 7, extensions] {
        let longer = usize::from(u16::from_be_bytes([hello[place], hello[place + 1]])) + more;
        hello[place..place + 2].copy_from_slice(&u16::try_from(longer).expect("short").to_be_bytes());
    }
    hello
}

/// TSPU-13: a server that answers a SYN with a SYN, or offers a window too small for a `ClientHello`, gets past SNI-I; so does
/// a client whose `ClientHello` for another name dies on its way.
#[test]
fn tspu_13_ways_past() {
    let helps: [fn(&mut Pair); 3] =
        [|pair| pair.server.splits_handshakes = true, |pair| pair.server.opening_window = 60, |_| {}];
    for (number, help) in helps.into_iter().enumerate() {
        let mut pair = Pair::new(profile(PROFILE, SNI_1));
        help(&mut pair);
        let connection = pair.connect(443);
        if number == 2 {
            let place = pair.segment(connection);
            let payload = INSTAGRAM_HELLO[..INSTAGRAM_HELLO.len()].to_vec();
            pair.send(Outbound, Segment { ttl: 5, flags: PSH | ACK, payload, ..place }.bytes());
        }
        assert_eq!(pair.exchange(connection, WHATSAPP_HELLO, ANSWER), Outcome::Answered, "{number}");
    }
    let mut pair = Pair::new(profile(PROFILE, SNI_1));
    let connection = pair.connect(443);
    assert_eq!(pair.exchange(connection, WHATSAPP_HELLO, ANSWER), Outcome::Reset);
}

/// TSPU-14: at a miss rate of two in a hundred some of a thousand connections get through, and without one none does.
#[test]
fn tspu_14_some_connections_get_through() {
    let count = |policy: Policy| {
        let mut pair = Pair::new(policy);
        let is_answered = |_: &u32| {
            let connection = pair.connect(443);
            pair.client_sends(connection, WHATSAPP_HELLO);
            settle(&mut pair);
            pair.client.segments(RST).is_empty() || {
                let answered = pair.is_open(connection);
                pair.client.packets.clear();
                answered
            }
        };
        (0..1000).filter(is_answered).count()
    };
    let near_two_percent = |policy| {
        let missed = count(policy);
        check((8..=35).contains(&missed), &format!("{missed} of a thousand got through"))
    };
    fact_case("TSPU-14", PROFILE, &format!("{SNI_1}\nmiss = 0.02"), &["sni-1"], near_two_percent);
    assert_eq!(count(profile(PROFILE, SNI_1)), 0);
}

/// TSPU-12: what hides a name is that segments are not put together; a box that does so sees it.
#[test]
fn tspu_12_segments_are_not_put_together() {
    let joins = |each: &mut roadblock_censor::policy::BoxPolicy| each.tcp.reassembly = Reassembly::Full;
    fact_box("TSPU-12", PROFILE, SNI_1, joins, |policy| {
        let outcome = cut_exchange(&mut Pair::new(policy), WHATSAPP_HELLO, &[100]);
        check(outcome == Outcome::Answered, &format!("{outcome:?}"))
    });
}
