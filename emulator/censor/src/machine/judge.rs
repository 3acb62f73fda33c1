//! Taking one packet through the boxes at a hop.

use core::ops::Range;
use core::time::Duration;

use super::buckets::Buckets;
use super::compile::{Compiled, CompiledBox};
use super::injectors::Injectors;
use super::prospect::Outlook;
use super::punish::Punishment;
use super::queues::Queues;
use super::rates::Told;
use super::redirects::Redirects;
use super::respond::Passage;
use crate::chance::Chances;
use crate::count::Counts;
use crate::evaluate::Subject;
use crate::event::{Event, EventKind};
use crate::flow::{Doubts, Flow, Track};
use crate::outbox::{Direction, Injection, Suspect};
use crate::policy::{Decide, Rule};
use crate::reading::Reading;
use crate::residual::{Residuals, RulePlace, Scope};
use crate::time::Instant;
use crate::view::{Transport, View};
use crate::wire::rewrite::{PacketEnd, readdress};

/// Judges one packet and gathers what follows from it.
pub(super) struct Judge<'m> {
    pub(super) compiled: &'m Compiled,
    pub(super) residuals: &'m mut Residuals,
    pub(super) counts: &'m mut Counts,
    pub(super) buckets: &'m mut Buckets,
    pub(super) queues: &'m mut Queues,
    pub(super) told: &'m mut Told,
    pub(super) redirects: &'m mut Redirects,
    pub(super) injectors: &'m mut Injectors,
    pub(super) chances: &'m mut Chances,
    /// How many packets were lost by chance or above a rate.
    pub(super) policed: &'m mut u64,
    pub(super) events: &'m mut Vec<Event>,
    pub(super) now: Instant,
    /// How long ago midnight was, where the censor is.
    pub(super) time: Duration,
    /// Which boxes track as many flows as they can; nothing where none has a bound of its own.
    pub(super) is_full: Vec<bool>,
    /// How long the packet travels on if it passes.
    pub(super) delay: Duration,
    /// How many packets are held.
    pub(super) held: usize,
    /// What is to be sent, and when.
    pub(super) injections: Vec<(Instant, Injection)>,
    /// The residuals that were armed.
    pub(super) armed: Vec<Scope>,
    /// What is handed to an active prober.
    pub(super) suspects: Vec<Suspect>,
    /// Whether some rule said something new, so that the next packet may be judged otherwise than this.
    pub(super) has_spoken: bool,
    /// How long the packet waits here for a rate.
    pub(super) wait: Duration,
}

/// Why a box does something.
pub(super) struct Cause<'a> {
    pub(super) each: &'a CompiledBox,
    pub(super) rule: &'a Rule,
    pub(super) place: RulePlace,
    pub(super) matched: Option<String>,
    /// Where in the packet that stands, from the first byte of the IP header to before the last.
    pub(super) bytes: Option<(usize, usize)>,
    /// Which of the rule's residuals it is that acts, if it is not the rule itself.
    pub(super) residual: Option<usize>,
}

impl Judge<'_> {
    /// Takes a packet through the boxes at these steps. A drop by one hides it from the next; a rewrite is what the next
    /// one sees.
    pub(super) fn take_through(
        &mut self,
        view: &View<'_>,
        mut flow: Option<&mut Flow>,
        steps: Range<usize>,
    ) -> Passage {
        for step in steps.clone() {
            let place = self.compiled.box_at_step(step, view.direction);
            if !self.looks_at(place, view) {
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
                Passage::Diverted => return Passage::Diverted,
                Passage::Replaced(bytes) => {
                    let onward = match View::parse(view.direction, &bytes) {
                        Some(rewritten) => {
                            // A redirected packet is of another flow, which the boxes after this one at this hop do not know.
                            let flow = flow.filter(|_| rewritten.key == view.key);
                            self.take_through(&rewritten, flow, step + 1..steps.end)
                        }
                        None => Passage::Passed,
                    };
                    return onward.or(Passage::Replaced(bytes));
                }
            }
        }
        Passage::Passed
    }

    /// Whether a box sees a packet at all.
    fn looks_at(&self, place: usize, view: &View<'_>) -> bool {
        let each = &self.compiled.boxes[place];
        each.looks_at(view.direction)
            && each.policy.share.as_ref().is_none_or(|share| self.chances.is_in(share, &view.key))
    }

    /// Whether no box will have anything to say about later packets of this flow that travel as this one does.
    pub(super) fn is_decided(&self, flow: &Flow, view: &View<'_>) -> bool {
        let boxes = self.compiled.boxes.iter().zip(&flow.tracks).enumerate();
        let mut looking = boxes.filter(|(place, _)| self.looks_at(*place, view));
        let is_whole = view.ip.fragment().is_none();
        let is_of_flow = is_whole && !view.is_control() && !matches!(view.transport, Transport::Error);
        is_of_flow
            && looking.all(|(_, (each, track))| track.is_known() && !Outlook { each, flow, track, view }.is_open())
    }

    /// Asks one box.
    fn ask_box(&mut self, place: usize, view: &View<'_>, mut flow: Option<&mut Flow>) -> Passage {
        let each = &self.compiled.boxes[place];
        let policy = &each.policy.flow;
        let doubts = flow
            .as_deref_mut()
            .map_or_else(Doubts::default, |flow| flow.track_mut(place).doubts(self.now, view, policy));
        // A segment that its receiver would throw away neither moves the box's state nor is it read, where the box checks;
        // addresses and ports still count.
        let is_sound = doubts.are_overlooked(&each.policy.tcp);
        if let Some(flow) = flow.as_deref_mut().filter(|_| is_sound) {
            flow.tracks[place].observe(
                self.now,
                view,
                policy,
                !self.is_full.get(place).is_some_and(|is_full| *is_full),
            );
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
                self.read_and_apply(place, view, (doubts, is_sound), flow.as_deref_mut(), &armed)
            }
        };
        if let Some(flow) = flow.filter(|_| is_sound) {
            flow.tracks[place].conclude(view, policy, &doubts);
        }
        passage
    }

    /// Reads a packet, as far as the box still looks, and walks the rules.
    fn read_and_apply(
        &mut self,
        place: usize,
        view: &View<'_>,
        (doubts, is_sound): (Doubts, bool),
        mut flow: Option<&mut Flow>,
        spared: &[usize],
    ) -> Passage {
        let each = &self.compiled.boxes[place];
        let ear = each.ear(view.key);
        let now = self.now;
        let listens = |flow: &mut Flow| flow.tracks[place].listen(now, view, &each.policy, ear);
        let reading = flow.as_deref_mut().filter(|_| is_sound && (ear.client || ear.server)).and_then(listens);
        if let Some(reading) = &reading {
            for speech in each.speeches_for(view.key) {
                if let (found, Some(true)) = speech.recognise(reading) {
                    reading.recognise(found);
                }
            }
        }
        let passage = self.apply_rules(place, view, (reading.as_ref(), doubts), flow.as_deref_mut(), spared);
        if let (Some(flow), Some(reading)) = (flow, reading) {
            // Whether any question waits for more, and whether one does that a ClientHello does not settle. To ask that is to
            // read, so each is asked once.
            let (mut awaits, mut outlasts, mut finished) = (false, false, None);
            for content in each.contents_for(view.key).filter(|content| content.awaits(&reading)) {
                awaits = true;
                outlasts |= content.outlasts_hello();
                let at = content.finished(&reading);
                finished = Some(finished.map_or(at, |before: usize| before.min(at)));
            }
            let is_decisive = reading.is_decisive() && !outlasts;
            let is_done = reading.decide == Decide::Once && (is_decisive || !awaits);
            let finished = finished.unwrap_or_default();
            flow.tracks[place].settle(reading, is_done, finished, &each.policy);
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
        self.note(
            &Cause { each, rule, place: asked.rule, matched, bytes: None, residual: None },
            view,
            EventKind::Redirected,
        );
        Some(Passage::Replaced(bytes))
    }

    /// Walks the rules: the first that matches ends the search, unless it says otherwise. Those whose residuals spare the
    /// packet are left out.
    fn apply_rules(
        &mut self,
        of_box: usize,
        view: &View<'_>,
        (reading, doubts): (Option<&Reading<'_>>, Doubts),
        mut flow: Option<&mut Flow>,
        spared: &[usize],
    ) -> Passage {
        let each = &self.compiled.boxes[of_box];
        let mut passage = Passage::Passed;
        for (place, rule) in each.rules_for(view.key).filter(|(place, _)| !spared.contains(place)) {
            let initiator = flow.as_deref().and_then(|flow| flow.tracks[of_box].initiator());
            let subject = Subject { view, reading, doubts, flow: flow.as_deref(), initiator, time: self.time };
            if subject.satisfies(&rule.when) != Some(true) {
                continue;
            }
            let (matched, bytes) = (subject.describe(&rule.when), subject.place(&rule.when));
            let cause = Cause { each, rule, place: RulePlace { of_box, rule: place }, matched, bytes, residual: None };
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

    pub(super) fn note(&mut self, cause: &Cause<'_>, view: &View<'_>, kind: EventKind) {
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
            residual: cause.residual.is_some(),
            bytes: cause.bytes.map(|(start, end)| start..end),
        });
    }
}
