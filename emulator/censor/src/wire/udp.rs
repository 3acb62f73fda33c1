//! A view of a UDP datagram (RFC 768).

use crate::wire::u16_at;

/// A view of one datagram.
#[derive(Clone, Copy, Debug)]
pub struct UdpDatagram<'a> {
    bytes: &'a [u8],
}

impl<'a> UdpDatagram<'a> {
    /// The length of the header.
    pub const HEADER_LEN: usize = 8;

    /// Reads the header; `None` when the datagram is cut or its length is impossible.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let len = usize::from(u16_at(bytes, 4)?);
        (len >= Self::HEADER_LEN).then_some(Self { bytes: bytes.get(..len)? })
    }

    /// The sender's port.
    pub fn source_port(&self) -> u16 {
        u16::from_be_bytes([self.bytes[0], self.bytes[1]])
    }

    /// The receiver's port.
    pub fn destination_port(&self) -> u16 {
        u16::from_be_bytes([self.bytes[2], self.bytes[3]])
    }

    /// The data.
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[Self::HEADER_LEN..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes after the datagram's own length are not its payload.
    #[test]
    fn length_rules() {
        let bytes = [0, 53, 1, 0, 0, 9, 0, 0, 0xaa, 0xbb];
        assert_eq!(UdpDatagram::parse(&bytes).expect("a datagram").payload(), [0xaa]);
        assert!(UdpDatagram::parse(&bytes[..8]).is_none());
        assert!(UdpDatagram::parse(&[0, 53, 1, 0, 0, 7, 0, 0]).is_none());
    }
}
