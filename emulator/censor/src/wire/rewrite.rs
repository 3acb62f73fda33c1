//! Changing a packet in place, as the TSPU does (TSPU-0, TSPU-1).

use crate::policy::Rewrite;
use crate::wire::checksum;
use crate::wire::ip::{Addresses, IpPacket, protocol};
use crate::wire::tcp::TcpSegment;

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
