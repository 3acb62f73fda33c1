//! A host: its connections, its datagrams, and the packets that it got.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use roadblock_censor::Instant;
use roadblock_censor::wire::fragment::{FragmentId, Piece};

use super::craft::{ACK, RST, SYN, Segment};
use super::socket::{Incoming, Socket, WINDOW};

/// One host.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) address: IpAddr,
    /// By the port of the client, whichever end this is.
    pub(crate) sockets: BTreeMap<u16, Socket>,
    /// All that came, as it came.
    pub(crate) packets: Vec<(Instant, Vec<u8>)>,
    /// The datagrams that came: source port, destination port, payload.
    pub(crate) datagrams: Vec<(u16, u16, Vec<u8>)>,
    /// The window that it offers until it has got something.
    pub(crate) opening_window: u16,
    /// Whether it answers a SYN with a SYN of its own (a split handshake).
    pub(crate) splits_handshakes: bool,
    /// What a firewall in front of it lets through.
    pub(crate) lets_through: fn(&[u8]) -> bool,
    pieces: HashMap<FragmentId, Vec<Vec<u8>>>,
    ports: u16,
}

/// What came of a packet.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) answers: Vec<Vec<u8>>,
}

impl End {
    pub(crate) fn new(address: IpAddr) -> Self {
        Self {
            address,
            sockets: BTreeMap::new(),
            packets: Vec::new(),
            datagrams: Vec::new(),
            opening_window: WINDOW,
            splits_handshakes: false,
            lets_through: |_| true,
            pieces: HashMap::new(),
            ports: 40_000,
        }
    }

    pub(crate) fn next_port(&mut self) -> u16 {
        self.ports += 1;
        self.ports
    }

    /// The segments that came with any of these flags.
    pub(crate) fn segments(&self, flags: u8) -> Vec<Incoming> {
        let segments = self.packets.iter().filter_map(|(_, packet)| Incoming::parse(packet));
        segments.filter(|segment| segment.has(flags)).collect()
    }

    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.sockets.values().filter_map(Socket::timer).min()
    }

    pub(crate) fn on_timers(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        for socket in self.sockets.values_mut() {
            socket.on_timer(now, &mut out);
        }
        out
    }

    pub(crate) fn receive(&mut self, now: Instant, packet: &[u8]) -> Received {
        self.packets.push((now, packet.to_vec()));
        let mut answers = Vec::new();
        if !(self.lets_through)(packet) {
            return Received { answers };
        }
        if let Some(whole) = self.put_together(packet) {
            if let Some(segment) = Incoming::parse(&whole) {
                self.on_segment(now, &segment, &mut answers);
            } else {
                self.on_datagram(&whole);
            }
        }
        Received { answers }
    }

    fn on_segment(&mut self, now: Instant, segment: &Incoming, out: &mut Vec<Vec<u8>>) {
        let of_client = |socket: &&mut Socket| socket.local == segment.destination && socket.remote == segment.source;
        if let Some(socket) = self.sockets.values_mut().find(of_client) {
            return socket.on_segment(now, segment, out);
        }
        if segment.has(RST) {
            return;
        }
        // A listener takes a SYN, ignores what it carries, and drops one with a FIN.
        if segment.has(SYN) && !segment.has(ACK) {
            if segment.flags & 1 == 0 {
                let how = (self.opening_window, self.splits_handshakes);
                let port = if segment.source.1 >= 32_768 { segment.source.1 } else { segment.destination.1 };
                self.sockets.insert(port, Socket::accept(now, segment, how, out));
            }
            return;
        }
        let refusal = Segment {
            source: segment.destination,
            destination: segment.source,
            sequence: segment.acknowledgement,
            acknowledgement: 0,
            flags: RST,
            window: 0,
            urgent: 0,
            options: Vec::new(),
            payload: Vec::new(),
            ttl: 64,
            data_offset: None,
            bad_checksum: false,
            length_error: 0,
        };
        out.push(refusal.bytes());
    }

    fn on_datagram(&mut self, packet: &[u8]) {
        let Ok(sliced) = SlicedPacket::from_ip(packet) else { return };
        let Some(TransportSlice::Udp(udp)) = sliced.transport else { return };
        let header = udp.to_header();
        let computed = match sliced.net {
            Some(NetSlice::Ipv4(ip)) => {
                let (source, destination) = (ip.header().source(), ip.header().destination());
                header.calc_checksum_ipv4_raw(source, destination, udp.payload())
            }
            Some(NetSlice::Ipv6(ip)) => {
                let (source, destination) = (ip.header().source(), ip.header().destination());
                header.calc_checksum_ipv6_raw(source, destination, udp.payload())
            }
            _ => return,
        };
        if header.checksum == 0 || computed == Ok(header.checksum) {
            self.datagrams.push((udp.source_port(), udp.destination_port(), udp.payload().to_vec()));
        }
    }

    /// The packet, or the one that this piece completes. As Linux does since 2018, pieces that overlap spoil their packet.
    fn put_together(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let Some(piece) = Piece::parse(packet) else { return Some(packet.to_vec()) };
        let id = piece.id();
        let there = self.pieces.entry(id).or_default();
        if there.contains(&packet.to_vec()) {
            return None;
        }
        there.push(packet.to_vec());
        let mut pieces: Vec<Piece<'_>> = there.iter().filter_map(|bytes| Piece::parse(bytes)).collect();
        pieces.sort_by_key(|piece| piece.range().start);
        if pieces.windows(2).any(|two| two[0].range().end > two[1].range().start) {
            self.pieces.remove(&id);
            return None;
        }
        let is_complete = pieces.first().is_some_and(Piece::is_first)
            && pieces.last().is_some_and(Piece::is_last)
            && pieces.windows(2).all(|two| two[0].range().end == two[1].range().start);
        if !is_complete {
            return None;
        }
        let data: Vec<u8> = pieces.iter().flat_map(|piece| piece.data().to_vec()).collect();
        let whole = pieces.first()?.join(&data);
        self.pieces.remove(&id);
        whole
    }
}
