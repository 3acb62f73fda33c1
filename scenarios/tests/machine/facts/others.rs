//! Kazakhstan, Turkmenistan, and what is done in many countries.

use super::tools::{ANSWER, INSTAGRAM_REQUEST, get, hush, is_renewed, knock, query, seconds, send_cut, settle, stray};
use super::{INSTAGRAM_HELLO, WHATSAPP_HELLO};
use crate::pair::case::{check, fact_case, fact_pair};
use crate::pair::craft::{ACK, FIN, PSH, RST};
use crate::pair::{End, Inbound, Outbound, Outcome, Pair};

const KAZAKHSTAN: &str = "censors/kazakhstan";
const TURKMENISTAN: &str = "censors/turkmenistan";

/// KZ-1: a listed name's `ClientHello` goes to the interceptor, with all that follows, whichever side of the border it comes
/// from; another name's does not.
#[test]
fn kz_1_tls_is_handed_over() {
    fact_pair("KZ-1", KAZAKHSTAN, "intercepted = [\"whatsapp.com\"]", &["intercept"], |pair| {
        let diverted = |pair: &Pair| pair.story().iter().filter(|line| line.ends_with("intercept Diverted")).count();
        let connection = pair.connect(443);
        pair.exchange(connection, INSTAGRAM_HELLO, ANSWER);
        check(diverted(pair) == 0, "another name")?;
        let connection = pair.connect(443);
        check(diverted(pair) == 0, "a handshake alone")?;
        pair.client_sends(connection, WHATSAPP_HELLO);
        settle(pair);
        let first = diverted(pair);
        check(first > 0, "a listed name")?;
        let inward = pair.connect_inward(45_000, 443);
        pair.server_sends(inward, WHATSAPP_HELLO);
        settle(pair);
        check(diverted(pair) > first, "from outside")
    });
}

/// KZ-2: the request is swallowed and a page with a FIN comes instead; host and TLS name each cost the connection 120 seconds,
/// which every packet begins anew. Neither needs a handshake.
#[test]
fn kz_2_a_page_and_silence() {
    let parameters = "http = [\"instagram.com\"]\nsni = [\"whatsapp.com\"]";
    fact_pair("KZ-2", KAZAKHSTAN, parameters, &["http", "sni"], |pair| {
        let connection = pair.connect(80);
        pair.exchange(connection, INSTAGRAM_REQUEST, ANSWER);
        check(pair.at_client(connection).stream().starts_with(b"HTTP/1.1 200 OK\r\n"), "a page")?;
        let ended = pair.client.segments(FIN);
        check(ended.len() == 1 && ended[0].flags == FIN | PSH | ACK, "in one packet with FIN, PSH and ACK")?;
        check(pair.at_server(connection).is_some_and(|server| server.stream().is_empty()), "it does not arrive")?;
        is_renewed(pair, connection, 80, 120)?;
        let connection = pair.connect(443);
        check(pair.exchange(connection, WHATSAPP_HELLO, ANSWER) == Outcome::Silence, "a listed name")?;
        is_renewed(pair, connection, 443, 120)?;
        let got = pair.client.packets.len();
        let packet = stray(pair, (41_000, 80), PSH | ACK, INSTAGRAM_REQUEST).bytes();
        pair.send(Outbound, packet);
        pair.run(core::time::Duration::from_millis(10));
        check(pair.client.packets.len() == got + 1, "without a handshake")
    });
}

/// KZ-2: in two segments a request gets through, and so does another host's.
#[test]
fn kz_2_segments_get_through() {
    fact_case("KZ-2", KAZAKHSTAN, "http = [\"instagram.com\"]", &["http"], |policy| {
        let ask = |request: &[u8], cuts: &[usize]| {
            let mut pair = Pair::new(policy.clone());
            let connection = pair.connect(80);
            pair.client_takes(connection, request);
            send_cut(&mut pair, connection, cuts);
            pair.answer(connection, request, ANSWER)
        };
        check(ask(INSTAGRAM_REQUEST, &[]) != Outcome::Answered, "as it is")?;
        check(ask(INSTAGRAM_REQUEST, &[8]) == Outcome::Answered, "in segments")?;
        check(ask(&get("other.example"), &[]) == Outcome::Answered, "another host")
    });
}

/// TM-1: the forged answer is the query itself, overwritten: all that stood behind the question is still there. The query
/// arrives too, from either side of the border.
#[test]
fn tm_1_the_query_is_copied() {
    const EDNS: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/kdig-query-edns.bin");
    fact_pair("TM-1", TURKMENISTAN, "dns = [\"*instagram.com*\"]", &["dns"], |pair| {
        let asked = [query("instagram.com", 1), EDNS.to_vec(), query("instagram.com", 15)];
        for (number, query) in asked.iter().enumerate() {
            pair.datagram(Outbound, (5000, 53), query);
            settle(pair);
            check(pair.server.datagrams.len() == number + 1, "the query arrives")?;
            let Some((53, 5000, answer)) = pair.client.datagrams.pop() else { return Err("no answer".to_owned()) };
            check(answer[..2] == query[..2] && answer[12..31] == query[12..31], "the question is the query's")?;
            check(answer.windows(4).any(|window| window == [127, 0, 0, 1]), &format!("127.0.0.1 in {answer:?}"))?;
        }
        check(pair.client.packets.iter().all(|(_, packet)| is_injected(packet, 2)), "one shape")?;
        pair.datagram(Inbound, (53, 5000), &asked[0]);
        settle(pair);
        let Some((53, 5000, answer)) = pair.server.datagrams.pop() else { return Err("no answer outside".to_owned()) };
        check(answer.windows(4).any(|window| window == [127, 0, 0, 1]), "from outside")
    });
}

/// Whether a packet has the identification and the time to live that all have, so many hops from the box.
fn is_injected(packet: &[u8], hops: u8) -> bool {
    packet[4..6] == 54_321_u16.to_be_bytes() && packet[8] == 100 - hops
}

/// TM-1: a listed host or TLS name, on any port and from either side, is reset at both ends; for 30 seconds any packet of the
/// connection gets another reset, whatever it is. What the packets have in common is their identification and time to live.
#[test]
fn tm_1_resets_for_half_a_minute() {
    let parameters = "http = [\"instagram.com\"]\nsni = [\"whatsapp.com\"]";
    fact_pair("TM-1", TURKMENISTAN, parameters, &["http", "sni"], |pair| {
        for (request, port) in
            [(INSTAGRAM_REQUEST, 80), (INSTAGRAM_REQUEST, 8080), (WHATSAPP_HELLO, 443), (WHATSAPP_HELLO, 8443)]
        {
            let connection = pair.connect(port);
            check(pair.is_open(connection), "the handshake passes")?;
            pair.client_sends(connection, request);
            settle(pair);
            check(!pair.is_open(connection), "reset")?;
            let server = pair.at_server(connection).ok_or("no server")?;
            check(server.stream() == request, "the request arrives")?;
            check(!server.seen.is_empty() && !pair.at_client(connection).seen.is_empty(), "at both ends")?;
            hush(pair, connection);
            pair.run(seconds(28));
            let counts = resets_at(pair, connection.port, port);
            check(counts == (2, 2), &format!("a SYN and its answer are after 29 s, at both ends: {counts:?}"))?;
            check(resets_at(pair, connection.port + 1000, port) == (0, 0), "that of another port is not")?;
            pair.run(seconds(3));
            check(resets_at(pair, connection.port, port) == (0, 0), "and nothing is after 31 s")?;
        }
        let resets = |packets: &[(roadblock_censor::Instant, Vec<u8>)], hops| {
            packets.iter().filter(|(_, packet)| packet[33] & RST != 0).all(|(_, packet)| is_injected(packet, hops))
        };
        check(resets(&pair.client.packets, 2), "one shape")?;
        let inward = pair.connect_inward(45_000, 8443);
        pair.server_sends(inward, WHATSAPP_HELLO);
        settle(pair);
        check(!pair.is_open(inward), "from outside")
    });
}

/// How many resets a SYN from this port and the answer to it bring to the client and to the server.
fn resets_at(pair: &mut Pair, port: u16, server_port: u16) -> (usize, usize) {
    // What the client's host says to the answer of a SYN that it did not send is not the box's work.
    let injected = |end: &End, hops| {
        end.packets.iter().filter(|(_, packet)| packet[33] & RST != 0 && is_injected(packet, hops)).count()
    };
    let count = |pair: &Pair| (injected(&pair.client, 2), injected(&pair.server, 10));
    let before = count(pair);
    knock(pair, port, server_port);
    let after = count(pair);
    (after.0 - before.0, after.1 - before.1)
}

/// TM-2: each protocol has a list of its own, and its patterns hit more than they mean.
#[test]
fn tm_2_lists_and_patterns() {
    let parameters = "dns = [\"*twitter.com*\", \"/.*\\\\.cyou$/\"]\nhttp = [\"*wn.com\"]\nsni = [\"whatsapp.com\"]";
    fact_pair("TM-2", TURKMENISTAN, parameters, &["dns", "http", "sni"], |pair| {
        for (name, is_hit) in [
            ("twitter.com", true),
            ("xtwitter.com", true),
            ("twitter.com.x", true),
            ("twitter.comx", true),
            ("anything.cyou", true),
            ("cyou.example", false),
            ("twitter.co", false),
            ("wn.com", false),
            ("web.whatsapp.com", false),
        ] {
            pair.client.datagrams.clear();
            pair.datagram(Outbound, (5000, 53), &query(name, 1));
            settle(pair);
            check(pair.client.datagrams.len() == usize::from(is_hit), name)?;
        }
        for (name, is_hit) in
            [("wn.com", true), ("www.brown.com", true), ("wn.com.example", false), ("twitter.com", false)]
        {
            let connection = pair.connect(80);
            let outcome = pair.exchange(connection, &get(name), ANSWER);
            check((outcome == Outcome::Reset) == is_hit, name)?;
        }
        let connection = pair.connect(443);
        check(pair.exchange(connection, WHATSAPP_HELLO, ANSWER) == Outcome::Reset, "the third list")?;
        let connection = pair.connect(80);
        check(pair.exchange(connection, &get("web.whatsapp.com"), ANSWER) == Outcome::Answered, "is TLS's alone")
    });
}

/// TM-2: whole prefixes are blocked, by resets once the server has answered the SYN.
#[test]
fn tm_2_prefixes_are_reset_after_the_syn_ack() {
    fact_case("TM-2", TURKMENISTAN, "blocked = [\"157.240.0.0/16\"]", &["address"], |policy| {
        let mut pair = Pair::new(policy.clone());
        let connection = pair.connect(443);
        check(!pair.is_open(connection), "it does not open")?;
        check(pair.at_server(connection).is_some(), "the SYN arrived")?;
        check(!pair.client.segments(RST).is_empty() && !pair.server.segments(RST).is_empty(), "both are reset")?;
        let mut other = Pair::between(policy, "95.85.100.10", "1.1.1.1");
        let connection = other.connect(443);
        check(other.is_open(connection), "another address")
    });
}

/// GLOB-2: a trigger costs the client that port of the server, from whatever port it comes, and nothing else; for a while.
#[test]
fn glob_2_a_port_of_the_server_is_cut_off() {
    let parameters = "names = [\"instagram.com\", \"whatsapp.com\"]";
    fact_pair("GLOB-2", "censors/null-route", parameters, &["http", "sni"], |pair| {
        for (request, port, elsewhere) in [(INSTAGRAM_REQUEST, 80, 443), (WHATSAPP_HELLO, 443, 80)] {
            let connection = pair.connect(port);
            pair.client_sends(connection, request);
            settle(pair);
            check(pair.at_server(connection).is_some_and(|server| server.stream().is_empty()), "it does not arrive")?;
            hush(pair, connection);
            pair.run(seconds(87));
            check(!knock(pair, 41_000, port), "no port reaches it before 90 s")?;
            check(knock(pair, 41_001, elsewhere), "another port of the server is reached")?;
            pair.run(seconds(3));
            check(knock(pair, 41_000, port), "after 90 s it is")?;
        }
        check(pair.client.segments(RST).is_empty(), "nobody is reset")
    });
}
