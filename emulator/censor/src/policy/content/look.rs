//! What one segment looks like by its first bytes, to a box that checks no more than a fingerprint (IR-PF-1).

use super::Habit;
use crate::dissect::http;
use crate::reading::{Reading, Source};
use crate::wire::dns;

/// What a segment looks like, whatever came before it and whatever follows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Look {
    /// A DNS query with its length in front.
    Dns,
    /// Eight bytes or more that begin with a method and a space.
    Http,
    /// A handshake record of TLS 1.0 to 1.2, as far as its header goes.
    Tls,
    /// Any record of these: what a client of TLS 1.3 says second is no handshake record (RFC 8446 appendix D.4).
    TlsRecord,
}

/// The shortest request that is taken for HTTP, in bytes (IR-PF-1).
const SHORTEST_REQUEST: usize = 8;
/// The longest record, in bytes: RFC 5246 section 6.2.3.
const LONGEST_RECORD: u16 = 0x4000 + 2048;

impl Look {
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Dns => "DNS fingerprint",
            Self::Http => "HTTP fingerprint",
            Self::Tls => "TLS fingerprint",
            Self::TlsRecord => "TLS record",
        }
    }

    /// Each data segment of the client's, while the box looks.
    pub(crate) const fn habit() -> Habit {
        Habit::STREAM
    }

    pub(crate) fn answer(looks: &[Self], reading: &Reading<'_>) -> Option<bool> {
        let payload: &[u8] = match &reading.source {
            Source::Alone { payload, .. } => payload,
            Source::Joined { payload, .. } => payload,
            Source::Datagram(_) | Source::Passing(_) | Source::Later(_) => return None,
        };
        Some(looks.iter().any(|look| look.is_of(payload)))
    }

    fn is_of(self, payload: &[u8]) -> bool {
        match self {
            Self::Dns => dns::begins_with_query(payload) == Some(true),
            Self::Http => payload.len() >= SHORTEST_REQUEST && http::begins_with_method(payload),
            Self::Tls => payload.first() == Some(&22) && Self::TlsRecord.is_of(payload),
            Self::TlsRecord => match *payload {
                [20..=23, 3, 1..=3, high, low, ..] => (1..=LONGEST_RECORD).contains(&u16::from_be_bytes([high, low])),
                _ => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// IR-PF-1: five bytes make TLS, eight make HTTP, and a DNS query is one only behind its length.
    #[test]
    fn ir_pf_1_fingerprints() {
        let query: &[u8] = include_bytes!("../../../tests/data/kdig-query.bin");
        let framed = [&[0, 31], query].concat();
        let seen = |payload: &[u8]| [Look::Dns, Look::Http, Look::Tls].map(|look| look.is_of(payload));
        for (payload, expected) in [
            (&framed[..], [true, false, false]),
            (query, [false; 3]),
            (b"GET / HT", [false, true, false]),
            (b"GET / H", [false; 3]),
            (b"get / HTTP/1.1", [false; 3]),
            (&[22, 3, 1, 0, 1], [false, false, true]),
            (&[22, 3, 3, 2, 0, 0xff, 0xff], [false, false, true]),
            (&[22, 3, 1, 0], [false; 3]),
            (&[22, 3, 4, 0, 1], [false; 3]),
            (&[22, 3, 1, 0, 0], [false; 3]),
            (&[22, 3, 1, 0xff, 0xff], [false; 3]),
            (b"", [false; 3]),
        ] {
            assert_eq!(seen(payload), expected, "{payload:?}");
        }
        for (payload, expected) in
            [(&[20, 3, 3, 0, 1][..], true), (&[23, 3, 3, 0, 53], true), (&[24, 3, 3, 0, 1], false)]
        {
            assert_eq!(Look::TlsRecord.is_of(payload), expected, "{payload:?}");
            assert!(!Look::Tls.is_of(payload), "{payload:?}");
        }
    }
}
