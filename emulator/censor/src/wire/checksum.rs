//! The internet checksum (RFC 1071), over a header alone or with the pseudo header of RFC 9293 section 3.1 and RFC 8200
//! section 8.1.

use crate::wire::ip::Addresses;

/// The checksum of these bytes. Over bytes that hold their own right checksum it is zero.
pub fn internet(bytes: &[u8]) -> u16 {
    finish(add(0, bytes))
}

/// The checksum of a TCP segment, UDP datagram or `ICMPv6` message with its pseudo header. Over bytes that hold their own
/// right checksum it is zero.
pub fn transport(addresses: &Addresses, protocol: u8, segment: &[u8]) -> u16 {
    let sum = match addresses {
        Addresses::V4 { source, destination } => add(add(0, &source.octets()), &destination.octets()),
        Addresses::V6 { source, destination } => add(add(0, &source.octets()), &destination.octets()),
    };
    // The pseudo headers of both families add the protocol and the length; only the padding differs, and zeros add
    // nothing.
    finish(add(sum + u64::from(protocol) + segment.len() as u64, segment))
}

/// Whether the checksum inside a segment is right.
pub fn transport_is_valid(addresses: &Addresses, protocol: u8, segment: &[u8]) -> bool {
    transport(addresses, protocol, segment) == 0
}

fn add(sum: u64, bytes: &[u8]) -> u64 {
    let words = bytes.chunks_exact(2);
    let odd = words.remainder().first().map_or(0, |byte| u64::from(*byte) << 8);
    words.fold(sum + odd, |sum, word| sum + u64::from(u16::from_be_bytes([word[0], word[1]])))
}

fn finish(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of RFC 1071 section 3: the sum of these words is ddf2.
    #[test]
    fn rfc_1071_example() {
        assert_eq!(internet(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    }

    /// An odd last byte counts as the high half of a word (RFC 1071 section 4.1).
    #[test]
    fn odd_length_pads_with_zero() {
        assert_eq!(internet(&[1, 2, 3]), internet(&[1, 2, 3, 0]));
    }
}
