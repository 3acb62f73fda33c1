//! A small world in virtual time for the tests: flows with true sequence numbers, and what the machine made of them.

use core::time::Duration;
use std::net::IpAddr;

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use roadblock_censor::event::EventKind;
use roadblock_censor::names::NamePattern;
use roadblock_censor::outbox::{Command, Injection};
use roadblock_censor::policy::{
    BoxPolicy, Condition, Content, Fate, Grade, Place, Policy, Reassembly, Residual, ResidualKey, Response, Rewrite,
    Rule, Speech, TcpFlags, TcpPolicy, Threshold,
};
use roadblock_censor::wire::build::{self, TcpHeader};
use roadblock_censor::wire::ip::Addresses;
use roadblock_censor::{Censor, Direction, Instant, NameSet, Outbox, Packet, PacketId, Verdict};

pub(crate) use Direction::{Inbound, Outbound};

/// What OpenSSL sent for web.whatsapp.com.
pub(crate) const WHATSAPP_HELLO: &[u8] = include_bytes!("../data/openssl-client-hello.bin");
/// What curl sent for www.instagram.com.
pub(crate) const INSTAGRAM_HELLO: &[u8] = include_bytes!("../data/curl-client-hello.bin");
/// What kdig sent for `instagram.com A`.
pub(crate) const INSTAGRAM_QUERY: &[u8] = include_bytes!("../data/kdig-query.bin");

pub(crate) const SYN: u8 = TcpFlags::SYN.0;
pub(crate) const ACK: u8 = TcpFlags::ACK.0;
pub(crate) const SYN_ACK: u8 = TcpFlags::SYN_ACK.0;
pub(crate) const DATA: u8 = TcpFlags::ACK.0 | TcpFlags::PSH.0;
pub(crate) const RST: u8 = TcpFlags::RST.0;

pub(crate) fn seconds(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn names(patterns: &[&str]) -> NameSet {
    patterns.iter().map(|text| text.parse::<NamePattern>().expect("a pattern")).collect()
}

pub(crate) fn rule(id: &str, when: Condition) -> Rule {
    Rule { id: id.into(), facts: vec![], grade: Grade::Measured, when, ..Rule::default() }
}

pub(crate) fn fate(fate: Fate) -> Response {
    Response { fate, inject: vec![] }
}

pub(crate) fn in_path(rules: Vec<Rule>) -> BoxPolicy {
    BoxPolicy { name: "tspu".into(), rules, ..BoxPolicy::default() }
}

pub(crate) fn on_path(rules: Vec<Rule>) -> BoxPolicy {
    BoxPolicy { name: "gfw".into(), place: Place::OnPath, ..in_path(rules) }
}

pub(crate) fn policy(boxes: impl Into<Vec<BoxPolicy>>) -> Policy {
    Policy { boxes: boxes.into() }
}

/// The name in a `ClientHello` to port 443.
pub(crate) fn sni(patterns: &[&str]) -> Condition {
    Condition::All(vec![Condition::sni(names(patterns)), Condition::ServerPort([443].into())])
}

/// TSPU-1: the `ClientHello` passes; for 75 seconds each packet from the server becomes a bare RST/ACK.
pub(crate) fn sni_1(patterns: &[&str]) -> Rule {
    let rewrite = Rewrite { tcp_flags: Some(TcpFlags::RST_ACK), strip_payload: true, ..Rewrite::default() };
    Rule {
        facts: vec!["TSPU-1".into()],
        residuals: vec![Residual {
            key: ResidualKey::FourTuple,
            last: Duration::from_secs(75),
            outbound: fate(Fate::Pass),
            inbound: fate(Fate::Rewrite(rewrite)),
            ..Residual::default()
        }],
        ..rule("sni-1", Condition::All(vec![sni(patterns), Condition::ClientInside]))
    }
}

/// TSPU-4: everything is dropped, the `ClientHello` too, for 40 seconds.
pub(crate) fn sni_4(patterns: &[&str]) -> Rule {
    Rule {
        facts: vec!["TSPU-4".into()],
        trigger: fate(Fate::Drop),
        residuals: vec![Residual {
            key: ResidualKey::FourTuple,
            last: Duration::from_secs(40),
            outbound: fate(Fate::Drop),
            inbound: fate(Fate::Drop),
            ..Residual::default()
        }],
        ..rule("sni-4", Condition::All(vec![sni(patterns), Condition::Not(Box::new(Condition::Fired("sni-1".into())))]))
    }
}

/// So many packets, both ways.
pub(crate) const fn packets(least: u64, most: u64) -> Threshold {
    Threshold::packets(least, most)
}

/// Everything is dropped on the connection for so many seconds.
pub(crate) fn dropped_for(seconds: u64) -> Residual {
    Residual {
        key: ResidualKey::FourTuple,
        last: Duration::from_secs(seconds),
        outbound: fate(Fate::Drop),
        inbound: fate(Fate::Drop),
        ..Residual::default()
    }
}

/// The packet, or its flow, speaks this.
pub(crate) fn speech(speech: Speech) -> Condition {
    Condition::Content(Content::Speech(speech))
}

/// A box that puts so many bytes together, or looks at each segment alone.
pub(crate) fn joining(limit: Option<usize>) -> TcpPolicy {
    let reassembly = if limit.is_some() { Reassembly::Full } else { Reassembly::None };
    TcpPolicy { reassembly, limit: limit.unwrap_or(16_384), ..TcpPolicy::default() }
}

pub(crate) fn prefixes(texts: &[&str]) -> Condition {
    Condition::ServerAddress(texts.iter().map(|text| text.parse().expect("a prefix")).collect())
}

pub(crate) fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

/// One TCP connection, seen from outside both ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection {
    pub(crate) client: (IpAddr, u16),
    pub(crate) server: (IpAddr, u16),
    pub(crate) client_next: u32,
    pub(crate) server_next: u32,
}

impl Connection {
    pub(crate) fn new(client_port: u16) -> Self {
        Self {
            client: (IpAddr::from([10, 0, 0, 1]), client_port),
            server: (IpAddr::from([157, 240, 1, 60]), 443),
            client_next: 1000,
            server_next: 50_000,
        }
    }

    pub(crate) fn v6(client_port: u16) -> Self {
        let address = |text: &str| text.parse().expect("an address");
        Self {
            client: (address("2a02:2168::1"), client_port),
            server: (address("2a03:2880:f145::1"), 443),
            ..Self::new(client_port)
        }
    }

    /// The next segment of one end, in sequence.
    pub(crate) fn segment(&mut self, direction: Direction, flags: u8, payload: &[u8]) -> Vec<u8> {
        let (source, destination, sequence, acknowledgement) = match direction {
            Outbound => (self.client, self.server, self.client_next, self.server_next),
            Inbound => (self.server, self.client, self.server_next, self.client_next),
        };
        let header = TcpHeader {
            source_port: source.1,
            destination_port: destination.1,
            sequence,
            acknowledgement: if flags & ACK != 0 { acknowledgement } else { 0 },
            flags: TcpFlags(flags),
            window: 64_240,
        };
        let next = match direction {
            Outbound => &mut self.client_next,
            Inbound => &mut self.server_next,
        };
        *next = next.wrapping_add(payload.len() as u32 + u32::from(flags & SYN != 0));
        let addresses = Addresses::new(source.0, destination.0).expect("one family");
        build::tcp(&addresses, &header, payload)
    }
}

pub(crate) fn datagram(direction: Direction, client_port: u16, server_port: u16, payload: &[u8]) -> Vec<u8> {
    datagram_with([8, 8, 8, 8].into(), direction, client_port, server_port, payload)
}

/// A datagram between the client and this server.
pub(crate) fn datagram_with(
    server: IpAddr,
    direction: Direction,
    client_port: u16,
    server_port: u16,
    payload: &[u8],
) -> Vec<u8> {
    let client = match server {
        IpAddr::V4(_) => IpAddr::from([10, 0, 0, 1]),
        IpAddr::V6(_) => "2a02:2168::1".parse().expect("an address"),
    };
    let addresses = Addresses::new(client, server).expect("one family");
    match direction {
        Outbound => build::udp(&addresses, client_port, server_port, payload),
        Inbound => build::udp(&addresses.reversed(), server_port, client_port, payload),
    }
}

/// A machine, and all that it said.
pub(crate) struct World {
    pub(crate) censor: Censor,
    pub(crate) now: Instant,
    pub(crate) out: Outbox,
    next_id: u32,
}

impl World {
    pub(crate) fn new(policy: Policy) -> Self {
        Self::of(Censor::new(policy, 1))
    }

    pub(crate) fn of(censor: Censor) -> Self {
        Self { censor, now: Instant::ZERO, out: Outbox::default(), next_id: 0 }
    }

    /// Hands a packet to the machine; its id.
    pub(crate) fn offer(&mut self, direction: Direction, bytes: &[u8]) -> PacketId {
        self.next_id += 1;
        let id = PacketId(self.next_id);
        self.censor.inspect(self.now, Packet { id, direction, bytes }, &mut self.out);
        id
    }

    /// Hands a packet to a machine without delay; its verdict.
    pub(crate) fn send(&mut self, direction: Direction, bytes: &[u8]) -> Verdict {
        let id = self.offer(direction, bytes);
        self.verdict(id).expect("a verdict at once")
    }

    pub(crate) fn verdict(&self, id: PacketId) -> Option<Verdict> {
        self.out.commands.iter().find_map(|command| match command {
            Command::Verdict(of, verdict) if *of == id => Some(verdict.clone()),
            _ => None,
        })
    }

    /// Three packets that open a connection from the inside.
    pub(crate) fn open(&mut self, connection: &mut Connection) {
        for (direction, flags) in [(Outbound, SYN), (Inbound, SYN_ACK), (Outbound, ACK)] {
            let segment = connection.segment(direction, flags, &[]);
            assert_eq!(self.send(direction, &segment), Verdict::Pass);
        }
    }

    /// Opens a connection and says something harmless each way, so that both directions are offloaded.
    pub(crate) fn open_harmless(&mut self, connection: &mut Connection) {
        self.open(connection);
        let hello = connection.segment(Outbound, DATA, INSTAGRAM_HELLO);
        assert_eq!(self.send(Outbound, &hello), Verdict::PassAndOffload);
        let answer = connection.segment(Inbound, DATA, b"answer");
        assert_eq!(self.send(Inbound, &answer), Verdict::PassAndOffload);
    }

    pub(crate) fn poll_all(&mut self) {
        while let Some(at) = self.censor.poll_at() {
            self.now = self.now.max(at);
            self.censor.poll(self.now, &mut self.out);
        }
    }

    pub(crate) fn injections(&self) -> Vec<&Injection> {
        self.out
            .commands
            .iter()
            .filter_map(|command| match command {
                Command::Inject(injection) => Some(injection),
                _ => None,
            })
            .collect()
    }

    /// What was decided by rules: `rule kind`.
    pub(crate) fn story(&self) -> Vec<String> {
        let told = self.out.events.iter().filter(|event| event.rule.is_some());
        told.map(|event| format!("{} {:?}", event.by().unwrap_or_default(), event.kind)).collect()
    }

    pub(crate) fn count(&self, kind: EventKind) -> usize {
        self.out.events.iter().filter(|event| event.kind == kind).count()
    }

    pub(crate) fn clear(&mut self) {
        self.out = Outbox::default();
    }
}

/// A packet's IP and transport checksums, checked by other people's code.
pub(crate) fn assert_sound(bytes: &[u8]) {
    let sliced = SlicedPacket::from_ip(bytes).expect("etherparse reads it");
    match (sliced.net.expect("an IP header"), sliced.transport.expect("a transport header")) {
        (NetSlice::Ipv4(ip), transport) => {
            let header = ip.header().to_header();
            assert_eq!(header.header_checksum, header.calc_header_checksum(), "IPv4 header checksum");
            assert_eq!(usize::from(header.total_len), bytes.len(), "total length");
            match transport {
                TransportSlice::Tcp(tcp) => {
                    assert_eq!(Ok(tcp.checksum()), tcp.calc_checksum_ipv4(header.source, header.destination));
                }
                TransportSlice::Udp(udp) => {
                    let computed =
                        udp.to_header().calc_checksum_ipv4_raw(header.source, header.destination, udp.payload());
                    assert_eq!(Ok(udp.checksum()), computed);
                }
                TransportSlice::Icmpv4(icmp) => {
                    assert_eq!(icmp.checksum(), icmp.header().icmp_type.calc_checksum(icmp.payload()));
                }
                TransportSlice::Icmpv6(_) => panic!("ICMPv6 over IPv4"),
            }
        }
        (NetSlice::Ipv6(ip), transport) => {
            let header = ip.header().to_header();
            let source = ip.header().source_addr().octets();
            let destination = ip.header().destination_addr().octets();
            assert_eq!(usize::from(header.payload_length) + 40, bytes.len(), "payload length");
            match transport {
                TransportSlice::Tcp(tcp) => {
                    assert_eq!(Ok(tcp.checksum()), tcp.calc_checksum_ipv6(source, destination));
                }
                TransportSlice::Udp(udp) => {
                    let computed = udp.to_header().calc_checksum_ipv6_raw(source, destination, udp.payload());
                    assert_eq!(Ok(udp.checksum()), computed);
                }
                TransportSlice::Icmpv6(icmp) => {
                    assert_eq!(
                        Ok(icmp.checksum()),
                        icmp.header().icmp_type.calc_checksum(source, destination, icmp.payload())
                    );
                }
                TransportSlice::Icmpv4(_) => panic!("ICMPv4 over IPv6"),
            }
        }
        _ => panic!("neither IPv4 nor IPv6"),
    }
}

/// The header of a built segment, read by other people's code.
pub(crate) fn tcp_of(bytes: &[u8]) -> etherparse::TcpHeader {
    match SlicedPacket::from_ip(bytes).expect("etherparse reads it").transport {
        Some(TransportSlice::Tcp(tcp)) => tcp.to_header(),
        other => panic!("no segment: {other:?}"),
    }
}
