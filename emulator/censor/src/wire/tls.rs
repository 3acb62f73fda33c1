//! The `ClientHello` of TLS (RFC 8446 section 4.1.2) inside its records (section 5.1).
//!
//! The parser is structural, as the TSPU's is measured to be: changing a type or a length breaks the match, changing a
//! cipher does not (TSPU-12).

use std::borrow::Cow;

/// What the first bytes of a stream are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Hello {
    /// No `ClientHello`, whatever may follow.
    NotTls,
    /// The beginning of one, as far as can be seen.
    Incomplete,
    /// A whole one.
    ClientHello(ClientHello),
}

/// What a censor reads in a `ClientHello`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClientHello {
    /// The server name (RFC 6066 section 3), as sent.
    pub sni: Option<String>,
    /// Whether there is an `encrypted_client_hello` extension (TSPU-15).
    pub encrypted: bool,
    /// How many bytes of the stream it took, with its record headers.
    pub length: usize,
}

/// Reads the first bytes of a stream.
pub fn client_hello(stream: &[u8]) -> Hello {
    let mut records = Records { rest: stream };
    let mut message: Cow<'_, [u8]> = Cow::Borrowed(&[]);
    loop {
        match records.next() {
            Record::Whole(fragment) if message.is_empty() => message = Cow::Borrowed(fragment),
            Record::Whole(fragment) => message.to_mut().extend_from_slice(fragment),
            Record::Cut(fragment) => {
                let begins = message.first().or(fragment.first()).is_none_or(|kind| *kind == CLIENT_HELLO);
                return if begins { Hello::Incomplete } else { Hello::NotTls };
            }
            Record::Other => return Hello::NotTls,
        }
        match Handshake::of(&message) {
            Handshake::Whole(body) => {
                let hello = parse_body(body);
                let length = stream.len() - records.rest.len();
                return hello.map_or(Hello::NotTls, |hello| Hello::ClientHello(ClientHello { length, ..hello }));
            }
            Handshake::Cut => {}
            Handshake::Other => return Hello::NotTls,
        }
    }
}

const CONTENT_HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const MAX_RECORD_LEN: usize = 1 << 14;
/// More than any `ClientHello` can hold: its variable fields have lengths of at most 16 bits.
const MAX_HELLO_LEN: usize = 3 << 16;
const EXTENSION_SERVER_NAME: u16 = 0;
const EXTENSION_ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

enum Record<'a> {
    Whole(&'a [u8]),
    Cut(&'a [u8]),
    Other,
}

/// Takes one record after the other off the stream.
struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    fn next(&mut self) -> Record<'a> {
        // Each byte is judged as soon as it is there, so that other protocols are known for what they are at once.
        let looks_right = |at: usize, right: &dyn Fn(u8) -> bool| self.rest.get(at).is_none_or(|byte| right(*byte));
        let version_is_right = looks_right(1, &|major| major == 3) && looks_right(2, &|minor| minor <= 4);
        if !looks_right(0, &|content| content == CONTENT_HANDSHAKE) || !version_is_right {
            return Record::Other;
        }
        let Some((header, body)) = self.rest.split_first_chunk::<5>() else {
            return Record::Cut(&[]);
        };
        let len = usize::from(u16::from_be_bytes([header[3], header[4]]));
        if len == 0 || len > MAX_RECORD_LEN {
            return Record::Other;
        }
        match body.split_at_checked(len) {
            Some((fragment, rest)) => {
                self.rest = rest;
                Record::Whole(fragment)
            }
            None => Record::Cut(body),
        }
    }
}

enum Handshake<'a> {
    Whole(&'a [u8]),
    Cut,
    Other,
}

impl<'a> Handshake<'a> {
    /// What the joined fragments of the records so far hold.
    fn of(message: &'a [u8]) -> Self {
        if message.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
            return Self::Other;
        }
        let Some((header, body)) = message.split_first_chunk::<4>() else {
            return Self::Cut;
        };
        let len = u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
        match body.len() {
            _ if len > MAX_HELLO_LEN => Self::Other,
            have if have < len => Self::Cut,
            have if have == len => Self::Whole(body),
            // A ClientHello is the last thing in its record: the client has nothing more to say before the answer.
            _ => Self::Other,
        }
    }
}

/// Reads the fields of RFC 8446 section 4.1.2; `None` when they do not fill the message exactly.
fn parse_body(body: &[u8]) -> Option<ClientHello> {
    let mut body = Reader(body);
    let version = body.u16()?;
    body.take(32)?; // The random.
    let session_id = body.vector8()?;
    let cipher_suites = body.vector16()?;
    let compression_methods = body.vector8()?;
    let is_sound = version >> 8 == 3
        && session_id.0.len() <= 32
        && !cipher_suites.0.is_empty()
        && cipher_suites.0.len() % 2 == 0
        && !compression_methods.0.is_empty();
    if !is_sound {
        return None;
    }
    let mut hello = ClientHello::default();
    if body.0.is_empty() {
        return Some(hello); // Before TLS 1.3 there may be no extensions at all.
    }
    let mut extensions = body.vector16()?;
    while !extensions.0.is_empty() {
        let kind = extensions.u16()?;
        let data = extensions.vector16()?;
        match kind {
            EXTENSION_SERVER_NAME if hello.sni.is_none() => hello.sni = Some(parse_server_name(data)?),
            EXTENSION_ENCRYPTED_CLIENT_HELLO => hello.encrypted = true,
            _ => {}
        }
    }
    body.0.is_empty().then_some(hello)
}

/// Reads the list of RFC 6066 section 3, which holds one host name.
fn parse_server_name(mut data: Reader<'_>) -> Option<String> {
    const HOST_NAME: u8 = 0;
    let mut list = data.vector16()?;
    let kind = list.u8()?;
    let name = list.vector16()?;
    let is_sound = kind == HOST_NAME && !name.0.is_empty() && list.0.is_empty() && data.0.is_empty();
    is_sound.then(|| str::from_utf8(name.0).ok().map(str::to_owned))?
}

/// Takes fields off the front of some bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn vector8(&mut self) -> Option<Self> {
        let len = self.u8()?;
        self.take(len.into()).map(Self)
    }

    fn vector16(&mut self) -> Option<Self> {
        let len = self.u16()?;
        self.take(len.into()).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENSSL: &[u8] = include_bytes!("../../tests/data/openssl-client-hello.bin");
    const CURL: &[u8] = include_bytes!("../../tests/data/curl-client-hello.bin");

    fn sni(stream: &[u8]) -> Option<String> {
        match client_hello(stream) {
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
            assert_eq!(client_hello(&OPENSSL[..len]), Hello::Incomplete, "cut at {len}");
        }
    }

    /// Bytes after the `ClientHello`'s record, such as early data, do not matter.
    #[test]
    fn later_records_are_not_read() {
        let Hello::ClientHello(hello) = client_hello(&[OPENSSL, &[23, 3, 3, 0, 1, 0]].concat()) else {
            panic!("a ClientHello");
        };
        assert_eq!(hello.length, OPENSSL.len());
    }

    /// TSPU-12: another record in front of the `ClientHello` hides it.
    #[test]
    fn tspu_12_a_prepended_record_hides_it() {
        let stream = [&[20, 3, 3, 0, 1, 1], OPENSSL].concat();
        assert_eq!(client_hello(&stream), Hello::NotTls);
    }

    /// RFC 8446 section 5.1: a handshake message may be spread over records.
    #[test]
    fn fragmented_records_are_joined() {
        for size in [1, 7, 100] {
            let stream = in_records(OPENSSL, size);
            assert_eq!(sni(&stream).as_deref(), Some("web.whatsapp.com"), "records of {size}");
            assert_eq!(client_hello(&stream[..stream.len() - 1]), Hello::Incomplete);
        }
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
        let Hello::ClientHello(hello) = client_hello(&stream) else { panic!("a ClientHello") };
        assert_eq!(hello.sni, None);
    }
}
