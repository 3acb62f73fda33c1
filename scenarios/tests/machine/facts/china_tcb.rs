//! China: what the boxes of `censors/gfw` take for a connection, and what misleads them.

use core::time::Duration;

use roadblock_censor::wire::fragment;

use super::china::{ANSWER, PROFILE, bytes_at, not_far, request, resets, resets_after, seconds, send, settle};
use crate::pair::case::{check, fact_case, fact_pair, profile};
use crate::pair::craft::{ACK, FIN, MD5, PSH, RST, SYN, Segment, URG};
use crate::pair::{Connection, Inbound, Outbound, Outcome, Pair};

const FALUN: &str = "http-keywords = [\"falun\"]\nhttp-chance = 1.0\nhttp-hits = 0.0";

fn listed() -> Vec<u8> {
    request("/?falun", "ok.example")
}

/// As long as the listed one, and harmless.
fn harmless() -> Vec<u8> {
    request("/?lotus", "ok.example")
}

/// How a listed request goes after this was done on its connection.
fn after(pair: &mut Pair, what: impl Fn(&mut Pair, Connection)) -> Outcome {
    let connection = pair.connect(80);
    what(pair, connection);
    let outcome = pair.exchange(connection, &listed(), ANSWER);
    // What it left behind is over.
    pair.run(seconds(100));
    outcome
}

/// The segment that makes a box which is unsure believe in another place of the stream.
fn desynchronise(pair: &mut Pair, connection: Connection) {
    let segment = not_far(bytes_at(pair, connection, 5000, b"nothing"));
    send(pair, &segment);
}

/// GFW-TCB-1: a SYN/ACK alone begins a flow: a request behind it is read though no SYN was seen.
#[test]
fn gfw_tcb_1_a_syn_ack_begins_a_flow() {
    fact_pair("GFW-TCB-1", PROFILE, FALUN, &["http-keyword"], |pair| {
        let connection = pair.connect(8080);
        // The client knows nothing of it, and its refusals would end the flow.
        pair.client.lets_through = |_| false;
        for begins in [false, true] {
            let segment = pair.segment(connection);
            let port = if begins { 45_001 } else { 45_000 };
            let segment =
                Segment { source: (segment.source.0, port), destination: (segment.destination.0, 80), ..segment };
            if begins {
                let answer = Segment {
                    source: segment.destination,
                    destination: segment.source,
                    sequence: segment.acknowledgement.wrapping_sub(1),
                    acknowledgement: segment.sequence,
                    flags: SYN | ACK,
                    ..segment.clone()
                };
                pair.send(Inbound, answer.bytes());
            }
            settle(pair);
            let count = resets(&pair.server.packets).len();
            pair.send(Outbound, Segment { flags: PSH | ACK, payload: listed(), ..segment }.bytes());
            settle(pair);
            let is_reset =
                resets(&pair.server.packets).iter().skip(count).filter(|(reset, _)| reset.has(ACK)).count() == 3;
            check(is_reset == begins, &format!("begun: {begins}, reset: {is_reset}"))?;
        }
        Ok(())
    });
}

/// GFW-TCB-1: after a second SYN, a second SYN/ACK, or a SYN/ACK that acknowledges something else, the client's next segment
/// says where in the stream the box is: one of another place loses it, and without one the request itself is read.
#[test]
fn gfw_tcb_1_resynchronised() {
    type Doubt = fn(&mut Pair, Connection);
    let second_syn: Doubt = |pair, connection| {
        let segment = bytes_at(pair, connection, 500_000, b"");
        send(pair, &not_far(Segment { flags: SYN, acknowledgement: 0, ..segment }));
    };
    let second_answer: Doubt = |pair, connection| answer(pair, connection, 0);
    let bad_answer: Doubt = |pair, connection| answer(pair, connection, 4242);
    fact_pair("GFW-TCB-1", PROFILE, FALUN, &["http-keyword"], |pair| {
        for (what, doubt) in [("SYN", second_syn), ("SYN/ACK", second_answer), ("bad SYN/ACK", bad_answer)] {
            let outcome = after(pair, |pair, connection| {
                doubt(pair, connection);
                desynchronise(pair, connection);
            });
            check(outcome == Outcome::Answered, &format!("{what} and another place: {outcome:?}"))?;
            let outcome = after(pair, doubt);
            check(outcome == Outcome::Reset, &format!("{what} alone: {outcome:?}"))?;
        }
        let outcome = after(pair, desynchronise);
        check(outcome == Outcome::Reset, &format!("another place alone: {outcome:?}"))
    });
}

/// A SYN/ACK in the server's name that does not get to the client.
fn answer(pair: &mut Pair, connection: Connection, off: u32) {
    let segment = pair.segment(connection);
    let forged = Segment {
        source: segment.destination,
        destination: segment.source,
        sequence: segment.acknowledgement.wrapping_sub(1),
        acknowledgement: pair.at_client(connection).first_sequence.wrapping_add(1 + off),
        flags: SYN | ACK,
        ttl: 11,
        ..segment
    };
    pair.send(Inbound, forged.bytes());
    settle(pair);
}

/// GFW-TCB-1: the box for TLS is made unsure by a RST too. (Half of the time, as was measured; here always.)
#[test]
fn gfw_tcb_1_a_reset_makes_unsure() {
    let hello = super::WHATSAPP_HELLO;
    fact_case("GFW-TCB-1", PROFILE, "sni = [\"whatsapp.com\"]", &["sni-1"], |policy| {
        let mut pair = Pair::new(policy);
        for (is_lost, expected) in [(true, Outcome::Answered), (false, Outcome::Reset)] {
            let connection = pair.connect(443);
            let reset = Segment { flags: RST, ..pair.segment(connection) };
            send(&mut pair, &not_far(reset));
            if is_lost {
                desynchronise(&mut pair, connection);
            }
            let outcome = pair.exchange(connection, hello, ANSWER);
            check(outcome == expected, &format!("another place: {is_lost}: {outcome:?}"))?;
        }
        Ok(())
    });
}

/// GFW-TCB-2: a harmless request that the server throws away, for its checksum, an MD5 option that nobody asked for, or because
/// it does not get there, is what the box takes for the connection's.
#[test]
fn gfw_tcb_2_insertion() {
    type Change = fn(Segment) -> Segment;
    let changes: [(&str, Change); 4] = [
        ("low TTL", not_far),
        ("bad checksum", |segment| Segment { bad_checksum: true, ..segment }),
        ("MD5", |segment| segment.with_option(&MD5)),
        ("no flags", |segment| Segment { flags: 0, ..segment }),
    ];
    fact_pair("GFW-TCB-2", PROFILE, FALUN, &["http-keyword"], |pair| {
        check(after(pair, |_, _| ()) == Outcome::Reset, "without")?;
        for (what, change) in changes {
            let outcome = after(pair, |pair, connection| {
                let fake = change(bytes_at(pair, connection, 0, &harmless()));
                send(pair, &fake);
            });
            check(outcome == Outcome::Answered, &format!("{what}: {outcome:?}"))?;
        }
        Ok(())
    });
}

/// GFW-TCB-2: a reset that the server ignores ends the box's watching, also among flags that no end sends together; a FIN does
/// not, nor does a SYN with other numbers.
#[test]
fn gfw_tcb_2_teardown() {
    type Change = fn(Segment) -> Segment;
    let resets: [(&str, Change, Outcome); 6] = [
        ("RST, low TTL", |segment| not_far(Segment { flags: RST, ..segment }), Outcome::Answered),
        ("RST, bad checksum", |segment| Segment { flags: RST, bad_checksum: true, ..segment }, Outcome::Answered),
        ("RST, MD5", |segment| Segment { flags: RST, ..segment }.with_option(&MD5), Outcome::Answered),
        (
            "FRAPU, low TTL",
            |segment| not_far(Segment { flags: FIN | RST | ACK | PSH | URG, ..segment }),
            Outcome::Answered,
        ),
        ("FIN, low TTL", |segment| not_far(Segment { flags: FIN | ACK, ..segment }), Outcome::Reset),
        ("SYN, low TTL", |segment| not_far(Segment { flags: SYN, sequence: 7, ..segment }), Outcome::Reset),
    ];
    fact_pair("GFW-TCB-2", PROFILE, FALUN, &["http-keyword"], |pair| {
        for (what, change, expected) in resets {
            let outcome = after(pair, |pair, connection| {
                let fake = change(pair.segment(connection));
                send(pair, &fake);
            });
            check(outcome == expected, &format!("{what}: {outcome:?}"))?;
        }
        Ok(())
    });
}

/// GFW-TCB-3: of two copies of a fragment the first counts, and of two copies of a segment the later.
#[test]
fn gfw_tcb_3_overlaps() {
    fact_pair("GFW-TCB-3", PROFILE, FALUN, &["http-keyword"], |pair| {
        // In fragments: the one with the word, twice, once with it and once without.
        for (is_first, port) in [(true, 80), (false, 81)] {
            let connection = pair.connect(port);
            let pieces = |bytes: &[u8]| {
                let whole = bytes_at(pair, connection, 0, bytes).bytes();
                fragment::split(&whole, &[32, 72], 7).expect("three pieces")
            };
            let (listed, harmless) = (pieces(&listed()), pieces(&harmless()));
            assert_ne!(listed[1], harmless[1], "the word is in the second");
            let (one, other) = if is_first { (&listed, &harmless) } else { (&harmless, &listed) };
            for piece in [&one[1], &other[1], &one[2], &listed[0]] {
                pair.send(Outbound, piece.clone());
            }
            let count = resets(&pair.client.packets).len();
            settle(pair);
            let is_reset = resets(&pair.client.packets).len() > count;
            check(is_reset == is_first, &format!("fragments, the word first: {is_first}: {is_reset}"))?;
        }
        for (is_first, port) in [(true, 82), (false, 83)] {
            let connection = pair.connect(port);
            let (one, other) = if is_first { (listed(), harmless()) } else { (harmless(), listed()) };
            let count = resets(&pair.client.packets).len();
            for (place, bytes) in [(4, &one[4..]), (4, &other[4..]), (0, &one[..4])] {
                let segment = bytes_at(pair, connection, place, bytes);
                send(pair, &segment);
            }
            let is_reset = resets(&pair.client.packets).len() > count;
            check(is_reset != is_first, &format!("segments, the word first: {is_first}: {is_reset}"))?;
        }
        Ok(())
    });
}

/// GFW-TCB-3: a hole of a kilobyte is borne, and a larger one is not.
#[test]
fn gfw_tcb_3_a_hole_of_a_kilobyte() {
    fact_pair("GFW-TCB-3", PROFILE, FALUN, &["http-keyword"], |pair| {
        for (hole, is_reset) in [(1000, true), (1001, false)] {
            let bytes = request(&format!("/?{}falun", "a".repeat(1100)), "ok.example");
            let connection = pair.connect(80);
            let count = resets(&pair.client.packets).len();
            for (place, range) in [(hole, hole as usize..bytes.len()), (0, 0..hole as usize)] {
                let segment = bytes_at(pair, connection, place, &bytes[range]);
                send(pair, &segment);
            }
            let hit = resets(&pair.client.packets).len() > count;
            check(hit == is_reset, &format!("a hole of {hole} bytes: {hit}"))?;
            pair.run(seconds(100));
        }
        Ok(())
    });
}

/// GFW-TCB-3: a connection is remembered for ten hours of silence, and one with a hole for an hour.
#[test]
fn gfw_tcb_3_hours() {
    fact_pair("GFW-TCB-3", PROFILE, FALUN, &["http-keyword"], |pair| {
        for (pause, is_reset) in [(9 * 3600 + 3500, true), (10 * 3600 + 100, false)] {
            let connection = pair.connect(80);
            pair.run(seconds(pause));
            let outcome = pair.exchange(connection, &listed(), ANSWER);
            check((outcome == Outcome::Reset) == is_reset, &format!("{pause} s: {outcome:?}"))?;
            pair.run(seconds(100));
        }
        for (pause, is_reset) in [(59 * 60, true), (61 * 60, false)] {
            let connection = pair.connect(80);
            let bytes = listed();
            let late = bytes_at(pair, connection, 4, &bytes[4..]);
            send(pair, &late);
            pair.run(seconds(pause));
            let count = resets(&pair.client.packets).len();
            let early = bytes_at(pair, connection, 0, &bytes[..4]);
            send(pair, &early);
            let hit = resets(&pair.client.packets).len() > count;
            check(hit == is_reset, &format!("a hole for {pause} s: {hit}"))?;
            pair.run(seconds(100));
        }
        Ok(())
    });
}

/// GFW-TCB-4: a SYN and a request with the number after it suffice; nobody has to answer the SYN.
#[test]
fn gfw_tcb_4_without_a_handshake() {
    fact_pair("GFW-TCB-4", PROFILE, FALUN, &["http-keyword"], |pair| {
        pair.server.lets_through = |_| false;
        let connection = pair.begin(50_000, 80);
        pair.run(Duration::from_millis(100));
        let request = bytes_at(pair, connection, 0, &listed());
        send(pair, &Segment { acknowledgement: 0, ..request });
        check(resets(&pair.client.packets).len() == 4, "the client is reset")?;
        check(resets(&pair.server.packets).len() == 4, "and the server, which never answered")
    });
}

/// GFW-TCB-4: a request with neither SYN nor SYN/ACK before it is nobody's.
#[test]
fn gfw_tcb_4_not_without_a_syn() {
    let mut pair = Pair::new(profile(PROFILE, FALUN));
    let connection = pair.connect(8080);
    let segment = bytes_at(&pair, connection, 0, &listed());
    send(
        &mut pair,
        &Segment { source: (segment.source.0, 50_000), destination: (segment.destination.0, 80), ..segment },
    );
    assert!(pair.story().is_empty(), "{:?}", pair.story());
    assert!(resets_after(&mut pair, 80, &listed()) > 0);
}
