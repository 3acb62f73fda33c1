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

/// Which end of a segment a reset goes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ResetTo {
    /// The end that sent the segment.
    Sender,
    /// The end that the segment travels to, where the reset arrives first or the segment never does.
    ReceiverBefore,
    /// The end that the segment travels to, after it has got the segment.
    ReceiverAfter,
}

/// An IP packet. Nothing that the machine builds comes near the limit of 65,535 bytes; a longer payload is cut.
pub fn ip(addresses: &Addresses, protocol: u8, ttl: u8, payload: &[u8]) -> Vec<u8> {
    match addresses {
        Addresses::V4 { source, destination } => {
            let payload = &payload[..payload.len().min(usize::from(u16::MAX) - 20)];
            let total_len = (payload.len() as u16 + 20).to_be_bytes();
            // Don't fragment is set and the identification is zero, as RFC 6864 allows for atomic datagrams.
            let mut packet = vec![0x45, 0, total_len[0], total_len[1], 0, 0, 0x40, 0, ttl, protocol, 0, 0];
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
            let mut packet = vec![0x60, 0, 0, 0, payload_len[0], payload_len[1], protocol, ttl];
            packet.extend(source.octets());
            packet.extend(destination.octets());
            packet.extend(payload);
            packet
        }
    }
}

/// A TCP segment without options.
pub fn tcp(addresses: &Addresses, header: &TcpHeader, payload: &[u8]) -> Vec<u8> {
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
    ip(addresses, protocol::TCP, DEFAULT_TTL, &segment)
}

/// A UDP datagram.
pub fn udp(addresses: &Addresses, source_port: u16, destination_port: u16, payload: &[u8]) -> Vec<u8> {
    let len = UdpDatagram::HEADER_LEN + payload.len();
    let mut datagram = Vec::with_capacity(len);
    datagram.extend(source_port.to_be_bytes());
    datagram.extend(destination_port.to_be_bytes());
    datagram.extend((len as u16).to_be_bytes());
    datagram.extend([0; 2]);
    datagram.extend(payload);
    // Zero would mean that there is no checksum (RFC 768), so it is sent as its equal.
    let sum = match checksum::transport(addresses, protocol::UDP, &datagram) {
        0 => 0xffff,
        sum => sum,
    };
    datagram[6..8].copy_from_slice(&sum.to_be_bytes());
    ip(addresses, protocol::UDP, DEFAULT_TTL, &datagram)
}

/// A reset to one end of a segment that carries the other end's address, with the exact sequence number that the end
/// expects next, since RFC 5961 section 3.2 makes every other one void. `None` when the segment is itself a reset: no
/// reset answers a reset (RFC 9293 section 3.5.2).
pub fn reset(addresses: &Addresses, segment: &TcpSegment<'_>, to: ResetTo, flags: TcpFlags) -> Option<Vec<u8>> {
    if segment.flags().contains(TcpFlags::RST) {
        return None;
    }
    let acknowledges = segment.flags().contains(TcpFlags::ACK);
    let end = segment.sequence().wrapping_add(segment.sequence_len());
    let (addresses, source_port, destination_port) = match to {
        ResetTo::Sender => (addresses.reversed(), segment.destination_port(), segment.source_port()),
        ResetTo::ReceiverBefore | ResetTo::ReceiverAfter => {
            (*addresses, segment.source_port(), segment.destination_port())
        }
    };
    let (sequence, acknowledgement, flags) = match to {
        ResetTo::Sender if acknowledges => (segment.acknowledgement(), end, flags),
        // The sender knows no sequence number of the other end yet, so it accepts only what acknowledges its SYN (RFC
        // 9293 section 3.10.7.3).
        ResetTo::Sender => (0, end, TcpFlags(flags.0 | TcpFlags::ACK.0)),
        ResetTo::ReceiverBefore => (segment.sequence(), segment.acknowledgement(), flags),
        ResetTo::ReceiverAfter => (end, segment.acknowledgement(), flags),
    };
    // The receiver of a first SYN has sent nothing that could be acknowledged.
    let flags = match to {
        ResetTo::Sender => flags,
        _ if acknowledges => flags,
        _ => TcpFlags(flags.0 & !TcpFlags::ACK.0),
    };
    let acknowledgement = if flags.contains(TcpFlags::ACK) { acknowledgement } else { 0 };
    let header = TcpHeader { source_port, destination_port, sequence, acknowledgement, flags, window: 0 };
    Some(tcp(&addresses, &header, &[]))
}

/// The refusal of a packet, to its sender, with the address that the packet was sent to: the box has none of its own.
/// `None` where a refusal must not be sent: in answer to a reset, an ICMP error or a later fragment (RFC 1122 section
/// 3.2.2, RFC 4443 section 2.4).
pub fn reject(packet: &IpPacket<'_>, rejection: Rejection) -> Option<Vec<u8>> {
    let segment = (packet.protocol() == protocol::TCP).then(|| TcpSegment::parse(packet.payload())).flatten();
    match (rejection, segment) {
        (Rejection::TcpReset, Some(segment)) => {
            // RFC 9293 section 3.5.2: the reset acknowledges only what had no acknowledgement of its own.
            reset(&packet.addresses(), &segment, ResetTo::Sender, TcpFlags::RST)
        }
        _ => unreachable(packet, rejection),
    }
}

/// An ICMP destination-unreachable error about a packet (RFC 792, RFC 4443 section 3.1), quoting as much of it as
/// RFC 1812 section 4.3.2.3 and RFC 4443 section 2.4 allow.
pub fn unreachable(packet: &IpPacket<'_>, rejection: Rejection) -> Option<Vec<u8>> {
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
    Some(ip(&addresses, protocol, DEFAULT_TTL, &message))
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
