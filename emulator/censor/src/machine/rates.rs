//! Rates and losses: what comes above a rate is lost or waits.

use core::time::Duration;

use super::buckets::{BucketKey, Poured};
use super::judge::{Cause, Judge};
use super::respond::Passage;
use crate::event::EventKind;
use crate::flow::Track;
use crate::machine::MAX_HELD;
use crate::policy::{Per, Police, Shape};
use crate::recent::Recent;
use crate::time::Instant;
use crate::view::View;

/// When it was last told that packets which share a rate were lost or had to wait, and which of the two.
pub(super) type Told = Recent<BucketKey, Option<(Instant, EventKind)>>;

impl Judge<'_> {
    /// Loses a packet by chance.
    pub(super) fn lose(
        &mut self,
        cause: &Cause<'_>,
        view: &View<'_>,
        probability: f64,
        track: Option<&mut Track>,
    ) -> Passage {
        let (censor, rule) = (&cause.each.policy.name, &cause.rule.id);
        if !self.chances.happens_to_packet(probability, censor, rule, &view.key) {
            return Passage::Passed;
        }
        let key = BucketKey::of(Per::Flow, cause.place, &view.key, view.direction);
        self.tell_loss(cause, view, key, track);
        Passage::Dropped
    }

    /// Loses a packet that comes above a rate.
    pub(super) fn police(
        &mut self,
        cause: &Cause<'_>,
        view: &View<'_>,
        police: &Police,
        track: Option<&mut Track>,
    ) -> Passage {
        let key = BucketKey::of(police.per, cause.place, &view.key, view.direction);
        if self.buckets.pour(self.now, key, police, view.ip.bytes().len()) == Poured::Passes {
            return Passage::Passed;
        }
        self.tell_loss(cause, view, key, track);
        Passage::Dropped
    }

    /// Has a packet wait for a rate, or loses it where too much waits already.
    pub(super) fn shape(
        &mut self,
        cause: &Cause<'_>,
        view: &View<'_>,
        shape: &Shape,
        track: Option<&mut Track>,
    ) -> Passage {
        let key = BucketKey::of(shape.per, cause.place, &view.key, view.direction);
        let arrives = self.now + self.wait;
        let departs =
            self.queues.line_up(arrives, key, shape, view.ip.bytes().len()).filter(|_| self.held < MAX_SHAPED);
        let Some(departs) = departs else {
            self.tell_loss(cause, view, key, track);
            return Passage::Dropped;
        };
        if departs > arrives {
            self.wait = departs.saturating_since(self.now);
            self.tell(cause, view, key, track, EventKind::Shaped);
        }
        Passage::Passed
    }

    /// Counts a loss, and says so unless that was said less than a second ago: of the flow where it is tracked, else of
    /// those that share a bucket.
    fn tell_loss(&mut self, cause: &Cause<'_>, view: &View<'_>, key: BucketKey, track: Option<&mut Track>) {
        *self.policed += 1;
        self.tell(cause, view, key, track, EventKind::Policed);
    }

    fn tell(&mut self, cause: &Cause<'_>, view: &View<'_>, key: BucketKey, track: Option<&mut Track>, kind: EventKind) {
        let note = track.map(|track| track.note_mut(&cause.rule.id));
        let told = match note {
            Some(note) => &mut note.told,
            None => self.told.touch(key, || None),
        };
        if told.is_some_and(|(at, of)| of == kind && self.now.saturating_since(at) < TELL_AGAIN_AFTER) {
            return;
        }
        *told = Some((self.now, kind));
        self.note(cause, view, kind);
    }
}

/// Losses and waits are many, and one of them a second tells as much.
const TELL_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How many packets may be held when another is to wait for a rate, so that there is room for those on their way.
const MAX_SHAPED: usize = MAX_HELD / 4 * 3;
