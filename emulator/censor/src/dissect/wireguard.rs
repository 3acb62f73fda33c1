//! `WireGuard`: four kinds of datagrams with fixed first bytes and sizes (FP-WG-1).

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
            ([1, 0, 0, 0], 148) => Some(Self::Initiation),
            ([2, 0, 0, 0], 92) => Some(Self::Response),
            ([3, 0, 0, 0], 64) => Some(Self::Cookie),
            ([4, 0, 0, 0], length) if length >= 32 && length % 16 == 0 => Some(Self::Data),
            _ => None,
        }
    }
}

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
}
