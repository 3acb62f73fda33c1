//! Packets of the machine's own making, with right lengths and checksums.

use crate::policy::{Rejection, TcpFlags};
use crate::wire::checksum;
use crate::wire::ip::{Addresses, IpPacket, protocol};
use crate::wire::tcp::TcpSegment;
use crate::wire::udp::UdpDatagram;

/// The time to live of built packets: what Linux sends with.
pub const DEFAULT_TTL: u8 = 64;

/// What a segment's header says besides the checksum.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TcpHeader {
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// The sequence number.
    pub sequence: u32,
    /// The acknowledgement number; zero where ACK is not set.
    pub acknowledgement: u32,
    /// The control bits.
    pub flags: TcpFlags,
    /// The receive window.
    pub window: u16,
}

/// What an IP header says of a packet besides where it goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IpFields {
    /// The time to live, or the hop limit.
    pub ttl: u8,
    /// The identification; IPv6 has none.
    pub id: u16,
    /// Whether fragmenting it is forbidden; IPv6 has no such bit.
    pub dont_fragment: bool,
}

impl Default for IpFields {
    /// Don't fragment is set and the identification is zero, as RFC 6864 allows for atomic datagrams.
    fn default() -> Self {
        Self { ttl: DEFAULT_TTL, id: 0, dont_fragment: true }
    }
}

/// Where a forged segment comes in, seen from a true one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// At the end that sent the segment.
    Sender,
    /// At the end that the segment travels to, where the forged one arrives first or the segment never does.
    ReceiverBefore,
    /// At the end that the segment travels to, after it has got the segment.
    ReceiverAfter,
}

/// How a forged segment must stand so that its receiver takes it for the next of the other end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Standing {
    /// Who seems to send it, and to whom.
    pub addresses: Addresses,
    /// The seeming sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// The exact sequence number that the receiver expects next: RFC 5961 section 3.2 makes a reset with any other one void.
    pub sequence: u32,
    /// What the other end could acknowledge; `None` where the receiver has sent nothing yet.
    acknowledgement: Option<u32>,
    /// Whether the receiver accepts nothing that does not acknowledge its SYN (RFC 9293 section 3.10.7.3).
    needs_ack: bool,
}

impl Standing {
    /// The standing of what comes in beside a segment. `None` when the segment is a reset: nothing answers a reset (RFC
    /// 9293 section 3.5.2).
    pub fn beside(addresses: &Addresses, segment: &TcpSegment<'_>, place: Place) -> Option<Self> {
        if segment.flags().contains(TcpFlags::RST) {
            return None;
        }
        let acknowledged = segment.flags().contains(TcpFlags::ACK).then(|| segment.acknowledgement());
        let end = segment.sequence().wrapping_add(segment.sequence_len());
        Some(match place {
            Place::Sender => Self {
                addresses: addresses.reversed(),
                source_port: segment.destination_port(),
                destination_port: segment.source_port(),
                // The sender of a first SYN knows no sequence number of the other end yet.
                sequence: acknowledged.unwrap_or(0),
                acknowledgement: Some(end),
                needs_ack: acknowledged.is_none(),
            },
            Place::ReceiverBefore | Place::ReceiverAfter => Self {
                addresses: *addresses,
                source_port: segment.source_port(),
                destination_port: segment.destination_port(),
                sequence: if place == Place::ReceiverAfter { end } else { segment.sequence() },
                acknowledgement: acknowledged,
                needs_ack: false,
            },
        })
    }

    /// The flags with which it can be sent: with ACK where nothing else is accepted, and without where nothing can be
    /// acknowledged.
    pub const fn flags(&self, wanted: TcpFlags) -> TcpFlags {
        match self.acknowledgement {
            Some(_) if self.needs_ack => TcpFlags(wanted.0 | TcpFlags::ACK.0),
            Some(_) => wanted,
            None => TcpFlags(wanted.0 & !TcpFlags::ACK.0),
        }
    }

    /// Its acknowledgement number, off the right one by so much; zero without ACK.
    pub fn acknowledges(&self, flags: TcpFlags, offset: u32) -> u32 {
        let acknowledgement = self.acknowledgement.filter(|_| flags.contains(TcpFlags::ACK));
        acknowledgement.map_or(0, |right| right.wrapping_add(offset))
    }
}

/// An IP packet with this time to live, as Linux sends it otherwise.
pub fn ip(addresses: &Addresses, protocol: u8, ttl: u8, payload: &[u8]) -> Vec<u8> {
    ip_in(&IpFields { ttl, ..IpFields::default() }, addresses, protocol, payload)
}

/// An IP packet. Nothing that the machine builds comes near the limit of 65,535 bytes; a longer payload is cut.
pub fn ip_in(fields: &IpFields, addresses: &Addresses, protocol: u8, payload: &[u8]) -> Vec<u8> {
    match addresses {
        Addresses::V4 { source, destination } => {
            let payload = &payload[..payload.len().min(usize::from(u16::MAX) - 20)];
            let [len_high, len_low] = (payload.len() as u16 + 20).to_be_bytes();
            let [id_high, id_low] = fields.id.to_be_bytes();
            let flags = if fields.dont_fragment { 0x40 } else { 0 };
            let mut packet = vec![0x45, 0, len_high, len_low, id_high, id_low, flags, 0, fields.ttl, protocol, 0, 0];
            packet.extend(source.octets());
            packet.extend(destination.octets());
            let sum = checksum::internet(&packet);
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
            packet.extend(payload);
            packet
        }
        Addresses::V6 { source, destination } => {
            let payload = &payload[..payload.len().min(usize::from(u16::MAX))];
            let payload_len = (payload.len() as u16).to_be_bytes();
            let mut packet = vec![0x60, 0, 0, 0, payload_len[0], payload_len[1], protocol, fields.ttl];
            packet.extend(source.octets());
            packet.extend(destination.octets());
            packet.extend(payload);
            packet
        }
    }
}

/// A TCP segment without options, in a packet as Linux sends it.
pub fn tcp(addresses: &Addresses, header: &TcpHeader, payload: &[u8]) -> Vec<u8> {
    tcp_in(&IpFields::default(), addresses, header, payload)
}

/// A UDP datagram, in a packet as Linux sends it.
pub fn udp(addresses: &Addresses, source_port: u16, destination_port: u16, payload: &[u8]) -> Vec<u8> {
    udp_in(&IpFields::default(), addresses, (source_port, destination_port), payload)
}

/// A TCP segment without options.
pub fn tcp_in(ip_fields: &IpFields, addresses: &Addresses, header: &TcpHeader, payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::with_capacity(TcpSegment::MIN_HEADER_LEN + payload.len());
    segment.extend(header.source_port.to_be_bytes());
    segment.extend(header.destination_port.to_be_bytes());
    segment.extend(header.sequence.to_be_bytes());
    segment.extend(header.acknowledgement.to_be_bytes());
    segment.extend([0x50, header.flags.0]);
    segment.extend(header.window.to_be_bytes());
    segment.extend([0; 4]);
    segment.extend(payload);
    let sum = checksum::transport(addresses, protocol::TCP, &segment);
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    ip_in(ip_fields, addresses, protocol::TCP, &segment)
}

/// A UDP datagram from one port to another.
pub fn udp_in(ip_fields: &IpFields, addresses: &Addresses, ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let len = UdpDatagram::HEADER_LEN + payload.len();
    let mut datagram = Vec::with_capacity(len);
    datagram.extend(ports.0.to_be_bytes());
    datagram.extend(ports.1.to_be_bytes());
    datagram.extend((len as u16).to_be_bytes());
    datagram.extend([0; 2]);
    datagram.extend(payload);
    // Zero would mean that there is no checksum (RFC 768), so it is sent as its equal.
    let sum = match checksum::transport(addresses, protocol::UDP, &datagram) {
        0 => 0xffff,
        sum => sum,
    };
    datagram[6..8].copy_from_slice(&sum.to_be_bytes());
    ip_in(ip_fields, addresses, protocol::UDP, &datagram)
}

/// A plain reset beside a segment, in the other end's name. `None` when the segment is itself a reset.
pub fn reset(addresses: &Addresses, segment: &TcpSegment<'_>, place: Place, flags: TcpFlags) -> Option<Vec<u8>> {
    let standing = Standing::beside(addresses, segment, place)?;
    let flags = standing.flags(flags);
    let header = TcpHeader {
        source_port: standing.source_port,
        destination_port: standing.destination_port,
        sequence: standing.sequence,
        acknowledgement: standing.acknowledges(flags, 0),
        flags,
        window: 0,
    };
    Some(tcp(&standing.addresses, &header, &[]))
}

/// The refusal of a packet, to its sender, with the address that the packet was sent to: the box has none of its own.
/// `None` where a refusal must not be sent: in answer to a reset, an ICMP error or a later fragment (RFC 1122 section
/// 3.2.2, RFC 4443 section 2.4).
pub fn reject(packet: &IpPacket<'_>, rejection: Rejection) -> Option<Vec<u8>> {
    let segment = (packet.protocol() == protocol::TCP).then(|| TcpSegment::parse(packet.payload())).flatten();
    match (rejection, segment) {
        (Rejection::TcpReset, Some(segment)) => {
            // RFC 9293 section 3.5.2: the reset acknowledges only what had no acknowledgement of its own.
            reset(&packet.addresses(), &segment, Place::Sender, TcpFlags::RST)
        }
        _ => unreachable(packet, rejection),
    }
}

/// An ICMP destination-unreachable error about a packet (RFC 792, RFC 4443 section 3.1), quoting as much of it as
/// RFC 1812 section 4.3.2.3 and RFC 4443 section 2.4 allow.
pub fn unreachable(packet: &IpPacket<'_>, rejection: Rejection) -> Option<Vec<u8>> {
    unreachable_in(&IpFields::default(), packet, rejection)
}

/// The same in a packet with these fields.
pub fn unreachable_in(ip_fields: &IpFields, packet: &IpPacket<'_>, rejection: Rejection) -> Option<Vec<u8>> {
    if packet.is_later_fragment() || is_error_or_reset(packet) {
        return None;
    }
    let addresses = packet.addresses().reversed();
    let (protocol, kind, code, quote_len) = match addresses {
        Addresses::V4 { .. } => (protocol::ICMP, 3, code_v4(rejection), 576 - 20 - 8),
        Addresses::V6 { .. } => (protocol::ICMPV6, 1, code_v6(rejection), 1280 - 40 - 8),
    };
    let quote = &packet.bytes()[..packet.bytes().len().min(quote_len)];
    let mut message = vec![kind, code, 0, 0, 0, 0, 0, 0];
    message.extend(quote);
    let sum = match addresses {
        Addresses::V4 { .. } => checksum::internet(&message),
        Addresses::V6 { .. } => checksum::transport(&addresses, protocol, &message),
    };
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    Some(ip_in(ip_fields, &addresses, protocol, &message))
}

fn is_error_or_reset(packet: &IpPacket<'_>) -> bool {
    let first = packet.payload().first();
    match packet.protocol() {
        protocol::ICMP => first.is_none_or(|kind| matches!(kind, 3 | 4 | 5 | 11 | 12)),
        protocol::ICMPV6 => first.is_none_or(|kind| *kind < 128),
        protocol::TCP => {
            TcpSegment::parse(packet.payload()).is_some_and(|segment| segment.flags().contains(TcpFlags::RST))
        }
        _ => false,
    }
}

const fn code_v4(rejection: Rejection) -> u8 {
    match rejection {
        Rejection::NetworkUnreachable => 0,
        Rejection::HostUnreachable => 1,
        Rejection::TcpReset | Rejection::PortUnreachable => 3,
        Rejection::AdministrativelyProhibited => 13,
    }
}

const fn code_v6(rejection: Rejection) -> u8 {
    match rejection {
        Rejection::NetworkUnreachable => 0,
        Rejection::AdministrativelyProhibited => 1,
        Rejection::HostUnreachable => 3,
        Rejection::TcpReset | Rejection::PortUnreachable => 4,
    }
}
