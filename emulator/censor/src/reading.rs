//! What a box has of a packet to read, and what is read in it: each dissector's answer is worked out when a rule first asks,
//! and once.

use core::cell::{Cell, OnceCell};
use core::ops::Range;
use std::borrow::Cow;

use crate::dissect::http;
use crate::dissect::tls::{self, ClientHello, Hello, JoinRecords, ServerNames};
use crate::flow::{InnerTurns, Stream, TunnelTold};
use crate::policy::{Decide, Reads};
use crate::wire::dns::Query;

/// What a box has of a packet to read.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) source: Source<'a>,
    /// Whether it comes from the end that counts as the client.
    pub(crate) from_client: bool,
    /// What the box knows how to read.
    pub(crate) reads: &'a Reads,
    pub(crate) decide: Decide,
    /// What the flow was found to speak, by this packet or one before it.
    speaks: Cell<Dialects>,
    text: OnceCell<Vec<u8>>,
    hello: OnceCell<Heard>,
    server_names: OnceCell<ServerNames>,
    /// What the flow's datagrams say of a `ClientHello`, with this one.
    pub(crate) datagrams: DatagramsHeard,
    /// The turns of the flow's ends so far, where a rule asks about them.
    pub(crate) inner: Option<InnerTurns>,
    /// The shape of the flow's packets so far, where a rule asks about that.
    pub(crate) tunnel: Option<TunnelTold>,
    query: OnceCell<Option<Query<'a>>>,
}

/// Where the bytes come from.
#[derive(Debug)]
pub(crate) enum Source<'a> {
    /// A datagram.
    Datagram(&'a [u8]),
    /// A datagram of a flow that the box has looked at enough, except for what each datagram says by itself.
    Passing(&'a [u8]),
    /// A segment of a box that puts none together.
    Alone {
        /// Its data.
        payload: Cow<'a, [u8]>,
        /// Whether they are the first of their end's stream.
        is_first: bool,
    },
    /// A segment, and the stream that it was added to.
    Joined {
        /// Its data.
        payload: &'a [u8],
        /// How far from the beginning of what is kept of the stream they lie.
        offset: i32,
        /// The stream, taken out of the flow for as long as it is read.
        stream: Box<Stream>,
        /// Whether the box will see more of the stream.
        more: bool,
    },
    /// A segment after the beginning of a stream that the box has read.
    Later(&'a [u8]),
}

/// Where bytes stand in their flow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// They are a datagram.
    Datagram,
    /// They are the beginning of a stream; whether the box will see more of that.
    Opening { more: bool },
    /// They are a later segment of a stream.
    Segment,
}

impl Place {
    /// What could still become it is not it where nothing more is seen.
    pub(crate) fn decided(answer: Option<bool>, more: bool) -> Option<bool> {
        answer.or((!more).then_some(false))
    }
}

/// What a flow's datagrams say of a `ClientHello`. They are put together as they come, whether a rule asks or not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct DatagramsHeard {
    /// In QUIC.
    pub(crate) quic: Heard,
    /// In DTLS.
    pub(crate) dtls: Heard,
}

/// What a box hears in a packet of the client's, where a `ClientHello` could be.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Heard {
    /// Nothing that it could judge.
    #[default]
    Nothing,
    /// That the stream does not begin with a `ClientHello`.
    NoHello,
    /// The packet that completes, or repeats, a `ClientHello`.
    Hello(Box<ClientHello>),
}

/// A set of protocols.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Dialects(u8);

impl Dialects {
    pub(crate) const STUN: Self = Self(1);
    pub(crate) const DTLS: Self = Self(2);
    pub(crate) const WIREGUARD: Self = Self(4);
    pub(crate) const OPENVPN: Self = Self(8);
    pub(crate) const OTHER: Self = Self(16);
    pub(crate) const AMNEZIA: Self = Self(32);

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn has(self, dialect: Self) -> bool {
        self.0 & dialect.0 != 0
    }

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl From<Hello> for Heard {
    /// What datagrams say: that none has said yet what it could is nothing that can be judged.
    fn from(hello: Hello) -> Self {
        match hello {
            Hello::ClientHello(hello) => Self::Hello(hello),
            Hello::NotTls | Hello::Incomplete => Self::Nothing,
        }
    }
}

impl<'a> Reading<'a> {
    pub(crate) fn new(
        source: Source<'a>,
        from_client: bool,
        (reads, decide): (&'a Reads, Decide),
        speaks: Dialects,
    ) -> Self {
        Self {
            source,
            from_client,
            reads,
            decide,
            speaks: Cell::new(speaks),
            text: OnceCell::new(),
            hello: OnceCell::new(),
            server_names: OnceCell::new(),
            datagrams: DatagramsHeard::default(),
            inner: None,
            tunnel: None,
            query: OnceCell::new(),
        }
    }

    /// The bytes in which a message of some protocol may begin, and where they stand: a datagram, a stream as far as it was put
    /// together, or, where segments are looked at alone, any segment while the box looks.
    pub(crate) fn message(&self) -> Option<(&[u8], Place)> {
        match &self.source {
            Source::Datagram(payload) => Some((payload, Place::Datagram)),
            Source::Alone { payload, .. } => Some((payload, Place::Opening { more: false })),
            Source::Joined { more, .. } => Some((self.joined()?, Place::Opening { more: *more })),
            Source::Passing(_) | Source::Later(_) => None,
        }
    }

    /// Where in the [`message`](Self::message) the packet's own data lie.
    pub(crate) fn offset(&self) -> usize {
        match &self.source {
            Source::Joined { offset, .. } => usize::try_from(*offset).unwrap_or(0),
            _ => 0,
        }
    }

    /// The packet's own data.
    pub(crate) fn payload(&self) -> &[u8] {
        match &self.source {
            Source::Alone { payload, .. } => payload,
            Source::Joined { payload, .. }
            | Source::Datagram(payload)
            | Source::Passing(payload)
            | Source::Later(payload) => payload,
        }
    }

    /// What of a part of the message that is read stands in this packet, by its place in the packet's own data.
    pub(crate) fn here(&self, part: &Range<usize>) -> Option<Range<usize>> {
        let from = self.offset();
        let (start, end) = (part.start.max(from), part.end.min(from + self.payload().len()));
        (start < end).then(|| start - from..end - from)
    }

    /// Whether the packet is a segment that was added to its stream.
    pub(crate) fn is_joined(&self) -> bool {
        matches!(self.source, Source::Joined { .. })
    }

    /// Whether the packet is a segment.
    pub(crate) fn is_segment(&self) -> bool {
        !matches!(self.source, Source::Datagram(_) | Source::Passing(_))
    }

    /// As [`message`](Self::message), but of a stream nothing except its very beginning.
    pub(crate) fn beginning(&self) -> Option<(&[u8], Place)> {
        match &self.source {
            Source::Alone { is_first: false, .. } => None,
            Source::Joined { stream, .. } if stream.passed() > 0 => None,
            _ => self.message().filter(|(bytes, place)| *place == Place::Datagram || !bytes.is_empty()),
        }
    }

    /// What the packet itself carries, where that is a datagram or the very beginning of a stream: a box that judges first
    /// packets puts nothing together.
    pub(crate) fn first_packet(&self) -> Option<&[u8]> {
        let payload: &[u8] = match &self.source {
            Source::Datagram(payload) => payload,
            Source::Alone { payload, is_first: true } => payload,
            Source::Joined { payload, offset: 0, stream, .. } if stream.passed() == 0 => payload,
            _ => return None,
        };
        (!payload.is_empty()).then_some(payload)
    }

    /// As [`beginning`](Self::beginning), or a later segment, by itself, of a flow that is looked at for as long as it lasts.
    pub(crate) fn said(&self) -> Option<(&[u8], Place)> {
        match &self.source {
            Source::Later(payload) => Some((payload, Place::Segment)),
            Source::Alone { payload, is_first: false } => Some((payload, Place::Segment)),
            _ => self.beginning(),
        }
    }

    /// The `ClientHello` of the flow's client over TCP, in the packet that completes or repeats it.
    pub(crate) fn hello(&self) -> &Heard {
        self.hello.get_or_init(|| if self.from_client { self.hear() } else { Heard::Nothing })
    }

    /// The `ClientHello` of the flow's client over QUIC, in the datagram that completes or repeats it.
    pub(crate) const fn quic_hello(&self) -> &Heard {
        &self.datagrams.quic
    }

    /// The `ClientHello` of the flow's client over DTLS, in the datagram that completes it.
    pub(crate) const fn dtls_hello(&self) -> &Heard {
        &self.datagrams.dtls
    }

    /// The names in the certificate of a server over TCP.
    pub(crate) fn server_names(&self) -> &ServerNames {
        self.server_names.get_or_init(|| match self.beginning() {
            Some((bytes, Place::Opening { .. })) if !self.from_client => tls::server_names(bytes),
            _ => ServerNames::Incomplete,
        })
    }

    /// The datagram, while the box looks.
    pub(crate) const fn datagram(&self) -> Option<&'a [u8]> {
        match self.source {
            Source::Datagram(payload) => Some(payload),
            _ => None,
        }
    }

    /// The datagram, however many came before it.
    pub(crate) const fn any_datagram(&self) -> Option<&'a [u8]> {
        match self.source {
            Source::Datagram(payload) | Source::Passing(payload) => Some(payload),
            _ => None,
        }
    }

    /// The query over UDP that the packet is.
    pub(crate) fn query(&self) -> Option<&Query<'a>> {
        let parse = || match self.source {
            Source::Datagram(payload) | Source::Passing(payload) => Query::parse(payload),
            _ => None,
        };
        self.query.get_or_init(parse).as_ref()
    }

    /// What the flow was found to speak.
    pub(crate) fn speaks(&self) -> Dialects {
        self.speaks.get()
    }

    /// The flow speaks this besides.
    pub(crate) fn recognise(&self, found: Dialects) {
        self.speaks.set(self.speaks.get().with(found));
    }

    /// Whether a whole message was read that says what the flow is.
    pub(crate) fn is_decisive(&self) -> bool {
        let is_hello = |heard: &Heard| matches!(heard, Heard::Hello(_));
        self.hello.get().is_some_and(is_hello) || is_hello(self.quic_hello()) || is_hello(self.dtls_hello())
    }

    /// Whether more packets may answer what this one could not.
    pub(crate) fn may_say_more(&self, is_of_beginning: bool) -> bool {
        match &self.source {
            Source::Joined { more, .. } => *more,
            // Where segments are not put together, nothing more is seen of a stream's beginning than the first.
            Source::Alone { is_first, .. } => !is_of_beginning || !is_first,
            Source::Datagram(_) | Source::Passing(_) | Source::Later(_) => false,
        }
    }

    /// Whether the client's first data are longer than this and of no protocol that a box of RU-THR-3's kind knows.
    pub(crate) fn is_unparsable(&self, longest: usize) -> bool {
        let opens = |bytes: &[u8]| {
            let is_tls = matches!(bytes, [0x14..=0x17, 3, ..]);
            let is_socks = matches!(bytes, [4 | 5, ..]);
            is_tls || is_socks || http::begins_with_method(bytes)
        };
        let is_first = self.from_client && self.is_segment();
        is_first && self.beginning().is_some_and(|(bytes, _)| bytes.len() > longest && !opens(bytes))
    }

    /// Gives the stream back to its flow.
    pub(crate) fn into_stream(self) -> Option<Box<Stream>> {
        match self.source {
            Source::Joined { stream, .. } => Some(stream),
            _ => None,
        }
    }

    fn joined(&self) -> Option<&[u8]> {
        let Source::Joined { stream, .. } = &self.source else { return None };
        match stream.text() {
            Cow::Borrowed(text) => Some(text),
            Cow::Owned(text) => Some(self.text.get_or_init(|| text)),
        }
    }

    fn hear(&self) -> Heard {
        match &self.source {
            // One segment alone says nothing else about the stream: it may be the middle of something.
            Source::Alone { payload, .. } => self.hear_alone(payload),
            Source::Joined { payload, offset, .. } => match self.hear_joined(*offset) {
                Heard::Hello(hello) => Heard::Hello(hello),
                other if self.reads.tls.records == JoinRecords::InSegment && *offset == 0 => {
                    match self.hear_alone(payload) {
                        Heard::Hello(hello) => Heard::Hello(hello),
                        _ => other,
                    }
                }
                // A later one may stand anywhere, also at the place of the first.
                other if self.decide == Decide::Always => match self.hear_alone(payload) {
                    Heard::Hello(hello) => Heard::Hello(hello),
                    _ => other,
                },
                other => other,
            },
            Source::Datagram(_) | Source::Passing(_) | Source::Later(_) => Heard::Nothing,
        }
    }

    fn hear_alone(&self, payload: &[u8]) -> Heard {
        let mut options = self.reads.tls;
        if options.records == JoinRecords::InSegment {
            options.records = JoinRecords::Join;
        }
        match tls::client_hello(payload, &options) {
            Hello::ClientHello(hello) => Heard::Hello(hello),
            Hello::NotTls | Hello::Incomplete => Heard::Nothing,
        }
    }

    /// What a stream says once a segment's payload was added to it at this place.
    fn hear_joined(&self, offset: i32) -> Heard {
        match tls::client_hello(self.joined().unwrap_or_default(), &self.reads.tls) {
            Hello::NotTls => Heard::NoHello,
            // Later data of a stream whose ClientHello was heard is no ClientHello.
            Hello::ClientHello(hello) if usize::try_from(offset).is_ok_and(|offset| offset >= hello.length) => {
                Heard::Nothing
            }
            Hello::ClientHello(hello) => Heard::Hello(hello),
            Hello::Incomplete => Heard::Nothing,
        }
    }
}
