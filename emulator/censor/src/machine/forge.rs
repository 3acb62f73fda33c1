//! Forging the packets that are sent besides.

use super::injectors::{Dial, Field};
use crate::chance::{mix, mix_bytes, octets};
use crate::outbox::{self, Direction, Toward};
use crate::policy::{
    DnsInjection, Injection, InjectionKind, IpShape, Number, Pick, Recipient, Rejection, SegmentShape, TcpFlags,
};
use crate::view::{Transport, View};
use crate::wire::build::{self, IpFields, Place, Standing, TcpHeader};
use crate::wire::dns::{Answer, Query, record};
use crate::wire::ip::{Addresses, IpPacket};
use crate::wire::tcp::TcpSegment;
use crate::wire::u16_at;

/// Makes the packets of one response to one packet.
pub(super) struct Forger<'a> {
    view: &'a View<'a>,
    /// The packet as its receiver gets it, which it may be changed for.
    received: &'a View<'a>,
    /// How many sequence numbers each side was sent by this response so far, the inside first.
    sent: [u32; 2],
}

/// The most payload that goes into one segment: it fits an MTU of 1500 with room for a tunnel's headers.
const MAX_SEGMENT: usize = 1400;

impl<'a> Forger<'a> {
    pub(super) fn new(view: &'a View<'a>, received: &'a View<'a>) -> Self {
        Self { view, received, sent: [0; 2] }
    }

    /// The packets that an injection amounts to, in order. `after_packet`: the injection arrives after the packet that
    /// caused it, which one to that packet's receiver must reckon with.
    pub(super) fn make(
        &mut self,
        injection: &Injection,
        after_packet: bool,
        dial: &mut Dial<'_>,
    ) -> Vec<outbox::Injection> {
        let ip = &injection.ip;
        match &injection.kind {
            InjectionKind::Segment(shape) => {
                let sides = sides(shape.to).iter();
                sides.flat_map(|side| self.segments(*side, shape, ip, after_packet, dial)).collect()
            }
            InjectionKind::Dns(answer) => self.dns_answer(answer, ip, dial).into_iter().collect(),
            InjectionKind::Icmp { to, error } => self.error(*to, *error, ip, dial).into_iter().collect(),
        }
    }

    /// The segments to one side: one for each sequence number and piece of the payload.
    fn segments(
        &mut self,
        toward: Toward,
        shape: &SegmentShape,
        ip: &IpShape,
        after_packet: bool,
        dial: &mut Dial<'_>,
    ) -> Vec<outbox::Injection> {
        let (of, place) = match (toward == sender_side(self.view.direction), after_packet) {
            (true, _) => (self.view, Place::Sender),
            (false, false) => (self.view, Place::ReceiverBefore),
            (false, true) => (self.received, Place::ReceiverAfter),
        };
        let standing = of.segment().and_then(|segment| Standing::beside(&of.ip.addresses(), segment, place));
        let Some(standing) = standing else { return Vec::new() };
        let side = usize::from(toward == Toward::Outside);
        let window = self.view.segment().map_or(0, TcpSegment::window);
        let flags = standing.flags(shape.flags);
        let mut packets = Vec::new();
        for at in &shape.at {
            let mut sequence = standing.sequence.wrapping_add(self.sent[side]).wrapping_add(offset(*at));
            let mut rest = &*shape.payload;
            loop {
                let (piece, more) = rest.split_at(rest.len().min(MAX_SEGMENT));
                let ends = TcpFlags::FIN.0 | TcpFlags::PSH.0;
                let header = TcpHeader {
                    source_port: standing.source_port,
                    destination_port: standing.destination_port,
                    sequence,
                    acknowledgement: standing.acknowledges(flags, offset(shape.acknowledgement)),
                    flags: if more.is_empty() { flags } else { TcpFlags(flags.0 & !ends) },
                    window: dial.number(&shape.window, Field::Window, window),
                };
                let bytes = build::tcp_in(&self.fields(ip, dial), &standing.addresses, &header, piece);
                dial.turn();
                packets.push(outbox::Injection { toward, bytes });
                sequence = sequence.wrapping_add(piece.len() as u32);
                rest = more;
                if rest.is_empty() {
                    break;
                }
            }
        }
        // What is in its place is taken, and what is sent to this side next comes after it.
        if shape.at.contains(&0) && !flags.contains(TcpFlags::RST) {
            let controls = flags.contains(TcpFlags::SYN) || flags.contains(TcpFlags::FIN);
            self.sent[side] = self.sent[side].wrapping_add(shape.payload.len() as u32 + u32::from(controls));
        }
        packets
    }

    fn dns_answer(&self, injection: &DnsInjection, ip: &IpShape, dial: &mut Dial<'_>) -> Option<outbox::Injection> {
        let Transport::Udp(datagram) = &self.view.transport else {
            return None;
        };
        let query = Query::parse(datagram.payload())?;
        if !injection.qtypes.is_empty() && !injection.qtypes.contains(&query.qtype) {
            return None;
        }
        let mut answer = Answer {
            recursion_available: injection.recursion_available,
            cname: injection.cname.as_deref().map(str::to_owned),
            whatever_type: injection.whatever_type,
            copy_query: injection.copy_query,
            ..Answer::from(&injection.forgery)
        };
        self.pick(injection, &mut answer, query.qtype, dial);
        let addresses = self.view.ip.addresses().reversed();
        let ports = (datagram.destination_port(), datagram.source_port());
        let bytes = build::udp_in(&self.fields(ip, dial), &addresses, ports, &query.answer(&answer));
        dial.turn();
        Some(outbox::Injection { toward: sender_side(self.view.direction), bytes })
    }

    /// Leaves one of the addresses that the answer could hold, where the injector says one at a time.
    fn pick(&self, injection: &DnsInjection, answer: &mut Answer, qtype: u16, dial: &mut Dial<'_>) {
        if injection.pick == Pick::All {
            return;
        }
        let is_v4 = qtype != record::AAAA;
        let is_asked = answer.addresses.iter().any(|address| address.is_ipv4() == is_v4);
        // A question for anything else gets an A (GFW-DNS-5).
        if is_asked {
            answer.addresses.retain(|address| address.is_ipv4() == is_v4);
        }
        let len = answer.addresses.len();
        let place = match injection.pick {
            Pick::All | Pick::Cycle => dial.next_address(is_v4, len),
            Pick::ByFlow => {
                let key = &self.view.key;
                let ends = mix_bytes(mix_bytes(0, &octets(key.client)), &octets(key.server));
                dial.address_for(mix(mix(ends, u64::from(key.client_port)), u64::from(key.server_port)), len)
            }
        };
        let picked = answer.addresses.get(place).copied();
        answer.addresses = picked.into_iter().collect();
    }

    /// An error about the packet, which only its sender can make anything of.
    fn error(&self, to: Recipient, error: Rejection, ip: &IpShape, dial: &mut Dial<'_>) -> Option<outbox::Injection> {
        let toward = sender_side(self.view.direction);
        if !sides(to).contains(&toward) {
            return None;
        }
        let bytes = build::unreachable_in(&self.fields(ip, dial), &self.view.ip, error)?;
        dial.turn();
        Some(outbox::Injection { toward, bytes })
    }

    fn fields(&self, shape: &IpShape, dial: &Dial<'_>) -> IpFields {
        let number = |number: &Number, field, copied| dial.number(number, field, copied);
        IpFields {
            // Below 256, which fits.
            ttl: number(&shape.ttl, Field::Ttl, u16::from(self.view.ip.ttl())).min(255) as u8,
            id: number(&shape.id, Field::Id, identification(&self.view.ip)),
            dont_fragment: shape.dont_fragment,
        }
    }
}

/// The identification of a packet; zero where it has none.
fn identification(packet: &IpPacket<'_>) -> u16 {
    match packet.addresses() {
        Addresses::V4 { .. } => u16_at(packet.bytes(), 4).unwrap_or(0),
        Addresses::V6 { .. } => 0,
    }
}

/// The side that a packet travelling this way came from.
pub(super) const fn sender_side(direction: Direction) -> Toward {
    match direction {
        Direction::Outbound => Toward::Inside,
        Direction::Inbound => Toward::Outside,
    }
}

const fn sides(to: Recipient) -> &'static [Toward] {
    match to {
        Recipient::Client => &[Toward::Inside],
        Recipient::Server => &[Toward::Outside],
        Recipient::Both => &[Toward::Inside, Toward::Outside],
    }
}

/// An offset between sequence numbers, which are counted modulo 2^32.
const fn offset(at: i64) -> u32 {
    at.rem_euclid(1 << 32) as u32
}
