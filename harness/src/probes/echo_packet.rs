//! The packet that goes through a tunnel and back: an ICMP echo request (RFC 792).

/// An echo request from the tunnel's client to somebody behind it. It fills whole blocks of 16 bytes, to which WireGuard
/// pads every packet (section 5.4.6) and which a censor knows its data by (FP-WG-1); boringtun does not pad.
pub(crate) fn request(number: u16) -> Vec<u8> {
    let [high, low] = number.to_be_bytes();
    let mut message = [&[8, 0, 0, 0, 0x72, 0x62, high, low][..], &[0x55; 52]].concat();
    write_checksum(&mut message, 2);
    let [length_high, length_low] = u16::try_from(HEADER + message.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut header = [0x45, 0, length_high, length_low, high, low, 0x40, 0, 64, 1, 0, 0, 10, 8, 0, 2, 10, 8, 0, 1];
    write_checksum(&mut header, 10);
    [&header[..], &message].concat()
}

/// Whether this is the reply to the request of this number.
pub(crate) fn is_echo_of(packet: &[u8], number: u16) -> bool {
    packet.get(HEADER..HEADER + 2) == Some(&[0, 0]) && packet.get(HEADER + 6..HEADER + 8) == Some(&number.to_be_bytes())
}

/// RFC 1071.
fn write_checksum(bytes: &mut [u8], at: usize) {
    let words = bytes.chunks_exact(2).map(|pair| pair.iter().fold(0, |word: u32, byte| word << 8 | u32::from(*byte)));
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let checksum = !((folded & 0xffff) + (folded >> 16)) as u16;
    if let Some(place) = bytes.get_mut(at..at + 2) {
        place.copy_from_slice(&checksum.to_be_bytes());
    }
}

const HEADER: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksums_are_right() {
        for number in [1, 2, 0xffff] {
            let packet = request(number);
            assert_eq!(packet.len(), 80);
            for part in [&packet[..20], &packet[20..]] {
                let sum: u32 = part.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
                assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
            }
        }
    }

    #[test]
    fn only_the_reply_to_the_same_number_is_one() {
        let mut reply = request(7);
        assert!(!is_echo_of(&reply, 7));
        reply[20] = 0;
        assert!(is_echo_of(&reply, 7) && !is_echo_of(&reply, 8));
        assert!(!is_echo_of(&[], 7));
    }
}
