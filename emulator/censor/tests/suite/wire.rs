//! The wire layer against arbitrary bytes and against another implementation.

use crate::support::*;
use proptest::prelude::*;
use roadblock_censor::dissect::tls::{self, Hello, Options};
use roadblock_censor::policy::{Rejection, Rewrite, TcpFlags};
use roadblock_censor::wire::build::{self, Place, TcpHeader};
use roadblock_censor::wire::dns::{self, Answer, Message, Query};
use roadblock_censor::wire::ip::{Addresses, IpPacket, protocol};
use roadblock_censor::wire::rewrite::rewrite;
use roadblock_censor::wire::tcp::TcpSegment;
use roadblock_censor::wire::udp::UdpDatagram;

const CNAME_ANSWER: &[u8] = include_bytes!("../data/dnsmasq-answer-cname.bin");
const STREAM_QUERIES: &[u8] = include_bytes!("../data/kdig-stream-queries.bin");

/// Calls everything that reads.
fn read_all(bytes: &[u8]) {
    if let Some(packet) = IpPacket::parse(bytes) {
        let _ = (packet.addresses(), packet.ttl(), packet.fragment(), packet.protocol(), packet.payload());
        for rejection in [Rejection::TcpReset, Rejection::HostUnreachable] {
            let _ = build::reject(&packet, rejection);
        }
        let _ = rewrite(&packet, Rewrite { tcp_flags: Some(TcpFlags::RST), strip_payload: true, ..Rewrite::default() });
    }
    if let Some(segment) = TcpSegment::parse(bytes) {
        let _ = (segment.options(), segment.payload(), segment.window(), segment.sequence_len());
    }
    let _ = UdpDatagram::parse(bytes).map(|datagram| datagram.payload().len());
    if let Some(query) = Query::parse(bytes) {
        for copy_query in [false, true] {
            let cname = Some(query.name.clone());
            let answer = Answer {
                copy_query,
                cname,
                addresses: vec![[192, 0, 2, 1].into()],
                whatever_type: true,
                ..Answer::default()
            };
            assert!(Message::parse(&query.answer(&answer)).is_some());
        }
    }
    if let Some(message) = Message::parse(bytes) {
        let _ = (message.is_whole(), message.names().count(), message.addresses().count(), message.questions().count());
    }
    let _ = (dns::messages(bytes).count(), dns::begins_with_query(bytes));
    let _ = tls::client_hello(bytes, &Options::default());
}

fn read(stream: &[u8]) -> Hello {
    tls::client_hello(stream, &Options::default())
}

fn addresses() -> impl Strategy<Value = Addresses> {
    let v4 = any::<([u8; 4], [u8; 4])>().prop_map(|(a, b)| Addresses::new(a.into(), b.into()));
    let v6 = any::<([u8; 16], [u8; 16])>().prop_map(|(a, b)| Addresses::new(a.into(), b.into()));
    prop_oneof![v4, v6].prop_map(|addresses| addresses.expect("one family"))
}

fn header() -> impl Strategy<Value = TcpHeader> {
    any::<(u16, u16, u32, u32, u8, u16)>().prop_map(|fields| TcpHeader {
        source_port: fields.0,
        destination_port: fields.1,
        sequence: fields.2,
        acknowledgement: fields.3,
        flags: TcpFlags(fields.4),
        window: fields.5,
    })
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..1500)
}

proptest! {
    /// No bytes make a reader panic.
    #[test]
    fn readers_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), first in prop_oneof![Just(0x45u8), Just(0x60), any::<u8>()]) {
        let bytes = [&[first], &bytes[..]].concat();
        read_all(&bytes);
    }

    /// Nor does a real packet with some bytes changed and its end cut off.
    #[test]
    fn mutated_packets_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        len in any::<prop::sample::Index>(),
        is_v6 in any::<bool>(),
    ) {
        let mut connection = if is_v6 { Connection::v6(1) } else { Connection::new(1) };
        for original in [WHATSAPP_HELLO.to_vec(), INSTAGRAM_QUERY.to_vec(), CNAME_ANSWER.to_vec(), STREAM_QUERIES.to_vec(), connection.segment(Outbound, DATA, WHATSAPP_HELLO)] {
            let mut bytes = original;
            for (place, byte) in &changes {
                let place = place.index(bytes.len());
                bytes[place] = *byte;
            }
            bytes.truncate(len.index(bytes.len() + 1));
            read_all(&bytes);
        }
    }

    /// Cutting a stream never turns one verdict of the TLS reader into its opposite: what is no TLS stays none, what is
    /// whole was incomplete before.
    #[test]
    fn tls_reader_is_monotone(changes in prop::collection::vec((0..60usize, any::<u8>()), 0..3), len in any::<prop::sample::Index>()) {
        let mut stream = WHATSAPP_HELLO.to_vec();
        for (place, byte) in changes {
            stream[place] = byte;
        }
        let (part, whole) = (read(&stream[..len.index(stream.len())]), read(&stream));
        match part {
            Hello::Incomplete => {}
            Hello::NotTls => prop_assert_eq!(whole, Hello::NotTls),
            Hello::ClientHello(_) => prop_assert_eq!(whole, part),
        }
    }

    /// A segment reads back as it was written, and its checksums are right.
    #[test]
    fn tcp_round_trips(addresses in addresses(), header in header(), payload in payload()) {
        let bytes = build::tcp(&addresses, &header, &payload);
        assert_sound(&bytes);
        let packet = IpPacket::parse(&bytes).expect("a packet");
        let segment = TcpSegment::parse(packet.payload()).expect("a segment");
        let read = TcpHeader {
            source_port: segment.source_port(),
            destination_port: segment.destination_port(),
            sequence: segment.sequence(),
            acknowledgement: segment.acknowledgement(),
            flags: segment.flags(),
            window: segment.window(),
        };
        prop_assert_eq!(read, header);
        prop_assert_eq!(segment.payload(), payload);
        prop_assert_eq!((packet.addresses(), packet.ttl(), packet.protocol()), (addresses, build::DEFAULT_TTL, protocol::TCP));
        prop_assert!(segment.checksum_is_valid(&addresses));
    }

    /// A datagram reads back as it was written, and its checksums are right.
    #[test]
    fn udp_round_trips(addresses in addresses(), ports in any::<(u16, u16)>(), payload in payload()) {
        let bytes = build::udp(&addresses, ports.0, ports.1, &payload);
        assert_sound(&bytes);
        let packet = IpPacket::parse(&bytes).expect("a packet");
        let datagram = UdpDatagram::parse(packet.payload()).expect("a datagram");
        prop_assert_eq!((datagram.source_port(), datagram.destination_port()), ports);
        prop_assert_eq!(datagram.payload(), payload);
    }

    /// Whatever segment is refused or answered with a reset, the checksums are right, and a reset is never answered.
    #[test]
    fn answers_are_sound(addresses in addresses(), header in header(), payload in payload()) {
        let bytes = build::tcp(&addresses, &header, &payload);
        let packet = IpPacket::parse(&bytes).expect("a packet");
        let segment = TcpSegment::parse(packet.payload()).expect("a segment");
        let resets = [Place::Sender, Place::ReceiverBefore, Place::ReceiverAfter]
            .map(|to| build::reset(&addresses, &segment, to, TcpFlags::RST_ACK));
        let refusals = [Rejection::TcpReset, Rejection::NetworkUnreachable, Rejection::AdministrativelyProhibited]
            .map(|rejection| build::reject(&packet, rejection));
        for answer in resets.iter().chain(&refusals) {
            prop_assert_eq!(answer.is_none(), header.flags.contains(TcpFlags::RST));
            if let Some(bytes) = answer {
                assert_sound(bytes);
            }
        }
    }

    /// TSPU-1, TSPU-0: a rewritten packet is sound and keeps sequence, acknowledgement, TTL and options.
    #[test]
    fn tspu_1_rewriting_keeps_the_rest(addresses in addresses(), header in header(), payload in payload(), ttl in any::<u8>(), id in any::<u16>()) {
        // Maximum segment size and padding, as options that must survive.
        let mut segment = build::tcp(&addresses, &header, &payload);
        let tcp_at = IpPacket::parse(&segment).expect("a packet").header_len();
        let mut transport = segment.split_off(tcp_at);
        transport.splice(20..20, [2, 4, 5, 0xb4]);
        transport[12] = 0x60;
        let mut bytes = build::ip(&addresses, protocol::TCP, ttl, &transport);
        if bytes[0] == 0x45 {
            bytes[4..6].copy_from_slice(&id.to_be_bytes());
        }
        let packet = IpPacket::parse(&bytes).expect("a packet");
        let changed = rewrite(&packet, Rewrite { tcp_flags: Some(TcpFlags::RST_ACK), strip_payload: true, ..Rewrite::default() });
        let changed = changed.expect("a segment can be changed");
        assert_sound(&changed);
        let tcp = tcp_of(&changed);
        prop_assert_eq!((tcp.sequence_number, tcp.acknowledgment_number), (header.sequence, header.acknowledgement));
        prop_assert!(tcp.rst && tcp.ack && !tcp.syn && !tcp.psh && !tcp.fin);
        prop_assert_eq!(tcp.options.as_slice(), &[2, 4, 5, 0xb4][..]);
        prop_assert_eq!(changed.len(), bytes.len() - payload.len());
        prop_assert_eq!(IpPacket::parse(&changed).expect("a packet").ttl(), ttl);
        if bytes[0] == 0x45 {
            prop_assert_eq!(&changed[4..6], &bytes[4..6]);
        }
    }
}

/// RFC 9293 section 3.10.7 and RFC 5961 section 3.2: the numbers that each end accepts, in every position.
#[test]
fn rfc_5961_reset_numbers() {
    let numbers = |bytes: &[u8], to: Place, flags: TcpFlags| {
        let packet = IpPacket::parse(bytes).expect("a packet");
        let segment = TcpSegment::parse(packet.payload()).expect("a segment");
        let reset = build::reset(&packet.addresses(), &segment, to, flags).expect("a reset");
        let tcp = tcp_of(&reset);
        (tcp.sequence_number, tcp.ack.then_some(tcp.acknowledgment_number), tcp.destination_port)
    };
    let mut connection = Connection::new(4000);
    let syn = connection.segment(Outbound, SYN, &[]);
    assert_eq!(numbers(&syn, Place::Sender, TcpFlags::RST), (0, Some(1001), 4000), "a SYN must be acknowledged");
    assert_eq!(numbers(&syn, Place::ReceiverBefore, TcpFlags::RST_ACK), (1000, None, 443));
    connection.segment(Inbound, SYN_ACK, &[]);
    let data = connection.segment(Outbound, DATA, b"hello");
    assert_eq!(numbers(&data, Place::Sender, TcpFlags::RST), (50_001, None, 4000));
    assert_eq!(numbers(&data, Place::Sender, TcpFlags::RST_ACK), (50_001, Some(1006), 4000));
    assert_eq!(numbers(&data, Place::ReceiverBefore, TcpFlags::RST), (1001, None, 443));
    assert_eq!(numbers(&data, Place::ReceiverAfter, TcpFlags::RST_ACK), (1006, Some(50_001), 443));
}

/// RFC 1812 section 4.3.2.3 and RFC 4443 section 2.4: how much of the packet an error quotes.
#[test]
fn errors_quote_what_they_may() {
    for (mut connection, len) in [(Connection::new(1), 576), (Connection::v6(1), 1280)] {
        let packet = connection.segment(Outbound, DATA, &[7; 1400]);
        let parsed = IpPacket::parse(&packet).expect("a packet");
        let error = build::unreachable(&parsed, Rejection::AdministrativelyProhibited).expect("an error");
        assert_sound(&error);
        assert_eq!(error.len(), len);
        let error = IpPacket::parse(&error).expect("a packet");
        assert_eq!(error.payload()[8..], packet[..len - error.header_len() - 8]);
        assert_eq!(error.addresses(), parsed.addresses().reversed());
        assert!(build::unreachable(&error, Rejection::HostUnreachable).is_none(), "no error answers an error");
    }
}
