//! Changing a packet in place, as the TSPU does (TSPU-0, TSPU-1).

use std::net::IpAddr;

use crate::policy::Rewrite;
use crate::wire::checksum;
use crate::wire::ip::{Addresses, IpPacket, protocol};
use crate::wire::tcp::TcpSegment;
use crate::wire::udp::UdpDatagram;

/// The packet with other TCP flags, without its payload, or both. Sequence and acknowledgement numbers, options, TTL and
/// IP identification stay, so nothing but the content betrays the box (TSPU-0). `None` when there is no TCP header to
/// change: another protocol, or a fragment, whose checksum covers bytes that are elsewhere.
pub fn rewrite(packet: &IpPacket<'_>, change: Rewrite) -> Option<Vec<u8>> {
    if packet.protocol() != protocol::TCP || packet.fragment().is_some() {
        return None;
    }
    let segment = TcpSegment::parse(packet.payload())?;
    let tcp_at = packet.header_len();
    let len = if change.strip_payload { tcp_at + segment.header_len() } else { packet.bytes().len() };
    let mut bytes = packet.bytes()[..len].to_vec();
    if let Some(flags) = change.tcp_flags {
        bytes[tcp_at + 13] = flags.0;
    }
    bytes[tcp_at + 16..tcp_at + 18].fill(0);
    let sum = checksum::transport(&packet.addresses(), protocol::TCP, &bytes[tcp_at..]);
    bytes[tcp_at + 16..tcp_at + 18].copy_from_slice(&sum.to_be_bytes());
    match packet.addresses() {
        Addresses::V4 { .. } => {
            bytes[2..4].copy_from_slice(&(len as u16).to_be_bytes());
            bytes[10..12].fill(0);
            let sum = checksum::internet(&bytes[..tcp_at]);
            bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        Addresses::V6 { .. } => bytes[4..6].copy_from_slice(&((len - 40) as u16).to_be_bytes()),
    }
    Some(bytes)
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
