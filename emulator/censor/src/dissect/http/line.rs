//! The request line (RFC 9112 section 3).

use super::{Parser, Reading};

/// A request line, and where its request begins and its fields do, counted from what was read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Line<'a> {
    pub(super) method: &'a [u8],
    pub(super) target: &'a [u8],
    pub(super) version: &'a [u8],
    pub(super) start: usize,
    /// Where the next line begins; `None` where this one has no end.
    pub(super) next: Option<usize>,
}

/// Reads a request line. `is_cut`: nothing more is read, so that a target that has no end ends here.
pub(super) fn read(bytes: &[u8], parser: Parser, is_cut: bool) -> Reading<Line<'_>> {
    let start = match parser {
        Parser::Exact | Parser::CaseInsensitive => 0,
        Parser::Tolerant => bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count(),
    };
    let rest = &bytes[start..];
    let line = match (method_len(rest, parser), line_end(rest, parser)) {
        (Some(0), _) => None,
        (Some(_), Some((end, next))) => {
            split(&rest[..end], parser).map(|line| Line { start, next: Some(start + next), ..line })
        }
        (Some(_), None) if is_cut => cut_line(rest).map(|line| Line { start, ..line }),
        (None, _) if is_cut => None,
        (_, None) | (None, _) => return Reading::Undecided,
    };
    line.map_or(Reading::Not, Reading::Is)
}

/// Where the first line ends and where the next begins.
pub(super) fn line_end(bytes: &[u8], parser: Parser) -> Option<(usize, usize)> {
    match parser {
        Parser::Exact | Parser::CaseInsensitive => {
            bytes.windows(2).position(|pair| pair == b"\r\n").map(|end| (end, end + 2))
        }
        Parser::Tolerant => {
            let end = bytes.iter().position(|byte| *byte == b'\n')?;
            Some((bytes[..end].strip_suffix(b"\r").map_or(end, <[u8]>::len), end + 1))
        }
    }
}

/// How long the method is that stands here, 0 if there is none, `None` while there could be one.
fn method_len(bytes: &[u8], parser: Parser) -> Option<usize> {
    let length = bytes.iter().take_while(|byte| is_token(**byte)).count();
    let method = &bytes[..length];
    let follows = bytes.get(length);
    match parser {
        Parser::Exact | Parser::CaseInsensitive => match follows {
            Some(b' ') => Some(if METHODS.contains(&method) { length } else { 0 }),
            Some(_) => Some(0),
            None => METHODS.iter().all(|known| !known.starts_with(method)).then_some(0),
        },
        Parser::Tolerant => match follows {
            Some(byte) => Some(if is_blank(*byte) && length <= MAX_METHOD_LEN { length } else { 0 }),
            None => (length > MAX_METHOD_LEN).then_some(0),
        },
    }
}

fn split(line: &[u8], parser: Parser) -> Option<Line<'_>> {
    match parser {
        Parser::Exact | Parser::CaseInsensitive => {
            let mut words = line.split(|byte| *byte == b' ');
            let (method, target, version) = (words.next()?, words.next()?, words.next()?);
            let is_sound = words.next().is_none() && !target.is_empty();
            is_sound.then_some(Line { method, target, version, ..Line::default() })
        }
        Parser::Tolerant => {
            let line = line.trim_ascii();
            let (method, rest) = line.split_at(line.iter().position(|byte| is_blank(*byte))?);
            let rest = rest.trim_ascii();
            // A target with blanks in it is one that some servers take.
            let (target, version) = match rest.iter().rposition(|byte| is_blank(*byte)) {
                Some(blank) => (rest[..blank].trim_ascii(), &rest[blank + 1..]),
                None => (rest, &rest[rest.len()..]),
            };
            let is_request = is_known(method) || version.get(..5).is_some_and(|it| it.eq_ignore_ascii_case(b"HTTP/"));
            (is_request && !target.is_empty()).then_some(Line { method, target, version, ..Line::default() })
        }
    }
}

/// The line whose end is out of sight.
fn cut_line(line: &[u8]) -> Option<Line<'_>> {
    let (method, rest) = line.split_at(line.iter().position(|byte| is_blank(*byte))?);
    let target = rest.trim_ascii_start();
    let target = &target[..target.iter().position(|byte| is_blank(*byte)).unwrap_or(target.len())];
    is_known(method).then_some(Line { method, target, ..Line::default() })
}

fn is_known(method: &[u8]) -> bool {
    METHODS.iter().any(|known| known.eq_ignore_ascii_case(method))
}

/// Whether bytes begin with a known method and the blank behind it, as a box sees that checks nothing else (IR-PF-1, RU-THR-3).
pub(crate) fn begins_with_method(bytes: &[u8]) -> bool {
    METHODS.iter().any(|method| bytes.strip_prefix(*method).is_some_and(|rest| rest.first() == Some(&b' ')))
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// RFC 9112 section 3: what servers may take for the blank between two words.
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0b | 0x0c | b'\r')
}

const METHODS: [&[u8]; 9] = [b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT"];
const MAX_METHOD_LEN: usize = 32;
