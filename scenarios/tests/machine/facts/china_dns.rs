//! China: the three injectors of `censors/gfw` that answer DNS queries.

use core::time::Duration;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{INSTAGRAM_QUERY, WHATSAPP_HELLO};
use crate::pair::case::{check, fact_pair, inline, profile};
use crate::pair::craft::{RST, Segment, fix_v4};
use crate::pair::{Inbound, Outbound, Outcome, Pair};

const PROFILE: &str = "censors/gfw";
const ALL: &str = "dns-1 = [\"instagram.com\"]\ndns-2 = [\"instagram.com\"]\ndns-3 = [\"instagram.com\"]";
/// What kdig asked for instagram.com, AAAA, with EDNS.
const EDNS_QUERY: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/kdig-query-edns.bin");
/// What kdig sent over TCP: for instagram.com, A and then AAAA.
const STREAM_QUERIES: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/kdig-stream-queries.bin");
/// The pool of the profile, as it is walked.
const POOL: [&str; 6] =
    ["31.13.94.37", "157.240.7.20", "108.160.162.31", "104.244.46.85", "162.125.32.10", "199.59.148.20"];

/// An answer with one address, read by hand.
#[derive(Clone, Debug)]
struct Answer {
    df: bool,
    id: u16,
    ttl: u8,
    /// The header's second word of flags: QR, AA, RD, RA, AD and the code.
    flags: u16,
    /// Questions, answers, authorities, additional records.
    counts: [u16; 4],
    seconds: u32,
    address: IpAddr,
}

impl Answer {
    const AUTHORITATIVE: u16 = 0x0400;

    fn read(packet: &[u8]) -> Option<Self> {
        let word = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
        let dns = packet.get(28..).filter(|_| packet[9] == 17)?;
        let data_length = if dns.len() > 28 && dns[dns.len() - 18..].starts_with(&[0, 16]) { 16 } else { 4 };
        let record = &dns[dns.len() - data_length - 6..];
        let address = match data_length {
            4 => IpAddr::from(<[u8; 4]>::try_from(&record[6..]).ok()?),
            _ => IpAddr::from(<[u8; 16]>::try_from(&record[6..]).ok()?),
        };
        let seconds = u32::from_be_bytes(record[..4].try_into().ok()?);
        let counts = [word(32), word(34), word(36), word(38)];
        let df = packet[6] & 0x40 != 0;
        Some(Self { df, id: word(4), ttl: packet[8], flags: word(30), counts, seconds, address })
    }
}

fn settle(pair: &mut Pair) {
    pair.run(Duration::from_millis(500));
}

/// What came to the client since it had so many packets.
fn answers(pair: &Pair, before: usize) -> Vec<Answer> {
    pair.client.packets[before..].iter().filter_map(|(_, packet)| Answer::read(packet)).collect()
}

/// Asks and says what came.
fn ask(pair: &mut Pair, port: u16, query: &[u8]) -> Vec<Answer> {
    let before = pair.client.packets.len();
    pair.datagram(Outbound, (port, 53), query);
    settle(pair);
    answers(pair, before)
}

/// Asks with this time to live.
fn ask_with_ttl(pair: &mut Pair, ttl: u8) -> Vec<Answer> {
    let before = pair.client.packets.len();
    let addresses = roadblock_censor::wire::ip::Addresses::new(pair.client.address, pair.server.address);
    let addresses = addresses.expect("one family");
    let mut packet = roadblock_censor::wire::build::udp(&addresses, 5000, 53, INSTAGRAM_QUERY);
    packet[8] = ttl;
    fix_v4(&mut packet);
    pair.send(Outbound, packet);
    settle(pair);
    answers(pair, before)
}

/// A query for this name and type, as kdig writes it.
fn query(name: &str, kind: u16) -> Vec<u8> {
    let mut query = INSTAGRAM_QUERY[..12].to_vec();
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).expect("short"));
        query.extend(label.as_bytes());
    }
    query.push(0);
    query.extend(kind.to_be_bytes());
    query.extend([0, 1]);
    query
}

/// GFW-DNS-1: the forged answer comes first, the query still arrives, and the true answer comes later, so that the client has
/// two answers to one query. It is so at an address where nobody answers, and for a query that comes from outside.
#[test]
fn gfw_dns_1_the_forged_answer_comes_first_and_the_true_one_too() {
    fact_pair("GFW-DNS-1", PROFILE, "dns-1 = [\"instagram.com\"]", &["dns-1"], |pair| {
        let asked = pair.now;
        pair.datagram(Outbound, (5000, 53), INSTAGRAM_QUERY);
        settle(pair);
        check(pair.server.datagrams == [(5000, 53, INSTAGRAM_QUERY.to_vec())], "the query arrives as it was")?;
        check(pair.client.datagrams.len() == 1, "nobody answers there, and there is an answer")?;
        let (at, _) = pair.client.packets[0];
        let travel = at.saturating_since(asked);
        check(travel == Duration::from_millis(4), &format!("from the censor, not from the server: {travel:?}"))?;
        let mut genuine = INSTAGRAM_QUERY.to_vec();
        genuine[2] |= 0x80;
        pair.datagram(Inbound, (5000, 53), &genuine);
        settle(pair);
        check(pair.client.datagrams.len() == 2, "the true answer is delivered too")?;
        check(pair.client.datagrams[1].2 == genuine, "and as it was")?;
        // From outside to a host inside that has no resolver either.
        pair.datagram(Inbound, (53, 6000), INSTAGRAM_QUERY);
        settle(pair);
        check(pair.client.datagrams.len() == 3, "a query from outside arrives")?;
        check(pair.server.datagrams.len() == 2, "and is answered to its asker")?;
        check(pair.server.datagrams[1].0 == 53 && pair.server.datagrams[1].1 == 6000, "from the asked port")
    });
}

/// GFW-DNS-1: other names, other ports and answers are left alone.
#[test]
fn gfw_dns_1_nothing_else_is_answered() {
    let mut pair = Pair::new(profile(PROFILE, ALL));
    for (port, bytes) in
        [(53, query("example.org", 1)), (5353, INSTAGRAM_QUERY.to_vec()), (53, b"instagram.com".to_vec())]
    {
        pair.datagram(Outbound, (5000, port), &bytes);
    }
    settle(&mut pair);
    assert_eq!((pair.client.packets.len(), pair.server.datagrams.len()), (0, 3));
}

/// GFW-DNS-2: one query, three answers, at once, each known by its injector's ways: AA, 60 seconds and no DF with a TTL that
/// goes up by one each time; DF and any TTL; no DF, no identification and the query's own TTL.
#[test]
fn gfw_dns_2_three_injectors() {
    fact_pair("GFW-DNS-2", PROFILE, ALL, &["dns-1", "dns-2", "dns-3"], |pair| {
        let mut rounds = Vec::new();
        for _ in 0..6 {
            let before = pair.client.packets.len();
            let all = ask(pair, 5000, INSTAGRAM_QUERY);
            check(all.len() == 3, &format!("{} answers", all.len()))?;
            let times: Vec<_> = pair.client.packets[before..].iter().map(|(at, _)| *at).collect();
            check(times[2].saturating_since(times[0]) <= Duration::from_micros(200), "within 0.2 ms")?;
            rounds.push(all);
        }
        let nth = |place: usize| rounds.iter().map(move |round| &round[place]);
        let has_aa = |answer: &Answer| answer.flags & Answer::AUTHORITATIVE != 0;
        check(nth(0).all(|one| has_aa(one) && !one.df && one.seconds == 60), "the first's AA, DF and TTL")?;
        let ttls: Vec<u8> = nth(0).map(|one| one.ttl).collect();
        check(ttls.windows(2).all(|two| two[1] == two[0] + 1), &format!("the first's IP TTL goes up: {ttls:?}"))?;
        check(nth(1).all(|two| !has_aa(two) && two.df), "the second's AA and DF")?;
        let mut ttls: Vec<u8> = nth(1).map(|two| two.ttl).collect();
        check(ttls.windows(2).any(|two| two[1] != two[0].wrapping_add(1)), &format!("the second's is any: {ttls:?}"))?;
        ttls.dedup();
        check(ttls.len() > 3, "and varies")?;
        check(
            nth(2).all(|three| !has_aa(three) && !three.df && three.id == 0),
            "the third's AA, DF and identification",
        )?;
        // Sent with 64, 62 left at the censor, and two more hops on the way back.
        check(nth(2).all(|three| three.ttl == 60), "the third mirrors the query's TTL")
    });
}

/// GFW-DNS-2: the third injector's answer arrives only if the query was sent with a TTL of 2n - 1 or more, where n is the hop
/// that the injectors stand at; here the third.
#[test]
fn gfw_dns_2_the_third_needs_ttl_enough_for_both_ways() {
    fact_pair("GFW-DNS-2", PROFILE, ALL, &["dns-3"], |pair| {
        let kinds = |answers: Vec<Answer>| answers.iter().filter(|answer| !answer.df && answer.id == 0).count();
        for (ttl, expected) in [(2, 0), (3, 2), (4, 2), (5, 3), (6, 3)] {
            let all = ask_with_ttl(pair, ttl);
            check(all.len() == expected, &format!("TTL {ttl}: {} answers", all.len()))?;
            check(kinds(all) == usize::from(expected == 3), &format!("TTL {ttl}: the third's"))?;
        }
        Ok(())
    });
}

/// GFW-DNS-3: each injector walks its pool in one order, again and again; answers to AAAA lie in `2001::/32`.
#[test]
fn gfw_dns_3_an_ordered_pool() {
    fact_pair("GFW-DNS-3", PROFILE, "dns-1 = [\"instagram.com\"]", &["dns-1"], |pair| {
        let mut pool: Vec<IpAddr> = POOL.iter().map(|each| each.parse::<Ipv4Addr>().expect("one").into()).collect();
        // Where it begins is any.
        let first = ask(pair, 5000, INSTAGRAM_QUERY)
            .first()
            .and_then(|answer| pool.iter().position(|each| *each == answer.address));
        let Some(first) = first else { return check(false, "an address of the pool") };
        pool.rotate_left((first + 1) % POOL.len());
        for round in 0..3 {
            for (place, expected) in pool.iter().enumerate() {
                let all = ask(pair, 5000 + round, INSTAGRAM_QUERY);
                let got: Vec<IpAddr> = all.iter().map(|answer| answer.address).collect();
                check(got == [*expected], &format!("round {round}, {place}: {got:?}"))?;
            }
        }
        let teredo = |address: IpAddr| match address {
            IpAddr::V6(address) => address.segments()[..2] == [0x2001, 0],
            IpAddr::V4(_) => false,
        };
        let all = ask(pair, 5000, EDNS_QUERY);
        check(all.len() == 1 && teredo(all[0].address), &format!("AAAA: {all:?}"))?;
        check(all[0].address != IpAddr::V6(Ipv6Addr::UNSPECIFIED), "an address")
    });
}

/// GFW-DNS-4: a pattern without a dot in front blocks every name that only ends alike.
#[test]
fn gfw_dns_4_over_blocking() {
    fact_pair("GFW-DNS-4", PROFILE, "dns-2 = [\"*919.com\"]", &["dns-2"], |pair| {
        let names = [("919.com", 1), ("www.919.com", 1), ("innocent919.com", 1), ("919.com.cn", 0), ("919.org", 0)];
        for (name, expected) in names {
            let count = ask(pair, 5000, &query(name, 1)).len();
            check(count == expected, &format!("{name}: {count}"))?;
        }
        Ok(())
    });
}

/// GFW-DNS-5: the answer has QR and RA and not AD, and nothing of the query's EDNS; a question for MX gets an address all the
/// same; a query with two questions, and one with the name in another section alone, get nothing.
#[test]
fn gfw_dns_5_only_the_question_counts() {
    fact_pair("GFW-DNS-5", PROFILE, "dns-2 = [\"instagram.com\"]", &["dns-2"], |pair| {
        let mut with_ad = EDNS_QUERY.to_vec();
        with_ad[3] |= 0x20;
        let all = ask(pair, 5000, &with_ad);
        check(all.len() == 1, "one answer")?;
        check(EDNS_QUERY[11] == 1 && all[0].counts == [1, 1, 0, 0], "one question, one answer and no EDNS")?;
        check(all[0].flags & 0x80a0 == 0x8080, &format!("QR and RA and not AD: {:#06x}", all[0].flags))?;
        let mx = ask(pair, 5000, &query("instagram.com", 15));
        check(mx.len() == 1 && mx[0].address.is_ipv4() && mx[0].counts[1] == 1, "an MX gets an address")?;
        let mut two = query("instagram.com", 1);
        two[5] = 2;
        two.extend(&query("example.org", 1)[12..]);
        check(ask(pair, 5000, &two).is_empty(), "two questions get nothing")?;
        let mut elsewhere = query("example.org", 1);
        elsewhere[11] = 1;
        elsewhere.extend(&query("instagram.com", 1)[12..]);
        elsewhere.extend([0, 0, 0, 60, 0, 4, 1, 2, 3, 4]);
        check(ask(pair, 5000, &elsewhere).is_empty(), "the name in another section is nothing")
    });
}

/// GFW-DNS-5: over TCP both ends are reset, once the query is whole, and nothing is forged.
#[test]
fn gfw_dns_5_over_tcp_it_is_reset() {
    fact_pair("GFW-DNS-5", PROFILE, "dns-tcp = [\"instagram.com\"]", &["dns-tcp"], |pair| {
        let connection = pair.connect(53);
        pair.client_sends(connection, &STREAM_QUERIES[..20]);
        settle(pair);
        check(pair.is_open(connection), "half a query")?;
        pair.client_sends(connection, &STREAM_QUERIES[20..]);
        settle(pair);
        check(!pair.client.segments(RST).is_empty() && !pair.server.segments(RST).is_empty(), "both ends are reset")?;
        check(pair.at_client(connection).stream().is_empty(), "and there is no answer")?;
        let other = pair.connect(5353);
        check(pair.exchange(other, STREAM_QUERIES, b"an answer") == Outcome::Answered, "another port")
    });
}

/// GFW-SNI-4: a reset and then a SYN from the server get past the box for DNS over TCP and not past the one for TLS.
#[test]
fn gfw_sni_4_a_reset_and_a_split_handshake() {
    let parameters = "dns-tcp = [\"instagram.com\"]\nsni = [\"whatsapp.com\"]";
    fact_pair("GFW-SNI-4", PROFILE, parameters, &["dns-tcp", "sni-1"], |pair| {
        for (port, bytes, gets_past) in [(53, STREAM_QUERIES, true), (443, WHATSAPP_HELLO, false)] {
            let plain = pair.connect(port);
            check(pair.exchange(plain, bytes, b"an answer") == Outcome::Reset, &format!("{port}: plainly"))?;
            pair.run(Duration::from_secs(100));
            pair.server.splits_handshakes = true;
            let connection = pair.begin(45_000, port);
            pair.run(Duration::from_millis(10));
            let ends = pair.segment(connection);
            // It gets as far as the censor.
            let reset = Segment { source: ends.destination, destination: ends.source, flags: RST, ttl: 11, ..ends };
            pair.send(Inbound, reset.bytes());
            settle(pair);
            check(pair.is_open(connection), &format!("{port}: the connection opens"))?;
            let outcome = pair.exchange(connection, bytes, b"an answer");
            let expected = if gets_past { Outcome::Answered } else { Outcome::Reset };
            check(outcome == expected, &format!("{port}: {outcome:?}"))?;
            pair.server.splits_handshakes = false;
        }
        Ok(())
    });
}

/// GFW-DNS-6: which box sees a flow depends on the client's address, for good: asking again does not help, from another
/// address it may. Each client has an answer to all of its queries or to none.
#[test]
fn gfw_dns_6_the_address_decides_for_good() {
    let boxed = |share: &str| {
        inline(&format!(
            "param.names = {{ type = \"names\", default = [\"instagram.com\"] }}\n[box]\nplace = \"on-path\"\n{share}\n\
             [[rule]]\nid = \"dns\"\nwhen = {{ dns.qname = \"$names\" }}\n\
             inject = {{ dns = {{ addresses = [\"31.13.94.37\"] }} }}\n"
        ))
    };
    let censored = |share: &str| {
        let mut hit = Vec::new();
        for host in 8..40 {
            let mut pair = Pair::between(boxed(share), &format!("192.0.2.{host}"), "198.51.100.1");
            let counts: Vec<usize> = (0..5).map(|port| ask(&mut pair, 5000 + port, INSTAGRAM_QUERY).len()).collect();
            assert!(counts.windows(2).all(|two| two[0] == two[1]), "all or nothing: {counts:?}");
            hit.push(counts[0] == 1);
        }
        hit
    };
    let some = censored("share = { by = \"client-address\", of = 8, is = [\"0-3\"] }");
    let count = some.iter().filter(|hit| **hit).count();
    assert!((8..=24).contains(&count), "about half of the clients: {count}");
    assert_eq!(
        some,
        censored("share = { by = \"client-address\", of = 8, is = [\"0-3\"] }"),
        "and the same ones always"
    );
    let others = censored("share = { by = \"client-address\", of = 8, is = [\"4-7\"] }");
    assert!(some.iter().zip(&others).all(|(one, other)| one != other), "a box beside it sees the rest");
    assert!(censored("").iter().all(|hit| *hit), "one box alone sees all");
}
