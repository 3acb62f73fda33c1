//! Long headers (RFC 9000 section 17.2, RFC 8999 for versions unknown), one packet of a datagram after the other.

use super::protection::Version;
use crate::dissect::tls::Reader;

/// A long header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LongHeader<'a> {
    /// The version, 0 for a Version Negotiation.
    pub version: u32,
    /// The connection's id as its receiver chose it, or for a client's first packets as the client did.
    pub destination: &'a [u8],
    /// The connection's id as its sender chose it.
    pub source: &'a [u8],
    /// What it heads.
    pub kind: Kind<'a>,
}

/// What a packet with a long header is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind<'a> {
    /// A server's list of the versions that it speaks.
    VersionNegotiation,
    /// What a connection begins with.
    Initial {
        /// What a server gave the client to show: empty but after a Retry, or where the client was here before.
        token: &'a [u8],
    },
    /// Early data.
    ZeroRtt,
    /// What follows on the Initials.
    Handshake,
    /// A server's wish that the client begin anew with this token.
    Retry {
        /// The token, and its tag of 16 bytes.
        token: &'a [u8],
    },
    /// Of a version whose packets are not known.
    Unknown,
}

/// A packet with a long header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Packet<'a> {
    /// Its header.
    pub header: LongHeader<'a>,
    /// All of it, its header included.
    pub bytes: &'a [u8],
    /// Where the packet number lies, which is protected as the payload behind it is; where there is one.
    pub(super) number_at: Option<usize>,
}

impl<'a> Packet<'a> {
    /// Reads the first packet of a datagram. The fixed bit is not looked at: RFC 9287 lets it be anything.
    pub fn parse(datagram: &'a [u8]) -> Option<Self> {
        let mut rest = Reader::new(datagram);
        let first = rest.u8()?;
        if first & LONG_FORM == 0 {
            return None;
        }
        let version = u32::from_be_bytes(rest.array()?);
        let destination = rest.vector8()?.rest();
        let source = rest.vector8()?.rest();
        let known = Version::of(version);
        let is_sound = known.is_none() || destination.len().max(source.len()) <= MAX_ID_LEN;
        let header = |kind| LongHeader { version, destination, source, kind };
        let whole = |kind| Some(Self { header: header(kind), bytes: datagram, number_at: None });
        match known.map(|version| version.kind(first)) {
            _ if !is_sound => None,
            None if version == 0 => whole(Kind::VersionNegotiation),
            None => whole(Kind::Unknown),
            Some(Kind::Retry { .. }) => whole(Kind::Retry { token: rest.rest() }),
            Some(mut kind) => {
                if let Kind::Initial { token } = &mut kind {
                    let len = variable(&mut rest)?;
                    *token = rest.take(usize::try_from(len).ok()?)?;
                }
                let len = usize::try_from(variable(&mut rest)?).ok()?;
                let number_at = rest.at();
                rest.take(len)?;
                Some(Self { header: header(kind), bytes: datagram.get(..rest.at())?, number_at: Some(number_at) })
            }
        }
    }
}

/// The packets with long headers that a datagram holds (RFC 9000 section 12.2).
pub fn packets(datagram: &[u8]) -> impl Iterator<Item = Packet<'_>> {
    let mut rest = datagram;
    core::iter::from_fn(move || {
        let packet = Packet::parse(rest)?;
        rest = rest.get(packet.bytes.len()..)?;
        Some(packet)
    })
}

impl Version {
    /// What a first byte says; what is behind it is not read yet.
    fn kind(self, first: u8) -> Kind<'static> {
        let place = match self {
            Self::V1 => first >> 4,
            Self::V2 => (first >> 4).wrapping_sub(1), // RFC 9369 section 3.2.
        };
        match place & 0b11 {
            0 => Kind::Initial { token: &[] },
            1 => Kind::ZeroRtt,
            2 => Kind::Handshake,
            _ => Kind::Retry { token: &[] },
        }
    }
}

/// Reads a number of variable length (RFC 9000 section 16).
pub(super) fn variable(rest: &mut Reader<'_>) -> Option<u64> {
    let first = rest.u8()?;
    let more = rest.take((1 << (first >> 6)) - 1)?;
    Some(more.iter().fold(u64::from(first & 0x3f), |number, byte| number << 8 | u64::from(*byte)))
}

const LONG_FORM: u8 = 0x80;
/// The longest id of a connection in the versions that are known, in bytes.
pub(super) const MAX_ID_LEN: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: &[u8] = include_bytes!("../../../tests/data/aioquic-retry.bin");
    const AFTER_RETRY: &[u8] = include_bytes!("../../../tests/data/aioquic-initial-after-retry.bin");

    /// RFC 9000 appendix A.1: numbers of every length.
    #[test]
    fn rfc_9000_a_1_variable_numbers() {
        for (bytes, number) in [
            (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c][..], 151_288_809_941_952_652),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x25], 37),
            (&[0x40, 0x25], 37),
        ] {
            let mut rest = Reader::new(bytes);
            assert_eq!((variable(&mut rest), rest.is_empty()), (Some(number), true));
            assert_eq!(variable(&mut Reader::new(&bytes[..bytes.len() - 1])), None);
        }
    }

    /// A Retry of aioquic, and what its client sent then: the token, to the id that the server chose.
    #[test]
    fn retry_and_what_follows() {
        let retry = Packet::parse(RETRY).expect("a packet");
        assert!(matches!(retry.header.kind, Kind::Retry { token } if token.starts_with(b"a token of the server")));
        assert_eq!(retry.header.source, b"RETRYCID");
        let initial = Packet::parse(AFTER_RETRY).expect("a packet");
        assert_eq!(initial.header.kind, Kind::Initial { token: b"a token of the server" });
        assert_eq!(initial.header.destination, b"RETRYCID");
    }

    /// RFC 9000 section 17.2.1 and RFC 8999 section 6: Version Negotiation, and a version that nobody knows, as probes send.
    #[test]
    fn versions_unknown() {
        let packet = [&[0xc0, 0, 0, 0, 0, 2, 7, 8, 1, 9], &[0, 0, 0, 1][..]].concat();
        let header = Packet::parse(&packet).expect("a packet").header;
        assert_eq!((header.version, header.kind), (0, Kind::VersionNegotiation));
        let mut probe = AFTER_RETRY.to_vec();
        probe[1..5].copy_from_slice(&[0xba; 4]);
        let header = Packet::parse(&probe).expect("a packet").header;
        assert_eq!((header.version, header.kind, header.destination), (0xbaba_baba, Kind::Unknown, &b"RETRYCID"[..]));
        assert_eq!(Packet::parse(&[0x40; 100]), None, "a short header");
    }
}
