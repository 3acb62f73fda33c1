//! What a rule does: counting what passes first, firing, and carrying its responses out.

use super::forge::Forger;
use super::injectors::Injector;
use super::judge::{Cause, Judge};
use super::respond::{self, Passage};
use crate::chance::Chances;
use crate::count::{Count, CountKey};
use crate::event::{EventKind, FlowKey};
use crate::flow::Track;
use crate::outbox::{Direction, Suspect};
use crate::policy::{Fate, Place, Redirect, ResidualKey, Response, Threshold, ThresholdUnit};
use crate::residual::Scope;
use crate::view::View;
use crate::wire::rewrite::{PacketEnd, readdress};

impl Judge<'_> {
    /// Counts a packet that a rule matched; whether it comes after those that the rule lets pass.
    pub(super) fn is_past(
        &mut self,
        after: &Threshold,
        cause: &Cause<'_>,
        view: &View<'_>,
        track: Option<&mut Track>,
    ) -> bool {
        let counts_flows = after.unit == ThresholdUnit::Connections;
        let known = track.map(|track| track.note_mut(&cause.rule.id));
        if let Some(is_past) = known.as_ref().and_then(|note| note.is_past).filter(|_| counts_flows) {
            return is_past;
        }
        let key = CountKey::of(after.per, cause.place, &view.key);
        if known.is_none() && (counts_flows || key.is_none()) {
            return false;
        }
        let (counts, chances, now) = (&mut *self.counts, &mut *self.chances, self.now);
        let new = || Count::up_to(limit(after, cause, view, chances), after.within);
        let mut known = known;
        let count = match (key, &mut known) {
            (Some(key), _) => counts.touch(key, new),
            (None, Some(note)) => note.counted.get_or_insert_with(new),
            (None, None) => return false,
        };
        let is_past = count.is_past(after, view, counts_flows, now);
        if let Some(note) = known.filter(|_| counts_flows) {
            note.is_past = Some(is_past);
        }
        is_past
    }

    /// Does what a rule says about the packet that it matched.
    pub(super) fn fire(&mut self, cause: &Cause<'_>, view: &View<'_>, mut track: Option<&mut Track>) -> Passage {
        let rule = cause.rule;
        let is_on_path = cause.each.policy.place == Place::OnPath;
        let acts = respond::has_consequences(&rule.trigger, is_on_path);
        let is_harmful = !rule.residuals.is_empty() || rule.suspect || acts;
        let mut is_first = true;
        if let Some(track) = track.as_deref_mut() {
            is_first = track.fire(&rule.id);
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
        if !acts && (!rule.residuals.is_empty() || is_first) {
            self.note(cause, view, EventKind::Triggered);
        }
        if rule.suspect && is_first {
            self.suspect(cause, view);
        }
        let passage = self.respond(cause, view, &rule.trigger, track.as_deref_mut());
        if !rule.residuals.is_empty() {
            self.arm(cause, view, track);
        }
        passage
    }

    /// Hands a flow's payload and its server to an active prober.
    fn suspect(&mut self, cause: &Cause<'_>, view: &View<'_>) {
        let payload = view.payload();
        let payload = payload[..payload.len().min(Suspect::MAX_PAYLOAD)].to_vec();
        self.suspects.push(Suspect { server: view.key.server, port: view.key.server_port, payload });
        self.note(cause, view, EventKind::Suspected);
    }

    /// Carries a response out.
    pub(super) fn respond(
        &mut self,
        cause: &Cause<'_>,
        view: &View<'_>,
        response: &Response,
        track: Option<&mut Track>,
    ) -> Passage {
        let (passage, refusal) = match (cause.each.policy.place, &response.fate) {
            (Place::OnPath, _) => (Passage::Passed, None),
            (Place::InPath, Fate::Lose(probability)) => (self.lose(cause, view, *probability, track), None),
            (Place::InPath, Fate::Police(police)) => (self.police(cause, view, police, track), None),
            (Place::InPath, Fate::Shape(shape)) => (self.shape(cause, view, shape, track), None),
            (Place::InPath, Fate::Redirect(redirect)) => (self.redirect(cause, view, redirect), None),
            (Place::InPath, fate) => respond::apply(fate, view),
        };
        match (&passage, &response.fate) {
            (Passage::Passed, _) | (_, Fate::Lose(_) | Fate::Police(_) | Fate::Shape(_)) => {}
            (Passage::Replaced(_), Fate::Redirect(_)) => self.note(cause, view, EventKind::Redirected),
            (Passage::Dropped, Fate::Reject(_)) => self.note(cause, view, EventKind::Rejected),
            (Passage::Dropped, _) => self.note(cause, view, EventKind::Dropped),
            (Passage::Replaced(_), _) => self.note(cause, view, EventKind::Rewritten),
            (Passage::Diverted, _) => self.note(cause, view, EventKind::Diverted),
        }
        self.injections.extend(refusal.map(|refusal| (self.now, refusal)));
        self.inject(cause, view, &passage, response);
        passage
    }

    /// Makes the packets that are sent besides.
    fn inject(&mut self, cause: &Cause<'_>, view: &View<'_>, passage: &Passage, response: &Response) {
        if response.inject.is_empty() {
            return;
        }
        // What the packet's receiver gets of it, which need not be what was sent.
        let replaced = match passage {
            Passage::Replaced(bytes) => View::parse(view.direction, bytes),
            _ => None,
        };
        let arrives = !matches!(passage, Passage::Dropped | Passage::Diverted);
        let mut forger = Forger::new(view, replaced.as_ref().unwrap_or(view));
        for (at, injection) in response.inject.iter().enumerate() {
            let after_packet = arrives && injection.delay > self.delay + self.wait;
            let injector = Injector::of(cause, view.direction, at);
            let packets = forger.make(injection, after_packet, &mut self.injectors.dial(injector, view.key.client));
            if !packets.is_empty() {
                self.note(cause, view, EventKind::Injected);
            }
            let due = self.now + injection.delay;
            self.injections.extend(packets.into_iter().map(|packet| (due, packet)));
        }
    }

    /// Sends a query elsewhere.
    fn redirect(&mut self, cause: &Cause<'_>, view: &View<'_>, redirect: &Redirect) -> Passage {
        let to = redirect.address_for(view.key.server).filter(|to| *to != view.key.server);
        let (Some(server), Direction::Outbound) = (to, view.direction) else {
            return Passage::Passed;
        };
        let server_port = redirect.port.unwrap_or(view.key.server_port);
        let Some(bytes) = readdress(&view.ip, PacketEnd::Destination, (server, server_port)) else {
            return Passage::Passed;
        };
        let went = FlowKey { server, server_port, ..view.key };
        self.redirects.remember(cause.place, &view.key, went, view.payload(), self.now);
        // The kernel may not pass the answers by itself.
        self.armed.push(Scope::of(ResidualKey::FourTuple, &went));
        Passage::Replaced(bytes)
    }
}

/// How much passes, of this flow.
pub(super) fn limit(after: &Threshold, cause: &Cause<'_>, view: &View<'_>, chances: &mut Chances) -> u64 {
    chances.number((after.least, after.most), &cause.each.policy.name, &cause.rule.id, &view.key)
}
