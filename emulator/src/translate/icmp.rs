//! ICMP and `ICMPv6` (RFC 7915 sections 4.2 and 5.2).

use std::net::Ipv6Addr;

use super::{ICMPV6, Refusal, checksum};

/// Translates the packet that an error quotes.
type Quote<'a> = &'a mut dyn FnMut(&[u8]) -> Result<Vec<u8>, Refusal>;

/// A message of ICMP as one of `ICMPv6`, its checksum zero.
pub(super) fn to_v6(message: &[u8], quote: Quote<'_>) -> Result<Vec<u8>, Refusal> {
    let (head, rest) = message.split_first_chunk::<8>().ok_or(Refusal::Truncated)?;
    let (kind, code) = (head[0], head[1]);
    let word = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
    let error = |kind, code, word, quote: Quote<'_>| Ok(assemble(kind, code, word, &quoted(quote(rest)?, MOST_V6)));
    match (kind, code) {
        (8, _) => Ok(assemble(128, 0, word, rest)),
        (0, _) => Ok(assemble(129, 0, word, rest)),
        (3, 0 | 1 | 5..=8 | 11 | 12) => error(1, 0, 0, quote),
        // The protocol that cannot be reached is named by the next header, the seventh byte.
        (3, 2) => error(4, 1, 6, quote),
        (3, 3) => error(1, 4, 0, quote),
        // A router of before RFC 1191 says no length.
        (3, 4) => error(2, 0, (word & 0xffff).saturating_add(20).max(1280), quote),
        (3, 9 | 10 | 13 | 15) => error(1, 1, 0, quote),
        (11, 0 | 1) => error(3, code, 0, quote),
        (12, 0 | 2) => error(4, 0, u32::from(pointer_to_v6(head[4]).ok_or(Refusal::NoEquivalent)?), quote),
        _ => Err(Refusal::NoEquivalent),
    }
}

/// A message of `ICMPv6` as one of ICMP, its checksum zero.
pub(super) fn to_v4(message: &[u8], quote: Quote<'_>) -> Result<Vec<u8>, Refusal> {
    let (head, rest) = message.split_first_chunk::<8>().ok_or(Refusal::Truncated)?;
    let (kind, code) = (head[0], head[1]);
    let word = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
    let error = |kind, code, word, quote: Quote<'_>| Ok(assemble(kind, code, word, &quoted(quote(rest)?, MOST_V4)));
    match (kind, code) {
        (128, _) => Ok(assemble(8, 0, word, rest)),
        (129, _) => Ok(assemble(0, 0, word, rest)),
        (1, 0 | 2 | 3) => error(3, 1, 0, quote),
        (1, 1) => error(3, 10, 0, quote),
        (1, 4) => error(3, 3, 0, quote),
        (2, _) => error(3, 4, word.saturating_sub(20).min(0xffff), quote),
        (3, 0 | 1) => error(11, code, 0, quote),
        (4, 0) => {
            let pointer = u8::try_from(word).ok().and_then(pointer_to_v4).ok_or(Refusal::NoEquivalent)?;
            error(12, 0, u32::from(pointer) << 24, quote)
        }
        (4, 1) => error(3, 2, 0, quote),
        _ => Err(Refusal::NoEquivalent),
    }
}

/// The message with its checksum, which covers the ends too (RFC 4443 section 2.3).
pub(super) fn with_checksum_v6(mut message: Vec<u8>, source: Ipv6Addr, destination: Ipv6Addr) -> Vec<u8> {
    let ends = [source.octets(), destination.octets()].concat();
    let sum = checksum::compute(ICMPV6, &ends, &message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

/// The message with its checksum.
pub(super) fn with_checksum_v4(mut message: Vec<u8>) -> Vec<u8> {
    let sum = checksum::of(&message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

fn assemble(kind: u8, code: u8, word: u32, rest: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, code, 0, 0];
    message.extend(word.to_be_bytes());
    message.extend_from_slice(rest);
    message
}

/// What an error quotes, so that the error fits.
fn quoted(mut packet: Vec<u8>, most: usize) -> Vec<u8> {
    packet.truncate(most);
    packet
}

/// Figure 3 of RFC 7915: where a field of the one header is in the other.
fn pointer_to_v6(pointer: u8) -> Option<u8> {
    Some(match pointer {
        0 => 0,
        1 => 1,
        2 | 3 => 4,
        8 => 7,
        9 => 6,
        12..=15 => 8,
        16..=19 => 24,
        _ => return None,
    })
}

/// Figure 6.
fn pointer_to_v4(pointer: u8) -> Option<u8> {
    Some(match pointer {
        0 => 0,
        1 => 1,
        4 | 5 => 2,
        6 => 9,
        7 => 8,
        8..=23 => 12,
        24..=39 => 16,
        _ => return None,
    })
}

/// An error of `ICMPv6` is at most 1280 bytes, with its headers (RFC 4443 section 2.4).
const MOST_V6: usize = 1280 - 40 - 8;
/// An error of ICMP is at most 576 bytes, with its headers (RFC 1812 section 4.3.2.3).
const MOST_V4: usize = 576 - 20 - 8;
