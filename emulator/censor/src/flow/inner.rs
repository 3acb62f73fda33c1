//! The turns in which a flow's ends speak, for as long as they tell something of TLS inside it.

use crate::dissect::tls::{InnerGuess, Turns};

/// What the sizes of a flow's turns are, and whether its first data are those of TLS itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct InnerTurns {
    turns: Turns,
    /// As they were before the last packet.
    before: Turns,
    is_tls: bool,
    has_begun: bool,
}

impl InnerTurns {
    pub(crate) fn add(&mut self, from_client: bool, payload: &[u8]) {
        if !self.has_begun {
            (self.has_begun, self.is_tls) = (true, matches!(payload, [22, 3, ..]));
        }
        self.before = self.turns;
        self.turns.add(from_client, payload.len());
    }

    /// What the last packet tells; `None` where that was told before it, or cannot be yet.
    pub(crate) fn told(&self, guess: &InnerGuess) -> Option<bool> {
        let is_new = self.before.look_like_tls(self.is_tls, guess).is_none();
        self.turns.look_like_tls(self.is_tls, guess).filter(|_| is_new)
    }

    /// Whether more packets may tell.
    pub(crate) fn awaits(&self, guess: &InnerGuess) -> bool {
        self.turns.look_like_tls(self.is_tls, guess).is_none()
    }

    /// Whether all packets were said that could tell anybody anything.
    pub(crate) const fn is_over(&self) -> bool {
        self.turns.is_over()
    }
}
