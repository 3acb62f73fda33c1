//! The pieces of one packet.

use core::ops::Range;

use super::{Gather, Overlap, Travelling};
use crate::policy::{DuplicateFragment, FragmentOverlap};
use crate::time::Instant;
use crate::wire::fragment::Piece;

/// A packet of which a part is there.
#[derive(Debug)]
pub(super) struct Gathering {
    pub(super) stamp: u64,
    pub(super) deadline: Instant,
    /// In the order in which they came.
    pub(super) fragments: Vec<Travelling>,
    /// How many bytes of data the packet has, as its last piece says.
    total: Option<usize>,
}

/// What came of a piece.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Taken {
    Kept,
    Refused,
    Spoilt(&'static str),
}

impl Gathering {
    pub(super) fn new(stamp: u64, deadline: Instant) -> Self {
        Self { stamp, deadline, fragments: Vec::new(), total: None }
    }

    /// Whether a piece belongs to what is there. The caller keeps it if so.
    pub(super) fn take(&mut self, piece: Piece<'_>, how: Gather) -> Taken {
        let range = piece.range();
        if self.fragments.len() >= how.limit {
            return Taken::Spoilt("too many fragments");
        }
        if let Overlap::Refuse(duplicate) = how.overlap
            && self.contradicts(&range, piece.is_last())
        {
            return match duplicate {
                DuplicateFragment::DiscardQueue => Taken::Spoilt("a duplicate or overlapping fragment"),
                DuplicateFragment::Ignore => Taken::Refused,
            };
        }
        if piece.is_last() {
            match how.overlap {
                Overlap::Believe(FragmentOverlap::Last) => self.total = Some(range.end),
                Overlap::Believe(FragmentOverlap::First) | Overlap::Refuse(_) => {
                    self.total.get_or_insert(range.end);
                }
            }
        }
        Taken::Kept
    }

    /// The packet, once all of it is there. One that is longer than a packet can be never is.
    pub(super) fn join(&self, how: Gather) -> Option<Vec<u8>> {
        let total = self.total?;
        let pieces: Vec<Piece<'_>> = self.pieces().collect();
        if !covers(pieces.iter().map(Piece::range).collect(), total) {
            return None;
        }
        // What is believed is written last.
        let ordered: Vec<&Piece<'_>> = match how.overlap {
            Overlap::Believe(FragmentOverlap::Last) => pieces.iter().collect(),
            Overlap::Believe(FragmentOverlap::First) | Overlap::Refuse(_) => pieces.iter().rev().collect(),
        };
        let mut data = vec![0; total];
        for piece in &ordered {
            let range = piece.range();
            let end = range.end.min(total);
            if range.start < end {
                data[range.start..end].copy_from_slice(&piece.data()[..end - range.start]);
            }
        }
        let first = ordered.iter().rev().find(|piece| piece.is_first())?;
        first.join(&data)
    }

    /// Whether a piece holds nothing, or something that is there already, or ends the packet elsewhere than it ends.
    fn contradicts(&self, range: &Range<usize>, is_last: bool) -> bool {
        let overlaps = |other: Range<usize>| range.start < other.end && other.start < range.end;
        let has_other_end = self.total.is_some_and(|total| range.end > total || is_last);
        range.is_empty()
            || has_other_end
            || self.pieces().any(|piece| overlaps(piece.range()) || (is_last && piece.range().end > range.end))
    }

    fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        self.fragments.iter().filter_map(|fragment| Piece::parse(&fragment.bytes))
    }
}

/// Whether these ranges leave nothing out up to there.
fn covers(mut ranges: Vec<Range<usize>>, total: usize) -> bool {
    ranges.sort_unstable_by_key(|range| range.start);
    let reached =
        ranges.iter().fold(0, |reached, range| if range.start <= reached { reached.max(range.end) } else { reached });
    reached >= total
}
