//! What one box remembers of one flow: its state, who began it, what was said so far, and what the box concluded.

use std::borrow::Cow;
use std::sync::Arc;

use super::note::Note;
use super::reassembly::Reassembly;
use super::said::{Dialects, MAX_OPENING, Said, SaidPlace};
use crate::dissect::tls::{self, ClientHello, Hello};
use crate::machine::MAX_REASSEMBLY;
use crate::outbox::Direction;
use crate::policy::{FlowPolicy, TcpFlags, TrackFrom};
use crate::time::Instant;
use crate::view::{Transport, View};
use crate::wire::tcp::TcpSegment;

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
    datagrams: u32,
    stream: Option<Reassembly>,
    /// Whether the flow was judged harmless as far as a `ClientHello` goes.
    pub(crate) settled: bool,
    /// Whether the beginning of the client's stream was judged, as far as other protocols go.
    opening_settled: bool,
    /// The protocols, of those that rules name, that the flow was found to speak.
    speaks: Dialects,
    /// Whether a rule with consequences matched, so that what the flow says is never settled as harmless.
    pub(crate) condemned: bool,
    /// What rules did on the flow.
    notes: Vec<Note>,
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

/// What a box hears in a packet of the flow, where a `ClientHello` could be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Heard {
    /// Nothing that it could judge.
    Nothing,
    /// That the stream does not begin with a `ClientHello`.
    NoHello,
    /// The packet that completes, or repeats, a `ClientHello`.
    Hello(Box<ClientHello>),
}

/// What some rule wants to hear of a flow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Ear {
    /// A `ClientHello`.
    pub(crate) tls: bool,
    /// Other content.
    pub(crate) content: bool,
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
            // An error about a packet of the flow is no packet of the flow.
            Transport::Error => return,
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

    /// Listens to a packet: for a `ClientHello`, and for whatever else rules name.
    pub(crate) fn listen<'v>(&mut self, view: &View<'v>, policy: &FlowPolicy, ear: Ear) -> (Heard, Option<Said<'v>>) {
        if view.payload().is_empty() {
            return (Heard::Nothing, None);
        }
        match &view.transport {
            Transport::Tcp(segment) => self.listen_to_segment(segment, view.direction, policy, ear),
            Transport::Udp(datagram) if ear.content && self.hears_datagrams(policy) => {
                self.datagrams = self.datagrams.saturating_add(1);
                let bytes = Cow::Borrowed(datagram.payload());
                (Heard::Nothing, Some(Said { bytes, place: SaidPlace::Datagram, speaks: self.speaks }))
            }
            Transport::Udp(_) | Transport::Error | Transport::Other => (Heard::Nothing, None),
        }
    }

    /// Takes note of the protocols that the packet was found to be of, and whether it told enough of all others.
    pub(crate) fn recognise(&mut self, said: &mut Said<'_>, (found, is_decided): (Dialects, bool)) {
        self.speaks = self.speaks.with(found);
        said.speaks = self.speaks;
        self.opening_settled |= is_decided && matches!(said.place, SaidPlace::Opening { .. });
    }

    /// Takes note that a packet was judged. A flow that was condemned is listened to for as long as it lasts.
    pub(crate) fn settle(&mut self, heard: &Heard, policy: &FlowPolicy, ear: Ear) {
        if self.condemned {
            return;
        }
        let gave_up = match policy.reassembly_limit {
            None => self.segments >= policy.inspect_segments,
            Some(_) => self.stream.as_ref().is_some_and(Reassembly::is_full),
        };
        self.settled |= *heard != Heard::Nothing || gave_up;
        self.opening_settled |= gave_up;
        if (self.settled || !ear.tls) && (self.opening_settled || !ear.content) {
            self.stream = None;
        }
    }

    /// Whether a box still looks at the flow's datagrams.
    pub(crate) fn hears_datagrams(&self, policy: &FlowPolicy) -> bool {
        self.datagrams < policy.inspect_datagrams || !self.speaks.is_empty()
    }

    /// Whether a box still looks at the flow's segments for other things than a `ClientHello`.
    pub(crate) fn hears_stream(&self) -> bool {
        !self.opening_settled || self.speaks.has(Dialects::OPENVPN)
    }

    /// Takes note that a rule fired; whether that is the first time.
    pub(crate) fn fire(&mut self, rule: &Arc<str>) -> bool {
        !core::mem::replace(&mut self.note_mut(rule).fired, true)
    }

    /// Whether a rule of this name has fired.
    pub(crate) fn has_fired(&self, rule: &str) -> bool {
        self.note(rule).is_some_and(|note| note.fired)
    }

    /// Whether the rule misses on this flow, where that was drawn.
    pub(crate) fn has_missed(&self, rule: &str) -> Option<bool> {
        self.note(rule).and_then(|note| note.missed)
    }

    /// The rule's past on this flow.
    pub(crate) fn note_mut(&mut self, rule: &Arc<str>) -> &mut Note {
        let place = self.notes.iter().position(|note| note.rule == *rule).unwrap_or_else(|| {
            self.notes.push(Note::new(rule));
            self.notes.len() - 1
        });
        &mut self.notes[place]
    }

    /// Begins the judgement of content anew under a new policy, which keeps what it knows of the rules that it still has.
    pub(crate) fn reconsider(&mut self, keeps: &dyn Fn(&str) -> bool) {
        self.settled = false;
        self.opening_settled = false;
        self.condemned = false;
        self.segments = 0;
        self.datagrams = 0;
        self.stream = None;
        self.notes.retain(|note| keeps(&note.rule));
    }

    fn note(&self, rule: &str) -> Option<&Note> {
        self.notes.iter().find(|note| *note.rule == *rule)
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

    fn listen_to_segment<'v>(
        &mut self,
        segment: &TcpSegment<'v>,
        from: Direction,
        policy: &FlowPolicy,
        ear: Ear,
    ) -> (Heard, Option<Said<'v>>) {
        let is_clients = self.hello_from == Some(from);
        let listens_tls = is_clients && ear.tls && !self.settled;
        let offset = if is_clients && (listens_tls || ear.content) { self.offset_of(segment, from) } else { 0 };
        // What condemned a flow is heard again when it is sent again.
        let is_again = self.condemned && offset == 0;
        let awaits_opening = is_clients && ear.content && (!self.opening_settled || is_again);
        let (mut heard, mut said) = (Heard::Nothing, None);
        if listens_tls || awaits_opening {
            self.segments = self.segments.saturating_add(1);
            let (opening, more) = match policy.reassembly_limit {
                None => {
                    if listens_tls
                        && let Hello::ClientHello(hello) =
                            tls::client_hello(segment.payload(), &tls::Options::default())
                    {
                        // One segment alone says nothing else about the stream: it may be the middle of something.
                        heard = Heard::Hello(hello);
                    }
                    // Where segments are not put together, nothing more is seen of a stream's beginning than the first.
                    (Cow::Borrowed(if offset == 0 { segment.payload() } else { &[] }), false)
                }
                Some(limit) => {
                    let stream = self.stream.get_or_insert_with(|| Reassembly::new(limit.min(MAX_REASSEMBLY)));
                    stream.add(offset, segment.payload());
                    if listens_tls {
                        heard = hear(stream, offset);
                    }
                    let opening = stream.contiguous();
                    let opening =
                        if awaits_opening { opening[..opening.len().min(MAX_OPENING)].to_vec() } else { vec![] };
                    (Cow::Owned(opening), !stream.is_full() && stream.contiguous().len() < MAX_OPENING)
                }
            };
            if awaits_opening && !opening.is_empty() {
                let place = SaidPlace::Opening { more };
                said = Some(Said { bytes: opening, place, speaks: self.speaks });
            }
        }
        if said.is_none() && ear.content && self.speaks.has(Dialects::OPENVPN) {
            let bytes = Cow::Borrowed(segment.payload());
            said = Some(Said { bytes, place: SaidPlace::Segment, speaks: self.speaks });
        }
        (heard, said)
    }

    /// How far from the beginning of its end's stream a segment's payload lies.
    fn offset_of(&mut self, segment: &TcpSegment<'_>, from: Direction) -> i32 {
        let start = segment.payload_sequence();
        // A flow joined in the middle begins with what is seen of it first.
        let initial = *self.initial[place(from)].get_or_insert(start.wrapping_sub(1));
        start.wrapping_sub(initial.wrapping_add(1)).cast_signed()
    }
}

/// What a stream says once a segment's payload was added to it at this place.
fn hear(stream: &Reassembly, offset: i32) -> Heard {
    match tls::client_hello(stream.contiguous(), &tls::Options::default()) {
        Hello::NotTls => Heard::NoHello,
        // Later data of a stream whose ClientHello was heard is no ClientHello.
        Hello::ClientHello(hello) if usize::try_from(offset).is_ok_and(|offset| offset >= hello.length) => {
            Heard::Nothing
        }
        Hello::ClientHello(hello) => Heard::Hello(hello),
        Hello::Incomplete => Heard::Nothing,
    }
}

const fn place(direction: Direction) -> usize {
    match direction {
        Direction::Outbound => 0,
        Direction::Inbound => 1,
    }
}
