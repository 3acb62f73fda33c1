//! One end of a TCP connection as Linux keeps it, as far as a censor or a tool against it can notice.

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::IpAddr;

use etherparse::{SlicedPacket, TcpOptionElement, TransportSlice};
use roadblock_censor::Instant;

use super::craft::{self, ACK, FIN, PSH, RST, SYN, Segment};

/// What an end sees besides bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Seen {
    /// The connection was reset.
    Reset,
    /// The connection was refused.
    Refused,
    /// The other end will send no more.
    Fin,
    /// What was sent was never acknowledged.
    TimedOut,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    SynSent,
    SynReceived,
    Established,
    Closed,
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) local: (IpAddr, u16),
    pub(crate) remote: (IpAddr, u16),
    pub(crate) state: State,
    pub(crate) first_sequence: u32,
    pub(crate) acknowledged: u32,
    pub(crate) next_sequence: u32,
    pub(crate) expected: u32,
    pub(crate) seen: Vec<(Instant, Seen)>,
    /// The window that it offers until it has got something.
    pub(crate) window: u16,
    peer_first: u32,
    peer_window: u32,
    peer_timestamp: Option<u32>,
    outgoing: Vec<u8>,
    /// Where in what it sends its segments end, when they are sent again too.
    pub(crate) cuts: Vec<usize>,
    has_finished: bool,
    incoming: Vec<u8>,
    urgent: Option<usize>,
    /// What came before what it follows, by place in the stream.
    early: BTreeMap<usize, Vec<u8>>,
    timer: Option<Instant>,
    tries: u32,
    /// Whether the other end's window holds something back.
    is_stalled: bool,
}

/// What Linux offers without scaling.
pub(crate) const WINDOW: u16 = 64_240;
/// The longest payload that is sent, with timestamps, over Ethernet.
const MOST: usize = 1448;
/// How often something is sent again.
const MOST_TRIES: u32 = 6;

impl Socket {
    fn new(local: (IpAddr, u16), remote: (IpAddr, u16), first_sequence: u32, state: State) -> Self {
        Self {
            local,
            remote,
            state,
            first_sequence,
            acknowledged: first_sequence,
            next_sequence: first_sequence.wrapping_add(1),
            expected: 0,
            seen: Vec::new(),
            window: WINDOW,
            peer_first: 0,
            peer_window: u32::from(WINDOW),
            peer_timestamp: None,
            outgoing: Vec::new(),
            cuts: Vec::new(),
            has_finished: false,
            incoming: Vec::new(),
            urgent: None,
            early: BTreeMap::new(),
            timer: None,
            tries: 0,
            is_stalled: false,
        }
    }

    /// An end that opens a connection.
    pub(crate) fn connect(
        now: Instant,
        local: (IpAddr, u16),
        remote: (IpAddr, u16),
        window: u16,
        out: &mut Vec<Vec<u8>>,
    ) -> Self {
        let mut socket = Self::new(local, remote, 1_000_000, State::SynSent);
        socket.window = window;
        out.push(socket.opening(now, SYN).bytes());
        socket.arm(now);
        socket
    }

    /// An end that answers this SYN: with a SYN/ACK of this window, or with a SYN of its own (a split handshake).
    pub(crate) fn accept(
        now: Instant,
        syn: &Incoming,
        (window, is_split): (u16, bool),
        out: &mut Vec<Vec<u8>>,
    ) -> Self {
        let mut socket = Self::new(syn.destination, syn.source, 5_000_000, State::SynReceived);
        socket.window = window;
        socket.peer_first = syn.sequence;
        socket.expected = syn.sequence.wrapping_add(1);
        socket.peer_timestamp = syn.timestamp;
        socket.peer_window = u32::from(syn.window);
        let flags = if is_split { SYN } else { SYN | ACK };
        out.push(socket.opening(now, flags).bytes());
        socket.arm(now);
        socket
    }

    /// The bytes that came, without the urgent one.
    pub(crate) fn stream(&self) -> Vec<u8> {
        let mut stream = self.incoming.clone();
        if let Some(at) = self.urgent.filter(|at| *at < stream.len()) {
            stream.remove(at);
        }
        stream
    }

    /// How many bytes it was given to send.
    pub(crate) fn outgoing_len(&self) -> usize {
        self.outgoing.len()
    }

    /// When it has something to do.
    pub(crate) fn timer(&self) -> Option<Instant> {
        self.timer
    }

    /// Takes bytes to send without sending them: somebody else does, or the timer.
    pub(crate) fn take(&mut self, now: Instant, data: &[u8]) {
        self.outgoing.extend(data);
        self.next_sequence = self.next_sequence.wrapping_add(u32::try_from(data.len()).expect("short"));
        self.arm(now);
    }

    /// Sends bytes as far as the other end's window reaches.
    pub(crate) fn send(&mut self, now: Instant, data: &[u8], out: &mut Vec<Vec<u8>>) {
        let from = self.outgoing.len();
        self.take(now, data);
        self.transmit(now, from, out);
    }

    pub(crate) fn finish(&mut self, now: Instant, out: &mut Vec<Vec<u8>>) {
        let segment = Segment { flags: FIN | ACK, ..self.segment(now) };
        out.push(segment.bytes());
        self.has_finished = true;
        self.next_sequence = self.next_sequence.wrapping_add(1);
        self.arm(now);
    }

    /// A segment of this end that holds nothing yet, next in its stream.
    pub(crate) fn segment(&self, now: Instant) -> Segment {
        Segment {
            source: self.local,
            destination: self.remote,
            sequence: self.next_sequence,
            acknowledgement: self.expected,
            flags: ACK,
            window: if self.incoming.is_empty() { self.window } else { WINDOW },
            urgent: 0,
            options: craft::timestamps(clock(now), self.peer_timestamp.unwrap_or(0)),
            payload: Vec::new(),
            ttl: 64,
            data_offset: None,
            bad_checksum: false,
            length_error: 0,
        }
    }

    /// A segment with this part of what it was given to send.
    pub(crate) fn part(&self, now: Instant, range: core::ops::Range<usize>) -> Segment {
        let sequence = self.first_sequence.wrapping_add(1).wrapping_add(u32::try_from(range.start).expect("short"));
        Segment { sequence, flags: PSH | ACK, payload: self.outgoing[range].to_vec(), ..self.segment(now) }
    }

    /// Does what the timer asks for.
    pub(crate) fn on_timer(&mut self, now: Instant, out: &mut Vec<Vec<u8>>) {
        if self.timer.is_none_or(|at| at > now) {
            return;
        }
        self.tries += 1;
        if self.tries > MOST_TRIES {
            self.end(now, Seen::TimedOut);
            return;
        }
        self.timer = Some(now + Duration::from_secs(1 << self.tries));
        match self.state {
            State::SynSent => out.push(self.opening(now, SYN).bytes()),
            State::SynReceived => out.push(self.opening(now, SYN | ACK).bytes()),
            State::Established => {
                let from = self.sent_before(self.acknowledged);
                if from < self.outgoing.len() {
                    let to = self.outgoing.len().min(from + MOST.min(self.peer_window.max(1) as usize));
                    let to = self.cuts.iter().copied().find(|cut| *cut > from).unwrap_or(to).min(to);
                    out.push(self.part(now, from..to).bytes());
                } else if self.has_finished {
                    let sequence = self.next_sequence.wrapping_sub(1);
                    out.push(Segment { sequence, flags: FIN | ACK, ..self.segment(now) }.bytes());
                }
            }
            State::Closed => {}
        }
    }

    /// Takes a segment, as RFC 9293 and RFC 5961 say and Linux does.
    pub(crate) fn on_segment(&mut self, now: Instant, segment: &Incoming, out: &mut Vec<Vec<u8>>) {
        // `tcp_inbound_hash`: an MD5 option that nobody asked for.
        if self.state == State::Closed || segment.has_md5 {
            return;
        }
        if self.state == State::SynSent {
            return self.on_answer(now, segment, out);
        }
        // RFC 7323 section 5.3: what is older than what was seen is not taken, but for a reset.
        let is_old = |value: u32| self.peer_timestamp.is_some_and(|seen| value.wrapping_sub(seen).cast_signed() < 0);
        if segment.timestamp.is_some_and(is_old) && !segment.has(RST) {
            out.push(self.segment(now).bytes());
            return;
        }
        if !self.is_in_window(segment) {
            if !segment.has(RST) {
                out.push(self.segment(now).bytes());
            }
            return;
        }
        if segment.has(RST) {
            if segment.sequence == self.expected {
                self.end(now, Seen::Reset);
            } else {
                out.push(self.segment(now).bytes());
            }
            return;
        }
        if segment.has(SYN) {
            let is_answer = self.state == State::SynReceived && segment.has(ACK);
            if is_answer && segment.acknowledgement == self.next_sequence {
                // The other end's answer to the SYN of a split handshake.
                self.establish(now, segment);
            }
            out.push(self.segment(now).bytes());
            return;
        }
        // RFC 9293 section 3.10.7.4: without ACK the segment is dropped.
        if !segment.has(ACK) || !self.take_acknowledgement(now, segment, out) {
            return;
        }
        self.take_payload(segment);
        if segment.timestamp.is_some() && segment.sequence.wrapping_sub(self.expected).cast_signed() <= 0 {
            self.peer_timestamp = segment.timestamp;
        }
        let end = segment.sequence.wrapping_add(segment.len());
        let is_finished = segment.has(FIN) && end == self.expected;
        if is_finished {
            self.expected = self.expected.wrapping_add(1);
            self.seen.push((now, Seen::Fin));
        }
        if is_finished || segment.len() > 0 {
            out.push(self.segment(now).bytes());
        }
    }

    /// Takes the answer to its SYN.
    fn on_answer(&mut self, now: Instant, segment: &Incoming, out: &mut Vec<Vec<u8>>) {
        if segment.has(ACK) && segment.acknowledgement != self.next_sequence {
            if !segment.has(RST) {
                let sequence = segment.acknowledgement;
                out.push(Segment { sequence, flags: RST, options: vec![], ..self.segment(now) }.bytes());
            }
            return;
        }
        match (segment.has(RST), segment.has(SYN), segment.has(ACK)) {
            (true, _, true) => self.end(now, Seen::Refused),
            (false, true, is_acknowledged) => {
                self.peer_first = segment.sequence;
                self.expected = segment.sequence.wrapping_add(1);
                self.peer_timestamp = segment.timestamp;
                self.peer_window = u32::from(segment.window);
                if is_acknowledged {
                    self.establish(now, segment);
                    out.push(self.segment(now).bytes());
                } else {
                    // Both opened at once.
                    self.state = State::SynReceived;
                    out.push(self.opening(now, SYN | ACK).bytes());
                }
            }
            _ => {}
        }
    }

    /// Whether what the segment acknowledges is what was sent; else it is not looked at further.
    fn take_acknowledgement(&mut self, now: Instant, segment: &Incoming, out: &mut Vec<Vec<u8>>) -> bool {
        let ahead = segment.acknowledgement.wrapping_sub(self.next_sequence).cast_signed();
        let behind = self.acknowledged.wrapping_sub(segment.acknowledgement).cast_signed();
        if self.state == State::SynReceived {
            if segment.acknowledgement != self.first_sequence.wrapping_add(1) {
                let sequence = segment.acknowledgement;
                out.push(Segment { sequence, flags: RST, options: vec![], ..self.segment(now) }.bytes());
                return false;
            }
            self.establish(now, segment);
            return true;
        }
        if ahead > 0 || behind > WINDOW.into() {
            out.push(self.segment(now).bytes());
            return false;
        }
        self.peer_window = u32::from(segment.window);
        if behind < 0 {
            let reached = self.sent_before(segment.acknowledgement);
            self.acknowledged = segment.acknowledgement;
            self.tries = 0;
            self.timer = None;
            if self.acknowledged != self.next_sequence {
                self.arm(now);
                // What the window did not let go before.
                if reached < self.outgoing.len() && self.is_stalled {
                    self.transmit(now, reached, out);
                }
            }
        }
        true
    }

    fn establish(&mut self, now: Instant, segment: &Incoming) {
        self.state = State::Established;
        self.acknowledged = segment.acknowledgement;
        self.peer_window = u32::from(segment.window);
        self.timer = None;
        self.tries = 0;
        if self.acknowledged != self.next_sequence {
            self.arm(now);
        }
    }

    /// Takes what is new of a segment's payload. What is next in the stream is taken over what came early; of what came early
    /// the one that was there first stays, unless a later one covers all of it.
    fn take_payload(&mut self, segment: &Incoming) {
        let place = self.place_of(segment.sequence);
        if segment.has(craft::URG) {
            let at = place + i64::from(segment.urgent) - 1;
            self.urgent = usize::try_from(at).ok();
        }
        let gone = usize::try_from((self.reached() - place).max(0)).unwrap_or(0);
        let Some(payload) = segment.payload.get(gone..).filter(|payload| !payload.is_empty()) else { return };
        let start = usize::try_from(place.max(self.reached())).unwrap_or(0);
        let end = start + payload.len();
        if start > self.incoming.len() {
            let mut around = self.early.iter().map(|(place, bytes)| (*place, place + bytes.len()));
            if !around.any(|(other_start, other_end)| other_start <= start && end <= other_end) {
                self.early.retain(|place, bytes| *place < start || place + bytes.len() > end);
                self.early.insert(start, payload.to_vec());
            }
            return;
        }
        self.incoming.extend(payload);
        while let Some((place, bytes)) = self.early.pop_first() {
            if place > self.incoming.len() {
                self.early.insert(place, bytes);
                break;
            }
            if let Some(rest) = bytes.get(self.incoming.len() - place..) {
                self.incoming.extend(rest);
            }
        }
        self.expected =
            self.peer_first.wrapping_add(1).wrapping_add(u32::try_from(self.incoming.len()).expect("short"));
    }

    /// RFC 9293 section 3.10.7.4, as `tcp_sequence` does it: some of the segment lies in the window.
    fn is_in_window(&self, segment: &Incoming) -> bool {
        let len = segment.len() + u32::from(segment.has(SYN)) + u32::from(segment.has(FIN));
        let ends_before = segment.sequence.wrapping_add(len).wrapping_sub(self.expected).cast_signed() < 0;
        let begins_after = segment.sequence.wrapping_sub(self.expected).cast_signed() > i32::from(WINDOW);
        !ends_before && !begins_after
    }

    fn place_of(&self, sequence: u32) -> i64 {
        i64::from(sequence.wrapping_sub(self.expected).cast_signed()) + self.reached()
    }

    /// How many bytes of the other end's stream are there.
    fn reached(&self) -> i64 {
        i64::try_from(self.incoming.len()).expect("short")
    }

    /// How much of what it sent comes before this number.
    fn sent_before(&self, sequence: u32) -> usize {
        let from = sequence.wrapping_sub(self.first_sequence.wrapping_add(1)).cast_signed();
        usize::try_from(from).unwrap_or(0).min(self.outgoing.len())
    }

    fn transmit(&mut self, now: Instant, from: usize, out: &mut Vec<Vec<u8>>) {
        let acknowledged = self.sent_before(self.acknowledged);
        let to = self.outgoing.len().min(acknowledged + self.peer_window as usize);
        self.is_stalled = to < self.outgoing.len();
        for start in (from..to).step_by(MOST) {
            out.push(self.part(now, start..to.min(start + MOST)).bytes());
        }
    }

    fn opening(&self, now: Instant, flags: u8) -> Segment {
        let mut segment = Segment { sequence: self.first_sequence, flags, ..self.segment(now) };
        if flags & ACK == 0 {
            segment.acknowledgement = 0;
        }
        segment.options.splice(0..2, [2, 4, 5, 0xb4, 4, 2]);
        segment
    }

    fn arm(&mut self, now: Instant) {
        if self.timer.is_none() {
            self.timer = Some(now + Duration::from_secs(1));
        }
    }

    fn end(&mut self, now: Instant, seen: Seen) {
        self.state = State::Closed;
        self.timer = None;
        self.seen.push((now, seen));
    }
}

/// A segment whose header another's code found right.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    pub(crate) source: (IpAddr, u16),
    pub(crate) destination: (IpAddr, u16),
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    pub(crate) urgent: u16,
    pub(crate) timestamp: Option<u32>,
    pub(crate) has_md5: bool,
    pub(crate) payload: Vec<u8>,
}

impl Incoming {
    /// Reads a packet with a segment; `None` where Linux would drop it unread.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let sliced = SlicedPacket::from_ip(packet).ok()?;
        let net = sliced.net?;
        let (source, destination): (IpAddr, IpAddr) = match &net {
            etherparse::NetSlice::Ipv4(ip) => {
                let header = ip.header().to_header();
                if header.header_checksum != header.calc_header_checksum() {
                    return None;
                }
                (ip.header().source_addr().into(), ip.header().destination_addr().into())
            }
            etherparse::NetSlice::Ipv6(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
            etherparse::NetSlice::Arp(_) => return None,
        };
        let Some(TransportSlice::Tcp(tcp)) = sliced.transport else { return None };
        let computed = match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                tcp.calc_checksum_ipv4(source.octets(), destination.octets())
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                tcp.calc_checksum_ipv6(source.octets(), destination.octets())
            }
            _ => return None,
        };
        if computed.ok() != Some(tcp.checksum()) {
            return None;
        }
        let mut timestamp = None;
        for option in tcp.options_iterator() {
            if let Ok(TcpOptionElement::Timestamp(value, _)) = option {
                timestamp = Some(value);
            }
        }
        Some(Self {
            source: (source, tcp.source_port()),
            destination: (destination, tcp.destination_port()),
            sequence: tcp.sequence_number(),
            acknowledgement: tcp.acknowledgment_number(),
            flags: tcp.header_slice()[13],
            window: tcp.window_size(),
            urgent: tcp.urgent_pointer(),
            timestamp,
            has_md5: has_md5(tcp.options()),
            payload: tcp.payload().to_vec(),
        })
    }

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn len(&self) -> u32 {
        u32::try_from(self.payload.len()).expect("short")
    }
}

/// Whether there is an option of kind 19 (RFC 2385).
fn has_md5(mut options: &[u8]) -> bool {
    while let Some((kind, rest)) = options.split_first() {
        options = match (kind, rest.first()) {
            (0, _) => return false,
            (1, _) => rest,
            (19, _) => return true,
            (_, Some(len)) if *len >= 2 => options.get(usize::from(*len)..).unwrap_or(&[]),
            _ => return false,
        };
    }
    false
}

/// What an end's clock says in timestamps, in milliseconds.
pub(crate) fn clock(now: Instant) -> u32 {
    10_000_000 + u32::try_from(now.as_nanos() / 1_000_000).expect("a short test")
}
