//! What a payload looks like when nothing in it is known: how many of its bits are set, how evenly its bytes are spread, how
//! much of it is text.

/// What a payload looks like, counted in one pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// How many bytes there are.
    pub length: u32,
    /// How many bits are set.
    pub ones: u32,
    /// How many bytes are printable: 0x20 to 0x7e.
    pub printable: u32,
    /// How many printable bytes it begins with.
    pub printable_prefix: usize,
    /// How many printable bytes follow each other at most.
    pub printable_run: usize,
    counts: [u32; 256],
}

impl Statistics {
    /// Counts. Of a payload of 4 GiB and more only so much is looked at.
    pub fn of(payload: &[u8]) -> Self {
        let payload = &payload[..payload.len().min(MAX_LENGTH)];
        let mut statistics = Self {
            length: payload.len() as u32,
            ones: 0,
            printable: 0,
            printable_prefix: 0,
            printable_run: 0,
            counts: [0; 256],
        };
        let mut run = 0;
        for (at, byte) in payload.iter().enumerate() {
            statistics.ones += byte.count_ones();
            statistics.counts[usize::from(*byte)] += 1;
            run = if is_printable(*byte) { run + 1 } else { 0 };
            statistics.printable += u32::from(run > 0);
            statistics.printable_run = statistics.printable_run.max(run);
            if run == at + 1 {
                statistics.printable_prefix = run;
            }
        }
        statistics
    }

    /// How many of the eight bits of a byte are set in the mean; 0 of nothing.
    pub fn popcount(&self) -> f64 {
        ratio(self.ones, self.length)
    }

    /// The share of printable bytes, from 0 to 1.
    pub fn printable_share(&self) -> f64 {
        ratio(self.printable, self.length)
    }

    /// Shannon's entropy of the bytes, in bits a byte: 0 where all are the same, at most 8, and of n bytes never more than
    /// the logarithm of n.
    pub fn entropy(&self) -> f64 {
        let total = f64::from(self.length);
        let present = self.counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count));
        let entropy: f64 = present.map(|count| -(count / total) * (count / total).log2()).sum();
        entropy.max(0.0)
    }
}

/// A byte that text is made of, as GFW-FET-1 counts them.
const fn is_printable(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e)
}

fn ratio(part: u32, of: u32) -> f64 {
    if of == 0 { 0.0 } else { f64::from(part) / f64::from(of) }
}

/// So many bits are still a `u32`.
const MAX_LENGTH: usize = (u32::MAX / 8) as usize;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By hand: three letters, a zero, two letters.
    #[test]
    fn counts() {
        let statistics = Statistics::of(b"abc\x00de");
        assert_eq!((statistics.length, statistics.printable, statistics.ones), (6, 5, 3 + 3 + 4 + 3 + 4));
        assert_eq!((statistics.printable_prefix, statistics.printable_run), (3, 3));
        assert_eq!(Statistics::of(b"\x00ab\x7f\x1fabc").printable_run, 3);
        let nothing = Statistics::of(b"");
        assert!(
            [nothing.popcount(), nothing.entropy(), nothing.printable_share()].iter().all(|share| share.abs() < 1e-9)
        );
    }

    /// The entropy of bytes that are all alike, of two in equal parts, and of every byte once.
    #[test]
    fn entropy_is_that_of_shannon() {
        let every: Vec<u8> = (0..=255).collect();
        for (payload, bits) in [(&b"aaaa"[..], 0.0), (b"abab", 1.0), (b"abcd", 2.0), (&every, 8.0)] {
            assert!((Statistics::of(payload).entropy() - bits).abs() < 1e-9);
        }
    }

    proptest! {
        /// Counting again, each thing in a pass of its own, gives the same.
        #[test]
        fn agrees_with_counting_again(payload in prop::collection::vec(prop_oneof![any::<u8>(), 0x20..0x7fu8], 0..200)) {
            let statistics = Statistics::of(&payload);
            let is_text = |byte: &u8| (b' '..=b'~').contains(byte);
            let runs = payload.split(|byte| !is_text(byte)).map(<[u8]>::len);
            prop_assert_eq!(statistics.printable, payload.iter().filter(|byte| is_text(byte)).count() as u32);
            prop_assert_eq!(statistics.printable_run, runs.clone().max().unwrap_or(0));
            prop_assert_eq!(statistics.printable_prefix, runs.clone().next().unwrap_or(0));
            let bits: u32 = payload.iter().map(|byte| (0..8).map(|bit| u32::from(byte >> bit & 1)).sum::<u32>()).sum();
            prop_assert_eq!(statistics.ones, bits);
        }
    }
}
