//! The server's answer: its `ServerHello` and, before TLS 1.3, its certificate in the clear (RFC 5246 section 7.4.2), whose
//! names tell which site it is (IR-CERT-1).

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

use super::reader::Reader;
use super::record::{Record, RecordVersion, Records, content};

/// What a server's stream tells of its certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ServerNames {
    /// No TLS server speaks here.
    NotTls,
    /// The certificate may still come.
    Incomplete,
    /// There is none to see: the server chose TLS 1.3, which encrypts it, resumed a session, or sent none that can be read.
    Hidden,
    /// The names that its first certificate is for: the common name, then the alternative names, as written.
    Named(Vec<String>),
}

/// Reads the names in the first certificate of a server's first flight, from the beginning of what the server sent.
pub fn server_names(stream: &[u8]) -> ServerNames {
    let (message_bytes, end) = flight(stream);
    let mut rest = Reader::new(&message_bytes);
    let mut is_first = true;
    loop {
        let before = rest;
        let Some((kind, body)) = rest.u8().zip(rest.vector24()) else {
            return undecided(before, is_first, end);
        };
        match kind {
            SERVER_HELLO if is_first => match selects_newer(body) {
                None => return ServerNames::NotTls,
                Some(true) => return ServerNames::Hidden,
                Some(false) => is_first = false,
            },
            _ if is_first => return ServerNames::NotTls,
            CERTIFICATE => return first_certificate(body).map_or(ServerNames::Hidden, ServerNames::Named),
            // The answer to a resumption, or a flight that is over without a certificate.
            NEW_SESSION_TICKET | SERVER_HELLO_DONE => return ServerNames::Hidden,
            _ => {}
        }
    }
}

/// Whether a stream begins with a `ServerHello`; `None` while more bytes could make it either.
pub fn is_server_hello(stream: &[u8]) -> Option<bool> {
    let fragment = match Records::new(stream, RecordVersion::Any).next_of(&[content::HANDSHAKE]) {
        Record::Whole { fragment, .. } | Record::Cut { fragment, .. } => fragment,
        Record::Other => return Some(false),
    };
    fragment.first().map(|kind| *kind == SERVER_HELLO)
}

const SERVER_HELLO: u8 = 2;
const NEW_SESSION_TICKET: u8 = 4;
const CERTIFICATE: u8 = 11;
const SERVER_HELLO_DONE: u8 = 14;
const TLS_1_3: u16 = 0x0304;
const SUPPORTED_VERSIONS: u16 = 43;
/// How much of a flight is put together, in bytes: more than any usual chain.
const MAX_FLIGHT_LEN: usize = 1 << 16;

/// Why a flight's handshake messages end where they do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    /// More may come.
    Open,
    /// What follows is no handshake record.
    Closed,
}

/// The joined fragments of the stream's first handshake records, what is there of the last included.
fn flight(stream: &[u8]) -> (Vec<u8>, End) {
    let mut records = Records::new(stream, RecordVersion::Any);
    let mut bytes = Vec::new();
    loop {
        match records.next_of(&[content::HANDSHAKE]) {
            Record::Whole { fragment, .. } => bytes.extend_from_slice(fragment),
            Record::Cut { fragment, .. } => {
                bytes.extend_from_slice(fragment);
                return (bytes, End::Open);
            }
            Record::Other => return (bytes, End::Closed),
        }
        if bytes.len() > MAX_FLIGHT_LEN {
            return (bytes, End::Closed);
        }
    }
}

/// What a message that is not whole tells.
fn undecided(rest: Reader<'_>, is_first: bool, end: End) -> ServerNames {
    let can_be = !is_first || rest.rest().first().is_none_or(|kind| *kind == SERVER_HELLO);
    match end {
        End::Open if can_be => ServerNames::Incomplete,
        _ if is_first => ServerNames::NotTls,
        End::Open | End::Closed => ServerNames::Hidden,
    }
}

/// Whether a `ServerHello` chooses TLS 1.3 (RFC 8446 section 4.1.3); `None` where it is none.
fn selects_newer(mut body: Reader<'_>) -> Option<bool> {
    let version = body.u16()?;
    body.take(32)?; // The random.
    body.vector8()?; // The session's id.
    body.take(3)?; // The cipher suite and the compression method.
    if version >> 8 != 3 {
        return None;
    }
    if body.is_empty() {
        return Some(false);
    }
    let mut extensions = body.vector16()?;
    while !extensions.is_empty() {
        let kind = extensions.u16()?;
        let mut data = extensions.vector16()?;
        if kind == SUPPORTED_VERSIONS {
            return Some(data.u16()? >= TLS_1_3);
        }
    }
    Some(false)
}

/// The names of the first of a message's certificates; `None` where it cannot be read.
fn first_certificate(mut body: Reader<'_>) -> Option<Vec<String>> {
    let mut list = body.vector24()?;
    let der = list.vector24()?.rest();
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    let mut names: Vec<String> = common.map(str::to_owned).collect();
    if let Ok(Some(alternative)) = certificate.subject_alternative_name() {
        names.extend(alternative.value.general_names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        }));
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLIGHT: &[u8] = include_bytes!("../../../tests/data/openssl-server-flight-tls12.bin");
    const FLIGHT_13: &[u8] = include_bytes!("../../../tests/data/openssl-server-flight-tls13.bin");
    const CLIENT: &[u8] = include_bytes!("../../../tests/data/openssl-client-hello.bin");

    fn named() -> ServerNames {
        let names = ["*.instagram.com", "*.instagram.com", "instagram.com", "*.cdninstagram.com"];
        ServerNames::Named(names.map(str::to_owned).to_vec())
    }

    /// IR-CERT-1: the common name and the alternative names of the certificate that a server of TLS 1.2 sends; undecided up
    /// to its last byte, and decided from there.
    #[test]
    fn ir_cert_1_names_of_the_certificate() {
        // The ServerHello's record, the headers of the Certificate's, and the certificate.
        let hello_len = 5 + usize::from(u16::from_be_bytes([FLIGHT[3], FLIGHT[4]]));
        let record = &FLIGHT[hello_len..];
        let whole = hello_len + 5 + usize::from(u16::from_be_bytes([record[3], record[4]]));
        for len in 0..=FLIGHT.len() {
            let expected = if len < whole { ServerNames::Incomplete } else { named() };
            assert_eq!(server_names(&FLIGHT[..len]), expected, "cut at {len}");
        }
    }

    /// IR-CERT-1: a flight in records of any size is put together.
    #[test]
    fn ir_cert_1_records_are_joined() {
        let mut messages = Vec::new();
        let mut records = Records::new(FLIGHT, RecordVersion::Any);
        while let Record::Whole { fragment, .. } = records.next_of(&[content::HANDSHAKE]) {
            messages.extend_from_slice(fragment);
        }
        for size in [1, 50, 700, 4000] {
            let in_records = |chunk: &[u8]| [&[22, 3, 3, (chunk.len() >> 8) as u8, chunk.len() as u8], chunk].concat();
            let stream: Vec<u8> = messages.chunks(size).flat_map(in_records).collect();
            assert_eq!(server_names(&stream), named(), "records of {size}");
        }
    }

    /// IR-CERT-1 is of TLS 1.2 and before: TLS 1.3 shows no certificate, known as soon as its `ServerHello` is whole.
    #[test]
    fn ir_cert_1_hidden_in_tls_1_3() {
        let hello_len = 5 + usize::from(u16::from_be_bytes([FLIGHT_13[3], FLIGHT_13[4]]));
        assert_eq!(server_names(&FLIGHT_13[..hello_len - 1]), ServerNames::Incomplete);
        assert_eq!(server_names(&FLIGHT_13[..hello_len]), ServerNames::Hidden);
        assert_eq!(server_names(FLIGHT_13), ServerNames::Hidden);
    }

    /// A flight that ends without a certificate has none to see, and what begins otherwise is no server of TLS.
    #[test]
    fn other_streams() {
        let hello_len = 5 + usize::from(u16::from_be_bytes([FLIGHT[3], FLIGHT[4]]));
        let resumed = [&FLIGHT[..hello_len], &[20, 3, 3, 0, 1, 1]].concat();
        assert_eq!(server_names(&resumed), ServerNames::Hidden);
        for kind in [NEW_SESSION_TICKET, SERVER_HELLO_DONE] {
            let message = |kind| [&FLIGHT[..hello_len], &[22, 3, 3, 0, 5, kind, 0, 0, 1, 0]].concat();
            assert_eq!(server_names(&message(kind)), ServerNames::Hidden);
            assert_eq!(server_names(&message(23)), ServerNames::Incomplete, "another message, and more may come");
        }
        assert_eq!(server_names(CLIENT), ServerNames::NotTls);
        assert_eq!(server_names(b"HTTP/1.1 200 OK"), ServerNames::NotTls);
        assert_eq!(server_names(b""), ServerNames::Incomplete);
        let mut broken = FLIGHT.to_vec();
        broken[hello_len + 16] ^= 0x40; // The length of the certificate's sequence.
        assert_eq!(server_names(&broken), ServerNames::Hidden);
    }

    /// A `ServerHello` is known by its sixth byte.
    #[test]
    fn server_hello() {
        for (stream, expected) in [
            (&FLIGHT[..5], None),
            (&FLIGHT[..6], Some(true)),
            (FLIGHT_13, Some(true)),
            (CLIENT, Some(false)),
            (b"SSH-2.0", Some(false)),
        ] {
            assert_eq!(is_server_hello(stream), expected);
        }
    }
}
