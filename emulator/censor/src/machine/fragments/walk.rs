//! Taking a fragment through the boxes at a hop.

use core::ops::Range;
use core::time::Duration;
use std::sync::Arc;

use super::{Gather, Gathered, GatheringKey, Travelling, holds_back};
use crate::event::{Event, EventKind};
use crate::machine::compile::{Compiled, CompiledBox};
use crate::machine::respond::Passage;
use crate::machine::{Censor, Judged};
use crate::outbox::{Command, Direction, Outbox, Packet, Verdict};
use crate::policy::{FragmentPolicy, FragmentTtl, Grade, Place};
use crate::view::{View, flow_key};
use crate::wire::fragment::Piece;
use crate::wire::ip::IpPacket;

impl Censor {
    /// Judges a packet that is a fragment, where some box does something with those.
    pub(in crate::machine) fn inspect_fragment(&mut self, packet: Packet<'_>, out: &mut Outbox) {
        let bytes = packet.bytes.to_vec();
        let fragment =
            Travelling { packet: Some(packet.id), bytes, is_changed: false, is_held: false, wait: Duration::ZERO };
        self.take_fragment(fragment, packet.direction, 0, out);
    }

    /// Gives up what has waited for too long.
    pub(in crate::machine) fn expire_fragments(&mut self, out: &mut Outbox) {
        while let Some((key, fragments)) = self.fragments.expire_one(self.now) {
            self.give_up(key, fragments, "fragments of a packet that was never complete", out);
        }
    }

    /// Lets go of what waits at boxes that are gone with a phase, or that treat fragments otherwise now.
    pub(in crate::machine) fn relocate_fragments(&mut self, old: &Compiled, new: &Compiled, out: &mut Outbox) {
        let gone = self.fragments.relocate(|place| {
            let policy = &old.boxes.get(place)?.policy;
            let place = new.find_box(&policy.name)?;
            (new.boxes[place].policy.fragments == policy.fragments).then_some(place)
        });
        for (_, fragments) in gone {
            for fragment in fragments {
                self.forward(fragment, out);
            }
        }
    }

    /// Takes a fragment through the boxes from a step on, up to its verdict or a queue.
    fn take_fragment(&mut self, mut fragment: Travelling, direction: Direction, from: usize, out: &mut Outbox) {
        let compiled = Arc::clone(&self.policy);
        for step in from..compiled.boxes.len() {
            let of_box = compiled.box_at_step(step, direction);
            let each = &compiled.boxes[of_box];
            if !each.policy.sees.direction(direction) {
                continue;
            }
            let Some(how) = Gather::of(&each.policy.fragments) else {
                let judged = self.read_alone(each, &fragment.bytes, direction, step, out);
                fragment.wait += judged.wait;
                match judged.passage {
                    Passage::Passed | Passage::Diverted => continue,
                    Passage::Dropped => return self.give_fragment(&fragment, None, out),
                    Passage::Replaced(bytes) => return self.replace(fragment, bytes, direction, step + 1, out),
                }
            };
            let Some(id) = Piece::parse(&fragment.bytes).map(|piece| piece.id()) else { continue };
            let key = GatheringKey { of_box, direction, id };
            while let Some((oldest, fragments)) = self.fragments.make_room(fragment.bytes.len()) {
                self.give_up(oldest, fragments, "fragments that there was no room for", out);
            }
            if holds_back(&each.policy.fragments, each.policy.place) {
                return self.queue(key, how, fragment, step, out);
            }
            let copy = Travelling { packet: None, ..fragment.clone() };
            let Gathered::Complete(_, whole) = self.fragments.add(self.now, key, how, copy) else { continue };
            let judged = self.read_joined(&whole, direction, step, out);
            fragment.wait += judged.wait;
            match judged.passage {
                Passage::Passed | Passage::Diverted => {}
                Passage::Dropped => return self.give_fragment(&fragment, None, out),
                Passage::Replaced(bytes) => return self.replace(fragment, bytes, direction, step + 1, out),
            }
        }
        self.forward(fragment, out);
    }

    /// What a box makes of a fragment that it does not put together with others.
    fn read_alone(
        &mut self,
        each: &CompiledBox,
        bytes: &[u8],
        direction: Direction,
        step: usize,
        out: &mut Outbox,
    ) -> Judged {
        match (each.policy.fragments, each.policy.place) {
            (FragmentPolicy::Drop, Place::InPath) => {
                self.tell_fragments_dropped(each, bytes, direction, "a fragment", out);
                Judged { passage: Passage::Dropped, ..Judged::UNREAD }
            }
            (FragmentPolicy::Drop, Place::OnPath) => Judged::UNREAD,
            _ => self.read(bytes, direction, step..step + 1, out),
        }
    }

    /// What boxes make of a packet, as far as it can be read.
    fn read(&mut self, bytes: &[u8], direction: Direction, steps: Range<usize>, out: &mut Outbox) -> Judged {
        View::parse(direction, bytes).map_or(Judged::UNREAD, |view| self.judge(&view, steps, out))
    }

    /// What a box makes of a packet that was put together.
    fn read_joined(&mut self, bytes: &[u8], direction: Direction, step: usize, out: &mut Outbox) -> Judged {
        let view = View::parse(direction, bytes).map(|view| View { is_joined: true, ..view });
        view.map_or(Judged::UNREAD, |view| self.judge(&view, step..step + 1, out))
    }

    /// Holds a fragment until its packet is complete, and then lets all go on as the packet does.
    fn queue(&mut self, key: GatheringKey, how: Gather, mut fragment: Travelling, step: usize, out: &mut Outbox) {
        if let (Some(id), false) = (fragment.packet, fragment.is_held) {
            out.commands.push(Command::Hold(id));
            fragment.is_held = true;
        }
        match self.fragments.add(self.now, key, how, fragment) {
            Gathered::Waiting => {}
            Gathered::Refused(fragment) => {
                self.give_up(key, vec![fragment], "a duplicate or overlapping fragment", out);
            }
            Gathered::GivenUp(fragments, why) => self.give_up(key, fragments, why, out),
            Gathered::Complete(fragments, whole) => self.release(key, fragments, &whole, step, out),
        }
    }

    /// Lets the fragments of a packet go on as the packet does.
    fn release(
        &mut self,
        key: GatheringKey,
        mut fragments: Vec<Travelling>,
        whole: &[u8],
        step: usize,
        out: &mut Outbox,
    ) {
        let judged = self.read_joined(whole, key.direction, step, out);
        for fragment in &mut fragments {
            fragment.wait += judged.wait;
        }
        match judged.passage {
            Passage::Passed | Passage::Diverted => self.forward_all(key, fragments, step, out),
            Passage::Dropped => {
                for fragment in fragments {
                    self.give_fragment(&fragment, None, out);
                }
            }
            Passage::Replaced(bytes) => {
                let mut fragments = fragments.into_iter();
                if let Some(first) = fragments.next() {
                    self.replace(first, bytes, key.direction, step + 1, out);
                }
                for fragment in fragments {
                    self.give_fragment(&fragment, None, out);
                }
            }
        }
    }

    /// Lets the fragments of a packet go on to the next box, one by one as they came.
    fn forward_all(&mut self, key: GatheringKey, fragments: Vec<Travelling>, step: usize, out: &mut Outbox) {
        let compiled = Arc::clone(&self.policy);
        let ttl = compiled.boxes.get(key.of_box).and_then(|each| match each.policy.fragments {
            FragmentPolicy::Queue { ttl: FragmentTtl::OfFirst, .. } => {
                let mut pieces = fragments.iter().filter_map(|fragment| Piece::parse(&fragment.bytes));
                pieces.find(Piece::is_first).map(|piece| piece.ttl())
            }
            _ => None,
        });
        for mut fragment in fragments {
            let own = Piece::parse(&fragment.bytes);
            if let (Some(ttl), Some(piece)) = (ttl, own.filter(|own| ttl.is_some_and(|ttl| own.ttl() != ttl))) {
                fragment.bytes = piece.with_ttl(ttl);
                fragment.is_changed = true;
            }
            self.take_fragment(fragment, key.direction, step + 1, out);
        }
    }

    /// A whole packet goes on in a fragment's place.
    fn replace(
        &mut self,
        mut fragment: Travelling,
        bytes: Vec<u8>,
        direction: Direction,
        from: usize,
        out: &mut Outbox,
    ) {
        let steps = from..self.policy.boxes.len();
        let judged = self.read(&bytes, direction, steps, out);
        fragment.wait += judged.wait;
        match judged.passage.or(Passage::Replaced(bytes)) {
            Passage::Replaced(bytes) => self.give_fragment(&fragment, Some(bytes), out),
            Passage::Passed | Passage::Dropped | Passage::Diverted => self.give_fragment(&fragment, None, out),
        }
    }

    /// Drops what waited, and says why. Of copies nothing is dropped.
    fn give_up(&mut self, key: GatheringKey, fragments: Vec<Travelling>, why: &str, out: &mut Outbox) {
        let compiled = Arc::clone(&self.policy);
        let mut dropped = fragments.into_iter().filter(|fragment| fragment.packet.is_some()).peekable();
        if let (Some(first), Some(each)) = (dropped.peek(), compiled.boxes.get(key.of_box)) {
            self.tell_fragments_dropped(each, &first.bytes, key.direction, why, out);
        }
        for fragment in dropped {
            self.give_fragment(&fragment, None, out);
        }
    }

    fn forward(&mut self, mut fragment: Travelling, out: &mut Outbox) {
        let Some(id) = fragment.packet else { return };
        let verdict =
            if fragment.is_changed { Verdict::Replace(core::mem::take(&mut fragment.bytes)) } else { Verdict::Pass };
        self.give_held((id, fragment.is_held), (verdict, fragment.wait), out);
    }

    /// The verdict on a fragment: what goes on in its place, or nothing.
    fn give_fragment(&mut self, fragment: &Travelling, onward: Option<Vec<u8>>, out: &mut Outbox) {
        let Some(id) = fragment.packet else { return };
        let verdict = onward.map_or(Verdict::Drop, Verdict::Replace);
        self.give_held((id, fragment.is_held), (verdict, fragment.wait), out);
    }

    fn tell_fragments_dropped(
        &self,
        each: &CompiledBox,
        bytes: &[u8],
        direction: Direction,
        why: &str,
        out: &mut Outbox,
    ) {
        let Some(ip) = IpPacket::parse(bytes) else { return };
        out.events.push(Event {
            at: self.now,
            censor: each.policy.name.clone(),
            rule: None,
            facts: Vec::new(),
            grade: Grade::default(),
            flow: flow_key(direction, ip.protocol(), ip.addresses(), (0, 0)),
            direction,
            kind: EventKind::Dropped,
            matched: Some(why.to_owned()),
            bytes: None,
            residual: false,
        });
    }
}
