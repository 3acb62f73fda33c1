//! IPv6 to IPv4 and back, packet by packet and without a socket (RFC 7915, "SIIT"): the pure half of a NAT64.
//!
//! A packet's addresses are mapped one by one ([`Mapping`]), its header is exchanged, and what depends on either is set right:
//! transport checksums are adjusted and not computed anew, so that a wrong one stays wrong. ICMP errors are translated with
//! the packet that they quote. The state of a NAT64 (RFC 6146) is the kernel's: each client has an IPv4 address of its own
//! inside, and connection tracking makes one of them all.

mod checksum;
mod header;
mod icmp;
mod mapping;
#[cfg(test)]
mod tests;

pub use mapping::{Mapping, WELL_KNOWN, embed};

use header::{Packet, V4, V6};

/// Why a packet is not translated. It is dropped, as RFC 7915 has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It ends before its headers do, or is longer or shorter than it says.
    #[error("it is cut off")]
    Truncated,
    /// It is neither IPv4 nor IPv6.
    #[error("it is no IP packet")]
    NotIp,
    /// An address has nothing on the other side.
    #[error("it has an address that means nothing on the other side")]
    Address,
    /// A protocol, a message or an option without an equivalent: AH, a source route, a fragment of ICMP, router discovery.
    #[error("it has no equivalent on the other side")]
    NoEquivalent,
}

/// A translator: what it maps, and how many packets it has numbered.
#[derive(Clone, Debug)]
pub struct Translator {
    mapping: Mapping,
    identification: u16,
}

impl Translator {
    /// One with this mapping.
    pub const fn new(mapping: Mapping) -> Self {
        Self { mapping, identification: 0 }
    }

    /// The packet as it is on the other side. Its time to live is as it came: the router around the translator forwards it
    /// once on either side, and only one of the two is a hop.
    pub fn translate(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
        match packet.first().ok_or(Refusal::Truncated)? >> 4 {
            4 => {
                let packet = V4::read(packet)?;
                packet.exact()?;
                let hops = packet.hops.saturating_add(1);
                self.in_v6(&Packet { hops, ..packet }, Depth::Outer)
            }
            6 => {
                let packet = V6::read(packet)?;
                packet.exact()?;
                let hops = packet.hops.saturating_add(1);
                self.in_v4(&Packet { hops, ..packet }, Depth::Outer)
            }
            _ => Err(Refusal::NotIp),
        }
    }

    fn in_v6(&mut self, packet: &Packet<'_, V4>, depth: Depth) -> Result<Vec<u8>, Refusal> {
        let source = self.mapping.to_v6(packet.source);
        let destination = self.mapping.to_v6(packet.destination);
        let ends = checksum::Change {
            from: [packet.source.octets().to_vec(), packet.destination.octets().to_vec()].concat(),
            to: [source.octets().to_vec(), destination.octets().to_vec()].concat(),
        };
        let (protocol, payload) = match packet.protocol {
            ICMP if packet.fragment.is_some() => return Err(Refusal::NoEquivalent),
            ICMP => {
                let message = icmp::to_v6(packet.payload, &mut |quoted| match depth {
                    Depth::Outer => self.in_v6(&V4::read(quoted)?, Depth::Quoted),
                    // RFC 1122 section 3.2.2: no error about an error.
                    Depth::Quoted => Err(Refusal::NoEquivalent),
                })?;
                (ICMPV6, icmp::with_checksum_v6(message, source, destination))
            }
            protocol => (protocol, checksum::transport(protocol, packet, &ends, depth == Depth::Outer)?),
        };
        let length = packet.stated_payload(payload.len());
        Ok(header::write_v6(packet, protocol, (source, destination), length, &payload))
    }

    fn in_v4(&mut self, packet: &Packet<'_, V6>, depth: Depth) -> Result<Vec<u8>, Refusal> {
        let source = self.mapping.to_v4(packet.source).ok_or(Refusal::Address)?;
        let destination = self.mapping.to_v4(packet.destination).ok_or(Refusal::Address)?;
        let ends = checksum::Change {
            from: [packet.source.octets().to_vec(), packet.destination.octets().to_vec()].concat(),
            to: [source.octets().to_vec(), destination.octets().to_vec()].concat(),
        };
        let (protocol, payload) = match packet.protocol {
            ICMPV6 if packet.fragment.is_some() => return Err(Refusal::NoEquivalent),
            ICMPV6 => {
                let message = icmp::to_v4(packet.payload, &mut |quoted| match depth {
                    Depth::Outer => self.in_v4(&V6::read(quoted)?, Depth::Quoted),
                    Depth::Quoted => Err(Refusal::NoEquivalent),
                })?;
                (ICMP, icmp::with_checksum_v4(message))
            }
            ICMP => return Err(Refusal::NoEquivalent),
            protocol => (protocol, checksum::transport(protocol, packet, &ends, depth == Depth::Outer)?),
        };
        let length = packet.stated_payload(payload.len());
        self.identification = self.identification.wrapping_add(1);
        Ok(header::write_v4(packet, protocol, (source, destination), length, &payload, self.identification))
    }
}

/// Whether a packet travels, or is quoted in an error about it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Depth {
    Outer,
    /// What is quoted may be cut off anywhere behind its header.
    Quoted,
}

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
