use proptest::prelude::*;

use super::*;

/// A packet between 5.136.0.10 and 157.240.205.60 with this transport header and payload.
fn packet(protocol: u8, transport: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + transport.len() + payload.len()).expect("short").to_be_bytes();
    let mut bytes = vec![0x45, 0, length[0], length[1], 0, 7, 0x40, 0, 64, protocol, 0, 0];
    bytes.extend([5, 136, 0, 10, 157, 240, 205, 60]);
    bytes.extend(transport);
    bytes.extend(payload);
    let sum = roadblock_censor::wire::checksum::internet(&bytes[..20]).to_be_bytes();
    bytes[10..12].copy_from_slice(&sum);
    bytes
}

fn tcp(flags: u8, payload: &[u8]) -> Vec<u8> {
    packet(6, &[0x9c, 0x40, 0x01, 0xbb, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 1, 0, 0, 0, 0, 0], payload)
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let [high, low] = port.to_be_bytes();
    let length = u16::try_from(8 + payload.len()).expect("short").to_be_bytes();
    packet(17, &[0x9c, 0x40, high, low, length[0], length[1], 0, 0], payload)
}

fn words(bytes: &[u8]) -> String {
    describe(bytes, Direction::Outbound, &mut Memory::default()).words
}

#[test]
fn each_packet_has_its_words() {
    let stun = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[0; 12]].concat();
    let wireguard = [&[1, 0, 0, 0][..], &[7; 144]].concat();
    let quic = [&[0xc3, 0, 0, 0, 1][..], &[0; 1195]].concat();
    let query = [&[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 9][..], b"instagram\x03com\0", &[0, 28, 0, 1]].concat();
    let mut missing = query.clone();
    missing[2..4].copy_from_slice(&[0x81, 0x83]);
    let packets = [
        tcp(0x02, b""),
        tcp(0x12, b""),
        tcp(0x10, b""),
        tcp(0x14, b""),
        tcp(0x11, b""),
        tcp(0x18, b"GET /a HTTP/1.1\r\nHost: web.whatsapp.com\r\n\r\n"),
        tcp(0x18, b"HTTP/1.1 302 Found\r\n\r\n"),
        tcp(0x18, &[22, 3, 3, 0, 4, 2, 0, 0, 0, 20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 9, 0]),
        tcp(0x18, &[21, 3, 3, 0, 2, 2, 40]),
        tcp(0x18, b"WA\x06\x03"),
        tcp(0x18, b"\x01\x02\x03"),
        udp(53, &query),
        udp(53, &missing),
        udp(3478, &stun),
        udp(51820, &wireguard),
        udp(443, &quic),
        udp(9999, b"what"),
        packet(1, &[3, 13, 0, 0, 0, 0, 0, 0], b""),
        packet(47, b"", b""),
        vec![1, 2, 3],
    ];
    insta::assert_snapshot!(packets.map(|bytes| words(&bytes)).join("\n"));
}

#[test]
fn a_record_that_goes_on_in_the_next_segment_is_one() {
    let mut memory = Memory::default();
    let first = describe(&tcp(0x18, &[22, 3, 3, 0, 9, 11, 0, 0]), Direction::Inbound, &mut memory);
    let second = describe(&tcp(0x18, &[23, 3, 3, 0, 9, 11, 20, 3, 3, 0, 1, 1]), Direction::Inbound, &mut memory);
    assert_eq!((&*first.words, &*second.words), ("Certificate", "more of the TLS record, ChangeCipherSpec"));
}

#[test]
fn a_hello_names_its_server() {
    let hello = include_bytes!("../../../emulator/censor/tests/data/curl-client-hello.bin");
    assert!(words(&tcp(0x18, hello)).starts_with("ClientHello SNI="), "{}", words(&tcp(0x18, hello)));
}

#[test]
fn an_icmp_error_is_about_the_packet_that_it_quotes() {
    let error = packet(1, &[3, 1, 0, 0, 0, 0, 0, 0], &tcp(0x02, b""));
    assert_eq!(quoted_destination(&error), Some([157, 240, 205, 60].into()));
    assert_eq!(quoted_destination(&tcp(0x02, b"")), None);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_no_danger(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        let _ = words(&bytes);
        let _ = quoted_destination(&bytes);
    }

    #[test]
    fn arbitrary_payloads_are_no_danger(
        flags in any::<u8>(),
        port in prop_oneof![Just(53_u16), Just(443), any::<u16>()],
        begin in prop_oneof![Just(vec![22_u8, 3, 1]), Just(vec![23, 3, 3, 0]), Just(Vec::new())],
        payload in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let payload = [begin, payload].concat();
        let mut memory = Memory::default();
        for bytes in [tcp(flags, &payload), tcp(flags, &payload), udp(port, &payload)] {
            let said = describe(&bytes, Direction::Outbound, &mut memory);
            prop_assert!(!said.words.is_empty());
        }
    }
}
