//! Packets by hand, and any packets at all.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::header::{V4, V6};
use super::mapping::embed;
use super::*;

fn mapping() -> Mapping {
    Mapping { clients: "2a01:620:0:1::/64".parse().expect("v6"), inside: "100.64.0.0/10".parse().expect("v4") }
}

fn translator() -> Translator {
    Translator::new(mapping())
}

const SERVER: Ipv4Addr = Ipv4Addr::new(185, 15, 59, 224);

fn client() -> Ipv6Addr {
    "2a01:620:0:1::a".parse().expect("v6")
}

/// A packet from the client to the server, with a right checksum where the protocol has one at this place.
fn outbound(protocol: u8, payload: &[u8], checksum_at: Option<usize>) -> Vec<u8> {
    let mut payload = payload.to_vec();
    if let Some(at) = checksum_at {
        let ends = [client().octets(), embed(SERVER).octets()].concat();
        let sum = checksum::compute(protocol, &ends, &payload);
        payload[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    }
    v6(protocol, &payload)
}

fn v6(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0];
    bytes.extend(u16::try_from(payload.len()).expect("short").to_be_bytes());
    bytes.extend([protocol, 60]);
    bytes.extend(client().octets());
    bytes.extend(embed(SERVER).octets());
    bytes.extend_from_slice(payload);
    bytes
}

const SYN: [u8; 20] = [0x9c, 0x40, 1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0];

/// Whether a packet's transport checksum is right in IPv4.
fn right_v4(packet: &[u8]) -> bool {
    let read = V4::read(packet).expect("a packet");
    let ends = [read.source.octets(), read.destination.octets()].concat();
    checksum::of(&packet[..20]) == 0 && checksum::compute(read.protocol, &ends, read.payload) == 0
}

#[test]
fn a_segment_goes_out_with_the_clients_inner_address_and_comes_back_as_it_was() {
    let packet = outbound(6, &SYN, Some(16));
    let out = translator().translate(&packet).expect("translated");
    let read = V4::read(&out).expect("a packet");
    assert_eq!((read.source, read.destination), (Ipv4Addr::new(100, 64, 0, 10), SERVER));
    assert_eq!((read.hops, read.protocol, out.len()), (61, 6, 40));
    assert!(right_v4(&out), "{out:?}");
    let mut back = translator().translate(&out).expect("translated");
    back[7] -= 2;
    assert_eq!(back, packet);
}

/// Who evades by wrong checksums must not have them set right on the way.
#[test]
fn a_wrong_checksum_stays_wrong() {
    let mut packet = outbound(6, &SYN, Some(16));
    packet[40 + 16] ^= 0x55;
    assert!(!right_v4(&translator().translate(&packet).expect("translated")));
}

#[test]
fn a_datagram_without_a_checksum_gets_one() {
    let bytes = [&[0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0][..], &SERVER.octets(), &[100, 64, 0, 10]].concat();
    let datagram = [0, 53, 0x9c, 0x40, 0, 12, 0, 0, 1, 2, 3, 4];
    let packet = translator().translate(&[&bytes[..], &datagram].concat()).expect("translated");
    let read = V6::read(&packet).expect("a packet");
    let ends = [read.source.octets(), read.destination.octets()].concat();
    assert_eq!(checksum::compute(17, &ends, read.payload), 0);
    let mut fragment = [&bytes[..], &datagram].concat();
    fragment[6] = 0x20;
    assert_eq!(translator().translate(&fragment), Err(Refusal::NoEquivalent));
}

#[test]
fn a_ping_and_its_answer_are_translated() {
    let packet = outbound(58, &[128, 0, 0, 0, 0, 7, 0, 1, b'h', b'i'], Some(2));
    let out = translator().translate(&packet).expect("translated");
    assert_eq!((out[9], out[20], checksum::of(&out[20..])), (1, 8, 0));
    let mut back = translator().translate(&out).expect("translated");
    back[7] -= 2;
    assert_eq!(back, packet);
}

/// What a router of IPv4 says about a translated segment comes to the client as being about its own.
#[test]
fn an_error_quotes_what_the_client_sent() {
    let sent = outbound(6, &SYN, Some(16));
    let seen = translator().translate(&sent).expect("translated");
    for (kind, code, word, expected) in [
        (11, 0, 0, Ok((3, 0, 0))),
        (3, 13, 0, Ok((1, 1, 0))),
        (3, 3, 0, Ok((1, 4, 0))),
        (3, 4, 1400, Ok((2, 0, 1420))),
        (3, 4, 0, Ok((2, 0, 1280))),
        (12, 0, 8 << 24, Ok((4, 0, 7))),
        (5, 0, 0, Err(Refusal::NoEquivalent)),
    ] {
        // Routers quote the header and eight bytes.
        let message = [&[kind, code, 0, 0][..], &u32::to_be_bytes(word), &seen[..28]].concat();
        let mut error = vec![0x45, 0, 0, 20 + 8 + 28, 0, 0, 0, 0, 60, 1, 0, 0, 95, 167, 255, 2];
        error.extend([100, 64, 0, 10]);
        error.extend(icmp::with_checksum_v4(message));
        let translated = translator().translate(&error).map(|packet| {
            let read = V6::read(&packet).expect("a packet");
            let quoted = V6::read(&read.payload[8..]).expect("the quoted packet");
            assert_eq!((quoted.source, quoted.destination), (client(), embed(SERVER)));
            assert_eq!((quoted.payload, quoted.stated), (&SYN[..8], 20));
            assert_eq!(read.source, embed(Ipv4Addr::new(95, 167, 255, 2)));
            let head = read.payload;
            (head[0], head[1], u32::from_be_bytes([head[4], head[5], head[6], head[7]]))
        });
        assert_eq!(translated, expected, "{kind} {code}");
    }
}

#[test]
fn fragments_keep_their_place() {
    let fragment = [&[6, 0, 0, 1, 0, 1, 0xab, 0xcd][..], &SYN].concat();
    let packet = v6(44, &fragment);
    let out = translator().translate(&packet).expect("translated");
    assert_eq!(&out[4..8], [0xab, 0xcd, 0x20, 0], "its number, and that more follow");
    let back = V6::read(&translator().translate(&out).expect("translated")).expect("a packet").fragment;
    assert_eq!(back.map(|fragment| (fragment.offset, fragment.more, fragment.identification)), Some((0, true, 0xabcd)));
    let of_icmp = v6(44, &[58, 0, 0, 1, 0, 0, 0, 1, 128, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(translator().translate(&of_icmp), Err(Refusal::NoEquivalent));
}

#[test]
fn what_has_no_equivalent_is_refused() {
    let routed = v6(43, &[6, 0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(translator().translate(&routed), Err(Refusal::NoEquivalent));
    let mut stranger = outbound(6, &SYN, Some(16));
    stranger[8] = 0x20;
    assert_eq!(translator().translate(&stranger), Err(Refusal::Address));
    assert_eq!(translator().translate(&[]), Err(Refusal::Truncated));
    assert_eq!(translator().translate(&[0x50; 60]), Err(Refusal::NotIp));
    assert_eq!(translator().translate(&outbound(6, &SYN, Some(16))[..59]), Err(Refusal::Truncated));
    assert_eq!(mapping().to_v4(embed(Ipv4Addr::new(100, 64, 0, 9))), None, "no way around to a neighbour");
}

proptest! {
    #[test]
    fn any_bytes_are_translated_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), version in prop::sample::select(vec![0x45_u8, 0x4f, 0x60])) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = version;
        }
        let _ = translator().translate(&bytes);
        // With lengths that are right more of it is reached.
        let length = bytes.len();
        if length >= 40 {
            if version == 0x60 {
                bytes[4..6].copy_from_slice(&u16::try_from(length - 40).expect("short").to_be_bytes());
                bytes[8..24].copy_from_slice(&client().octets());
                bytes[24..40].copy_from_slice(&embed(SERVER).octets());
            } else {
                bytes[2..4].copy_from_slice(&u16::try_from(length).expect("short").to_be_bytes());
            }
            let _ = translator().translate(&bytes);
        }
    }

    #[test]
    fn a_segment_survives_there_and_back(
        payload in prop::collection::vec(any::<u8>(), 20..1400),
        class in any::<u8>(),
        protocol in prop::sample::select(vec![6_u8, 132, 50]),
    ) {
        let mut packet = outbound(protocol, &payload, (protocol == 6).then_some(16));
        packet[0] |= class >> 4;
        packet[1] = class << 4;
        let out = translator().translate(&packet).expect("translated");
        prop_assert_eq!(checksum::of(&out[..20]), 0);
        let mut back = translator().translate(&out).expect("translated");
        back[7] -= 2;
        // 0 and 0xffff are the same sum.
        if back != packet {
            back[56..58].copy_from_slice(&packet[56..58]);
            prop_assert!(matches!(packet[56..58], [0, 0] | [0xff, 0xff]) && back == packet);
        }
    }

    #[test]
    fn addresses_are_mapped_there_and_back(v4 in any::<u32>()) {
        let v4 = Ipv4Addr::from(v4);
        prop_assert_eq!(mapping().to_v4(mapping().to_v6(v4)), Some(v4));
    }
}
