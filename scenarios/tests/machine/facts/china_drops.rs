//! China: the boxes of `censors/gfw` that drop: ESNI, QUIC, addresses, relays of Tor; and ports where anything is reset.

use core::time::Duration;

use super::china::{ANSWER, PROFILE, not_far, request, seconds, send, settle};
use super::{INSTAGRAM_HELLO, WHATSAPP_HELLO};
use crate::pair::case::{check, fact_case, fact_pair, profile};
use crate::pair::craft::{ACK, FIN, RST, SYN, Segment};
use crate::pair::{Connection, Inbound, Outbound, Outcome, Pair, SERVER, Seen, Socket};

/// What aioquic sent first for www.instagram.com, in version 1 and version 2.
const INITIAL: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/aioquic-initial-v1.bin");
const INITIAL_V2: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/aioquic-initial-v2.bin");
/// What Chromium sent first for it: a `ClientHello` in many CRYPTO frames in any order, and in two datagrams.
const CHROMIUM: [&[u8]; 2] = [
    include_bytes!("../../../../emulator/censor/tests/data/chromium-initial-1.bin"),
    include_bytes!("../../../../emulator/censor/tests/data/chromium-initial-2.bin"),
];

/// OpenSSL's `ClientHello`, whose `server_name` extension gets this type.
fn with_extension(kind: [u8; 2]) -> Vec<u8> {
    let mut hello = WHATSAPP_HELLO.to_vec();
    let name = hello.windows(16).position(|window| window == b"web.whatsapp.com").expect("a name");
    // Type, length, length of the list, kind of name, length of the name.
    hello[name - 9..name - 7].copy_from_slice(&kind);
    hello
}

/// A `ClientHello` with ESNI.
fn esni() -> Vec<u8> {
    with_extension([0xff, 0xce])
}

/// Sends what the client was given cut at these places, and says how it goes when it says more two seconds later.
fn send_cut(pair: &mut Pair, connection: Connection, bytes: &[u8], cuts: &[usize]) -> Outcome {
    pair.client_takes(connection, bytes);
    for range in pair.cut(connection, cuts) {
        let segment = pair.part(connection, range).bytes();
        pair.send(Outbound, segment);
    }
    pair.run(seconds(2));
    pair.exchange(connection, b"more", ANSWER)
}

/// GFW-ESNI: at any port, the `ClientHello` passes and for a second all else; then what leaves is dropped for 120 or 180
/// seconds, for that port of that server and for every port of the client; what enters passes, nobody is reset, and what the
/// client sends in the meantime makes it last no longer.
#[test]
fn gfw_esni_what_leaves_is_dropped() {
    for last in [120, 180] {
        fact_case("GFW-ESNI", PROFILE, &format!("esni = true\nesni-last = \"{last}s\""), &["esni"], |policy| {
            for port in [443, 1, 65_535] {
                let pair = &mut Pair::new(policy.clone());
                let connection = pair.connect(port);
                pair.client_sends(connection, &esni());
                let began = pair.now;
                pair.run(Duration::from_millis(900));
                pair.client_sends(connection, b"within a second");
                settle(pair);
                let passed = [&esni()[..], b"within a second"].concat();
                let server = |pair: &Pair| pair.at_server(connection).map(Socket::stream);
                check(server(pair) == Some(passed.clone()), "what leaves within a second arrives")?;
                pair.run(began + Duration::from_millis(1200) - pair.now);
                pair.client_sends(connection, b"later");
                pair.server_sends(connection, b"from outside");
                pair.run(seconds(30));
                check(server(pair) == Some(passed), "what leaves later does not")?;
                check(pair.at_client(connection).stream() == b"from outside", "what enters does")?;
                check(pair.client.segments(RST).is_empty() && pair.server.segments(RST).is_empty(), "nobody is reset")?;
                let other = pair.connect(8443);
                check(pair.exchange(other, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, "another port")?;
                for wait in [last / 2, last - 1] {
                    pair.run(began + seconds(wait) - pair.now);
                    let port_again = pair.connect(port);
                    check(!pair.is_open(port_again), &format!("{wait} s: a connection from another port"))?;
                }
                // Not refreshed by what was tried in the meantime.
                pair.run(began + seconds(last + 2) - pair.now);
                let late = pair.connect(port);
                check(pair.exchange(late, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, &format!("{last} s"))?;
            }
            Ok(())
        });
    }
}

/// GFW-ESNI: only the extension 0xffce counts, not those of later drafts.
#[test]
fn gfw_esni_of_one_draft() {
    for kind in [[0xff, 0x02], [0xff, 0x03], [0xff, 0x04], [0xfe, 0x0d]] {
        let mut pair = Pair::new(profile(PROFILE, "esni = true"));
        let connection = pair.connect(443);
        let outcome = send_cut(&mut pair, connection, &with_extension(kind), &[]);
        assert_eq!(outcome, Outcome::Answered, "{kind:x?}");
    }
}

/// GFW-ESNI: a first segment of four bytes gets past, one of five does not.
#[test]
fn gfw_esni_four_bytes_first() {
    fact_pair("GFW-ESNI", PROFILE, "esni = true", &["esni", "esni-short-beginning"], |pair| {
        for (first, expected) in [(4, Outcome::Answered), (1, Outcome::Answered), (5, Outcome::Silence)] {
            let connection = pair.connect(443);
            let outcome = send_cut(pair, connection, &esni(), &[first]);
            check(outcome == expected, &format!("{first} bytes: {outcome:?}"))?;
        }
        Ok(())
    });
}

/// GFW-ESNI-HS: without a whole handshake a `ClientHello` with ESNI does nothing; only that there is an acknowledgement counts,
/// not its number. One without any name passes.
#[test]
fn gfw_esni_hs_a_whole_handshake() {
    fact_case("GFW-ESNI-HS", PROFILE, "esni = true", &["esni"], |policy| {
        let naked = |with_syn: bool, with_answer: bool, with_ack: bool| {
            let mut pair = Pair::new(policy.clone());
            let connection = pair.connect(8443);
            let segment = pair.segment(connection);
            let segment =
                Segment { source: (segment.source.0, 50_000), destination: (segment.destination.0, 443), ..segment };
            let first = segment.sequence.wrapping_sub(1);
            if with_syn {
                pair.send(
                    Outbound,
                    Segment { flags: SYN, sequence: first, acknowledgement: 0, ..segment.clone() }.bytes(),
                );
            }
            if with_answer {
                let (source, destination) = (segment.destination, segment.source);
                let sequence = segment.acknowledgement.wrapping_sub(1);
                let answer = Segment {
                    source,
                    destination,
                    sequence,
                    acknowledgement: segment.sequence,
                    flags: SYN | ACK,
                    ..segment.clone()
                };
                settle(&mut pair);
                pair.send(Inbound, answer.bytes());
            }
            settle(&mut pair);
            if with_ack {
                pair.send(Outbound, not_far(Segment { acknowledgement: 4242, flags: ACK, ..segment.clone() }).bytes());
            }
            settle(&mut pair);
            pair.send(Outbound, not_far(Segment { payload: esni(), ..segment }).bytes());
            settle(&mut pair);
            pair.story().iter().any(|line| line.contains("censor/esni "))
                || pair.story().iter().any(|line| line.contains("/esni "))
        };
        check(!naked(false, false, false), "nothing before it")?;
        check(!naked(true, false, false), "a SYN alone")?;
        check(!naked(true, true, false), "no acknowledgement")?;
        check(naked(true, true, true), "a handshake, with whatever number in its acknowledgement")?;
        let mut pair = Pair::new(policy.clone());
        let connection = pair.connect(443);
        let outcome = send_cut(&mut pair, connection, &with_extension([0xfa, 0xfa]), &[]);
        check(outcome == Outcome::Answered, &format!("without a name: {outcome:?}"))
    });
}

/// GFW-QUIC-1: from the first datagram on nothing more is let out to that port of the server, from whatever port, for 180
/// seconds; what enters passes.
#[test]
fn gfw_quic_1_what_leaves_is_dropped() {
    fact_pair("GFW-QUIC-1", PROFILE, "quic = [\"instagram.com\"]", &["quic"], |pair| {
        pair.datagram(Outbound, (50_000, 443), INITIAL);
        let began = pair.now;
        settle(pair);
        check(pair.server.datagrams.len() == 1, "the Initial arrives")?;
        pair.run(seconds(1));
        for (port, to) in [(50_000, 443), (60_000, 443)] {
            pair.datagram(Outbound, (port, to), b"later");
        }
        pair.datagram(Inbound, (50_000, 443), b"from outside");
        settle(pair);
        check(pair.server.datagrams.len() == 1, "what leaves later does not, from other ports either")?;
        check(pair.client.datagrams.len() == 1, "what enters does")?;
        pair.datagram(Outbound, (50_000, 8443), b"another port");
        settle(pair);
        check(pair.server.datagrams.len() == 2, "nor is another port touched")?;
        let connection = pair.connect(443);
        check(pair.is_open(connection), "nor TCP")?;
        pair.run(began + seconds(179) - pair.now);
        pair.datagram(Outbound, (50_000, 443), b"early");
        settle(pair);
        check(pair.server.datagrams.len() == 2, "not over at 179 s")?;
        pair.run(began + seconds(182) - pair.now);
        pair.datagram(Outbound, (50_000, 443), b"late");
        settle(pair);
        check(pair.server.datagrams.len() == 3, "over after 180 s and not refreshed")
    });
}

/// GFW-QUIC-1: only where the client's port is above the server's, only from inside, only in a flow's first datagram and that of
/// a flow that was silent for 60 seconds, only version 1, and only in one CRYPTO frame.
#[test]
fn gfw_quic_1_what_is_spared() {
    let is_blocked = |lead: &[(Duration, &[u8])], ports: (u16, u16), initials: &[&[u8]]| {
        let mut pair = Pair::new(profile(PROFILE, "quic = [\"instagram.com\"]"));
        for (pause, bytes) in lead {
            pair.datagram(Outbound, ports, bytes);
            pair.run(*pause);
        }
        for initial in initials {
            pair.datagram(Outbound, ports, initial);
        }
        pair.run(seconds(2));
        let before = pair.server.datagrams.len();
        pair.datagram(Outbound, ports, b"more");
        settle(&mut pair);
        pair.server.datagrams.len() == before
    };
    assert!(is_blocked(&[], (65_000, 443), &[INITIAL]));
    assert!(!is_blocked(&[], (4000, 5000), &[INITIAL]), "the client's port below the server's");
    assert!(!is_blocked(&[], (443, 443), &[INITIAL]), "or the same");
    assert!(is_blocked(&[], (5001, 5000), &[INITIAL]), "above by one");
    let junk: &[u8] = b"any other datagram";
    assert!(!is_blocked(&[(seconds(1), junk)], (65_000, 443), &[INITIAL]), "a datagram of junk first");
    assert!(!is_blocked(&[(seconds(59), junk)], (65_000, 443), &[INITIAL]), "and 59 s");
    assert!(is_blocked(&[(seconds(61), junk)], (65_000, 443), &[INITIAL]), "and 61 s: forgotten");
    assert!(!is_blocked(&[], (65_000, 443), &[INITIAL_V2]), "version 2");
    assert!(!is_blocked(&[], (65_000, 443), &CHROMIUM), "in many frames and two datagrams");

    let mut pair = Pair::new(profile(PROFILE, "quic = [\"instagram.com\"]"));
    pair.datagram(Inbound, (443, 65_000), INITIAL);
    pair.run(seconds(2));
    pair.datagram(Inbound, (443, 65_000), b"more");
    settle(&mut pair);
    assert_eq!((pair.client.datagrams.len(), pair.story().len()), (2, 0), "from outside");
}

/// GFW-QUIC-3: it comes late, so that a whole handshake may be over before; and at the busy time of the day fewer flows are
/// caught.
#[test]
fn gfw_quic_3_late_and_weaker_by_the_hour() {
    let parameters = "quic = [\"instagram.com\"]\nquic-delay = \"800ms\"\nquic-chance = 0.9\nquic-peak-chance = 0.3";
    fact_case("GFW-QUIC-3", PROFILE, parameters, &["quic", "quic-peak"], |policy| {
        let mut caught = [0, 0];
        for (place, hours) in [3, 18].into_iter().enumerate() {
            let pair = &mut Pair::new(policy.clone());
            pair.run(seconds(hours * 3600));
            for port in 1000..1100 {
                pair.datagram(Outbound, (50_000, port), INITIAL);
                pair.run(Duration::from_millis(700));
                let before = pair.server.datagrams.len();
                pair.datagram(Outbound, (50_000, port), b"within the delay");
                pair.run(Duration::from_millis(50));
                check(pair.server.datagrams.len() == before + 1, "what leaves at once arrives")?;
                pair.run(Duration::from_millis(200));
                pair.datagram(Outbound, (50_000, port), b"later");
                pair.run(Duration::from_millis(50));
                caught[place] += usize::from(pair.server.datagrams.len() == before + 1);
            }
        }
        check((80..=98).contains(&caught[0]), &format!("{caught:?} of 100 in the night"))?;
        check((15..=45).contains(&caught[1]), &format!("{caught:?} of 100 in the evening"))
    });
}

/// GFW-IP: nothing gets to a blocked address, over any protocol; what comes from there does.
#[test]
fn gfw_ip_nothing_is_let_out() {
    fact_pair("GFW-IP", PROFILE, &format!("ip-drop = [\"{SERVER}/32\"]"), &["ip-drop"], |pair| {
        let connection = pair.connect(443);
        pair.datagram(Outbound, (5000, 5001), b"to");
        pair.datagram(Inbound, (5000, 5001), b"from");
        pair.run(seconds(300));
        check(pair.server.packets.is_empty(), "nothing arrives")?;
        check(pair.client.datagrams.len() == 1, "what comes from there does")?;
        let seen = &pair.at_client(connection).seen;
        check(seen.first().is_some_and(|(_, seen)| *seen == Seen::TimedOut), "connecting times out")
    });
}

/// GFW-IP: a relay of Tor gets the SYN, and its SYN/ACK does not come back, from that address and port alone.
#[test]
fn gfw_ip_a_relays_answer_does_not_come_back() {
    let parameters = format!("tor = [\"{SERVER}/32\"]\ntor-ports = [9001]");
    fact_pair("GFW-IP", PROFILE, &parameters, &["tor-syn-ack"], |pair| {
        let relay = pair.begin(50_000, 9001);
        pair.run(seconds(20));
        check(!pair.is_open(relay), "no connection")?;
        check(pair.server.segments(SYN).len() >= 3, "the relay gets SYN after SYN")?;
        check(pair.client.segments(SYN).is_empty(), "and no SYN/ACK comes back")?;
        let other = pair.connect(443);
        check(pair.exchange(other, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, "another port of it")
    });
}

/// GFW-PORT: at one address and port SYN and empty segments are left alone, and the first payload is reset, be it one letter;
/// what it says does not matter, and other ports and addresses do not.
#[test]
fn gfw_port_the_first_byte_is_reset() {
    let parameters = format!("port-reset = [\"{SERVER}/32\"]");
    fact_pair("GFW-PORT", PROFILE, &parameters, &["port-reset"], |pair| {
        for bytes in [b"a", INSTAGRAM_HELLO, &request("/", "ok.example")] {
            let connection = pair.connect(443);
            let empty = Segment { flags: ACK, ..pair.segment(connection) };
            send(pair, &empty);
            pair.run(seconds(5));
            check(pair.is_open(connection), "a handshake and empty segments")?;
            check(pair.exchange(connection, bytes, ANSWER) == Outcome::Reset, "the first payload")?;
        }
        let connection = pair.connect(8443);
        check(pair.exchange(connection, b"a", ANSWER) == Outcome::Answered, "another port")
    });
    let mut pair = Pair::between(profile(PROFILE, &parameters), "94.25.168.10", "198.51.100.7");
    let connection = pair.connect(443);
    assert_eq!(pair.exchange(connection, b"a", ANSWER), Outcome::Answered, "another address");
}

/// GFW-VOL: a connection is cut once it had so much, and its ends are kept apart for half an hour.
#[test]
fn gfw_vol_much_cuts_a_connection() {
    let parameters = format!("volume = [\"{SERVER}/32\"]\nvolume-after = \"1MB\"");
    fact_pair("GFW-VOL", PROFILE, &parameters, &["volume"], |pair| {
        let connection = pair.connect(443);
        check(pair.exchange(connection, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, "at first it is answered")?;
        let so_far = pair.at_client(connection).stream().len();
        let chunk = vec![7; 50_000];
        for _ in 0..24 {
            pair.server_sends(connection, &chunk);
            settle(pair);
        }
        let got = pair.at_client(connection).stream().len() - so_far;
        check((900_000..1_000_000).contains(&got), &format!("{got} bytes"))?;
        let began = pair.now;
        pair.run(seconds(29 * 60));
        let early = pair.connect(8443);
        check(!pair.is_open(early), "kept apart, at any port")?;
        pair.run(began + seconds(31 * 60) - pair.now);
        let late = pair.connect(443);
        check(pair.exchange(late, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, "over after half an hour")?;
        check(pair.client.segments(RST | FIN).is_empty(), "and nobody said a word")
    });
}
