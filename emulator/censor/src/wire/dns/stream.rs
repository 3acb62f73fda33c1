//! DNS over TCP: messages one after the other, each behind its length (RFC 1035 section 4.2.2, RFC 7766).

use super::{HEADER_LEN, Query};
use crate::wire::u16_at;

/// The whole messages at the beginning of a stream, in order; what of one is not yet there is left out.
pub fn messages(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = stream;
    core::iter::from_fn(move || {
        let length = usize::from(u16_at(rest, 0)?);
        let message = rest.get(2..2 + length)?;
        rest = &rest[2 + length..];
        Some(message)
    })
}

/// Whether a stream begins with a query; `None` while it could. Only the first message is looked at, and each byte as soon
/// as it is there.
pub fn begins_with_query(stream: &[u8]) -> Option<bool> {
    let Some(length) = u16_at(stream, 0).map(usize::from) else {
        // A query longer than this is none that a program sends, and TLS and text begin so.
        return stream.first().is_some_and(|high| *high > MAX_QUERY_LEN.to_be_bytes()[0]).then_some(false);
    };
    if !(MIN_QUERY_LEN..=usize::from(MAX_QUERY_LEN)).contains(&length) {
        return Some(false);
    }
    let message = &stream[2..stream.len().min(2 + length)];
    // A standard query, with one question and neither answers nor authorities.
    let looks_right = |at: usize, mask: u8, right: u8| message.get(at).is_none_or(|byte| byte & mask == right);
    let header_is_right = looks_right(2, 0xf8, 0)
        && [(4, 0), (5, 1), (6, 0), (7, 0)].iter().all(|(at, right)| looks_right(*at, 0xff, *right));
    if !header_is_right {
        return Some(false);
    }
    (message.len() == length).then(|| Query::parse(message).is_some())
}

/// A header, the root's name, a type and a class.
const MIN_QUERY_LEN: usize = HEADER_LEN + 1 + 4;
/// Room for padding to whole blocks of 468 bytes, twice (RFC 8467).
const MAX_QUERY_LEN: u16 = 0x3ff;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::dns::Message;

    const QUERIES: &[u8] = include_bytes!("../../../tests/data/kdig-stream-queries.bin");
    const ANSWERS: &[u8] = include_bytes!("../../../tests/data/dnsmasq-stream-answers.bin");
    const HELLO: &[u8] = include_bytes!("../../../tests/data/curl-client-hello.bin");

    /// What kdig asked on one connection, and what dnsmasq answered.
    #[test]
    fn reads_a_real_stream() {
        let asked: Vec<_> = messages(QUERIES).map(|message| Query::parse(message).expect("a query").qtype).collect();
        assert_eq!(asked, [1, 28]);
        let answered: Vec<_> = messages(ANSWERS)
            .map(|bytes| Message::parse(bytes).expect("a message").addresses().next().expect("an address").to_string())
            .collect();
        assert_eq!(answered, ["157.240.1.174", "2a03:2880:f200:e5:face:b00c:0:4420"]);
        assert_eq!(messages(&QUERIES[..QUERIES.len() - 1]).count(), 1);
    }

    /// The beginning of a query is not yet one, and never something else; answers, TLS and text are none.
    #[test]
    fn queries_are_told_from_others() {
        for len in 0..33 {
            assert_eq!(begins_with_query(&QUERIES[..len]), None, "cut at {len}");
        }
        assert_eq!(begins_with_query(&QUERIES[..33]), Some(true));
        for other in [ANSWERS, HELLO, b"GET / HTTP/1.1\r\n", b"\x00\x10", b"SSH-2.0-x"] {
            assert_eq!(begins_with_query(other), Some(false));
        }
    }
}
