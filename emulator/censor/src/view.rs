//! One packet as the machine looks at it: its headers, the way it travels, and the flow it belongs to.

use crate::event::FlowKey;
use crate::outbox::Direction;
use crate::policy::TcpFlags;
use crate::wire::ip::{IpPacket, protocol};
use crate::wire::tcp::TcpSegment;
use crate::wire::udp::UdpDatagram;

/// A packet whose headers could be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) direction: Direction,
    pub(crate) ip: IpPacket<'a>,
    pub(crate) transport: Transport<'a>,
    pub(crate) key: FlowKey,
}

/// What the packet carries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Transport<'a> {
    Tcp(TcpSegment<'a>),
    Udp(UdpDatagram<'a>),
    Other,
}

impl<'a> View<'a> {
    /// Reads the headers. `None` for what no rule can be asked about: bytes that are no packet, a later fragment, a cut
    /// transport header.
    pub(crate) fn parse(direction: Direction, bytes: &'a [u8]) -> Option<Self> {
        let ip = IpPacket::parse(bytes)?;
        if ip.is_later_fragment() {
            return None;
        }
        let (transport, source_port, destination_port) = match ip.protocol() {
            protocol::TCP => {
                let segment = TcpSegment::parse(ip.payload())?;
                (Transport::Tcp(segment), segment.source_port(), segment.destination_port())
            }
            protocol::UDP => {
                let datagram = UdpDatagram::parse(ip.payload())?;
                (Transport::Udp(datagram), datagram.source_port(), datagram.destination_port())
            }
            _ => (Transport::Other, 0, 0),
        };
        let source = (ip.addresses().source(), source_port);
        let destination = (ip.addresses().destination(), destination_port);
        let (client, server) = match direction {
            Direction::Outbound => (source, destination),
            Direction::Inbound => (destination, source),
        };
        let key = FlowKey {
            protocol: ip.protocol(),
            client: client.0,
            client_port: client.1,
            server: server.0,
            server_port: server.1,
        };
        Some(Self { direction, ip, transport, key })
    }

    /// The segment, where the packet carries one.
    pub(crate) fn segment(&self) -> Option<&TcpSegment<'a>> {
        match &self.transport {
            Transport::Tcp(segment) => Some(segment),
            Transport::Udp(_) | Transport::Other => None,
        }
    }

    /// The data of a segment or datagram; empty for what is neither.
    pub(crate) fn payload(&self) -> &'a [u8] {
        match &self.transport {
            Transport::Tcp(segment) => segment.payload(),
            Transport::Udp(datagram) => datagram.payload(),
            Transport::Other => &[],
        }
    }

    /// Whether the packet carries a segment with any of these flags.
    pub(crate) fn has_flags(&self, any: u8) -> bool {
        self.segment().is_some_and(|segment| segment.flags().0 & any != 0)
    }

    /// Whether the packet may begin a TCP connection: a SYN that acknowledges nothing.
    pub(crate) fn is_first_syn(&self) -> bool {
        self.has_flags(TcpFlags::SYN.0) && !self.has_flags(TcpFlags::ACK.0)
    }

    /// Whether the packet begins or ends a TCP connection, which the kernel never decides by itself.
    pub(crate) fn is_control(&self) -> bool {
        self.has_flags(TcpFlags::SYN.0 | TcpFlags::FIN.0 | TcpFlags::RST.0)
    }

    /// Whether the checksum of a segment is right; true for what is no segment. A first fragment's is not, since the rest
    /// of what it covers is elsewhere.
    pub(crate) fn checksum_is_valid(&self) -> bool {
        self.segment().is_none_or(|segment| segment.checksum_is_valid(&self.ip.addresses()))
    }
}
