//! The headers of either family, read and written.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Refusal, checksum};

/// What a family's packets have of their own.
pub(super) trait Family {
    /// Its addresses.
    type Address: Copy;
}

/// IPv4.
#[derive(Clone, Copy, Debug)]
pub(super) struct V4;

/// IPv6.
#[derive(Clone, Copy, Debug)]
pub(super) struct V6;

/// A packet with its headers taken apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a, F: Family> {
    /// Type of service or traffic class.
    pub(super) traffic_class: u8,
    /// Time to live or hop limit.
    pub(super) hops: u8,
    /// What is above IP, past extension headers.
    pub(super) protocol: u8,
    /// Where it comes from.
    pub(super) source: F::Address,
    /// Where it goes.
    pub(super) destination: F::Address,
    /// Its part in a whole, where it is one.
    pub(super) fragment: Option<Fragment>,
    /// How long the header says that the payload is.
    pub(super) stated: usize,
    /// As much of the payload as there is, and no more than is said.
    pub(super) payload: &'a [u8],
}

/// A part of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Fragment {
    /// Where it begins, in units of eight bytes.
    pub(super) offset: u16,
    /// Whether more follow.
    pub(super) more: bool,
    /// What its parts have in common; IPv4 has 16 bits of it.
    pub(super) identification: u32,
}

impl Family for V4 {
    type Address = Ipv4Addr;
}

impl Family for V6 {
    type Address = Ipv6Addr;
}

impl<F: Family> Packet<'_, F> {
    /// A packet that travels must be all there; one that is quoted need not.
    pub(super) fn exact(&self) -> Result<(), Refusal> {
        if self.payload.len() == self.stated { Ok(()) } else { Err(Refusal::Truncated) }
    }

    /// What the new header says of a payload of this length: as much more as was missing.
    pub(super) fn stated_payload(&self, length: usize) -> usize {
        length + (self.stated - self.payload.len())
    }
}

impl V4 {
    /// Takes a packet apart (RFC 791); options are passed over, but for source routes (RFC 7915 section 4.1).
    pub(super) fn read(bytes: &[u8]) -> Result<Packet<'_, Self>, Refusal> {
        let fixed: &[u8; 20] = bytes.first_chunk().ok_or(Refusal::Truncated)?;
        let length = usize::from(fixed[0] & 0x0f) * 4;
        let total = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
        let options = bytes.get(fixed.len()..length).ok_or(Refusal::Truncated)?;
        if fixed[0] >> 4 != 4 || has_source_route(options) {
            return Err(Refusal::NoEquivalent);
        }
        let stated = total.checked_sub(length).ok_or(Refusal::Truncated)?;
        let rest = bytes.get(length..).ok_or(Refusal::Truncated)?;
        let cut = u16::from_be_bytes([fixed[6], fixed[7]]);
        let (offset, more) = (cut & 0x1fff, cut & 0x2000 != 0);
        let identification = u32::from(u16::from_be_bytes([fixed[4], fixed[5]]));
        Ok(Packet {
            traffic_class: fixed[1],
            hops: fixed[8],
            protocol: fixed[9],
            source: Ipv4Addr::new(fixed[12], fixed[13], fixed[14], fixed[15]),
            destination: Ipv4Addr::new(fixed[16], fixed[17], fixed[18], fixed[19]),
            fragment: (offset != 0 || more).then_some(Fragment { offset, more, identification }),
            stated,
            payload: &rest[..rest.len().min(stated)],
        })
    }
}

impl V6 {
    /// Takes a packet apart (RFC 8200); extension headers are passed over, but for routing headers that are not used up (RFC
    /// 7915 section 5.1).
    pub(super) fn read(bytes: &[u8]) -> Result<Packet<'_, Self>, Refusal> {
        let fixed: &[u8; 40] = bytes.first_chunk().ok_or(Refusal::Truncated)?;
        if fixed[0] >> 4 != 6 {
            return Err(Refusal::NoEquivalent);
        }
        let mut stated = usize::from(u16::from_be_bytes([fixed[4], fixed[5]]));
        let rest = &bytes[fixed.len()..];
        let mut payload = &rest[..rest.len().min(stated)];
        let (mut protocol, mut fragment) = (fixed[6], None);
        while let HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION = protocol {
            let head: &[u8; 8] = payload.first_chunk().ok_or(Refusal::Truncated)?;
            let length = if protocol == FRAGMENT { 8 } else { (usize::from(head[1]) + 1) * 8 };
            if protocol == FRAGMENT {
                let cut = u16::from_be_bytes([head[2], head[3]]);
                let identification = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
                fragment = Some(Fragment { offset: cut >> 3, more: cut & 1 != 0, identification });
            }
            if protocol == ROUTING && head[3] != 0 {
                return Err(Refusal::NoEquivalent);
            }
            protocol = head[0];
            payload = payload.get(length..).ok_or(Refusal::Truncated)?;
            stated = stated.checked_sub(length).ok_or(Refusal::Truncated)?;
        }
        let address = |at: usize| fixed[at..].first_chunk::<16>().copied().map(Ipv6Addr::from);
        Ok(Packet {
            traffic_class: fixed[0] << 4 | fixed[1] >> 4,
            hops: fixed[7],
            protocol,
            source: address(8).ok_or(Refusal::Truncated)?,
            destination: address(24).ok_or(Refusal::Truncated)?,
            fragment,
            stated,
            payload,
        })
    }
}

/// A packet of IPv6 in place of one of IPv4 (RFC 7915 section 4.1).
pub(super) fn write_v6(
    from: &Packet<'_, V4>,
    protocol: u8,
    (source, destination): (Ipv6Addr, Ipv6Addr),
    stated: usize,
    payload: &[u8],
) -> Vec<u8> {
    let extension = if from.fragment.is_some() { 8 } else { 0 };
    let mut bytes = vec![0x60 | from.traffic_class >> 4, from.traffic_class << 4, 0, 0];
    bytes.extend(sixteen_bits(stated + extension).to_be_bytes());
    bytes.extend([if from.fragment.is_some() { FRAGMENT } else { protocol }, from.hops]);
    bytes.extend(source.octets());
    bytes.extend(destination.octets());
    if let Some(fragment) = from.fragment {
        bytes.extend([protocol, 0]);
        bytes.extend((fragment.offset << 3 | u16::from(fragment.more)).to_be_bytes());
        bytes.extend(fragment.identification.to_be_bytes());
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// A packet of IPv4 in place of one of IPv6 (RFC 7915 section 5.1): larger ones may not be cut up, smaller ones may and are
/// numbered.
pub(super) fn write_v4(
    from: &Packet<'_, V6>,
    protocol: u8,
    (source, destination): (Ipv4Addr, Ipv4Addr),
    stated: usize,
    payload: &[u8],
    number: u16,
) -> Vec<u8> {
    let total = stated + HEADER_V4;
    let (identification, cut) = match from.fragment {
        // The lower half (section 5.1.1).
        Some(fragment) => {
            let lower = fragment.identification & 0xffff;
            (sixteen_bits(lower as usize), fragment.offset & 0x1fff | if fragment.more { 0x2000 } else { 0 })
        }
        None if total > SMALL => (0, 0x4000),
        None => (number, 0),
    };
    let mut bytes = vec![0x45, from.traffic_class];
    bytes.extend(sixteen_bits(total).to_be_bytes());
    bytes.extend(identification.to_be_bytes());
    bytes.extend(cut.to_be_bytes());
    bytes.extend([from.hops, protocol, 0, 0]);
    bytes.extend(source.octets());
    bytes.extend(destination.octets());
    let sum = checksum::of(&bytes);
    bytes[10..12].copy_from_slice(&sum.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// Loose or strict (RFC 791 section 3.1), if any byte of the options that begins one says so.
fn has_source_route(mut options: &[u8]) -> bool {
    loop {
        match options {
            [131 | 137, ..] => return true,
            [] | [0, ..] => return false,
            [1, rest @ ..] => options = rest,
            [_, length, ..] => match options.get(usize::from((*length).max(2))..) {
                Some(rest) => options = rest,
                None => return false,
            },
            [_] => return false,
        }
    }
}

/// No packet that was read is so long that its translation is not; a quoted one may say anything.
fn sixteen_bits(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION: u8 = 60;
const HEADER_V4: usize = 20;
/// What fits the smallest link of IPv6 when it is translated back.
const SMALL: usize = 1260;
