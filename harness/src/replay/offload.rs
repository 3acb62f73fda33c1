//! Checksums that were not there yet when a packet was captured.
//!
//! A capture at the sender itself shows packets before the network card has filled in their checksums. A box that verifies
//! them would look at none. What the kernel leaves in their place is the sum of the pseudo-header alone, so they can be told
//! from a checksum that is wrong on purpose.

use roadblock_censor::wire::checksum;
use roadblock_censor::wire::ip::{IpPacket, protocol};

/// The packet with its checksums, if the sender's hardware was to fill them in; `None` if not.
pub(super) fn completed(bytes: &[u8]) -> Option<Vec<u8>> {
    let ip = IpPacket::parse(bytes)?;
    let place = match ip.protocol() {
        protocol::TCP => 16,
        protocol::UDP => 6,
        _ => return None,
    };
    if ip.fragment().is_some() {
        return None;
    }
    let (begin, end) = (ip.header_len(), ip.bytes().len());
    let segment = bytes.get(begin..end)?;
    let found = u16::from_be_bytes(*segment.get(place..)?.first_chunk::<2>()?);
    let pseudo = !checksum::transport(&ip.addresses(), ip.protocol(), &vec![0; segment.len()]);
    if found != pseudo {
        return None;
    }
    let mut packet = bytes.to_vec();
    packet[begin + place..begin + place + 2].fill(0);
    let sum = match checksum::transport(&ip.addresses(), ip.protocol(), &packet[begin..end]) {
        // RFC 768: a sum of zero is sent as all ones.
        0 if ip.protocol() == protocol::UDP => 0xffff,
        sum => sum,
    };
    packet[begin + place..begin + place + 2].copy_from_slice(&sum.to_be_bytes());
    Some(packet)
}

#[cfg(test)]
mod tests {
    use roadblock_censor::wire::tcp::TcpSegment;

    use super::*;

    /// A SYN from 127.0.0.1:55796 to 127.0.0.1:8443 as tcpdump wrote it on lo, where nothing fills checksums in: 0xfe28 is the
    /// sum of the pseudo-header with a length of 32.
    fn captured() -> Vec<u8> {
        let mut bytes = vec![0x45, 0, 0, 52, 0x12, 0x34, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1];
        bytes.extend([0xd9, 0xf4, 0x20, 0xfb, 1, 2, 3, 4, 0, 0, 0, 0, 0x80, 0x02, 0xff, 0xd7, 0xfe, 0x28, 0, 0]);
        bytes.extend([2, 4, 0xff, 0xd7, 1, 3, 3, 7, 1, 1, 4, 2]);
        bytes
    }

    fn is_right(bytes: &[u8]) -> bool {
        let ip = IpPacket::parse(bytes).expect("a packet");
        TcpSegment::parse(ip.payload()).expect("a segment").checksum_is_valid(&ip.addresses())
    }

    #[test]
    fn what_hardware_was_to_do_is_done() {
        assert!(!is_right(&captured()));
        let completed = completed(&captured()).expect("it is not complete");
        assert!(is_right(&completed));
        assert_eq!(super::completed(&completed), None, "it is complete");
    }

    #[test]
    fn what_is_wrong_on_purpose_stays_wrong() {
        let mut bytes = captured();
        bytes[37] ^= 1;
        assert_eq!(completed(&bytes), None);
    }
}
