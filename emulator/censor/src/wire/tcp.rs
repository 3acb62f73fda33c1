//! A view of a TCP segment (RFC 9293 section 3.1).

use crate::policy::TcpFlags;
use crate::wire::checksum;
use crate::wire::ip::{Addresses, protocol};

/// A view of one segment.
#[derive(Clone, Copy, Debug)]
pub struct TcpSegment<'a> {
    bytes: &'a [u8],
    header_len: usize,
    is_malformed: bool,
}

/// An option that a receiver acts on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TcpOption {
    /// By how many bits the window is shifted (RFC 7323 section 2).
    WindowScale(u8),
    /// When the segment was sent, by the sender's clock (RFC 7323 section 3).
    Timestamp(u32),
    /// A signature (RFC 2385).
    Md5,
}

impl<'a> TcpSegment<'a> {
    /// The shortest header.
    pub const MIN_HEADER_LEN: usize = 20;

    /// Reads the header; `None` when it is cut or contradicts itself.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header_len = usize::from(*bytes.get(12)? >> 4) * 4;
        let fits = header_len >= Self::MIN_HEADER_LEN && header_len <= bytes.len();
        fits.then_some(Self { bytes, header_len, is_malformed: false })
    }

    /// Reads the header as a careless box does: where the data offset cannot be, the data are taken to begin after the fixed
    /// header. `None` when that is cut.
    pub fn parse_carelessly(bytes: &'a [u8]) -> Option<Self> {
        Self::parse(bytes).or_else(|| {
            let fits = bytes.len() >= Self::MIN_HEADER_LEN;
            fits.then_some(Self { bytes, header_len: Self::MIN_HEADER_LEN, is_malformed: true })
        })
    }

    /// Whether the header contradicts itself: a data offset that cannot be, or an option that is longer than the rest.
    pub fn is_malformed(&self) -> bool {
        self.is_malformed || self.options_read().end_early()
    }

    /// The options that a receiver acts on.
    pub fn options_read(&self) -> TcpOptions<'a> {
        TcpOptions { rest: self.options(), is_cut: false }
    }

    /// How far behind the beginning of the payload the byte lies after the urgent one, where there is one (RFC 6093).
    pub fn urgent_pointer(&self) -> Option<u16> {
        (self.flags().0 & 0x20 != 0).then(|| u16::from_be_bytes([self.bytes[18], self.bytes[19]]))
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

/// The options of a segment, one after the other. Those that nobody here asks about are left out.
#[derive(Clone, Debug)]
pub struct TcpOptions<'a> {
    rest: &'a [u8],
    is_cut: bool,
}

impl TcpOptions<'_> {
    /// Whether the last option is longer than the header.
    fn end_early(mut self) -> bool {
        self.by_ref().for_each(drop);
        self.is_cut
    }
}

impl Iterator for TcpOptions<'_> {
    type Item = TcpOption;

    fn next(&mut self) -> Option<TcpOption> {
        loop {
            match *self.rest {
                [] | [0, ..] => return None,
                [1, ref rest @ ..] => self.rest = rest,
                [kind, length, ..] if length >= 2 && usize::from(length) <= self.rest.len() => {
                    let (option, rest) = self.rest.split_at(usize::from(length));
                    self.rest = rest;
                    match (kind, option) {
                        (3, [_, _, scale]) => return Some(TcpOption::WindowScale(*scale)),
                        (8, [_, _, a, b, c, d, ..]) => {
                            return Some(TcpOption::Timestamp(u32::from_be_bytes([*a, *b, *c, *d])));
                        }
                        (19, _) => return Some(TcpOption::Md5),
                        _ => {}
                    }
                }
                _ => {
                    self.is_cut = true;
                    self.rest = &[];
                    return None;
                }
            }
        }
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
