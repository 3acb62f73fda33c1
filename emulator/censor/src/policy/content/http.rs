//! Questions about HTTP/1.

use core::ops::{Range, RangeInclusive};

use super::{Habit, Speaker};
use crate::dissect::http::{Keywords, Options, Reading as Read, Request, Requests, Response, Stream, response};
use crate::names::NameSet;
use crate::reading::{Place, Reading};

/// A question about the requests of a flow's client, or about the server's answer. What passes for a request, and which of a
/// connection's are read, says [`Reads::http`](crate::policy::Reads::http). It is answered in the packets that carry a part
/// of a request, not in those that come after it.
#[derive(Clone, Debug, PartialEq)]
pub enum HttpQuestion {
    /// There is a request.
    Request,
    /// It asks one of these hosts: by its `Host`, or for a tolerant parser by its target too (GFW-HTTP-1).
    Host(NameSet),
    /// Its target has one of these words in it, as sent or percent-decoded (IR-HTTP-1).
    Target(Keywords),
    /// Its target or its host has one of these words in it; other fields and the body are not looked at (GFW-HTTP-1).
    Keyword(Keywords),
    /// Its method is one of these, to the letter.
    Method(Vec<String>),
    /// Its body has one of these words in it, as far as it was put together.
    Body(Keywords),
    /// The server's answer is of this kind.
    Response(ResponseQuestion),
}

/// What an answer is, as far as is said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseQuestion {
    /// Its status is within this.
    pub status: Option<RangeInclusive<u16>>,
    /// Its `Location` has one of these words in it.
    pub location: Option<Keywords>,
    /// Its fields or its body have one of these words in them.
    pub contains: Option<Keywords>,
}

impl HttpQuestion {
    pub(crate) fn looks_for(&self) -> Vec<String> {
        match self {
            Self::Request => vec!["HTTP".to_owned()],
            Self::Host(names) => names.iter().map(ToString::to_string).collect(),
            Self::Target(words) | Self::Keyword(words) | Self::Body(words) => words.texts().collect(),
            Self::Method(methods) => methods.clone(),
            Self::Response(question) => vec![question.title()],
        }
    }

    pub(crate) const fn habit(&self) -> Habit {
        match self {
            Self::Response(_) => Habit { from: Speaker::Server, ..Habit::STREAM },
            _ => Habit::STREAM,
        }
    }

    pub(crate) fn answer(&self, reading: &Reading<'_>) -> Option<bool> {
        match self {
            Self::Response(question) => question.answer(reading),
            _ if reading.from_client => self.of_requests(reading),
            _ => None,
        }
    }

    /// Whether another request may come. The first of a connection decides only where the box reads no other.
    pub(crate) fn awaits(&self, reading: &Reading<'_>) -> bool {
        if matches!(self, Self::Response(_)) {
            return self.answer(reading).is_none();
        }
        let Some((bytes, Place::Opening { .. })) = reading.message() else { return true };
        let mut stream = Stream::new(bytes, reading.reads.http);
        let count = stream.by_ref().count();
        // A segment that is looked at alone says nothing of what comes after it.
        stream.is_undecided() || (!reading.is_joined() && (count == 0 || reading.reads.http.requests == Requests::All))
    }

    fn of_requests(&self, reading: &Reading<'_>) -> Option<bool> {
        let (bytes, Place::Opening { more }) = reading.message()? else { return None };
        if reading.reads.http.requests == Requests::First && reading.beginning().is_none() {
            return None;
        }
        let mut stream = Stream::new(bytes, reading.reads.http);
        let (mut is_any, mut last) = (false, None);
        // Requests that were whole before this packet were judged then.
        for request in stream.by_ref().filter(|request| reach(request, bytes) > reading.offset()) {
            is_any = true;
            last = self.is(&request);
            if last == Some(true) {
                return Some(true);
            }
        }
        match (is_any, stream.is_undecided()) {
            // The last request may have more to say.
            (true, true) if more && last.is_none() => None,
            (true, _) => Some(false),
            // No HTTP, as a stream that was put together can tell; one segment may be the middle of something.
            (false, false) if reading.is_joined() && Stream::new(bytes, reading.reads.http).next().is_none() => {
                Some(false)
            }
            (false, _) => None,
        }
    }

    /// Whether a request is what is asked for; `None` while it is unfinished and could become it.
    fn is(&self, request: &Request<'_>) -> Option<bool> {
        let is_whole = request.end.is_some();
        let found = match self {
            Self::Request => true,
            Self::Host(names) => hosts(request).any(|host| names.matches(host)),
            Self::Target(words) => words.find_in_target(request.target).is_some(),
            Self::Keyword(words) => words.find_in_request(request).is_some(),
            Self::Method(methods) => methods.iter().any(|method| method.as_bytes() == request.method),
            Self::Body(words) => words.find(request.body).is_some(),
            Self::Response(_) => false,
        };
        (found || is_whole).then_some(found)
    }

    /// Where in the message the request stands that was found.
    pub(crate) fn place(&self, reading: &Reading<'_>) -> Option<Range<usize>> {
        if matches!(self, Self::Response(_)) {
            return None;
        }
        let (bytes, _) = reading.message()?;
        let is_found =
            |request: &Request<'_>| reach(request, bytes) > reading.offset() && self.is(request) == Some(true);
        let mut requests = Stream::new(bytes, reading.reads.http);
        requests.find(is_found).map(|request| request.start..request.end.unwrap_or(bytes.len()))
    }

    pub(crate) fn describe(&self, reading: &Reading<'_>) -> Option<String> {
        let (bytes, _) = reading.message()?;
        if let Self::Response(_) = self {
            return match response(bytes, reading.reads.http.limit) {
                Read::Is(response) => Some(format!("an HTTP answer {}", response.status)),
                Read::Not | Read::Undecided => None,
            };
        }
        let mut requests = Stream::new(bytes, reading.reads.http);
        let is_found =
            |request: &Request<'_>| reach(request, bytes) > reading.offset() && self.is(request) == Some(true);
        requests.find(is_found).map(|request| describe(&request))
    }
}

impl ResponseQuestion {
    fn title(&self) -> String {
        let status = self.status.as_ref().map(|status| match (status.start(), status.end()) {
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least}-{most}"),
        });
        let texts =
            |words: &Option<Keywords>| words.as_ref().map(|words| words.texts().collect::<Vec<_>>().join(" or "));
        let location = texts(&self.location).map(|words| format!("to {words}"));
        let contains = texts(&self.contains).map(|words| format!("with {words}"));
        ["HTTP answer".to_owned()]
            .into_iter()
            .chain(status)
            .chain(location)
            .chain(contains)
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn answer(&self, reading: &Reading<'_>) -> Option<bool> {
        if reading.from_client {
            return None;
        }
        let (bytes, Place::Opening { more }) = reading.message()? else { return None };
        match response(bytes, reading.reads.http.limit) {
            Read::Is(response) if self.is(&response) => Some(true),
            // What is looked for in the body may still come.
            Read::Is(response) => {
                let is_over = self.contains.is_none() && (response.end.is_some() || self.location.is_none());
                Place::decided(is_over.then_some(false), more)
            }
            Read::Not => reading.is_joined().then_some(false),
            Read::Undecided => Place::decided(None, more),
        }
    }

    fn is(&self, response: &Response<'_>) -> bool {
        let has_status = self.status.as_ref().is_none_or(|status| status.contains(&response.status));
        let location = || response.value("Location");
        let has_location = self
            .location
            .as_ref()
            .is_none_or(|words| location().is_some_and(|location| words.find(location).is_some()));
        let holds = |words: &Keywords| {
            response.fields().any(|field| words.find(field.value).is_some()) || words.find(response.body).is_some()
        };
        has_status && has_location && self.contains.as_ref().is_none_or(holds)
    }
}

/// How many bytes the whole requests take with which a stream begins, where a box reads more than the first.
pub(super) fn finished(bytes: &[u8], options: Options) -> usize {
    if options.requests == Requests::First {
        return 0;
    }
    let mut stream = Stream::new(bytes, options);
    stream.by_ref().for_each(drop);
    stream.at()
}

/// Where in the stream ends what is there of a request.
fn reach(request: &Request<'_>, stream: &[u8]) -> usize {
    request.end.map_or(stream.len(), |end| end + request.body.len())
}

/// The hosts that can be names.
fn hosts<'a>(request: &Request<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    request.hosts().filter_map(|host| str::from_utf8(host).ok())
}

/// A request as a person would say it: what a client sends may be anything.
fn describe(request: &Request<'_>) -> String {
    const MAX_TARGET_LEN: usize = 80;
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let target = &request.target[..request.target.len().min(MAX_TARGET_LEN)];
    let host = request.hosts().next().map(|host| format!(" of {}", text(host).to_ascii_lowercase()));
    format!("{} {}{}", text(request.method), text(target), host.unwrap_or_default())
}
