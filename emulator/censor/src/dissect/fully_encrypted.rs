//! Traffic that looks like nothing: what the GFW took for fully encrypted (GFW-FET-1; Wu et al., USENIX Security 2023,
//! algorithm 1).
//!
//! The censor looks at the first payload of a client and lets it go for any of five reasons. What is left is blocked.

use super::statistics::Statistics;

/// Why a first payload is let go. Several may hold; the first is named.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Exemption {
    /// Ex1: in the mean at most 3.4 or at least 4.6 bits of a byte are set.
    Popcount,
    /// Ex2: the first six bytes or more are printable.
    PrintablePrefix,
    /// Ex3: more than half of the bytes are printable.
    PrintableShare,
    /// Ex4: more than twenty printable bytes follow each other.
    PrintableRun,
    /// Ex5: it begins as TLS or HTTP do.
    Protocol,
}

/// Why a payload is let go; `None` where it is not, and is taken for fully encrypted. A payload without bytes is none.
pub fn exemption(payload: &[u8]) -> Option<Exemption> {
    exemption_of(payload, &Statistics::of(payload))
}

/// Whether a payload is taken for fully encrypted.
pub fn is_fully_encrypted(payload: &[u8]) -> bool {
    !payload.is_empty() && exemption(payload).is_none()
}

/// As [`exemption`], where the payload has been counted already.
pub fn exemption_of(payload: &[u8], statistics: &Statistics) -> Option<Exemption> {
    // In whole numbers, so that a payload right on a bound is judged as the paper says: 3.4 and 4.6 are let go.
    let (tenfold, length) = (u64::from(statistics.ones) * 10, u64::from(statistics.length));
    if tenfold <= length * 34 || tenfold >= length * 46 {
        Some(Exemption::Popcount)
    } else if statistics.printable_prefix >= 6 {
        Some(Exemption::PrintablePrefix)
    } else if statistics.printable > statistics.length / 2 {
        Some(Exemption::PrintableShare)
    } else if statistics.printable_run > 20 {
        Some(Exemption::PrintableRun)
    } else {
        begins_as_known(payload).then_some(Exemption::Protocol)
    }
}

/// The bytes of Ex5: `[16-17] 03 [00-09]`, and four methods of HTTP with their space.
fn begins_as_known(payload: &[u8]) -> bool {
    matches!(payload, [0x16..=0x17, 0x03, 0x00..=0x09, ..])
        || [&b"GET "[..], b"PUT ", b"POST ", b"HEAD "].iter().any(|verb| payload.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OBFS4: &[u8] = include_bytes!("../../tests/data/obfs4-first.bin");
    const SHADOWSOCKS: &[u8] = include_bytes!("../../tests/data/shadowsocks-first.bin");
    const TLS: &[u8] = include_bytes!("../../tests/data/curl-client-hello.bin");
    const HTTP: &[u8] = include_bytes!("../../tests/data/curl-request.bin");
    const SSH: &[u8] = include_bytes!("../../tests/data/ssh-banner.bin");
    const OPENVPN: &[u8] = include_bytes!("../../tests/data/openvpn-tcp-reset.bin");

    /// What obfs4 and Shadowsocks send first is blocked; TLS, HTTP, SSH and `OpenVPN` are let go.
    #[test]
    fn gfw_fet_1_real_first_payloads() {
        assert!(is_fully_encrypted(OBFS4) && is_fully_encrypted(SHADOWSOCKS));
        for payload in [TLS, HTTP, SSH, OPENVPN] {
            assert!(exemption(payload).is_some());
        }
        assert!(!is_fully_encrypted(b""));
    }

    /// `ones` bits set in `length` bytes, none of which is printable.
    fn with_bits(length: usize, ones: usize) -> Vec<u8> {
        let bits = |byte: usize| ones / length + usize::from(byte < ones % length);
        // The highest bit makes a byte unprintable.
        (0..length).map(|byte| 0x80 | ((1u16 << (bits(byte) - 1)) - 1) as u8).collect()
    }

    /// GFW-FET-1, Ex1: 3.4 and 4.6 bits are let go, a tenth more or less of a bit in a byte is not.
    #[test]
    fn gfw_fet_1_popcount_bounds() {
        for (ones, expected) in
            [(339, true), (340, true), (341, false), (400, false), (459, false), (460, true), (461, true)]
        {
            let exempt = exemption(&with_bits(100, ones)) == Some(Exemption::Popcount);
            assert_eq!(exempt, expected, "{ones} bits in 100 bytes");
        }
    }

    /// A payload without a reason, with something put at its beginning.
    fn begins(with: &[u8]) -> Option<Exemption> {
        let mut payload = with_bits(200, 800);
        payload[..with.len()].copy_from_slice(with);
        exemption(&payload)
    }

    /// GFW-FET-1, Ex2: six printable bytes at the beginning, from 0x20 to 0x7e.
    #[test]
    fn gfw_fet_1_printable_prefix_bounds() {
        assert_eq!(begins(b"abcde"), None);
        for prefix in [b"abcdef", b"\x20bcdef", b"abcde\x7e"] {
            assert_eq!(begins(prefix), Some(Exemption::PrintablePrefix));
        }
        for prefix in [b"\x1fbcdef", b"abcde\x7f", b"abc\x00ef"] {
            assert_eq!(begins(prefix), None);
        }
    }

    /// GFW-FET-1, Ex3: half is not enough, a byte more is.
    #[test]
    fn gfw_fet_1_printable_share_bounds() {
        for (printable, expected) in [(50, None), (51, Some(Exemption::PrintableShare))] {
            let mut payload = with_bits(100, 400);
            // No more than two behind each other, and as many bits as there were.
            for place in (0..printable).map(|place| place / 2 * 3 + place % 2) {
                payload[place] = b'3';
            }
            assert_eq!(payload.iter().filter(|byte| (0x20..0x7f).contains(*byte)).count(), printable);
            assert_eq!(exemption(&payload), expected, "{printable} of 100");
        }
    }

    /// GFW-FET-1, Ex4: twenty in a row are not enough, one more is.
    #[test]
    fn gfw_fet_1_printable_run_bounds() {
        for (run, expected) in [(20, None), (21, Some(Exemption::PrintableRun))] {
            let mut payload = with_bits(200, 800);
            payload[50..50 + run].fill(b'k');
            assert_eq!(exemption(&payload), expected, "{run} in a row");
        }
    }

    /// GFW-FET-1, Ex5: each bound of the TLS bytes, and each verb with its space.
    #[test]
    fn gfw_fet_1_protocol_bounds() {
        for known in [&b"\x16\x03\x00"[..], b"\x16\x03\x09", b"\x17\x03\x05", b"GET ", b"PUT ", b"POST ", b"HEAD "] {
            assert_eq!(begins(known), Some(Exemption::Protocol), "{known:?}");
        }
        for other in [
            &b"\x15\x03\x01"[..],
            b"\x18\x03\x01",
            b"\x16\x02\x01",
            b"\x16\x04\x01",
            b"\x16\x03\x0a",
            b"GET\x80",
            b"get ",
            b"PRI ",
        ] {
            assert_eq!(begins(other), None, "{other:?}");
        }
    }

    /// Algorithm 1 written another way: in floating point, with a pass for each rule, and the fifth as text.
    #[expect(clippy::cast_precision_loss, reason = "so few bytes are exact")]
    fn is_blocked_slowly(payload: &[u8]) -> bool {
        let share = |count: usize| count as f64 / payload.len() as f64;
        let text: String = payload.iter().map(|byte| char::from(*byte)).collect();
        let is_print = |character: char| (' '..='~').contains(&character);
        let mean = share(payload.iter().map(|byte| format!("{byte:b}").matches('1').count()).sum());
        let prints = share(text.chars().filter(|character| is_print(*character)).count());
        let longest = text.split(|character| !is_print(character)).map(|run| run.chars().count()).max();
        let hex = payload.iter().take(3).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let is_tls = ["1603", "1703"].iter().any(|start| {
            hex.strip_prefix(start).is_some_and(|minor| ("00"..="09").contains(&minor) && minor.len() == 2)
        });
        let is_http = ["GET ", "PUT ", "POST ", "HEAD "].iter().any(|verb| text.starts_with(verb));
        let is_text = payload.len() >= 6 && text.chars().take(6).all(is_print);
        let is_between = (3.400_000_001..=4.599_999_999).contains(&mean);
        is_between && !is_text && prints <= 0.5 && longest < Some(21) && !is_tls && !is_http
    }

    proptest! {
        /// Both ways of writing it agree.
        #[test]
        fn gfw_fet_1_agrees_with_the_slow_way(
            start in prop::sample::select(vec![&b""[..], b"\x16\x03", b"\x17\x03", b"GET ", b"HEAD ", b"abcde"]),
            rest in prop::collection::vec(prop_oneof![3 => any::<u8>(), 1 => 0x20..0x7fu8, 1 => 0..12u8], 1..120),
            text in prop::collection::vec(0x20..0x7fu8, 0..30),
        ) {
            let payload = [start, &rest, &text].concat();
            prop_assert_eq!(is_fully_encrypted(&payload), is_blocked_slowly(&payload));
        }
    }
}
