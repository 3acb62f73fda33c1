//! One packet as the machine looks at it: its headers, the way it travels, and the flow it belongs to.

use crate::event::FlowKey;
use crate::outbox::Direction;
use crate::policy::TcpFlags;
use crate::wire::icmp::Quote;
use crate::wire::ip::{Addresses, IpPacket, protocol};
use crate::wire::tcp::TcpSegment;
use crate::wire::udp::UdpDatagram;

/// A packet whose headers could be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) direction: Direction,
    pub(crate) ip: IpPacket<'a>,
    pub(crate) transport: Transport<'a>,
    pub(crate) key: FlowKey,
    /// Whether it was put together from fragments.
    pub(crate) is_joined: bool,
}

/// What the packet carries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Transport<'a> {
    Tcp(TcpSegment<'a>),
    Udp(UdpDatagram<'a>),
    /// An ICMP error about a packet of the flow that the key names. It has no ports of its own.
    Error,
    /// Something without ports, or something that the box does not read.
    Other,
}

impl<'a> Transport<'a> {
    /// What a packet carries that has ports, and its source's and destination's.
    fn of(ip: &IpPacket<'a>) -> Option<(Self, (u16, u16))> {
        match ip.protocol() {
            _ if ip.is_later_fragment() => None,
            protocol::TCP => {
                let segment = TcpSegment::parse_carelessly(ip.payload())?;
                Some((Self::Tcp(segment), (segment.source_port(), segment.destination_port())))
            }
            protocol::UDP => {
                let datagram = UdpDatagram::parse(ip.payload())?;
                Some((Self::Udp(datagram), (datagram.source_port(), datagram.destination_port())))
            }
            _ => None,
        }
    }
}

impl<'a> View<'a> {
    /// Reads the headers. `None` for bytes that are no packet. Of a later fragment, and of a packet whose transport header is
    /// cut, nothing is known beyond IP.
    pub(crate) fn parse(direction: Direction, bytes: &'a [u8]) -> Option<Self> {
        let ip = IpPacket::parse(bytes)?;
        if let Some(Quote { protocol, addresses, ports }) = Quote::parse(&ip) {
            // What is quoted travelled the other way.
            let key = flow_key(direction.reversed(), protocol, addresses, ports);
            return Some(Self { direction, ip, transport: Transport::Error, key, is_joined: false });
        }
        let (transport, ports) = Transport::of(&ip).unwrap_or((Transport::Other, (0, 0)));
        let key = flow_key(direction, ip.protocol(), ip.addresses(), ports);
        Some(Self { direction, ip, transport, key, is_joined: false })
    }

    /// The packet as a box sees it that reads no further than its IP header.
    pub(crate) fn without_transport(&self) -> Self {
        let key = flow_key(self.direction, self.ip.protocol(), self.ip.addresses(), (0, 0));
        Self { transport: Transport::Other, key, ..*self }
    }

    /// The segment, where the packet carries one.
    pub(crate) fn segment(&self) -> Option<&TcpSegment<'a>> {
        match &self.transport {
            Transport::Tcp(segment) => Some(segment),
            Transport::Udp(_) | Transport::Error | Transport::Other => None,
        }
    }

    /// The data of a segment or datagram; empty for what is neither.
    pub(crate) fn payload(&self) -> &'a [u8] {
        match &self.transport {
            Transport::Tcp(segment) => segment.payload(),
            Transport::Udp(datagram) => datagram.payload(),
            Transport::Error | Transport::Other => &[],
        }
    }

    /// Where in the packet the data of a segment or datagram begin.
    pub(crate) fn payload_at(&self) -> Option<usize> {
        match &self.transport {
            Transport::Tcp(segment) => Some(self.ip.header_len() + segment.header_len()),
            Transport::Udp(_) => Some(self.ip.header_len() + UdpDatagram::HEADER_LEN),
            Transport::Error | Transport::Other => None,
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

/// The flow of a packet with these ends.
pub(crate) fn flow_key(direction: Direction, protocol: u8, addresses: Addresses, ports: (u16, u16)) -> FlowKey {
    let (source, destination) = ((addresses.source(), ports.0), (addresses.destination(), ports.1));
    let (client, server) = match direction {
        Direction::Outbound => (source, destination),
        Direction::Inbound => (destination, source),
    };
    FlowKey { protocol, client: client.0, client_port: client.1, server: server.0, server_port: server.1 }
}
