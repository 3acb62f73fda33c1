//! Packets as tools make them: right in everything that is not said otherwise.

use std::net::IpAddr;

use roadblock_censor::policy::TcpFlags;
use roadblock_censor::wire::checksum;
use roadblock_censor::wire::ip::{Addresses, protocol};

pub(crate) const FIN: u8 = TcpFlags::FIN.0;
pub(crate) const SYN: u8 = TcpFlags::SYN.0;
pub(crate) const RST: u8 = TcpFlags::RST.0;
pub(crate) const PSH: u8 = TcpFlags::PSH.0;
pub(crate) const ACK: u8 = TcpFlags::ACK.0;
pub(crate) const URG: u8 = 0x20;

/// A segment to be written.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) source: (IpAddr, u16),
    pub(crate) destination: (IpAddr, u16),
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    pub(crate) urgent: u16,
    /// A multiple of four bytes.
    pub(crate) options: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) ttl: u8,
    /// The header's length in words, where it is not the true one.
    pub(crate) data_offset: Option<u8>,
    /// Whether the checksum is wrong.
    pub(crate) bad_checksum: bool,
    /// What the IP header says of the length more or less than is there.
    pub(crate) length_error: i32,
}

impl Segment {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let addresses = Addresses::new(self.source.0, self.destination.0).expect("one family");
        let words = self.data_offset.unwrap_or_else(|| u8::try_from(5 + self.options.len() / 4).expect("few options"));
        let mut segment = Vec::new();
        segment.extend(self.source.1.to_be_bytes());
        segment.extend(self.destination.1.to_be_bytes());
        segment.extend(self.sequence.to_be_bytes());
        segment.extend(self.acknowledgement.to_be_bytes());
        segment.extend([words << 4, self.flags]);
        segment.extend(self.window.to_be_bytes());
        segment.extend([0, 0]);
        segment.extend(self.urgent.to_be_bytes());
        segment.extend(&self.options);
        segment.extend(&self.payload);
        let sum = checksum::transport(&addresses, protocol::TCP, &segment) ^ if self.bad_checksum { 0x5555 } else { 0 };
        segment[16..18].copy_from_slice(&sum.to_be_bytes());
        ip(&addresses, protocol::TCP, self.ttl, &segment, self.length_error)
    }

    /// The same with other options; they are padded.
    pub(crate) fn with_option(mut self, option: &[u8]) -> Self {
        self.options.extend(option);
        while !self.options.len().is_multiple_of(4) {
            self.options.push(1);
        }
        self
    }
}

/// The options that Linux sends with every segment but the first: two of padding, then timestamps (RFC 7323).
pub(crate) fn timestamps(value: u32, echo: u32) -> Vec<u8> {
    let mut options = vec![1, 1, 8, 10];
    options.extend(value.to_be_bytes());
    options.extend(echo.to_be_bytes());
    options
}

/// An option of RFC 2385 with a digest that nobody asked for.
pub(crate) const MD5: [u8; 18] = [19, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

/// An IP packet with an identification other than zero, as Linux sends on a connection.
pub(crate) fn ip(addresses: &Addresses, protocol: u8, ttl: u8, payload: &[u8], length_error: i32) -> Vec<u8> {
    let mut packet = roadblock_censor::wire::build::ip(addresses, protocol, ttl, payload);
    let wrong = |bytes: &[u8]| {
        let right = i32::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        u16::try_from(right + length_error).expect("a length").to_be_bytes()
    };
    match addresses {
        Addresses::V4 { .. } => {
            let length = wrong(&packet[2..4]);
            packet[2..4].copy_from_slice(&length);
            packet[4..6].copy_from_slice(&[0x42, 0x42]);
            fix_v4(&mut packet);
        }
        Addresses::V6 { .. } => {
            let length = wrong(&packet[4..6]);
            packet[4..6].copy_from_slice(&length);
        }
    }
    packet
}

/// Sets the checksum of an IPv4 header.
pub(crate) fn fix_v4(packet: &mut [u8]) {
    let header_len = usize::from(packet[0] & 15) * 4;
    packet[10..12].fill(0);
    let sum = checksum::internet(&packet[..header_len]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
}

/// Takes so many off the time to live; nothing is left of what has none left.
pub(crate) fn travel(mut packet: Vec<u8>, hops: u8) -> Option<Vec<u8>> {
    let at = if packet.first()? >> 4 == 4 { 8 } else { 7 };
    let ttl = *packet.get(at)?;
    packet[at] = ttl.checked_sub(hops).filter(|ttl| *ttl > 0)?;
    if at == 8 && packet.len() >= 20 {
        fix_v4(&mut packet);
    }
    Some(packet)
}

/// The packet with an extension header in front of its payload: of this number, with these eight bytes less the first.
pub(crate) fn with_extension(packet: &[u8], number: u8) -> Vec<u8> {
    let mut packet = packet.to_vec();
    let next = core::mem::replace(&mut packet[6], number);
    packet.splice(40..40, [next, 0, 1, 4, 0, 0, 0, 0]);
    let length = u16::try_from(packet.len() - 40).expect("short");
    packet[4..6].copy_from_slice(&length.to_be_bytes());
    packet
}
