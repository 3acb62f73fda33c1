//! India: Airtel, Jio, Vodafone and Idea, ACT.

use core::time::Duration;

use super::tools::{ANSWER, INSTAGRAM_REQUEST, get, query, seconds, send_cut, settle, stray};
use super::{INSTAGRAM_HELLO, WHATSAPP_HELLO};
use crate::pair::case::{check, fact_case, fact_pair, profile};
use crate::pair::craft::{ACK, FIN, PSH, RST, Segment};
use crate::pair::{Outbound, Outcome, Pair};

const CLIENT: &str = "122.160.10.10";
const LISTED: &str = "http = [\"instagram.com\"]";

fn identification(packet: &[u8]) -> u16 {
    u16::from_be_bytes([packet[4], packet[5]])
}

/// IN-1: Airtel's page comes with a FIN and is followed by a reset, both with the identification 242; the request arrives all
/// the same, and the true answer comes too late.
#[test]
fn in_1_a_page_from_beside_the_path() {
    fact_pair("IN-1", "censors/airtel", LISTED, &["http"], |pair| {
        let connection = pair.connect(80);
        let before = pair.client.packets.len();
        check(pair.exchange(connection, INSTAGRAM_REQUEST, ANSWER) == Outcome::Reset, "a reset in the end")?;
        check(pair.at_client(connection).stream().starts_with(b"HTTP/1.1 200 OK\r\n"), "a page")?;
        let server = pair.at_server(connection).ok_or("no server")?;
        check(server.stream() == INSTAGRAM_REQUEST && server.seen.is_empty(), "the server knows of nothing")?;
        let packets: Vec<&[u8]> = pair.client.packets[before..].iter().map(|(_, packet)| &packet[..]).collect();
        let [page, reset, true_ones @ ..] = &packets[..] else { return Err("two packets".to_owned()) };
        check((page[33], reset[33]) == (FIN | PSH | ACK, RST | ACK), "FIN first, then RST")?;
        check([page, reset].iter().all(|packet| identification(packet) == 242), "the identification")?;
        check(true_ones.iter().any(|packet| packet.ends_with(ANSWER)), "the true answer comes late")
    });
}

/// IN-1: only on port 80, only after a handshake, and not after a pause of two to three minutes.
#[test]
fn in_1_where_and_when_it_looks() {
    fact_case("IN-1", "censors/airtel", LISTED, &["http"], |policy| {
        let ask = |port, pause, request: &[u8]| {
            let mut pair = Pair::new(policy.clone());
            let connection = pair.connect(port);
            pair.run(seconds(pause));
            pair.exchange(connection, request, ANSWER)
        };
        check(ask(8080, 0, INSTAGRAM_REQUEST) == Outcome::Answered, "another port")?;
        check(ask(80, 0, &get("other.example")) == Outcome::Answered, "another host")?;
        check(ask(80, 120, INSTAGRAM_REQUEST) == Outcome::Reset, "after two minutes")?;
        check(ask(80, 180, INSTAGRAM_REQUEST) == Outcome::Answered, "after three")?;
        let mut pair = Pair::new(policy.clone());
        let packet = stray(&pair, (41_000, 80), PSH | ACK, INSTAGRAM_REQUEST).bytes();
        pair.send(Outbound, packet);
        pair.run(Duration::from_millis(10));
        check(pair.client.packets.is_empty(), "without a handshake")
    });
}

/// IN-1: where the box is slower than the server, the true answer wins.
#[test]
fn in_1_the_race() {
    for (after, expected) in [("0ms", &b"HTTP/1.1 200 OK\r\n"[..]), ("100ms", ANSWER)] {
        let mut pair = Pair::new(profile("censors/airtel", &format!("{LISTED}\nafter = \"{after}\"")));
        let connection = pair.connect(80);
        pair.client_sends(connection, INSTAGRAM_REQUEST);
        pair.run(Duration::from_millis(30));
        pair.server_sends(connection, ANSWER);
        settle(&mut pair);
        assert!(pair.at_client(connection).stream().starts_with(expected), "{after}");
    }
}

/// IN-1: Geneva's strategies: a request in two segments, and a stutter, whose first copy ends early for the box and is thrown
/// away by the server.
#[test]
fn in_1_segments_and_stutter() {
    fact_case("IN-1", "censors/airtel", LISTED, &["http"], |policy| {
        let ask = |technique: fn(&mut Pair, crate::pair::Connection)| {
            let mut pair = Pair::new(policy.clone());
            let connection = pair.connect(80);
            pair.client_takes(connection, INSTAGRAM_REQUEST);
            technique(&mut pair, connection);
            pair.answer(connection, INSTAGRAM_REQUEST, ANSWER)
        };
        check(ask(|pair, connection| send_cut(pair, connection, &[])) == Outcome::Reset, "as it is")?;
        check(ask(|pair, connection| send_cut(pair, connection, &[8])) == Outcome::Answered, "in segments")?;
        let stutter = ask(|pair, connection| {
            let whole = pair.part(connection, 0..INSTAGRAM_REQUEST.len());
            let length = i32::try_from(whole.bytes().len()).expect("short");
            pair.send(Outbound, Segment { length_error: 64 - length, ..whole }.bytes());
            send_cut(pair, connection, &[]);
        });
        check(stutter == Outcome::Answered, &format!("a stutter: {stutter:?}"))
    });
}

/// IN-2: the server gets a reset instead of the request, and the client a page. Another case of the field, more spaces, or
/// another host before it get through.
#[test]
fn in_2_the_request_is_swallowed() {
    fact_case("IN-2", "censors/vodafone-idea", LISTED, &["http"], |policy| {
        let mut pair = Pair::new(policy.clone());
        let connection = pair.connect(80);
        pair.exchange(connection, INSTAGRAM_REQUEST, ANSWER);
        check(pair.at_client(connection).stream().starts_with(b"HTTP/1.1 200 OK\r\n"), "a page")?;
        check(!pair.client.segments(FIN).is_empty() && pair.client.segments(RST).is_empty(), "with a FIN")?;
        let server = pair.at_server(connection).ok_or("no server")?;
        check(server.stream().is_empty() && !pair.server.segments(RST).is_empty(), "the server is reset")?;
        let ask = |request: &str| {
            let mut pair = Pair::new(policy.clone());
            let connection = pair.connect(80);
            pair.exchange(connection, request.as_bytes(), ANSWER)
        };
        for request in [
            "GET / HTTP/1.1\r\nHOst: instagram.com\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: instagram.com\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:  instagram.com\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: other.example\r\nHost: instagram.com\r\n\r\n",
        ] {
            check(ask(request) == Outcome::Answered, request)?;
        }
        Ok(())
    });
}

/// IN-2: Jio resets the client of a request from beside the path.
#[test]
fn in_2_jio_resets() {
    fact_pair("IN-2", "censors/jio", LISTED, &["http"], |pair| {
        let connection = pair.connect(80);
        check(pair.exchange(connection, INSTAGRAM_REQUEST, ANSWER) == Outcome::Reset, "a reset")?;
        let server = pair.at_server(connection).ok_or("no server")?;
        check(server.stream() == INSTAGRAM_REQUEST && server.seen.is_empty(), "the server knows of nothing")
    });
}

/// IN-3: the client alone is reset after its `ClientHello`, by RST at Jio and RST/ACK at Airtel; the server gets the hello. It
/// depends on the server, too.
#[test]
fn in_3_a_reset_to_the_client() {
    let profiles = [("censors/jio", RST, "\nsni-servers = [\"157.240.0.0/16\"]"), ("censors/airtel", RST | ACK, "")];
    for (id, flags, more) in profiles {
        fact_case("IN-3", id, &format!("sni = [\"whatsapp.com\"]{more}"), &["sni"], |policy| {
            let mut pair = Pair::new(policy.clone());
            let connection = pair.connect(443);
            check(pair.is_open(connection), "the handshake passes")?;
            check(pair.exchange(connection, WHATSAPP_HELLO, ANSWER) == Outcome::Reset, "a reset")?;
            let resets = pair.client.segments(RST);
            check(resets.len() == 1 && resets[0].flags == flags, &format!("{resets:?}"))?;
            let server = pair.at_server(connection).ok_or("no server")?;
            check(server.stream() == WHATSAPP_HELLO, "the server got the hello")?;
            check(pair.server.segments(RST).is_empty(), "and no reset")?;
            let again = pair.connect(443);
            check(pair.exchange(again, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, "another name")?;
            let mut other = Pair::between(policy, CLIENT, "1.1.1.1");
            let connection = other.connect(443);
            let expected = if more.is_empty() { Outcome::Reset } else { Outcome::Answered };
            check(other.exchange(connection, WHATSAPP_HELLO, ANSWER) == expected, "another server")
        });
    }
}

/// IN-4: a query to a public resolver gets an address of the provider's first, and the true answer after it; one to another
/// resolver, or for another name, does not.
#[test]
fn in_4_public_resolvers_are_answered_for() {
    fact_case("IN-4", "censors/act", "names = [\"instagram.com\"]", &["dns"], |policy| {
        for (resolver, name, forged) in [
            ("8.8.8.8", "instagram.com", 1),
            ("1.1.1.1", "www.instagram.com", 1),
            ("9.9.9.9", "instagram.com", 1),
            ("8.8.8.8", "example.com", 0),
            ("192.203.230.10", "instagram.com", 0),
        ] {
            let mut pair = Pair::between(policy.clone(), CLIENT, resolver);
            pair.datagram(Outbound, (5000, 53), &query(name, 1));
            settle(&mut pair);
            check(pair.server.datagrams.len() == 1, "the query arrives")?;
            check(pair.client.datagrams.len() == forged, &format!("{name} from {resolver}"))?;
            let is_providers = |(_, _, answer): &(u16, u16, Vec<u8>)| answer.ends_with(&[202, 83, 21, 14]);
            check(pair.client.datagrams.iter().all(is_providers), "the provider's address")?;
        }
        Ok(())
    });
}
