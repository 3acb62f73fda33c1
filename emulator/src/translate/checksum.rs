//! Checksums: those of transports are adjusted to their new pseudo-header (RFC 1624), so that a wrong one stays wrong.

use super::Refusal;
use super::header::{Family, Packet};

/// What a checksum covers and has changed.
pub(super) struct Change {
    /// What it covered.
    pub(super) from: Vec<u8>,
    /// What it covers now.
    pub(super) to: Vec<u8>,
}

/// The payload of a packet with its transport's checksum adjusted. A transport without a checksum over the addresses is left
/// as it is; what is quoted may end before its checksum. UDP without a checksum, which IPv6 does not allow, gets one.
pub(super) fn transport<F: Family>(
    protocol: u8,
    packet: &Packet<'_, F>,
    ends: &Change,
    outer: bool,
) -> Result<Vec<u8>, Refusal> {
    let mut payload = packet.payload.to_vec();
    let at = match protocol {
        TCP => 16,
        UDP => 6,
        AUTHENTICATION => return Err(Refusal::NoEquivalent),
        _ => return Ok(payload),
    };
    let later_fragment = packet.fragment.is_some_and(|fragment| fragment.offset != 0);
    if later_fragment {
        return Ok(payload);
    }
    let Some(&[high, low]) = payload.get(at..at + 2) else {
        return if outer { Err(Refusal::Truncated) } else { Ok(payload) };
    };
    let old = u16::from_be_bytes([high, low]);
    let new = match (protocol, old) {
        // Of a fragment the rest is not here.
        (UDP, 0) if packet.fragment.is_some() => return Err(Refusal::NoEquivalent),
        (UDP, 0) if outer => not_zero(compute(protocol, &ends.to, &payload)),
        (UDP, 0) => 0,
        (UDP, old) => not_zero(adjust(old, ends)),
        (_, old) => adjust(old, ends),
    };
    payload[at..at + 2].copy_from_slice(&new.to_be_bytes());
    Ok(payload)
}

/// The checksum over these ends, a length, a protocol and the payload itself, whose own checksum must be zero.
pub(super) fn compute(protocol: u8, ends: &[u8], payload: &[u8]) -> u16 {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    !fold(sum(ends) + sum(&length.to_be_bytes()) + u64::from(protocol) + sum(payload))
}

/// The checksum of bytes whose own checksum must be zero.
pub(super) fn of(bytes: &[u8]) -> u16 {
    !fold(sum(bytes))
}

/// RFC 1624, equation 3.
fn adjust(old: u16, change: &Change) -> u16 {
    let removed: u64 = words(&change.from).map(|word| u64::from(!word)).sum();
    !fold(u64::from(!old) + removed + sum(&change.to))
}

/// A checksum of zero would say that there is none (RFC 768).
fn not_zero(checksum: u16) -> u16 {
    if checksum == 0 { 0xffff } else { checksum }
}

fn sum(bytes: &[u8]) -> u64 {
    words(bytes).map(u64::from).sum()
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or_default()]))
}

fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    // It fits after the loop.
    sum as u16
}

const TCP: u8 = 6;
const UDP: u8 = 17;
const AUTHENTICATION: u8 = 51;
