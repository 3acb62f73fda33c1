//! Egypt, Turkey and Indonesia.

use super::tools::{ANSWER, INSTAGRAM_REQUEST, get, query, seconds, send_cut, settle};
use super::{INSTAGRAM_HELLO, INSTAGRAM_QUERY, WHATSAPP_HELLO};
use crate::pair::case::{check, fact_case, fact_pair};
use crate::pair::craft::{PSH, RST, Segment};
use crate::pair::{Inbound, Outbound, Outcome, Pair};

/// Without a name, as curl sends it to an address.
fn nameless() -> Vec<u8> {
    // The name becomes an extension that nobody knows (RFC 8701 keeps 0x0a0a for that).
    let mut hello = WHATSAPP_HELLO.to_vec();
    let name = hello.windows(16).position(|window| window == b"web.whatsapp.com").expect("a name");
    hello[name - 9..name - 7].copy_from_slice(&[0x0a, 0x0a]);
    hello
}

/// EG-1: a listed TLS name is reset at both ends, another and a hello without a name are not; a request is redirected with 307
/// before the true answer comes.
#[test]
fn eg_1_names_are_reset_and_requests_redirected() {
    let parameters = "sni = [\"whatsapp.com\"]\nhttp = [\"instagram.com\"]";
    fact_pair("EG-1", "censors/egypt", parameters, &["sni", "http"], |pair| {
        for hello in [INSTAGRAM_HELLO, &nameless()] {
            let connection = pair.connect(443);
            check(pair.exchange(connection, hello, ANSWER) == Outcome::Answered, "no listed name")?;
        }
        let connection = pair.connect(443);
        check(pair.exchange(connection, WHATSAPP_HELLO, ANSWER) == Outcome::Reset, "a listed name")?;
        check(pair.server.segments(RST).len() == 1, "at both ends")?;
        let connection = pair.connect(80);
        pair.exchange(connection, INSTAGRAM_REQUEST, ANSWER);
        let page = pair.at_client(connection).stream();
        check(page.starts_with(b"HTTP/1.1 307 "), "a redirection")?;
        let server = pair.at_server(connection).ok_or("no server")?;
        check(server.stream() == INSTAGRAM_REQUEST, "the request arrives")
    });
}

/// TR-1: a reset, or a handshake that times out; a request, also in pieces, is led to the page.
#[test]
fn tr_1_names_and_requests() {
    let parameters = "sni-reset = [\"whatsapp.com\"]\nsni-drop = [\"instagram.com\"]\nhttp = [\"instagram.com\"]";
    fact_pair("TR-1", "censors/turkey", parameters, &["sni-reset", "sni-drop", "http"], |pair| {
        for (hello, expected) in [(WHATSAPP_HELLO, Outcome::Reset), (INSTAGRAM_HELLO, Outcome::Silence)] {
            let connection = pair.connect(443);
            let outcome = pair.exchange(connection, hello, ANSWER);
            check(outcome == expected, &format!("{outcome:?}"))?;
        }
        for cuts in [&[][..], &[2], &[10, 40]] {
            let connection = pair.connect(80);
            pair.client_takes(connection, INSTAGRAM_REQUEST);
            send_cut(pair, connection, cuts);
            pair.answer(connection, INSTAGRAM_REQUEST, ANSWER);
            let page = String::from_utf8_lossy(&pair.at_client(connection).stream()).into_owned();
            check(page.starts_with("HTTP/1.1 302 "), &format!("a redirection for {cuts:?}"))?;
            check(page.contains("http://aidiyet.esb.org.tr/"), "to the page")?;
        }
        let connection = pair.connect(80);
        check(pair.exchange(connection, &get("other.example"), ANSWER) == Outcome::Answered, "another host")
    });
}

/// TR-1: a fake whose time to live is 3 is seen by the boxes within the first hops and by nobody else, and leads past them.
#[test]
fn tr_1_fakes_of_three_hops() {
    fact_case("TR-1", "censors/turkey", "sni-drop = [\"whatsapp.com\"]", &["sni-drop"], |policy| {
        for (ttl, expected) in [(None, Outcome::Silence), (Some(2), Outcome::Silence), (Some(3), Outcome::Answered)] {
            let mut pair = Pair::new(policy.clone());
            let connection = pair.connect(443);
            pair.client_takes(connection, WHATSAPP_HELLO);
            if let Some(ttl) = ttl {
                let place = pair.part(connection, 0..0);
                let fake = Segment { flags: place.flags | PSH, payload: INSTAGRAM_HELLO.to_vec(), ttl, ..place };
                pair.send(Outbound, fake.bytes());
            }
            send_cut(&mut pair, connection, &[]);
            let outcome = pair.answer(connection, WHATSAPP_HELLO, ANSWER);
            check(outcome == expected, &format!("with a fake of {ttl:?}: {outcome:?}"))?;
        }
        Ok(())
    });
}

/// TR-1: a listed name's media come at a rate that is of no use; another's do not suffer.
#[test]
fn tr_1_media_are_slowed_down() {
    fact_pair("TR-1", "censors/turkey", "slow = [\"whatsapp.com\"]", &["slow"], |pair| {
        let got = |pair: &mut Pair, hello: &[u8]| {
            let connection = pair.connect(443);
            pair.client_sends(connection, hello);
            settle(pair);
            for _ in 0..100 {
                pair.server_sends(connection, &[0x17; 1200]);
            }
            pair.run(seconds(5));
            pair.at_client(connection).stream().len()
        };
        check(got(pair, INSTAGRAM_HELLO) == 120_000, "another name's all come")?;
        let slow = got(pair, WHATSAPP_HELLO);
        check(slow < 16_000, &format!("{slow} bytes in five seconds"))
    });
}

/// ID-1: every address answers queries, in its own name, because another resolver does.
#[test]
fn id_1_every_address_answers() {
    fact_case("ID-1", "censors/indonesia", "", &["dns"], |policy| {
        for server in ["8.8.8.8", "157.240.205.60"] {
            let mut pair = Pair::between(policy.clone(), "36.68.10.10", server);
            pair.datagram(Outbound, (5000, 53), INSTAGRAM_QUERY);
            settle(&mut pair);
            let [(_, asked)] = &*pair.server.packets else { return Err("one packet left".to_owned()) };
            check(asked[16..20] == [103, 111, 1, 1], "to the provider's resolver")?;
            // The resolver's answer.
            let resolver = "103.111.1.1".parse().expect("an address");
            let asked = core::mem::replace(&mut pair.server.address, resolver);
            let mut answer = query("instagram.com", 1);
            answer[2] |= 0x80;
            pair.datagram(Inbound, (5000, 53), &answer);
            settle(&mut pair);
            let [(_, packet)] = &*pair.client.packets else { return Err("no answer".to_owned()) };
            check(packet[12..16] == server.parse::<std::net::Ipv4Addr>().expect("one").octets(), "in its name")?;
            check(pair.client.datagrams.len() == 1 && asked.to_string() == server, "and whole")?;
        }
        Ok(())
    });
}

/// ID-1: DNS over TLS does not leave, resolvers over HTTPS are known by their names, and requests are led to a page.
#[test]
fn id_1_what_else_is_closed() {
    let parameters = "doh = [\"whatsapp.com\"]\nhttp = [\"instagram.com\"]";
    fact_pair("ID-1", "censors/indonesia", parameters, &["dot", "doh", "http"], |pair| {
        let connection = pair.connect(853);
        check(!pair.is_open(connection), "DNS over TLS")?;
        let connection = pair.connect(443);
        check(pair.exchange(connection, WHATSAPP_HELLO, ANSWER) == Outcome::Reset, "a listed name")?;
        let connection = pair.connect(443);
        check(pair.exchange(connection, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, "another name")?;
        let connection = pair.connect(80);
        pair.exchange(connection, INSTAGRAM_REQUEST, ANSWER);
        let page = String::from_utf8_lossy(&pair.at_client(connection).stream()).into_owned();
        check(page.starts_with("HTTP/1.1 302 ") && page.contains("lamanlabuh"), "led to the page")
    });
}
