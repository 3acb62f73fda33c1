//! Tunnels known by their form: `censors/forms`.

use core::time::Duration;

use super::{INSTAGRAM_HELLO, SHADOWSOCKS, WHATSAPP_HELLO};
use crate::pair::case::{check, fact_case, fact_pair, profile};
use crate::pair::{Connection, Inbound, Outbound, Outcome, Pair, SERVER};

const PROFILE: &str = "censors/forms";
const ANSWER: &[u8] = b"an answer";

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("../../../../emulator/censor/tests/data/", $name))
    };
}

const OBFS4: &[u8] = data!("obfs4-first.bin");
const TOR: &[u8] = data!("tor-client-hello.bin");
const PION: [&[u8]; 2] = [data!("pion-dtls-v2-client-hello.bin"), data!("pion-dtls-v3-client-hello.bin")];
const OPENSSL_DTLS: &[u8] = data!("dtls-client-hello.bin");
const STUN: &[u8] = data!("stun-rfc5769-request.bin");
const WIREGUARD: [&[u8]; 3] =
    [data!("wireguard-initiation.bin"), data!("wireguard-response.bin"), data!("wireguard-data.bin")];
const OPENVPN: [&[u8]; 4] = [
    data!("openvpn-udp-reset.bin"),
    data!("openvpn-udp-answer.bin"),
    data!("openvpn-udp-control.bin"),
    data!("openvpn-udp-data.bin"),
];
const OPENVPN_RESETS: [&[u8]; 3] =
    [data!("openvpn-udp-reset.bin"), data!("openvpn-udp-reset-tls-auth.bin"), data!("openvpn-udp-reset-tls-crypt.bin")];
const OPENVPN_TCP: [&[u8]; 2] = [data!("openvpn-tcp-reset.bin"), data!("openvpn-tcp-data.bin")];
/// The first packets of a session: who sent each, its first byte, its length.
const SESSION: &str = include_str!("../../../../emulator/censor/tests/data/openvpn-udp-session.txt");

/// What the parameter is set to: the server's own address.
fn toward(parameter: &str) -> String {
    format!("{parameter} = [\"{SERVER}/32\"]")
}

fn settle(pair: &mut Pair) {
    pair.run(Duration::from_millis(100));
}

/// Whether a datagram arrives.
fn arrives(pair: &mut Pair, direction: roadblock_censor::Direction, port: u16, bytes: &[u8]) -> bool {
    let before = pair.client.datagrams.len() + pair.server.datagrams.len();
    pair.datagram(direction, (port, 1194), bytes);
    settle(pair);
    pair.client.datagrams.len() + pair.server.datagrams.len() > before
}

/// How it goes when this is what a client says first.
fn says(pair: &mut Pair, bytes: &[u8]) -> Outcome {
    let connection = pair.connect(443);
    pair.exchange(connection, bytes, ANSWER)
}

/// FP-FET: noise is taken for fully encrypted, and what has a form is not: the five exemptions are held by GFW-FET-1.
#[test]
fn fp_fet_noise_has_no_form() {
    fact_pair("FP-FET", PROFILE, &toward("fully-encrypted"), &["fully-encrypted"], |pair| {
        check(says(pair, SHADOWSOCKS) == Outcome::Silence, "Shadowsocks")?;
        check(says(pair, &SHADOWSOCKS[..100]) == Outcome::Silence, "a hundred bytes of it")?;
        let words = b"the quick brown fox jumps over the lazy dog";
        for (what, bytes) in [("TLS", INSTAGRAM_HELLO), ("text", words), ("zeros", &[0; 100]), ("ones", &[0xff; 100])] {
            check(says(pair, bytes) == Outcome::Answered, what)?;
        }
        Ok(())
    });
}

/// FP-OBFS4: what obfs4 says first has no form, and is taken for fully encrypted; so is any part of it that begins its stream.
#[test]
fn fp_obfs4_is_fully_encrypted() {
    fact_pair("FP-OBFS4", PROFILE, &toward("fully-encrypted"), &["fully-encrypted"], |pair| {
        for length in [OBFS4.len(), 149, 600] {
            check(says(pair, &OBFS4[..length]) == Outcome::Silence, &format!("{length} bytes"))?;
        }
        Ok(())
    });
}

/// FP-TOR: a name of the form `www.`, 4 to 25 letters and digits from 2 to 7, `.com`, with no ALPN, is Tor's; what curl says to a
/// site whose name is of that form is not, for it offers protocols.
#[test]
fn fp_tor_a_name_that_nobody_registered() {
    let renamed = |name: &[u8]| {
        let mut hello = WHATSAPP_HELLO.to_vec();
        let at = hello.windows(16).position(|window| window == b"web.whatsapp.com").expect("a name");
        hello[at..at + 16].copy_from_slice(name);
        hello
    };
    fact_pair("FP-TOR", PROFILE, &toward("tor"), &["tor"], |pair| {
        check(says(pair, TOR) == Outcome::Silence, "what Tor says")?;
        check(says(pair, &renamed(b"www.ab27wxyz.com")) == Outcome::Silence, "another name of the form")?;
        check(says(pair, &renamed(b"www.ab18wxyz.com")) == Outcome::Answered, "digits that base 32 has not")?;
        check(says(pair, &renamed(b"www.ab27wxyz.net")) == Outcome::Answered, "another domain")?;
        check(says(pair, INSTAGRAM_HELLO) == Outcome::Answered, "what curl says to www.instagram.com")
    });
}

/// FP-SNOW: the broker's STUN passes; the `ClientHello` of pion's DTLS 1.2 is known by its JA3 or JA4 at whatever port, and all that
/// follows is dropped. OpenSSL's is another.
#[test]
fn fp_snow_as_pion_says_hello() {
    fact_pair("FP-SNOW", PROFILE, &toward("snowflake"), &["snowflake"], |pair| {
        for (port, hello, is_known) in [(50_000, PION[0], true), (50_001, OPENSSL_DTLS, false)] {
            check(arrives(pair, Outbound, port, STUN), "STUN")?;
            check(arrives(pair, Outbound, port, hello) != is_known, &format!("{port}: the ClientHello"))?;
            check(arrives(pair, Inbound, port, b"more") != is_known, &format!("{port}: and what follows"))?;
        }
        Ok(())
    });
}

/// FP-WG-1: 148, 92, 64 and 32 or more bytes, with their type and three zeros in front; one byte more or less, or another type, is
/// none. A keepalive has 32 bytes.
#[test]
fn fp_wg_1_four_kinds() {
    let cookie = || [&[3, 0, 0, 0][..], &[7; 60]].concat();
    let data = |length: usize| [&[4, 0, 0, 0][..], &vec![7; length - 4]].concat();
    let whole: Vec<Vec<u8>> =
        WIREGUARD.iter().map(|each| each.to_vec()).chain([cookie(), data(32), data(48), data(1440)]).collect();
    assert_eq!([WIREGUARD[0].len(), WIREGUARD[1].len(), cookie().len()], [148, 92, 64]);
    fact_pair("FP-WG-1", PROFILE, &toward("wireguard"), &["wireguard"], |pair| {
        for (port, bytes) in (50_000..).zip(&whole) {
            check(!arrives(pair, Outbound, port, bytes), &format!("{} bytes of type {}", bytes.len(), bytes[0]))?;
        }
        for (port, bytes) in (51_000..).zip(&whole[..4]) {
            let mut longer = bytes.clone();
            longer.push(7);
            let mut of_no_type = bytes.clone();
            of_no_type[0] = 5;
            let mut reserved = bytes.clone();
            reserved[3] = 1;
            for (what, bytes) in [
                ("longer", &longer),
                ("shorter", &bytes[..bytes.len() - 1].to_vec()),
                ("type 5", &of_no_type),
                ("not three zeros", &reserved),
            ] {
                check(arrives(pair, Outbound, port, bytes), &format!("{what}: {} bytes", bytes.len()))?;
            }
        }
        Ok(())
    });
}

/// FP-OVPN-1: an opcode in the upper five bits of the first byte, behind a length over TCP. A flow that begins with the client's
/// reset is OpenVPN's, with tls-auth and tls-crypt too, whatever is sent on it; one that begins with data is not.
#[test]
fn fp_ovpn_1_opcodes() {
    assert_eq!(
        [OPENVPN[0][0], OPENVPN[1][0], OPENVPN[0].len() as u8],
        [0x38, 0x40, 14],
        "resets of version 2, 14 bytes"
    );
    fact_case("FP-OVPN-1", PROFILE, &toward("openvpn"), &["openvpn"], |policy| {
        let pair = &mut Pair::new(policy.clone());
        for (port, reset) in (50_000..).zip(OPENVPN_RESETS) {
            check(!arrives(pair, Outbound, port, reset), &format!("a reset of {} bytes", reset.len()))?;
            for (direction, bytes) in [(Inbound, OPENVPN[1]), (Outbound, OPENVPN[2]), (Outbound, OPENVPN[3])] {
                check(!arrives(pair, direction, port, bytes), &format!("{:#x} after it", bytes[0]))?;
            }
        }
        check(arrives(pair, Outbound, 51_000, OPENVPN[3]), "data without a reset")?;
        let scrambled: Vec<u8> = OPENVPN[0].iter().map(|byte| byte ^ 0x5a).collect();
        check(arrives(pair, Outbound, 51_001, &scrambled), "a reset behind XOR")?;
        check(says(pair, OPENVPN_TCP[0]) == Outcome::Silence, "a reset over TCP")?;
        check(says(pair, OPENVPN_TCP[1]) == Outcome::Answered, "data over TCP without one")
    });
}

/// Lets the recorded session pass, each first byte changed by XOR, and says how many of its packets arrived.
fn session(pair: &mut Pair, port: u16, veil: u8, length: impl Fn(usize) -> usize) -> usize {
    let packets = SESSION.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (who, byte, length) = (words.next()?, words.next()?, words.next()?);
        let byte = u8::from_str_radix(byte, 16).ok()?;
        Some((if who == "C" { Outbound } else { Inbound }, byte, length.parse::<usize>().ok()?))
    });
    let packets: Vec<_> = packets.collect();
    assert_eq!(packets.len(), 110);
    let passed = packets.into_iter().filter(|(direction, byte, own)| {
        let mut bytes = vec![0xa5; length(*own)];
        bytes[0] = byte ^ veil;
        arrives(pair, *direction, port, &bytes)
    });
    passed.count()
}

/// FP-OVPN-2: a real session is known by its opcodes in its hundredth packet, as it is and behind XOR; one of which a reset's opcode
/// comes again is not, and neither is one that has but one first byte.
#[test]
fn fp_ovpn_2_opcodes_through_xor() {
    fact_pair("FP-OVPN-2", PROFILE, &toward("openvpn-veiled"), &["openvpn-opcodes"], |pair| {
        for (port, veil) in (50_000..).zip([0, 0x5a, 0xff]) {
            let passed = session(pair, port, veil, |length| length);
            check(passed == 99, &format!("behind {veil:#x}: {passed} passed"))?;
        }
        for port in 51_000..51_100 {
            check(arrives(pair, Outbound, port, b"a first byte"), "other flows")?;
        }
        let same = (0..110).filter(|_| arrives(pair, Outbound, 52_000, &[0x38; 60])).count();
        check(same == 110, &format!("one opcode: {same} passed"))
    });
}

/// FP-OVPN-2: acknowledgements have one size: one to three in the first ten packets, two to five in the next, up to five in each of
/// three more, and almost none after that. That holds whatever the bytes are, and where the size is padded away it does not.
#[test]
fn fp_ovpn_2_acknowledgements_by_tens() {
    let flow = |pair: &mut Pair, port: u16, tens: &[usize], own: usize| {
        let mut passed = 0;
        for (place, count) in tens.iter().enumerate() {
            // A reset and its answer come before the client's first acknowledgement, by whose size the others are known.
            let mut others = vec![(Inbound, 1200); 10 - count];
            if place == 0 {
                others[0].0 = Outbound;
            }
            let (first, rest) = others.split_at(2);
            let mine = vec![(Outbound, own); *count];
            for (direction, length) in first.iter().chain(&mine).chain(rest) {
                passed += usize::from(arrives(pair, *direction, port, &vec![0x5a; *length]));
            }
        }
        passed
    };
    fact_pair("FP-OVPN-2", PROFILE, &toward("openvpn-hidden"), &["openvpn-acks"], |pair| {
        let passed = flow(pair, 50_000, &[2, 3, 2, 1, 0, 0, 1, 0, 0, 0], 60);
        check(passed == 99, &format!("usual: {passed} passed"))?;
        for (port, tens) in [
            (50_001, [4, 3, 2, 1, 0, 0, 1, 0, 0, 0]),
            (50_002, [2, 1, 2, 1, 0, 0, 1, 0, 0, 0]),
            (50_003, [2, 3, 6, 1, 0, 0, 1, 0, 0, 0]),
            (50_004, [2, 3, 2, 1, 0, 0, 2, 0, 0, 0]),
        ] {
            let passed = flow(pair, port, &tens, 60);
            check(passed == 100, &format!("{tens:?}: {passed} passed"))?;
        }
        let passed = flow(pair, 50_005, &[2, 3, 2, 1, 0, 0, 1, 0, 0, 0], 1200);
        check(passed == 100, &format!("padded to one size: {passed} passed"))
    });
}

/// Lets the ends say so much in turn, and says whether what the server then says arrives.
fn turns(pair: &mut Pair, connection: Connection, turns: &[(bool, usize)], opening: [u8; 2]) -> bool {
    for (from_client, length) in turns {
        let bytes = [&opening[..], &vec![0x55; length - 2]].concat();
        if *from_client {
            pair.client_sends(connection, &bytes);
        } else {
            pair.server_sends(connection, &bytes);
        }
        settle(pair);
    }
    let before = pair.at_client(connection).stream().len();
    pair.server_sends(connection, b"more");
    settle(pair);
    pair.at_client(connection).stream().len() > before
}

/// What a tunnel carries, its first bytes, who says how much in turn, and whether it is let go.
type Tunnel<'a> = (&'a str, [u8; 2], &'a [(bool, usize)], bool);

/// FP-TLSINTLS: a handshake of TLS inside a tunnel is noticed by the sizes of the turns, as Shadowsocks and Trojan took them with
/// sing-box and curl, whatever the tunnel's bytes are; HTTP inside the same tunnels is not.
#[test]
fn fp_tlsintls_by_sizes_of_turns() {
    fact_pair("FP-TLSINTLS", PROFILE, &toward("tls-in-tunnel"), &["tls-in-tunnel"], |pair| {
        let (shadowsocks, trojan) = ([0x71, 0x10], [22, 3]);
        let cases: [Tunnel<'_>; 4] = [
            ("TLS in Shadowsocks", shadowsocks, &[(true, 624), (false, 956), (true, 214), (false, 289)], false),
            ("HTTP in Shadowsocks", shadowsocks, &[(true, 185), (false, 1448), (true, 112), (false, 149)], true),
            (
                "TLS in Trojan",
                trojan,
                &[(true, 1504), (false, 1966), (true, 154), (true, 539), (false, 910), (true, 202), (false, 277)],
                false,
            ),
            ("HTTP in Trojan", trojan, &[(true, 517), (false, 890), (true, 180), (false, 255)], true),
        ];
        for (what, opening, said, expected) in cases {
            let connection = pair.connect(8388);
            check(turns(pair, connection, said, opening) == expected, what)?;
        }
        Ok(())
    });
}

/// What no parameter names is left alone, whatever its form.
#[test]
fn nothing_is_dropped_where_nothing_is_listed() {
    let mut pair = Pair::new(profile(PROFILE, ""));
    for bytes in [SHADOWSOCKS, OBFS4, TOR, OPENVPN_TCP[0]] {
        assert_eq!(says(&mut pair, bytes), Outcome::Answered);
    }
    for (port, bytes) in (50_000..).zip([WIREGUARD[0], OPENVPN[0], PION[0], PION[1]]) {
        assert!(arrives(&mut pair, Outbound, port, bytes));
    }
}
