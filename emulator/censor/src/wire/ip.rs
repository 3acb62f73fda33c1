//! A view of an IPv4 (RFC 791) or IPv6 (RFC 8200) packet.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::wire::u16_at;

/// The protocol numbers that the machine knows.
pub mod protocol {
    /// `ICMPv4`.
    pub const ICMP: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// `ICMPv6`.
    pub const ICMPV6: u8 = 58;
}

/// Two addresses of one family.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Addresses {
    /// IPv4.
    V4 {
        /// The sender.
        source: Ipv4Addr,
        /// The receiver.
        destination: Ipv4Addr,
    },
    /// IPv6.
    V6 {
        /// The sender.
        source: Ipv6Addr,
        /// The receiver.
        destination: Ipv6Addr,
    },
}

impl Addresses {
    /// The pair, unless the families differ.
    pub fn new(source: IpAddr, destination: IpAddr) -> Option<Self> {
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => Some(Self::V4 { source, destination }),
            (IpAddr::V6(source), IpAddr::V6(destination)) => Some(Self::V6 { source, destination }),
            _ => None,
        }
    }

    /// The sender.
    pub fn source(&self) -> IpAddr {
        match *self {
            Self::V4 { source, .. } => source.into(),
            Self::V6 { source, .. } => source.into(),
        }
    }

    /// The receiver.
    pub fn destination(&self) -> IpAddr {
        match *self {
            Self::V4 { destination, .. } => destination.into(),
            Self::V6 { destination, .. } => destination.into(),
        }
    }

    /// The pair of an answer.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::V4 { source, destination } => Self::V4 { source: destination, destination: source },
            Self::V6 { source, destination } => Self::V6 { source: destination, destination: source },
        }
    }
}

/// Where a fragment belongs in the packet it is part of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fragment {
    /// The place of its first byte.
    pub offset: u16,
    /// Whether others follow.
    pub more: bool,
}

/// A view of one packet. Bytes past the length in the header are not part of it.
#[derive(Clone, Copy, Debug)]
pub struct IpPacket<'a> {
    bytes: &'a [u8],
    addresses: Addresses,
    header_len: usize,
    protocol: u8,
    ttl: u8,
    fragment: Option<Fragment>,
}

impl<'a> IpPacket<'a> {
    /// Reads the header; `None` when the bytes are no packet or end before the packet does.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        match bytes.first()? >> 4 {
            4 => Self::parse_v4(bytes),
            6 => Self::parse_v6(bytes),
            _ => None,
        }
    }

    /// Reads the header of a packet of which only the beginning is there, as an ICMP error quotes it.
    pub fn parse_beginning(bytes: &'a [u8]) -> Option<Self> {
        match bytes.first()? >> 4 {
            4 => Self::parse_v4_cut(bytes, bytes.len()),
            6 => Self::parse_v6_cut(bytes, bytes.len()),
            _ => None,
        }
    }

    /// The whole packet.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Sender and receiver.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Where the payload begins: after IPv4 options and IPv6 extension headers.
    pub fn header_len(&self) -> usize {
        self.header_len
    }

    /// What the payload is. In IPv6, what follows the last extension header.
    pub fn protocol(&self) -> u8 {
        self.protocol
    }

    /// The time to live or hop limit.
    pub fn ttl(&self) -> u8 {
        self.ttl
    }

    /// Where this fragment belongs; `None` for a packet in one piece.
    pub fn fragment(&self) -> Option<Fragment> {
        self.fragment
    }

    /// Whether this is a fragment other than the first, whose payload does not begin with a transport header.
    pub fn is_later_fragment(&self) -> bool {
        self.fragment.is_some_and(|fragment| fragment.offset != 0)
    }

    /// What follows the headers.
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[self.header_len..]
    }

    /// Whether IPv6 extension headers come before the payload.
    pub fn has_extension_headers(&self) -> bool {
        matches!(self.addresses, Addresses::V6 { .. }) && self.header_len > IPV6_HEADER_LEN
    }

    fn parse_v4(bytes: &'a [u8]) -> Option<Self> {
        Self::parse_v4_cut(bytes, usize::MAX)
    }

    fn parse_v6(bytes: &'a [u8]) -> Option<Self> {
        Self::parse_v6_cut(bytes, usize::MAX)
    }

    /// Reads a packet; what of it lies past this length need not be there.
    fn parse_v4_cut(bytes: &'a [u8], cut_at: usize) -> Option<Self> {
        let header: &[u8; 20] = bytes.first_chunk()?;
        let header_len = usize::from(header[0] & 0x0f) * 4;
        let total_len = usize::from(u16_at(header, 2)?);
        if header_len < header.len() || total_len < header_len {
            return None;
        }
        let place = u16_at(header, 6)?;
        let fragment = Fragment { offset: (place & 0x1fff) << 3, more: place & 0x2000 != 0 };
        Some(Self {
            bytes: bytes.get(..total_len.min(cut_at)).filter(|bytes| bytes.len() >= header_len)?,
            addresses: Addresses::V4 {
                source: Ipv4Addr::new(header[12], header[13], header[14], header[15]),
                destination: Ipv4Addr::new(header[16], header[17], header[18], header[19]),
            },
            header_len,
            protocol: header[9],
            ttl: header[8],
            fragment: whole_is_none(fragment),
        })
    }

    /// Reads a packet; what of it lies past this length need not be there.
    fn parse_v6_cut(bytes: &'a [u8], cut_at: usize) -> Option<Self> {
        let header: &[u8; IPV6_HEADER_LEN] = bytes.first_chunk()?;
        let total_len = header.len() + usize::from(u16_at(header, 4)?);
        let bytes = bytes.get(..total_len.min(cut_at))?;
        let upper = walk_extensions(bytes, header[6])?;
        Some(Self {
            bytes,
            addresses: Addresses::V6 {
                source: Ipv6Addr::from(*header[8..].first_chunk()?),
                destination: Ipv6Addr::from(*header[24..].first_chunk()?),
            },
            header_len: upper.at,
            protocol: upper.protocol,
            ttl: header[7],
            fragment: upper.fragment,
        })
    }
}

/// The length of the fixed header of IPv6.
const IPV6_HEADER_LEN: usize = 40;

/// What comes after the extension headers of an IPv6 packet.
struct Upper {
    at: usize,
    protocol: u8,
    fragment: Option<Fragment>,
}

/// Walks the extension headers of RFC 8200 section 4 and the authentication header of RFC 4302. Each step goes at least
/// eight bytes on, so the walk ends.
fn walk_extensions(bytes: &[u8], first: u8) -> Option<Upper> {
    let mut upper = Upper { at: IPV6_HEADER_LEN, protocol: first, fragment: None };
    loop {
        let len = match upper.protocol {
            // Hop-by-hop options, routing, destination options, mobility, host identity, shim6.
            0 | 43 | 60 | 135 | 139 | 140 => (usize::from(*bytes.get(upper.at + 1)?) + 1) * 8,
            44 => {
                let place = u16_at(bytes, upper.at + 2)?;
                upper.fragment = whole_is_none(Fragment { offset: place & 0xfff8, more: place & 1 != 0 });
                8
            }
            51 => (usize::from(*bytes.get(upper.at + 1)?) + 2) * 4,
            _ => return Some(upper),
        };
        upper.protocol = *bytes.get(upper.at)?;
        upper.at += len;
        if upper.at > bytes.len() {
            return None;
        }
        if upper.fragment.is_some_and(|fragment| fragment.offset != 0) {
            // What follows is the middle of something.
            return Some(upper);
        }
    }
}

/// An atomic fragment (RFC 6946) is a packet in one piece.
fn whole_is_none(fragment: Fragment) -> Option<Fragment> {
    (fragment.offset != 0 || fragment.more).then_some(fragment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v6(next: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x60, 0, 0, 0, 0, payload.len() as u8, next, 64];
        bytes.extend([0x20, 1].iter().chain(&[0; 14]).chain(&[0x20, 2]).chain(&[0; 14]));
        bytes.extend(payload);
        bytes
    }

    /// RFC 791 section 3.1: the payload begins after the options, and padding of the link is not part of the packet.
    #[test]
    fn v4_options_and_padding() {
        let mut bytes = vec![0x46, 0, 0, 26, 0, 7, 0, 0, 9, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 1, 1, 1, 0, 0xaa, 0xbb];
        bytes.extend([0; 6]);
        let packet = IpPacket::parse(&bytes).expect("a packet");
        assert_eq!((packet.header_len(), packet.protocol(), packet.ttl()), (24, 17, 9));
        assert_eq!(packet.payload(), [0xaa, 0xbb]);
        assert_eq!(packet.fragment(), None);
    }

    /// RFC 8200 section 4: hop-by-hop options, then a fragment header, then TCP.
    #[test]
    fn v6_extension_headers() {
        let bytes = v6(0, &[44, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 1, 0, 0, 0, 9, 0xcc]);
        let packet = IpPacket::parse(&bytes).expect("a packet");
        assert_eq!((packet.header_len(), packet.protocol()), (56, 6));
        assert_eq!(packet.fragment(), Some(Fragment { offset: 0, more: true }));
        assert_eq!(packet.payload(), [0xcc]);
    }

    /// The bytes after a later fragment's header are not read as an extension header, whatever they claim to be.
    #[test]
    fn v6_later_fragment_ends_the_walk() {
        let bytes = v6(44, &[60, 0, 0, 8, 0, 0, 0, 9, 255, 255]);
        let packet = IpPacket::parse(&bytes).expect("a packet");
        assert!(packet.is_later_fragment());
        assert_eq!(packet.payload(), [255, 255]);
    }

    /// An extension header that claims more bytes than there are is refused.
    #[test]
    fn v6_extension_past_the_end() {
        assert!(IpPacket::parse(&v6(60, &[6, 9, 0, 0, 0, 0, 0, 0])).is_none());
    }
}
