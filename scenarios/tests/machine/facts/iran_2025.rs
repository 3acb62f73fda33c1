//! Iran from 2022 to 2026: the border of `censors/iran-2025`.

use core::time::Duration;

use super::tools::{ANSWER, get, hush, knock, ping, query, seconds, send_cut, settle};
use super::{INSTAGRAM_HELLO, WHATSAPP_HELLO};
use crate::pair::case::{check, fact_case, fact_pair};
use crate::pair::craft::RST;
use crate::pair::{Inbound, Outbound, Outcome, Pair, SERVER, State};

const PROFILE: &str = "censors/iran-2025";
const CLIENT: &str = "94.25.168.10";
const QUIC: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/aioquic-initial-v1.bin");
const DTLS: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/pion-dtls-v2-client-hello.bin");
const GO_AES: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/go-client-hello-aes.bin");
const GO_CHACHA: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/go-client-hello-chacha.bin");
const GO_TLS12: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/go-client-hello-tls12.bin");

fn ask(pair: &mut Pair, hello: &[u8]) -> Outcome {
    let connection = pair.connect(443);
    pair.exchange(connection, hello, ANSWER)
}

/// Which of these ports a datagram reaches.
fn ports_reached(pair: &mut Pair, ports: &[u16]) -> Vec<u16> {
    pair.server.datagrams.clear();
    for port in ports {
        let payload = if *port == 53 { query("example.com", 1) } else { QUIC.to_vec() };
        pair.datagram(Outbound, (5000, *port), &payload);
    }
    settle(pair);
    pair.server.datagrams.iter().map(|(_, port, _)| *port).collect()
}

/// IR-UDP-1: in 2021 no datagram reached a blocked address, whatever it was; TCP did.
#[test]
fn ir_udp_1_by_address() {
    fact_case("IR-UDP-1", PROFILE, &format!("udp-addresses = [\"{SERVER}/32\"]"), &["udp-address"], |policy| {
        let mut pair = Pair::new(policy.clone());
        check(ports_reached(&mut pair, &[443, 853, 8000]).is_empty(), "none arrives")?;
        pair.datagram(Inbound, (5000, 443), b"from there");
        check(ask(&mut pair, WHATSAPP_HELLO) == Outcome::Answered, "TCP is left alone")?;
        check(pair.client.datagrams.len() == 1, "what comes from there arrives")?;
        let mut other = Pair::between(policy, CLIENT, "1.1.1.1");
        check(ports_reached(&mut other, &[443]) == [443], "another address is left alone")
    });
}

/// IR-UDP-1: since September 2022 none to port 443, so that DNS over QUIC worked; since June 2025 none but to port 53.
#[test]
fn ir_udp_1_by_port() {
    let ports = [53, 443, 853, 51_820];
    fact_pair("IR-UDP-1", PROFILE, "udp-443-off = true", &["udp-443"], |pair| {
        let reached = ports_reached(pair, &ports);
        check(reached == [53, 853, 51_820], &format!("in 2022: {reached:?}"))
    });
    fact_pair("IR-UDP-1", PROFILE, "udp-off = true", &["udp"], |pair| {
        let reached = ports_reached(pair, &ports);
        check(reached == [53], &format!("in 2025: {reached:?}"))
    });
}

/// IR-WL-1: DNS over UDP, HTTP and TLS on their ports pass, and nothing else leaves; nobody says why.
#[test]
fn ir_wl_1_three_protocols_pass() {
    fact_pair("IR-WL-1", PROFILE, "whitelist = true", &["whitelist"], |pair| {
        let open: Vec<u16> = [22, 53, 80, 443, 1194, 8443]
            .into_iter()
            .filter(|port| {
                let connection = pair.connect(*port);
                pair.is_open(connection)
            })
            .collect();
        check(open == [80, 443], &format!("{open:?}"))?;
        let reached = ports_reached(pair, &[53, 443, 1194]);
        check(reached == [53], &format!("{reached:?}"))?;
        check(ask(pair, WHATSAPP_HELLO) == Outcome::Answered, "any name")?;
        check(pair.client.segments(RST).is_empty(), "nobody is reset")
    });
}

/// IR-WL-1: nothing reaches a blocked hoster, not even what is on the list.
#[test]
fn ir_wl_1_hosters_are_blocked() {
    let parameters = "whitelist = true\nhosters = [\"157.240.205.0/24\"]";
    fact_case("IR-WL-1", PROFILE, parameters, &["hoster"], |policy| {
        let mut pair = Pair::new(policy.clone());
        let connection = pair.connect(443);
        check(!pair.is_open(connection) && ports_reached(&mut pair, &[53]).is_empty(), "nothing arrives")?;
        let mut other = Pair::between(policy, CLIENT, "1.1.1.1");
        check(ask(&mut other, WHATSAPP_HELLO) == Outcome::Answered, "elsewhere it does")
    });
}

/// IR-TLSFP-1: one of Go's hellos is blocked by the order of its ciphers; the other order, an older version and another program
/// are not.
#[test]
fn ir_tlsfp_1_go_is_known_by_its_ciphers() {
    let parameters = "fingerprints = [\"03117a8ed39ef02427ebbc39f121275c\"]";
    fact_pair("IR-TLSFP-1", PROFILE, parameters, &["fingerprint"], |pair| {
        for (hello, expected) in [
            (GO_AES, Outcome::Silence),
            (GO_CHACHA, Outcome::Answered),
            (GO_TLS12, Outcome::Answered),
            (WHATSAPP_HELLO, Outcome::Answered),
        ] {
            let outcome = ask(pair, hello);
            check(outcome == expected, &format!("{outcome:?}"))?;
        }
        Ok(())
    });
}

/// IR-CF-1: at the hoster's addresses the TCP handshake succeeds, and only a listed name's TLS handshake.
#[test]
fn ir_cf_1_one_name_passes() {
    let parameters = "one-name-at = [\"157.240.205.0/24\"]\none-name = [\"*.instagram.com\"]";
    fact_case("IR-CF-1", PROFILE, parameters, &["one-name"], |policy| {
        let mut pair = Pair::new(policy.clone());
        check(ask(&mut pair, INSTAGRAM_HELLO) == Outcome::Answered, "the name that may be")?;
        let connection = pair.connect(443);
        check(pair.is_open(connection), "the TCP handshake succeeds")?;
        check(pair.exchange(connection, WHATSAPP_HELLO, ANSWER) == Outcome::Silence, "another name")?;
        check(pair.at_server(connection).is_some_and(|server| server.stream().is_empty()), "does not arrive")?;
        check(ask(&mut pair, INSTAGRAM_HELLO) == Outcome::Answered, "and costs nothing else")?;
        let mut other = Pair::between(policy, CLIENT, "1.1.1.1");
        check(ask(&mut other, WHATSAPP_HELLO) == Outcome::Answered, "elsewhere any name passes")
    });
}

/// The same `ClientHello` in records of so many bytes.
fn in_records(hello: &[u8], size: usize) -> Vec<u8> {
    let record = |part: &[u8]| {
        let length = u16::try_from(part.len()).expect("short").to_be_bytes();
        [&[22, 3, 1], &length[..], part].concat()
    };
    hello[5..].chunks(size).flat_map(record).collect()
}

/// How a stream of the client's fares that is sent in segments of so many bytes, after so many packets without data.
fn sent(pair: &mut Pair, stream: &[u8], size: usize, empty: usize) -> Outcome {
    let connection = pair.connect(443);
    for _ in 0..empty {
        let packet = pair.segment(connection).bytes();
        pair.send(Outbound, packet);
    }
    pair.client_takes(connection, stream);
    let cuts: Vec<usize> = (size..stream.len()).step_by(size).collect();
    send_cut(pair, connection, &cuts);
    pair.answer(connection, stream, ANSWER)
}

/// IR-2024-1: a first record without a name is dropped at once, whoever is named after it; single bytes are put together as the
/// record's length says; both at once slip through, and so does a length that is not known after ten packets.
#[test]
fn ir_2024_1_records_and_segments() {
    let parameters = "hello-box = true\nhello-names = [\"whatsapp.com\"]";
    fact_case("IR-2024-1", PROFILE, parameters, &["nameless-record", "hello-name"], |policy| {
        let fares = |stream: &[u8], size, empty| sent(&mut Pair::new(policy.clone()), stream, size, empty);
        for (what, outcome, expected) in [
            ("whole", fares(WHATSAPP_HELLO, 1400, 0), Outcome::Silence),
            ("whole, another name", fares(INSTAGRAM_HELLO, 1400, 0), Outcome::Answered),
            ("in bytes", fares(WHATSAPP_HELLO, 1, 0), Outcome::Silence),
            ("in bytes, another name", fares(INSTAGRAM_HELLO, 1, 0), Outcome::Answered),
            ("in two segments, another name", fares(INSTAGRAM_HELLO, 300, 0), Outcome::Answered),
            ("in records", fares(&in_records(WHATSAPP_HELLO, 50), 1400, 0), Outcome::Silence),
            ("in records, another name", fares(&in_records(INSTAGRAM_HELLO, 50), 1400, 0), Outcome::Silence),
            ("in records and bytes", fares(&in_records(WHATSAPP_HELLO, 50), 1, 0), Outcome::Answered),
            // With the SYN and the ACK.
            ("as the tenth packet", fares(WHATSAPP_HELLO, 1400, 7), Outcome::Silence),
            ("as the eleventh packet", fares(WHATSAPP_HELLO, 1400, 8), Outcome::Answered),
            ("as the sixth packet, in bytes", fares(WHATSAPP_HELLO, 1, 3), Outcome::Silence),
            ("as the seventh packet, in bytes", fares(WHATSAPP_HELLO, 1, 4), Outcome::Answered),
        ] {
            check(outcome == expected, &format!("{what}: {outcome:?}"))?;
        }
        Ok(())
    });
}

/// IR-2025-1: the `ClientHello` arrives, and so does what the client sends after it; nothing that the server says does.
#[test]
fn ir_2025_1_the_server_is_silenced() {
    fact_pair("IR-2025-1", PROFILE, &format!("silenced = [\"{SERVER}/32\"]"), &["silenced"], |pair| {
        let connection = pair.connect(443);
        check(pair.is_open(connection), "the TCP handshake succeeds")?;
        check(pair.exchange(connection, WHATSAPP_HELLO, ANSWER) == Outcome::Silence, "the answer does not arrive")?;
        check(pair.at_client(connection).stream().is_empty(), "not a byte of it")?;
        pair.client_sends(connection, b"more");
        settle(pair);
        let got = pair.at_server(connection).ok_or("no server")?.stream();
        check(got == [WHATSAPP_HELLO, b"more"].concat(), "what the client says does")?;
        let connection = pair.connect(80);
        check(pair.exchange(connection, &get("a.example"), ANSWER) == Outcome::Answered, "HTTP is answered")
    });
}

/// IR-2025-1: two pings pass; the third costs the client everything, whatever the protocol and the server, for a while.
#[test]
fn ir_2025_1_pings_cost_everything() {
    fact_pair("IR-2025-1", PROFILE, "pings-cost = true", &["ping"], |pair| {
        for number in 1..=3 {
            let packet = ping(pair);
            pair.send(Outbound, packet);
            settle(pair);
            check(pair.server.packets.len() == number.min(2), &format!("ping {number}"))?;
        }
        let connection = pair.connect(443);
        check(!pair.is_open(connection), "no connection")?;
        check(ports_reached(pair, &[53, 443]).is_empty(), "no datagram")?;
        hush(pair, connection);
        pair.run(seconds(58));
        check(!knock(pair, 41_000, 443), "for a minute")?;
        pair.run(seconds(2));
        check(knock(pair, 41_000, 443), "and no longer")
    });
}

/// IR-2025-1: nothing leaves over IPv6.
#[test]
fn ir_2025_1_ipv6_is_off() {
    fact_case("IR-2025-1", PROFILE, "ipv6-off = true", &["ipv6"], |policy| {
        let open = |mut pair: Pair| {
            let connection = pair.connect(443);
            pair.is_open(connection)
        };
        check(!open(Pair::v6(policy.clone())) && open(Pair::new(policy.clone())), "IPv4 alone")
    });
}

/// IR-2026-1: a name that is not listed gets its handshake, and its request no answer; the address is cut off for a minute, on
/// all its ports. A listed name costs nothing.
#[test]
fn ir_2026_1_a_wrong_name_costs_the_address() {
    let parameters = "strict-at = [\"157.240.205.0/24\"]\nstrict-names = [\"instagram.com\"]";
    fact_pair("IR-2026-1", PROFILE, parameters, &["strict"], |pair| {
        check(ask(pair, INSTAGRAM_HELLO) == Outcome::Answered, "a listed name")?;
        let connection = pair.connect(443);
        pair.client_sends(connection, WHATSAPP_HELLO);
        settle(pair);
        pair.server_sends(connection, b"a ServerHello");
        settle(pair);
        check(pair.at_client(connection).stream() == b"a ServerHello", "the handshake completes")?;
        pair.run(Duration::from_millis(800));
        check(pair.exchange(connection, &get("a.example"), ANSWER) == Outcome::Silence, "the request does not")?;
        let ports = [connection.port, 41_000];
        hush(pair, connection);
        let early = pair.connect(8443);
        check(!pair.is_open(early), "the address is cut off, on all ports")?;
        hush(pair, early);
        pair.run(seconds(53));
        check(ports.iter().all(|port| !knock(pair, *port, 443)), "still after 59 s")?;
        pair.run(seconds(3));
        check(ask(pair, INSTAGRAM_HELLO) == Outcome::Answered, "and not after a minute")
    });
}

/// IR-2026-1: at other providers a connection outside of the list gets its SYN/ACK, and nothing after that.
#[test]
fn ir_2026_1_addresses_alone_count() {
    fact_case(
        "IR-2026-1",
        PROFILE,
        "addresses-only = true\nreachable = [\"1.1.1.0/24\"]",
        &["addresses-only"],
        |policy| {
            let mut pair = Pair::new(policy.clone());
            let connection = pair.connect(443);
            check(pair.at_client(connection).state == State::Established, "the SYN/ACK arrives")?;
            check(!pair.is_open(connection), "the ACK does not")?;
            check(pair.exchange(connection, INSTAGRAM_HELLO, ANSWER) == Outcome::Silence, "nor anything else")?;
            let mut other = Pair::between(policy, CLIENT, "1.1.1.1");
            check(ask(&mut other, WHATSAPP_HELLO) == Outcome::Answered, "any name at an address of the list")
        },
    );
}

/// IR-DTLS-1: a hello of DTLS does not arrive; what looks like DTLS data does.
#[test]
fn ir_dtls_1_hellos_are_dropped() {
    fact_pair("IR-DTLS-1", PROFILE, "dtls-off = true", &["dtls"], |pair| {
        let data = [&[23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 30][..], &[0x5a; 30]].concat();
        for payload in [DTLS, &data, DTLS, &data] {
            pair.datagram(Outbound, (5000, 3478), payload);
        }
        pair.datagram(Inbound, (5000, 3478), &data);
        settle(pair);
        let got: Vec<&[u8]> = pair.server.datagrams.iter().map(|(_, _, payload)| &payload[..]).collect();
        check(got == [&data[..], &data], &format!("{} arrive", got.len()))?;
        check(pair.client.datagrams.len() == 1, "and from there too")
    });
}
