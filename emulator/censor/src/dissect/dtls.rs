//! The `ClientHello` of DTLS (RFC 6347 sections 4.1 and 4.2, RFC 9147 section 5), with which the media of a WebRTC call begin.

use super::tls::{Form, Hello, Reader, parse_hello};
use crate::flow::reassembly::Reassembly;
use crate::wire::u16_at;

/// Whether a datagram begins with a record that begins a `ClientHello`.
pub fn is_client_hello(datagram: &[u8]) -> bool {
    // Type, version, epoch, sequence number and length; then the handshake message's type.
    let is_record = datagram.first() == Some(&HANDSHAKE)
        && matches!(u16_at(datagram, 1), Some(DTLS_1_0 | DTLS_1_2))
        && u16_at(datagram, 3) == Some(0)
        && u16_at(datagram, 11).is_some_and(|length| usize::from(length) <= datagram.len() - RECORD_HEADER_LEN);
    is_record && datagram.get(RECORD_HEADER_LEN) == Some(&CLIENT_HELLO)
}

/// Reads the `ClientHello` in one datagram: see [`Assembly::add`].
pub fn client_hello(datagram: &[u8]) -> Hello {
    Assembly::default().add(datagram)
}

/// One flow's `ClientHello` as far as its fragments are there: at most 16 KiB.
#[derive(Clone, Debug, Default)]
pub struct Assembly {
    message: Option<Message>,
}

impl Assembly {
    /// Adds a datagram of the client, which may hold fragments of its `ClientHello` in one record or several. `ClientHello`
    /// where this one completes it, `Incomplete` where a part of it is missing, which another datagram may hold, `NotTls`
    /// where this one holds none of it. The length is that of the records that it took of this datagram; where the name lies
    /// is counted from the beginning of the datagram, and not known of a message in fragments.
    pub fn add(&mut self, datagram: &[u8]) -> Hello {
        let mut rest = Reader::new(datagram);
        let mut said = Hello::NotTls;
        while let Some(mut record) = take_record(&mut rest) {
            while !record.is_empty() {
                let Some(fragment) = Fragment::take(&mut record) else {
                    return Hello::NotTls;
                };
                // A client that was asked for a cookie begins anew.
                let message = match self.message.take().filter(|message| message.has(&fragment)) {
                    Some(mut message) => {
                        message.bytes.add(fragment.offset, fragment.data);
                        message
                    }
                    None => Message::new(&fragment),
                };
                if let Some(hello) = message.read(rest.at()) {
                    return hello;
                }
                self.message = Some(message);
                said = Hello::Incomplete;
            }
        }
        said
    }
}

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const DTLS_1_0: u16 = 0xfeff;
const DTLS_1_2: u16 = 0xfefd;
const RECORD_HEADER_LEN: usize = 13;
/// More than any datagram carries of a `ClientHello`, in bytes.
const MAX_HELLO_LEN: usize = 1 << 14;

/// Takes a record of a handshake in the clear off a datagram.
fn take_record<'a>(rest: &mut Reader<'a>) -> Option<Reader<'a>> {
    let content = rest.u8()?;
    let version = rest.u16()?;
    let epoch = rest.u16()?;
    rest.take(6)?; // The sequence number.
    let fragments = rest.vector16()?;
    let is_right = content == HANDSHAKE && matches!(version, DTLS_1_0 | DTLS_1_2) && epoch == 0;
    is_right.then_some(fragments)
}

/// A piece of a handshake message (RFC 6347 section 4.2.2).
struct Fragment<'a> {
    /// How long the message is.
    message_len: usize,
    /// Which of the client's messages it is.
    sequence: u16,
    /// Where in the message it lies.
    offset: i32,
    /// Where in the datagram it lies.
    at: usize,
    data: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// Takes a piece of a `ClientHello` off a record.
    fn take(record: &mut Reader<'a>) -> Option<Self> {
        let kind = record.u8()?;
        let message_len = usize::try_from(record.u24()?).ok()?;
        let sequence = record.u16()?;
        let offset = record.u24()?;
        let data = record.vector24()?;
        let end = usize::try_from(offset).ok()?.checked_add(data.rest().len())?;
        let is_right = kind == CLIENT_HELLO && message_len <= MAX_HELLO_LEN && end <= message_len;
        let offset = i32::try_from(offset).ok().filter(|_| is_right)?;
        Some(Self { message_len, sequence, offset, at: data.at(), data: data.rest() })
    }
}

/// A `ClientHello` as far as its pieces are there.
#[derive(Clone, Debug)]
struct Message {
    len: usize,
    sequence: u16,
    bytes: Reassembly,
    /// Where in its datagram a message in one piece begins.
    at: Option<usize>,
}

impl Message {
    fn new(first: &Fragment<'_>) -> Self {
        let mut bytes = Reassembly::new(MAX_HELLO_LEN);
        bytes.add(first.offset, first.data);
        let at = Some(first.at).filter(|_| first.data.len() == first.message_len);
        Self { len: first.message_len, sequence: first.sequence, bytes, at }
    }

    /// Whether a piece is one of this message.
    fn has(&self, fragment: &Fragment<'_>) -> bool {
        (fragment.message_len, fragment.sequence) == (self.len, self.sequence)
    }

    /// What the message is once it is whole, of records that took so many bytes of the datagram.
    fn read(&self, taken: usize) -> Option<Hello> {
        let bytes = self.bytes.contiguous();
        if bytes.len() < self.len {
            return None;
        }
        let Some(mut hello) = parse_hello(bytes, Form::Datagram) else {
            return Some(Hello::NotTls);
        };
        hello.length = taken;
        hello.sni_at = hello.sni_at.zip(self.at).map(|(place, at)| place.start + at..place.end + at);
        Some(Hello::ClientHello(Box::new(hello)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dissect::tls::{Carrier, ClientHello};

    const OPENSSL: &[u8] = include_bytes!("../../tests/data/dtls-client-hello.bin");
    const OPENSSL_SNI: &[u8] = include_bytes!("../../tests/data/dtls-client-hello-sni.bin");
    const OPENSSL_1_0: &[u8] = include_bytes!("../../tests/data/dtls10-client-hello.bin");
    const PION_2: &[u8] = include_bytes!("../../tests/data/pion-dtls-v2-client-hello.bin");
    const PION_3: &[u8] = include_bytes!("../../tests/data/pion-dtls-v3-client-hello.bin");
    const FRAGMENTS: [&[u8]; 2] = [
        include_bytes!("../../tests/data/dtls-client-hello-fragment-1.bin"),
        include_bytes!("../../tests/data/dtls-client-hello-fragment-2.bin"),
    ];

    fn read(datagram: &[u8]) -> ClientHello {
        match client_hello(datagram) {
            Hello::ClientHello(hello) => *hello,
            other => panic!("{other:?}"),
        }
    }

    /// What OpenSSL sent, and every change of a byte that counts.
    #[test]
    fn reads_a_real_hello() {
        for real in [OPENSSL, OPENSSL_SNI, OPENSSL_1_0, PION_2, PION_3, FRAGMENTS[0]] {
            assert!(is_client_hello(real));
        }
        for at in [0, 1, 2, 3, 4, 11, 13] {
            let mut changed = OPENSSL.to_vec();
            changed[at] ^= 0x10;
            assert!(!is_client_hello(&changed), "byte {at}");
            assert_eq!(client_hello(&changed), Hello::NotTls, "byte {at}");
        }
        for len in 0..OPENSSL.len() {
            assert!(!is_client_hello(&OPENSSL[..len]), "cut at {len}");
            assert_eq!(client_hello(&OPENSSL[..len]), Hello::NotTls, "cut at {len}");
        }
    }

    /// RU-DTLS-2: JA3 as tshark 4.0.17 has them (`dtls.handshake.ja3`); JA4 made of tshark's fields by a script, since no
    /// program at hand makes them of DTLS. Each version of pion/dtls has its own.
    #[test]
    fn ru_dtls_2_fingerprints() {
        for (datagram, ja3, ja4) in [
            (OPENSSL, "f1bce39cbcf6d731907f687af766e975", "dd2i280600_d943125447b4_e7e480e5a997"),
            (OPENSSL_SNI, "248a2544f4221c0f02f877e42fe67853", "dd2d280700_d943125447b4_e7e480e5a997"),
            (OPENSSL_1_0, "1987a4c923e73e2cb858c80c0a8ed8fc", "dd1i090500_c491f621fb4c_195413a0cc0f"),
            (PION_2, "bf2af86a469f04b1d72fc5c154f6548b", "dd2i060500_b94582744588_8044892e9116"),
            (PION_3, "f5cf912124e4a595c34bcacbffc13361", "dd2i080500_df5057009e57_861c66034698"),
        ] {
            let hello = read(datagram);
            assert_eq!((hello.ja3().hash.as_str(), hello.ja4(Carrier::Dtls).as_str()), (ja3, ja4));
            assert_eq!(hello.length, datagram.len());
        }
        let hello = read(OPENSSL_SNI);
        assert_eq!(hello.sni.as_deref(), Some("web.whatsapp.com"));
        assert_eq!(&OPENSSL_SNI[hello.sni_at.expect("a name")], b"web.whatsapp.com");
    }

    /// RU-DTLS-2: a client that offers DTLS 1.3 does so in an extension, as RFC 9147 section 5.3 says.
    #[test]
    fn ru_dtls_2_version_1_3() {
        assert_eq!(read(PION_3).version(), 0xfefd);
        // The extension of the versions in place of extended_master_secret, which is empty and the last.
        let mut datagram = PION_3.to_vec();
        assert_eq!(datagram.split_off(PION_3.len() - 4), [0, 0x17, 0, 0]);
        datagram.extend([0, 43, 0, 3, 2, 0xfe, 0xfc]);
        for at in [12, 16, 24, 82] {
            datagram[at] += 3;
        }
        let hello = read(&datagram);
        assert_eq!(hello.version(), 0xfefc);
        assert!(hello.ja4(Carrier::Dtls).starts_with("dd3i0805"));
    }

    /// RFC 6347 section 4.2.3: OpenSSL's `ClientHello` in two fragments is whole with the second of them, in one datagram or
    /// two, in either order.
    #[test]
    fn fragments_in_one_datagram_and_in_two() {
        let [one, two] = FRAGMENTS;
        assert_eq!([one, two].map(client_hello), [Hello::Incomplete, Hello::Incomplete]);
        let (joined, turned) = (read(&[one, two].concat()), read(&[two, one].concat()));
        assert_eq!(joined.sni.as_deref(), Some("web.whatsapp.com"));
        assert_eq!(joined.ja3(), turned.ja3());
        assert_eq!(joined.ja3(), read(OPENSSL_SNI).ja3());
        for order in [[one, two], [two, one]] {
            let mut assembly = Assembly::default();
            let [before, after] = order.map(|datagram| assembly.add(datagram));
            assert_eq!(before, Hello::Incomplete);
            assert!(matches!(after, Hello::ClientHello(hello) if hello.ja3() == joined.ja3()));
            assert_eq!(assembly.add(one), Hello::Incomplete, "what was whole is forgotten");
        }
    }

    /// RFC 6347 section 4.2.2: pieces of another message, or that lie past its end, are none of it.
    #[test]
    fn fragments_that_do_not_belong() {
        let [one, two] = FRAGMENTS;
        for (at, change, expected) in [(16, 2, Hello::Incomplete), (18, 1, Hello::Incomplete), (21, 4, Hello::NotTls)] {
            let mut other = two.to_vec();
            other[at] ^= change;
            assert_eq!(client_hello(&[one, &other].concat()), expected, "byte {at}");
        }
    }

    /// RFC 6347 section 4.2.1: a cookie, which a server asks for, changes no fingerprint.
    #[test]
    fn rfc_6347_4_2_1_cookie() {
        let cookie_at = 25 + 2 + 32 + 1;
        let mut datagram = PION_2.to_vec();
        datagram.splice(cookie_at..=cookie_at, [4, 1, 2, 3, 4]);
        for at in [12, 16, 24] {
            datagram[at] += 4;
        }
        assert_eq!(read(&datagram).ja3(), read(PION_2).ja3());
        // A client that begins anew numbers its messages on.
        datagram[18] = 1;
        let mut assembly = Assembly::default();
        assert_eq!(assembly.add(FRAGMENTS[0]), Hello::Incomplete);
        assert!(matches!(assembly.add(&datagram), Hello::ClientHello(_)));
    }

    proptest! {
        /// A `ClientHello` in two records or in two fragments of one, wherever it is cut, is the same but for its place.
        #[test]
        fn fragments_are_joined(real in prop::sample::select(vec![OPENSSL_SNI, OPENSSL_1_0, PION_3]), at in any::<prop::sample::Index>(), in_one_record in any::<bool>()) {
            let body = &real[25..];
            let at = at.index(body.len());
            let fragment = |from: usize, to: usize| {
                let u24 = |number: usize| [0, (number >> 8) as u8, number as u8];
                [&real[13..19], &u24(from), &u24(to - from), &body[from..to]].concat()
            };
            let record = |fragments: &[u8]| [&real[..11], &(fragments.len() as u16).to_be_bytes(), fragments].concat();
            let (one, two) = (fragment(0, at), fragment(at, body.len()));
            let datagram = if in_one_record { record(&[one, two].concat()) } else { [record(&one), record(&two)].concat() };
            let whole = read(real);
            let joined = read(&datagram);
            prop_assert_eq!(joined.length, datagram.len());
            prop_assert_eq!(ClientHello { length: whole.length, sni_at: whole.sni_at.clone(), ..joined }, whole);
        }

        /// No bytes make it panic.
        #[test]
        fn never_panics(
            real in prop::sample::select(vec![OPENSSL_SNI, PION_2, FRAGMENTS[0], FRAGMENTS[1]]),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            len in any::<prop::sample::Index>(),
            more in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut bytes = real.to_vec();
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            bytes.truncate(len.index(bytes.len() + 1));
            let _ = (client_hello(&bytes), client_hello(&more), is_client_hello(&bytes));
            bytes.extend(more);
            let _ = client_hello(&bytes);
        }
    }
}
