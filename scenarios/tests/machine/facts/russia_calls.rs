//! Russia: calls, chats and tunnels, with `censors/tspu-2026`.

use core::time::Duration;

use roadblock_censor::Policy;

use super::WHATSAPP_HELLO;
use super::russia::{ANSWER, elsewhere, settle};
use crate::pair::case::{check, fact_case, fact_pair};
use crate::pair::craft::RST;
use crate::pair::{Inbound, Outbound, Outcome, Pair, SERVER};

const PROFILE: &str = "censors/tspu-2026";
const STUN: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/stun-rfc5769-request.bin");
const WIREGUARD: [&[u8]; 3] = [
    include_bytes!("../../../../emulator/censor/tests/data/wireguard-initiation.bin"),
    include_bytes!("../../../../emulator/censor/tests/data/wireguard-response.bin"),
    include_bytes!("../../../../emulator/censor/tests/data/wireguard-data.bin"),
];
const OPENVPN: [&[u8]; 4] = [
    include_bytes!("../../../../emulator/censor/tests/data/openvpn-udp-reset.bin"),
    include_bytes!("../../../../emulator/censor/tests/data/openvpn-udp-answer.bin"),
    include_bytes!("../../../../emulator/censor/tests/data/openvpn-udp-control.bin"),
    include_bytes!("../../../../emulator/censor/tests/data/openvpn-udp-data.bin"),
];
/// A tunnel's first packet, with a TLS `ClientHello` inside.
const SHADOWSOCKS: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/shadowsocks-first.bin");
/// What OpenSSL's server sent over TLS 1.3.
const SERVER_FLIGHT: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/openssl-server-flight-tls13.bin");
const PION: [&[u8]; 2] = [
    include_bytes!("../../../../emulator/censor/tests/data/pion-dtls-v2-client-hello.bin"),
    include_bytes!("../../../../emulator/censor/tests/data/pion-dtls-v3-client-hello.bin"),
];
const OPENSSL_DTLS: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/dtls-client-hello.bin");

/// How many of so many datagrams each way arrive, behind a first one of the client.
fn call(policy: &Policy, other: bool, ports: (u16, u16), first: &[u8]) -> usize {
    let mut pair = if other { elsewhere(policy.clone()) } else { Pair::new(policy.clone()) };
    pair.datagram(Outbound, ports, first);
    settle(&mut pair);
    for _ in 0..50 {
        pair.datagram(Outbound, ports, b"voice");
        pair.datagram(Inbound, ports, b"voice");
        settle(&mut pair);
    }
    pair.client.datagrams.len() + pair.server.datagrams.len()
}

/// RU-CALL-1: a call through a relay of Telegram or WhatsApp dies after its first packets, at the relay's ports and addresses
/// alone.
#[test]
fn ru_call_1_a_relayed_call_dies() {
    let parameters = format!("call-relays = [\"{SERVER}/32\"]");
    fact_case("RU-CALL-1", PROFILE, &parameters, &["call-relay"], |policy| {
        for port in [596, 597, 598, 599, 1400, 3478, 3480, 3497] {
            let passed = call(&policy, false, (5000, port), b"key exchange");
            check(passed == 4, &format!("port {port}: {passed} packets passed"))?;
        }
        for port in [595, 600, 1399, 1401, 3498] {
            check(call(&policy, false, (5000, port), b"voice") == 101, &format!("port {port} is another"))?;
        }
        check(call(&policy, true, (5000, 1400), b"voice") == 101, "another address")
    });
}

/// RU-CALL-1: a flow that begins with STUN dies a few packets later, at any port of the address; one that begins with
/// something else does not, nor one to another address.
#[test]
fn ru_call_1_stun_is_recognised() {
    fact_case("RU-CALL-1", PROFILE, &format!("call-stun = [\"{SERVER}/32\"]"), &["call-stun"], |policy| {
        for port in [3478, 443, 40_000] {
            let passed = call(&policy, false, (5000, port), STUN);
            check(passed == 5, &format!("port {port}: {passed} packets passed"))?;
            check(call(&policy, false, (5000, port), b"no STUN") == 101, "no STUN")?;
        }
        // The magic cookie is what STUN is known by.
        let mut other = STUN.to_vec();
        other[4] ^= 1;
        check(call(&policy, false, (5000, 3478), &other) == 101, "another cookie")?;
        check(call(&policy, true, (5000, 3478), STUN) == 101, "another address")
    });
}

/// RU-CALL-1: or calls croak: about as many packets are lost as is said, and a connection over TCP loses none.
#[test]
fn ru_call_1_audio_croaks() {
    fact_case("RU-CALL-1", PROFILE, &format!("call-lossy = [\"{SERVER}/32\"]"), &["call-loss"], |policy| {
        let passed = call(&policy, false, (5000, 3478), STUN);
        check((45..=75).contains(&passed), &format!("{passed} of 101 passed at 0.4"))?;
        let mut pair = Pair::new(policy);
        let connection = pair.connect(443);
        check(pair.exchange(connection, b"a request", ANSWER) == Outcome::Answered, "over TCP")?;
        check(pair.story().is_empty(), "nothing is lost")
    });
}

/// RU-VPN-1: WireGuard's handshake succeeds, two data packets pass, and no more; it goes on succeeding. From a new port as
/// many pass again; to an exempt address all do.
#[test]
fn ru_vpn_1_wireguard_is_cut_after_two() {
    let parameters = format!("wireguard = [\"0.0.0.0/0\"]\nvpn-exempt = [\"{}/32\"]", super::russia::ELSEWHERE);
    fact_case("RU-VPN-1", PROFILE, &parameters, &["wireguard"], |policy| {
        let mut pair = Pair::new(policy.clone());
        for port in [5000, 5001] {
            check(wireguard(&mut pair, port) == [1, 1, 2, 1, 1], &format!("port {port}"))?;
        }
        check(wireguard(&mut elsewhere(policy), 5000) == [1, 1, 10, 1, 1], "an exempt address")
    });
}

/// How many of these pass: the initiation, the response, ten data packets, and the handshake once more.
fn wireguard(pair: &mut Pair, port: u16) -> [usize; 5] {
    let steps = [(Outbound, 0, 1), (Inbound, 1, 1), (Outbound, 2, 10), (Outbound, 0, 1), (Inbound, 1, 1)];
    steps.map(|(direction, which, count)| {
        let before = pair.client.datagrams.len() + pair.server.datagrams.len();
        for _ in 0..count {
            pair.datagram(direction, (port, 51_820), WIREGUARD[which]);
            settle(pair);
        }
        pair.client.datagrams.len() + pair.server.datagrams.len() - before
    })
}

/// RU-VPN-1: OpenVPN's handshake succeeds, fifteen data packets pass, and no more.
#[test]
fn ru_vpn_1_openvpn_is_cut_after_fifteen() {
    let parameters = format!("openvpn = [\"0.0.0.0/0\"]\nvpn-exempt = [\"{}/32\"]", super::russia::ELSEWHERE);
    fact_case("RU-VPN-1", PROFILE, &parameters, &["openvpn"], |policy| {
        for (mut pair, expected) in [(Pair::new(policy.clone()), 15), (elsewhere(policy.clone()), 30)] {
            for (direction, which) in [(Outbound, 0), (Inbound, 1), (Outbound, 2), (Inbound, 2)] {
                pair.datagram(direction, (5000, 1194), OPENVPN[which]);
                settle(&mut pair);
            }
            check(pair.client.datagrams.len() == 2 && pair.server.datagrams.len() == 2, "the handshake")?;
            for _ in 0..30 {
                pair.datagram(Outbound, (5000, 1194), OPENVPN[3]);
                settle(&mut pair);
            }
            let passed = pair.server.datagrams.len() - 2;
            check(passed == expected, &format!("{passed} data packets passed"))?;
        }
        Ok(())
    });
}

/// RU-VPN-2: WireGuard is known by its first datagram alone: behind any junk it passes.
#[test]
fn ru_vpn_2_junk_in_front() {
    fact_pair("RU-VPN-2", PROFILE, "wireguard = [\"0.0.0.0/0\"]", &["wireguard"], |pair| {
        check(wireguard(pair, 5000)[2] == 2, "without junk")?;
        pair.datagram(Outbound, (5001, 51_820), b"junk");
        settle(pair);
        check(wireguard(pair, 5001)[2] == 10, "behind junk")?;
        // What it is known by are the first four bytes and the length.
        let mut other = WIREGUARD[0].to_vec();
        other.push(0);
        pair.datagram(Outbound, (5002, 51_820), &other);
        settle(pair);
        check(wireguard(pair, 5002)[2] == 10, "behind an initiation that is longer")
    });
}

/// RU-FET-1: a connection that begins with noise is cut, both ways, when its client has sent three packets of 411 bytes or
/// more, as TLS inside does. One whose packets are shorter, as those of HTTP inside, and one that begins with a
/// `ClientHello`, is not.
#[test]
fn ru_fet_1_the_shape_of_tls_inside() {
    let parameters = format!("shape = [\"{SERVER}/32\"]");
    fact_case("RU-FET-1", PROFILE, &parameters, &["shape-noise", "shape"], |policy| {
        for (what, first, length, other, cut_after) in [
            ("TLS inside", SHADOWSOCKS, 411, false, Some(3)),
            ("a byte less", SHADOWSOCKS, 410, false, None),
            ("HTTP inside", &SHADOWSOCKS[..200], 300, false, None),
            ("TLS outside", WHATSAPP_HELLO, 411, false, None),
            ("another server", SHADOWSOCKS, 411, true, None),
        ] {
            let mut pair = if other { elsewhere(policy.clone()) } else { Pair::new(policy.clone()) };
            let connection = pair.connect(8388);
            let mut sent = first.len();
            pair.client_sends(connection, first);
            settle(&mut pair);
            for number in 2..=8 {
                pair.client_sends(connection, &vec![0xb7; length]);
                settle(&mut pair);
                let got = pair.at_server(connection).ok_or("no server")?.stream().len();
                let passes = cut_after.is_none_or(|last| number <= last);
                check((got > sent) == passes, &format!("{what}: packet {number} passes: {}", got > sent))?;
                sent = got;
            }
            let before = pair.client.packets.len();
            pair.server_sends(connection, b"data");
            settle(&mut pair);
            check((pair.client.packets.len() > before) == cut_after.is_none(), &format!("{what}: the server's"))?;
            check(pair.client.segments(RST).is_empty(), "nobody is reset")?;
        }
        Ok(())
    });
}

/// RU-MSG-1: MTProto that imitates TLS 1.3: the hellos pass, and the client's first application data, which are no Finished,
/// are dropped and all after them, without a reset. True TLS goes on, and so does the imitation to another server.
#[test]
fn ru_msg_1_data_behind_the_hellos() {
    fact_case("RU-MSG-1", PROFILE, &format!("fake-tls = [\"{SERVER}/32\"]"), &["fake-tls"], |policy| {
        let record =
            |length: u8| [&[20, 3, 3, 0, 1, 1, 23, 3, 3, 0, length][..], &vec![7; usize::from(length)]].concat();
        for (what, other, length, expected) in [
            ("an imitation", false, 129, Outcome::Silence),
            ("true TLS", false, 69, Outcome::Answered),
            ("another server", true, 129, Outcome::Answered),
        ] {
            let mut pair = if other { elsewhere(policy.clone()) } else { Pair::new(policy.clone()) };
            let connection = pair.connect(443);
            let hellos = pair.exchange(connection, WHATSAPP_HELLO, SERVER_FLIGHT);
            check(hellos == Outcome::Answered, &format!("{what}: the hellos pass"))?;
            let outcome = pair.exchange(connection, &record(length), ANSWER);
            check(outcome == expected, &format!("{what}: {outcome:?}"))?;
            check(pair.client.segments(RST).is_empty(), "nobody is reset")?;
            let sent = pair.server.packets.len();
            pair.run(Duration::from_secs(60));
            check(
                (pair.server.packets.len() > sent) <= (expected == Outcome::Answered),
                "what is sent again is lost too",
            )?;
        }
        Ok(())
    });
}

/// RU-WA-1: the chat is known by its first bytes, at its ports and at any address; others pass.
#[test]
fn ru_wa_1_the_chat_is_dropped() {
    fact_pair("RU-WA-1", PROFILE, "wa-chat = [443, 4244, \"5222-5228\", 5242]", &["wa-chat"], |pair| {
        for (port, first, expected) in [
            (443, b"WA\x06\x03", Outcome::Silence),
            (5222, b"WA\x06\x03", Outcome::Silence),
            (5228, b"WA\x05\x02", Outcome::Silence),
            (5229, b"WA\x06\x03", Outcome::Answered),
            (5222, b"XMPP", Outcome::Answered),
        ] {
            let connection = pair.connect(port);
            let outcome = pair.exchange(connection, &[first, &[0, 0, 36][..], &[7; 36]].concat(), ANSWER);
            check(outcome == expected, &format!("{port}: {outcome:?}"))?;
        }
        check(pair.client.segments(RST).is_empty(), "nobody is reset")
    });
}

/// RU-DTLS-2: a DTLS 1.2 `ClientHello` with the usual fingerprint of pion cuts its flow a moment later, whichever side it
/// comes from and whether STUN came before; others, and the same client with DTLS 1.3, are not touched.
#[test]
fn ru_dtls_2_the_usual_pion_is_cut() {
    let parameters = "pion = [\"dd2i060500_b94582744588_8044892e9116\", \"dd2i080500_df5057009e57_861c66034698\", \
                      \"dd3i080500_*_*\"]";
    fact_case("RU-DTLS-2", PROFILE, parameters, &["pion"], |policy| {
        // The extension of the versions in place of one that is empty (RFC 9147 section 5.3).
        let mut version_1_3 = PION[1].to_vec();
        version_1_3.truncate(PION[1].len() - 4);
        version_1_3.extend([0, 43, 0, 3, 2, 0xfe, 0xfc]);
        for at in [12, 16, 24, 82] {
            version_1_3[at] += 3;
        }
        for from in [Outbound, Inbound] {
            for (what, before, hello, expected) in [
                ("pion 2", None, PION[0], false),
                ("pion 3", None, PION[1], false),
                ("behind STUN", Some(STUN), PION[0], false),
                ("OpenSSL", None, OPENSSL_DTLS, true),
                ("DTLS 1.3", None, &*version_1_3, true),
            ] {
                let mut pair = Pair::new(policy.clone());
                for datagram in before.into_iter().chain([hello]) {
                    pair.datagram(from, (5000, 40_000), datagram);
                    settle(&mut pair);
                }
                let count = |pair: &Pair| pair.client.datagrams.len() + pair.server.datagrams.len();
                let arrives = |pair: &mut Pair| {
                    let there = count(pair);
                    pair.datagram(from.reversed(), (5000, 40_000), b"more");
                    pair.datagram(from, (5000, 40_000), b"more");
                    settle(pair);
                    count(pair) - there
                };
                check(arrives(&mut pair) == 2, &format!("{what}, {from:?}: at first all passes"))?;
                pair.run(Duration::from_secs(1));
                let passed = arrives(&mut pair);
                check((passed == 2) == expected, &format!("{what}, {from:?}: then {passed} of two pass"))?;
            }
        }
        Ok(())
    });
}
