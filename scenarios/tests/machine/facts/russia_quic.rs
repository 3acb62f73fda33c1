//! Russia: QUIC through its three regimes, and ECH.

use roadblock_censor::Policy;

use super::russia::{ANSWER, cut_exchange, elsewhere, run_until, seconds, settle};
use crate::pair::case::{check, fact_case};
use crate::pair::{Inbound, Outbound, Outcome, Pair, SERVER};

/// A client's first datagram for www.instagram.com.
pub(super) const AIOQUIC: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/aioquic-initial-v1.bin");
const AIOQUIC_V2: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/aioquic-initial-v2.bin");
/// One for example.com, of RFC 9001.
const RFC_9001: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/rfc9001-client-initial.bin");
/// Two for cloudflare-ech.com with ECH.
const CHROMIUM_ECH: [&[u8]; 2] = [
    include_bytes!("../../../../emulator/censor/tests/data/chromium-ech-initial-1.bin"),
    include_bytes!("../../../../emulator/censor/tests/data/chromium-ech-initial-2.bin"),
];
/// Two for www.instagram.com, with GREASE in place of ECH.
const CHROMIUM: [&[u8]; 2] = [
    include_bytes!("../../../../emulator/censor/tests/data/chromium-initial-1.bin"),
    include_bytes!("../../../../emulator/censor/tests/data/chromium-initial-2.bin"),
];
/// The same over TCP: for cloudflare-ech.com with ECH, for another name with GREASE, for cloudflare-ech.com without.
const ECH_HELLO: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/chromium-ech-hello.bin");
const GREASE_HELLO: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/chromium-client-hello.bin");
const NAME_HELLO: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/curl-ech-name-hello.bin");

/// How many of these datagrams, from a port of their own, reach the server.
fn arrive(pair: &mut Pair, server_port: u16, datagrams: &[&[u8]]) -> usize {
    let before = pair.server.datagrams.len();
    let port = pair.client.next_port();
    for datagram in datagrams {
        pair.datagram(Outbound, (port, server_port), datagram);
        settle(pair);
    }
    pair.server.datagrams.len() - before
}

/// A datagram with another version in its long header.
fn of_version(version: u32) -> Vec<u8> {
    let mut datagram = AIOQUIC.to_vec();
    datagram[1..5].copy_from_slice(&version.to_be_bytes());
    datagram
}

/// TSPU-5: QUIC version 1 in a datagram of 1001 bytes or more to port 443 is dropped, and all of its flow both ways for 420
/// seconds. Other versions, shorter datagrams and other ports pass.
#[test]
fn tspu_5_long_datagrams_of_version_1() {
    fact_case("TSPU-5", "censors/tspu-2022", "quic = true", &["quic-1"], |policy| {
        let mut pair = Pair::new(policy);
        let cases: [(&str, Vec<u8>, u16, usize); 7] = [
            ("an Initial", AIOQUIC.to_vec(), 443, 0),
            ("1001 bytes", AIOQUIC[..1001].to_vec(), 443, 0),
            ("1000 bytes", AIOQUIC[..1000].to_vec(), 443, 1),
            ("version 2", AIOQUIC_V2.to_vec(), 443, 1),
            ("draft 29", of_version(0xff00_001d), 443, 1),
            ("a version negotiation ping", of_version(0xbaba_baba), 443, 1),
            ("another port", AIOQUIC.to_vec(), 8443, 1),
        ];
        for (what, datagram, port, expected) in cases {
            let got = arrive(&mut pair, port, &[&datagram]);
            check(got == expected, &format!("{what}: {got} arrive"))?;
        }

        let since = pair.now;
        pair.datagram(Outbound, (5000, 443), AIOQUIC);
        for (after, is_over) in [(1, false), (419, false), (421, true)] {
            run_until(&mut pair, since, seconds(after));
            let before = (pair.server.datagrams.len(), pair.client.datagrams.len());
            pair.datagram(Outbound, (5000, 443), b"short");
            pair.datagram(Inbound, (5000, 443), b"short");
            settle(&mut pair);
            let more = (pair.server.datagrams.len() - before.0, pair.client.datagrams.len() - before.1);
            check(more == if is_over { (1, 1) } else { (0, 0) }, &format!("after {after} s: {more:?}"))?;
        }
        Ok(())
    });
}

/// TSPU-5b: in its first regime all of QUIC version 1 is dropped but to some servers.
#[test]
fn tspu_5b_all_but_some_servers() {
    let parameters = format!("quic = true\nquic-exempt = [\"{SERVER}/32\"]");
    fact_case("TSPU-5b", "censors/tspu-2022", &parameters, &["quic-1"], |policy| {
        check(arrive(&mut Pair::new(policy.clone()), 443, &[AIOQUIC]) == 1, "to such a server")?;
        check(arrive(&mut elsewhere(policy), 443, &[AIOQUIC]) == 0, "to another")
    });
}

/// TSPU-5b: Yota's two layers of 2022. To a foreign server nothing passes, whatever its name; to one of vk's an own name does
/// and a blocked one does not; and a version that there is not passes everywhere.
#[test]
fn tspu_5b_servers_and_names() {
    let parameters = format!("quic-any = true\nquic-allowed = [\"{SERVER}/32\"]\nquic-sni = [\"instagram.com\"]");
    fact_case("TSPU-5b", "censors/tspu-2022", &parameters, &["quic-any", "quic-sni"], |policy| {
        let own = |policy: &Policy| Pair::new(policy.clone());
        let foreign = |policy: &Policy| elsewhere(policy.clone());
        let ping = of_version(0xbaba_baba);
        let cases: [(&str, Pair, &[u8], usize); 6] = [
            ("foreign server, blocked name", foreign(&policy), AIOQUIC, 0),
            ("foreign server, other name", foreign(&policy), RFC_9001, 0),
            ("own server, other name", own(&policy), RFC_9001, 1),
            ("own server, blocked name", own(&policy), AIOQUIC, 0),
            ("own server, ping", own(&policy), &ping, 1),
            ("foreign server, ping", foreign(&policy), &ping, 1),
        ];
        for (what, mut pair, datagram, expected) in cases {
            let got = arrive(&mut pair, 443, &[datagram]);
            check(got == expected, &format!("{what}: {got} arrive"))?;
        }
        Ok(())
    });
}

/// TSPU-5b: in its third regime, of 2023 and since, only what names a listed server is dropped, also where the name comes in
/// the second datagram.
#[test]
fn tspu_5b_names_alone() {
    fact_case("TSPU-5b", "censors/tspu-2026", "quic-sni = [\"instagram.com\"]", &["quic-sni"], |policy| {
        let mut pair = Pair::new(policy);
        for (what, datagrams, expected) in [
            ("a blocked name", &[AIOQUIC, b"more"][..], 0),
            ("version 2", &[AIOQUIC_V2, b"more"], 0),
            ("another name", &[RFC_9001, b"more"], 2),
            ("in two datagrams", &[CHROMIUM[0], CHROMIUM[1], b"more"], 1),
        ] {
            let got = arrive(&mut pair, 443, datagrams);
            check(got == expected, &format!("{what}: {got} arrive"))?;
        }
        Ok(())
    });
}

/// TSPU-15: both ECH and the name cloudflare-ech.com, to one of the given addresses: silence, over TCP and QUIC. ECH with
/// another name, the name without ECH, and both to another address are answered.
#[test]
fn tspu_15_ech_together_with_its_name() {
    let parameters = format!("ech = [\"{SERVER}/32\"]");
    fact_case("TSPU-15", "censors/tspu-2026", &parameters, &["ech"], |policy| {
        let mut pair = Pair::new(policy.clone());
        for (what, hello, expected) in [
            ("both", ECH_HELLO, Outcome::Silence),
            ("ECH with another name", GREASE_HELLO, Outcome::Answered),
            ("the name alone", NAME_HELLO, Outcome::Answered),
        ] {
            let connection = pair.connect(443);
            let outcome = pair.exchange(connection, hello, ANSWER);
            check(outcome == expected, &format!("{what}: {outcome:?}"))?;
        }
        check(pair.client.segments(crate::pair::craft::RST).is_empty(), "nobody is reset")?;
        let quic = arrive(&mut pair, 443, &[CHROMIUM_ECH[0], CHROMIUM_ECH[1], b"more"]);
        check(quic <= 1, &format!("over QUIC {quic} arrive"))?;
        check(arrive(&mut pair, 443, &CHROMIUM) == 2, "QUIC with another name")?;

        let mut pair = elsewhere(policy);
        let connection = pair.connect(443);
        check(pair.exchange(connection, ECH_HELLO, ANSWER) == Outcome::Answered, "to another address")?;
        check(arrive(&mut pair, 443, &CHROMIUM_ECH) == 2, "and over QUIC")
    });
}

/// TSPU-12b: neither segments nor records hide the name and ECH by themselves; both together do.
#[test]
fn tspu_12b_ech_in_segments_and_records() {
    let parameters = format!("ech = [\"{SERVER}/32\"]");
    fact_case("TSPU-12b", "censors/tspu-2026", &parameters, &["ech"], |policy| {
        segments_and_records(policy, ECH_HELLO, Outcome::Silence)
    });
}

/// How a `ClientHello` fares in pieces of each kind, where it is known as a whole.
pub(super) fn segments_and_records(policy: Policy, hello: &[u8], known: Outcome) -> Result<(), String> {
    let record = |part: &[u8]| {
        let length = u16::try_from(part.len()).expect("short").to_be_bytes();
        [&hello[..3], &length, part].concat()
    };
    let (first, second) = hello[5..].split_at(100);
    let records = [record(first), record(second)].concat();
    let mut pair = Pair::new(policy);
    for (what, hello, cuts, expected) in [
        ("whole", hello, &[][..], known),
        ("segments", hello, &[100], known),
        ("records", &records, &[], known),
        ("both", &records, &[105], Outcome::Answered),
        ("both, within a record", &records, &[60], Outcome::Answered),
    ] {
        let outcome = cut_exchange(&mut pair, hello, cuts);
        check(outcome == expected, &format!("{what}: {outcome:?}"))?;
    }
    Ok(())
}
