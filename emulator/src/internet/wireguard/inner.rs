//! What is inside the tunnel: every IPv4 address sends back ICMP echoes and UDP datagrams.

/// The answer to a packet; `None` where it is nothing that is answered.
pub(super) fn answer(packet: &[u8]) -> Option<Vec<u8>> {
    let header_length = usize::from(packet.first()? & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
    let fragment = u16::from_be_bytes([*packet.get(6)?, *packet.get(7)?]) & 0x3fff;
    let whole = packet.first()? >> 4 == 4 && header_length >= SHORTEST_HEADER && fragment == 0;
    if !whole || total < header_length {
        return None;
    }
    let mut answer = packet.get(..total)?.to_vec();
    let protocol = *packet.get(9)?;
    let (header, content) = answer.split_at_mut_checked(header_length)?;
    turn_header(header)?;
    match protocol {
        ICMP => turn_echo(content)?,
        UDP => turn_datagram(content)?,
        _ => return None,
    }
    Some(answer)
}

/// RFC 791: back to the sender, with a lifetime of its own.
fn turn_header(header: &mut [u8]) -> Option<()> {
    let (head, ends) = header.split_at_mut_checked(12)?;
    let (source, rest) = ends.split_at_mut_checked(4)?;
    source.swap_with_slice(rest.get_mut(..4)?);
    *head.get_mut(8)? = 64;
    write_checksum(header, 10)
}

/// RFC 792: an echo request (8) becomes its reply (0).
fn turn_echo(message: &mut [u8]) -> Option<()> {
    if message.len() < 8 || message.first_chunk() != Some(&[8, 0]) {
        return None;
    }
    *message.first_mut()? = 0;
    write_checksum(message, 2)
}

/// RFC 768: swapped ports leave the checksum as it is, swapped addresses too.
fn turn_datagram(datagram: &mut [u8]) -> Option<()> {
    let (source, rest) = datagram.split_at_mut_checked(2)?;
    source.swap_with_slice(rest.get_mut(..2)?);
    (datagram.len() >= 8).then_some(())
}

/// Computes the internet checksum (RFC 1071) of some bytes into its place among them.
fn write_checksum(bytes: &mut [u8], at: usize) -> Option<()> {
    bytes.get_mut(at..at + 2)?.fill(0);
    let checksum = checksum(bytes);
    bytes.get_mut(at..at + 2)?.copy_from_slice(&checksum.to_be_bytes());
    Some(())
}

fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| match pair {
        [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
        [high] => u32::from(*high) << 8,
        _ => 0,
    });
    let mut sum: u32 = words.sum();
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

const SHORTEST_HEADER: usize = 20;
const ICMP: u8 = 1;
const UDP: u8 = 17;

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A packet from 10.8.0.2 to 10.8.0.1 with a right header.
    fn packet(protocol: u8, content: &[u8]) -> Vec<u8> {
        let total = u16::try_from(SHORTEST_HEADER + content.len()).expect("a short packet").to_be_bytes();
        let mut header = vec![0x45, 0, total[0], total[1], 0, 7, 0x40, 0, 9, protocol, 0, 0, 10, 8, 0, 2, 10, 8, 0, 1];
        write_checksum(&mut header, 10).expect("a header");
        [header.as_slice(), content].concat()
    }

    /// A UDP datagram from port 1000 to port 2000, without a checksum.
    pub(in crate::internet::wireguard) fn udp_packet() -> Vec<u8> {
        packet(UDP, &[3, 232, 7, 208, 0, 12, 0, 0, b'p', b'i', b'n', b'g'])
    }

    #[test]
    fn a_datagram_comes_back_from_where_it_went() {
        let answer = answer(&udp_packet()).expect("an answer");
        assert_eq!(answer[12..20], [10, 8, 0, 1, 10, 8, 0, 2]);
        assert_eq!(answer[20..], [7, 208, 3, 232, 0, 12, 0, 0, b'p', b'i', b'n', b'g']);
        assert_eq!(checksum(&answer[..20]), 0);
    }

    #[test]
    fn an_echo_request_becomes_its_reply() {
        let mut echo = [8, 0, 0, 0, 1, 2, 0, 3, 0xab, 0xcd, 0xef];
        write_checksum(&mut echo, 2).expect("a message");
        let reply = answer(&packet(ICMP, &echo)).expect("an answer");
        assert_eq!((reply[20], checksum(&reply[20..]), &reply[24..]), (0, 0, &echo[4..]));
        assert_eq!(answer(&reply), None);
    }

    #[test]
    fn other_protocols_fragments_and_broken_packets_get_no_answer() {
        assert_eq!(answer(&packet(6, &[0; 20])), None);
        let mut fragment = udp_packet();
        fragment[6] |= 0x20;
        assert_eq!(answer(&fragment), None);
        for length in 0..udp_packet().len() {
            assert_eq!(answer(&udp_packet()[..length]), None, "{length}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered_or_not(bytes in prop::collection::vec(any::<u8>(), 0..80), first in 0x40..0x50_u8) {
            let _ = answer(&bytes);
            let mut like = bytes;
            if let [head, _, high, low, ..] = like.as_mut_slice() {
                (*head, *high, *low) = (first, 0, *low % 80);
            }
            let _ = answer(&like);
        }
    }
}
