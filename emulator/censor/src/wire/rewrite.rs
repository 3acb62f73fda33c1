//! Changing a packet in place, as the TSPU does (TSPU-0, TSPU-1).

use std::net::IpAddr;

use crate::policy::{Rewrite, TcpFlags};
use crate::wire::checksum;
use crate::wire::ip::{Addresses, IpPacket, protocol};
use crate::wire::tcp::TcpSegment;
use crate::wire::udp::UdpDatagram;

/// The packet with other TCP flags, acknowledgement, window or time to live, without its payload, or all of it. The sequence
/// number, options and IP identification stay, so nothing but the content betrays the box (TSPU-0). `None` when there is
/// nothing to change: no TCP header in one piece and no other time to live, or a fragment, whose checksum covers bytes
/// that are elsewhere.
pub fn rewrite(packet: &IpPacket<'_>, change: Rewrite) -> Option<Vec<u8>> {
    let tcp_at = packet.header_len();
    let is_segment = packet.protocol() == protocol::TCP && packet.fragment().is_none();
    let segment = is_segment.then(|| TcpSegment::parse(packet.payload())).flatten();
    if segment.is_none() && change.ttl.is_none() {
        return None;
    }
    let mut bytes = packet.bytes().to_vec();
    if let Some(segment) = segment {
        if change.strip_payload {
            bytes.truncate(tcp_at + segment.header_len());
        }
        let flags = change.tcp_flags.unwrap_or(segment.flags());
        bytes[tcp_at + 13] = flags.0;
        if flags.contains(TcpFlags::ACK) {
            let offset = change.acknowledgement.rem_euclid(1 << 32) as u32;
            let acknowledgement = segment.acknowledgement().wrapping_add(offset);
            bytes[tcp_at + 8..tcp_at + 12].copy_from_slice(&acknowledgement.to_be_bytes());
        }
        if let Some(window) = change.window {
            bytes[tcp_at + 14..tcp_at + 16].copy_from_slice(&window.to_be_bytes());
        }
        put_checksum(&mut bytes, packet, 16);
    }
    put_ip_header(&mut bytes, packet, change.ttl);
    Some(bytes)
}

/// The packet with these bytes over its TCP or UDP payload, from this offset on and as far as it reaches. `None` where
/// nothing changes: what is no segment and no datagram in one piece, or does not reach as far.
pub fn corrupt(packet: &IpPacket<'_>, offset: usize, with: &[u8]) -> Option<Vec<u8>> {
    if packet.fragment().is_some() {
        return None;
    }
    let (payload, checksum_at) = match packet.protocol() {
        protocol::TCP => (TcpSegment::parse(packet.payload())?.payload(), 16),
        protocol::UDP => (UdpDatagram::parse(packet.payload())?.payload(), 6),
        _ => return None,
    };
    let mut bytes = packet.bytes().to_vec();
    let transport_header_len = match packet.protocol() {
        protocol::TCP => TcpSegment::parse(packet.payload())?.header_len(),
        _ => UdpDatagram::HEADER_LEN,
    };
    let payload_at = packet.header_len() + transport_header_len;
    let reach = payload.len().checked_sub(offset)?.min(with.len());
    let (from, to) = (payload_at + offset, payload_at + offset + reach);
    if bytes.get(from..to)? == with.get(..reach)? {
        return None;
    }
    bytes[from..to].copy_from_slice(&with[..reach]);
    put_checksum(&mut bytes, packet, checksum_at);
    Some(bytes)
}

/// Makes the checksum of a segment or datagram right, which stands at this place in its header. A datagram without one (RFC
/// 768) stays without.
fn put_checksum(bytes: &mut [u8], packet: &IpPacket<'_>, at: usize) {
    let start = packet.header_len();
    let is_udp = packet.protocol() == protocol::UDP;
    let end = if is_udp {
        let len = UdpDatagram::parse(packet.payload()).map_or(0, |datagram| datagram.payload().len());
        start + UdpDatagram::HEADER_LEN + len
    } else {
        bytes.len()
    };
    if is_udp && bytes[start + at..start + at + 2] == [0, 0] {
        return;
    }
    bytes[start + at..start + at + 2].fill(0);
    let sum = match checksum::transport(&packet.addresses(), packet.protocol(), &bytes[start..end]) {
        0 if is_udp => 0xffff,
        sum => sum,
    };
    bytes[start + at..start + at + 2].copy_from_slice(&sum.to_be_bytes());
}

/// Makes the IP header say how long the packet is now, and perhaps another time to live.
fn put_ip_header(bytes: &mut [u8], packet: &IpPacket<'_>, ttl: Option<u8>) {
    let len = bytes.len();
    match packet.addresses() {
        Addresses::V4 { .. } => {
            bytes[8] = ttl.unwrap_or(bytes[8]);
            bytes[2..4].copy_from_slice(&(len as u16).to_be_bytes());
            bytes[10..12].fill(0);
            // Extension headers are IPv6's alone, so the header ends where the transport begins.
            let sum = checksum::internet(&bytes[..packet.header_len()]);
            bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        Addresses::V6 { .. } => {
            bytes[7] = ttl.unwrap_or(bytes[7]);
            bytes[4..6].copy_from_slice(&((len - 40) as u16).to_be_bytes());
        }
    }
}

/// Which end of a packet is meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PacketEnd {
    /// Where it comes from.
    Source,
    /// Where it goes.
    Destination,
}

/// The datagram with another address and port at one end. `None` where that cannot be: what is no datagram in one piece,
/// or an address of the other family. A datagram without a checksum (RFC 768) stays one.
pub fn readdress(packet: &IpPacket<'_>, end: PacketEnd, to: (IpAddr, u16)) -> Option<Vec<u8>> {
    if packet.protocol() != protocol::UDP || packet.fragment().is_some() {
        return None;
    }
    let udp_at = packet.header_len();
    let udp_end = udp_at + UdpDatagram::HEADER_LEN + UdpDatagram::parse(packet.payload())?.payload().len();
    let mut bytes = packet.bytes().to_vec();
    let is_source = end == PacketEnd::Source;
    match (packet.addresses(), to.0) {
        (Addresses::V4 { .. }, IpAddr::V4(address)) => {
            let at = if is_source { 12 } else { 16 };
            bytes[at..at + 4].copy_from_slice(&address.octets());
            bytes[10..12].fill(0);
            let sum = checksum::internet(&bytes[..udp_at]);
            bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        (Addresses::V6 { .. }, IpAddr::V6(address)) => {
            let at = if is_source { 8 } else { 24 };
            bytes[at..at + 16].copy_from_slice(&address.octets());
        }
        _ => return None,
    }
    let port_at = udp_at + if is_source { 0 } else { 2 };
    bytes[port_at..port_at + 2].copy_from_slice(&to.1.to_be_bytes());
    let (checksum_at, has_checksum) = (udp_at + 6, bytes[udp_at + 6..udp_at + 8] != [0, 0]);
    if has_checksum {
        let addresses = IpPacket::parse(&bytes)?.addresses();
        bytes[checksum_at..checksum_at + 2].fill(0);
        let sum = match checksum::transport(&addresses, protocol::UDP, &bytes[udp_at..udp_end]) {
            0 => 0xffff,
            sum => sum,
        };
        bytes[checksum_at..checksum_at + 2].copy_from_slice(&sum.to_be_bytes());
    }
    Some(bytes)
}
