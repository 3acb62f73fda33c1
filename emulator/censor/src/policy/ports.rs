//! Sets of ports.

use core::fmt;
use core::ops::RangeInclusive;

use serde::{Serialize, Serializer};

/// A set of ports: disjoint ranges, neither overlapping nor adjacent, ascending.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct PortSet {
    ranges: Vec<(u16, u16)>,
}

impl PortSet {
    /// Whether the set holds no port.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether the port is in the set.
    pub fn contains(&self, port: u16) -> bool {
        let after = self.ranges.partition_point(|(first, _)| *first <= port);
        after > 0 && self.ranges[after - 1].1 >= port
    }

    /// The ranges, first and last port.
    pub fn ranges(&self) -> &[(u16, u16)] {
        &self.ranges
    }

    /// The ports of either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::merged(self.ranges.into_iter().chain(other.ranges).collect())
    }

    /// The ports of both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let pairs = self.ranges.iter().flat_map(|these| other.ranges.iter().map(move |those| (these, those)));
        let common = pairs.map(|(these, those)| (these.0.max(those.0), these.1.min(those.1)));
        Self::merged(common.filter(|(first, last)| first <= last).collect())
    }

    fn merged(mut ranges: Vec<(u16, u16)>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<(u16, u16)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = (*end).max(last),
                _ => merged.push((first, last)),
            }
        }
        Self { ranges: merged }
    }
}

impl FromIterator<RangeInclusive<u16>> for PortSet {
    fn from_iter<I: IntoIterator<Item = RangeInclusive<u16>>>(ranges: I) -> Self {
        let pairs = ranges.into_iter().filter(|range| !range.is_empty()).map(|range| (*range.start(), *range.end()));
        Self::merged(pairs.collect())
    }
}

impl FromIterator<u16> for PortSet {
    fn from_iter<I: IntoIterator<Item = u16>>(ports: I) -> Self {
        ports.into_iter().map(|port| port..=port).collect()
    }
}

impl<const N: usize> From<[u16; N]> for PortSet {
    fn from(ports: [u16; N]) -> Self {
        ports.into_iter().collect()
    }
}

/// `443, 3478-3497`.
impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (first, last)) in self.ranges.iter().enumerate() {
            let comma = if number > 0 { ", " } else { "" };
            if first == last {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

impl Serialize for PortSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(ranges: &[(u16, u16)]) -> PortSet {
        ranges.iter().map(|(first, last)| *first..=*last).collect()
    }

    /// Ranges that touch are one, and a range that ends before it begins is none.
    #[test]
    fn ranges_are_merged() {
        let ports = set(&[(596, 597), (1400, 1400), (598, 599), (9, 3), (65_535, 65_535), (65_000, 65_534)]);
        assert_eq!(ports.ranges(), [(596, 599), (1400, 1400), (65_000, 65_535)]);
        assert_eq!(ports.to_string(), "596-599, 1400, 65000-65535");
    }

    proptest! {
        /// Union and intersection are those of sets.
        #[test]
        fn set_algebra(these in prop::collection::vec((0..60u16, 0..60u16), 0..6), those in prop::collection::vec((0..60u16, 0..60u16), 0..6)) {
            let (these, those) = (set(&these), set(&those));
            let (either, both) = (these.clone().or(those.clone()), these.and(&those));
            for port in 0..61 {
                prop_assert_eq!(either.contains(port), these.contains(port) || those.contains(port));
                prop_assert_eq!(both.contains(port), these.contains(port) && those.contains(port));
            }
            for set in [either, both] {
                prop_assert!(set.ranges().windows(2).all(|pair| u32::from(pair[0].1) + 1 < u32::from(pair[1].0)));
            }
        }
    }
}
