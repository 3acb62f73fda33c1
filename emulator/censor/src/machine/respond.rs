//! Carrying a response out: the fate of the packet, and the packets sent besides.

use crate::outbox::{self, Direction, Toward};
use crate::policy::{DnsForgery, Fate, Injection, InjectionKind, Recipient, Response, SegmentShape, TcpFlags};
use crate::view::{Transport, View};
use crate::wire::build::{self, ResetTo};
use crate::wire::dns::Query;
use crate::wire::rewrite::rewrite;

/// How a packet came through.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Passage {
    /// As it was.
    Passed,
    /// Not at all.
    Dropped,
    /// Changed into this.
    Replaced(Vec<u8>),
}

impl Passage {
    /// This, or what a later rule says where this says nothing.
    pub(crate) fn or(self, later: Self) -> Self {
        if self == Self::Passed { later } else { self }
    }
}

/// What a fate makes of a packet, and the refusal to its sender.
pub(crate) fn apply(fate: &Fate, view: &View<'_>) -> (Passage, Option<outbox::Injection>) {
    match fate {
        Fate::Drop => (Passage::Dropped, None),
        Fate::Reject(rejection) => {
            let toward = sender_side(view.direction);
            let refusal = build::reject(&view.ip, *rejection).map(|bytes| outbox::Injection { toward, bytes });
            (Passage::Dropped, refusal)
        }
        // All but the first need what the machine remembers, and are carried out there.
        Fate::Pass
        | Fate::Lose(_)
        | Fate::Police(_)
        | Fate::Shape(_)
        | Fate::Corrupt(_)
        | Fate::Redirect(_)
        | Fate::Divert => (Passage::Passed, None),
        Fate::Rewrite(change) => (rewrite(&view.ip, *change).map_or(Passage::Passed, Passage::Replaced), None),
    }
}

/// Whether a response does anything to a packet that the real world could notice.
pub(crate) fn has_consequences(response: &Response, is_on_path: bool) -> bool {
    !response.inject.is_empty() || (!is_on_path && response.fate != Fate::Pass)
}

/// The packets that an injection amounts to, in order. `after_packet`: the injection arrives after the packet that caused
/// it, which a reset to that packet's receiver must reckon with.
pub(crate) fn packets(injection: &Injection, view: &View<'_>, after_packet: bool) -> Vec<outbox::Injection> {
    match &injection.kind {
        InjectionKind::Segment(SegmentShape { to, flags, .. }) => {
            let sides: &[Toward] = match to {
                Recipient::Client => &[Toward::Inside],
                Recipient::Server => &[Toward::Outside],
                Recipient::Both => &[Toward::Inside, Toward::Outside],
            };
            sides.iter().filter_map(|side| reset(*side, *flags, view, after_packet)).collect()
        }
        InjectionKind::Dns(injection) => dns_answer(&injection.forgery, view).into_iter().collect(),
        InjectionKind::Icmp { .. } => Vec::new(),
    }
}

fn reset(toward: Toward, flags: TcpFlags, view: &View<'_>, after_packet: bool) -> Option<outbox::Injection> {
    let to = match (toward == sender_side(view.direction), after_packet) {
        (true, _) => ResetTo::Sender,
        (false, false) => ResetTo::ReceiverBefore,
        (false, true) => ResetTo::ReceiverAfter,
    };
    let bytes = build::reset(&view.ip.addresses(), view.segment()?, to, flags)?;
    Some(outbox::Injection { toward, bytes })
}

fn dns_answer(forgery: &DnsForgery, view: &View<'_>) -> Option<outbox::Injection> {
    let Transport::Udp(datagram) = &view.transport else {
        return None;
    };
    let answer = Query::parse(datagram.payload())?.forge(forgery);
    let addresses = view.ip.addresses().reversed();
    let bytes = build::udp(&addresses, datagram.destination_port(), datagram.source_port(), &answer);
    Some(outbox::Injection { toward: sender_side(view.direction), bytes })
}

/// The side that a packet travelling this way came from.
const fn sender_side(direction: Direction) -> Toward {
    match direction {
        Direction::Outbound => Toward::Inside,
        Direction::Inbound => Toward::Outside,
    }
}
