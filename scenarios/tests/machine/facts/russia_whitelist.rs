//! Russia: whitelist mode of mobile networks, with `censors/ru-whitelist`.

use super::russia::{ANSWER, ELSEWHERE, elsewhere, ping, settle};
use super::{INSTAGRAM_QUERY, WHATSAPP_HELLO, hello_for};
use crate::pair::case::{check, fact_case};
use crate::pair::{Outbound, Outcome, Pair, SERVER};

const PROFILE: &str = "censors/ru-whitelist";

/// How many datagrams and pings of three reach the server, of which one is a query.
fn datagrams(pair: &mut Pair) -> usize {
    let before = pair.server.packets.len();
    pair.datagram(Outbound, (5000, 53), INSTAGRAM_QUERY);
    pair.datagram(Outbound, (5000, 443), b"a datagram");
    let echo = ping(pair);
    pair.send(Outbound, echo);
    settle(pair);
    pair.server.packets.len() - before
}

/// RU-WL-1, no stage: nothing is denied, whatever is listed.
#[test]
fn ru_wl_1_nothing_is_denied() {
    let policy = crate::pair::case::profile(PROFILE, "names = [\"api.ok.ru\"]");
    let mut pair = Pair::new(policy);
    let connection = pair.connect(443);
    assert_eq!(pair.exchange(connection, WHATSAPP_HELLO, ANSWER), Outcome::Answered);
    assert_eq!(datagrams(&mut pair), 3);
}

/// RU-WL-1, stage 1: a connection opens to any address, and a listed name is answered at any, also a false one; another name
/// is dropped with its `ClientHello`. Datagrams and pings are lost, but for queries to the operator's resolver.
#[test]
fn ru_wl_1_names() {
    let parameters = format!("by-name = true\nnames = [\"api.ok.ru\"]\nresolvers = [\"{SERVER}/32\"]");
    fact_case("RU-WL-1", PROFILE, &parameters, &["names", "datagrams", "resolvers"], |policy| {
        let mut pair = elsewhere(policy.clone());
        check(datagrams(&mut pair) == 0, "datagrams are lost")?;
        for (name, expected) in [("api.ok.ru", Outcome::Answered), ("web.whatsapp.com", Outcome::Silence)] {
            let connection = pair.connect(443);
            check(pair.is_open(connection), "it opens")?;
            let outcome = pair.exchange(connection, &hello_for(name), ANSWER);
            check(outcome == expected, &format!("{name}: {outcome:?}"))?;
            let got = pair.at_server(connection).ok_or("no server")?.stream();
            check(got.is_empty() == (expected == Outcome::Silence), "the ClientHello is dropped")?;
        }
        let connection = pair.connect(80);
        check(pair.exchange(connection, b"GET / HTTP/1.1\r\n\r\n", ANSWER) == Outcome::Silence, "what is no TLS")?;
        check(pair.client.segments(crate::pair::craft::RST).is_empty(), "nobody is reset")?;
        check(datagrams(&mut Pair::new(policy)) == 1, "the operator's resolver is asked")
    });
}

/// RU-WL-1, stage 2: at an address that is not listed connecting times out, whatever the name would be; at a listed one the
/// name must be listed too.
#[test]
fn ru_wl_1_names_and_addresses() {
    let parameters =
        format!("by-name = true\nby-address = true\nnames = [\"api.ok.ru\"]\nprefixes = [\"{ELSEWHERE}/32\"]");
    fact_case("RU-WL-1", PROFILE, &parameters, &["names", "addresses", "datagrams"], |policy| {
        let mut pair = Pair::new(policy.clone());
        let connection = pair.connect(443);
        check(!pair.is_open(connection) && pair.server.packets.is_empty(), "the SYN is lost")?;

        let mut pair = elsewhere(policy);
        for (name, expected) in [("api.ok.ru", Outcome::Answered), ("web.whatsapp.com", Outcome::Silence)] {
            let connection = pair.connect(443);
            check(pair.is_open(connection), "it opens")?;
            let outcome = pair.exchange(connection, &hello_for(name), ANSWER);
            check(outcome == expected, &format!("{name}: {outcome:?}"))?;
        }
        check(datagrams(&mut pair) == 0, "datagrams are lost")
    });
}
