//! `WireGuard`: four kinds of datagrams with fixed first bytes and sizes (FP-WG-1).

use core::ops::RangeInclusive;

use serde::Serialize;

/// What a datagram is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The first message of the handshake: 148 bytes.
    Initiation,
    /// Its answer: 92 bytes.
    Response,
    /// A cookie, from an end under load: 64 bytes.
    Cookie,
    /// What the tunnel carries: a header, then whole blocks of 16 bytes, the last of which authenticates.
    Data,
}

impl Kind {
    /// Reads a datagram: its type as four bytes of which three are zero, and the size that the type must have.
    pub fn parse(datagram: &[u8]) -> Option<Self> {
        match (datagram.first_chunk::<4>()?, datagram.len()) {
            ([1, 0, 0, 0], INITIATION_LEN) => Some(Self::Initiation),
            ([2, 0, 0, 0], RESPONSE_LEN) => Some(Self::Response),
            ([3, 0, 0, 0], COOKIE_LEN) => Some(Self::Cookie),
            ([4, 0, 0, 0], length) if length >= 32 && length.is_multiple_of(16) => Some(Self::Data),
            _ => None,
        }
    }
}

/// What `AmneziaWG`'s two ends have agreed on, and a censor that learned it looks for: junk datagrams first, bytes in front
/// of the handshake, and other numbers in place of the types (FP-WG-1). Whoever does not know the numbers cannot see it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Amnezia {
    /// How long the junk datagrams are that the client sends first (`Jmin` to `Jmax`); `None` where there are none.
    pub junk: Option<RangeInclusive<u16>>,
    /// How many bytes stand in front of an initiation.
    pub s1: u16,
    /// How many stand in front of a response.
    pub s2: u16,
    /// The numbers that stand for the types 1 to 4; `None` where the censor does not know one and goes by the size alone.
    pub headers: [Option<u32>; 4],
}

impl Amnezia {
    /// Reads a datagram. Cookies and data are told only by their number: of their sizes are many.
    pub fn parse(&self, datagram: &[u8]) -> Option<Kind> {
        let [h1, h2, h3, h4] = self.headers;
        let is_handshake = |before: u16, length: usize, header: Option<u32>| {
            let before = usize::from(before);
            datagram.len() == before + length && header.is_none_or(|header| has_number(datagram, before, header))
        };
        let has_known_number = |header: Option<u32>| header.is_some_and(|header| has_number(datagram, 0, header));
        if is_handshake(self.s1, INITIATION_LEN, h1) {
            Some(Kind::Initiation)
        } else if is_handshake(self.s2, RESPONSE_LEN, h2) {
            Some(Kind::Response)
        } else if datagram.len() == COOKIE_LEN && has_known_number(h3) {
            Some(Kind::Cookie)
        } else {
            (is_data_len(datagram.len()) && has_known_number(h4)).then_some(Kind::Data)
        }
    }

    /// Whether a datagram is as long as junk is, and nothing else that is known.
    pub fn may_be_junk(&self, datagram: &[u8]) -> bool {
        let has_length =
            |range: &RangeInclusive<u16>| u16::try_from(datagram.len()).is_ok_and(|len| range.contains(&len));
        self.junk.as_ref().is_some_and(has_length) && self.parse(datagram).is_none()
    }
}

/// The number is in the byte order of all of `WireGuard`: the smallest first.
fn has_number(datagram: &[u8], at: usize, number: u32) -> bool {
    datagram.get(at..).and_then(|rest| rest.first_chunk()).is_some_and(|bytes| u32::from_le_bytes(*bytes) == number)
}

/// A header of 16 bytes, then whole blocks, the last of which authenticates.
const fn is_data_len(length: usize) -> bool {
    length >= 32 && length.is_multiple_of(16)
}

const INITIATION_LEN: usize = 148;
const RESPONSE_LEN: usize = 92;
const COOKIE_LEN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const INITIATION: &[u8] = include_bytes!("../../tests/data/wireguard-initiation.bin");
    const RESPONSE: &[u8] = include_bytes!("../../tests/data/wireguard-response.bin");
    const DATA: &[u8] = include_bytes!("../../tests/data/wireguard-data.bin");

    /// FP-WG-1: what wireguard-go sent.
    #[test]
    fn fp_wg_1_reads_real_datagrams() {
        assert_eq!(Kind::parse(INITIATION), Some(Kind::Initiation));
        assert_eq!(Kind::parse(RESPONSE), Some(Kind::Response));
        assert_eq!(Kind::parse(DATA), Some(Kind::Data));
        let mut cookie = vec![3, 0, 0, 0];
        cookie.resize(64, 7);
        assert_eq!(Kind::parse(&cookie), Some(Kind::Cookie));
    }

    /// FP-WG-1: `AmneziaWG` changes the types or puts bytes in front, and is not seen.
    #[test]
    fn fp_wg_1_other_types_and_sizes_are_not_it() {
        assert_eq!(Kind::parse(&[&[0; 16], INITIATION].concat()), None, "bytes in front");
        for datagram in [INITIATION, RESPONSE, DATA] {
            for at in 0..4 {
                let mut changed = datagram.to_vec();
                changed[at] ^= 0x40;
                assert_eq!(Kind::parse(&changed), None, "byte {at}");
            }
            assert_eq!(Kind::parse(&datagram[..datagram.len() - 1]), None, "cut");
            assert_eq!(Kind::parse(&[datagram, &[0]].concat()), None, "longer");
        }
    }

    /// As `AmneziaWG` sends what wireguard-go sent: its number in place of the type, and bytes in front.
    fn disguised(datagram: &[u8], number: u32, before: u16) -> Vec<u8> {
        let junk = (0..before).map(|byte| (byte % 251) as u8 ^ 0x5a);
        junk.chain(number.to_le_bytes()).chain(datagram[4..].iter().copied()).collect()
    }

    /// FP-WG-1: the plain detector sees nothing of `AmneziaWG`, one that knows its numbers sees each kind, and one that knows
    /// the sizes alone sees the handshake.
    #[test]
    fn fp_wg_1_amnezia_is_seen_by_who_knows_it() {
        let headers = [1_020_325_451u32, 3_288_052_141, 1_766_607_858, 2_528_465_083];
        let knowing = Amnezia { junk: Some(40..=70), s1: 15, s2: 18, headers: headers.map(Some) };
        let sizes = Amnezia { headers: [None; 4], ..knowing.clone() };
        let sent = [
            (disguised(INITIATION, headers[0], 15), Kind::Initiation),
            (disguised(RESPONSE, headers[1], 18), Kind::Response),
            (disguised(DATA, headers[3], 0), Kind::Data),
        ];
        for (datagram, kind) in &sent {
            assert_eq!(Kind::parse(datagram), None, "plain");
            assert_eq!(knowing.parse(datagram), Some(*kind));
            assert_eq!(sizes.parse(datagram), Some(*kind).filter(|kind| *kind != Kind::Data));
            let other = Amnezia { s1: 16, s2: 17, headers: headers.map(|number| Some(number + 1)), ..knowing.clone() };
            assert_eq!(other.parse(datagram), None, "other numbers");
        }
        assert!(knowing.may_be_junk(&[7; 40]) && knowing.may_be_junk(&[7; 70]));
        assert!(!knowing.may_be_junk(&[7; 39]) && !knowing.may_be_junk(&[7; 71]) && !knowing.may_be_junk(&sent[0].0));
        let plain = Amnezia { headers: [1, 2, 3, 4].map(Some), ..Amnezia::default() };
        for datagram in [INITIATION, RESPONSE, DATA] {
            assert_eq!(plain.parse(datagram), Kind::parse(datagram), "the numbers of WireGuard");
        }
    }
}
