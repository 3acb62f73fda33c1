//! How `MTProto` is carried over TCP (<https://core.telegram.org/mtproto/mtproto-transports>).

use std::net::SocketAddr;

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use roadblock_scenarios::model::MtProtoTransport;

use super::chance;
use super::socket::Source;

/// One connection's way of carrying payloads.
pub(crate) struct Carrier {
    /// What a connection begins with.
    beginning: Vec<u8>,
    framing: Framing,
    streams: Option<Streams>,
    arrived: Vec<u8>,
}

/// How a payload is delimited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Framing {
    Abridged,
    Intermediate,
    Padded,
}

/// The key streams of obfuscated2.
struct Streams {
    outbound: Ctr128BE<Aes256>,
    inbound: Ctr128BE<Aes256>,
}

impl Carrier {
    /// One for a new connection.
    pub(crate) fn new(transport: MtProtoTransport, source: &Source, remote: SocketAddr) -> Self {
        let plain = |framing, beginning: &[u8]| Self {
            beginning: beginning.to_vec(),
            framing,
            streams: None,
            arrived: Vec::new(),
        };
        match transport {
            MtProtoTransport::Abridged => plain(Framing::Abridged, &[0xef]),
            MtProtoTransport::Intermediate => plain(Framing::Intermediate, &[0xee; 4]),
            MtProtoTransport::Padded => plain(Framing::Padded, &[0xdd; 4]),
            MtProtoTransport::Obfuscated2 => {
                let (beginning, streams) = obfuscated(source, remote);
                Self { streams: Some(streams), ..plain(Framing::Padded, &beginning) }
            }
        }
    }

    /// The first bytes of the connection and its first payload: they leave together.
    pub(crate) fn first(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut message = self.framing.wrap(payload);
        if let Some(streams) = &mut self.streams {
            streams.outbound.apply_keystream(&mut message);
        }
        [std::mem::take(&mut self.beginning), message].concat()
    }

    /// The first payload that came, once all of it is there.
    pub(crate) fn payload(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = bytes.to_vec();
        if let Some(streams) = &mut self.streams {
            streams.inbound.apply_keystream(&mut bytes);
        }
        self.arrived.extend(bytes);
        self.framing.unwrap(&self.arrived).map(<[u8]>::to_vec)
    }

    /// Whether more came than any answer has.
    pub(crate) fn has_too_much(&self) -> bool {
        self.arrived.len() > LONGEST
    }
}

impl Framing {
    fn wrap(self, payload: &[u8]) -> Vec<u8> {
        let length = |padding: usize| u32::try_from(payload.len() + padding).unwrap_or(u32::MAX).to_le_bytes();
        match self {
            // The payloads of the lab are far shorter than the 126 words that one byte counts.
            Self::Abridged => [&[(payload.len() / 4).min(0x7e) as u8][..], payload].concat(),
            Self::Intermediate => [&length(0), payload].concat(),
            Self::Padded => [&length(PADDING.len()), payload, PADDING].concat(),
        }
    }

    fn unwrap(self, bytes: &[u8]) -> Option<&[u8]> {
        let (start, length): (usize, u32) = match (self, bytes) {
            (Self::Abridged, [0x7f, low, middle, high, ..]) => (4, 4 * u32::from_le_bytes([*low, *middle, *high, 0])),
            (Self::Abridged, [words, ..]) if *words < 0x7f => (1, 4 * u32::from(*words)),
            (Self::Intermediate | Self::Padded, [a, b, c, d, ..]) => (4, u32::from_le_bytes([*a, *b, *c, *d])),
            _ => return None,
        };
        bytes.get(start..start.checked_add(usize::try_from(length).ok()?)?)
    }
}

/// The 64 bytes that a connection begins with and the streams that they agree on. They must not look like the beginning of
/// anything else.
fn obfuscated(source: &Source, remote: SocketAddr) -> ([u8; 64], Streams) {
    let mut attempt = 0_u32;
    loop {
        let random: [u8; 64] = chance::bytes(source, remote, &format!("obfuscated2 {attempt}"));
        if let Some(begun) = begin(random).filter(|_| looks_like_nothing_else(&random)) {
            return begun;
        }
        attempt += 1;
    }
}

/// The tag of the framing goes to bytes 56 to 60 and the data centre's number behind it, both encrypted by the stream
/// that bytes 8 to 56 begin; the other way's stream begins with the same bytes backwards.
fn begin(random: [u8; 64]) -> Option<([u8; 64], Streams)> {
    let mut plain = random;
    plain.get_mut(56..60)?.fill(0xdd);
    plain.get_mut(60..62)?.copy_from_slice(&2_i16.to_le_bytes());
    let mut backwards: Vec<u8> = plain.get(8..56)?.to_vec();
    backwards.reverse();
    let mut outbound = stream(plain.get(8..56)?)?;
    let inbound = stream(&backwards)?;
    let mut encrypted = plain;
    outbound.apply_keystream(&mut encrypted);
    plain.get_mut(56..)?.copy_from_slice(encrypted.get(56..)?);
    Some((plain, Streams { outbound, inbound }))
}

fn stream(key_and_vector: &[u8]) -> Option<Ctr128BE<Aes256>> {
    let (key, vector) = key_and_vector.split_at_checked(32)?;
    Ctr128BE::<Aes256>::new_from_slices(key, vector).ok()
}

fn looks_like_nothing_else(bytes: &[u8; 64]) -> bool {
    let others: [&[u8]; 7] = [b"HEAD", b"POST", b"GET ", b"OPTI", &[0x16, 0x03, 0x01, 0x02], &[0xdd; 4], &[0xee; 4]];
    bytes.first() != Some(&0xef)
        && !others.iter().any(|other| bytes.starts_with(other))
        && bytes.get(4..8) != Some(&[0; 4])
}

const PADDING: &[u8] = &[0x2a; 7];
const LONGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn lengths_are_as_documented() {
        assert_eq!(Framing::Abridged.wrap(&[7; 8]), [2, 7, 7, 7, 7, 7, 7, 7, 7]);
        assert_eq!(Framing::Intermediate.wrap(&[7; 4]), [4, 0, 0, 0, 7, 7, 7, 7]);
        assert_eq!(Framing::Padded.wrap(&[7; 4])[..4], [11, 0, 0, 0]);
        assert_eq!(Framing::Abridged.unwrap(&[1, 1, 2, 3]), None);
        assert_eq!(Framing::Abridged.unwrap(&[1, 1, 2, 3, 4, 5]), Some(&[1, 2, 3, 4][..]));
        assert_eq!(Framing::Intermediate.unwrap(&[1, 0, 0, 0, 5]), Some(&[5][..]));
        assert_eq!(Framing::Intermediate.unwrap(&[0xff; 8]), None);
    }

    #[test]
    fn obfuscated2_is_the_stream_that_its_own_bytes_begin() {
        let (first, mut streams) = obfuscated(&testing::source(), testing::ANY_PORT);
        assert!(looks_like_nothing_else(&first));
        let mut server = stream(&first[8..56]).expect("a stream");
        let mut plain = first;
        server.apply_keystream(&mut plain);
        assert_eq!(plain[56..62], [0xdd, 0xdd, 0xdd, 0xdd, 2, 0]);
        let mut message = *b"req_pq";
        streams.outbound.apply_keystream(&mut message);
        server.apply_keystream(&mut message);
        assert_eq!(&message, b"req_pq");
    }

    #[test]
    fn what_looks_like_another_protocol_is_never_sent() {
        let mut bytes = [1; 64];
        assert!(looks_like_nothing_else(&bytes));
        bytes[4..8].fill(0);
        assert!(!looks_like_nothing_else(&bytes));
        for beginning in [b"POST", b"GET ", &[0xdd; 4], &[0xef, 1, 1, 1]] {
            bytes = [1; 64];
            bytes[..4].copy_from_slice(beginning);
            assert!(!looks_like_nothing_else(&bytes), "{beginning:?}");
        }
    }
}
