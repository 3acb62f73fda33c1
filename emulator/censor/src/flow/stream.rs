//! The beginning of one end's stream, as the box puts it together.

use std::borrow::Cow;

use super::reassembly::Reassembly;
use crate::machine::MAX_REASSEMBLY;
use crate::policy::{Overlap, Reassembly as Mode, TcpPolicy, Urgent};
use crate::time::Instant;

/// What is kept of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    joined: Reassembly,
    /// How many bytes at the beginning were read and let go.
    passed: usize,
    /// Where urgent bytes lie that the receiver does not get, from what is still kept on; ascending.
    urgent: Vec<usize>,
    /// Since when there is a hole.
    hole_since: Option<Instant>,
}

/// How many urgent bytes are remembered. A stream with more is read as if the rest were data.
const MAX_URGENT: usize = 64;

impl Stream {
    pub(crate) fn new(policy: &TcpPolicy) -> Self {
        let joined = Reassembly::new(policy.limit.min(MAX_REASSEMBLY));
        Self { joined, passed: 0, urgent: Vec::new(), hole_since: None }
    }

    /// Adds a segment's payload at this distance from the beginning of the whole stream.
    pub(crate) fn add(
        &mut self,
        now: Instant,
        offset: i32,
        payload: &[u8],
        urgent_at: Option<usize>,
        policy: &TcpPolicy,
    ) {
        let offset = offset.saturating_sub_unsigned(u32::try_from(self.passed).unwrap_or(u32::MAX));
        let is_early = usize::try_from(offset).is_ok_and(|offset| offset > self.joined.contiguous().len());
        if policy.reassembly == Mode::InOrder && is_early {
            return;
        }
        if policy.hole.is_some_and(|most| self.hole_before(offset) > most) {
            return;
        }
        if let (Some(since), Some(hold)) = (self.hole_since, policy.hold)
            && now.saturating_since(since) > hold
        {
            self.joined.forget_pieces();
        }
        if is_early && self.joined.pieces() > policy.pieces {
            return;
        }
        match policy.overlap {
            Overlap::First => self.joined.add(offset, payload),
            Overlap::Last => self.joined.overwrite(offset, payload),
        }
        let has_hole = self.joined.pieces() > usize::from(!self.joined.contiguous().is_empty());
        self.hole_since = has_hole.then(|| self.hole_since.unwrap_or(now));
        if let (Urgent::Skip, Some(at), Ok(offset)) = (policy.urgent, urgent_at, usize::try_from(offset)) {
            self.skip(offset.saturating_add(at));
        }
    }

    /// The text from the beginning of what is kept up to the first byte that is missing.
    pub(crate) fn text(&self) -> Cow<'_, [u8]> {
        let bytes = self.joined.contiguous();
        if self.urgent.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let is_data = |place: &usize| self.urgent.binary_search(place).is_err();
        Cow::Owned((0..bytes.len()).filter(is_data).map(|place| bytes[place]).collect())
    }

    /// Whether the text is what is kept, byte for byte: no urgent byte is left out.
    pub(crate) fn is_plain(&self) -> bool {
        self.urgent.is_empty()
    }

    /// How many bytes were let go.
    pub(crate) fn passed(&self) -> usize {
        self.passed
    }

    /// Lets go of a whole message at the beginning, so that the next one is the beginning.
    pub(crate) fn advance(&mut self, by: usize) {
        let by = by.min(self.joined.contiguous().len());
        self.joined.advance(by);
        self.passed += by;
        self.urgent = self.urgent.iter().filter_map(|place| place.checked_sub(by)).collect();
    }

    /// Whether the stream, of which nothing was let go, begins otherwise than with this.
    pub(crate) fn begins_otherwise(&self, with: &[u8]) -> bool {
        let bytes = self.joined.contiguous();
        let common = bytes.len().min(with.len());
        self.passed == 0 && bytes[..common] != with[..common]
    }

    /// Whether the box has seen as much as it looks at.
    pub(crate) fn is_full(&self) -> bool {
        self.joined.is_full()
    }

    /// How many bytes are missing in front of this place.
    fn hole_before(&self, offset: i32) -> usize {
        usize::try_from(offset).unwrap_or(0).saturating_sub(self.joined.end_before(offset))
    }

    fn skip(&mut self, place: usize) {
        if let Err(at) = self.urgent.binary_search(&place)
            && self.urgent.len() < MAX_URGENT
        {
            self.urgent.insert(at, place);
        }
    }
}
