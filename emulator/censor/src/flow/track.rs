//! What one box remembers of one flow: its state, who began it, what was said so far, and what the box concluded.

use std::sync::Arc;

use super::reassembly::Reassembly;
use crate::machine::MAX_REASSEMBLY;
use crate::outbox::Direction;
use crate::policy::{FlowPolicy, TcpFlags, TrackFrom};
use crate::time::Instant;
use crate::view::{Transport, View};
use crate::wire::tcp::TcpSegment;
use crate::wire::tls::{self, ClientHello, Hello};

/// How long a UDP flow is remembered without a packet: as long as Linux does, where no fact says otherwise.
const UDP_IDLE: core::time::Duration = core::time::Duration::from_secs(30);

/// One box's memory of one flow. The default is a flow of which the box knows nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Track {
    state: State,
    /// The end that counts as the client (TSPU-8).
    initiator: Option<Direction>,
    /// The way in which a `ClientHello` would travel. It differs from the initiator's where the roles were confused.
    hello_from: Option<Direction>,
    /// The sequence number of the SYN that travelled outbound, and of that inbound.
    initial: [Option<u32>; 2],
    last_seen: Instant,
    segments: u32,
    stream: Option<Reassembly>,
    /// Whether the flow was judged harmless as far as its content goes.
    pub(crate) settled: bool,
    /// Whether a rule with consequences matched, so that what the flow says is never settled as harmless.
    pub(crate) condemned: bool,
    /// The rules that fired on the flow.
    pub(crate) fired: Vec<Arc<str>>,
    /// The rules that drew their chance on the flow, and whether they missed.
    pub(crate) drawn: Vec<(Arc<str>, bool)>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    #[default]
    Unknown,
    SynSent,
    SynReceived,
    Established,
    Datagrams,
}

/// What a box hears in a packet of the flow.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Heard {
    /// Nothing that it could judge.
    Nothing,
    /// That the stream does not begin with a `ClientHello`.
    NoHello,
    /// The packet that completes, or repeats, a `ClientHello`.
    Hello(ClientHello),
}

impl Track {
    /// Whether the box tracks the flow.
    pub(crate) fn is_known(&self) -> bool {
        self.state != State::Unknown
    }

    /// The way in which the end that began the flow sends; `None` where the box does not know.
    pub(crate) fn initiator(&self) -> Option<Direction> {
        self.initiator
    }

    /// Whether the box has forgotten the flow by now (TSPU-10).
    pub(crate) fn is_expired(&self, now: Instant, policy: &FlowPolicy) -> bool {
        let idle = match self.state {
            State::Unknown => return true,
            State::SynSent => policy.idle.syn_sent,
            State::SynReceived => policy.idle.syn_received,
            State::Established => policy.idle.established,
            State::Datagrams => UDP_IDLE,
        };
        now.saturating_since(self.last_seen) > idle
    }

    /// Takes note of a packet before it is judged.
    pub(crate) fn observe(&mut self, now: Instant, view: &View<'_>, policy: &FlowPolicy) {
        if self.is_known() && self.is_expired(now, policy) {
            *self = Self::default();
        }
        match &view.transport {
            Transport::Tcp(segment) => self.observe_segment(segment, view.direction, policy),
            Transport::Udp(_) if !self.is_known() => self.begin(State::Datagrams, view.direction),
            Transport::Udp(_) | Transport::Other => {}
        }
        self.last_seen = now;
    }

    /// Takes note of what ends a flow after the packet was judged.
    pub(crate) fn conclude(&mut self, view: &View<'_>, policy: &FlowPolicy) {
        let fin = policy.teardown.fin && view.has_flags(TcpFlags::FIN.0);
        let rst = policy.teardown.rst && view.has_flags(TcpFlags::RST.0);
        if fin || rst {
            *self = Self::default();
        }
    }

    /// Listens for a `ClientHello`.
    pub(crate) fn listen(&mut self, view: &View<'_>, policy: &FlowPolicy) -> Heard {
        let Some(segment) = view.segment().filter(|segment| !segment.payload().is_empty()) else {
            return Heard::Nothing;
        };
        if self.settled || self.hello_from != Some(view.direction) {
            return Heard::Nothing;
        }
        self.segments = self.segments.saturating_add(1);
        match policy.reassembly_limit {
            None => match tls::client_hello(segment.payload()) {
                Hello::ClientHello(hello) => Heard::Hello(hello),
                // One segment alone says nothing about the stream: it may be the middle of something.
                Hello::NotTls | Hello::Incomplete => Heard::Nothing,
            },
            Some(limit) => self.reassemble(segment, view.direction, limit.min(MAX_REASSEMBLY)),
        }
    }

    /// Takes note that a packet was judged. A flow that was condemned is listened to for as long as it lasts.
    pub(crate) fn settle(&mut self, heard: &Heard, policy: &FlowPolicy) {
        if self.condemned {
            return;
        }
        let gave_up = match policy.reassembly_limit {
            None => self.segments >= policy.inspect_segments,
            Some(_) => self.stream.as_ref().is_some_and(Reassembly::is_full),
        };
        if *heard != Heard::Nothing || gave_up {
            self.settled = true;
            self.stream = None;
        }
    }

    /// Takes note that a rule fired.
    pub(crate) fn fire(&mut self, rule: &Arc<str>) {
        if !self.fired.contains(rule) {
            self.fired.push(Arc::clone(rule));
        }
    }

    /// Begins the judgement of content anew under a new policy, which keeps what fired of the rules that it still has.
    pub(crate) fn reconsider(&mut self, keeps: &dyn Fn(&str) -> bool) {
        self.settled = false;
        self.condemned = false;
        self.segments = 0;
        self.stream = None;
        self.fired.retain(|rule| keeps(rule));
        self.drawn.retain(|(rule, _)| keeps(rule));
    }

    fn begin(&mut self, state: State, initiator: Direction) {
        let (initiator, hello_from) = (Some(initiator), Some(initiator));
        *self = Self { state, initiator, hello_from, ..Self::default() };
    }

    fn observe_segment(&mut self, segment: &TcpSegment<'_>, from: Direction, policy: &FlowPolicy) {
        let flags = segment.flags();
        match (flags.contains(TcpFlags::SYN), flags.contains(TcpFlags::ACK)) {
            (true, false) => self.observe_syn(segment.sequence(), from),
            (true, true) => self.observe_syn_ack(segment, from),
            (false, acknowledges) => {
                if !self.is_known() && policy.from == TrackFrom::Any && !flags.contains(TcpFlags::RST) {
                    self.begin(State::Established, from);
                }
                let is_opening = matches!(self.state, State::SynSent | State::SynReceived);
                if is_opening && acknowledges && (self.initiator == Some(from) || self.hello_from == Some(from)) {
                    self.state = State::Established;
                }
            }
        }
    }

    fn observe_syn(&mut self, sequence: u32, from: Direction) {
        let own = self.initial[place(from)];
        if self.is_known() && own == Some(sequence) {
            return; // A retransmission.
        }
        if self.state == State::SynSent && own.is_none() {
            // TSPU-8: where both ends send a SYN, be it a simultaneous open or a split handshake, the inside end is taken
            // for the server. It may send a ClientHello all the same.
            self.initial[place(from)] = Some(sequence);
            self.initiator = Some(Direction::Inbound);
            self.hello_from = Some(Direction::Outbound);
            self.state = State::SynReceived;
            return;
        }
        self.begin(State::SynSent, from);
        self.initial[place(from)] = Some(sequence);
    }

    fn observe_syn_ack(&mut self, segment: &TcpSegment<'_>, from: Direction) {
        let other = from.reversed();
        if !self.is_known() {
            // The SYN was not seen, by a box that sees one direction for example; who answers one did not send it (TSPU-8,
            // TSPU-9).
            self.begin(State::SynReceived, other);
            self.initial[place(other)] = Some(segment.acknowledgement().wrapping_sub(1));
        } else if self.state == State::SynSent && self.initiator == Some(other) {
            self.state = State::SynReceived;
        }
        self.initial[place(from)].get_or_insert(segment.sequence());
    }

    fn reassemble(&mut self, segment: &TcpSegment<'_>, from: Direction, limit: usize) -> Heard {
        let start = segment.payload_sequence();
        // A flow joined in the middle begins with what is seen of it first.
        let initial = *self.initial[place(from)].get_or_insert(start.wrapping_sub(1));
        let offset = start.wrapping_sub(initial.wrapping_add(1)).cast_signed();
        let stream = self.stream.get_or_insert_with(|| Reassembly::new(limit));
        stream.add(offset, segment.payload());
        match tls::client_hello(stream.contiguous()) {
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

const fn place(direction: Direction) -> usize {
    match direction {
        Direction::Outbound => 0,
        Direction::Inbound => 1,
    }
}
