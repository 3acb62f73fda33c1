//! Pieces of packets: reading them, putting them together, and cutting a packet into them (RFC 791 section 3.2, RFC 8200
//! section 4.5).

use core::ops::Range;

use crate::wire::checksum;
use crate::wire::ip::{Addresses, Fragment, IpPacket};
use crate::wire::u16_at;

/// The fragment header of IPv6.
const FRAGMENT_HEADER: u8 = 44;
const FRAGMENT_HEADER_LEN: usize = 8;
const IPV6_HEADER_LEN: usize = 40;
/// The longest packet.
const MAX_LEN: usize = 65_535;

/// What tells the pieces of one packet from those of another.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct FragmentId {
    /// Sender and receiver.
    pub addresses: Addresses,
    /// The protocol; zero in IPv6, where it does not count.
    pub protocol: u8,
    /// The identification.
    pub identification: u32,
}

/// A view of one piece.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    bytes: &'a [u8],
    id: FragmentId,
    place: Fragment,
    ttl: u8,
    /// Where the part of the header ends that every piece repeats.
    header_len: usize,
    /// Where the data begin.
    data_at: usize,
    /// In IPv6, where the number lies that says that a fragment header follows, and what follows that one.
    next_header: Option<(usize, u8)>,
}

impl<'a> Piece<'a> {
    /// Reads a piece; `None` for what is no packet or one that is whole.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let ip = IpPacket::parse(bytes)?;
        let (place, addresses, bytes) = (ip.fragment()?, ip.addresses(), ip.bytes());
        let (protocol, identification, header_len, data_at, next_header) = match addresses {
            Addresses::V4 { .. } => {
                (ip.protocol(), u32::from(u16_at(bytes, 4)?), ip.header_len(), ip.header_len(), None)
            }
            Addresses::V6 { .. } => {
                let (number_at, header_at) = fragment_header(bytes)?;
                let header: &[u8; FRAGMENT_HEADER_LEN] = bytes.get(header_at..)?.first_chunk()?;
                let identification = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
                (0, identification, header_at, header_at + FRAGMENT_HEADER_LEN, Some((number_at, header[0])))
            }
        };
        let id = FragmentId { addresses, protocol, identification };
        Some(Self { bytes, id, place, ttl: ip.ttl(), header_len, data_at, next_header })
    }

    /// Which packet it is a piece of.
    pub fn id(&self) -> FragmentId {
        self.id
    }

    /// Whether it holds the packet's beginning.
    pub fn is_first(&self) -> bool {
        self.place.offset == 0
    }

    /// Whether it holds the packet's end.
    pub fn is_last(&self) -> bool {
        !self.place.more
    }

    /// The time to live or hop limit.
    pub fn ttl(&self) -> u8 {
        self.ttl
    }

    /// Which of the packet's bytes it holds. Those of a piece that is not the last come in eights.
    pub fn range(&self) -> Range<usize> {
        let start = usize::from(self.place.offset);
        let mut len = self.bytes.len() - self.data_at;
        if self.place.more {
            len &= !7;
        }
        start..start + len
    }

    /// The bytes that it holds.
    pub fn data(&self) -> &'a [u8] {
        &self.bytes[self.data_at..self.data_at + self.range().len()]
    }

    /// The whole packet: the header of this piece, which is the first, and these data. `None` where that would be longer than
    /// a packet can be.
    pub fn join(&self, data: &[u8]) -> Option<Vec<u8>> {
        let mut packet = self.bytes[..self.header_len].to_vec();
        packet.extend(data);
        if packet.len() > MAX_LEN {
            return None;
        }
        if let Some((number_at, next)) = self.next_header {
            let len = (packet.len() - IPV6_HEADER_LEN) as u16;
            packet[4..6].copy_from_slice(&len.to_be_bytes());
            packet[number_at] = next;
        } else {
            set_v4(&mut packet, self.header_len, 0);
        }
        Some(packet)
    }

    /// The piece with another time to live.
    pub fn with_ttl(&self, ttl: u8) -> Vec<u8> {
        let mut bytes = self.bytes.to_vec();
        if self.next_header.is_some() {
            bytes[7] = ttl;
        } else {
            bytes[8] = ttl;
            sum_v4(&mut bytes, self.header_len);
        }
        bytes
    }
}

/// Cuts a packet in one piece at these places of its payload, which must be ascending multiples of eight, as a sender or a
/// router may. `None` where that cannot be. In IPv6 all extension headers are counted to what every piece repeats.
pub fn split(packet: &[u8], at: &[usize], identification: u32) -> Option<Vec<Vec<u8>>> {
    let ip = IpPacket::parse(packet).filter(|ip| ip.fragment().is_none())?;
    let (header, payload) = ip.bytes().split_at(ip.header_len());
    let ends: Vec<usize> = at.iter().copied().chain([payload.len()]).collect();
    let starts = [0].iter().chain(at);
    let is_sound = starts.clone().zip(&ends).all(|(start, end)| start < end && start.is_multiple_of(8));
    if !is_sound {
        return None;
    }
    let piece = |(start, end): (&usize, &usize)| {
        let (data, more) = (&payload[*start..*end], *end < payload.len());
        let mut bytes = header.to_vec();
        if let Addresses::V4 { .. } = ip.addresses() {
            bytes[4..6].copy_from_slice(&(identification as u16).to_be_bytes());
            bytes.extend(data);
            let place = (*start / 8) as u16 | if more { 0x2000 } else { 0 };
            set_v4(&mut bytes, header.len(), place);
        } else {
            let number_at = last_number(header)?;
            let next = core::mem::replace(&mut bytes[number_at], FRAGMENT_HEADER);
            let place = *start as u16 | u16::from(more);
            bytes.extend([next, 0]);
            bytes.extend(place.to_be_bytes());
            bytes.extend(identification.to_be_bytes());
            bytes.extend(data);
            let len = u16::try_from(bytes.len() - IPV6_HEADER_LEN).ok()?;
            bytes[4..6].copy_from_slice(&len.to_be_bytes());
        }
        Some(bytes)
    };
    starts.zip(&ends).map(piece).collect()
}

/// Sets the total length and the place of a piece, without the bit that forbids to make pieces.
fn set_v4(packet: &mut [u8], header_len: usize, place: u16) {
    let len = packet.len() as u16;
    packet[2..4].copy_from_slice(&len.to_be_bytes());
    packet[6..8].copy_from_slice(&place.to_be_bytes());
    sum_v4(packet, header_len);
}

fn sum_v4(packet: &mut [u8], header_len: usize) {
    packet[10..12].fill(0);
    let sum = checksum::internet(&packet[..header_len]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
}

/// Where in an IPv6 packet the number of the fragment header lies, and where that header begins.
fn fragment_header(bytes: &[u8]) -> Option<(usize, usize)> {
    walk(bytes, |number, _| number == FRAGMENT_HEADER)
}

/// Where the number lies of what follows these headers.
fn last_number(header: &[u8]) -> Option<usize> {
    walk(header, |_, at| at == header.len()).map(|(number_at, _)| number_at)
}

/// Walks extension headers up to one of which this holds: where its number lies, and where it begins.
fn walk(bytes: &[u8], is_there: impl Fn(u8, usize) -> bool) -> Option<(usize, usize)> {
    let (mut number_at, mut at) = (6, IPV6_HEADER_LEN);
    loop {
        let number = *bytes.get(number_at)?;
        if is_there(number, at) {
            return Some((number_at, at));
        }
        let len = match number {
            0 | 43 | 60 | 135 | 139 | 140 => (usize::from(*bytes.get(at + 1)?) + 1) * 8,
            FRAGMENT_HEADER => FRAGMENT_HEADER_LEN,
            51 => (usize::from(*bytes.get(at + 1)?) + 2) * 4,
            _ => return None,
        };
        (number_at, at) = (at, at + len);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::build;

    fn whole(is_v6: bool, payload: &[u8]) -> Vec<u8> {
        let addresses = if is_v6 {
            let address = |last: u16| [0x2001, 0xdb8, 0, 0, 0, 0, 0, last].into();
            Addresses::V6 { source: address(1), destination: address(2) }
        } else {
            Addresses::V4 { source: [10, 0, 0, 1].into(), destination: [10, 0, 0, 2].into() }
        };
        build::ip(&addresses, 17, 64, payload)
    }

    proptest! {
        /// Pieces put together are the packet, but for the bit that forbids to make pieces.
        #[test]
        fn pieces_are_the_packet(is_v6: bool, payload in prop::collection::vec(any::<u8>(), 9..200), cut in 1..24usize) {
            let cuts: Vec<usize> = (cut * 8..payload.len()).step_by(cut * 8).collect();
            let pieces = split(&whole(is_v6, &payload), &cuts, 7).expect("cut in eights");
            prop_assert_eq!(pieces.len(), cuts.len() + 1);
            if cuts.is_empty() {
                return Ok(());
            }
            let mut joined = vec![0; payload.len()];
            for piece in &pieces {
                let piece = Piece::parse(piece).expect("a piece");
                prop_assert_eq!(piece.id().identification, 7);
                joined[piece.range()].copy_from_slice(piece.data());
            }
            let packet = Piece::parse(&pieces[0]).expect("a piece").join(&joined).expect("short enough");
            let ip = IpPacket::parse(&packet).expect("a packet");
            prop_assert_eq!(ip.fragment(), None);
            prop_assert_eq!((ip.protocol(), ip.payload()), (17, &payload[..]));
        }
    }

    /// Headers before the fragment header stay, and what named it names what it named.
    #[test]
    fn headers_in_front_stay() {
        let mut packet = whole(true, &[17, 0, 1, 4, 0, 0, 0, 0]);
        packet[6] = 60;
        packet.extend([7; 16]);
        packet[5] = 24;
        let pieces = split(&packet, &[8], 9).expect("two pieces");
        let first = Piece::parse(&pieces[0]).expect("a piece");
        assert_eq!((first.range(), first.data()), (0..8, &[7; 8][..]));
        assert_eq!(first.join(&[7; 16]).as_deref(), Some(&packet[..]));
    }

    /// A header that is no packet's is not read past, however it claims to go on.
    #[test]
    fn odd_cuts_are_refused() {
        let packet = whole(false, &[1; 40]);
        assert!(split(&packet, &[12], 1).is_none(), "not in eights");
        assert!(split(&packet, &[40], 1).is_none(), "nothing in the last");
        assert!(split(&packet, &[16, 8], 1).is_none(), "not ascending");
        assert!(Piece::parse(&packet).is_none(), "whole");
    }
}
