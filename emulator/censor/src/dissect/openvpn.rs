//! `OpenVPN`: an opcode and a key number in the first byte, over UDP as it is, over TCP after a length (FP-OVPN-1).
//!
//! One byte says little, so a flow counts as `OpenVPN` only once it began with a reset, whose form is strict.

mod acknowledgements;
mod opcodes;

pub use acknowledgements::{AckCount, AckRule};
pub use opcodes::{OpcodeCount, OpcodeRule};
use serde::Serialize;

use crate::wire::u16_at;

/// What a packet is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It opens a session, of the client or of the server.
    Reset,
    /// It carries or acknowledges a part of the TLS handshake, or renews keys.
    Control,
    /// What the tunnel carries.
    Data,
}

impl Kind {
    /// Reads a datagram.
    pub fn of_datagram(datagram: &[u8]) -> Option<Self> {
        let (first, rest) = datagram.split_first()?;
        let (opcode, key) = (first >> 3, first % 8);
        match opcode {
            // Client and server, versions 1, 2 and 3. The first session's key is number 0; a session id and at least an
            // acknowledgement's length and a packet's number follow.
            1 | 2 | 7 | 8 | 10 => (key == 0 && rest.len() >= MIN_RESET_LEN - 1).then_some(Self::Reset),
            3..=5 | 11 => (rest.len() >= MIN_CONTROL_LEN - 1).then_some(Self::Control),
            6 | 9 => (!rest.is_empty()).then_some(Self::Data),
            _ => None,
        }
    }

    /// Reads a segment that begins with a packet: its length, then what a datagram would hold. A segment that ends within
    /// the packet is read as far as it goes.
    pub fn of_segment(segment: &[u8]) -> Option<Self> {
        let length = usize::from(u16_at(segment, 0)?);
        let packet = segment.get(2..)?;
        if length == 0 || length > MAX_PACKET_LEN {
            return None;
        }
        Self::of_datagram(&packet[..packet.len().min(length)])
    }

    /// Whether a stream's first bytes are a client's reset; `None` while they could become one.
    pub fn opens(stream: &[u8]) -> Option<bool> {
        let (Some(length), Some(first)) = (u16_at(stream, 0), stream.get(2)) else {
            return stream.first().is_some_and(|high| *high > 1).then_some(false);
        };
        let looks_right = matches!(first >> 3, 1 | 7 | 10) && first % 8 == 0;
        if !looks_right || !(MIN_RESET_LEN..=MAX_RESET_LEN).contains(&usize::from(length)) {
            return Some(false);
        }
        (stream.len() >= 2 + usize::from(length)).then_some(true)
    }
}

/// An opcode, a session id, an empty list of acknowledgements and a packet's number.
const MIN_RESET_LEN: usize = 14;
/// A reset with a wrapped client key of tls-crypt-v2, whose metadata may be long.
const MAX_RESET_LEN: usize = 0x1ff;
/// An opcode, a session id and a list of acknowledgements.
const MIN_CONTROL_LEN: usize = 10;
/// Longer than what a tunnel with any usual MTU carries.
const MAX_PACKET_LEN: usize = 0x3fff;

/// A session that was recorded.
#[cfg(test)]
mod session {
    /// A packet of it.
    pub(super) struct Recorded {
        pub(super) from_client: bool,
        pub(super) first_byte: u8,
    }

    const SESSION: &str = include_str!("../../tests/data/openvpn-udp-session.txt");

    pub(super) fn packets() -> impl Iterator<Item = Recorded> + Clone {
        SESSION.lines().map(|line| {
            let mut words = line.split(' ');
            let from_client = words.next() == Some("C");
            let first_byte = words.next().and_then(|byte| u8::from_str_radix(byte, 16).ok()).expect("a byte");
            Recorded { from_client, first_byte }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESET: &[u8] = include_bytes!("../../tests/data/openvpn-udp-reset.bin");
    const TLS_AUTH: &[u8] = include_bytes!("../../tests/data/openvpn-udp-reset-tls-auth.bin");
    const TLS_CRYPT: &[u8] = include_bytes!("../../tests/data/openvpn-udp-reset-tls-crypt.bin");
    const ANSWER: &[u8] = include_bytes!("../../tests/data/openvpn-udp-answer.bin");
    const CONTROL: &[u8] = include_bytes!("../../tests/data/openvpn-udp-control.bin");
    const DATA: &[u8] = include_bytes!("../../tests/data/openvpn-udp-data.bin");
    const TCP_RESET: &[u8] = include_bytes!("../../tests/data/openvpn-tcp-reset.bin");
    const TCP_DATA: &[u8] = include_bytes!("../../tests/data/openvpn-tcp-data.bin");

    /// FP-OVPN-1: what `OpenVPN` sent over UDP, plain, with tls-auth and with tls-crypt.
    #[test]
    fn fp_ovpn_1_reads_real_datagrams() {
        assert_eq!(RESET.len(), 14, "the published size without tls-auth");
        for reset in [RESET, TLS_AUTH, TLS_CRYPT, ANSWER] {
            assert_eq!(Kind::of_datagram(reset), Some(Kind::Reset));
        }
        assert_eq!(Kind::of_datagram(CONTROL), Some(Kind::Control));
        assert_eq!(Kind::of_datagram(DATA), Some(Kind::Data));
    }

    /// FP-OVPN-1: what it sent over TCP; the beginning of a reset is not yet one, and never something else.
    #[test]
    fn fp_ovpn_1_reads_real_segments() {
        assert_eq!(Kind::of_segment(TCP_RESET), Some(Kind::Reset));
        assert_eq!(Kind::of_segment(TCP_DATA), Some(Kind::Data));
        assert_eq!(Kind::opens(TCP_RESET), Some(true));
        for len in 0..TCP_RESET.len() {
            assert_eq!(Kind::opens(&TCP_RESET[..len]), None, "cut at {len}");
        }
        assert_eq!(Kind::opens(TCP_DATA), Some(false));
        assert_eq!(Kind::opens(b"GET / HTTP/1.1"), Some(false));
        assert_eq!(Kind::opens(&[22, 3, 1, 2, 0]), Some(false), "TLS");
    }

    /// FP-OVPN-1: a reset is that of key 0 and not shorter than its fields; opcodes past the last are nothing.
    #[test]
    fn fp_ovpn_1_structure_must_hold() {
        assert_eq!(Kind::of_datagram(&RESET[..13]), None);
        for (first, expected) in [(0x39, None), (0x00, None), (12 << 3, None), (0x40, Some(Kind::Reset))] {
            let mut datagram = RESET.to_vec();
            datagram[0] = first;
            assert_eq!(Kind::of_datagram(&datagram), expected, "first byte {first:#x}");
        }
    }
}
