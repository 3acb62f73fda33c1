//! Where a request's body ends (RFC 9112 section 6).

use super::Request;

/// What follows the fields of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Body<'a> {
    /// Its body, which may be empty; then the next request.
    Whole(&'a [u8]),
    /// The beginning of its body.
    Cut(&'a [u8]),
    /// Something of which nobody can tell where it ends, so that no later request is found (IR-HTTP-2).
    Endless(&'a [u8]),
}

/// Finds the end of the body in what follows a request's fields.
pub(super) fn of<'a>(request: &Request<'_>, rest: &'a [u8]) -> Body<'a> {
    if request.method.eq_ignore_ascii_case(b"CONNECT") || request.values(b"Upgrade").next().is_some() {
        return Body::Endless(rest);
    }
    // A length that is none makes the reader give up before it comes to the coding (IR-HTTP-2).
    let mut length = None;
    for value in request.values(b"Content-Length") {
        match number(value, 10) {
            Some(read) if length.is_none_or(|length| length == read) => length = Some(read),
            _ => return Body::Endless(rest),
        }
    }
    if let Some(coding) = request.values(b"Transfer-Encoding").last() {
        let is_chunked = coding.len() >= 7 && coding[coding.len() - 7..].eq_ignore_ascii_case(b"chunked");
        return if is_chunked { chunked(rest) } else { Body::Endless(rest) };
    }
    let length = length.unwrap_or_default();
    rest.get(..length).map_or(Body::Cut(rest), Body::Whole)
}

/// RFC 9112 section 7.1: chunks behind their lengths, then trailer fields and a blank line.
fn chunked(rest: &[u8]) -> Body<'_> {
    let mut at = 0;
    loop {
        let Some(line) = line(&rest[at..]) else {
            let is_hopeless = rest.len() - at > MAX_CHUNK_LINE;
            return if is_hopeless { Body::Endless(rest) } else { Body::Cut(rest) };
        };
        at += line.len() + 1;
        let size = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        match number(size, 16) {
            None => return Body::Endless(rest),
            Some(0) => break,
            Some(size) => match at.checked_add(size).filter(|end| *end <= rest.len()) {
                Some(end) => at = end,
                None => return Body::Cut(rest),
            },
        }
        // The line's end behind the chunk.
        match line_end_len(&rest[at..]) {
            None => return Body::Cut(rest),
            Some(0) => return Body::Endless(rest),
            Some(length) => at += length,
        }
    }
    while let Some(line) = line(&rest[at..]) {
        at += line.len() + 1;
        if line.trim_ascii().is_empty() {
            return Body::Whole(&rest[..at]);
        }
    }
    Body::Cut(rest)
}

fn line(bytes: &[u8]) -> Option<&[u8]> {
    bytes.iter().position(|byte| *byte == b'\n').map(|end| &bytes[..end])
}

/// How long the line's end is that stands here; 0 if there is none, `None` while there could be one.
fn line_end_len(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\r', b'\n', ..] => Some(2),
        [b'\n', ..] => Some(1),
        [] | [b'\r'] => None,
        _ => Some(0),
    }
}

/// Digits alone; `None` for a sign, a blank or too many of them.
fn number(text: &[u8], radix: u32) -> Option<usize> {
    let is_digits = !text.is_empty() && text.iter().all(|byte| char::from(*byte).is_digit(radix));
    let text = str::from_utf8(text).ok().filter(|_| is_digits)?;
    usize::from_str_radix(text, radix).ok()
}

const MAX_CHUNK_LINE: usize = 4096;
