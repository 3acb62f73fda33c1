//! What one box remembers of one flow: its state, who began it, what was said so far, and what the box concluded.

use std::borrow::Cow;
use std::sync::Arc;

use super::doubts::Doubts;
use super::ends::Ends;
use super::hellos::{DatagramEar, DatagramHellos};
use super::inner::InnerTurns;
use super::note::Note;
use super::stream::Stream;
use super::tunnel::{TunnelShape, TunnelTold};
use crate::dissect::tls::InnerGuess;
use crate::outbox::Direction;
use crate::policy::{
    BoxPolicy, ClientRole, Decide, FlowPolicy, InspectPolicy, Reassembly, Resync, SecondSyn, TcpFlags, TcpPolicy,
    TeardownCheck, TrackFrom, Urgent,
};
use crate::reading::{DatagramsHeard, Dialects, Reading, Source};
use crate::time::Instant;
use crate::view::{Transport, View};
use crate::wire::tcp::TcpSegment;

/// One box's memory of one flow. The default is a flow of which the box knows nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Track {
    state: State,
    /// The end that counts as the client (TSPU-8).
    initiator: Option<Direction>,
    /// The way in which a `ClientHello` would travel. It differs from the initiator's where the roles were confused.
    hello_from: Option<Direction>,
    ends: Ends,
    last_seen: Instant,
    /// What was read of the client, and of the server.
    client: Side,
    server: Side,
    datagrams: u32,
    /// What its datagrams say of a `ClientHello`.
    hellos: Option<Box<DatagramHellos>>,
    /// The turns of its ends, where a rule asks about them.
    inner: Option<Box<InnerTurns>>,
    /// The shape of its packets, where a rule asks about that.
    tunnel: Option<Box<TunnelShape>>,
    /// How many packets of the client were seen, with or without data.
    packets: u32,
    /// The protocols, of those that rules name, that the flow was found to speak.
    speaks: Dialects,
    /// Whether a rule with consequences matched, so that what the flow says is never settled as harmless.
    pub(crate) condemned: bool,
    /// What rules did on the flow.
    notes: Vec<Note>,
}

/// What was read of one end.
#[derive(Clone, Debug, Default)]
struct Side {
    segments: u32,
    stream: Option<Box<Stream>>,
    /// How much of the stream told the box all that it wanted to know; later data are not read.
    decided_at: Option<u32>,
    /// Whether the box has read what it wanted to.
    is_settled: bool,
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

/// What some rule wants to hear of a flow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Ear {
    /// What the client says.
    pub(crate) client: bool,
    /// What the server says.
    pub(crate) server: bool,
    /// A `ClientHello` in datagrams.
    pub(crate) datagrams: DatagramEar,
    /// Sizes, whatever is said.
    pub(crate) sizes: SizesEar,
}

/// What some rule wants to know of how much is said.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct SizesEar {
    /// The sizes of turns.
    pub(crate) inner: bool,
    /// The shape of packets.
    pub(crate) tunnel: bool,
}

impl Track {
    /// Whether the box tracks the flow, as far as its rules go.
    pub(crate) fn is_known(&self) -> bool {
        self.state != State::Unknown
    }

    /// Whether the box has seen what its rules need to see of a flow's beginning.
    pub(crate) fn is_begun(&self, policy: &FlowPolicy) -> bool {
        match policy.from {
            TrackFrom::Established => matches!(self.state, State::Established | State::Datagrams),
            TrackFrom::SynAck => !matches!(self.state, State::Unknown | State::SynSent),
            TrackFrom::Syn | TrackFrom::Any | TrackFrom::Nothing => self.is_known(),
        }
    }

    /// The way in which the end that began the flow sends; `None` where the box does not know.
    pub(crate) fn initiator(&self) -> Option<Direction> {
        self.initiator
    }

    /// Whether the box has forgotten the flow by now (TSPU-10).
    pub(crate) fn is_expired(&self, now: Instant, policy: &FlowPolicy) -> bool {
        let idle = match self.state {
            State::Unknown => return true,
            _ if policy.from == TrackFrom::Nothing => return true,
            State::SynSent => policy.idle.syn_sent,
            State::SynReceived => policy.idle.syn_received,
            State::Established => policy.idle.established,
            State::Datagrams => policy.idle.datagrams,
        };
        now.saturating_since(self.last_seen) > idle
    }

    /// What the receiver of a packet would find wrong with it.
    pub(crate) fn doubts(&self, now: Instant, view: &View<'_>, policy: &FlowPolicy) -> Doubts {
        let Transport::Tcp(segment) = &view.transport else {
            return Doubts { ttl: view.ip.ttl(), ..Doubts::default() };
        };
        if self.is_known() && !self.is_expired(now, policy) {
            self.ends.doubts(view, segment)
        } else {
            Ends::default().doubts(view, segment)
        }
    }

    /// Takes note of a packet before it is judged. `may_begin`: whether the box has room for one more flow.
    pub(crate) fn observe(&mut self, now: Instant, view: &View<'_>, policy: &FlowPolicy, may_begin: bool) {
        if policy.from == TrackFrom::Nothing {
            self.look_alone(view, policy);
        } else if self.is_known() && self.is_expired(now, policy) {
            *self = Self::default();
        }
        match &view.transport {
            Transport::Tcp(_) | Transport::Udp(_) if !self.is_known() && !may_begin => return,
            Transport::Tcp(segment) => self.observe_segment(segment, view, policy),
            Transport::Udp(_) if !self.is_known() => self.begin(State::Datagrams, view.direction, policy),
            // An error about a packet of the flow is no packet of the flow.
            Transport::Error => return,
            Transport::Udp(_) | Transport::Other => {}
        }
        if self.hello_from == Some(view.direction) {
            self.packets = self.packets.saturating_add(1);
        }
        self.last_seen = now;
    }

    /// Takes note of what ends a flow after the packet was judged.
    pub(crate) fn conclude(&mut self, view: &View<'_>, policy: &FlowPolicy, doubts: &Doubts) {
        let fin = policy.teardown.fin && view.has_flags(TcpFlags::FIN.0);
        let rst = policy.teardown.rst && view.has_flags(TcpFlags::RST.0);
        if (fin || rst) && (policy.teardown_check != TeardownCheck::Sequence || !doubts.outside) {
            *self = Self::default();
        }
    }

    /// What the box has of a packet to read, if it still looks.
    pub(crate) fn listen<'v>(
        &mut self,
        now: Instant,
        view: &View<'v>,
        policy: &'v BoxPolicy,
        ear: Ear,
    ) -> Option<Reading<'v>> {
        if view.payload().is_empty() || !self.is_begun(&policy.flow) || self.is_tired(&policy.inspect) {
            return None;
        }
        let from_client = self.hello_from == Some(view.direction);
        let inner = if ear.sizes.inner { self.take_turn(view, from_client) } else { None };
        let tunnel = if ear.sizes.tunnel { self.take_shape(view, from_client) } else { None };
        let is_counted = inner.is_some() || tunnel.is_some();
        let source = match &view.transport {
            Transport::Tcp(segment) => {
                let source = self.listen_to_segment(now, segment, view.direction, policy, ear);
                source.or_else(|| is_counted.then(|| Source::Later(segment.payload())))?
            }
            Transport::Udp(datagram) if self.hears_datagrams(&policy.inspect) => {
                self.datagrams = self.datagrams.saturating_add(1);
                Source::Datagram(datagram.payload())
            }
            Transport::Udp(datagram) => Source::Passing(datagram.payload()),
            Transport::Error | Transport::Other => return None,
        };
        let datagrams = match &source {
            Source::Datagram(payload) if from_client => {
                self.hellos.get_or_insert_default().add(payload, ear.datagrams, (&policy.reads, policy.inspect.decide))
            }
            _ => DatagramsHeard::default(),
        };
        let mut reading = Reading::new(source, from_client, (&policy.reads, policy.inspect.decide), self.speaks);
        reading.datagrams = datagrams;
        reading.inner = inner;
        reading.tunnel = tunnel;
        Some(reading)
    }

    /// Adds a packet to the shape of the flow, while that can tell something.
    fn take_shape(&mut self, view: &View<'_>, from_client: bool) -> Option<TunnelTold> {
        let shape = self.tunnel.get_or_insert_default();
        if shape.is_over() {
            return None;
        }
        let before = **shape;
        shape.add(from_client, view.payload(), view.segment().is_some());
        Some(TunnelTold { before, now: **shape })
    }

    /// Adds a segment to the turns of the flow's ends, while they can tell something.
    fn take_turn(&mut self, view: &View<'_>, from_client: bool) -> Option<InnerTurns> {
        let segment = view.segment()?;
        let inner = self.inner.get_or_insert_default();
        if inner.is_over() {
            return None;
        }
        inner.add(from_client, segment.payload());
        Some(**inner)
    }

    /// Takes note that a packet was judged. A flow that was condemned is listened to for as long as it lasts.
    /// `is_done`: whether no rule waits for more of what this end says; `finished`: how many bytes at the beginning of its stream
    /// no rule asks about again.
    pub(crate) fn settle(&mut self, reading: Reading<'_>, is_done: bool, finished: usize, policy: &BoxPolicy) {
        self.speaks = reading.speaks();
        let (from_client, is_segment) = (reading.from_client, reading.is_segment());
        let is_unparsable = policy.inspect.unparsable.is_some_and(|longest| reading.is_unparsable(longest));
        let mut stream = reading.into_stream();
        let condemned = self.condemned;
        let side = self.side_mut(from_client);
        let gave_up = match (&stream, policy.tcp.reassembly) {
            (Some(stream), _) => stream.is_full(),
            (None, Reassembly::None) => side.segments >= policy.inspect.segments,
            (None, _) => false,
        };
        if is_done && let Some(stream) = &stream {
            let end = stream.passed() + stream.text().len();
            side.decided_at.get_or_insert(u32::try_from(end).unwrap_or(u32::MAX));
        }
        // What was acted on is kept, so that it is known when it is sent again.
        if let Some(stream) = stream.as_mut().filter(|stream| !condemned && finished > 0 && stream.is_plain()) {
            stream.advance(finished);
        }
        side.is_settled |= is_segment && !condemned && (is_done || gave_up || is_unparsable);
        side.stream = stream.filter(|_| !side.is_settled);
    }

    /// Whether a box still looks at the flow's datagrams: so does one to which the first alone says what a flow is at the rest
    /// of a `ClientHello` that began in it. What condemned a flow is looked at when it is sent again.
    pub(crate) fn hears_datagrams(&self, policy: &InspectPolicy) -> bool {
        self.datagrams < policy.datagrams || !self.speaks.is_empty() || self.condemned || self.reads_on()
    }

    /// Whether a `ClientHello` began in a datagram and may go on in the next.
    fn reads_on(&self) -> bool {
        self.hellos.as_ref().is_some_and(|hellos| hellos.is_begun)
    }

    /// Whether a box still looks at what this end says in segments.
    pub(crate) fn hears_stream(&self, is_client: bool, policy: &InspectPolicy) -> bool {
        let side = if is_client { &self.client } else { &self.server };
        !side.is_settled && !self.is_tired(policy)
    }

    /// Whether the shape of the flow's packets may still tell something.
    pub(crate) fn awaits_shape(&self, ask: impl Fn(&TunnelShape) -> Option<bool>) -> bool {
        self.tunnel.as_ref().is_none_or(|shape| ask(shape).is_none())
    }

    /// Whether the turns of the flow's ends may still tell of TLS inside it.
    pub(crate) fn awaits_turns(&self, guess: &InnerGuess) -> bool {
        self.inner.as_ref().is_none_or(|inner| inner.awaits(guess))
    }

    /// Whether the flow speaks what is looked at for as long as it lasts.
    pub(crate) fn speaks(&self, dialect: Dialects) -> bool {
        self.speaks.has(dialect)
    }

    /// The way in which what the client says travels.
    pub(crate) fn client_sends(&self) -> Option<Direction> {
        self.hello_from
    }

    /// The kernel passes packets of the flow that travel this way by itself, so their numbers go on unseen.
    pub(crate) fn lose_count(&mut self, direction: Direction) {
        self.ends.of_mut(direction).lose_count();
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
        (self.client, self.server) = (Side::default(), Side::default());
        (self.datagrams, self.packets) = (0, 0);
        (self.hellos, self.inner, self.tunnel) = (None, None, None);
        self.condemned = false;
        self.lose_count(Direction::Outbound);
        self.lose_count(Direction::Inbound);
        self.notes.retain(|note| keeps(&note.rule));
    }

    fn note(&self, rule: &str) -> Option<&Note> {
        self.notes.iter().find(|note| *note.rule == *rule)
    }

    fn side_mut(&mut self, is_client: bool) -> &mut Side {
        if is_client { &mut self.client } else { &mut self.server }
    }

    /// Whether the box has seen as many packets of the client as it looks at (IR-PF-2). What it has begun to put together it
    /// reads to its end: so many packets are all that it waits for the length (IR-2024-1).
    fn is_tired(&self, policy: &InspectPolicy) -> bool {
        let is_past = policy.packets.is_some_and(|most| self.packets > most);
        is_past && !self.condemned && !self.knows_length()
    }

    /// Whether the box puts a handshake record together and has read how long it is.
    fn knows_length(&self) -> bool {
        self.client.stream.as_ref().is_some_and(|stream| matches!(*stream.text(), [22, 3, _, _, _, ..]))
    }

    /// Begins a flow: what the box knew of one before is gone.
    fn begin(&mut self, state: State, initiator: Direction, policy: &FlowPolicy) {
        let role = match policy.client {
            ClientRole::SynSender | ClientRole::FirstSender => initiator,
            ClientRole::Inside => Direction::Outbound,
        };
        let (initiator, hello_from) = (Some(role), Some(role));
        *self = Self { state, initiator, hello_from, ..Self::default() };
    }

    /// Forgets all but what rules drew for the flow: each packet is looked at alone.
    fn look_alone(&mut self, view: &View<'_>, policy: &FlowPolicy) {
        let notes = core::mem::take(&mut self.notes);
        let state = if matches!(view.transport, Transport::Udp(_)) { State::Datagrams } else { State::Established };
        self.begin(state, view.direction, policy);
        self.notes = notes;
    }

    fn observe_segment(&mut self, segment: &TcpSegment<'_>, view: &View<'_>, policy: &FlowPolicy) {
        let (flags, from) = (segment.flags(), view.direction);
        if policy.from == TrackFrom::Nothing {
            return;
        }
        let was_known = self.is_known();
        // A second SYN says nothing of what comes next to a box that does not take it for the first of another flow.
        let is_moot = was_known
            && flags.contains(TcpFlags::SYN)
            && !flags.contains(TcpFlags::ACK)
            && self.ends.of(from).initial.is_some_and(|initial| initial != segment.sequence())
            && (policy.second_syn == SecondSyn::Ignore || policy.resync.syn);
        match (flags.contains(TcpFlags::SYN), flags.contains(TcpFlags::ACK)) {
            (true, false) => self.observe_syn(segment.sequence(), from, policy),
            (true, true) => self.observe_syn_ack(segment, from, policy),
            (false, acknowledges) => {
                if !self.is_known() && policy.from == TrackFrom::Any && !flags.contains(TcpFlags::RST) {
                    self.begin(State::Established, from, policy);
                }
                let is_opening = match policy.from {
                    TrackFrom::Established => self.state == State::SynReceived && segment.payload().is_empty(),
                    TrackFrom::SynAck => self.state == State::SynReceived,
                    _ => matches!(self.state, State::SynSent | State::SynReceived),
                };
                if is_opening && acknowledges && (self.initiator == Some(from) || self.hello_from == Some(from)) {
                    self.state = State::Established;
                }
            }
        }
        if was_known {
            self.resync(segment, from, policy.resync);
        }
        if self.is_known() && !is_moot {
            self.ends.observe(view, segment);
        }
    }

    fn observe_syn(&mut self, sequence: u32, from: Direction, policy: &FlowPolicy) {
        let own = self.ends.of(from).initial;
        if self.is_known() && (own == Some(sequence) || policy.second_syn == SecondSyn::Ignore || policy.resync.syn) {
            return; // A retransmission, or one that says nothing new to this box.
        }
        if self.state == State::SynSent && own.is_none() {
            self.ends.of_mut(from).begin_at(sequence.wrapping_add(1));
            if policy.client == ClientRole::SynSender {
                // TSPU-8: where both ends send a SYN, be it a simultaneous open or a split handshake, the inside end is
                // taken for the server. It may send a ClientHello all the same.
                self.initiator = Some(Direction::Inbound);
                self.hello_from = Some(Direction::Outbound);
            }
            self.state = State::SynReceived;
            return;
        }
        self.begin(State::SynSent, from, policy);
        self.ends.of_mut(from).begin_at(sequence.wrapping_add(1));
    }

    fn observe_syn_ack(&mut self, segment: &TcpSegment<'_>, from: Direction, policy: &FlowPolicy) {
        let other = from.reversed();
        if !self.is_known() {
            // The SYN was not seen, by a box that sees one direction for example; who answers one did not send it (TSPU-8,
            // TSPU-9).
            self.begin(State::SynReceived, other, policy);
            self.ends.of_mut(other).begin_at(segment.acknowledgement());
        } else if self.state == State::SynSent && self.initiator != Some(from) {
            self.state = State::SynReceived;
        }
        let end = self.ends.of_mut(from);
        if end.initial.is_none() {
            end.begin_at(segment.sequence().wrapping_add(1));
        }
    }

    /// Takes note of what makes the box unsure of what comes next (GFW-TCB-1).
    fn resync(&mut self, segment: &TcpSegment<'_>, from: Direction, policy: Resync) {
        let has = |flag: TcpFlags| segment.flags().contains(flag);
        let Some(client) = self.hello_from else { return };
        let acknowledges_syn =
            self.ends.of(client).initial.is_none_or(|initial| segment.acknowledgement() == initial.wrapping_add(1));
        let is_second_answer = has(TcpFlags::SYN_ACK) && self.state != State::SynReceived;
        let is_bare_ack = segment.flags().0 & 0x17 == TcpFlags::ACK.0 && segment.payload().is_empty();
        let is_unsure = policy.syn && has(TcpFlags::SYN) && !has(TcpFlags::ACK)
            || policy.syn_ack && is_second_answer
            || policy.bad_syn_ack && has(TcpFlags::SYN_ACK) && !acknowledges_syn
            || policy.ack && is_bare_ack && from == client
            || policy.rst && has(TcpFlags::RST)
            || policy.fin && has(TcpFlags::FIN);
        if is_unsure {
            self.ends.of_mut(client).resyncs = true;
        }
    }

    fn listen_to_segment<'v>(
        &mut self,
        now: Instant,
        segment: &TcpSegment<'v>,
        from: Direction,
        policy: &BoxPolicy,
        ear: Ear,
    ) -> Option<Source<'v>> {
        let is_client = self.hello_from == Some(from);
        let tcp = &policy.tcp;
        if segment.flags().contains(TcpFlags::SYN) && !tcp.syn_data {
            return None;
        }
        let listens = if is_client { ear.client } else { ear.server };
        if !listens {
            return (!self.speaks.is_empty()).then(|| Source::Later(segment.payload()));
        }
        let offset = self.offset_of(segment, from);
        let condemned = self.condemned;
        let speaks = self.speaks;
        let side = self.side_mut(is_client);
        // What condemned a flow is heard again when it is sent again.
        if side.is_settled && !(condemned && offset == 0) {
            return (!speaks.is_empty()).then(|| Source::Later(segment.payload()));
        }
        if side.decided_at.is_some_and(|end| u32::try_from(offset).is_ok_and(|offset| offset >= end)) {
            return (!speaks.is_empty()).then(|| Source::Later(segment.payload()));
        }
        side.segments = side.segments.saturating_add(1);
        let urgent_at = urgent_byte(segment);
        if tcp.reassembly == Reassembly::None {
            let payload = without_urgent(segment.payload(), urgent_at, tcp);
            return Some(Source::Alone { payload, is_first: offset == 0 });
        }
        let mut stream = side.stream.take().unwrap_or_else(|| Box::new(Stream::new(tcp)));
        if policy.inspect.decide == Decide::Always && offset == 0 && stream.begins_otherwise(segment.payload()) {
            // What stood here was perhaps a fake: what stands here now is read too.
            stream = Box::new(Stream::new(tcp));
            side.decided_at = None;
        }
        stream.add(now, offset, segment.payload(), urgent_at, tcp);
        let offset = offset.saturating_sub_unsigned(u32::try_from(stream.passed()).unwrap_or(u32::MAX));
        let more = !stream.is_full();
        Some(Source::Joined { payload: segment.payload(), offset, stream, more })
    }

    /// How far from the beginning of its end's stream a segment's payload lies.
    fn offset_of(&mut self, segment: &TcpSegment<'_>, from: Direction) -> i32 {
        let start = segment.payload_sequence();
        let is_client = self.hello_from == Some(from);
        let end = self.ends.of_mut(from);
        if core::mem::take(&mut end.resyncs) {
            end.begin_at(start);
            self.side_mut(is_client).stream = None;
            return 0;
        }
        // A flow joined in the middle begins with what is seen of it first.
        let initial = *end.initial.get_or_insert(start.wrapping_sub(1));
        start.wrapping_sub(initial.wrapping_add(1)).cast_signed()
    }
}

/// Where in a segment's payload the urgent byte lies that the receiver does not get in its stream: that before the one that
/// the pointer names, as Linux reads it (RFC 6093 section 2.1).
fn urgent_byte(segment: &TcpSegment<'_>) -> Option<usize> {
    let at = usize::from(segment.urgent_pointer()?).checked_sub(1)?;
    (at < segment.payload().len()).then_some(at)
}

fn without_urgent<'v>(payload: &'v [u8], at: Option<usize>, policy: &TcpPolicy) -> Cow<'v, [u8]> {
    match at {
        Some(at) if policy.urgent == Urgent::Skip => Cow::Owned([&payload[..at], &payload[at + 1..]].concat()),
        _ => Cow::Borrowed(payload),
    }
}
