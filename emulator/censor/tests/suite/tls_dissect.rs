//! What is read in the `ClientHello`s of real programs, with other programs as judges.

use proptest::prelude::*;
use roadblock_censor::dissect::tls::{
    Carrier, ClientHello, Hello, JoinRecords, Options, RecordVersion, client_hello, handshake, is_server_hello,
    server_names,
};

const CURL: &[u8] = include_bytes!("../data/curl-client-hello.bin");
const OPENSSL: &[u8] = include_bytes!("../data/openssl-client-hello.bin");
const CHROMIUM: &[u8] = include_bytes!("../data/chromium-client-hello.bin");
const CHROME_131: &[u8] = include_bytes!("../data/chrome131-client-hello.bin");
const FIREFOX_133: &[u8] = include_bytes!("../data/firefox133-client-hello.bin");
const GO_AES: &[u8] = include_bytes!("../data/go-client-hello-aes.bin");
const GO_CHACHA: &[u8] = include_bytes!("../data/go-client-hello-chacha.bin");
const GO_TLS12: &[u8] = include_bytes!("../data/go-client-hello-tls12.bin");
const FLIGHT: &[u8] = include_bytes!("../data/openssl-server-flight-tls12.bin");

fn read(stream: &[u8]) -> ClientHello {
    match client_hello(stream, &Options::default()) {
        Hello::ClientHello(hello) => *hello,
        other => panic!("{other:?}"),
    }
}

/// JA3 as tshark 4.0.17 has them (`tls.handshake.ja3`), JA4 as ja4plus 1.4.0 of `PyPI` does, of the same bytes.
#[test]
fn fingerprints_are_those_of_other_programs() {
    for (hello, ja3, ja4) in [
        (CURL, "0149f47eabf9a20d0893e2a44e5a6323", "t13d3112h2_e8f1e7e78f70_b26ce05bbdd6"),
        (OPENSSL, "a3afc2c46ba4a7d7fbe1cfb7a3031c2f", "t13d311000_e8f1e7e78f70_1f22a2ca17c4"),
        (CHROMIUM, "aac1a8899dcfd128cf1bb6c8f0bba889", "t13d1517h2_8daaf6152771_cb7bf5808d99"),
        (CHROME_131, "e37d0c517fb52078c90b3af05eca2e36", "t13d1516h2_8daaf6152771_02713d6af862"),
        (FIREFOX_133, "2d692a4485ca2f5f2b10ecb2d2909ad3", "t13d1716h2_5b57614c22b0_eeeea6562960"),
        (GO_AES, "03117a8ed39ef02427ebbc39f121275c", "t13d1312h2_f57a46bbacb6_ab7e3b40a677"),
        (GO_CHACHA, "7d095856c1a82e1d950c2f850b01738c", "t13d1312h2_f57a46bbacb6_ab7e3b40a677"),
        (GO_TLS12, "56b1a25a33c2c8ddedc25af497f1c47c", "t12d101000_a8cf61a50a39_a92c7c6a82fe"),
    ] {
        let hello = read(hello);
        assert_eq!((hello.ja3().hash.as_str(), hello.ja4(Carrier::Tcp).as_str()), (ja3, ja4));
    }
}

/// IR-TLSFP-1: a Go program that puts AES-GCM first and one that puts `ChaCha20` first differ in their JA3 and not in their
/// JA4, which sorts the ciphers.
#[test]
fn ir_tlsfp_1_cipher_order_is_in_the_ja3() {
    let [aes, chacha] = [GO_AES, GO_CHACHA].map(read);
    assert_eq!((aes.cipher_suites[0], chacha.cipher_suites[0]), (0xc02b, 0xcca9));
    assert_ne!(aes.ja3(), chacha.ja3());
    assert_eq!(aes.ja4(Carrier::Tcp), chacha.ja4(Carrier::Tcp));
}

/// TSPU-15: Chromium sends the ECH extension without being told to, curl does not; nobody sends ESNI any more.
#[test]
fn tspu_15_ech_extension() {
    for (hello, ech) in [(CHROMIUM, true), (CHROME_131, true), (FIREFOX_133, true), (CURL, false), (GO_AES, false)] {
        let hello = read(hello);
        assert_eq!((hello.ech, hello.esni), (ech, false), "{:?}", hello.sni);
    }
}

/// GFW-ESNI: the extension 0xffce, and not those of later drafts.
#[test]
fn gfw_esni_extension() {
    for (kind, esni) in [(0xffce, true), (0xff02, false), (0xff03, false), (0xff04, false), (0xfe0d, false)] {
        let hello = read(&with_extension(OPENSSL, kind, &[0; 100]));
        assert_eq!(hello.esni, esni, "{kind:#x}");
        assert_eq!(hello.sni.as_deref(), Some("web.whatsapp.com"));
    }
}

/// What Chromium offers.
#[test]
fn offers() {
    let hello = read(CHROMIUM);
    assert_eq!(hello.sni.as_deref(), Some("redirector.gvt1.com"));
    assert!(hello.offers_protocol("h2") && hello.offers_protocol("http/1.1") && !hello.offers_protocol("h3"));
    assert!(hello.offers(0x0304) && hello.offers(0x0303) && !hello.offers(0x0302));
    assert_eq!(hello.version(), 0x0304);
    assert_eq!(read(GO_TLS12).version(), 0x0303);
    assert!(hello.groups.contains(&0x11ec), "X25519MLKEM768");
    assert_eq!(&CHROMIUM[hello.sni_at.expect("a name")], b"redirector.gvt1.com");
}

/// The same `ClientHello` in one record with one more extension at its end.
fn with_extension(stream: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = stream.to_vec();
    bytes.extend(kind.to_be_bytes());
    bytes.extend((data.len() as u16).to_be_bytes());
    bytes.extend(data);
    let more = data.len() + 4;
    let extensions_at = extensions_at(stream);
    for at in [3, 7, extensions_at] {
        let len = usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]])) + more;
        bytes[at..at + 2].copy_from_slice(&(len as u16).to_be_bytes());
    }
    bytes
}

/// Where the length of the extensions lies.
fn extensions_at(stream: &[u8]) -> usize {
    let suites = 44 + usize::from(stream[43]);
    let compression = suites + 2 + usize::from(u16::from_be_bytes([stream[suites], stream[suites + 1]]));
    compression + 1 + usize::from(stream[compression])
}

fn options() -> impl Strategy<Value = Options> {
    let records = prop::sample::select(vec![JoinRecords::Join, JoinRecords::First]);
    let version = prop::sample::select(vec![RecordVersion::Any, RecordVersion::Strict]);
    (records, version).prop_map(|(records, version)| Options { records, version, ..Options::default() })
}

proptest! {
    /// Whatever is changed in real bytes, nothing panics, and cutting never turns a verdict into its opposite.
    #[test]
    fn readers_are_monotone(
        real in prop::sample::select(vec![CURL, CHROMIUM, FIREFOX_133, GO_TLS12, FLIGHT]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        len in any::<prop::sample::Index>(),
        options in options(),
    ) {
        let mut bytes = real.to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let part = &bytes[..len.index(bytes.len())];
        let (cut, whole) = (client_hello(part, &options), client_hello(&bytes, &options));
        prop_assert!(cut == Hello::Incomplete || cut == whole, "{cut:?}, then {whole:?}");
        if let Hello::ClientHello(hello) = whole {
            let _ = (hello.ja3(), hello.ja4_raw(Carrier::Quic), hello.version());
        }
        let (cut, whole) = (server_names(part), server_names(&bytes));
        prop_assert!(cut == roadblock_censor::dissect::tls::ServerNames::Incomplete || cut == whole, "{cut:?}, then {whole:?}");
        let (cut, whole) = (is_server_hello(part), is_server_hello(&bytes));
        prop_assert!(cut.is_none() || cut == whole);
    }

    /// A `ClientHello` in two records, wherever it is cut, is the same but for where things lie.
    #[test]
    fn records_are_joined(real in prop::sample::select(vec![CURL, CHROMIUM, FIREFOX_133]), at in any::<prop::sample::Index>()) {
        let message = &real[5..];
        let (one, two) = message.split_at(1 + at.index(message.len() - 1));
        let record = |part: &[u8]| [&[22, 3, 1, (part.len() >> 8) as u8, part.len() as u8], part].concat();
        let (joined, whole) = (read(&[record(one), record(two)].concat()), read(real));
        prop_assert_eq!(joined.length, whole.length + 5);
        prop_assert_eq!(ClientHello { length: whole.length, sni_at: whole.sni_at.clone(), ..joined }, whole);
    }

    /// No bytes make a reader panic.
    #[test]
    fn readers_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0..3u8) {
        let stream = [&[22, 3, 1, 0, bytes.len() as u8, kind, 0, 0], &bytes[..]].concat();
        let _ = (client_hello(&stream, &Options::default()), server_names(&stream), is_server_hello(&stream));
        let _ = (handshake(&stream[5..]), handshake(&bytes));
    }
}
