//! Residuals: how they are armed, and which packets they hit.

use super::act::limit;
use super::compile::CompiledBox;
use super::judge::{Cause, Judge};
use super::respond::Passage;
use crate::chance::falls_within;
use crate::count::Count;
use crate::evaluate::Subject;
use crate::event::EventKind;
use crate::flow::{Doubts, Flow, Track};
use crate::outbox::Direction;
use crate::policy::{Refresh, Residual, ThresholdUnit};
use crate::residual::{Armed, ResidualPlace, RulePlace, Scope};
use crate::view::View;

/// What residuals make of a packet.
pub(super) enum Punishment {
    /// One hits it.
    Hit(Passage),
    /// None does; those of these rules are in force and spare it, so that they are not armed anew.
    Spared(Vec<usize>),
}

/// What one residual makes of a packet.
enum Reach {
    /// It does not cover it.
    Beyond,
    /// It covers it, and lets it pass as one of the first.
    Spares,
    /// It hits it.
    Hits(Option<String>),
}

impl Judge<'_> {
    /// Applies the first residual that covers this packet, if one does.
    pub(super) fn punish(&mut self, of_box: usize, view: &View<'_>, mut flow: Option<&mut Flow>) -> Punishment {
        let mut spared = Vec::new();
        if self.residuals.is_empty() {
            return Punishment::Spared(spared);
        }
        let each = &self.compiled.boxes[of_box];
        for &rule_place in &each.with_residual {
            let rule = &each.policy.rules[rule_place];
            for (at, residual) in rule.residuals.iter().enumerate() {
                let place = ResidualPlace { of: RulePlace { of_box, rule: rule_place }, at };
                match self.consult(each, place, residual, view, flow.as_deref_mut()) {
                    Reach::Beyond => {}
                    Reach::Spares => {
                        spared.push(rule_place);
                        break;
                    }
                    Reach::Hits(matched) => {
                        let cause = Cause { each, rule, place: place.of, matched, bytes: None, residual: Some(at) };
                        let response = match view.direction {
                            Direction::Outbound => &residual.outbound,
                            Direction::Inbound => &residual.inbound,
                        };
                        let track = flow.map(|flow| &mut flow.tracks[of_box]);
                        return Punishment::Hit(self.respond(&cause, view, response, track));
                    }
                }
            }
        }
        Punishment::Spared(spared)
    }

    /// Asks one residual about a packet, and takes note of the packet.
    fn consult(
        &mut self,
        each: &CompiledBox,
        place: ResidualPlace,
        residual: &Residual,
        view: &View<'_>,
        flow: Option<&mut Flow>,
    ) -> Reach {
        let scope = Scope::of(residual.key, &view.key);
        let Some(begins) = self.residuals.find(place, scope).map(|armed| armed.begins) else {
            return Reach::Beyond;
        };
        // What it does not do to this packet it may do to the next.
        self.has_spoken = true;
        let of_box = place.of.of_box;
        if begins > self.now || !self.covers(residual, of_box, view, flow.as_deref()) {
            return Reach::Beyond;
        }
        let mut track = flow.map(|flow| &mut flow.tracks[of_box]).filter(|track| track.is_known());
        if residual.hits < 1.0 && !self.is_hit(each, place.of, residual.hits, view, track.as_deref_mut()) {
            return Reach::Beyond;
        }
        if residual.refresh == Refresh::OnPacket
            || (residual.refresh == Refresh::OnClientPacket && view.direction == Direction::Outbound)
        {
            self.residuals.refresh(place, scope, self.now + residual.last);
        }
        let joins = residual.after.is_some_and(|after| after.unit == ThresholdUnit::Connections)
            && track.is_some_and(|track| {
                !core::mem::replace(&mut track.note_mut(&each.policy.rules[place.of.rule].id).joined, true)
            });
        let Some(armed) = self.residuals.find(place, scope) else { return Reach::Beyond };
        let is_past = match (&mut armed.count, &residual.after) {
            (Some(count), Some(after)) => count.is_past(after, view, joins, self.now),
            _ => true,
        };
        if is_past { Reach::Hits(armed.matched.clone()) } else { Reach::Spares }
    }

    /// Whether a flow is among the share that a rule's residuals hit. That is drawn once for each flow (GFW-HTTP-3); for
    /// each packet where the box does not track the flow.
    fn is_hit(
        &mut self,
        each: &CompiledBox,
        place: RulePlace,
        share: f64,
        view: &View<'_>,
        track: Option<&mut Track>,
    ) -> bool {
        let rule = &each.policy.rules[place.rule].id;
        let mut draw = || self.chances.luck(&each.policy.name, rule, &view.key);
        let luck = match track {
            Some(track) => *track.note_mut(rule).luck.get_or_insert_with(draw),
            None => draw(),
        };
        falls_within(luck, share)
    }

    /// Arms the residuals of a rule that acted on a packet. One that is in force already stays as it is, unless it is one
    /// that packets refresh.
    pub(super) fn arm(&mut self, cause: &Cause<'_>, view: &View<'_>, track: Option<&mut Track>) {
        if let Some(track) = track {
            // Whoever triggers it is hit, whatever share of the others is.
            track.note_mut(&cause.rule.id).luck = Some(0);
        }
        for (at, residual) in cause.rule.residuals.iter().enumerate() {
            let (place, scope) = (ResidualPlace { of: cause.place, at }, Scope::of(residual.key, &view.key));
            let begins = self.now + residual.begins;
            if let Some(armed) = self.residuals.find(place, scope) {
                if residual.refresh != Refresh::Never && armed.begins <= self.now {
                    self.residuals.refresh(place, scope, self.now + residual.last);
                }
                continue;
            }
            let count =
                residual.after.map(|after| Count::up_to(limit(&after, cause, view, self.chances), after.within));
            let armed = Armed::new(begins, begins + residual.last, cause.matched.clone(), count);
            self.residuals.arm(place, scope, armed);
            self.armed.push(scope);
            let cause = Cause { matched: cause.matched.clone(), residual: Some(at), ..*cause };
            self.note(&cause, view, EventKind::ResidualArmed);
        }
    }

    /// Whether a residual covers a packet by what the packet is.
    fn covers(&self, residual: &Residual, of_box: usize, view: &View<'_>, flow: Option<&Flow>) -> bool {
        let Some(when) = &residual.when else { return true };
        let initiator = flow.and_then(|flow| flow.tracks[of_box].initiator());
        let doubts = Doubts { ttl: view.ip.ttl(), ..Doubts::default() };
        let subject = Subject { view, reading: None, doubts, flow, initiator, time: self.time };
        subject.satisfies(when) == Some(true)
    }
}
