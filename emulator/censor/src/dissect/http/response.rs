//! What a server answers: the status line and the fields (RFC 9112 section 4).

use super::request::{Field, whole_lines};
use super::{Parser, Reading, line};

/// A response, or what of one is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Response<'a> {
    /// The status code: 302 where another place is named.
    pub status: u16,
    /// What stands behind the code.
    pub reason: &'a [u8],
    /// Where in the stream its fields end; `None` while they do not.
    pub end: Option<usize>,
    /// What is there of its body, chunks and all.
    pub body: &'a [u8],
    fields: &'a [u8],
}

/// Reads the first response at the beginning of what a server sent, of which at most `limit` bytes of status line and fields
/// are looked at.
pub fn response(stream: &[u8], limit: usize) -> Reading<Response<'_>> {
    let seen = &stream[..stream.len().min(limit)];
    let common = seen.len().min(VERSION.len());
    if seen[..common] != VERSION[..common] {
        return Reading::Not;
    }
    let Some((end, next)) = line::line_end(seen, Parser::Tolerant) else {
        return if seen.len() == limit { Reading::Not } else { Reading::Undecided };
    };
    let mut words = seen[..end].splitn(3, |byte| line::is_blank(*byte));
    let code = words.nth(1).and_then(|code| str::from_utf8(code).ok()).filter(|code| code.len() == 3);
    let Some(status) = code.and_then(|code| code.parse().ok()) else {
        return Reading::Not;
    };
    let (length, end) = whole_lines(&seen[next..], Parser::Tolerant);
    let end = end.map(|end| next + end);
    Reading::Is(Response {
        status,
        reason: words.next().unwrap_or_default(),
        end,
        body: end.and_then(|end| stream.get(end..)).unwrap_or_default(),
        fields: &seen[next..next + length],
    })
}

impl<'a> Response<'a> {
    /// The fields that are there, in order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let mut rest = self.fields;
        core::iter::from_fn(move || {
            let (end, next) = line::line_end(rest, Parser::Tolerant)?;
            let field = Field::new(&rest[..end]);
            rest = &rest[next..];
            Some(field)
        })
    }

    /// The value of the first field of this name, in any case.
    pub fn value(&self, name: &str) -> Option<&'a [u8]> {
        self.fields().find(|field| field.name.eq_ignore_ascii_case(name.as_bytes())).map(|field| field.value)
    }
}

const VERSION: &[u8] = b"HTTP/1.";

#[cfg(test)]
mod tests {
    use super::*;

    const REDIRECT: &[u8] = b"HTTP/1.1 302 Found\r\nServer: x\r\nlocation: http://block.example/\r\n\r\n<html>";

    fn read(stream: &[u8]) -> Response<'_> {
        match response(stream, 1024) {
            Reading::Is(response) => response,
            other => panic!("{other:?}"),
        }
    }

    /// The 302 of the server that `--wsize` is made against.
    #[test]
    fn reads_a_redirection() {
        let whole = read(REDIRECT);
        assert_eq!((whole.status, whole.reason, whole.body), (302, &b"Found"[..], &b"<html>"[..]));
        assert_eq!(whole.value("Location"), Some(&b"http://block.example/"[..]));
        assert_eq!(whole.end, Some(REDIRECT.len() - 6));
        for len in 0..19 {
            assert_eq!(response(&REDIRECT[..len], 1024), Reading::Undecided, "cut at {len}");
        }
        let cut = read(&REDIRECT[..40]);
        assert_eq!((cut.status, cut.end, cut.fields().count()), (302, None, 1));
    }

    /// Requests, other versions and codes that are none are no responses, and a line without end is not waited for.
    #[test]
    fn others_are_none() {
        for bytes in
            [&b"GET / HTTP/1.1\r\n"[..], b"HTTP/2.0 200\r\n", b"HTTP/1.1 2x0 \r\n", b"HTTP/1.1\r\n", b"HTTP/1.1 20\r\n"]
        {
            assert_eq!(response(bytes, 1024), Reading::Not, "{bytes:?}");
        }
        assert_eq!(response(&[b"HTTP/1.1 200 ", &[b'a'; 100][..]].concat(), 50), Reading::Not);
    }
}
