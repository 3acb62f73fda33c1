//! Russia: the TSPU's mechanisms on names and addresses, as `censors/tspu-2022` and `censors/tspu-2026` both have them.

use core::time::Duration;

use roadblock_censor::policy::BoxPolicy;
use roadblock_censor::{Instant, Policy};

use super::{INSTAGRAM_HELLO, WHATSAPP_HELLO};
use crate::pair::case::{check, fact_case, fact_pair, profile};
use crate::pair::craft::{self, FIN, RST};
use crate::pair::{Connection, Inbound, Outbound, Outcome, Pair, SERVER, Seen};

const PROFILE: &str = "censors/tspu-2026";
/// Both versions.
const PROFILES: [&str; 2] = ["censors/tspu-2022", PROFILE];
pub(super) const ANSWER: &[u8] = b"a ServerHello and more";
/// Another server, of no list.
pub(super) const ELSEWHERE: &str = "93.184.215.14";

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn settle(pair: &mut Pair) {
    pair.run(Duration::from_millis(200));
}

/// A pair whose server is none of those that are listed.
pub(super) fn elsewhere(policy: Policy) -> Pair {
    Pair::between(policy, "94.25.168.10", ELSEWHERE)
}

/// Lets time pass until so much of it has since then.
pub(super) fn run_until(pair: &mut Pair, since: Instant, after: Duration) {
    let time = (since + after).saturating_since(pair.now);
    pair.run(time);
}

/// The same ports are blocked a second before the residual ends and work a second after.
pub(super) fn ends_after(pair: &mut Pair, connection: Connection, since: Instant, last: u64) -> Result<(), String> {
    run_until(pair, since, seconds(last - 1));
    let early = pair.connect_from(connection.port, 443);
    check(!pair.is_open(early), &format!("still blocked after {} s", last - 1))?;
    run_until(pair, since, seconds(last + 1));
    let late = pair.connect_from(connection.port, 443);
    check(pair.is_open(late), &format!("and no more after {} s", last + 1))
}

/// An echo request from the client's host.
pub(super) fn ping(pair: &Pair) -> Vec<u8> {
    let addresses = roadblock_censor::wire::ip::Addresses::new(pair.client.address, pair.server.address);
    let mut echo = vec![8, 0, 0, 0, 0x12, 0x34, 0, 1];
    let sum = roadblock_censor::wire::checksum::internet(&echo);
    echo[2..4].copy_from_slice(&sum.to_be_bytes());
    craft::ip(&addresses.expect("one family"), 1, 64, &echo, 0)
}

/// How an exchange goes when the client's request is cut at these places.
pub(super) fn cut_exchange(pair: &mut Pair, request: &[u8], cuts: &[usize]) -> Outcome {
    let connection = pair.connect(443);
    pair.client_takes(connection, request);
    for range in pair.cut(connection, cuts) {
        let packet = pair.part(connection, range).bytes();
        pair.send(Outbound, packet);
    }
    pair.answer(connection, request, ANSWER)
}

/// Runs what a fact says with a profile, where it must hold, and with its boxes changed like this, where it must not.
pub(super) fn fact_box(
    fact: &str,
    id: &str,
    parameters: &str,
    change: impl Fn(&mut BoxPolicy),
    holds: impl Fn(Policy) -> Result<(), String>,
) {
    let policy = profile(id, parameters);
    holds(policy.clone()).unwrap_or_else(|why| panic!("{fact} does not hold with {id}: {why}"));
    let mut changed = policy;
    changed.boxes.iter_mut().for_each(change);
    assert!(holds(changed).is_err(), "{fact} holds with the boxes of {id} changed, so that is not what makes it hold");
}

/// TSPU-1: the server gets the `ClientHello` and answers, over and over, and never sees a reset; the client gets RST/ACK
/// without payload, with the server's own numbers and time to live. 75 seconds later the same ports work again.
#[test]
fn tspu_1_the_client_is_reset_and_the_server_is_not() {
    let holds = |policy: Policy| {
        for mut pair in [Pair::new(policy.clone()), Pair::v6(policy.clone())] {
            let connection = pair.connect(443);
            check(pair.is_open(connection), "the handshake passes")?;
            let since = pair.now;
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
            let other = pair.connect(443);
            check(pair.exchange(other, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, "from other ports all is well")?;
            ends_after(&mut pair, connection, since, 75)?;
        }
        Ok(())
    };
    for id in PROFILES {
        fact_case("TSPU-1", id, "sni-1 = [\"whatsapp.com\"]", &["sni-1"], holds);
    }
}

/// TSPU-1: another name on the same server, and the same name on another port, are left alone.
#[test]
fn tspu_1_what_is_not_listed_is_answered() {
    let cases = [(INSTAGRAM_HELLO, 443), (WHATSAPP_HELLO, 8443)];
    for (id, (hello, port)) in PROFILES.into_iter().flat_map(|id| cases.map(|case| (id, case))) {
        let mut pair = Pair::new(profile(id, "sni-1 = [\"whatsapp.com\"]"));
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
    let holds = |pair: &mut Pair| {
        let connection = pair.connect(443);
        let since = pair.now;
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
        ends_after(pair, connection, since, 420)
    };
    for id in PROFILES {
        fact_pair("TSPU-2", id, "sni-2 = [\"whatsapp.com\"]", &["sni-2"], holds);
    }
}

/// TSPU-4: where SNI-I did not act because the roles are confused, the `ClientHello` itself never arrives; the client sends
/// it again and again.
#[test]
fn tspu_4_the_client_hello_never_arrives() {
    let parameters = "sni-1 = [\"whatsapp.com\"]\nsni-4 = [\"whatsapp.com\"]";
    let holds = |pair: &mut Pair| {
        pair.server.splits_handshakes = true;
        let connection = pair.connect(443);
        check(pair.is_open(connection), "a split handshake opens a connection")?;
        let since = pair.now;
        check(pair.exchange(connection, WHATSAPP_HELLO, ANSWER) == Outcome::Silence, "silence")?;
        let server = pair.at_server(connection).ok_or("no server")?;
        check(server.stream().is_empty(), "the ClientHello never arrives")?;
        let count = pair.story().iter().filter(|line| *line == "censor/sni-4 Dropped").count();
        check(count >= 3, &format!("sent again and dropped again: {count}"))?;
        check(pair.client.segments(RST).is_empty() && pair.server.segments(RST).is_empty(), "nobody is reset")?;
        ends_after(pair, connection, since, 40)
    };
    for id in PROFILES {
        fact_pair("TSPU-4", id, parameters, &["sni-4"], holds);
    }
}

/// TSPU-6: nothing reaches a blocked address, whatever its protocol; what comes from there does.
#[test]
fn tspu_6_nothing_reaches_a_blocked_address() {
    let holds = |policy: Policy| {
        let mut other = elsewhere(policy.clone());
        let connection = other.connect(443);
        check(other.is_open(connection), "another address is not touched")?;
        let pair = &mut Pair::new(policy);
        let connection = pair.connect(443);
        let echo = ping(pair);
        pair.send(Outbound, echo);
        pair.datagram(Outbound, (5000, 5001), b"to");
        pair.datagram(Inbound, (5000, 5001), b"from");
        pair.run(seconds(300));
        check(pair.server.packets.is_empty(), "nothing arrives")?;
        check(pair.client.datagrams.len() == 1, "what comes from there does")?;
        let seen = &pair.at_client(connection).seen;
        check(seen.first().is_some_and(|(_, seen)| *seen == Seen::TimedOut), "connecting times out")
    };
    for id in PROFILES {
        fact_case("TSPU-6", id, &format!("ip-drop = [\"{SERVER}/32\"]"), &["ip-drop"], holds);
    }
}

/// TSPU-8: SNI-I needs the inside to have begun the connection.
#[test]
fn tspu_8_connections_from_outside_are_spared() {
    let holds = |pair: &mut Pair| {
        let inward = pair.connect_inward(45_000, 443);
        check(pair.exchange(inward, WHATSAPP_HELLO, ANSWER) == Outcome::Answered, "begun outside: answered")?;
        let outward = pair.connect(443);
        check(pair.exchange(outward, WHATSAPP_HELLO, ANSWER) == Outcome::Reset, "begun inside: reset")
    };
    for id in PROFILES {
        fact_pair("TSPU-8", id, "sni-1 = [\"whatsapp.com\"]", &["sni-1"], holds);
    }
}

fn ttl(packet: &[u8]) -> u8 {
    packet[if packet[0] >> 4 == 4 { 8 } else { 7 }]
}
