//! Iran from 2018 to 2022: the protocol filter and the box for names of `censors/iran-2020`.

use super::tools::{
    ANSWER, INSTAGRAM_REQUEST, data, get, hush, is_renewed, knock, query, seconds, send_cut, settle, stray,
};
use super::{INSTAGRAM_HELLO, INSTAGRAM_QUERY, WHATSAPP_HELLO};
use crate::pair::case::{check, fact_case, fact_pair, profile};
use crate::pair::craft::{ACK, FIN, PSH, RST, SYN, Segment};
use crate::pair::{Inbound, Outbound, Outcome, Pair, SERVER};

const PROFILE: &str = "censors/iran-2020";
const SSH: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/ssh-banner.bin");
/// What OpenSSL's server sent with a certificate for *.instagram.com.
const FLIGHT_12: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/openssl-server-flight-tls12.bin");
const FLIGHT_13: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/openssl-server-flight-tls13.bin");

fn filtered() -> String {
    format!("filtered = [\"{SERVER}/32\"]")
}

/// IR-PF-1: on three ports a payload that is of no known protocol costs all that leaves on the connection; what the server
/// sends still arrives, and the 60 seconds begin anew with each of the client's packets.
#[test]
fn ir_pf_1_other_protocols_do_not_leave() {
    fact_pair("IR-PF-1", PROFILE, &filtered(), &["protocol"], |pair| {
        for port in [53, 80, 443] {
            let connection = pair.connect(port);
            check(pair.is_open(connection), "the handshake passes")?;
            check(pair.exchange(connection, SSH, ANSWER) == Outcome::Silence, &format!("port {port}"))?;
            check(pair.at_server(connection).is_some_and(|server| server.stream().is_empty()), "nothing leaves")?;
            pair.server_sends(connection, b"banner");
            settle(pair);
            check(pair.at_client(connection).stream() == b"banner", "what the server sends arrives")?;
            is_renewed(pair, connection, port, 60)?;
        }
        Ok(())
    });
}

/// IR-PF-1: the first two payloads must look right, each by itself and on any of the ports; the third may be anything.
#[test]
fn ir_pf_1_the_first_two_payloads_count() {
    let framed = [&[0, 31], INSTAGRAM_QUERY].concat();
    fact_pair("IR-PF-1", PROFILE, &filtered(), &["protocol"], |pair| {
        // What a client of TLS 1.3 says second: a change of cipher, and a record that is sealed.
        let second_of_tls: &[u8] = &[20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 53];
        for (first, second) in [
            (WHATSAPP_HELLO, &framed[..]),
            (&framed, INSTAGRAM_REQUEST),
            (b"GET / HT", &[22, 3, 3, 1, 0]),
            (WHATSAPP_HELLO, second_of_tls),
        ] {
            let connection = pair.connect(53);
            for payload in [first, second, SSH] {
                check(pair.exchange(connection, payload, ANSWER) == Outcome::Answered, "of the three, and then any")?;
            }
        }
        let connection = pair.connect(443);
        check(pair.exchange(connection, second_of_tls, ANSWER) == Outcome::Silence, "nothing begins so")?;
        let connection = pair.connect(80);
        check(pair.exchange(connection, INSTAGRAM_REQUEST, ANSWER) == Outcome::Answered, "the first is right")?;
        check(pair.exchange(connection, SSH, ANSWER) == Outcome::Silence, "the second is not")?;
        // What it does to tools that cut: less than eight bytes of a request are none.
        let connection = pair.connect(80);
        pair.client_takes(connection, INSTAGRAM_REQUEST);
        send_cut(pair, connection, &[7]);
        check(pair.answer(connection, INSTAGRAM_REQUEST, ANSWER) == Outcome::Silence, "a short first segment")
    });
}

/// IR-PF-1: other ports, other addresses and connections from outside are left alone.
#[test]
fn ir_pf_1_elsewhere_anything_goes() {
    let exchange = |filtered: &str, port| {
        let mut pair = Pair::new(profile(PROFILE, &format!("filtered = [\"{filtered}\"]")));
        let connection = pair.connect(port);
        pair.exchange(connection, SSH, ANSWER)
    };
    assert_eq!(exchange("157.240.205.60/32", 443), Outcome::Silence);
    assert_eq!(exchange("157.240.205.60/32", 8443), Outcome::Answered);
    assert_eq!(exchange("157.240.205.61/32", 443), Outcome::Answered);
    let mut pair = Pair::new(profile(PROFILE, &filtered()));
    let inward = pair.connect_inward(45_000, 443);
    assert_eq!(pair.exchange(inward, SSH, ANSWER), Outcome::Answered);
}

/// IR-PF-2: fingerprints with a bad checksum, two FINs before the SYN, and nine packets without data each lead past the filter;
/// one of the first, one FIN, or eight packets do not.
#[test]
fn ir_pf_2_what_leads_past_the_filter() {
    fact_case("IR-PF-2", PROFILE, &filtered(), &["closed", "protocol"], |policy| {
        for (count, expected) in [(1, Outcome::Silence), (2, Outcome::Answered)] {
            let mut pair = Pair::new(policy.clone());
            let connection = pair.connect(443);
            for _ in 0..count {
                let fake = Segment { bad_checksum: true, ..data(&pair, connection, &WHATSAPP_HELLO[..60]) };
                pair.send(Outbound, fake.bytes());
            }
            let outcome = pair.exchange(connection, SSH, ANSWER);
            check(outcome == expected, &format!("{count} fingerprints with a bad checksum: {outcome:?}"))?;
        }
        for (count, expected) in [(1, Outcome::Silence), (2, Outcome::Answered)] {
            let mut pair = Pair::new(policy.clone());
            for _ in 0..count {
                let fin = stray(&pair, (40_500, 443), FIN, &[]).bytes();
                pair.send(Outbound, fin);
            }
            let connection = pair.connect_from(40_500, 443);
            let outcome = pair.exchange(connection, SSH, ANSWER);
            check(outcome == expected, &format!("{count} FINs: {outcome:?}"))?;
        }
        // With the SYN and the ACK of the handshake.
        for (count, expected) in [(8, Outcome::Silence), (9, Outcome::Answered)] {
            let mut pair = Pair::new(policy.clone());
            let connection = pair.connect(443);
            for _ in 2..count {
                let empty = pair.segment(connection).bytes();
                pair.send(Outbound, empty);
            }
            let outcome = pair.exchange(connection, SSH, ANSWER);
            check(outcome == expected, &format!("{count} packets without data: {outcome:?}"))?;
        }
        // A server that helps: its client answers each SYN/ACK for something else with a reset.
        for (count, expected) in [(6, Outcome::Silence), (9, Outcome::Answered)] {
            let mut pair = Pair::new(policy.clone());
            let connection = pair.begin(40_500, 443);
            for _ in 0..count {
                let odd = stray(&pair, (40_500, 443), SYN | ACK, &[]);
                pair.send(Inbound, Segment { source: odd.destination, destination: odd.source, ..odd }.bytes());
            }
            settle(&mut pair);
            let outcome = pair.exchange(connection, SSH, ANSWER);
            check(outcome == expected, &format!("{count} corrupted SYN/ACKs: {outcome:?}"))?;
        }
        Ok(())
    });
}

/// IR-DNS-1: a forged answer comes, from whatever resolver was asked, and the true one cannot, because the query does not
/// arrive. One address is that of a page, the other of resets, and so are requests for the names.
#[test]
fn ir_dns_1_two_addresses_and_no_true_answer() {
    let parameters = "page = [\"instagram.com\"]\nreset = [\"youtube.com\"]";
    fact_pair("IR-DNS-1", PROFILE, parameters, &["dns-page", "dns-reset", "http-reset"], |pair| {
        for (name, qtype, expected) in [
            ("instagram.com", 1, &[10, 10, 34, 36][..]),
            ("www.youtube.com", 1, &[10, 10, 34, 34]),
            ("instagram.com", 28, &[0, 0xd0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11]),
        ] {
            pair.datagram(Outbound, (5000, 53), &query(name, qtype));
            settle(pair);
            let Some((53, 5000, answer)) = pair.client.datagrams.pop() else { return Err(format!("{name}: none")) };
            check(answer[..2] == INSTAGRAM_QUERY[..2] && answer.ends_with(expected), &format!("{name}: {answer:?}"))?;
        }
        check(pair.server.packets.is_empty(), "the queries do not arrive")?;
        pair.datagram(Outbound, (5000, 53), &query("example.com", 1));
        pair.datagram(Outbound, (5000, 54), &query("instagram.com", 1));
        settle(pair);
        check(pair.server.datagrams.len() == 2, "another name, and another port, are left alone")?;
        let connection = pair.connect(80);
        check(pair.exchange(connection, &get("youtube.com"), ANSWER) == Outcome::Reset, "a request is reset")?;
        check(pair.at_client(connection).stream().is_empty(), "without a page")
    });
}

/// IR-DNS-2: search engines lead to their safe search; a query with `wpad` anywhere in its name is never answered, nor is
/// what follows from that port for a while.
#[test]
fn ir_dns_2_safe_search_and_silence() {
    let parameters = "safe-search = [\"google.com\"]";
    fact_pair("IR-DNS-2", PROFILE, parameters, &["dns-safe-search", "dns-silent"], |pair| {
        pair.datagram(Outbound, (5000, 53), &query("www.google.com", 1));
        settle(pair);
        let Some((53, 5000, answer)) = pair.client.datagrams.pop() else { return Err("no answer".to_owned()) };
        check(answer.ends_with(&[216, 239, 38, 120]), "the address of the safe search")?;
        pair.datagram(Outbound, (5001, 53), &query("mywpad.example", 1));
        pair.datagram(Outbound, (5001, 53), &query("example.com", 1));
        settle(pair);
        check(pair.server.packets.is_empty() && pair.client.packets.len() == 1, "silence")?;
        pair.datagram(Outbound, (5002, 53), &query("example.com", 1));
        pair.run(seconds(61));
        pair.datagram(Outbound, (5001, 53), &query("example.com", 1));
        settle(pair);
        check(pair.server.datagrams.len() == 2, "another port, and the same one later, are heard")
    });
}

/// IR-HTTP-1: a page of 403 with FIN in a frame of 402 to 405 bytes, then a reset in one of 54, and 180 seconds of silence that
/// every packet begins anew. The request does not arrive.
#[test]
fn ir_http_1_a_page_and_a_reset() {
    fact_pair("IR-HTTP-1", PROFILE, "page = [\"instagram.com\"]", &["http-page"], |pair| {
        let connection = pair.connect(80);
        let before = pair.client.packets.len();
        check(pair.exchange(connection, INSTAGRAM_REQUEST, ANSWER) == Outcome::Reset, "a reset in the end")?;
        let page = pair.at_client(connection).stream();
        check(page.starts_with(b"HTTP/1.1 403 Forbidden\r\n"), "a page of 403")?;
        check(page.windows(11).any(|window| window == b"10.10.34.36"), "in a frame")?;
        let [(_, page), (_, reset)] = &pair.client.packets[before..] else { return Err("two packets".to_owned()) };
        check((402..=405).contains(&(page.len() + 14)), &format!("a frame of {}", page.len() + 14))?;
        check(reset.len() + 14 == 54, &format!("a frame of {}", reset.len() + 14))?;
        check((page[33], reset[33]) == (FIN | PSH | ACK, RST | PSH | ACK), "FIN+PSH+ACK, then RST+PSH+ACK")?;
        check(pair.at_server(connection).is_some_and(|server| server.stream().is_empty()), "it does not arrive")?;
        is_renewed(pair, connection, 80, 180)
    });
}

/// IR-HTTP-1: no handshake is needed; a word in the target counts too; other hosts, and another case, do not.
#[test]
fn ir_http_1_by_the_path_and_without_a_handshake() {
    let parameters = "page = [\"blocked.example\"]\ntarget-words = [\"search\"]";
    fact_pair("IR-HTTP-1", PROFILE, parameters, &["http-target", "http-page"], |pair| {
        let connection = pair.connect(80);
        check(pair.exchange(connection, INSTAGRAM_REQUEST, ANSWER) == Outcome::Reset, "by its target")?;
        let connection = pair.connect(80);
        check(pair.exchange(connection, &get("other.example"), ANSWER) == Outcome::Answered, "another host")?;
        let connection = pair.connect(80);
        check(pair.exchange(connection, &get("Blocked.Example"), ANSWER) == Outcome::Answered, "another case")?;
        let (got, there) = (pair.client.packets.len(), pair.server.packets.len());
        let packet = stray(pair, (41_000, 80), PSH | ACK, &get("blocked.example")).bytes();
        pair.send(Outbound, packet);
        settle(pair);
        check(pair.client.packets.len() == got + 2 && pair.server.packets.len() == there, "without a handshake")
    });
}

/// IR-HTTP-2: what the parser does not take for a request, and where it does not look.
#[test]
fn ir_http_2_gaps_of_the_parser() {
    fact_case("IR-HTTP-2", PROFILE, "page = [\"blocked.example\"]", &["http-page"], |policy| {
        let ask = |request: &str| {
            let mut pair = Pair::new(policy.clone());
            let connection = pair.connect(80);
            pair.exchange(connection, request.as_bytes(), ANSWER)
        };
        let plain = "GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n";
        check(ask(plain) == Outcome::Reset, "the usual form")?;
        check(ask(&plain.replace("GET", "gET")) == Outcome::Answered, "gET")?;
        for version in ["HTTP", "1.1", "example"] {
            check(ask(&plain.replace("HTTP/1.1", version)) == Outcome::Answered, version)?;
        }
        let body = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 15\r\n\r\nblocked.example";
        check(ask(body) == Outcome::Answered, "a body")?;
        for (length, expected) in [("0", Outcome::Reset), ("invalid", Outcome::Answered)] {
            let mut pair = Pair::new(policy.clone());
            let connection = pair.connect(80);
            let first = format!("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: {length}\r\n\r\n");
            check(pair.exchange(connection, first.as_bytes(), ANSWER) == Outcome::Answered, "the first request")?;
            let outcome = pair.exchange(connection, plain.as_bytes(), ANSWER);
            check(outcome == expected, &format!("after a length of {length}: {outcome:?}"))?;
        }
        Ok(())
    });
}

/// IR-SNI-1: a reset to the client right after its `ClientHello`, or silence; either for 180 seconds on the connection.
#[test]
fn ir_sni_1_a_reset_or_silence() {
    let parameters = "sni-reset = [\"whatsapp.com\"]\nsni-drop = [\"instagram.com\"]";
    fact_pair("IR-SNI-1", PROFILE, parameters, &["sni-reset", "sni-drop"], |pair| {
        for (hello, expected) in [(WHATSAPP_HELLO, Outcome::Reset), (INSTAGRAM_HELLO, Outcome::Silence)] {
            let connection = pair.connect(443);
            check(pair.is_open(connection), "the handshake passes")?;
            let before = pair.server.packets.len();
            let outcome = pair.exchange(connection, hello, ANSWER);
            check(outcome == expected, &format!("{outcome:?}"))?;
            check(pair.at_server(connection).is_some_and(|server| server.stream().is_empty()), "it does not arrive")?;
            check(pair.server.packets.len() == before, "nothing does, not even a reset")?;
            is_renewed(pair, connection, 443, 180)?;
        }
        Ok(())
    });
}

/// IR-CERT-1: the name in the certificate counts, not that in the `ClientHello`; TLS 1.3 hides it.
#[test]
fn ir_cert_1_the_certificate_counts() {
    fact_pair("IR-CERT-1", PROFILE, "certificate = [\"instagram.com\"]", &["certificate"], |pair| {
        let connection = pair.connect(443);
        check(pair.exchange(connection, WHATSAPP_HELLO, FLIGHT_12) == Outcome::Silence, "in TLS 1.2")?;
        check(pair.at_client(connection).stream().is_empty(), "the certificate does not arrive")?;
        hush(pair, connection);
        check(!knock(pair, connection.port, 443), "nor does anything else")?;
        let connection = pair.connect(443);
        check(pair.exchange(connection, INSTAGRAM_HELLO, FLIGHT_13) == Outcome::Answered, "hidden in TLS 1.3")?;
        Ok(())
    });
}
