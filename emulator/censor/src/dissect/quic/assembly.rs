//! Putting a client's `ClientHello` together from its Initials.

use super::frame::crypto_frames;
use super::header::{Kind, Packet, packets};
use super::protection::{ClientKeys, Version};
use crate::dissect::tls::{self, Hello};
use crate::flow::reassembly::Reassembly;

/// How a box reads QUIC.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Options {
    /// The versions whose Initials it decrypts; to others it is blind.
    pub versions: Vec<Version>,
    /// What it makes of a `ClientHello` in several CRYPTO frames.
    pub crypto: JoinCrypto,
    /// How many datagrams of the client it looks at, be they QUIC or not. With 1, a `ClientHello` must fit the first
    /// (GFW-QUIC-1).
    pub datagrams: u32,
}

/// What a box makes of a `ClientHello` in several CRYPTO frames.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum JoinCrypto {
    /// It puts it together, across frames and datagrams.
    #[default]
    Join,
    /// Of each datagram it looks at the first frame alone, and a `ClientHello` that is not whole there is none
    /// (GFW-QUIC-1).
    FirstFrame,
}

impl Default for Options {
    fn default() -> Self {
        Self { versions: vec![Version::V1, Version::V2], crypto: JoinCrypto::Join, datagrams: 4 }
    }
}

/// One flow's Initials as far as a box has read them: at most [`MAX_CRYPTO_LEN`] bytes.
#[derive(Clone, Debug, Default)]
pub struct Assembly {
    keys: Option<ClientKeys>,
    crypto: Option<Reassembly>,
    datagrams: u32,
    is_found: bool,
    is_retried: bool,
}

impl Assembly {
    /// Adds a datagram of the client. `ClientHello` where this one completes it or repeats some of it, `Incomplete` where a
    /// later one still may, `NotTls` where the box looks no further. Places and length are those in the handshake's stream.
    pub fn add(&mut self, datagram: &[u8], options: &Options) -> Hello {
        // A ClientHello that was found is known again however much later it is repeated.
        if self.datagrams >= options.datagrams && !self.is_found {
            return Hello::NotTls;
        }
        self.datagrams = self.datagrams.saturating_add(1);
        match self.read(datagram, options) {
            Some(hello @ Hello::ClientHello(_)) => {
                self.is_found = true;
                hello
            }
            _ if self.datagrams >= options.datagrams && !self.is_found => {
                // What was put together so far is of no use any more.
                (self.keys, self.crypto) = (None, None);
                Hello::NotTls
            }
            _ => Hello::Incomplete,
        }
    }

    /// Whether an Initial was read and a later datagram may hold more of the `ClientHello`.
    pub fn is_begun(&self, options: &Options) -> bool {
        self.keys.is_some() && !self.is_found && self.datagrams < options.datagrams
    }

    /// Whether the client began anew with another id of the connection, as after a Retry (RFC 9000 section 17.2.5).
    pub fn is_retried(&self) -> bool {
        self.is_retried
    }

    /// What the handshake is once this datagram was added; `None` where that adds nothing.
    fn read(&mut self, datagram: &[u8], options: &Options) -> Option<Hello> {
        let mut hello = None;
        let destination = Packet::parse(datagram)?.header.destination;
        // Packets of one datagram are all of one connection (RFC 9000 section 12.2).
        for packet in packets(datagram).filter(|packet| packet.header.destination == destination) {
            let Some(frames) = self.open(&packet, options) else {
                continue;
            };
            match options.crypto {
                JoinCrypto::Join => hello = self.join(&frames).or(hello),
                JoinCrypto::FirstFrame => return first_alone(&frames),
            }
        }
        hello
    }

    /// What the handshake is once these frames were added; `None` where they hold nothing of it.
    fn join(&mut self, frames: &[u8]) -> Option<Hello> {
        let mut is_new = false;
        for frame in crypto_frames(frames) {
            if let Ok(offset) = i32::try_from(frame.offset) {
                self.crypto.get_or_insert_with(|| Reassembly::new(MAX_CRYPTO_LEN)).add(offset, frame.data);
                is_new = true;
            }
        }
        self.crypto.as_ref().filter(|_| is_new).map(|crypto| tls::handshake(crypto.contiguous()))
    }

    /// The frames of an Initial, by the keys in use or by new ones.
    fn open(&mut self, packet: &Packet<'_>, options: &Options) -> Option<Vec<u8>> {
        let version = Version::of(packet.header.version).filter(|version| options.versions.contains(version))?;
        if !matches!(packet.header.kind, Kind::Initial { .. }) {
            return None;
        }
        // A client that has heard the server's id goes on with its first keys; after a Retry it begins anew.
        if let Some(frames) = self.keys.as_ref().and_then(|keys| keys.open(packet)) {
            return Some(frames);
        }
        let keys = ClientKeys::derive(version, packet.header.destination)?;
        let frames = keys.open(packet)?;
        self.is_retried |= self.keys.is_some();
        self.keys = Some(keys);
        self.crypto = None;
        Some(frames)
    }
}

/// What the first of these frames is by itself; `None` where it is not the beginning of the handshake.
fn first_alone(frames: &[u8]) -> Option<Hello> {
    let first = crypto_frames(frames).next().filter(|frame| frame.offset == 0);
    first.map(|frame| tls::handshake(frame.data))
}

/// The most bytes of a handshake that are put together: no `ClientHello` is so long.
pub const MAX_CRYPTO_LEN: usize = 1 << 14;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RFC_9001: &[u8] = include_bytes!("../../../tests/data/rfc9001-client-initial.bin");

    /// The handshake of RFC 9001 appendix A.2.
    fn message() -> Vec<u8> {
        let packet = Packet::parse(RFC_9001).expect("a packet");
        let keys = ClientKeys::derive(Version::V1, packet.header.destination).expect("keys");
        let frames = keys.open(&packet).expect("frames");
        crypto_frames(&frames).next().expect("a frame").data.to_vec()
    }

    fn frame(offset: usize, data: &[u8]) -> Vec<u8> {
        let [offset, len] = [offset, data.len()].map(|number| [0x40 | (number >> 8) as u8, number as u8]);
        [&[0x06], &offset[..], &len, data, &[0, 1]].concat()
    }

    proptest! {
        /// Whatever pieces a client cuts its handshake into and in whatever order they come, over however many packets, it
        /// is whole with the last of them and not before.
        #[test]
        fn pieces_in_any_order(cuts in prop::collection::vec(1..240usize, 0..20), order in Just((0..21usize).collect::<Vec<_>>()).prop_shuffle()) {
            let message = message();
            let mut ends = [&cuts[..], &[0, message.len()]].concat();
            ends.sort_unstable();
            ends.dedup();
            let pieces: Vec<_> = ends.windows(2).collect();
            let mut assembly = Assembly::default();
            let mut said = Vec::new();
            for piece in order.iter().filter_map(|place| pieces.get(*place)) {
                said.push(assembly.join(&frame(piece[0], &message[piece[0]..piece[1]])));
            }
            let last = said.pop().flatten();
            prop_assert!(said.iter().all(|said| *said == Some(Hello::Incomplete)), "{said:?}");
            prop_assert_eq!(last, Some(tls::handshake(&message)));
        }
    }

    /// GFW-QUIC-1: where the first frame alone is looked at, it must be the handshake's beginning and all of it.
    #[test]
    fn gfw_quic_1_first_frame() {
        let message = message();
        let whole = Some(tls::handshake(&message));
        assert_eq!(first_alone(&[&[0, 1][..], &frame(0, &message), &frame(5, b"x")].concat()), whole);
        assert_eq!(first_alone(&frame(1, &message)), None);
        assert_eq!(first_alone(&[frame(0, &message[..9]), frame(9, &message[9..])].concat()), Some(Hello::Incomplete));
        assert_eq!(first_alone(&[frame(9, &message[9..]), frame(0, &message)].concat()), None);
    }

    /// Nothing is kept that lies further on than a handshake can be.
    #[test]
    fn memory_is_bounded() {
        let mut assembly = Assembly::default();
        let far =
            [&[0x06, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, b'x'][..], &frame(0x3fff, b"xy")].concat();
        assert_eq!(assembly.join(&far), Some(Hello::Incomplete));
        assert_eq!(assembly.join(&[0, 1, 0]), None);
        assert_eq!(assembly.join(&frame(0, &message())), Some(tls::handshake(&message())));
    }
}
