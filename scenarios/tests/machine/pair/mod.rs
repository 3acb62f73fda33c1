//! Two scripted ends with a censor between them, over virtual time, in the manner of quinn's pair of endpoints.
//!
//! The ends accept what Linux accepts and nothing else, so that a packet made to mislead a censor does to its receiver what
//! it would do in the world. Their headers and checksums are read by etherparse, not by the code under test.

pub(crate) mod case;
pub(crate) mod craft;
pub(crate) mod independent;
mod receive;
mod socket;

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::IpAddr;

use roadblock_censor::outbox::{Command, Suspect, Toward};
use roadblock_censor::wire::build;
use roadblock_censor::wire::ip::Addresses;
use roadblock_censor::{Censor, Direction, Event, Instant, Outbox, Packet, PacketId, Policy, Verdict};

pub(crate) use receive::End;
use receive::Received;
pub(crate) use socket::{Incoming, Seen, Socket, State};

pub(crate) use Direction::{Inbound, Outbound};

/// A client inside, a server outside, and what lies between.
pub(crate) struct Pair {
    pub(crate) censor: Censor,
    pub(crate) now: Instant,
    /// All that the censor said.
    pub(crate) events: Vec<Event>,
    /// What it handed to an active prober.
    pub(crate) suspects: Vec<Suspect>,
    pub(crate) client: End,
    pub(crate) server: End,
    /// How long a packet travels between the client and the censor, and between the censor and the server.
    pub(crate) delay: (Duration, Duration),
    /// How many hops there are on each of these ways.
    pub(crate) hops: (u8, u8),
    /// What a tool on the client's host does to each packet of its stack.
    pub(crate) tool: fn(&mut Vec<u8>),
    waiting: BTreeMap<(Instant, u64), Arrival>,
    held: BTreeMap<PacketId, (Direction, Vec<u8>)>,
    number: u64,
    next_id: u32,
}

/// A packet on its way, and to whom.
#[derive(Debug)]
enum Arrival {
    Censor(Direction, Vec<u8>),
    Client(Vec<u8>),
    Server(Vec<u8>),
}

/// One connection, named by the client's port.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Connection {
    pub(crate) port: u16,
}

/// How an exchange went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// The server got the whole request and the client the whole answer.
    Answered,
    /// The client was reset.
    Reset,
    /// The server did not get the whole request, or the client not the whole answer, and nobody said why.
    Silence,
}

/// An address in Moscow's Rostelecom, as the library's clients have.
const CLIENT: &str = "94.25.168.10";
/// WhatsApp's, as in the library.
pub(crate) const SERVER: &str = "157.240.205.60";

impl Pair {
    pub(crate) fn new(policy: Policy) -> Self {
        Self::between(policy, CLIENT, SERVER)
    }

    /// The same over IPv6.
    pub(crate) fn v6(policy: Policy) -> Self {
        Self::between(policy, "2a02:2168::1", "2a03:2880:f145::1")
    }

    pub(crate) fn between(policy: Policy, client: &str, server: &str) -> Self {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        Self {
            censor: Censor::new(policy, 1),
            now: Instant::ZERO,
            events: Vec::new(),
            suspects: Vec::new(),
            client: End::new(address(client)),
            server: End::new(address(server)),
            delay: (Duration::from_millis(2), Duration::from_millis(20)),
            hops: (2, 10),
            tool: |_| {},
            waiting: BTreeMap::new(),
            held: BTreeMap::new(),
            number: 0,
            next_id: 0,
        }
    }

    /// Opens a connection from the client, and waits until it stands or does not.
    pub(crate) fn connect(&mut self, server_port: u16) -> Connection {
        let port = self.client.next_port();
        self.connect_from(port, server_port)
    }

    /// The same from this port.
    pub(crate) fn connect_from(&mut self, port: u16, server_port: u16) -> Connection {
        let connection = self.begin(port, server_port);
        self.run(Duration::from_millis(200));
        connection
    }

    /// Sends a SYN from this port.
    pub(crate) fn begin(&mut self, port: u16, server_port: u16) -> Connection {
        let (local, remote) = ((self.client.address, port), (self.server.address, server_port));
        let mut out = Vec::new();
        let window = self.client.opening_window;
        let socket = Socket::connect(self.now, local, remote, window, &mut out);
        self.client.sockets.insert(port, socket);
        self.server.sockets.remove(&port);
        self.send_all(Outbound, out);
        Connection { port }
    }

    /// Opens a connection from the server's side to a port of the client.
    pub(crate) fn connect_inward(&mut self, port: u16, server_port: u16) -> Connection {
        let (local, remote) = ((self.server.address, server_port), (self.client.address, port));
        let mut out = Vec::new();
        let socket = Socket::connect(self.now, local, remote, self.server.opening_window, &mut out);
        self.server.sockets.insert(port, socket);
        self.send_all(Inbound, out);
        self.run(Duration::from_millis(200));
        Connection { port }
    }

    /// The client's end of a connection.
    pub(crate) fn at_client(&self, connection: Connection) -> &Socket {
        self.client.sockets.get(&connection.port).expect("a connection")
    }

    /// The server's end, which is there once it got a SYN.
    pub(crate) fn at_server(&self, connection: Connection) -> Option<&Socket> {
        self.server.sockets.get(&connection.port)
    }

    /// Whether both ends hold the connection open.
    pub(crate) fn is_open(&self, connection: Connection) -> bool {
        let is_open = |socket: &Socket| socket.state == State::Established;
        is_open(self.at_client(connection)) && self.at_server(connection).is_some_and(is_open)
    }

    pub(crate) fn client_sends(&mut self, connection: Connection, data: &[u8]) {
        self.socket_does(Outbound, connection, |socket, now, out| socket.send(now, data, out));
    }

    pub(crate) fn server_sends(&mut self, connection: Connection, data: &[u8]) {
        self.socket_does(Inbound, connection, |socket, now, out| socket.send(now, data, out));
    }

    /// Gives the client's end bytes to send that somebody else sends; its timer sends them again.
    pub(crate) fn client_takes(&mut self, connection: Connection, data: &[u8]) {
        self.socket_does(Outbound, connection, |socket, now, _| socket.take(now, data));
    }

    pub(crate) fn client_finishes(&mut self, connection: Connection) {
        self.socket_does(Outbound, connection, Socket::finish);
    }

    pub(crate) fn server_finishes(&mut self, connection: Connection) {
        self.socket_does(Inbound, connection, Socket::finish);
    }

    /// A segment of the client's end that holds nothing yet.
    pub(crate) fn segment(&self, connection: Connection) -> craft::Segment {
        self.at_client(connection).segment(self.now)
    }

    /// A segment with a part of what the client's end was given to send.
    pub(crate) fn part(&self, connection: Connection, range: core::ops::Range<usize>) -> craft::Segment {
        self.at_client(connection).part(self.now, range)
    }

    /// What the client's end was given to send, cut at these places; it keeps to them when it sends again.
    pub(crate) fn cut(&mut self, connection: Connection, cuts: &[usize]) -> Vec<core::ops::Range<usize>> {
        let socket = self.client.sockets.get_mut(&connection.port).expect("a connection");
        let ends: Vec<usize> = cuts.iter().copied().chain([socket.outgoing_len()]).collect();
        socket.cuts.clone_from(&ends);
        [0].iter().chain(cuts).zip(&ends).map(|(start, end)| *start..*end).collect()
    }

    /// Sends a packet as it is: what travels outbound from the client's host, what travels inbound from the server's.
    pub(crate) fn send(&mut self, direction: Direction, packet: Vec<u8>) {
        let (delay, hops) = match direction {
            Outbound => (self.delay.0, self.hops.0),
            Inbound => (self.delay.1, self.hops.1),
        };
        if let Some(packet) = craft::travel(packet, hops) {
            self.plan(delay, Arrival::Censor(direction, packet));
        }
    }

    /// Sends a datagram.
    pub(crate) fn datagram(&mut self, direction: Direction, ports: (u16, u16), payload: &[u8]) {
        let addresses = Addresses::new(self.client.address, self.server.address).expect("one family");
        let packet = match direction {
            Outbound => build::udp(&addresses, ports.0, ports.1, payload),
            Inbound => build::udp(&addresses.reversed(), ports.1, ports.0, payload),
        };
        self.send(direction, packet);
    }

    /// Lets so much time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.next_at().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.step();
        }
        self.now = until;
        self.step();
    }

    /// Lets the client ask and the server answer once it has got all of it, and says how that went after a while.
    pub(crate) fn exchange(&mut self, connection: Connection, request: &[u8], answer: &[u8]) -> Outcome {
        self.client_sends(connection, request);
        self.answer(connection, request, answer)
    }

    /// Lets the server answer a request that was sent already.
    pub(crate) fn answer(&mut self, connection: Connection, request: &[u8], answer: &[u8]) -> Outcome {
        let before = self.at_client(connection).stream().len();
        // Long enough for two retransmissions, and shorter than any residual.
        self.run(Duration::from_millis(4500));
        if self.at_server(connection).is_some_and(|socket| socket.stream().ends_with(request)) {
            self.server_sends(connection, answer);
            self.run(Duration::from_millis(4500));
        }
        let client = self.at_client(connection);
        match client.state {
            State::Closed if client.seen.iter().any(|(_, seen)| matches!(seen, Seen::Reset | Seen::Refused)) => {
                Outcome::Reset
            }
            _ if client.stream().get(before..) == Some(answer) => Outcome::Answered,
            _ => Outcome::Silence,
        }
    }

    /// What was decided: `censor/rule Kind`, as often as it was.
    pub(crate) fn story(&self) -> Vec<String> {
        let told = self.events.iter().filter(|event| event.rule.is_some());
        told.map(|event| format!("{} {:?}", event.by().unwrap_or_default(), event.kind)).collect()
    }

    fn socket_does(
        &mut self,
        direction: Direction,
        connection: Connection,
        what: impl FnOnce(&mut Socket, Instant, &mut Vec<Vec<u8>>),
    ) {
        let now = self.now;
        let end = match direction {
            Outbound => &mut self.client,
            Inbound => &mut self.server,
        };
        let mut out = Vec::new();
        if let Some(socket) = end.sockets.get_mut(&connection.port).filter(|socket| socket.state != State::Closed) {
            what(socket, now, &mut out);
        }
        self.send_all(direction, out);
    }

    fn send_all(&mut self, direction: Direction, packets: Vec<Vec<u8>>) {
        for mut packet in packets {
            if direction == Outbound {
                (self.tool)(&mut packet);
            }
            self.send(direction, packet);
        }
    }

    fn plan(&mut self, delay: Duration, arrival: Arrival) {
        self.number += 1;
        self.waiting.insert((self.now + delay, self.number), arrival);
    }

    fn next_at(&self) -> Option<Instant> {
        let packets = self.waiting.first_key_value().map(|((at, _), _)| *at);
        let timers = self.client.next_at().into_iter().chain(self.server.next_at());
        packets.into_iter().chain(self.censor.poll_at()).chain(timers).min()
    }

    /// Does what is due now.
    fn step(&mut self) {
        while let Some(entry) = self.waiting.first_entry().filter(|entry| entry.key().0 <= self.now) {
            match entry.remove() {
                Arrival::Censor(direction, packet) => self.inspect(direction, packet),
                Arrival::Client(packet) => {
                    let Received { answers } = self.client.receive(self.now, &packet);
                    self.send_all(Outbound, answers);
                }
                Arrival::Server(packet) => {
                    let Received { answers } = self.server.receive(self.now, &packet);
                    self.send_all(Inbound, answers);
                }
            }
        }
        let mut out = Outbox::default();
        self.censor.poll(self.now, &mut out);
        self.obey(out);
        let (outbound, inbound) = (self.client.on_timers(self.now), self.server.on_timers(self.now));
        self.send_all(Outbound, outbound);
        self.send_all(Inbound, inbound);
    }

    fn inspect(&mut self, direction: Direction, bytes: Vec<u8>) {
        self.next_id += 1;
        let id = PacketId(self.next_id);
        let mut out = Outbox::default();
        self.censor.inspect(self.now, Packet { id, direction, bytes: &bytes }, &mut out);
        self.held.insert(id, (direction, bytes));
        self.obey(out);
    }

    fn obey(&mut self, out: Outbox) {
        self.events.extend(out.events);
        for command in out.commands {
            match command {
                Command::Verdict(id, verdict) => {
                    let (direction, bytes) = self.held.remove(&id).expect("one verdict each");
                    match verdict {
                        Verdict::Drop => {}
                        Verdict::Replace(bytes) => self.pass_on(direction, bytes),
                        Verdict::Pass | Verdict::PassAndOffload | Verdict::Divert => self.pass_on(direction, bytes),
                    }
                }
                Command::Inject(injection) => {
                    let direction = match injection.toward {
                        Toward::Inside => Inbound,
                        Toward::Outside => Outbound,
                    };
                    self.pass_on(direction, injection.bytes);
                }
                Command::Suspect(suspect) => self.suspects.push(suspect),
                Command::Hold(_) | Command::Recall(_) | Command::RecallAll => {}
            }
        }
    }

    /// A packet leaves the censor.
    fn pass_on(&mut self, direction: Direction, packet: Vec<u8>) {
        let (delay, hops) = match direction {
            Outbound => (self.delay.1, self.hops.1),
            Inbound => (self.delay.0, self.hops.0),
        };
        if let Some(packet) = craft::travel(packet, hops) {
            let arrival = match direction {
                Outbound => Arrival::Server(packet),
                Inbound => Arrival::Client(packet),
            };
            self.plan(delay, arrival);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::craft::{ACK, FIN, MD5, PSH, RST, SYN, Segment, timestamps};
    use super::*;

    type Fake = fn(Segment) -> Segment;

    const REQUEST: &[u8] = b"a request that is long enough to be cut in pieces";

    fn open() -> (Pair, Connection) {
        let mut pair = Pair::new(Policy::default());
        let connection = pair.connect(443);
        assert!(pair.is_open(connection));
        (pair, connection)
    }

    /// Without a censor what is asked is answered, over either family and however small the window.
    #[test]
    fn without_a_censor_all_is_answered() {
        for mut pair in [Pair::new(Policy::default()), Pair::v6(Policy::default())] {
            for window in [10, 64_240] {
                pair.server.opening_window = window;
                let connection = pair.connect(443);
                assert_eq!(pair.exchange(connection, REQUEST, b"answer"), Outcome::Answered);
                pair.server_finishes(connection);
                pair.run(Duration::from_secs(1));
                assert_eq!(pair.at_client(connection).seen.last().map(|(_, seen)| *seen), Some(Seen::Fin));
            }
        }
    }

    /// What Linux throws away reaches nobody: each of these would else take the place of what is truly sent.
    #[test]
    fn what_linux_throws_away() {
        let fakes: [(&str, Fake); 9] = [
            ("few hops", |fake| Segment { ttl: 5, ..fake }),
            ("checksum", |fake| Segment { bad_checksum: true, ..fake }),
            ("before the window", |fake| Segment { sequence: fake.sequence.wrapping_sub(10_000), ..fake }),
            ("behind the window", |fake| Segment { sequence: fake.sequence.wrapping_add(0x8000_0000), ..fake }),
            ("acknowledges what was not sent", |fake| Segment {
                acknowledgement: fake.acknowledgement.wrapping_sub(66_000),
                ..fake
            }),
            ("MD5", |fake| fake.with_option(&MD5)),
            ("no ACK", |fake| Segment { flags: PSH, ..fake }),
            ("old timestamp", |fake| Segment { options: timestamps(1, 0), ..fake }),
            ("short header", |fake| Segment { data_offset: Some(4), ..fake }),
        ];
        for (what, fake) in fakes {
            let (mut pair, connection) = open();
            let payload = vec![b'x'; REQUEST.len()];
            let packet = fake(Segment { flags: PSH | ACK, payload, ..pair.segment(connection) });
            pair.send(Outbound, packet.bytes());
            assert_eq!(pair.exchange(connection, REQUEST, b"answer"), Outcome::Answered, "{what}");
        }
        let (mut pair, connection) = open();
        let payload = vec![b'x'; REQUEST.len()];
        let packet = Segment { flags: PSH | ACK, payload, ..pair.segment(connection) };
        pair.send(Outbound, packet.bytes());
        assert_eq!(pair.exchange(connection, REQUEST, b"answer"), Outcome::Silence, "and this one is taken");
    }

    /// RFC 5961: only a reset with the very number that is expected resets; others, and a SYN, are asked about.
    #[test]
    fn rfc_5961_resets() {
        for (offset, is_reset) in [(0, true), (1, false), (0x8000_0000, false)] {
            let (mut pair, connection) = open();
            let fake = pair.segment(connection);
            let fake = Segment { flags: RST, sequence: fake.sequence.wrapping_add(offset), ..fake };
            pair.send(Outbound, fake.bytes());
            pair.run(Duration::from_secs(1));
            assert_eq!(!pair.is_open(connection), is_reset, "{offset}");
        }
        let (mut pair, connection) = open();
        for flags in [SYN, SYN | ACK, FIN] {
            let fake = Segment { flags, ..pair.segment(connection) };
            pair.send(Outbound, fake.bytes());
        }
        assert_eq!(pair.exchange(connection, REQUEST, b"answer"), Outcome::Answered);
    }

    /// Pieces in any order, of the stream or of its packets, are put together at the other end; an urgent byte is not data.
    #[test]
    fn pieces_are_put_together() {
        let (mut pair, connection) = open();
        pair.client_takes(connection, REQUEST);
        for range in [20..REQUEST.len(), 5..20, 0..5] {
            pair.send(Outbound, pair.part(connection, range).bytes());
        }
        assert_eq!(pair.answer(connection, REQUEST, b"answer"), Outcome::Answered);

        let (mut pair, connection) = open();
        pair.client_takes(connection, REQUEST);
        let whole = pair.part(connection, 0..REQUEST.len()).bytes();
        let mut pieces = roadblock_censor::wire::fragment::split(&whole, &[24, 48], 7).expect("three pieces");
        pieces.reverse();
        for piece in pieces {
            pair.send(Outbound, piece);
        }
        assert_eq!(pair.answer(connection, REQUEST, b"answer"), Outcome::Answered);

        let (mut pair, connection) = open();
        let mut inserted = REQUEST.to_vec();
        inserted.insert(7, b'!');
        pair.client_takes(connection, &inserted);
        let part = pair.part(connection, 0..8);
        pair.send(Outbound, Segment { urgent: 8, flags: part.flags | craft::URG, ..part }.bytes());
        pair.send(Outbound, pair.part(connection, 8..inserted.len()).bytes());
        assert_eq!(pair.answer(connection, REQUEST, b"answer"), Outcome::Answered);
    }

    /// What is lost is sent again, and given up in the end.
    #[test]
    fn what_is_lost_is_sent_again() {
        let (mut pair, connection) = open();
        pair.client_takes(connection, REQUEST);
        assert_eq!(pair.answer(connection, REQUEST, b"answer"), Outcome::Answered);
        pair.hops.1 = 70;
        pair.client_sends(connection, REQUEST);
        pair.run(Duration::from_secs(200));
        assert_eq!(pair.at_client(connection).seen.last().map(|(_, seen)| *seen), Some(Seen::TimedOut));
    }
}
