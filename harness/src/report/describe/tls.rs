//! TLS records (RFC 8446 section 5.1) and the handshake messages that can be read in them.

use roadblock_censor::dissect::tls::{Hello, Options, client_hello};

const HEADER_LEN: usize = 5;
const MAX_RECORD_LEN: usize = (1 << 14) + 256;

/// The records that a segment's payload holds; `None` where it holds none. `pending` is how much of a record is still to
/// come, before and after.
pub(super) fn records(payload: &[u8], pending: &mut usize) -> Option<String> {
    let continued = (*pending).min(payload.len());
    *pending -= continued;
    let mut words: Vec<String> = Vec::new();
    if continued > 0 {
        words.push("more of the TLS record".to_owned());
    }
    let mut rest = &payload[continued..];
    while let Some(record) = Record::parse(rest) {
        let said = record.words(rest);
        if words.last() != Some(&said) {
            words.push(said);
        }
        let (taken, missing) = record.extent(rest);
        *pending = missing;
        rest = &rest[taken..];
    }
    if words.is_empty() { None } else { Some(words.join(", ")) }
}

struct Record {
    content: u8,
    length: usize,
}

impl Record {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER_LEN] = bytes.first_chunk()?;
        let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
        let is_record = matches!(header[0], 20..=23) && header[1] == 3 && header[2] <= 4;
        (is_record && (1..=MAX_RECORD_LEN).contains(&length)).then_some(Self { content: header[0], length })
    }

    /// How many of the bytes are the record's, and how many of it are not there.
    fn extent(&self, bytes: &[u8]) -> (usize, usize) {
        let whole = HEADER_LEN + self.length;
        (whole.min(bytes.len()), whole.saturating_sub(bytes.len()))
    }

    fn words(&self, bytes: &[u8]) -> String {
        let body = bytes.get(HEADER_LEN..).unwrap_or_default();
        let words = match (self.content, body.first()) {
            (20, _) => "ChangeCipherSpec",
            (21, _) if self.length == 2 => return alert(body),
            (21, _) => "TLS alert (encrypted)",
            (22, Some(1)) => return hello(bytes),
            (22, Some(2)) => "ServerHello",
            (22, Some(4)) => "NewSessionTicket",
            (22, Some(11)) => "Certificate",
            (22, Some(12)) => "ServerKeyExchange",
            (22, Some(14)) => "ServerHelloDone",
            (22, Some(16)) => "ClientKeyExchange",
            (22, _) => "TLS handshake (encrypted)",
            (_, _) => "TLS data (encrypted)",
        };
        words.to_owned()
    }
}

fn hello(bytes: &[u8]) -> String {
    match client_hello(bytes, &Options::default()) {
        Hello::ClientHello(hello) => {
            let name = hello.sni.map_or_else(|| ", no SNI".to_owned(), |name| format!(" SNI={name}"));
            let encrypted = if hello.ech { ", ECH" } else { "" };
            format!("ClientHello{name}{encrypted}")
        }
        Hello::Incomplete => "beginning of a ClientHello".to_owned(),
        Hello::NotTls => "malformed ClientHello".to_owned(),
    }
}

fn alert(body: &[u8]) -> String {
    let name = match body.get(1) {
        Some(0) => "close_notify",
        Some(10) => "unexpected_message",
        Some(40) => "handshake_failure",
        Some(42) => "bad_certificate",
        Some(45) => "certificate_expired",
        Some(46) => "certificate_unknown",
        Some(48) => "unknown_ca",
        Some(70) => "protocol_version",
        Some(112) => "unrecognized_name",
        _ => return "TLS alert".to_owned(),
    };
    format!("TLS alert {name}")
}
