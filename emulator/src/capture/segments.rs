//! From what the kernel hands from one namespace to the next to what would be on a wire: segments of their own size, with
//! their checksums.

use roadblock_censor::wire::checksum;
use roadblock_censor::wire::ip::{IpPacket, protocol};
use roadblock_censor::wire::tcp::TcpSegment;
use roadblock_censor::wire::udp::UdpDatagram;

use crate::kernel::packet_tap::Unfinished;

/// The packets that a tapped one stands for.
pub(super) fn segments(bytes: &[u8], unfinished: Unfinished) -> Vec<Vec<u8>> {
    let Some(layout) = Layout::of(bytes) else { return vec![bytes.to_vec()] };
    let packets = match unfinished.segment_len {
        Some(length) => layout.split(bytes, usize::from(length)),
        None => vec![bytes.to_vec()],
    };
    if unfinished.checksum || unfinished.segment_len.is_some() {
        packets.into_iter().map(with_checksum).collect()
    } else {
        packets
    }
}

/// Where the parts of a packet begin.
#[derive(Clone, Copy, Debug)]
struct Layout {
    is_v4: bool,
    protocol: u8,
    transport: usize,
    payload: usize,
    end: usize,
}

impl Layout {
    fn of(bytes: &[u8]) -> Option<Self> {
        let ip = IpPacket::parse(bytes)?;
        let transport = ip.header_len();
        let payload = transport
            + match ip.protocol() {
                protocol::TCP => TcpSegment::parse(ip.payload())?.header_len(),
                protocol::UDP => UdpDatagram::HEADER_LEN,
                _ => return None,
            };
        let end = ip.bytes().len();
        (payload <= end && !ip.is_later_fragment()).then_some(Self {
            is_v4: bytes[0] >> 4 == 4,
            protocol: ip.protocol(),
            transport,
            payload,
            end,
        })
    }

    fn split(self, bytes: &[u8], length: usize) -> Vec<Vec<u8>> {
        let Self { payload, end, .. } = self;
        let count = (end - payload).div_ceil(length).max(1);
        let pieces = bytes[payload..end].chunks(length).enumerate();
        pieces.map(|(index, piece)| self.segment(&bytes[..payload], piece, index, index + 1 == count, length)).collect()
    }

    /// The headers again before this piece, with what must differ in each.
    fn segment(self, headers: &[u8], piece: &[u8], index: usize, is_last: bool, length: usize) -> Vec<u8> {
        let mut packet = [headers, piece].concat();
        let total = packet.len();
        let mut put = |at: usize, value: u16| packet[at..at + 2].copy_from_slice(&value.to_be_bytes());
        let word = |at: usize| u16::from_be_bytes([headers[at], headers[at + 1]]);
        if self.is_v4 {
            put(2, number(total));
            put(4, word(4).wrapping_add(number(index)));
        } else {
            put(4, number(total - 40));
        }
        let transport = self.transport;
        if self.protocol == protocol::UDP {
            put(transport + 4, number(total - transport));
            return packet;
        }
        let sequence = [word(transport + 4), word(transport + 6)];
        let sequence = u32::from(sequence[0]) << 16 | u32::from(sequence[1]);
        let sequence = sequence.wrapping_add(u32::try_from(index * length).unwrap_or_default());
        packet[transport + 4..transport + 8].copy_from_slice(&sequence.to_be_bytes());
        if !is_last {
            packet[transport + 13] &= !(FIN | PSH);
        }
        if index > 0 {
            packet[transport + 13] &= !CWR;
        }
        packet
    }
}

const FIN: u8 = 0x01;
const PSH: u8 = 0x08;
const CWR: u8 = 0x80;

fn number(value: usize) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

/// The packet with the checksums that belong to it.
fn with_checksum(mut packet: Vec<u8>) -> Vec<u8> {
    let Some(layout) = Layout::of(&packet) else { return packet };
    let Some(addresses) = IpPacket::parse(&packet).map(|ip| ip.addresses()) else { return packet };
    let Layout { is_v4, protocol, transport, end, .. } = layout;
    let place = transport + if protocol == protocol::TCP { 16 } else { 6 };
    packet[place..place + 2].fill(0);
    let sum = match checksum::transport(&addresses, protocol, &packet[transport..end]) {
        // RFC 768: a sum of zero is sent as all ones, because zero means that there is none.
        0 if protocol == protocol::UDP => 0xffff,
        sum => sum,
    };
    packet[place..place + 2].copy_from_slice(&sum.to_be_bytes());
    if is_v4 {
        let header = usize::from(packet[0] & 0x0f) * 4;
        packet[10..12].fill(0);
        let sum = checksum::internet(&packet[..header]);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
    }
    packet
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A segment of 5.136.0.10:40000 to 31.13.84.51:443 with PSH, ACK and this payload, its checksums not there yet.
    fn segment(payload: &[u8]) -> Vec<u8> {
        let length = number(40 + payload.len()).to_be_bytes();
        let mut bytes = vec![0x45, 0, length[0], length[1], 0, 7, 0x40, 0, 64, 6, 0, 0, 5, 136, 0, 10, 31, 13, 84, 51];
        bytes.extend([0x9c, 0x40, 0x01, 0xbb, 0xff, 0xff, 0xff, 0x00, 0, 0, 0, 1, 0x50, 0x18, 1, 0, 0, 0, 0, 0]);
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn several_segments_become_several_packets_with_right_numbers_and_checksums() {
        let payload: Vec<u8> = (0..=255).collect();
        let unfinished = Unfinished { checksum: true, segment_len: Some(100) };
        let packets = segments(&segment(&payload), unfinished);
        let mut joined: Vec<u8> = Vec::new();
        let mut told = Vec::new();
        for packet in &packets {
            let ip = IpPacket::parse(packet).expect("a packet");
            assert_eq!(checksum::internet(&packet[..20]), 0);
            let tcp = TcpSegment::parse(ip.payload()).expect("a segment");
            assert!(tcp.checksum_is_valid(&ip.addresses()));
            joined.extend(tcp.payload());
            told.push((packet[5], tcp.sequence(), tcp.flags().0));
        }
        assert_eq!(joined, payload);
        assert_eq!(told, [(7, 0xffff_ff00, 0x10), (8, 0xffff_ff64, 0x10), (9, 0xffff_ffc8, 0x18)]);
    }

    #[test]
    fn a_finished_packet_is_itself() {
        let bytes = segment(b"hello");
        assert_eq!(segments(&bytes, Unfinished::default()), [bytes]);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_danger(
            bytes in proptest::collection::vec(any::<u8>(), 0..128),
            checksum in any::<bool>(),
            segment_len in proptest::option::of(1_u16..64),
        ) {
            let _ = segments(&bytes, Unfinished { checksum, segment_len });
        }

        #[test]
        fn odd_headers_are_no_danger(
            change in proptest::collection::vec((0_usize..60, any::<u8>()), 0..6),
            segment_len in proptest::option::of(1_u16..64),
        ) {
            let mut bytes = segment(&[7; 40]);
            for (at, byte) in change {
                bytes[at] = byte;
            }
            let _ = segments(&bytes, Unfinished { checksum: true, segment_len });
        }
    }
}
