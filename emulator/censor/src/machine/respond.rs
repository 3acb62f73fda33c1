//! What a fate makes of a packet.

use super::forge::sender_side;
use crate::outbox;
use crate::policy::{Fate, Response};
use crate::view::View;
use crate::wire::build;
use crate::wire::rewrite::{corrupt, rewrite};

/// How a packet came through.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Passage {
    /// As it was.
    Passed,
    /// Not at all.
    Dropped,
    /// Changed into this.
    Replaced(Vec<u8>),
    /// To an interceptor.
    Diverted,
}

impl Passage {
    /// This, or what a later rule says where this says nothing.
    pub(crate) fn or(self, later: Self) -> Self {
        if self == Self::Passed { later } else { self }
    }
}

/// What a fate makes of a packet, and the refusal to its sender.
pub(crate) fn apply(fate: &Fate, view: &View<'_>) -> (Passage, Option<outbox::Injection>) {
    let changed = |bytes: Option<Vec<u8>>| (bytes.map_or(Passage::Passed, Passage::Replaced), None);
    match fate {
        Fate::Drop => (Passage::Dropped, None),
        Fate::Reject(rejection) => {
            let toward = sender_side(view.direction);
            let refusal = build::reject(&view.ip, *rejection).map(|bytes| outbox::Injection { toward, bytes });
            (Passage::Dropped, refusal)
        }
        Fate::Rewrite(change) => changed(rewrite(&view.ip, *change)),
        Fate::Corrupt(change) => changed(corrupt(&view.ip, change.offset, &change.bytes)),
        Fate::Divert => (Passage::Diverted, None),
        // All but the first need what the machine remembers, and are carried out there.
        Fate::Pass | Fate::Lose(_) | Fate::Police(_) | Fate::Shape(_) | Fate::Redirect(_) => (Passage::Passed, None),
    }
}

/// Whether a response does anything to a packet that the real world could notice.
pub(crate) fn has_consequences(response: &Response, is_on_path: bool) -> bool {
    !response.inject.is_empty() || (!is_on_path && response.fate != Fate::Pass)
}
