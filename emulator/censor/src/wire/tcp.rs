//! A view of a TCP segment (RFC 9293 section 3.1).

use crate::policy::TcpFlags;
use crate::wire::checksum;
use crate::wire::ip::{Addresses, protocol};

/// A view of one segment.
#[derive(Clone, Copy, Debug)]
pub struct TcpSegment<'a> {
    bytes: &'a [u8],
    header_len: usize,
}

impl<'a> TcpSegment<'a> {
    /// The shortest header.
    pub const MIN_HEADER_LEN: usize = 20;

    /// Reads the header; `None` when it is cut or contradicts itself.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header_len = usize::from(*bytes.get(12)? >> 4) * 4;
        let fits = header_len >= Self::MIN_HEADER_LEN && header_len <= bytes.len();
        fits.then_some(Self { bytes, header_len })
    }

    /// The sender's port.
    pub fn source_port(&self) -> u16 {
        u16::from_be_bytes([self.bytes[0], self.bytes[1]])
    }

    /// The receiver's port.
    pub fn destination_port(&self) -> u16 {
        u16::from_be_bytes([self.bytes[2], self.bytes[3]])
    }

    /// The number of the first byte, or of the SYN.
    pub fn sequence(&self) -> u32 {
        u32::from_be_bytes([self.bytes[4], self.bytes[5], self.bytes[6], self.bytes[7]])
    }

    /// The next number expected from the other end; without meaning unless ACK is set.
    pub fn acknowledgement(&self) -> u32 {
        u32::from_be_bytes([self.bytes[8], self.bytes[9], self.bytes[10], self.bytes[11]])
    }

    /// Where the payload begins.
    pub fn header_len(&self) -> usize {
        self.header_len
    }

    /// The control bits.
    pub fn flags(&self) -> TcpFlags {
        TcpFlags(self.bytes[13])
    }

    /// The receive window, not scaled.
    pub fn window(&self) -> u16 {
        u16::from_be_bytes([self.bytes[14], self.bytes[15]])
    }

    /// The options, not parsed.
    pub fn options(&self) -> &'a [u8] {
        &self.bytes[Self::MIN_HEADER_LEN..self.header_len]
    }

    /// The data.
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[self.header_len..]
    }

    /// How many sequence numbers the segment takes: its bytes, and one each for SYN and FIN (RFC 9293 section 3.4).
    pub fn sequence_len(&self) -> u32 {
        let flags = self.flags();
        let controls = u32::from(flags.contains(TcpFlags::SYN)) + u32::from(flags.contains(TcpFlags::FIN));
        self.payload().len() as u32 + controls
    }

    /// The number of the first payload byte.
    pub fn payload_sequence(&self) -> u32 {
        self.sequence().wrapping_add(u32::from(self.flags().contains(TcpFlags::SYN)))
    }

    /// Whether the checksum is right.
    pub fn checksum_is_valid(&self, addresses: &Addresses) -> bool {
        checksum::transport_is_valid(addresses, protocol::TCP, self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9293 section 3.1: a data offset under five words, or past the end, is no segment.
    #[test]
    fn data_offset_must_fit() {
        let mut bytes = [0; 24];
        for (offset, fits) in [(0x40, false), (0x50, true), (0x60, true), (0x70, false)] {
            bytes[12] = offset;
            assert_eq!(TcpSegment::parse(&bytes).is_some(), fits, "data offset {offset:#x}");
        }
    }
}
