//! Russia: the TSPU of `censors/tspu-2026`.

use core::time::Duration;

use super::{INSTAGRAM_HELLO, INSTAGRAM_QUERY, WHATSAPP_HELLO};
use crate::pair::case::{check, fact_case, fact_pair, profile};
use crate::pair::craft::{FIN, RST};
use crate::pair::{Inbound, Outbound, Outcome, Pair, SERVER, Seen};

const PROFILE: &str = "censors/tspu-2026";
const ANSWER: &[u8] = b"a ServerHello and more";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn settle(pair: &mut Pair) {
    pair.run(Duration::from_millis(200));
}

/// TSPU-1: the server gets the `ClientHello` and answers, over and over, and never sees a reset; the client gets RST/ACK
/// without payload, with the server's own numbers and time to live. 75 seconds later the same ports work again.
#[test]
fn tspu_1_the_client_is_reset_and_the_server_is_not() {
    let parameters = "sni-1 = [\"whatsapp.com\"]";
    fact_case("TSPU-1", PROFILE, parameters, &["sni-1"], |policy| {
        for mut pair in [Pair::new(policy.clone()), Pair::v6(policy.clone())] {
            let connection = pair.connect(443);
            check(pair.is_open(connection), "the handshake passes")?;
            let answered = pair.exchange(connection, WHATSAPP_HELLO, ANSWER);
            check(answered == Outcome::Reset, &format!("a reset, not {answered:?}"))?;
            let server = pair.at_server(connection).ok_or("no server")?;
            check(server.stream() == WHATSAPP_HELLO, "the server got the ClientHello")?;
            check(server.seen.is_empty() && pair.server.segments(RST).is_empty(), "the server saw no reset")?;
            let resets = pair.client.segments(RST);
            check(resets.iter().all(|reset| reset.payload.is_empty()), "no payload")?;
            // The first thing that the server sends after the ClientHello is its acknowledgement.
            check(resets[0].sequence == server.first_sequence.wrapping_add(1), "the server's own numbers")?;
            check(pair.client.packets.iter().all(|(_, packet)| ttl(packet) == 64 - 12), "the server's own TTL")?;

            pair.run(seconds(60));
            let early = pair.connect_from(connection.port, 443);
            check(!pair.is_open(early), "the residual still hits the same ports")?;
            pair.run(seconds(90));
            let late = pair.connect_from(connection.port, 443);
            check(pair.exchange(late, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, "and is over after 75 s")?;
        }
        Ok(())
    });
}

/// TSPU-1: another name on the same server, and the same name on another port, are left alone.
#[test]
fn tspu_1_what_is_not_listed_is_answered() {
    for (hello, port) in [(INSTAGRAM_HELLO, 443), (WHATSAPP_HELLO, 8443)] {
        let mut pair = Pair::new(profile(PROFILE, "sni-1 = [\"whatsapp.com\"]"));
        let connection = pair.connect(port);
        assert_eq!(pair.exchange(connection, hello, ANSWER), Outcome::Answered);
        pair.client_finishes(connection);
        settle(&mut pair);
        let server = pair.at_server(connection).expect("a connection");
        assert!(server.seen.iter().any(|(_, seen)| *seen == Seen::Fin), "and ends as connections do");
        assert_eq!(pair.story(), [""; 0]);
        assert_eq!(pair.server.segments(FIN).len(), 1);
    }
}

/// TSPU-2: five to eight packets more pass, either way; then there is silence both ways for 420 seconds.
#[test]
fn tspu_2_a_few_packets_then_silence() {
    fact_pair("TSPU-2", PROFILE, "sni-2 = [\"whatsapp.com\"]", &["sni-2"], |pair| {
        let connection = pair.connect(443);
        pair.client_sends(connection, WHATSAPP_HELLO);
        settle(pair);
        let before = pair.client.packets.len() + pair.server.packets.len();
        for _ in 0..12 {
            pair.server_sends(connection, b"data");
            pair.client_sends(connection, b"data");
            settle(pair);
        }
        let passed = pair.client.packets.len() + pair.server.packets.len() - before;
        // The server's acknowledgement of the ClientHello came before the count began here, and is one of those that pass.
        check((4..=7).contains(&passed), &format!("{passed} packets passed"))?;
        check(pair.client.segments(RST).is_empty(), "nobody is reset")?;
        pair.run(seconds(400));
        let count = pair.server.packets.len();
        let again = pair.begin(connection.port, 443);
        pair.run(seconds(5));
        check(pair.server.packets.len() == count && !pair.is_open(again), "still silent after 400 s")?;
        pair.run(seconds(60));
        let late = pair.connect_from(connection.port, 443);
        check(pair.is_open(late), "and open after 420 s")
    });
}

/// TSPU-4: where SNI-I did not act because the roles are confused, the `ClientHello` itself never arrives; the client sends
/// it again and again.
#[test]
fn tspu_4_the_client_hello_never_arrives() {
    let parameters = "sni-1 = [\"whatsapp.com\"]\nsni-4 = [\"whatsapp.com\"]";
    fact_pair("TSPU-4", PROFILE, parameters, &["sni-4"], |pair| {
        pair.server.splits_handshakes = true;
        let connection = pair.connect(443);
        check(pair.is_open(connection), "a split handshake opens a connection")?;
        check(pair.exchange(connection, WHATSAPP_HELLO, ANSWER) == Outcome::Silence, "silence")?;
        let server = pair.at_server(connection).ok_or("no server")?;
        check(server.stream().is_empty(), "the ClientHello never arrives")?;
        let count = pair.story().iter().filter(|line| *line == "censor/sni-4 Dropped").count();
        check(count >= 3, &format!("sent again and dropped again: {count}"))
    });
}

/// TSPU-6: nothing reaches a blocked address, whatever its protocol; what comes from there does.
#[test]
fn tspu_6_nothing_reaches_a_blocked_address() {
    fact_pair("TSPU-6", PROFILE, &format!("ip-drop = [\"{SERVER}/32\"]"), &["ip-drop"], |pair| {
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

/// TSPU-8: SNI-I needs the inside to have begun the connection.
#[test]
fn tspu_8_connections_from_outside_are_spared() {
    fact_pair("TSPU-8", PROFILE, "sni-1 = [\"whatsapp.com\"]", &["sni-1"], |pair| {
        let inward = pair.connect_inward(45_000, 443);
        check(pair.exchange(inward, WHATSAPP_HELLO, ANSWER) == Outcome::Answered, "begun outside: answered")?;
        let outward = pair.connect(443);
        check(pair.exchange(outward, WHATSAPP_HELLO, ANSWER) == Outcome::Reset, "begun inside: reset")
    });
}

/// TSPU-13: a server that answers a SYN with a SYN, or offers a window too small for a `ClientHello`, gets past SNI-I.
#[test]
fn tspu_13_servers_that_help() {
    let parameters = "sni-1 = [\"whatsapp.com\"]";
    let helps: [fn(&mut Pair); 2] =
        [|pair| pair.server.splits_handshakes = true, |pair| pair.server.opening_window = 60];
    for help in helps {
        let mut pair = Pair::new(profile(PROFILE, parameters));
        help(&mut pair);
        let connection = pair.connect(443);
        assert_eq!(pair.exchange(connection, WHATSAPP_HELLO, ANSWER), Outcome::Answered);
    }
    let mut pair = Pair::new(profile(PROFILE, parameters));
    let connection = pair.connect(443);
    assert_eq!(pair.exchange(connection, WHATSAPP_HELLO, ANSWER), Outcome::Reset);
}

/// TSPU-10: a connection that was idle for longer than 480 seconds is unknown, and its `ClientHello` is not read.
#[test]
fn tspu_10_a_long_pause_gets_through() {
    for (pause, expected) in [(470, Outcome::Reset), (490, Outcome::Answered)] {
        let mut pair = Pair::new(profile(PROFILE, "sni-1 = [\"whatsapp.com\"]"));
        let connection = pair.connect(443);
        pair.run(seconds(pause));
        assert_eq!(pair.exchange(connection, WHATSAPP_HELLO, ANSWER), expected, "{pause} s");
    }
}

/// RU-DNS-2: a query to a foreign resolver is answered by another server in its name; here it never reaches the one asked.
#[test]
fn ru_dns_2_the_query_goes_elsewhere() {
    let parameters = format!("dns-redirect = [\"{SERVER}/32\"]");
    fact_pair("RU-DNS-2", PROFILE, &parameters, &["dns-redirect"], |pair| {
        pair.datagram(Outbound, (5000, 53), INSTAGRAM_QUERY);
        settle(pair);
        let [(_, packet)] = &*pair.server.packets else { return Err("one packet left".to_owned()) };
        check(packet[16..20] == [195, 208, 6, 1], "to the national resolver")
    });
}

/// RU-L425-1: about 25 packets pass, both ways together; then the connection freezes without a word, and a new one does not.
#[test]
fn ru_l425_1_a_connection_freezes() {
    fact_pair("RU-L425-1", PROFILE, &format!("l4-25 = [\"{SERVER}/32\"]"), &["l4-25"], |pair| {
        for _ in 0..2 {
            let connection = pair.connect(443);
            check(pair.is_open(connection), "a new connection opens")?;
            let before = pair.at_client(connection).stream().len();
            for _ in 0..40 {
                pair.server_sends(connection, b"data");
                settle(pair);
            }
            let got = pair.at_client(connection).stream().len() - before;
            check(got > 0 && got < 100, &format!("{got} bytes arrived"))?;
            check(pair.client.segments(RST).is_empty(), "nobody is reset")?;
        }
        Ok(())
    });
}

/// RU-CALL-1: a call through a relay dies after its first packets.
#[test]
fn ru_call_1_a_relayed_call_dies() {
    let parameters = format!("call-relays = [\"{SERVER}/32\"]");
    fact_pair("RU-CALL-1", PROFILE, &parameters, &["call-relay"], |pair| {
        for _ in 0..20 {
            pair.datagram(Outbound, (5000, 3478), b"voice");
            pair.datagram(Inbound, (5000, 3478), b"voice");
            settle(pair);
        }
        let passed = pair.client.datagrams.len() + pair.server.datagrams.len();
        check(passed == 4, &format!("{passed} packets passed"))
    });
}

fn ttl(packet: &[u8]) -> u8 {
    packet[if packet[0] >> 4 == 4 { 8 } else { 7 }]
}
