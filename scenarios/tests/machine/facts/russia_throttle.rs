//! Russia: throttling, of Twitter in 2021 and of videos since 2024.

use core::time::Duration;

use super::russia::{ANSWER, cut_exchange, fact_box, seconds, settle};
use super::russia_quic::AIOQUIC;
use super::{INSTAGRAM_HELLO, WHATSAPP_HELLO, hello_for};
use crate::pair::case::{check, fact_case, fact_pair, profile};
use crate::pair::craft::{ACK, FIN, PSH, RST, Segment};
use crate::pair::{Connection, Inbound, Outbound, Outcome, Pair};
use roadblock_censor::Direction;

const PROFILE: &str = "censors/ru-throttle-2021";
const NAMES: &str = "names = [\"twitter.com\"]";
const SOCKS: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/curl-socks5.bin");
const PROXY_REQUEST: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/curl-proxy-request.bin");

/// How many bits a second arrive at the other end of a connection when 420,000 are sent in packets of 1052 bytes, once what
/// may pass at once has passed.
fn rate(pair: &mut Pair, connection: Connection, direction: Direction) -> usize {
    push(pair, connection, direction, 500);
    let before = received(pair, direction);
    push(pair, connection, direction, 1000);
    (received(pair, direction) - before) * 8 / 20
}

/// Sends so many packets of 1052 bytes, fifty a second.
fn push(pair: &mut Pair, connection: Connection, direction: Direction, count: usize) {
    for _ in 0..count {
        let segment = match direction {
            Inbound => pair.at_server(connection).expect("a server").segment(pair.now),
            Outbound => pair.segment(connection),
        };
        // Old data, so that neither end answers with more than an acknowledgement.
        let sequence = segment.sequence.wrapping_sub(1000);
        let segment = Segment { sequence, flags: PSH | ACK, payload: vec![b'x'; 1000], ..segment };
        pair.send(direction, segment.bytes());
        pair.run(Duration::from_millis(20));
    }
}

/// How many bytes of long packets came.
fn received(pair: &Pair, direction: Direction) -> usize {
    let packets = if direction == Inbound { &pair.client.packets } else { &pair.server.packets };
    packets.iter().map(|(_, packet)| packet.len()).filter(|len| *len > 1000).sum()
}

/// Whether less than half of 210 kB arrive within four seconds.
fn is_throttled(pair: &mut Pair, connection: Connection) -> bool {
    let before = received(pair, Inbound);
    push(pair, connection, Inbound, 200);
    received(pair, Inbound) - before < 105_000
}

/// A connection on which the client says these in segments of their own.
fn said(pair: &mut Pair, payloads: &[&[u8]]) -> Connection {
    let connection = pair.connect(443);
    for payload in payloads {
        pair.client_sends(connection, payload);
        settle(pair);
    }
    connection
}

/// RU-THR-1: each direction carries 130 to 150 kbit/s, what is above is lost, and what arrives is not late. Other names are
/// as fast as ever.
#[test]
fn ru_thr_1_policed_to_a_rate() {
    fact_pair("RU-THR-1", PROFILE, NAMES, &["name"], |pair| {
        let connection = said(pair, &[&hello_for("twitter.com")]);
        let other = said(pair, &[INSTAGRAM_HELLO]);
        for direction in [Inbound, Outbound] {
            let slow = rate(pair, connection, direction);
            check((130_000..=150_000).contains(&slow), &format!("{direction:?}: {slow} bit/s"))?;
            let fast = rate(pair, other, direction);
            check(fast > 400_000, &format!("another name, {direction:?}: {fast} bit/s"))?;
        }
        // Packets are sent at even milliseconds and travel for 22.
        let late = |(at, _): &&(roadblock_censor::Instant, Vec<u8>)| at.as_nanos() % 2_000_000 != 0;
        check(pair.client.packets.iter().filter(late).count() == 0, "what arrives is not late")?;
        check(pair.client.segments(RST | FIN).is_empty(), "nobody is reset")
    });
}

/// RU-THR-2: the patterns of each date, and what they hit that was not meant.
#[test]
fn ru_thr_2_patterns_of_three_dates() {
    let cases = [
        ("t.co", [true, true, true]),
        ("reddit.com", [true, false, false]),
        ("microsoft.com", [true, false, false]),
        ("pbs.twimg.com", [true, true, true]),
        ("twitter.com", [true, true, true]),
        ("api.twitter.com", [true, true, true]),
        ("nottwitter.com", [true, true, false]),
        ("t.com", [true, false, false]),
        ("example.com", [false; 3]),
    ];
    for (number, date) in ["03-10", "03-11", "04-02"].into_iter().enumerate() {
        let parameters = format!("names = \"@lists/ru-throttle-2021-{date}\"");
        fact_case("RU-THR-2", PROFILE, &parameters, &["name"], |policy| {
            for (name, expected) in cases {
                let mut pair = Pair::new(policy.clone());
                let connection = said(&mut pair, &[&hello_for(name)]);
                let is = is_throttled(&mut pair, connection);
                check(is == expected[number], &format!("{date}: {name} throttled: {is}"))?;
            }
            Ok(())
        });
    }
}

/// RU-THR-3: behind a first packet that is TLS, SOCKS, a proxy's HTTP or short the `ClientHello` is still found; behind more
/// than a hundred bytes of anything else, though they never arrive, it is not.
#[test]
fn ru_thr_3_what_ends_the_inspection() {
    let never = |each: &mut roadblock_censor::policy::BoxPolicy| each.inspect.unparsable = None;
    fact_box("RU-THR-3", PROFILE, NAMES, never, |policy| {
        let hello = hello_for("twitter.com");
        let cases: [(&str, &[u8], bool); 6] = [
            ("100 bytes", &[0xf0; 100], true),
            ("101 bytes", &[0xf0; 101], false),
            ("SOCKS", SOCKS, true),
            ("a proxy's HTTP", PROXY_REQUEST, true),
            ("TLS", &[20, 3, 3, 0, 1, 1], true),
            ("long TLS", &[&[23, 3, 3, 0, 200][..], &[7; 200]].concat(), true),
        ];
        for (what, first, expected) in cases {
            let mut pair = Pair::new(policy.clone());
            let connection = said(&mut pair, &[first, &hello]);
            check(is_throttled(&mut pair, connection) == expected, what)?;
        }
        let mut pair = Pair::new(policy.clone());
        let connection = pair.connect(443);
        let junk = Segment { ttl: 5, flags: PSH | ACK, payload: vec![0xf0; 200], ..pair.segment(connection) };
        pair.send(Outbound, junk.bytes());
        pair.client_sends(connection, &hello);
        settle(&mut pair);
        check(!is_throttled(&mut pair, connection), "junk that dies on its way")
    });
    fact_pair("RU-THR-3", PROFILE, NAMES, &["name"], |pair| {
        let inward = pair.connect_inward(45_000, 443);
        pair.client_sends(inward, &hello_for("twitter.com"));
        settle(pair);
        check(!is_throttled(pair, inward), "begun outside: not throttled")?;
        let outward = said(pair, &[&hello_for("twitter.com")]);
        check(is_throttled(pair, outward), "begun inside: throttled")
    });
}

/// RU-THR-4: ten idle minutes, and the connection is unknown; one in use is throttled after two hours; FIN and RST change
/// nothing.
#[test]
fn ru_thr_4_ten_idle_minutes() {
    fact_pair("RU-THR-4", PROFILE, NAMES, &["name"], |pair| {
        for (minutes, expected) in [(9, true), (11, false)] {
            let connection = said(pair, &[&hello_for("twitter.com")]);
            pair.run(seconds(minutes * 60));
            check(is_throttled(pair, connection) == expected, &format!("after {minutes} idle minutes"))?;
        }
        let connection = said(pair, &[&hello_for("twitter.com")]);
        for _ in 0..15 {
            pair.run(seconds(8 * 60));
            let keeps = pair.segment(connection).bytes();
            pair.send(Outbound, keeps);
        }
        check(is_throttled(pair, connection), "in use for two hours")?;
        for flags in [FIN | ACK, RST | ACK] {
            let ends = Segment { flags, ttl: 5, ..pair.segment(connection) };
            pair.send(Outbound, ends.bytes());
            check(is_throttled(pair, connection), &format!("{flags:#x} changes nothing"))?;
        }
        Ok(())
    });
    // And before a ClientHello was seen.
    for (minutes, expected) in [(9, true), (11, false)] {
        let mut pair = Pair::new(profile(PROFILE, NAMES));
        let connection = pair.connect(443);
        pair.run(seconds(minutes * 60));
        pair.client_sends(connection, &hello_for("twitter.com"));
        settle(&mut pair);
        assert_eq!(is_throttled(&mut pair, connection), expected, "{minutes} minutes before it");
    }
}

/// RU-THR-5: another record in front in the same segment, two segments, and padding beyond the first segment get past.
#[test]
fn ru_thr_5_ways_past() {
    fact_pair("RU-THR-5", PROFILE, "names = [\"whatsapp.com\"]", &["name"], |pair| {
        let behind = [&[20, 3, 3, 0, 1, 1][..], WHATSAPP_HELLO].concat();
        let padded = super::russia_2022::padded(2000);
        let cases: [(&str, &[u8], &[usize], bool); 4] = [
            ("whole", WHATSAPP_HELLO, &[], true),
            ("another record in front", &behind, &[], false),
            ("two segments", WHATSAPP_HELLO, &[150], false),
            ("padded", &padded, &[1448], false),
        ];
        for (what, hello, cuts, expected) in cases {
            check(cut_exchange(pair, hello, cuts) == Outcome::Answered, "it is answered")?;
            let (port, _) = pair.client.sockets.last_key_value().ok_or("a socket")?;
            let connection = Connection { port: *port };
            check(is_throttled(pair, connection) == expected, what)?;
        }
        Ok(())
    });
}

/// RU-THR-6: what is uploaded above the rate arrives, but later; what is downloaded is untouched.
#[test]
fn ru_thr_6_uploads_wait() {
    fact_pair("RU-THR-6", PROFILE, "shape-uploads = true", &["uploads"], |pair| {
        let connection = pair.connect(8080);
        let since = pair.now;
        // 21 kB at 130 kbit/s take 1.3 seconds.
        for direction in [Outbound, Inbound] {
            for _ in 0..20 {
                let segment = match direction {
                    Inbound => pair.at_server(connection).ok_or("no server")?.segment(pair.now),
                    Outbound => pair.segment(connection),
                };
                let sequence = segment.sequence.wrapping_sub(1000);
                let segment = Segment { sequence, flags: PSH | ACK, payload: vec![b'x'; 1000], ..segment };
                pair.send(direction, segment.bytes());
            }
        }
        pair.run(seconds(5));
        let long = |packets: &[(roadblock_censor::Instant, Vec<u8>)]| {
            let at = packets.iter().filter(|(_, packet)| packet.len() > 1000).map(|(at, _)| at.saturating_since(since));
            at.collect::<Vec<_>>()
        };
        let (up, down) = (long(&pair.server.packets), long(&pair.client.packets));
        check(up.len() == 20 && down.len() == 20, &format!("none is lost: {} and {}", up.len(), down.len()))?;
        let last = up.last().ok_or("none")?.as_millis();
        check((1200..=1400).contains(&last), &format!("the last comes after {last} ms"))?;
        check(down.iter().all(|at| at.as_millis() == 22), "what comes down does not wait")
    });
}

/// RU-YT-1: a name of googlevideo.com is throttled at any server, in TLS and in QUIC; at the same server another name is not.
/// What QUIC's Initial names here is another name of the list, because no captured one is for that.
#[test]
fn ru_yt_1_a_name_at_any_server() {
    let parameters = "media-names = [\"googlevideo.com\", \"youtube.com\", \"www.instagram.com\"]";
    fact_case("RU-YT-1", "censors/tspu-2026", parameters, &["media-name"], |policy| {
        for mut pair in [Pair::new(policy.clone()), super::russia::elsewhere(policy)] {
            for (name, expected) in [
                ("rr4---sn-4g5ednsz.googlevideo.com", true),
                ("www.youtube.com", true),
                ("speedtest.selectel.ru", false),
            ] {
                let connection = said(&mut pair, &[&hello_for(name)]);
                check(is_throttled(&mut pair, connection) == expected, name)?;
            }
            for (first, expected) in [(AIOQUIC, true), (b"another datagram", false)] {
                let port = pair.client.next_port();
                pair.datagram(Outbound, (port, 443), first);
                settle(&mut pair);
                let before = pair.client.datagrams.len();
                for _ in 0..500 {
                    pair.datagram(Inbound, (port, 443), &[7; 1000]);
                    pair.run(Duration::from_millis(20));
                }
                let got = pair.client.datagrams.len() - before;
                check((got < 250) == expected, &format!("QUIC: {got} of 500"))?;
            }
        }
        Ok(())
    });
}

/// RU-THR-1: the answer to what was asked still comes, slowly.
#[test]
fn ru_thr_1_it_still_answers() {
    let mut pair = Pair::new(profile(PROFILE, NAMES));
    let connection = pair.connect(443);
    assert_eq!(pair.exchange(connection, &hello_for("twitter.com"), ANSWER), Outcome::Answered);
}
