//! STUN (RFC 8489), by which the ends of a call learn their addresses and try their paths.

use crate::wire::u16_at;

/// The header of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Message {
    /// What is asked for: 1 for Binding, 3 for TURN's Allocate.
    pub method: u16,
    /// Whether it asks, tells, or answers.
    pub class: Class,
}

/// What a message is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    /// It asks.
    Request,
    /// It tells and wants no answer.
    Indication,
    /// It answers.
    Success,
    /// It refuses.
    Error,
}

impl Message {
    /// Reads a datagram. RFC 8489 section 5: the first two bits are zero, the cookie is where it must be, and the length is
    /// that of the rest, in words.
    pub fn parse(datagram: &[u8]) -> Option<Self> {
        let kind = u16_at(datagram, 0)?;
        let length = usize::from(u16_at(datagram, 2)?);
        let is_sound = kind & 0xc000 == 0
            && datagram.get(4..8)? == MAGIC_COOKIE
            && length % 4 == 0
            && datagram.len() == HEADER_LEN + length;
        is_sound.then_some(Self { method: method(kind), class: class(kind) })
    }
}

/// The method's twelve bits lie around the two of the class (RFC 8489, figure 3).
const fn method(kind: u16) -> u16 {
    kind & 0x000f | (kind & 0x00e0) >> 1 | (kind & 0x3e00) >> 2
}

const fn class(kind: u16) -> Class {
    match (kind & 0x0100 != 0, kind & 0x0010 != 0) {
        (false, false) => Class::Request,
        (false, true) => Class::Indication,
        (true, false) => Class::Success,
        (true, true) => Class::Error,
    }
}

const HEADER_LEN: usize = 20;
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = include_bytes!("../../tests/data/stun-rfc5769-request.bin");

    /// The sample request of RFC 5769 section 2.1.
    #[test]
    fn reads_the_published_vector() {
        assert_eq!(Message::parse(REQUEST), Some(Message { method: 1, class: Class::Request }));
    }

    /// RFC 8489 section 5 and figure 3: the types that IANA lists for Binding and TURN's Allocate.
    #[test]
    fn types_are_taken_apart() {
        for (kind, method, class) in [
            (0x0101, 1, Class::Success),
            (0x0111, 1, Class::Error),
            (0x0011, 1, Class::Indication),
            (0x0003, 3, Class::Request),
            (0x0113, 3, Class::Error),
            (0x3eef, 0xfff, Class::Request),
        ] {
            let kind: u16 = kind;
            let [high, low] = kind.to_be_bytes();
            let mut datagram = vec![high, low, 0, 0, 0x21, 0x12, 0xa4, 0x42];
            datagram.resize(20, 0);
            assert_eq!(Message::parse(&datagram), Some(Message { method, class }), "{kind:#06x}");
        }
    }

    /// RU-CALL-1: without the cookie, with a wrong length, or with a set first bit it is something else.
    #[test]
    fn ru_call_1_structure_must_hold() {
        for at in [0, 2, 3, 4, 7] {
            let mut datagram = REQUEST.to_vec();
            datagram[at] ^= 0x81;
            assert_eq!(Message::parse(&datagram), None, "byte {at}");
        }
        for len in 0..REQUEST.len() {
            assert_eq!(Message::parse(&REQUEST[..len]), None, "cut at {len}");
        }
    }
}
