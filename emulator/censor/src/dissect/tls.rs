//! What a censor reads in a stream of TLS: the `ClientHello` (RFC 8446 section 4.1.2) inside its records (section 5.1).
//!
//! The parser is structural, as the TSPU's is measured to be: changing a type or a length breaks the match, changing a
//! cipher does not (TSPU-12).

use std::borrow::Cow;

pub use certificate::{ServerNames, is_server_hello, server_names};
pub use fingerprint::{Carrier, Ja3};
pub use hello::{ClientHello, is_grease};
pub(crate) use hello::{Form, parse as parse_hello};
pub use inner::{InnerGuess, Turns};
pub(crate) use reader::Reader;
pub use record::{RECORD_HEADER_LEN, Record, RecordHeader, RecordVersion, Records, content};

mod certificate;
mod fingerprint;
mod hello;
mod inner;
mod reader;
mod record;

/// How a box reads TLS.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Options {
    /// What it makes of a `ClientHello` in several records.
    pub records: JoinRecords,
    /// Which versions of a record it takes for TLS.
    pub version: RecordVersion,
    /// How much of a `ClientHello` it needs.
    pub hello: HelloNeed,
}

/// How much of a `ClientHello` a box needs to see at once.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum HelloNeed {
    /// All of it: one that is padded past the end of a segment is none to a box that puts no segments together (TSPU-12).
    #[default]
    Whole,
    /// Its beginning as far as the name (TSPU-12b, the TSPU since 2024). What comes after is not known then.
    Cut,
}

/// What a box makes of a handshake message in several records.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum JoinRecords {
    /// It puts it together.
    #[default]
    Join,
    /// A `ClientHello` that is not whole in its first record is none (TSPU-12; weakness `tlsrec` of zapret).
    First,
    /// It puts together the records that one segment holds whole, and of a stream out of several segments reads the first
    /// alone: segments and records hide nothing, both at once do (TSPU-12b).
    InSegment,
}

/// What the first bytes of a stream are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Hello {
    /// No `ClientHello`, whatever may follow.
    NotTls,
    /// The beginning of one, as far as can be seen.
    Incomplete,
    /// A whole one, or as much of one as the box needs.
    ClientHello(Box<ClientHello>),
}

/// Reads the first bytes of a stream.
pub fn client_hello(stream: &[u8], options: &Options) -> Hello {
    let mut records = Records::new(stream, options.version);
    let mut message = Message::default();
    loop {
        match records.next_of(&[content::HANDSHAKE]) {
            Record::Whole { fragment, at, .. } => message.add(fragment, at),
            Record::Cut { header, fragment } => {
                let seen = message.bytes.first().or(fragment.first());
                let begins = seen.is_none_or(|kind| *kind == CLIENT_HELLO);
                // The first record may say already that it does not hold it all.
                let is_short = options.records != JoinRecords::Join
                    && header.is_some_and(|header| declared_len(fragment).is_some_and(|len| len > header.length));
                let so_far = if begins && !is_short { Hello::Incomplete } else { Hello::NotTls };
                message.add(fragment, records.taken() + RECORD_HEADER_LEN);
                return message.cut(stream.len(), *options).filter(|_| begins).unwrap_or(so_far);
            }
            Record::Other => return Hello::NotTls,
        }
        match handshake(&message.bytes) {
            Hello::ClientHello(hello) => {
                let sni_at = hello.sni_at.as_ref().map(|at| message.place(at.start)..message.place(at.end - 1) + 1);
                return Hello::ClientHello(Box::new(ClientHello { length: records.taken(), sni_at, ..*hello }));
            }
            Hello::Incomplete if options.records == JoinRecords::Join => {}
            Hello::Incomplete => return message.cut(stream.len(), *options).unwrap_or(Hello::NotTls),
            Hello::NotTls => return Hello::NotTls,
        }
    }
}

/// Reads a handshake message without records, as in QUIC. Places are counted from its beginning.
pub fn handshake(message: &[u8]) -> Hello {
    if message.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
        return Hello::NotTls;
    }
    let Some(len) = declared_len(message) else {
        return Hello::Incomplete;
    };
    if len > MAX_HELLO_LEN {
        return Hello::NotTls;
    }
    match message.len() {
        have if have < len => Hello::Incomplete,
        // A ClientHello is the last thing in its record: the client has nothing more to say before the answer.
        have if have > len => Hello::NotTls,
        _ => hello::parse(&message[HEADER_LEN..], Form::Stream).map_or(Hello::NotTls, |hello| {
            let sni_at = hello.sni_at.as_ref().map(|at| at.start + HEADER_LEN..at.end + HEADER_LEN);
            Hello::ClientHello(Box::new(ClientHello { length: len, sni_at, ..hello }))
        }),
    }
}

const CLIENT_HELLO: u8 = 1;
/// How long a handshake message's header is, in bytes.
const HEADER_LEN: usize = 4;
/// More than any `ClientHello` can hold: its variable fields have lengths of at most 16 bits.
const MAX_HELLO_LEN: usize = 3 << 16;

/// How long a handshake message says that it is, with its header.
fn declared_len(message: &[u8]) -> Option<usize> {
    let [_, high, middle, low] = message.first_chunk::<HEADER_LEN>()?;
    Some(u32::from_be_bytes([0, *high, *middle, *low]) as usize + HEADER_LEN)
}

/// The joined fragments of records, copied only where there are several.
#[derive(Default)]
struct Message<'a> {
    bytes: Cow<'a, [u8]>,
    /// Where each fragment begins: in the message, and in the stream.
    fragments: Vec<(usize, usize)>,
}

impl<'a> Message<'a> {
    fn add(&mut self, fragment: &'a [u8], at: usize) {
        self.fragments.push((self.bytes.len(), at));
        if self.bytes.is_empty() {
            self.bytes = Cow::Borrowed(fragment);
        } else {
            self.bytes.to_mut().extend_from_slice(fragment);
        }
    }

    /// What is known of a `ClientHello` that is not whole, where that is enough for the box.
    fn cut(&self, length: usize, options: Options) -> Option<Hello> {
        if options.hello == HelloNeed::Whole {
            return None;
        }
        let hello = hello::parse_cut(self.bytes.get(HEADER_LEN..)?)?;
        let in_stream = |of: usize| self.place(of + HEADER_LEN);
        let sni_at = hello.sni_at.as_ref().map(|at| in_stream(at.start)..in_stream(at.end - 1) + 1);
        Some(Hello::ClientHello(Box::new(ClientHello { sni_at, length, ..hello })))
    }

    /// Where in the stream a byte of the message lies.
    fn place(&self, of: usize) -> usize {
        let fragment = self.fragments.partition_point(|(in_message, _)| *in_message <= of).checked_sub(1);
        let fragment = fragment.and_then(|fragment| self.fragments.get(fragment));
        fragment.map_or(of, |(in_message, in_stream)| of - in_message + in_stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENSSL: &[u8] = include_bytes!("../../tests/data/openssl-client-hello.bin");
    const CURL: &[u8] = include_bytes!("../../tests/data/curl-client-hello.bin");

    fn read(stream: &[u8]) -> Hello {
        client_hello(stream, &Options::default())
    }

    fn sni(stream: &[u8]) -> Option<String> {
        match read(stream) {
            Hello::ClientHello(hello) => hello.sni,
            _ => None,
        }
    }

    /// The same handshake message in records of at most `size` bytes.
    fn in_records(stream: &[u8], size: usize) -> Vec<u8> {
        stream[5..]
            .chunks(size)
            .flat_map(|chunk| [&[22, 3, 1, (chunk.len() >> 8) as u8, chunk.len() as u8], chunk].concat())
            .collect()
    }

    /// What OpenSSL and curl sent.
    #[test]
    fn reads_real_client_hellos() {
        assert_eq!(sni(OPENSSL).as_deref(), Some("web.whatsapp.com"));
        assert_eq!(sni(CURL).as_deref(), Some("www.instagram.com"));
    }

    /// Every true prefix is incomplete, never anything else: reassembly can wait for the rest.
    #[test]
    fn every_prefix_is_incomplete() {
        for len in 0..OPENSSL.len() {
            assert_eq!(read(&OPENSSL[..len]), Hello::Incomplete, "cut at {len}");
        }
    }

    /// Bytes after the `ClientHello`'s record, such as early data, do not matter.
    #[test]
    fn later_records_are_not_read() {
        let Hello::ClientHello(hello) = read(&[OPENSSL, &[23, 3, 3, 0, 1, 0]].concat()) else {
            panic!("a ClientHello");
        };
        assert_eq!(hello.length, OPENSSL.len());
    }

    /// TSPU-12: another record in front of the `ClientHello` hides it.
    #[test]
    fn tspu_12_a_prepended_record_hides_it() {
        let stream = [&[20, 3, 3, 0, 1, 1], OPENSSL].concat();
        assert_eq!(read(&stream), Hello::NotTls);
    }

    /// RFC 8446 section 5.1: a handshake message may be spread over records.
    #[test]
    fn fragmented_records_are_joined() {
        for size in [1, 7, 100] {
            let stream = in_records(OPENSSL, size);
            assert_eq!(sni(&stream).as_deref(), Some("web.whatsapp.com"), "records of {size}");
            assert_eq!(read(&stream[..stream.len() - 1]), Hello::Incomplete);
        }
    }

    /// TSPU-12: a box that reads the first record alone sees a `ClientHello` that it holds, and knows one that it does not
    /// for what it cannot read as soon as the lengths say so.
    #[test]
    fn tspu_12_first_record_alone() {
        let options = Options { records: JoinRecords::First, ..Options::default() };
        assert_eq!(client_hello(OPENSSL, &options), read(OPENSSL));
        assert_eq!(client_hello(&OPENSSL[..OPENSSL.len() - 1], &options), Hello::Incomplete);
        for size in [1, 3, 4, 7, 100, OPENSSL.len() - 6] {
            let stream = in_records(OPENSSL, size);
            for len in 0..=stream.len() {
                let is_told = len >= 5 + size.min(4);
                let expected = if is_told { Hello::NotTls } else { Hello::Incomplete };
                assert_eq!(client_hello(&stream[..len], &options), expected, "records of {size}, cut at {len}");
            }
        }
    }

    /// A strict box takes the versions that all clients state for TLS, and no other.
    #[test]
    fn strict_record_versions() {
        let options = Options { version: RecordVersion::Strict, ..Options::default() };
        for (minor, is_seen) in [(0, false), (1, true), (2, false), (3, true), (4, false)] {
            let mut stream = OPENSSL.to_vec();
            stream[2] = minor;
            assert_eq!(client_hello(&stream, &options) != Hello::NotTls, is_seen, "version 3.{minor}");
            assert!(sni(&stream).is_some());
        }
    }

    /// TSPU-12b: a box to which the beginning is enough knows the name as soon as that is there, and nothing of what follows.
    #[test]
    fn tspu_12b_cut_after_the_name() {
        let Hello::ClientHello(whole) = read(OPENSSL) else { panic!("a ClientHello") };
        let name_end = whole.sni_at.clone().expect("a name").end;
        for records in [JoinRecords::Join, JoinRecords::First] {
            let options = Options { records, hello: HelloNeed::Cut, ..Options::default() };
            for len in 0..OPENSSL.len() {
                match client_hello(&OPENSSL[..len], &options) {
                    Hello::ClientHello(hello) => {
                        assert!(len >= name_end && hello.is_cut && hello.length == len);
                        assert_eq!((&hello.sni, &hello.sni_at), (&whole.sni, &whole.sni_at));
                        assert_eq!(hello.cipher_suites, whole.cipher_suites);
                    }
                    other => assert!(len < name_end && other == Hello::Incomplete, "cut at {len}: {other:?}"),
                }
            }
            assert_eq!(client_hello(OPENSSL, &options), read(OPENSSL));
            // The name in the first of two records.
            let stream = in_records(OPENSSL, name_end + 20);
            let Hello::ClientHello(hello) = client_hello(&stream, &options) else { panic!("a ClientHello") };
            assert_eq!(hello.is_cut, records == JoinRecords::First);
        }
        let options = Options { hello: HelloNeed::Cut, ..Options::default() };
        for at in [5, 43] {
            let mut stream = OPENSSL[..OPENSSL.len() - 1].to_vec();
            stream[at] ^= 0x80;
            assert!(!matches!(client_hello(&stream, &options), Hello::ClientHello(_)), "byte {at}");
        }
    }

    /// Where the name lies, in one record and in several.
    #[test]
    fn place_of_the_name() {
        let place = |stream: &[u8]| match read(stream) {
            Hello::ClientHello(hello) => hello.sni_at.expect("a name"),
            other => panic!("{other:?}"),
        };
        assert_eq!(&OPENSSL[place(OPENSSL)], b"web.whatsapp.com");
        let stream = in_records(OPENSSL, place(OPENSSL).start - 5 + 3);
        assert_eq!(&stream[place(&stream)][..3], b"web");
        assert_eq!(&stream[place(&stream)][8..], b".whatsapp.com");
        let Hello::ClientHello(hello) = handshake(&OPENSSL[5..]) else { panic!("a ClientHello") };
        assert_eq!(&OPENSSL[5..][hello.sni_at.expect("a name")], b"web.whatsapp.com");
    }

    /// TSPU-12: changing a type or a length byte on the way to the name breaks the match; changing a cipher or the random
    /// does not.
    #[test]
    fn tspu_12_structure_must_hold() {
        let session_id_len = usize::from(OPENSSL[43]);
        let suites_at = 44 + session_id_len;
        let suites_len = usize::from(u16::from_be_bytes([OPENSSL[suites_at], OPENSSL[suites_at + 1]]));
        let compression_at = suites_at + 2 + suites_len;
        let extensions_at = compression_at + 1 + usize::from(OPENSSL[compression_at]);
        let lengths = [3, 4, 6, 7, 8, 43, suites_at, suites_at + 1, compression_at, extensions_at, extensions_at + 1];
        for at in [0, 1, 5].into_iter().chain(lengths) {
            for change in [1, 0x80] {
                let mut stream = OPENSSL.to_vec();
                stream[at] ^= change;
                assert_eq!(sni(&stream), None, "byte {at} changed by {change:#x}");
            }
        }
        for at in [11, 20, suites_at + 2] {
            let mut stream = OPENSSL.to_vec();
            stream[at] ^= 1;
            assert!(sni(&stream).is_some(), "byte {at} means nothing to the parser");
        }
    }

    /// A `ClientHello` without extensions is one without a name.
    #[test]
    fn no_extensions_no_name() {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 2, 0x13, 1, 1, 0]);
        let mut stream = vec![22, 3, 1, 0, body.len() as u8 + 4, 1, 0, 0, body.len() as u8];
        stream.extend(body);
        let Hello::ClientHello(hello) = read(&stream) else { panic!("a ClientHello") };
        assert_eq!(hello.sni, None);
    }
}
