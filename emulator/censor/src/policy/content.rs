//! What a rule can ask of what a packet carries, read beyond its headers.
//!
//! Each family of questions is a file: the questions, what can answer them, and how. Adding one is a file, a variant here and
//! a line in [`Content::habit`], [`Content::answer`] and [`Content::describe`].

mod bytes;
mod dns;
mod hello;
mod http;
mod look;
mod quic;
mod speech;
mod tls;

use core::ops::Range;

pub use bytes::{BytePrefix, BytesQuestion, MAX_BYTE_PREFIX, Measure};
use dns::Carriage;
pub use dns::DnsQuestion;
pub use hello::HelloQuestion;
pub use http::{HttpQuestion, ResponseQuestion};
pub use look::Look;
pub use quic::QuicQuestion;
pub use speech::Speech;
pub use tls::TlsQuestion;

use crate::dissect::tls::Carrier;
use crate::reading::{Heard, Reading};
use crate::wire::dns::Query;

/// A question about what a packet carries. Known only of a flow that the box tracks and still looks at, and of packets of a
/// box that keeps no flows.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// About TLS over TCP.
    Tls(TlsQuestion),
    /// About QUIC.
    Quic(QuicQuestion),
    /// About the client's `ClientHello` of DTLS, in the datagram that completes it (RU-DTLS-2).
    Dtls(HelloQuestion),
    /// About DNS over UDP.
    Dns(DnsQuestion),
    /// About DNS over TCP.
    DnsOverTcp(DnsQuestion),
    /// About HTTP.
    Http(HttpQuestion),
    /// About the bytes themselves.
    Bytes(BytesQuestion),
    /// A segment of the client's looks, by itself, like one of these (IR-PF-1).
    Look(Vec<Look>),
    /// Which protocol it is, of those that are known by their form.
    Speech(Speech),
}

/// Where a question can be answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub(crate) struct Habit {
    /// In segments.
    pub(crate) tcp: bool,
    /// In datagrams.
    pub(crate) udp: bool,
    /// In which of them.
    pub(crate) span: Span,
    /// Of whom.
    pub(crate) from: Speaker,
    /// Whether only the very beginning of a stream can, rather than any message in it.
    pub(crate) of_beginning: bool,
    /// At the ports of DNS, unless a rule gives others.
    pub(crate) dns_port: bool,
}

/// Which packets of a flow can answer a question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Span {
    /// Those with which a stream begins, and datagrams while the box looks at them.
    Opening,
    /// All segments while the ends take their first turns.
    Turns,
    /// All, as long as the flow lasts.
    Every,
    /// All of a flow that was found to speak a protocol (of the form's own), else those with which it begins.
    Speaking,
}

/// Whose words can answer a question, in a stream. In datagrams both ends' can.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Speaker {
    Client,
    Server,
    Either,
}

impl Habit {
    /// Of messages of the client in a stream.
    pub(crate) const STREAM: Self = Self {
        tcp: true,
        udp: false,
        span: Span::Opening,
        from: Speaker::Client,
        of_beginning: false,
        dns_port: false,
    };
    /// Of the beginning of the client's stream.
    pub(crate) const BEGINNING: Self = Self { of_beginning: true, ..Self::STREAM };
    /// Of datagrams.
    pub(crate) const DATAGRAM: Self = Self { tcp: false, udp: true, ..Self::STREAM };
    /// Of the beginning of the client's stream, and of datagrams.
    pub(crate) const BOTH: Self = Self { udp: true, ..Self::BEGINNING };

    /// Whether this end's words can answer it, in a stream.
    pub(crate) fn hears(self, is_client: bool) -> bool {
        self.tcp
            && match self.from {
                Speaker::Client => is_client,
                Speaker::Server => !is_client,
                Speaker::Either => true,
            }
    }
}

impl Content {
    /// What is looked for, as a listing says it. Nothing where the question is about an empty list, which nothing answers.
    pub fn looks_for(&self) -> Vec<String> {
        match self {
            Self::Tls(question) => question.looks_for(),
            Self::Quic(question) => question.looks_for(),
            Self::Dtls(question) => question.looks_for("DTLS"),
            Self::Dns(question) | Self::DnsOverTcp(question) => question.looks_for(),
            Self::Http(question) => question.looks_for(),
            Self::Bytes(question) => question.looks_for(),
            Self::Look(looks) => looks.iter().map(|look| look.title().to_owned()).collect(),
            Self::Speech(speech) => vec![speech.title()],
        }
    }

    /// Whether the question is about an empty list, so that nothing is what is asked for.
    pub fn is_about_nothing(&self) -> bool {
        match self {
            Self::Tls(TlsQuestion::Hello(question))
            | Self::Quic(QuicQuestion::Hello(question))
            | Self::Dtls(question) => question.is_about_nothing(),
            Self::Tls(TlsQuestion::Certificate(names))
            | Self::Dns(DnsQuestion::Name(names) | DnsQuestion::AnyName(names))
            | Self::DnsOverTcp(DnsQuestion::Name(names) | DnsQuestion::AnyName(names))
            | Self::Http(HttpQuestion::Host(names)) => names.is_empty(),
            Self::Http(HttpQuestion::Target(words) | HttpQuestion::Keyword(words) | HttpQuestion::Body(words))
            | Self::Bytes(BytesQuestion::Contains(words)) => words.is_empty(),
            _ => false,
        }
    }

    /// Where the question can be answered.
    pub(crate) fn habit(&self) -> Habit {
        match self {
            Self::Tls(question) => question.habit(),
            Self::Quic(question) => question.habit(),
            Self::Dtls(_) => Habit::DATAGRAM,
            Self::Dns(question) => question.habit(Carriage::Udp),
            Self::DnsOverTcp(question) => question.habit(Carriage::Tcp),
            Self::Http(question) => question.habit(),
            Self::Bytes(question) => question.habit(),
            Self::Look(_) => Look::habit(),
            Self::Speech(speech) => speech.habit(),
        }
    }

    /// The answer; `None` where it cannot be known, or not yet.
    pub(crate) fn answer(&self, reading: &Reading<'_>) -> Option<bool> {
        let habit = self.habit();
        let is_others = reading.is_segment() && habit.span == Span::Opening && !habit.hears(reading.from_client);
        if is_others {
            return None;
        }
        match self {
            Self::Tls(question) => question.answer(reading),
            Self::Quic(question) => question.answer(reading),
            Self::Dtls(question) => match reading.dtls_hello() {
                Heard::Hello(hello) => question.answer(hello, Carrier::Dtls),
                Heard::Nothing | Heard::NoHello => None,
            },
            Self::Dns(question) => question.answer(Carriage::Udp, reading),
            Self::DnsOverTcp(question) => question.answer(Carriage::Tcp, reading),
            Self::Http(question) => question.answer(reading),
            Self::Bytes(question) => question.answer(reading),
            Self::Look(looks) => Look::answer(looks, reading),
            Self::Speech(speech) => speech.answer(reading),
        }
    }

    /// Whether a later packet may answer what this one could not.
    pub(crate) fn awaits(&self, reading: &Reading<'_>) -> bool {
        let habit = self.habit();
        let is_open = match self {
            Self::Http(question) => question.awaits(reading),
            Self::DnsOverTcp(_) => dns::awaits(reading),
            Self::Speech(speech) if speech.outlasts_hello() => speech.awaits(reading),
            Self::Bytes(question) => question.awaits(reading),
            // Each segment is asked about by itself.
            Self::Look(_) => true,
            _ => self.answer(reading).is_none(),
        };
        // Turns are counted whether a stream is read or not.
        habit.span != Span::Turns
            && habit.hears(reading.from_client)
            && is_open
            && reading.may_say_more(habit.of_beginning)
    }

    /// Whether it is told only after a `ClientHello`, which decides all else.
    pub(crate) const fn outlasts_hello(&self) -> bool {
        matches!(self, Self::Speech(speech) if speech.outlasts_hello())
    }

    /// How much of a stream was judged and is not asked about again: what comes after it is read as if it were the beginning,
    /// so that a box is not tired by what it has understood.
    pub(crate) fn finished(&self, reading: &Reading<'_>) -> usize {
        let bytes = reading.message().filter(|_| reading.is_joined()).map(|(bytes, _)| bytes).unwrap_or_default();
        match self {
            Self::Http(HttpQuestion::Response(_)) => 0,
            Self::Http(_) => http::finished(bytes, reading.reads.http),
            Self::DnsOverTcp(_) => dns::finished(bytes),
            _ => 0,
        }
    }

    /// Where in the packet's own data it was found: what of a name or a request stands in this packet. What QUIC encrypts is
    /// in all of it.
    pub(crate) fn place(&self, reading: &Reading<'_>) -> Option<Range<usize>> {
        let part = match self {
            Self::Tls(TlsQuestion::Hello(_)) => match reading.hello() {
                Heard::Hello(hello) => hello.sni_at.clone(),
                Heard::Nothing | Heard::NoHello => None,
            },
            Self::Dns(_) => reading.query().map(Query::question_at),
            Self::Http(question) => question.place(reading),
            _ => None,
        };
        let all = 0..reading.payload().len();
        self.answer(reading)?;
        part.map_or(Some(all), |part| reading.here(&part)).filter(|place| !place.is_empty())
    }

    /// What was found, as a person would say it.
    pub(crate) fn describe(&self, reading: &Reading<'_>) -> Option<String> {
        match self {
            Self::Tls(question) => question.describe(reading),
            Self::Quic(question) => question.describe(reading),
            Self::Dtls(question) => match reading.dtls_hello() {
                Heard::Hello(hello) => Some(format!("DTLS {}", question.describe(hello, Carrier::Dtls))),
                Heard::Nothing | Heard::NoHello => None,
            },
            Self::Dns(question) => question.describe(Carriage::Udp, reading),
            Self::DnsOverTcp(question) => question.describe(Carriage::Tcp, reading),
            Self::Http(question) => question.describe(reading),
            Self::Bytes(question) => Some(question.describe(reading)),
            Self::Look(_) => Some("a payload's fingerprint".to_owned()),
            Self::Speech(speech) => Some(speech.describe().to_owned()),
        }
        .filter(|_| self.answer(reading).is_some())
    }
}
