//! What a box knows of the two ends of a TCP flow: their numbers, their windows, and what else a receiver would check.

use core::num::NonZeroU8;

use super::doubts::Doubts;
use crate::outbox::Direction;
use crate::policy::TcpFlags;
use crate::view::View;
use crate::wire::tcp::{TcpOption, TcpSegment};

/// Both ends, as the senders that they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends {
    outbound: End,
    inbound: End,
}

/// One end, as a sender. There are two for each flow and box, so it is kept small.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "an optional number of its own would take twice the room")]
pub(crate) struct End {
    /// The sequence number of its SYN, or one before the first byte that was seen.
    pub(crate) initial: Option<u32>,
    /// What comes next of it, as far as everything before was seen.
    next: Option<u32>,
    /// What comes after the furthest that was seen of it.
    furthest: Option<u32>,
    /// How much it takes, as last offered, unscaled.
    window: u16,
    has_window: bool,
    /// By how many bits its window is shifted.
    scale: u8,
    ttl: Option<NonZeroU8>,
    timestamp: u32,
    has_timestamp: bool,
    /// Whether its SYN asked for signatures (RFC 2385).
    signs: bool,
    /// Whether its next data say what comes next (GFW-TCB-1).
    pub(crate) resyncs: bool,
}

/// The largest window that can be offered (RFC 7323 section 2.3).
const MAX_WINDOW: u32 = 1 << 30;
const MAX_SCALE: u8 = 14;

impl Ends {
    pub(crate) fn of(&self, direction: Direction) -> &End {
        match direction {
            Direction::Outbound => &self.outbound,
            Direction::Inbound => &self.inbound,
        }
    }

    pub(crate) fn of_mut(&mut self, direction: Direction) -> &mut End {
        match direction {
            Direction::Outbound => &mut self.outbound,
            Direction::Inbound => &mut self.inbound,
        }
    }

    /// What the receiver of a segment would find wrong with it.
    pub(crate) fn doubts(&self, view: &View<'_>, segment: &TcpSegment<'_>) -> Doubts {
        let (sender, receiver) = (self.of(view.direction), self.of(view.direction.reversed()));
        let ttl = view.ip.ttl();
        let is_syn = segment.flags().contains(TcpFlags::SYN);
        let mut doubts = Doubts {
            checksum: !view.checksum_is_valid(),
            flags: !are_sent_together(segment.flags()),
            header: segment.is_malformed(),
            ttl,
            ttl_drift: sender.ttl.map_or(0, |first| first.get().abs_diff(ttl)),
            outside: sender.is_outside(segment, receiver),
            not_next: sender.is_not_next(segment),
            acknowledgement: !segment.payload().is_empty() && !is_syn && !receiver.could_be_acknowledged(segment),
            ..Doubts::default()
        };
        for option in segment.options_read() {
            match option {
                TcpOption::Md5 => doubts.md5 = !is_syn && !sender.signs,
                TcpOption::Timestamp(value) => {
                    doubts.timestamp = sender.has_timestamp && is_before(value, sender.timestamp);
                }
                TcpOption::WindowScale(_) => {}
            }
        }
        doubts
    }

    /// Takes note of a segment that the box believes.
    pub(crate) fn observe(&mut self, view: &View<'_>, segment: &TcpSegment<'_>) {
        let end = self.of_mut(view.direction);
        let (first, after) = (segment.sequence(), segment.sequence().wrapping_add(segment.sequence_len()));
        if segment.flags().contains(TcpFlags::SYN) {
            (end.scale, end.signs) = (0, false);
            end.next = None;
        }
        if !segment.flags().contains(TcpFlags::RST) {
            let continues = end.next.is_none_or(|next| !is_before(next, first) && !is_before(after, next));
            if continues {
                end.next = Some(after);
            }
            if end.furthest.is_none_or(|furthest| is_before(furthest, after)) {
                end.furthest = Some(after);
            }
            (end.window, end.has_window) = (segment.window(), true);
        }
        end.ttl = end.ttl.or(NonZeroU8::new(view.ip.ttl()));
        for option in segment.options_read() {
            match option {
                TcpOption::WindowScale(scale) if segment.flags().contains(TcpFlags::SYN) => {
                    end.scale = scale.min(MAX_SCALE);
                }
                TcpOption::Md5 if segment.flags().contains(TcpFlags::SYN) => end.signs = true,
                TcpOption::Timestamp(value) => (end.timestamp, end.has_timestamp) = (value, true),
                TcpOption::WindowScale(_) | TcpOption::Md5 => {}
            }
        }
    }
}

impl End {
    /// The numbers went on unseen.
    pub(crate) fn lose_count(&mut self) {
        (self.next, self.furthest, self.has_window) = (None, None, false);
    }

    /// Begins the end's stream with the byte of this number.
    pub(crate) fn begin_at(&mut self, sequence: u32) {
        self.initial = Some(sequence.wrapping_sub(1));
        (self.next, self.furthest) = (Some(sequence), Some(sequence));
    }

    /// Whether a number lies outside what the receiver would take. What was sent before may be sent again.
    fn is_outside(&self, segment: &TcpSegment<'_>, receiver: &Self) -> bool {
        let first = segment.sequence();
        if segment.flags().contains(TcpFlags::SYN) || self.resyncs {
            return false;
        }
        let is_early = self.initial.is_some_and(|initial| is_before(first, initial.wrapping_add(1)));
        let offered = (u32::from(receiver.window) << receiver.scale).max(1);
        let window = if receiver.has_window { offered } else { MAX_WINDOW };
        let is_late = self.next.is_some_and(|next| !is_before(first, next.wrapping_add(window)) && first != next);
        is_early || is_late
    }

    fn is_not_next(&self, segment: &TcpSegment<'_>) -> bool {
        let is_syn = segment.flags().contains(TcpFlags::SYN);
        !is_syn && !self.resyncs && self.next.is_some_and(|next| next != segment.sequence())
    }

    /// Whether a segment acknowledges something that this end sent, not too long ago.
    fn could_be_acknowledged(&self, segment: &TcpSegment<'_>) -> bool {
        if !segment.flags().contains(TcpFlags::ACK) {
            return false;
        }
        self.furthest.is_none_or(|furthest| {
            let behind = furthest.wrapping_sub(segment.acknowledgement());
            // Of a young stream it is known where it began.
            let sent = self.initial.map_or(MAX_WINDOW, |initial| furthest.wrapping_sub(initial.wrapping_add(1)));
            behind <= sent.min(MAX_WINDOW)
        })
    }
}

/// FIN, SYN, RST, PSH, ACK and URG.
const ALL_FLAGS: u8 = 0x3f;

/// Whether a number comes before another (RFC 9293 section 3.4).
pub(crate) const fn is_before(this: u32, other: u32) -> bool {
    this.wrapping_sub(other).cast_signed() < 0
}

/// Whether an end sends these flags together.
fn are_sent_together(flags: TcpFlags) -> bool {
    let has = |flag: TcpFlags| flags.contains(flag);
    let opposed = [TcpFlags::SYN, TcpFlags::FIN, TcpFlags::RST].into_iter().filter(|flag| has(*flag)).count();
    let is_bare_fin = has(TcpFlags::FIN) && !has(TcpFlags::ACK);
    opposed <= 1 && !is_bare_fin && flags.0 & ALL_FLAGS != 0
}
