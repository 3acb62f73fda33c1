//! Which end of each packet sits in the censored network.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;
use roadblock_censor::Direction;
use roadblock_censor::policy::TcpFlags;
use roadblock_censor::wire::ip::{IpPacket, protocol};

/// How a capture's packets get their direction.
#[derive(Clone, Debug)]
pub(crate) enum Sides {
    /// Inside are these addresses.
    Prefixes(Vec<IpNet>),
    /// Inside is whoever began each flow.
    Beginners(Beginners),
}

/// Who began what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beginners {
    flows: HashMap<Flow, IpAddr>,
    /// Whoever began a flow.
    insiders: HashSet<IpAddr>,
}

/// Both ends of a flow, the smaller first.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Flow(u8, (IpAddr, u16), (IpAddr, u16));

impl Sides {
    /// Inside are these addresses; with none, whoever began each flow.
    pub(crate) fn new(inside: &[IpNet]) -> Self {
        if inside.is_empty() { Self::Beginners(Beginners::default()) } else { Self::Prefixes(inside.to_vec()) }
    }

    /// What is taken to be inside, in words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Prefixes(prefixes) => {
                let words: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
                words.join(", ")
            }
            Self::Beginners(_) => "whoever sent the SYN or the first datagram of each flow".to_owned(),
        }
    }

    /// The way a packet travels; `None` where neither end or both ends are inside.
    pub(super) fn way(&mut self, bytes: &[u8]) -> Option<Direction> {
        let ip = IpPacket::parse(bytes)?;
        let (source, destination) = (ip.addresses().source(), ip.addresses().destination());
        match self {
            Self::Prefixes(prefixes) => {
                let is_inside = |address: &IpAddr| prefixes.iter().any(|prefix| prefix.contains(address));
                match (is_inside(&source), is_inside(&destination)) {
                    (true, false) => Some(Direction::Outbound),
                    (false, true) => Some(Direction::Inbound),
                    _ => None,
                }
            }
            Self::Beginners(known) => {
                let inside = known.inside_of(&ip, source, destination);
                Some(if inside == source { Direction::Outbound } else { Direction::Inbound })
            }
        }
    }
}

impl Beginners {
    /// The end of this packet's flow that began it.
    fn inside_of(&mut self, ip: &IpPacket<'_>, source: IpAddr, destination: IpAddr) -> IpAddr {
        // A capture may begin in the middle of a flow; an end that has begun another is more likely to be a client. So it is
        // with errors, and with fragments that have no ports.
        let guess = match (self.insiders.contains(&source), self.insiders.contains(&destination)) {
            (false, true) => destination,
            _ => source,
        };
        let Some((from, to)) = ports(ip) else { return guess };
        let ends = [(source, from), (destination, to)];
        let flow = Flow(ip.protocol(), ends[0].min(ends[1]), ends[0].max(ends[1]));
        let flags = tcp_flags(ip).unwrap_or(TcpFlags(0));
        let inside = match (flags.contains(TcpFlags::SYN), flags.contains(TcpFlags::ACK)) {
            // A SYN over old ports may come from the other end.
            (true, false) => source,
            (true, true) => destination,
            (false, _) => self.flows.get(&flow).copied().unwrap_or(guess),
        };
        self.flows.insert(flow, inside);
        self.insiders.insert(inside);
        inside
    }
}

/// The ports of TCP and UDP, source first; `None` where a packet has none.
fn ports(ip: &IpPacket<'_>) -> Option<(u16, u16)> {
    if !matches!(ip.protocol(), protocol::TCP | protocol::UDP) || ip.is_later_fragment() {
        return None;
    }
    let [a, b, c, d] = *ip.payload().first_chunk::<4>()?;
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

fn tcp_flags(ip: &IpPacket<'_>) -> Option<TcpFlags> {
    let is_tcp = ip.protocol() == protocol::TCP && !ip.is_later_fragment();
    is_tcp.then(|| ip.payload().get(13).map(|flags| TcpFlags(*flags))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(from: [u8; 4], to: [u8; 4], transport: u8, head: &[u8]) -> Vec<u8> {
        let length = u8::try_from(20 + head.len()).expect("short");
        [&[0x45, 0, 0, length, 0, 0, 0, 0, 64, transport, 0, 0], &from[..], &to, head].concat()
    }

    fn tcp(from: [u8; 4], to: [u8; 4], ports: (u8, u8), flags: u8) -> Vec<u8> {
        let head = [0, ports.0, 0, ports.1, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0];
        packet(from, to, protocol::TCP, &head)
    }

    const A: [u8; 4] = [10, 0, 0, 1];
    const B: [u8; 4] = [1, 1, 1, 1];
    const SYN: u8 = 0x02;
    const SYN_ACK: u8 = 0x12;
    const ACK: u8 = 0x10;

    #[test]
    fn who_sent_the_syn_is_inside() {
        let mut sides = Sides::new(&[]);
        let ways = [tcp(A, B, (9, 80), SYN), tcp(B, A, (80, 9), SYN_ACK), tcp(A, B, (9, 80), ACK)];
        let ways = ways.map(|packet| sides.way(&packet));
        assert_eq!(ways, [Some(Direction::Outbound), Some(Direction::Inbound), Some(Direction::Outbound)]);
        // The capture begins with an answer.
        let mut sides = Sides::new(&[]);
        assert_eq!(sides.way(&tcp(B, A, (80, 9), SYN_ACK)), Some(Direction::Inbound));
        assert_eq!(sides.way(&tcp(A, B, (9, 80), ACK)), Some(Direction::Outbound));
    }

    #[test]
    fn the_same_ports_may_begin_anew_from_the_other_end() {
        let mut sides = Sides::new(&[]);
        assert_eq!(sides.way(&tcp(A, B, (9, 80), SYN)), Some(Direction::Outbound));
        assert_eq!(sides.way(&tcp(B, A, (80, 9), SYN)), Some(Direction::Outbound));
    }

    #[test]
    fn who_sent_the_first_datagram_is_inside_and_errors_go_with_the_flow() {
        let mut sides = Sides::new(&[]);
        let query = packet(A, B, protocol::UDP, &[0, 9, 0, 53, 0, 8, 0, 0]);
        let answer = packet(B, A, protocol::UDP, &[0, 53, 0, 9, 0, 8, 0, 0]);
        assert_eq!(sides.way(&query), Some(Direction::Outbound));
        assert_eq!(sides.way(&answer), Some(Direction::Inbound));
        let unreachable = packet([9, 9, 9, 9], A, 1, &[3, 1, 0, 0]);
        assert_eq!(sides.way(&unreachable), Some(Direction::Inbound));
        let ping = packet(A, B, 1, &[8, 0, 0, 0]);
        assert_eq!(sides.way(&ping), Some(Direction::Outbound));
    }

    #[test]
    fn with_prefixes_a_packet_between_two_of_the_same_side_has_no_way() {
        let mut sides = Sides::new(&["10.0.0.0/8".parse().expect("a prefix")]);
        assert_eq!(sides.way(&tcp(B, A, (9, 80), SYN)), Some(Direction::Inbound));
        assert_eq!(sides.way(&tcp(A, [10, 9, 9, 9], (9, 80), SYN)), None);
        assert_eq!(sides.way(&tcp(B, [8, 8, 8, 8], (9, 80), SYN)), None);
    }
}
