//! The dissectors against arbitrary bytes and real ones that were changed.

use crate::support::*;
use proptest::prelude::*;
use roadblock_censor::dissect::http::{Options, Parser, Reading, Stream, response};
use roadblock_censor::dissect::{
    dtls, fake_tls, fully_encrypted, mtproto, openvpn, socks, ssh, stun, whatsapp, wireguard,
};
use roadblock_censor::wire::ip::IpPacket;
use roadblock_censor::wire::rewrite::{PacketEnd, readdress};

const REAL: [&[u8]; 13] = [
    include_bytes!("../data/stun-rfc5769-request.bin"),
    include_bytes!("../data/wireguard-initiation.bin"),
    include_bytes!("../data/wireguard-data.bin"),
    include_bytes!("../data/openvpn-udp-reset.bin"),
    include_bytes!("../data/openvpn-udp-data.bin"),
    include_bytes!("../data/openvpn-tcp-reset.bin"),
    include_bytes!("../data/dtls-client-hello.bin"),
    include_bytes!("../data/ssh-banner.bin"),
    include_bytes!("../data/curl-request.bin"),
    include_bytes!("../data/curl-requests.bin"),
    include_bytes!("../data/curl-socks4a.bin"),
    include_bytes!("../data/curl-socks5.bin"),
    b"ED\x00\x01\x00\x00\x04abcdWA\x06\x03\x00\x00\x24",
];

/// What the dissectors of datagrams say.
fn of_datagram(bytes: &[u8]) -> [bool; 4] {
    [
        stun::Message::parse(bytes).is_some(),
        wireguard::Kind::parse(bytes).is_some(),
        openvpn::Kind::of_datagram(bytes).is_some(),
        dtls::is_client_hello(bytes),
    ]
}

/// What the dissectors of streams say.
fn of_stream(bytes: &[u8]) -> [Option<bool>; 5] {
    [
        whatsapp::is_chat(bytes),
        mtproto::is_plain_transport(bytes),
        ssh::is_banner(bytes),
        openvpn::Kind::opens(bytes),
        socks::greeting(bytes).holds(),
    ]
}

/// How many requests each kind of reader finds to be for one of these hosts, or to have a word in the target.
fn of_requests(bytes: &[u8]) -> [Option<bool>; 6] {
    let readers = [Parser::Exact, Parser::CaseInsensitive, Parser::Tolerant]
        .map(|parser| Options { parser, ..Options::default() });
    let host = readers.map(|options| {
        Stream::new(bytes, options).any(|request| request.hosts().any(|host| host.ends_with(b"agram.com")))
    });
    let short = Options { limit: 60, ..Options::default() };
    let target = [short, readers[0], readers[2]].map(|options| {
        Stream::new(bytes, options).any(|request| request.target.windows(3).any(|three| three == b"ost"))
    });
    [host[0], host[1], host[2], target[0], target[1], target[2]]
}

/// Each real datagram is of its protocol alone; `OpenVPN`, whose first byte is all that there is, may also be seen elsewhere.
#[test]
fn real_datagrams_are_told_apart() {
    let said: Vec<[bool; 3]> = REAL.iter().map(|bytes| of_datagram(bytes)).map(|[a, b, _, d]| [a, b, d]).collect();
    let none = [false; 3];
    let (stun, wireguard, dtls) = ([true, false, false], [false, true, false], [false, false, true]);
    assert_eq!(said, [stun, wireguard, wireguard, none, none, none, dtls, none, none, none, none, none, none]);
}

/// Each real stream is of its protocol alone, and the client hellos of TLS are of none.
#[test]
fn real_streams_are_told_apart() {
    let no = Some(false);
    assert_eq!(of_stream(REAL[5]), [no, no, no, Some(true), no]);
    assert_eq!(of_stream(REAL[7]), [no, no, Some(true), no, no]);
    assert_eq!(of_stream(REAL[12]), [Some(true), no, no, no, no]);
    for hello in [WHATSAPP_HELLO, INSTAGRAM_HELLO] {
        assert_eq!(of_stream(hello), [no; 5]);
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let changed = (prop::sample::select(REAL.to_vec()), changes, any::<prop::sample::Index>());
    let changed = changed.prop_map(|(real, changes, len)| {
        let mut bytes = real.to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.truncate(len.index(bytes.len() + 1));
        bytes
    });
    prop_oneof![changed, prop::collection::vec(any::<u8>(), 0..100)]
}

proptest! {
    /// No bytes make a dissector panic.
    #[test]
    fn dissectors_never_panic(bytes in bytes()) {
        let _ = (of_datagram(&bytes), of_stream(&bytes), openvpn::Kind::of_segment(&bytes));
        let amnezia = wireguard::Amnezia { junk: Some(1..=9), s1: 15, s2: u16::MAX, headers: [None, None, Some(1), Some(4)] };
        let _ = (amnezia.parse(&bytes), amnezia.may_be_junk(&bytes), fully_encrypted::exemption(&bytes));
        let _ = (socks::request_v5(&bytes), fake_tls::after_hello(&bytes));
        let answer = [b"HTTP/1.1 200 ", &bytes[..]].concat();
        for stream in [&answer, &bytes] {
            if let Reading::Is(response) = response(stream, 80) {
                prop_assert!(response.fields().count() <= 80);
            }
        }
    }

    /// What a stream's dissector has said stays said, however much more comes.
    #[test]
    fn stream_dissectors_are_monotone(bytes in bytes()) {
        let whole = of_stream(&bytes).into_iter().chain(of_requests(&bytes));
        for len in 0..bytes.len() {
            let cut = of_stream(&bytes[..len]).into_iter().chain(of_requests(&bytes[..len]));
            for (cut, whole) in cut.zip(whole.clone()) {
                prop_assert!(cut.is_none() || cut == whole, "cut at {len}: {cut:?}, whole {whole:?}");
            }
        }
    }

    /// RU-DNS-2: a datagram with another address is sound, differs nowhere else, and changed back is as it was.
    #[test]
    fn ru_dns_2_readdressing_is_undone(payload in prop::collection::vec(any::<u8>(), 0..80), port in any::<u16>(), is_v6 in any::<bool>(), at_source in any::<bool>()) {
        let texts = if is_v6 { ["2001:4860:4860::8888", "2a01:620:53::1"] } else { ["8.8.8.8", "195.208.6.1"] };
        let [asked, national] = texts.map(|text| text.parse().expect("an address"));
        let (direction, end) = if at_source { (Inbound, PacketEnd::Source) } else { (Outbound, PacketEnd::Destination) };
        let original = datagram_with(asked, direction, 5353, 53, &payload);
        let changed = readdress(&IpPacket::parse(&original).expect("a packet"), end, (national, port)).expect("changed");
        assert_sound(&changed);
        prop_assert_eq!(&changed, &datagram_with(national, direction, 5353, port, &payload));
        let back = readdress(&IpPacket::parse(&changed).expect("a packet"), end, (asked, 53)).expect("changed back");
        prop_assert_eq!(back, original);
    }
}

/// RFC 768: a datagram without a checksum stays one; what is no datagram in one piece or of the other family stays as it is.
#[test]
fn what_is_not_readdressed() {
    let to = ([195, 208, 6, 1].into(), 53);
    let mut datagram = datagram(Outbound, 5353, 53, b"query");
    datagram[26..28].fill(0);
    let changed =
        readdress(&IpPacket::parse(&datagram).expect("a packet"), PacketEnd::Destination, to).expect("changed");
    assert_eq!(changed[26..28], [0, 0]);
    let none =
        |bytes: &[u8], to| readdress(&IpPacket::parse(bytes).expect("a packet"), PacketEnd::Destination, to).is_none();
    assert!(none(&datagram, ("2a01:620:53::1".parse().expect("an address"), 53)));
    assert!(none(&Connection::new(4000).segment(Outbound, SYN, &[]), to));
    datagram[6] = 0x20;
    assert!(none(&datagram, to), "a fragment");
}
