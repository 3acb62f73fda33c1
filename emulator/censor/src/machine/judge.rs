//! Taking one packet through the boxes at a hop.

use core::time::Duration;

use super::buckets::{BucketKey, Buckets, Poured};
use super::compile::{Compiled, CompiledBox};
use super::redirects::Redirects;
use super::respond::{self, Passage};
use crate::chance::Chances;
use crate::evaluate::Subject;
use crate::event::{Event, EventKind, FlowKey};
use crate::flow::{Count, Flow, Heard, Said, Track};
use crate::outbox::{Direction, Injection};
use crate::policy::{Fate, Per, Place, Police, Redirect, Refresh, ResidualKey, Response, Rule, Threshold};
use crate::residual::{Residuals, RulePlace, Scope};
use crate::time::Instant;
use crate::view::{Transport, View};
use crate::wire::dns::Query;
use crate::wire::rewrite::{PacketEnd, readdress};

/// Judges one packet and gathers what follows from it.
pub(super) struct Judge<'m> {
    pub(super) compiled: &'m Compiled,
    pub(super) residuals: &'m mut Residuals,
    pub(super) buckets: &'m mut Buckets,
    pub(super) redirects: &'m mut Redirects,
    pub(super) chances: &'m mut Chances,
    /// How many packets were lost by chance or above a rate.
    pub(super) policed: &'m mut u64,
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
    place: RulePlace,
    matched: Option<String>,
}

/// What residuals make of a packet.
enum Punishment {
    /// One hits it.
    Hit(Passage),
    /// None does; those of these rules are in force and spare it, so that they are not armed anew.
    Spared(Vec<usize>),
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
            let passage = if self.compiled.boxes[place].reads_past_ip(view) {
                self.ask_box(place, view, flow.as_deref_mut())
            } else {
                self.ask_box(place, &view.without_transport(), None)
            };
            match passage {
                Passage::Passed => {}
                Passage::Dropped => return Passage::Dropped,
                Passage::Replaced(bytes) => {
                    let onward = match View::parse(view.direction, &bytes) {
                        Some(rewritten) => {
                            // A redirected packet is of another flow, which the boxes after this one at this hop do not know.
                            let flow = flow.filter(|_| rewritten.key == view.key);
                            self.take_through(&rewritten, flow, step + 1)
                        }
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
        let ear = each.ear(view.key);
        let mut heard = Heard::Nothing;
        if let Some(flow) = flow.as_deref_mut().filter(|_| is_sound) {
            flow.tracks[place].observe(self.now, view, policy);
        }
        let answer = self.redirect_answer(place, view);
        let punishment = match answer {
            Some(passage) => Punishment::Hit(passage),
            None => self.punish(place, view, flow.as_deref_mut()),
        };
        let passage = match punishment {
            Punishment::Hit(passage) => {
                if let Some(flow) = flow.as_deref_mut() {
                    flow.tracks[place].condemned = true;
                }
                passage
            }
            Punishment::Spared(armed) => {
                let mut said = None;
                if let Some(flow) = flow.as_deref_mut().filter(|_| is_sound && (ear.tls || ear.content)) {
                    let track = &mut flow.tracks[place];
                    (heard, said) = track.listen(view, policy, ear);
                    if let Some(said) = &mut said {
                        let recognised = said.recognise(each.contents_for(view.key));
                        track.recognise(said, recognised);
                    }
                }
                self.apply_rules(place, view, (&heard, said.as_ref()), flow.as_deref_mut(), &armed)
            }
        };
        if let Some(flow) = flow.filter(|_| is_sound) {
            flow.tracks[place].settle(&heard, policy, ear);
            flow.tracks[place].conclude(view, policy);
        }
        passage
    }

    /// Gives an answer to a redirected query the address of the resolver that was asked.
    fn redirect_answer(&mut self, of_box: usize, view: &View<'_>) -> Option<Passage> {
        if self.redirects.is_empty() || !self.redirects.knows(&view.key) {
            return None;
        }
        // The next answer on this flow may be to a redirected query, whatever this one is.
        self.has_spoken = true;
        if view.direction != Direction::Inbound {
            return None;
        }
        let asked = self.redirects.find(&view.key, of_box, view.payload())?;
        let bytes = readdress(&view.ip, PacketEnd::Source, (asked.server, asked.server_port))?;
        let each = &self.compiled.boxes[of_box];
        let rule = &each.policy.rules[asked.rule.rule];
        let matched = Some(format!("an answer for {}", asked.server));
        self.note(&Cause { each, rule, place: asked.rule, matched }, view, EventKind::Redirected);
        Some(Passage::Replaced(bytes))
    }

    /// Applies the residual that hits this packet, if one does.
    fn punish(&mut self, of_box: usize, view: &View<'_>, mut flow: Option<&mut Flow>) -> Punishment {
        let mut spared = Vec::new();
        if self.residuals.is_empty() {
            return Punishment::Spared(spared);
        }
        let each = &self.compiled.boxes[of_box];
        for &rule_place in &each.with_residual {
            let rule = &each.policy.rules[rule_place];
            let Some(residual) = rule.residuals.first() else { continue };
            let (place, scope) = (RulePlace { of_box, rule: rule_place }, Scope::of(residual.key, &view.key));
            let Some(armed) = self.residuals.find(place, scope) else { continue };
            let hits = armed.hits(residual.after.as_ref(), view);
            let cause = Cause { each, rule, place, matched: armed.matched.clone() };
            if residual.refresh == Refresh::OnPacket {
                self.residuals.refresh(place, scope, self.now + residual.last);
            }
            self.has_spoken = true;
            if !hits {
                spared.push(rule_place);
                continue;
            }
            let response = match view.direction {
                Direction::Outbound => &residual.outbound,
                Direction::Inbound => &residual.inbound,
            };
            let track = flow.as_deref_mut().map(|flow| &mut flow.tracks[of_box]);
            return Punishment::Hit(self.respond(&cause, view, response, track));
        }
        Punishment::Spared(spared)
    }

    /// Walks the rules: the first that matches ends the search, unless it says otherwise. Those whose residuals spare the
    /// packet are left out.
    fn apply_rules(
        &mut self,
        of_box: usize,
        view: &View<'_>,
        (heard, said): (&Heard, Option<&Said<'_>>),
        mut flow: Option<&mut Flow>,
        spared: &[usize],
    ) -> Passage {
        let each = &self.compiled.boxes[of_box];
        let query = match &view.transport {
            Transport::Udp(datagram) if each.listens_dns.covers(view.key.protocol, view.key.server_port) => {
                Query::parse(datagram.payload())
            }
            _ => None,
        };
        let mut passage = Passage::Passed;
        for (place, rule) in each.rules_for(view.key).filter(|(place, _)| !spared.contains(place)) {
            let initiator = flow.as_deref().and_then(|flow| flow.tracks[of_box].initiator());
            let subject = Subject { view, heard, said, query: query.as_ref(), flow: flow.as_deref(), initiator };
            if subject.satisfies(&rule.when) != Some(true) {
                continue;
            }
            let matched = subject.describe(&rule.when);
            let cause = Cause { each, rule, place: RulePlace { of_box, rule: place }, matched };
            let mut track = flow.as_deref_mut().map(|flow| &mut flow.tracks[of_box]).filter(|track| track.is_known());
            if rule.after.is_some_and(|after| !self.is_past(&after, &cause, view, track.as_deref_mut())) {
                continue;
            }
            if self.misses(&cause, view, track.as_deref_mut()) {
                continue;
            }
            passage = passage.or(self.fire(&cause, view, track));
            if !rule.also {
                break;
            }
        }
        passage
    }

    /// Counts a packet that a rule matched; whether it comes after those that the rule lets pass.
    fn is_past(&mut self, after: &Threshold, cause: &Cause<'_>, view: &View<'_>, track: Option<&mut Track>) -> bool {
        let Some(track) = track else { return false };
        let counted = &mut track.note_mut(&cause.rule.id).counted;
        let count = counted.get_or_insert_with(|| Count::up_to(limit(after, cause, view, self.chances)));
        count.is_past(after, view)
    }

    /// Whether the rule fails to act on this flow. That is drawn once for each flow (TSPU-14).
    fn misses(&mut self, cause: &Cause<'_>, view: &View<'_>, track: Option<&mut Track>) -> bool {
        let Cause { each, rule, .. } = cause;
        if rule.miss <= 0.0 {
            return false;
        }
        if let Some(missed) = track.as_ref().and_then(|track| track.has_missed(&rule.id)) {
            return missed;
        }
        let misses = self.chances.happens(rule.miss, &each.policy.name, &rule.id, &view.key);
        if let Some(track) = track {
            track.note_mut(&rule.id).missed = Some(misses);
        }
        if misses {
            self.note(cause, view, EventKind::Missed);
        }
        misses
    }

    /// Does what a rule says about the packet that it matched.
    fn fire(&mut self, cause: &Cause<'_>, view: &View<'_>, mut track: Option<&mut Track>) -> Passage {
        let rule = cause.rule;
        let is_on_path = cause.each.policy.place == Place::OnPath;
        let is_harmful = !rule.residuals.is_empty() || respond::has_consequences(&rule.trigger, is_on_path);
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
        if !respond::has_consequences(&rule.trigger, is_on_path) {
            self.note(cause, view, EventKind::Triggered);
        }
        let passage = self.respond(cause, view, &rule.trigger, track);
        if let Some(residual) = rule.residuals.first() {
            let scope = Scope::of(residual.key, &view.key);
            let count = residual.after.map(|after| Count::up_to(limit(&after, cause, view, self.chances)));
            self.residuals.arm((cause.place, scope), self.now + residual.last, cause.matched.clone(), count);
            self.armed.push(scope);
            self.note(cause, view, EventKind::ResidualArmed);
        }
        passage
    }

    /// Carries a response out.
    fn respond(
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
            (Place::InPath, Fate::Redirect(redirect)) => (self.redirect(cause, view, redirect), None),
            (Place::InPath, fate) => respond::apply(fate, view),
        };
        match (&passage, &response.fate) {
            (Passage::Passed, _) | (_, Fate::Lose(_) | Fate::Police(_)) => {}
            (Passage::Replaced(_), Fate::Redirect(_)) => self.note(cause, view, EventKind::Redirected),
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

    /// Loses a packet by chance.
    fn lose(&mut self, cause: &Cause<'_>, view: &View<'_>, probability: f64, track: Option<&mut Track>) -> Passage {
        let (censor, rule) = (&cause.each.policy.name, &cause.rule.id);
        if !self.chances.happens_to_packet(probability, censor, rule, &view.key) {
            return Passage::Passed;
        }
        let key = BucketKey::of(Per::Flow, cause.place, &view.key, view.direction);
        self.tell_loss(cause, view, key, track);
        Passage::Dropped
    }

    /// Loses a packet that comes above a rate.
    fn police(&mut self, cause: &Cause<'_>, view: &View<'_>, police: &Police, track: Option<&mut Track>) -> Passage {
        let key = BucketKey::of(police.per, cause.place, &view.key, view.direction);
        if self.buckets.pour(self.now, key, police, view.ip.bytes().len()) == Poured::Passes {
            return Passage::Passed;
        }
        self.tell_loss(cause, view, key, track);
        Passage::Dropped
    }

    /// Counts a loss, and says so unless that was said less than a second ago: of the flow where it is tracked, else of
    /// those that share a bucket.
    fn tell_loss(&mut self, cause: &Cause<'_>, view: &View<'_>, key: BucketKey, track: Option<&mut Track>) {
        *self.policed += 1;
        let note = track.map(|track| track.note_mut(&cause.rule.id));
        let told = note.as_ref().map_or_else(|| self.buckets.told(key, self.now), |note| note.told);
        if told.is_some_and(|told| self.now.saturating_since(told) < TELL_LOSSES_EVERY) {
            return;
        }
        match note {
            Some(note) => note.told = Some(self.now),
            None => self.buckets.tell(&key, self.now),
        }
        self.note(cause, view, EventKind::Policed);
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

/// How much passes, of this flow.
fn limit(after: &Threshold, cause: &Cause<'_>, view: &View<'_>, chances: &mut Chances) -> u64 {
    chances.number((after.least, after.most), &cause.each.policy.name, &cause.rule.id, &view.key)
}

/// Losses are many, and one of them a second tells as much.
const TELL_LOSSES_EVERY: Duration = Duration::from_secs(1);
