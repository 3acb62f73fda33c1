//! One request.

use super::Parser;
use super::line::{self, Line};

/// A request, or what of one is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Request<'a> {
    /// The method, as it stands.
    pub method: &'a [u8],
    /// The target, as it stands: percent-encoded, and with a scheme and a host where a proxy is spoken to.
    pub target: &'a [u8],
    /// The version, as it stands; empty where the line ends before it.
    pub version: &'a [u8],
    /// Where in the stream its method begins.
    pub start: usize,
    /// Where in the stream its fields end; `None` while they do not.
    pub end: Option<usize>,
    /// What is there of its body, chunks and all.
    pub body: &'a [u8],
    fields: &'a [u8],
    parser: Parser,
}

/// A header field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Field<'a> {
    /// Its name, without blanks around it.
    pub name: &'a [u8],
    /// Its value, without blanks around it.
    pub value: &'a [u8],
    line: &'a [u8],
}

impl<'a> Request<'a> {
    /// Takes the fields behind a request line, as far as they are there; of a line without an end nothing.
    pub(super) fn new(first: Line<'a>, bytes: &'a [u8], parser: Parser) -> Self {
        let start = first.next.unwrap_or(bytes.len());
        let (length, end) = whole_lines(&bytes[start..], parser);
        Self {
            method: first.method,
            target: first.target,
            version: first.version,
            start: first.start,
            end: end.filter(|_| first.next.is_some()).map(|end| start + end),
            body: &[],
            fields: &bytes[start..start + length],
            parser,
        }
    }

    /// The fields that are there, in order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let (mut rest, parser) = (self.fields, self.parser);
        core::iter::from_fn(move || {
            let (end, next) = line::line_end(rest, parser)?;
            let field = Field::new(&rest[..end]);
            rest = &rest[next..];
            Some(field)
        })
    }

    /// The hosts that are asked for, as a list of names would know them. What an exact parser cannot compare with a name is
    /// left out: one with a capital, a blank or a dot at the end, and each where the version is odd (IR-HTTP-2).
    pub fn hosts(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let parser = self.parser;
        let is_checked = parser == Parser::Tolerant || self.version.starts_with(b"HTTP/");
        let of_target = (parser == Parser::Tolerant).then(|| host_of_target(self.method, self.target)).flatten();
        let of_fields = self.fields().filter_map(move |field| field.host(parser));
        let count = match parser {
            _ if !is_checked => 0,
            Parser::Exact | Parser::CaseInsensitive => 1,
            Parser::Tolerant => usize::MAX,
        };
        let is_plain = |host: &[u8]| !host.ends_with(b".") && !host.iter().any(u8::is_ascii_whitespace);
        let is_comparable = move |host: &&[u8]| match parser {
            Parser::Exact => is_plain(host) && !host.iter().any(u8::is_ascii_uppercase),
            Parser::CaseInsensitive => is_plain(host),
            Parser::Tolerant => !host.is_empty(),
        };
        of_target.into_iter().chain(of_fields).take(count).filter(is_comparable)
    }

    /// The values of the fields of this name, in any case unless the parser is exact.
    pub(super) fn values(&self, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let parser = self.parser;
        let is_it = move |field: &Field<'a>| match parser {
            Parser::Exact => field.name == name,
            Parser::CaseInsensitive | Parser::Tolerant => field.name.eq_ignore_ascii_case(name),
        };
        self.fields().filter(is_it).map(|field| field.value)
    }
}

impl<'a> Field<'a> {
    /// A line without a colon is a field without a value.
    pub(super) fn new(line: &'a [u8]) -> Self {
        let (name, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &line[line.len()..]),
        };
        Self { name: name.trim_ascii(), value: value.trim_ascii(), line }
    }

    fn host(&self, parser: Parser) -> Option<&'a [u8]> {
        const NAME: &[u8] = b"Host: ";
        match parser {
            Parser::Exact => self.line.strip_prefix(NAME),
            Parser::CaseInsensitive => {
                let (name, value) = self.line.split_at_checked(NAME.len())?;
                name.eq_ignore_ascii_case(NAME).then_some(value)
            }
            Parser::Tolerant => self.name.eq_ignore_ascii_case(b"Host").then(|| host_of_authority(self.value)),
        }
    }
}

/// How many bytes of whole lines there are before the blank one, and where that ends.
pub(super) fn whole_lines(bytes: &[u8], parser: Parser) -> (usize, Option<usize>) {
    let mut at = 0;
    while let Some((end, next)) = line::line_end(&bytes[at..], parser) {
        if end == 0 {
            return (at, Some(at + next));
        }
        at += next;
    }
    (at, None)
}

/// The host in `http://host/path`, and in the `host:port` of CONNECT (RFC 9112 section 3.2).
fn host_of_target<'a>(method: &[u8], target: &'a [u8]) -> Option<&'a [u8]> {
    if method.eq_ignore_ascii_case(b"CONNECT") {
        return Some(host_of_authority(target));
    }
    let scheme = target.windows(3).take(MAX_SCHEME_LEN).position(|three| three == b"://")?;
    let is_scheme = scheme > 0 && target[..scheme].iter().all(u8::is_ascii_alphabetic);
    let rest = &target[scheme + 3..];
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    is_scheme.then(|| host_of_authority(&rest[..end]))
}

/// The host without the user before it, and the port, dots and blanks behind it.
fn host_of_authority(authority: &[u8]) -> &[u8] {
    let authority = authority.trim_ascii();
    let host = authority.iter().rposition(|byte| *byte == b'@').map_or(authority, |at| &authority[at + 1..]);
    let port = host.iter().rposition(|byte| *byte == b':').filter(|at| host[at + 1..].iter().all(u8::is_ascii_digit));
    let mut host = port.map_or(host, |at| &host[..at]).trim_ascii_end();
    while let Some(shorter) = host.strip_suffix(b".") {
        host = shorter;
    }
    host
}

const MAX_SCHEME_LEN: usize = 8;
