//! What is read in the Initials of real QUIC clients and of the RFCs, with other programs as judges.

use proptest::prelude::*;
use roadblock_censor::dissect::quic::{
    Assembly, ClientKeys, JoinCrypto, Kind, Options, Packet, Version, crypto_frames, packets,
};
use roadblock_censor::dissect::tls::{Carrier, ClientHello, Hello};

const RFC_9001: &[u8] = include_bytes!("../data/rfc9001-client-initial.bin");
const RFC_9369: &[u8] = include_bytes!("../data/rfc9369-client-initial.bin");
const AIOQUIC: &[u8] = include_bytes!("../data/aioquic-initial-v1.bin");
const AIOQUIC_V2: &[u8] = include_bytes!("../data/aioquic-initial-v2.bin");
const BEFORE_RETRY: &[u8] = include_bytes!("../data/aioquic-initial-before-retry.bin");
const AFTER_RETRY: &[u8] = include_bytes!("../data/aioquic-initial-after-retry.bin");
const CHROMIUM: [&[u8]; 2] =
    [include_bytes!("../data/chromium-initial-1.bin"), include_bytes!("../data/chromium-initial-2.bin")];
const QUIC_GO: [&[u8]; 2] =
    [include_bytes!("../data/quic-go-initial-v1-1.bin"), include_bytes!("../data/quic-go-initial-v1-2.bin")];
const QUIC_GO_V2: [&[u8]; 2] =
    [include_bytes!("../data/quic-go-initial-v2-1.bin"), include_bytes!("../data/quic-go-initial-v2-2.bin")];

/// What a box says of one datagram after the other.
fn read(datagrams: &[&[u8]], options: &Options) -> Vec<Hello> {
    let mut assembly = Assembly::default();
    datagrams.iter().map(|datagram| assembly.add(datagram, options)).collect()
}

fn hello(said: &Hello) -> &ClientHello {
    match said {
        Hello::ClientHello(hello) => hello,
        other => panic!("{other:?}"),
    }
}

fn name(said: &Hello) -> Option<&str> {
    hello(said).sni.as_deref()
}

/// RFC 9001 and RFC 9369, appendix A: the packets open, each by its own version's keys, and hold the `ClientHello`.
#[test]
fn rfc_9001_a_2_and_rfc_9369_a_2() {
    for (bytes, version, other) in [(RFC_9001, Version::V1, Version::V2), (RFC_9369, Version::V2, Version::V1)] {
        let packet = Packet::parse(bytes).expect("a packet");
        assert_eq!((packet.header.version, packet.bytes.len()), (version.number(), 1200));
        assert_eq!(packet.header.kind, Kind::Initial { token: &[] });
        let keys = |version| ClientKeys::derive(version, packet.header.destination).expect("keys");
        assert_eq!(keys(other).open(&packet), None);
        let frames = keys(version).open(&packet).expect("frames");
        assert_eq!(frames.len(), 1162);
        assert_eq!(crypto_frames(&frames).map(|frame| frame.data.len()).collect::<Vec<_>>(), [241]);
        let said = read(&[bytes], &Options::default());
        assert_eq!(name(&said[0]), Some("example.com"));
        assert_eq!(hello(&said[0]).length, 241);
    }
}

/// An Initial of which a byte was changed opens no more, wherever the byte lies.
#[test]
fn changed_initials_do_not_open() {
    for at in [0, 6, 14, 20, 30, 600, 1199] {
        let mut bytes = RFC_9001.to_vec();
        bytes[at] ^= 1;
        assert_eq!(read(&[&bytes], &Options::default()), [Hello::Incomplete], "byte {at}");
    }
}

/// Real clients, JA4 as ja4plus 1.4.0 of `PyPI` has them of the same bytes; Chromium and quic-go need two datagrams.
#[test]
fn real_clients() {
    let options = Options::default();
    for (datagrams, ja4) in [
        (&[AIOQUIC][..], "q13d0307h3_55b375c5d22e_1cecd519fee8"),
        (&[AIOQUIC_V2], "q13d0307h3_55b375c5d22e_1cecd519fee8"),
        (&CHROMIUM, "q13d0312h3_55b375c5d22e_178839b6cec1"),
        (&QUIC_GO, "q13d0313h3_55b375c5d22e_f902b76752af"),
        (&QUIC_GO_V2, "q13d0313h3_55b375c5d22e_f902b76752af"),
    ] {
        let said = read(datagrams, &options);
        let (last, before) = said.split_last().expect("a datagram");
        assert_eq!((name(last), hello(last).ja4(Carrier::Quic).as_str()), (Some("www.instagram.com"), ja4));
        assert!(before.iter().all(|said| *said == Hello::Incomplete));
        assert!(hello(last).offers_protocol("h3"));
    }
}

/// GFW-QUIC-1: a box that looks at the first datagram alone, or at the first CRYPTO frame alone, sees aioquic's name and
/// neither Chromium's nor quic-go's.
#[test]
fn gfw_quic_1_first_datagram_and_first_frame() {
    let first_datagram = Options { datagrams: 1, ..Options::default() };
    let first_frame = Options { crypto: JoinCrypto::FirstFrame, ..Options::default() };
    for options in [first_datagram, first_frame] {
        assert_eq!(name(&read(&[AIOQUIC], &options)[0]), Some("www.instagram.com"));
        for datagrams in [CHROMIUM, QUIC_GO] {
            let said = read(&datagrams, &options);
            assert!(said.iter().all(|said| !matches!(said, Hello::ClientHello(_))), "{said:?}");
        }
    }
}

/// GFW-QUIC-1: any datagram in front of the Initial uses up the one that the box looks at.
#[test]
fn gfw_quic_1_a_datagram_in_front() {
    for limit in [1, 2] {
        let options = Options { datagrams: limit, ..Options::default() };
        let said = read(&[b"anything", AIOQUIC], &options);
        assert_eq!(matches!(said[1], Hello::ClientHello(_)), limit == 2);
        assert_eq!(said[0], if limit == 1 { Hello::NotTls } else { Hello::Incomplete });
    }
}

/// A `ClientHello` that was found is known again when it is repeated, however late.
#[test]
fn repetitions_are_known() {
    let options = Options { datagrams: 1, ..Options::default() };
    let said = read(&[AIOQUIC, b"anything", b"anything", AIOQUIC], &options);
    let found: Vec<_> = said.iter().map(|said| matches!(said, Hello::ClientHello(_))).collect();
    assert_eq!(found, [true, false, false, true]);
}

/// GFW-QUIC-1: to a version that is not among its own a box is blind.
#[test]
fn gfw_quic_1_versions() {
    let options = Options { versions: vec![Version::V1], ..Options::default() };
    assert_eq!(name(&read(&[RFC_9001], &options)[0]), Some("example.com"));
    assert_eq!(read(&[RFC_9369], &options), [Hello::Incomplete]);
    let mut unknown = RFC_9001.to_vec();
    unknown[1..5].copy_from_slice(&0xff00_001d_u32.to_be_bytes());
    assert_eq!(read(&[&unknown], &Options::default()), [Hello::Incomplete]);
}

/// RFC 9001 section 5.2: after a Retry the keys come from the id that the server chose, and the handshake begins anew.
#[test]
fn rfc_9001_5_2_retry() {
    let mut assembly = Assembly::default();
    for (datagram, is_retried) in [(BEFORE_RETRY, false), (BEFORE_RETRY, false), (AFTER_RETRY, true)] {
        assert_eq!(name(&assembly.add(datagram, &Options::default())), Some("www.instagram.com"));
        assert_eq!(assembly.is_retried(), is_retried);
    }
    // A box that comes late knows the new keys as well.
    assert_eq!(name(&read(&[AFTER_RETRY], &Options::default())[0]), Some("www.instagram.com"));
}

/// An Initial of another connection in front, as nfqws sends them to deceive, does not hide the one behind it from a box that
/// reads both.
#[test]
fn decoys_in_front() {
    let said = read(&[RFC_9001, AIOQUIC], &Options::default());
    assert_eq!(said.iter().map(name).collect::<Vec<_>>(), [Some("example.com"), Some("www.instagram.com")]);
}

/// RFC 9000 section 12.2: an Initial behind another packet of the same datagram is read.
#[test]
fn coalesced_packets() {
    let early = [&[0xd0, 0, 0, 0, 1, 8][..], &AIOQUIC[6..14], &[0, 3, 1, 2, 3]].concat();
    let datagram = [&early[..], AIOQUIC].concat();
    assert_eq!(packets(&datagram).map(|packet| packet.header.kind).collect::<Vec<_>>()[..1], [Kind::ZeroRtt]);
    assert_eq!(name(&read(&[&datagram], &Options::default())[0]), Some("www.instagram.com"));
    let mut of_another = datagram.clone();
    of_another[6] ^= 1;
    assert_eq!(read(&[&of_another], &Options::default()), [Hello::Incomplete]);
}

proptest! {
    /// Whatever is changed in real datagrams, cut, and in whatever order they come, nothing panics.
    #[test]
    fn assembly_never_panics(
        order in prop::collection::vec(prop::sample::select(vec![AIOQUIC, AFTER_RETRY, CHROMIUM[0], CHROMIUM[1], QUIC_GO[0], RFC_9369]), 1..5),
        changes in prop::collection::vec((0..40usize, any::<u8>()), 0..3),
        len in 0..1300usize,
        is_joining in any::<bool>(),
    ) {
        let crypto = if is_joining { JoinCrypto::Join } else { JoinCrypto::FirstFrame };
        let options = Options { crypto, ..Options::default() };
        let mut assembly = Assembly::default();
        for (place, real) in order.into_iter().enumerate() {
            let mut bytes = real.to_vec();
            if place % 2 == 0 {
                for (at, byte) in &changes {
                    bytes[*at] = *byte;
                }
                bytes.truncate(len);
            }
            let _ = assembly.add(&bytes, &options);
        }
    }

    /// Nor do arbitrary frames, packets and datagrams.
    #[test]
    fn readers_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100), version in prop::sample::select(vec![0u32, 1, 0x6b33_43cf, 9])) {
        let _ = crypto_frames(&bytes).count();
        let datagram = [&[bytes.first().map_or(0xc0, |byte| byte | 0x80)], &version.to_be_bytes()[..], &bytes].concat();
        let _ = packets(&datagram).count();
        let _ = Assembly::default().add(&datagram, &Options::default());
    }
}
