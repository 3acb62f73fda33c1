//! Whether anything can still happen on a flow: what the kernel may pass by itself.

use super::compile::CompiledBox;
use crate::flow::{Flow, Track};
use crate::outbox::Direction;
use crate::policy::{Condition, Content, Span, TlsQuestion};
use crate::reading::Dialects;
use crate::view::{Transport, View};

/// What later packets of a flow that travel as this one does can make of a condition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Prospect {
    may_hold: bool,
    may_fail: bool,
}

/// A flow as one box sees it.
pub(super) struct Outlook<'a> {
    pub(super) each: &'a CompiledBox,
    pub(super) flow: &'a Flow,
    pub(super) track: &'a Track,
    pub(super) view: &'a View<'a>,
}

impl Outlook<'_> {
    /// Whether some rule may yet act on a later packet that travels as this one does, though none did on this one.
    ///
    /// A rule that looks at nothing but what all such packets have in common would have acted on this one already. One that
    /// reads or counts may act later, unless what they have in common rules it out, or a rule before it would end the search.
    pub(super) fn is_open(&self) -> bool {
        for (place, rule) in self.each.rules_for(self.view.key) {
            // Ports of datagrams are used again without a sign, and what missed is then drawn anew.
            let is_out = self.is_tcp() && self.track.has_missed(&rule.id) == Some(true);
            let prospect = self.of(&rule.when);
            if self.each.waits[place] {
                if prospect.may_hold && !is_out {
                    return true;
                }
            } else if prospect == Prospect::ALWAYS && rule.miss <= 0.0 && !rule.also {
                return false;
            }
        }
        false
    }

    fn of(&self, condition: &Condition) -> Prospect {
        let key = &self.view.key;
        let has_ports = !matches!(self.view.transport, Transport::Error | Transport::Other);
        match condition {
            Condition::All(parts) => parts.iter().map(|part| self.of(part)).fold(Prospect::ALWAYS, |all, part| {
                Prospect { may_hold: all.may_hold && part.may_hold, may_fail: all.may_fail || part.may_fail }
            }),
            Condition::Any(parts) => parts.iter().map(|part| self.of(part)).fold(Prospect::NEVER, |any, part| {
                Prospect { may_hold: any.may_hold || part.may_hold, may_fail: any.may_fail && part.may_fail }
            }),
            Condition::Not(part) => {
                let Prospect { may_hold, may_fail } = self.of(part);
                Prospect { may_hold: may_fail, may_fail: may_hold }
            }
            Condition::Content(content) => Prospect::read(self.hears(content)),
            Condition::Packet(_) | Condition::Time(_) => Prospect::read(true),
            Condition::ClientAddress(prefixes) => Prospect::fixed(prefixes.contains(key.client)),
            Condition::ClientPort(ports) => Prospect::fixed(has_ports && ports.contains(key.client_port)),
            Condition::ClientPortAboveServer => Prospect::fixed(has_ports && key.client_port > key.server_port),
            Condition::ServerPort(ports) => Prospect::fixed(has_ports && ports.contains(key.server_port)),
            Condition::ServerAddress(prefixes) => Prospect::fixed(prefixes.contains(key.server)),
            Condition::Protocol(protocol) => Prospect::fixed(key.protocol == *protocol),
            Condition::ClientInside => Prospect::fixed(self.track.initiator() == Some(Direction::Outbound)),
            Condition::Direction(direction) => Prospect::fixed(self.view.direction == *direction),
            Condition::Fired(rule) => Prospect::fixed(self.flow.has_fired(rule)),
        }
    }

    fn is_tcp(&self) -> bool {
        matches!(self.view.transport, Transport::Tcp(_))
    }

    /// Whether the box may still read this in the flow, in packets that travel as this one does.
    fn hears(&self, content: &Content) -> bool {
        if let Content::Tls(TlsQuestion::Inner(guess)) = content {
            return self.is_tcp() && self.track.awaits_turns(guess);
        }
        if let Content::Speech(speech) = content
            && speech.is_of_shape()
        {
            return self.track.awaits_shape(|shape| speech.of_shape(shape));
        }
        let habit = content.habit();
        let inspect = &self.each.policy.inspect;
        match self.view.transport {
            Transport::Tcp(_) => {
                let is_client = self.track.client_sends() == Some(self.view.direction);
                let goes_on = match habit.span {
                    // What turns may tell was asked before.
                    Span::Opening | Span::Turns => false,
                    Span::Every => true,
                    Span::Speaking => self.track.speaks(Dialects::OPENVPN),
                };
                habit.tcp && (goes_on || habit.hears(is_client) && self.track.hears_stream(is_client, inspect))
            }
            Transport::Udp(_) => habit.udp && (habit.span == Span::Every || self.track.hears_datagrams(inspect)),
            Transport::Error | Transport::Other => false,
        }
    }
}

impl Prospect {
    const ALWAYS: Self = Self { may_hold: true, may_fail: false };
    const NEVER: Self = Self { may_hold: false, may_fail: true };

    /// What all packets have in common.
    const fn fixed(holds: bool) -> Self {
        if holds { Self::ALWAYS } else { Self::NEVER }
    }

    /// What is read in packets: anything while the box reads, and never known once it does not.
    const fn read(reads: bool) -> Self {
        Self { may_hold: reads, may_fail: reads }
    }
}
