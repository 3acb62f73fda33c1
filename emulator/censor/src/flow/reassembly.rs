//! Putting the first bytes of a stream together from segments in any order.

/// The first bytes of a stream. Where segments overlap, what came first stays.
#[derive(Clone, Debug)]
pub(crate) struct Reassembly {
    limit: usize,
    bytes: Vec<u8>,
    /// What is filled: disjoint ranges, neither overlapping nor adjacent, ascending.
    filled: Vec<(usize, usize)>,
    /// Whether there was data past the limit, so that the stream is longer than the box looks.
    overrun: bool,
}

/// How many separate pieces are kept. A segment that would make one more is forgotten, as by a box that is out of memory.
const MAX_PIECES: usize = 64;

impl Reassembly {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, bytes: Vec::new(), filled: Vec::new(), overrun: false }
    }

    /// Adds a segment's payload at this distance from the beginning of the stream, which is negative for what the stream
    /// does not hold.
    pub(crate) fn add(&mut self, offset: i32, payload: &[u8]) {
        self.put(offset, payload, false);
    }

    /// As [`add`](Self::add), but what comes last stays.
    pub(crate) fn overwrite(&mut self, offset: i32, payload: &[u8]) {
        self.put(offset, payload, true);
    }

    fn put(&mut self, offset: i32, payload: &[u8], overwrites: bool) {
        let before = usize::try_from(offset.min(0).unsigned_abs()).unwrap_or(usize::MAX);
        let payload = payload.get(before..).unwrap_or_default();
        let start = usize::try_from(offset).unwrap_or(0);
        let end = start.saturating_add(payload.len());
        self.overrun |= end > self.limit;
        let end = end.min(self.limit);
        if start >= end || self.filled.len() >= MAX_PIECES {
            return;
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        let gaps = if overwrites { vec![(start, end)] } else { self.gaps(start, end) };
        for (gap_start, gap_end) in gaps {
            self.bytes[gap_start..gap_end].copy_from_slice(&payload[gap_start - start..gap_end - start]);
        }
        self.fill(start, end);
    }

    /// The bytes from the beginning up to the first that is missing.
    pub(crate) fn contiguous(&self) -> &[u8] {
        match self.filled.first() {
            Some((0, end)) => &self.bytes[..*end],
            _ => &[],
        }
    }

    /// Where the piece ends that lies in front of this place; 0 where none does.
    pub(crate) fn end_before(&self, offset: i32) -> usize {
        let offset = usize::try_from(offset).unwrap_or(0);
        let before = self.filled.iter().filter(|(start, _)| *start <= offset);
        before.map(|(_, end)| *end).max().unwrap_or(0)
    }

    /// Whether the box has seen as much as it looks at.
    pub(crate) fn is_full(&self) -> bool {
        self.overrun || self.contiguous().len() >= self.limit || self.filled.len() >= MAX_PIECES
    }

    /// How many separate pieces there are.
    pub(crate) fn pieces(&self) -> usize {
        self.filled.len()
    }

    /// Forgets what lies behind the first hole.
    pub(crate) fn forget_pieces(&mut self) {
        let end = self.contiguous().len();
        self.filled.truncate(usize::from(end > 0));
        self.bytes.truncate(end);
    }

    /// Lets go of so many bytes from the beginning; what comes after them is the beginning then.
    pub(crate) fn advance(&mut self, by: usize) {
        let by = by.min(self.contiguous().len());
        self.bytes.drain(..by);
        for (start, end) in &mut self.filled {
            (*start, *end) = (start.saturating_sub(by), end.saturating_sub(by));
        }
        self.filled.retain(|(start, end)| start < end);
        self.overrun = false;
    }

    /// The parts of a range that are not filled.
    fn gaps(&self, start: usize, end: usize) -> Vec<(usize, usize)> {
        let mut gaps = Vec::new();
        let mut at = start;
        for (piece_start, piece_end) in &self.filled {
            if *piece_start >= end {
                break;
            }
            if *piece_start > at {
                gaps.push((at, *piece_start));
            }
            at = at.max(*piece_end);
        }
        if at < end {
            gaps.push((at, end));
        }
        gaps
    }

    fn fill(&mut self, start: usize, end: usize) {
        self.filled.push((start, end));
        self.filled.sort_unstable();
        let mut merged: Vec<(usize, usize)> = Vec::with_capacity(self.filled.len());
        for (start, end) in self.filled.drain(..) {
            match merged.last_mut() {
                Some((_, before)) if start <= *before => *before = end.max(*before),
                _ => merged.push((start, end)),
            }
        }
        self.filled = merged;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What came first stays.
    #[test]
    fn first_bytes_win() {
        let mut stream = Reassembly::new(10);
        stream.add(2, b"cd");
        stream.add(0, b"ABCDE");
        assert_eq!(stream.contiguous(), b"ABcdE");
    }

    /// Bytes before the beginning and past the limit are cut off.
    #[test]
    fn ends_are_cut() {
        let mut stream = Reassembly::new(4);
        stream.add(-2, b"xyab");
        stream.add(2, b"cdefgh");
        assert_eq!(stream.contiguous(), b"abcd");
        assert!(stream.is_full());
        stream.add(i32::MIN, b"a");
        stream.add(i32::MAX, b"a");
        assert_eq!(stream.contiguous(), b"abcd");
    }

    proptest! {
        /// However a stream is cut and shuffled, it comes out whole.
        #[test]
        fn any_order(stream in prop::collection::vec(any::<u8>(), 1..60), order in Just((0..60usize).collect::<Vec<_>>()).prop_shuffle(), size in 1..7usize) {
            let mut joined = Reassembly::new(100);
            for place in order {
                if let Some(chunk) = stream.chunks(size).nth(place) {
                    joined.add(i32::try_from(place * size).expect("small"), chunk);
                }
            }
            prop_assert_eq!(joined.contiguous(), &stream[..]);
        }
    }
}
