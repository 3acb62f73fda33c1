//! A packet in a few words: what a person who reads a sequence picture wants to know of it.

mod dns;
mod http;
mod tls;
mod udp;

use std::net::IpAddr;

use roadblock_censor::Direction;
use roadblock_censor::policy::TcpFlags;
use roadblock_censor::wire::ip::{IpPacket, protocol};
use roadblock_censor::wire::tcp::TcpSegment;
use roadblock_censor::wire::udp::UdpDatagram;

/// What a packet is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Said {
    /// In words: `SYN`, `ClientHello SNI=web.whatsapp.com`.
    pub(super) words: String,
    /// How many bytes of payload it has.
    pub(super) bytes: usize,
    /// Whether it is a bare acknowledgement, which tells nothing.
    pub(super) is_bare: bool,
}

/// What is remembered of a flow to understand its next packet: how much of a TLS record is still to come, each way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Memory {
    outbound: usize,
    inbound: usize,
}

impl Memory {
    fn pending(&mut self, way: Direction) -> &mut usize {
        match way {
            Direction::Outbound => &mut self.outbound,
            Direction::Inbound => &mut self.inbound,
        }
    }
}

/// Describes a packet; whatever the bytes are, something is said.
pub(super) fn describe(bytes: &[u8], way: Direction, memory: &mut Memory) -> Said {
    let Some(ip) = IpPacket::parse(bytes) else { return said("unreadable packet", bytes.len()) };
    let payload = ip.payload();
    if ip.is_later_fragment() {
        return said("a later fragment", payload.len());
    }
    match ip.protocol() {
        protocol::TCP => {
            TcpSegment::parse(payload).map_or_else(|| said("cut TCP segment", 0), |tcp| segment(&tcp, way, memory))
        }
        protocol::UDP => UdpDatagram::parse(payload).map_or_else(|| said("cut UDP datagram", 0), |udp| datagram(&udp)),
        protocol::ICMP => said(icmp_v4(payload), 0),
        protocol::ICMPV6 => said(icmp_v6(payload), 0),
        other => said(&format!("IP protocol {other}"), payload.len()),
    }
}

/// The server that an ICMP error is about: the destination of the packet that it quotes.
pub(super) fn quoted_destination(bytes: &[u8]) -> Option<IpAddr> {
    let ip = IpPacket::parse(bytes)?;
    let quoted = ip.payload().get(8..)?;
    match (ip.protocol(), ip.payload().first()?, quoted.first()? >> 4) {
        (protocol::ICMP, 3 | 11 | 12, 4) => <[u8; 4]>::try_from(quoted.get(16..20)?).ok().map(IpAddr::from),
        (protocol::ICMPV6, 1..=4, 6) => <[u8; 16]>::try_from(quoted.get(24..40)?).ok().map(IpAddr::from),
        _ => None,
    }
}

fn said(words: &str, bytes: usize) -> Said {
    Said { words: words.to_owned(), bytes, is_bare: false }
}

fn segment(tcp: &TcpSegment<'_>, way: Direction, memory: &mut Memory) -> Said {
    let payload = tcp.payload();
    let flags = flags(tcp.flags());
    let ends = [TcpFlags::SYN, TcpFlags::FIN, TcpFlags::RST].iter().any(|flag| tcp.flags().contains(*flag));
    if payload.is_empty() {
        return Said { words: flags, bytes: 0, is_bare: !ends };
    }
    let ports = [tcp.source_port(), tcp.destination_port()];
    let content = content(payload, ports, memory.pending(way));
    let words = if ends { format!("{flags}, {content}") } else { content };
    Said { words, bytes: payload.len(), is_bare: false }
}

/// What a segment's payload is.
fn content(payload: &[u8], ports: [u16; 2], pending: &mut usize) -> String {
    if ports.contains(&53) {
        return dns::over_tcp(payload).unwrap_or_else(|| "DNS over TCP".to_owned());
    }
    if let Some(words) = tls::records(payload, pending) {
        return words;
    }
    let chat = match payload {
        [b'W', b'A', ..] => Some("WhatsApp chat header"),
        [b'E', b'D', 0, 1, ..] => Some("WhatsApp routing preamble"),
        [b'S', b'S', b'H', b'-', ..] => Some("SSH greeting"),
        _ => None,
    };
    chat.map(str::to_owned).or_else(|| http::message(payload)).unwrap_or_else(|| "data".to_owned())
}

fn datagram(udp: &UdpDatagram<'_>) -> Said {
    let payload = udp.payload();
    let ports = [udp.source_port(), udp.destination_port()];
    let words = if ports.contains(&53) { dns::message(payload) } else { None };
    let words = words.or_else(|| udp::message(payload)).unwrap_or_else(|| "UDP data".to_owned());
    Said { words, bytes: payload.len(), is_bare: false }
}

/// `SYN/ACK`; the flags that only say how to handle data are left out.
fn flags(flags: TcpFlags) -> String {
    let named = [(TcpFlags::SYN, "SYN"), (TcpFlags::FIN, "FIN"), (TcpFlags::RST, "RST"), (TcpFlags::ACK, "ACK")];
    let set: Vec<&str> = named.into_iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| name).collect();
    if set.is_empty() { "no flags".to_owned() } else { set.join("/") }
}

fn icmp_v4(message: &[u8]) -> &'static str {
    match message {
        [0, ..] => "ping answer",
        [3, 0, ..] => "ICMP: network unreachable",
        [3, 1, ..] => "ICMP: host unreachable",
        [3, 3, ..] => "ICMP: port unreachable",
        [3, 4, ..] => "ICMP: packet too big",
        [3, 9 | 10 | 13, ..] => "ICMP: administratively prohibited",
        [3, ..] => "ICMP: unreachable",
        [8, ..] => "ping",
        [11, ..] => "ICMP: time to live exceeded",
        _ => "ICMP",
    }
}

fn icmp_v6(message: &[u8]) -> &'static str {
    match message {
        [1, 0, ..] => "ICMPv6: no route",
        [1, 1, ..] => "ICMPv6: administratively prohibited",
        [1, 4, ..] => "ICMPv6: port unreachable",
        [1, ..] => "ICMPv6: unreachable",
        [2, ..] => "ICMPv6: packet too big",
        [3, ..] => "ICMPv6: hop limit exceeded",
        [128, ..] => "ping",
        [129, ..] => "ping answer",
        _ => "ICMPv6",
    }
}

#[cfg(test)]
#[path = "../describe_tests.rs"]
mod tests;
