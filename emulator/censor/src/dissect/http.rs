//! HTTP/1 (RFC 9112), as censors read it: some compare bytes, some read what a server would read.
//!
//! What a request is depends on who reads. [`Parser::Exact`] takes only what browsers send, so each of the changes that
//! evasion tools make to a request hides it; [`Parser::Tolerant`] takes what servers are known to take.

mod body;
mod keywords;
mod line;
mod request;
mod response;

pub use keywords::{Keywords, KeywordsError};
pub(crate) use line::begins_with_method;
pub use request::{Field, Request};
pub use response::{Response, response};

use body::Body;

/// How a request is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Options {
    /// What passes for a request.
    pub parser: Parser,
    /// Which requests of a connection are read.
    pub requests: Requests,
    /// How many bytes of a request are read, from its first line on; what stands further on is not seen (`hostpad`).
    pub limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { parser: Parser::Tolerant, requests: Requests::All, limit: 16 * 1024 }
    }
}

/// What the first bytes of a stream are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reading<T> {
    /// It, or the beginning of it.
    Is(T),
    /// Something else, whatever may follow.
    Not,
    /// More bytes could make it either.
    Undecided,
}

impl<T> Reading<T> {
    /// The same of something made of it.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Is(it) => Reading::Is(make(it)),
            Self::Not => Reading::Not,
            Self::Undecided => Reading::Undecided,
        }
    }

    /// Whether it is and says yes; `None` while it cannot be told.
    pub fn known(self) -> Option<bool>
    where
        T: Into<bool>,
    {
        match self {
            Self::Is(it) => Some(it.into()),
            Self::Not => Some(false),
            Self::Undecided => None,
        }
    }

    /// Whether it is; `None` while it cannot be told.
    pub fn holds(&self) -> Option<bool> {
        match self {
            Self::Is(_) => Some(true),
            Self::Not => Some(false),
            Self::Undecided => None,
        }
    }
}

/// What passes for a request.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Parser {
    /// A known method in capitals, one space, the target, one space, a version that begins with `HTTP/`; lines end with CR
    /// and LF; the host is in small letters right behind `Host: ` and ends where its line does (IR-HTTP-1, IR-HTTP-2). Of
    /// several hosts the first counts.
    Exact,
    /// The same, but header names and hosts in any case.
    CaseInsensitive,
    /// What servers are known to forgive: any case, blank lines in front, several blanks, tabs or none, lines that end with
    /// LF alone, a dot or a port behind the host, a target with a scheme and a host. Of several hosts each counts (IN-2).
    #[default]
    Tolerant,
}

/// Which requests of a connection are read.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Requests {
    /// The first (GFW-HTTP-1).
    First,
    /// All.
    #[default]
    All,
}

/// The requests at the beginning of a stream, one after the other.
///
/// The last may be unfinished: it has what can be told of it already. When there are no more,
/// [`is_undecided`](Self::is_undecided) says whether more bytes could bring some.
#[derive(Clone, Debug)]
pub struct Stream<'a> {
    bytes: &'a [u8],
    options: Options,
    at: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// A request may begin here.
    Between,
    /// More bytes are needed.
    Undecided,
    /// Nothing more is read.
    Done,
}

impl<'a> Stream<'a> {
    /// Reads the beginning of what a client sent.
    pub fn new(bytes: &'a [u8], options: Options) -> Self {
        Self { bytes, options, at: 0, state: State::Between }
    }

    /// Whether more bytes could bring another request, or more of the last. It is known once the requests have been taken.
    pub fn is_undecided(&self) -> bool {
        self.state != State::Done
    }

    /// Where the request begins that is not whole yet, or the first was not read: all before it are whole.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Whether some request is one of these, finished or not; `None` while more bytes could bring one.
    pub fn any(mut self, mut is_wanted: impl FnMut(&Request<'a>) -> bool) -> Option<bool> {
        let found = self.by_ref().any(|request| is_wanted(&request));
        (found || !self.is_undecided()).then_some(found)
    }

    fn read(&mut self) -> Option<Request<'a>> {
        let rest = self.bytes.get(self.at..)?;
        let seen = &rest[..rest.len().min(self.options.limit)];
        let is_cut = seen.len() == self.options.limit;
        let unfinished = if is_cut { State::Done } else { State::Undecided };
        let line = match line::read(seen, self.options.parser, is_cut) {
            Reading::Is(line) => line,
            Reading::Not => {
                self.state = State::Done;
                return None;
            }
            Reading::Undecided => {
                self.state = unfinished;
                return None;
            }
        };
        let begin = self.at;
        let mut request = Request::new(line, seen, self.options.parser);
        request.start += begin;
        let Some(end) = request.end else {
            self.state = unfinished;
            return Some(request);
        };
        (request.body, self.state) = match body::of(&request, &rest[end..]) {
            Body::Whole(body) => {
                self.at += end + body.len();
                (body, State::Between)
            }
            Body::Cut(body) => (body, State::Undecided),
            Body::Endless(body) => (body, State::Done),
        };
        request.end = Some(begin + end);
        Some(request)
    }
}

impl<'a> Iterator for Stream<'a> {
    type Item = Request<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state != State::Between {
            return None;
        }
        let request = self.read();
        if request.as_ref().is_some_and(|request| request.end.is_some()) && self.options.requests == Requests::First {
            self.state = State::Done;
        }
        request
    }
}

#[cfg(test)]
mod tests;
