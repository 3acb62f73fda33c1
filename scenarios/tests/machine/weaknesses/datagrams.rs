//! Techniques over UDP, and DNS.

use core::time::Duration;

use roadblock_censor::Policy;

use super::drops_when;
use crate::facts::INSTAGRAM_QUERY;
use crate::pair::{Outbound, Pair};

/// Its binding request of RFC 5769.
const STUN: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/stun-rfc5769-request.bin");
const WIREGUARD: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/wireguard-initiation.bin");
const CHROMIUM: [&[u8]; 2] = [
    include_bytes!("../../../../emulator/censor/tests/data/chromium-initial-1.bin"),
    include_bytes!("../../../../emulator/censor/tests/data/chromium-initial-2.bin"),
];
const AIOQUIC_V2: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/aioquic-initial-v2.bin");

/// Which of these datagrams the server gets.
fn arrive(policy: Policy, server_port: u16, datagrams: &[&[u8]]) -> Vec<bool> {
    let mut pair = Pair::new(policy);
    for datagram in datagrams {
        pair.datagram(Outbound, (50_000, server_port), datagram);
        pair.run(Duration::from_millis(100));
    }
    let got: Vec<&[u8]> = pair.server.datagrams.iter().map(|(_, _, payload)| &**payload).collect();
    datagrams.iter().map(|datagram| got.contains(datagram)).collect()
}

/// A fake datagram in front, where the first alone decides what a flow is.
#[test]
pub(crate) fn junk_in_front() {
    for (count, arrives) in [(1, true), (4, false)] {
        let policy = || drops_when(&format!("inspect.datagrams = {count}"), "udp.stun = true");
        assert_eq!(arrive(policy(), 3478, &[b"junk", STUN]), [true, arrives], "{count}");
        assert_eq!(arrive(policy(), 3478, &[STUN]), [false]);
    }
}

/// udplen: two bytes more, where a protocol is known by its length alone.
#[test]
pub(crate) fn another_length() {
    let longer = [WIREGUARD, &[0, 0]].concat();
    for (when, arrives) in [("payload.length = 148", true), ("payload.starts = \"01 00 00 00\"", false)] {
        let policy = || drops_when("", &format!("protocol = \"udp\", {when}"));
        assert_eq!(arrive(policy(), 51_820, &[&longer]), [arrives], "{when}");
        assert_eq!(arrive(policy(), 51_820, &[WIREGUARD]), [false], "{when}");
    }
}

/// A `ClientHello` with a post-quantum key fills more than one datagram, and its name may be in the second.
#[test]
pub(crate) fn quic_in_two_datagrams() {
    for (count, arrives) in [(1, true), (4, false)] {
        let policy = drops_when(&format!("quic.datagrams = {count}"), "quic.sni = [\"instagram.com\"]");
        assert_eq!(arrive(policy, 443, &CHROMIUM)[1], arrives, "{count}");
    }
}

/// A version that the box does not decrypt.
#[test]
pub(crate) fn quic_versions() {
    for (versions, arrives) in [("\"v1\"", true), ("\"v1\", \"v2\"", false)] {
        let policy = drops_when(&format!("quic.versions = [{versions}]"), "quic.sni = [\"instagram.com\"]");
        assert_eq!(arrive(policy, 443, &[AIOQUIC_V2]), [arrives], "{versions}");
    }
}

/// CRYPTO frames out of order, as chromium sends them.
#[test]
pub(crate) fn quic_frames() {
    for (crypto, arrives) in [("first-frame", true), ("join", false)] {
        let policy = drops_when(&format!("quic.crypto = \"{crypto}\""), "quic.sni = [\"instagram.com\"]");
        assert_eq!(arrive(policy, 443, &CHROMIUM)[1], arrives, "{crypto}");
    }
}

/// A resolver at another port (GoodbyeDPI's 1253).
#[test]
pub(crate) fn dns_elsewhere() {
    for (when, arrives) in [("", true), (", server.port = [53, 1253]", false)] {
        let policy = || drops_when("", &format!("dns.qname = [\"instagram.com\"]{when}"));
        assert_eq!(arrive(policy(), 1253, &[INSTAGRAM_QUERY]), [arrives], "{when}");
        assert_eq!(arrive(policy(), 53, &[INSTAGRAM_QUERY]), [false], "{when}");
    }
}

/// The same question over TCP.
#[test]
pub(crate) fn dns_over_tcp() {
    let length = u16::try_from(INSTAGRAM_QUERY.len()).expect("short").to_be_bytes();
    let stream = [&length[..], INSTAGRAM_QUERY].concat();
    for (when, arrives) in [("dns.transport = \"udp\"", true), ("dns.transport = \"tcp\"", false)] {
        let mut pair = Pair::new(drops_when("", &format!("dns.qname = [\"instagram.com\"], {when}")));
        let connection = pair.connect(53);
        let answered = pair.exchange(connection, &stream, super::ANSWER) == super::Outcome::Answered;
        assert_eq!(answered, arrives, "{when}");
    }
}
