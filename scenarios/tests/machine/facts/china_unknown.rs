//! China: what `censors/gfw` makes of protocols that it does not know, and of TLS inside DTLS.

use super::china::{ANSWER, PROFILE, seconds, settle};
use super::{INSTAGRAM_HELLO, SHADOWSOCKS};
use crate::pair::case::{check, fact_pair, profile};
use crate::pair::craft::RST;
use crate::pair::{Inbound, Outbound, Outcome, Pair, SERVER};

/// What pion's DTLS says first.
const PION: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/pion-dtls-v2-client-hello.bin");

fn always() -> String {
    format!("fet = [\"{SERVER}/32\"]\nfet-chance = 1.0")
}

/// A hundred bytes, four bits of each set, none printable, of which some are replaced.
fn noise(change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = vec![0x87; 100];
    change(&mut bytes);
    bytes
}

/// So many bytes with one bit more or less than the others.
fn with_bits(odd: u8, count: usize) -> Vec<u8> {
    noise(|bytes| bytes[..count].fill(odd))
}

/// GFW-FET-1: each of the five exemptions, right at its bound and just beyond. A U is printable, with four bits set.
#[test]
fn gfw_fet_1_five_exemptions() {
    let run = |from: usize, count: usize| noise(|bytes| bytes[from..from + count].fill(b'U'));
    let every_other = |more: usize| {
        noise(|bytes| {
            bytes.iter_mut().skip(1).step_by(2).for_each(|byte| *byte = b'U');
            bytes[50..50 + more].fill(b'U');
        })
    };
    let begins = |start: &[u8]| noise(|bytes| bytes[..start.len()].copy_from_slice(start));
    let cases: Vec<(&str, Vec<u8>, bool)> = vec![
        ("noise", noise(|_| ()), true),
        ("3.4 bits", with_bits(0x83, 60), false),
        ("3.41 bits", with_bits(0x83, 59), true),
        ("4.6 bits", with_bits(0x8f, 60), false),
        ("4.59 bits", with_bits(0x8f, 59), true),
        ("6 printable first", run(0, 6), false),
        ("5 printable first", run(0, 5), true),
        ("50 printable", every_other(0), true),
        ("51 printable", every_other(1), false),
        ("20 printable on end", run(10, 20), true),
        ("21 printable on end", run(10, 21), false),
        ("TLS 16 03 00", begins(&[0x16, 3, 0]), false),
        ("TLS 17 03 09", begins(&[0x17, 3, 9]), false),
        ("16 03 0a", begins(&[0x16, 3, 10]), true),
        ("15 03 01", begins(&[0x15, 3, 1]), true),
        ("GET", begins(b"GET "), false),
        ("PUT", begins(b"PUT "), false),
        ("POST", begins(b"POST "), false),
        ("HEAD", begins(b"HEAD "), false),
        ("another method", begins(b"LIST "), true),
        ("a method without its space", begins(b"POST\x87"), true),
        ("Shadowsocks", SHADOWSOCKS.to_vec(), true),
        ("a ClientHello", INSTAGRAM_HELLO.to_vec(), false),
    ];
    fact_pair("GFW-FET-1", PROFILE, &always(), &["fet"], |pair| {
        for (port, (what, bytes, is_blocked)) in (1000..).zip(&cases) {
            let connection = pair.connect(port);
            let outcome = pair.exchange(connection, bytes, ANSWER);
            let expected = if *is_blocked { Outcome::Silence } else { Outcome::Answered };
            check(outcome == expected, &format!("{what}: {outcome:?}"))?;
        }
        check(pair.client.segments(RST).is_empty() && pair.server.segments(RST).is_empty(), "nobody is reset")
    });
}

/// GFW-FET-1: the first payload of the client alone; what the server says first, and datagrams, are not looked at.
#[test]
fn gfw_fet_1_the_first_payload_alone() {
    let mut pair = Pair::new(profile(PROFILE, &always()));
    let connection = pair.connect(443);
    pair.server_sends(connection, SHADOWSOCKS);
    settle(&mut pair);
    assert_eq!(pair.exchange(connection, INSTAGRAM_HELLO, ANSWER), Outcome::Answered, "the server's is not");
    assert_eq!(pair.exchange(connection, SHADOWSOCKS, ANSWER), Outcome::Answered, "nor is the client's second");
    pair.datagram(Outbound, (50_000, 443), SHADOWSOCKS);
    settle(&mut pair);
    assert_eq!(pair.server.datagrams.len(), 1);
    let connection = pair.connect(443);
    assert_eq!(pair.exchange(connection, SHADOWSOCKS, ANSWER), Outcome::Silence, "its first is");
}

/// GFW-FET-2: what leaves is dropped, at any port, and for 180 seconds on that port of the server from whatever port; what enters
/// passes; what is tried in the meantime makes it last no longer. Other ports and UDP are left alone.
#[test]
fn gfw_fet_2_what_leaves_is_dropped() {
    fact_pair("GFW-FET-2", PROFILE, &always(), &["fet"], |pair| {
        let connection = pair.connect(8388);
        pair.client_sends(connection, SHADOWSOCKS);
        let began = pair.now;
        settle(pair);
        pair.server_sends(connection, b"from outside");
        settle(pair);
        check(
            pair.at_server(connection).is_some_and(|server| server.stream().is_empty()),
            "the payload does not arrive",
        )?;
        check(pair.at_client(connection).stream() == b"from outside", "what enters does")?;
        let other = pair.connect(443);
        check(pair.exchange(other, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, "another port")?;
        pair.datagram(Outbound, (50_000, 8388), b"a datagram");
        settle(pair);
        check(pair.server.datagrams.len() == 1, "UDP")?;
        for wait in [90, 178] {
            pair.run(began + seconds(wait) - pair.now);
            let again = pair.connect(8388);
            check(!pair.is_open(again), &format!("{wait} s"))?;
        }
        pair.run(began + seconds(181) - pair.now);
        let late = pair.connect(8388);
        check(pair.exchange(late, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, "over after 180 s, and not refreshed")
    });
}

/// GFW-FET-2: 26.3 of 100 connections, and only to some hosters.
#[test]
fn gfw_fet_2_some_connections_to_some_hosters() {
    let parameters = format!("fet = [\"{SERVER}/32\"]");
    fact_pair("GFW-FET-2", PROFILE, &parameters, &["fet"], |pair| {
        let is_blocked = |port: &u16| {
            let connection = pair.connect(*port);
            pair.client_sends(connection, SHADOWSOCKS);
            settle(pair);
            pair.at_server(connection).is_some_and(|server| server.stream().is_empty())
        };
        let blocked = (1000..2000).filter(is_blocked).count();
        check((221..=305).contains(&blocked), &format!("{blocked} of 1000"))
    });
    let elsewhere = [
        "fet = [\"198.51.100.0/24\"]\nfet-chance = 1.0".to_owned(),
        format!("{}\nfet-exempt = [\"{SERVER}/32\"]", always()),
    ];
    for parameters in elsewhere {
        let mut pair = Pair::new(profile(PROFILE, &parameters));
        let connection = pair.connect(443);
        assert_eq!(pair.exchange(connection, SHADOWSOCKS, ANSWER), Outcome::Answered, "{parameters}");
    }
}

/// GFW-SS-1: a first payload of high entropy and a length between 160 and 700 with some remainders modulo 16 is handed over with
/// the server's address and port; the connection goes on. Other lengths, plain text and later payloads are not.
#[test]
fn gfw_ss_1_suspicion() {
    fact_pair("GFW-SS-1", PROFILE, &format!("suspects = [\"{SERVER}/32\"]"), &["suspect"], |pair| {
        let text = b"a letter of plain words ".repeat(30);
        let cases: [(&str, &[u8], bool); 8] = [
            ("626 = 39 * 16 + 2", &SHADOWSOCKS[..626], true),
            ("169 = 10 * 16 + 9", &SHADOWSOCKS[..169], true),
            ("636, another remainder", SHADOWSOCKS, false),
            ("153, too short", &SHADOWSOCKS[..153], false),
            ("626 bytes of text", &text[..626], false),
            ("a ClientHello", INSTAGRAM_HELLO, false),
            ("706, too long", &[SHADOWSOCKS, &SHADOWSOCKS[..70]].concat(), false),
            ("690 = 43 * 16 + 2", &[SHADOWSOCKS, &SHADOWSOCKS[..54]].concat(), true),
        ];
        for (what, bytes, is_suspected) in cases {
            let before = pair.suspects.len();
            let connection = pair.connect(8388);
            let outcome = pair.exchange(connection, bytes, ANSWER);
            check(outcome == Outcome::Answered, &format!("{what}: the connection goes on: {outcome:?}"))?;
            check((pair.suspects.len() > before) == is_suspected, &format!("{what}: not {is_suspected}"))?;
            if let Some(suspect) = pair.suspects.get(before) {
                check(suspect.payload == bytes && suspect.port == 8388, "the payload and the port")?;
                check(suspect.server == pair.server.address, "the address")?;
            }
            let before = pair.suspects.len();
            pair.client_sends(connection, &SHADOWSOCKS[..626]);
            settle(pair);
            check(pair.suspects.len() == before, "a later payload")?;
        }
        Ok(())
    });
}

/// GFW-SS-1: a server that was found out is blocked: what it sends from these ports of its own does not come back.
#[test]
fn gfw_ss_1_blocked() {
    let parameters = format!("suspects-blocked = [\"{SERVER}/32\"]\nsuspects-ports = [8388]");
    fact_pair("GFW-SS-1", PROFILE, &parameters, &["suspects-blocked"], |pair| {
        let blocked = pair.connect(8388);
        check(!pair.server.packets.is_empty(), "what leaves arrives")?;
        check(!pair.is_open(blocked) && pair.client.packets.is_empty(), "and nothing comes back")?;
        let other = pair.connect(443);
        check(pair.exchange(other, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, "another port")
    });
}

/// A record of DTLS 1.2 with data, so that the datagram has so many bytes.
fn data(length: usize) -> Vec<u8> {
    let mut record = vec![0x17, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 7];
    record.extend(u16::try_from(length - 13).expect("short").to_be_bytes());
    record.resize(length, 0x5a);
    record
}

/// CN-DTLS-1: DTLS passes; once data of the lengths of a TLS handshake went through it, datagrams of more than 200 bytes do not, in
/// this flow. A `ClientHello` that is padded beyond the longest packet is not noticed, and neither is what has other lengths.
#[test]
fn cn_dtls_1_tls_in_dtls_loses_its_long_packets() {
    let parameters = format!("dtls = [\"{SERVER}/32\"]");
    fact_pair(
        "CN-DTLS-1",
        PROFILE,
        &parameters,
        &["dtls-hello", "dtls-inner-hello", "dtls-inner-sack", "dtls-inner-answer"],
        |pair| {
            let say = |pair: &mut Pair, port: u16, direction, bytes: &[u8]| {
                let before = pair.server.datagrams.len() + pair.client.datagrams.len();
                pair.datagram(direction, (port, 40_000), bytes);
                settle(pair);
                pair.server.datagrams.len() + pair.client.datagrams.len() > before
            };
            for (port, hello, is_dropped) in [(50_000, 583, true), (50_001, 1300, false), (50_002, 300, false)] {
                let handshake = [(Outbound, PION.to_vec()), (Inbound, data(150)), (Outbound, data(120))];
                let inner =
                    [(Outbound, data(hello)), (Inbound, data(81)), (Inbound, data(1180)), (Outbound, data(140))];
                for (direction, bytes) in handshake.into_iter().chain(inner) {
                    check(say(pair, port, direction, &bytes), &format!("{hello}: the handshakes pass"))?;
                }
                for direction in [Outbound, Inbound] {
                    check(say(pair, port, direction, &data(200)), &format!("{hello}: 200 bytes pass"))?;
                    check(say(pair, port, direction, &data(201)) != is_dropped, &format!("{hello}: 201 bytes"))?;
                }
            }
            pair.run(seconds(61));
            check(say(pair, 50_000, Outbound, &data(1000)), "and it is lifted after a while")
        },
    );
}
