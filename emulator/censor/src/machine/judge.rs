//! Taking one packet through the boxes at a hop.

use core::time::Duration;

use super::compile::{Compiled, CompiledBox};
use super::respond::{self, Passage};
use crate::chance::Chances;
use crate::evaluate::Subject;
use crate::event::{Event, EventKind};
use crate::flow::{Flow, Heard, Track};
use crate::outbox::{Direction, Injection};
use crate::policy::{Fate, Place, Response, Rule};
use crate::residual::{Residuals, RulePlace, Scope};
use crate::time::Instant;
use crate::view::{Transport, View};
use crate::wire::dns::Query;

/// Judges one packet and gathers what follows from it.
pub(super) struct Judge<'m> {
    pub(super) compiled: &'m Compiled,
    pub(super) residuals: &'m mut Residuals,
    pub(super) chances: &'m mut Chances,
    pub(super) events: &'m mut Vec<Event>,
    pub(super) now: Instant,
    /// How long the packet travels on if it passes.
    pub(super) delay: Duration,
    /// What is to be sent, and when.
    pub(super) injections: Vec<(Instant, Injection)>,
    /// The residuals that were armed.
    pub(super) armed: Vec<Scope>,
    /// Whether some rule said something new, so that the next packet may be judged otherwise than this.
    pub(super) has_spoken: bool,
}

/// Why a box does something.
struct Cause<'a> {
    each: &'a CompiledBox,
    rule: &'a Rule,
    matched: Option<String>,
}

impl Judge<'_> {
    /// Takes a packet through the boxes from this step on. A drop by one hides it from the next; a rewrite is what the next
    /// one sees.
    pub(super) fn take_through(&mut self, view: &View<'_>, mut flow: Option<&mut Flow>, from: usize) -> Passage {
        for step in from..self.compiled.boxes.len() {
            let place = self.compiled.box_at_step(step, view.direction);
            if !self.compiled.boxes[place].looks_at(view.direction) {
                continue;
            }
            match self.ask_box(place, view, flow.as_deref_mut()) {
                Passage::Passed => {}
                Passage::Dropped => return Passage::Dropped,
                Passage::Replaced(bytes) => {
                    let onward = match View::parse(view.direction, &bytes) {
                        Some(rewritten) => self.take_through(&rewritten, flow, step + 1),
                        None => Passage::Passed,
                    };
                    return onward.or(Passage::Replaced(bytes));
                }
            }
        }
        Passage::Passed
    }

    /// Asks one box.
    fn ask_box(&mut self, place: usize, view: &View<'_>, mut flow: Option<&mut Flow>) -> Passage {
        let each = &self.compiled.boxes[place];
        let policy = &each.policy.flow;
        // A segment with a wrong checksum neither moves the box's state nor is it read; addresses and ports still count.
        let is_sound = !policy.verify_checksum || flow.is_none() || view.checksum_is_valid();
        let mut heard = Heard::Nothing;
        if let Some(flow) = flow.as_deref_mut().filter(|_| is_sound) {
            flow.tracks[place].observe(self.now, view, policy);
        }
        let passage = if let Some(passage) = self.punish(place, view) {
            if let Some(flow) = flow.as_deref_mut() {
                flow.tracks[place].condemned = true;
            }
            passage
        } else {
            if let Some(flow) = flow.as_deref_mut().filter(|_| is_sound)
                && each.listens_tls.covers(view.key.protocol, view.key.server_port)
            {
                heard = flow.tracks[place].listen(view, policy);
            }
            self.apply_rules(place, view, &heard, flow.as_deref_mut())
        };
        if let Some(flow) = flow.filter(|_| is_sound) {
            flow.tracks[place].settle(&heard, policy);
            flow.tracks[place].conclude(view, policy);
        }
        passage
    }

    /// Applies the residual that hits this packet, if one does.
    fn punish(&mut self, of_box: usize, view: &View<'_>) -> Option<Passage> {
        if self.residuals.is_empty() {
            return None;
        }
        let each = &self.compiled.boxes[of_box];
        for &place in &each.with_residual {
            let rule = &each.policy.rules[place];
            let Some(residual) = &rule.residual else { continue };
            let (place, scope) = (RulePlace { of_box, rule: place }, Scope::of(residual.key, &view.key));
            let Some(armed) = self.residuals.find(place, scope) else { continue };
            let cause = Cause { each, rule, matched: armed.matched.clone() };
            if residual.refresh {
                self.residuals.refresh(place, scope, self.now + residual.last);
            }
            self.has_spoken = true;
            let response = match view.direction {
                Direction::Outbound => &residual.outbound,
                Direction::Inbound => &residual.inbound,
            };
            return Some(self.respond(&cause, view, response));
        }
        None
    }

    /// Walks the rules: the first that matches ends the search, unless it says otherwise.
    fn apply_rules(&mut self, of_box: usize, view: &View<'_>, heard: &Heard, mut flow: Option<&mut Flow>) -> Passage {
        let each = &self.compiled.boxes[of_box];
        let query = match &view.transport {
            Transport::Udp(datagram) if each.listens_dns.covers(view.key.protocol, view.key.server_port) => {
                Query::parse(datagram.payload())
            }
            _ => None,
        };
        let mut passage = Passage::Passed;
        for (place, rule) in each.rules_for(view.key) {
            let initiator = flow.as_deref().and_then(|flow| flow.tracks[of_box].initiator());
            let subject = Subject { view, heard, query: query.as_ref(), flow: flow.as_deref(), initiator };
            if subject.satisfies(&rule.when) != Some(true) {
                continue;
            }
            let cause = Cause { each, rule, matched: subject.describe(&rule.when) };
            let mut track = flow.as_deref_mut().map(|flow| &mut flow.tracks[of_box]);
            if self.misses(&cause, view, track.as_deref_mut()) {
                continue;
            }
            let place = RulePlace { of_box, rule: place };
            passage = passage.or(self.fire(&cause, place, view, track));
            if !rule.also {
                break;
            }
        }
        passage
    }

    /// Whether the rule fails to act on this flow. That is drawn once for each flow (TSPU-14).
    fn misses(&mut self, cause: &Cause<'_>, view: &View<'_>, track: Option<&mut Track>) -> bool {
        let Cause { each, rule, .. } = cause;
        if rule.miss <= 0.0 {
            return false;
        }
        if let Some((_, missed)) = track.as_ref().and_then(|track| track.drawn.iter().find(|(id, _)| *id == rule.id)) {
            return *missed;
        }
        let misses = self.chances.happens(rule.miss, &each.policy.name, &rule.id, &view.key);
        if let Some(track) = track.filter(|track| track.is_known()) {
            track.drawn.push((rule.id.clone(), misses));
        }
        if misses {
            self.note(cause, view, EventKind::Missed);
        }
        misses
    }

    /// Does what a rule says about the packet that it matched.
    fn fire(&mut self, cause: &Cause<'_>, place: RulePlace, view: &View<'_>, track: Option<&mut Track>) -> Passage {
        let rule = cause.rule;
        let is_on_path = cause.each.policy.place == Place::OnPath;
        let is_harmful = rule.residual.is_some() || respond::has_consequences(&rule.trigger, is_on_path);
        let mut is_first = true;
        if let Some(track) = track.filter(|track| track.is_known()) {
            is_first = !track.fired.contains(&rule.id);
            track.fire(&rule.id);
            track.condemned |= is_harmful;
        }
        self.has_spoken |= is_harmful || is_first;
        if !is_harmful {
            // An exemption is not interference; once for each flow is enough to explain it.
            if is_first {
                self.note(cause, view, EventKind::Passed);
            }
            return Passage::Passed;
        }
        if !respond::has_consequences(&rule.trigger, is_on_path) {
            self.note(cause, view, EventKind::Triggered);
        }
        let passage = self.respond(cause, view, &rule.trigger);
        if let Some(residual) = &rule.residual {
            let scope = Scope::of(residual.key, &view.key);
            self.residuals.arm(place, scope, self.now + residual.last, cause.matched.clone());
            self.armed.push(scope);
            self.note(cause, view, EventKind::ResidualArmed);
        }
        passage
    }

    /// Carries a response out.
    fn respond(&mut self, cause: &Cause<'_>, view: &View<'_>, response: &Response) -> Passage {
        let (passage, refusal) = match cause.each.policy.place {
            Place::InPath => respond::apply(&response.fate, view),
            Place::OnPath => (Passage::Passed, None),
        };
        match (&passage, &response.fate) {
            (Passage::Passed, _) => {}
            (Passage::Dropped, Fate::Reject(_)) => self.note(cause, view, EventKind::Rejected),
            (Passage::Dropped, _) => self.note(cause, view, EventKind::Dropped),
            (Passage::Replaced(_), _) => self.note(cause, view, EventKind::Rewritten),
        }
        self.injections.extend(refusal.map(|refusal| (self.now, refusal)));
        for injection in &response.inject {
            let after_packet = passage != Passage::Dropped && injection.delay > self.delay;
            let packets = respond::packets(injection, view, after_packet);
            if !packets.is_empty() {
                self.note(cause, view, EventKind::Injected);
            }
            let at = self.now + injection.delay;
            self.injections.extend(packets.into_iter().map(|packet| (at, packet)));
        }
        passage
    }

    fn note(&mut self, cause: &Cause<'_>, view: &View<'_>, kind: EventKind) {
        self.events.push(Event {
            at: self.now,
            censor: cause.each.policy.name.clone(),
            rule: Some(cause.rule.id.clone()),
            facts: cause.rule.facts.clone(),
            grade: cause.rule.grade,
            flow: view.key,
            direction: view.direction,
            kind,
            matched: cause.matched.clone(),
        });
    }
}
