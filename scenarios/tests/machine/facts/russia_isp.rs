//! Russia: what providers do themselves, resolvers, and addresses of the years before.

use super::russia::{ANSWER, ELSEWHERE, elsewhere, settle};
use super::{INSTAGRAM_HELLO, INSTAGRAM_QUERY, WHATSAPP_HELLO, hello_for};
use crate::pair::case::{check, fact_case, fact_pair};
use crate::pair::craft::{ACK, PSH, RST, Segment};
use crate::pair::{Inbound, Outbound, Outcome, Pair, SERVER, Seen};

const PROFILE: &str = "censors/ru-isp-2020";
/// A request for www.instagram.com.
const REQUEST: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/curl-request.bin");

/// RU-ISP-2: who asks for a listed host is sent to the provider's page, or gets that page, and the connection ends; the
/// request still arrives, and the true answer comes too late. Another host is answered.
#[test]
fn ru_isp_2_a_block_page() {
    for (list, rule, expected) in [
        ("http-redirect", "http-redirect", &["HTTP/1.1 302 ", "Location: http://blocked.isp.example/"][..]),
        ("http-page", "http-page", &["HTTP/1.1 200 ", "Federal Law"]),
    ] {
        fact_pair("RU-ISP-2", PROFILE, &format!("{list} = [\"instagram.com\"]"), &[rule], |pair| {
            let connection = pair.connect(80);
            pair.client_sends(connection, REQUEST);
            settle(pair);
            let page = String::from_utf8_lossy(&pair.at_client(connection).stream()).into_owned();
            check(expected.iter().all(|part| page.contains(part)), &page)?;
            check(pair.at_client(connection).seen.iter().any(|(_, seen)| *seen == Seen::Fin), "and it ends")?;
            let server = pair.at_server(connection).ok_or("no server")?;
            check(server.stream() == REQUEST, "the request arrives")?;
            pair.server_sends(connection, ANSWER);
            settle(pair);
            let stream = pair.at_client(connection).stream();
            check(!stream.windows(ANSWER.len()).any(|window| window == ANSWER), "the true answer is not taken")?;
            let answers = pair.client.packets.iter().filter(|(_, packet)| packet.ends_with(ANSWER));
            check(answers.count() > 0, "though it arrives")?;

            let other = String::from_utf8_lossy(REQUEST).replace("instagram", "wikipedia");
            let connection = pair.connect(80);
            check(pair.exchange(connection, other.as_bytes(), ANSWER) == Outcome::Answered, "another host is answered")
        });
    }
}

/// RU-ISP-3: the client is reset from beside the path; its `ClientHello` arrives, and so does what the server answers.
#[test]
fn ru_isp_3_a_reset_from_beside_the_path() {
    fact_pair("RU-ISP-3", PROFILE, "sni = [\"whatsapp.com\"]", &["sni"], |pair| {
        let connection = pair.connect(443);
        check(pair.exchange(connection, WHATSAPP_HELLO, ANSWER) == Outcome::Reset, "reset")?;
        let server = pair.at_server(connection).ok_or("no server")?;
        check(server.stream() == WHATSAPP_HELLO, "the ClientHello arrives")?;
        let came = pair.client.packets.len();
        check(pair.client.segments(RST).len() == 1, "one reset")?;
        // The server's own segments go on as if nothing were.
        let late = Segment { flags: PSH | ACK, payload: ANSWER.to_vec(), ..server.segment(pair.now) };
        pair.send(Inbound, late.bytes());
        settle(pair);
        check(pair.client.packets.len() == came + 1, "what the server sends arrives")?;
        let connection = pair.connect(443);
        check(pair.exchange(connection, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, "another name is answered")
    });
}

/// RU-DNS-1: UDP queries to a listed resolver are lost; over TCP they are not, nor is anything else to it. Its name in TLS is
/// reset, at the port of HTTPS and at that of DNS over TLS; another name at the same address is answered.
#[test]
fn ru_dns_1_resolvers_abroad() {
    let parameters =
        format!("resolver-drop = [\"{SERVER}/32\"]\nresolver-names = [\"dns.google\", \"doh.opendns.com\"]");
    fact_case("RU-DNS-1", "censors/tspu-2022", &parameters, &["resolver-drop", "resolver-names"], |policy| {
        let mut other = elsewhere(policy.clone());
        other.datagram(Outbound, (5000, 53), INSTAGRAM_QUERY);
        settle(&mut other);
        check(other.server.datagrams.len() == 1, "another resolver is asked")?;

        let mut pair = Pair::new(policy);
        pair.datagram(Outbound, (5000, 53), INSTAGRAM_QUERY);
        pair.datagram(Outbound, (5000, 5353), INSTAGRAM_QUERY);
        settle(&mut pair);
        check(pair.server.datagrams.len() == 1 && pair.server.datagrams[0].1 == 5353, "only port 53 is lost")?;
        let connection = pair.connect(53);
        check(pair.exchange(connection, INSTAGRAM_QUERY, ANSWER) == Outcome::Answered, "over TCP")?;
        for name in ["dns.google", "doh.opendns.com"] {
            for port in [443, 853] {
                let connection = pair.connect(port);
                let outcome = pair.exchange(connection, &hello_for(name), ANSWER);
                check(outcome == Outcome::Reset, &format!("{name}:{port}: {outcome:?}"))?;
            }
        }
        let connection = pair.connect(443);
        check(pair.exchange(connection, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, "another name")
    });
}

/// RU-DNS-2: a query over UDP to a foreign resolver goes to the national one, whose answer comes in the asked one's name; the
/// same query over TCP, and one to a resolver that is exempt, are not touched.
#[test]
fn ru_dns_2_the_query_goes_elsewhere() {
    let parameters = format!("dns-redirect = [\"{SERVER}/32\", \"{ELSEWHERE}/32\"]\ndns-exempt = [\"{ELSEWHERE}/32\"]");
    fact_case("RU-DNS-2", "censors/tspu-2026", &parameters, &["dns-redirect"], |policy| {
        let mut exempt = elsewhere(policy.clone());
        exempt.datagram(Outbound, (5000, 53), INSTAGRAM_QUERY);
        settle(&mut exempt);
        check(exempt.server.datagrams.len() == 1, "an exempt resolver is asked")?;

        let mut pair = Pair::new(policy);
        pair.datagram(Outbound, (5000, 53), INSTAGRAM_QUERY);
        settle(&mut pair);
        let [(_, packet)] = &*pair.server.packets else { return Err("one packet left".to_owned()) };
        check(packet[16..20] == [195, 208, 6, 1], "to the national resolver")?;

        let mut answer = INSTAGRAM_QUERY.to_vec();
        answer[2] |= 0x80;
        let national = "195.208.6.1".parse().map_err(|_| "an address")?;
        let addresses =
            roadblock_censor::wire::ip::Addresses::new(national, pair.client.address).ok_or("one family")?;
        let answer = roadblock_censor::wire::build::udp(&addresses, 53, 5000, &answer);
        pair.send(Inbound, answer);
        settle(&mut pair);
        let (_, packet) = pair.client.packets.last().ok_or("no answer")?;
        check(packet[12..16] == [157, 240, 205, 60], "in the name of the one that was asked")?;
        check(pair.client.datagrams.len() == 1, "with a right checksum")?;

        let connection = pair.connect(53);
        check(pair.exchange(connection, INSTAGRAM_QUERY, ANSWER) == Outcome::Answered, "over TCP it is not touched")
    });
}

/// RU-TOR-1: addresses of Tor's directories are blocked, at any port; others are not. 128.31.0.39 is moria1.
#[test]
fn ru_tor_1_addresses_of_directories() {
    fact_case("RU-TOR-1", "censors/tspu-2022", "ip-drop = [\"128.31.0.39/32\"]", &["ip-drop"], |policy| {
        for port in [9101, 9131] {
            let mut pair = Pair::between(policy.clone(), "94.25.168.10", "128.31.0.39");
            let connection = pair.connect(port);
            check(!pair.is_open(connection) && pair.server.packets.is_empty(), "it is not reached")?;
            let mut pair = Pair::new(policy.clone());
            let connection = pair.connect(port);
            check(pair.is_open(connection), "another is")?;
        }
        Ok(())
    });
}

/// RU-MSG-1: in 2018 an `MTProto` proxy was known by a segment with PSH whose packet has 157 or 188 bytes.
#[test]
fn ru_msg_1_packet_lengths_of_2018() {
    let parameters = format!("mtproxy-lengths = [\"{SERVER}/32\"]");
    fact_pair("RU-MSG-1", PROFILE, &parameters, &["mtproxy-length"], |pair| {
        // 52 bytes of headers.
        for (length, expected) in [
            (156, Outcome::Answered),
            (157, Outcome::Silence),
            (158, Outcome::Answered),
            (187, Outcome::Answered),
            (188, Outcome::Silence),
            (189, Outcome::Answered),
        ] {
            let connection = pair.connect(443);
            let outcome = pair.exchange(connection, &vec![0xf0; length - 52], ANSWER);
            check(outcome == expected, &format!("{length} bytes: {outcome:?}"))?;
        }
        check(pair.client.segments(RST).is_empty(), "nobody is reset")
    });
}
