//! ICMP errors and the packets that they quote (RFC 792, RFC 4443).

use crate::wire::ip::{Addresses, IpPacket, protocol};
use crate::wire::u16_at;

/// The packet that an ICMP error is about, as far as the error quotes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quote {
    /// Its protocol number.
    pub protocol: u8,
    /// Its sender and receiver.
    pub addresses: Addresses,
    /// Its source and destination ports; zero where its protocol has none, or it is a later fragment.
    pub ports: (u16, u16),
}

/// How far into an ICMP message of either version the quote begins.
const QUOTE_AT: usize = 8;

impl Quote {
    /// What this packet quotes, if it is an ICMP error.
    pub fn parse(packet: &IpPacket<'_>) -> Option<Self> {
        let message = packet.payload();
        if packet.is_later_fragment() || !is_error(packet.protocol(), *message.first()?) {
            return None;
        }
        let quoted = IpPacket::parse_beginning(message.get(QUOTE_AT..)?)?;
        let has_ports = matches!(quoted.protocol(), protocol::TCP | protocol::UDP) && !quoted.is_later_fragment();
        let port_at = |at| if has_ports { u16_at(quoted.payload(), at) } else { Some(0) };
        Some(Self { protocol: quoted.protocol(), addresses: quoted.addresses(), ports: (port_at(0)?, port_at(2)?) })
    }
}

/// Whether a message of this type is an error, and so quotes a packet.
fn is_error(protocol: u8, kind: u8) -> bool {
    match protocol {
        // Destination unreachable, source quench, redirect, time exceeded, parameter problem.
        protocol::ICMP => matches!(kind, 3 | 4 | 5 | 11 | 12),
        // RFC 4443 section 2.1: the high bit tells errors from the rest.
        protocol::ICMPV6 => kind < 128,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 792: the internet header and 64 bits of the datagram suffice, though the quoted length says more.
    #[test]
    fn eight_bytes_are_enough() {
        let mut packet = vec![0x45, 0, 0, 56, 0, 0, 0, 0, 64, 1, 0, 0, 192, 0, 2, 1, 10, 0, 0, 1];
        packet.extend([11, 0, 0, 0, 0, 0, 0, 0]);
        packet.extend([0x45, 0, 5, 220, 0, 0, 0, 0, 1, 6, 0, 0, 10, 0, 0, 1, 198, 51, 100, 7]);
        packet.extend([0x0f, 0xa0, 0x01, 0xbb, 0, 0, 0, 1]);
        let parse = |packet: &[u8]| Quote::parse(&IpPacket::parse(packet).expect("a packet"));
        let quote = parse(&packet).expect("a quote");
        let addresses = Addresses::V4 { source: [10, 0, 0, 1].into(), destination: [198, 51, 100, 7].into() };
        assert_eq!(quote, Quote { protocol: 6, addresses, ports: (4000, 443) });
        packet[20] = 8;
        assert_eq!(parse(&packet), None, "an echo request quotes nothing");
        packet[20] = 3;
        packet[3] = 50;
        assert_eq!(parse(&packet[..50]), None, "two bytes are no ports");
    }
}
