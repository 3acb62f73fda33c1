//! A table that keeps what was asked for of late.

use core::hash::Hash;
use std::collections::{BTreeMap, HashMap};

/// So many values by their keys, of which the one that was asked for the longest ago gives way.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    capacity: usize,
    kept: HashMap<K, (u64, V)>,
    /// The keys by when they were last asked for, the longest ago first.
    by_age: BTreeMap<u64, K>,
    stamp: u64,
    evicted: u64,
}

impl<K: Copy + Eq + Hash, V> Recent<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, kept: HashMap::new(), by_age: BTreeMap::new(), stamp: 0, evicted: 0 }
    }

    /// How many values were given up for want of room.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The value of a key, or a new one.
    pub(crate) fn touch(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        self.stamp += 1;
        let stamp = self.stamp;
        if let Some((before, _)) = self.kept.get(&key) {
            self.by_age.remove(before);
        } else if self.kept.len() >= self.capacity
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.kept.remove(&oldest);
            self.evicted += 1;
        }
        self.by_age.insert(stamp, key);
        let (kept_stamp, value) = self.kept.entry(key).or_insert_with(|| (stamp, new()));
        *kept_stamp = stamp;
        value
    }

    /// Gives values new keys, in their order; those without one are dropped.
    pub(crate) fn rename(&mut self, new_key: impl Fn(K) -> Option<K>) {
        let by_age = core::mem::take(&mut self.by_age);
        let mut kept = core::mem::take(&mut self.kept);
        for (stamp, key) in by_age {
            if let (Some(new), Some(value)) = (new_key(key), kept.remove(&key)) {
                self.by_age.insert(stamp, new);
                self.kept.insert(new, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A flood leaves no more than there is room for, and what was asked for last stays.
    #[test]
    fn the_table_is_bounded() {
        let mut recent = Recent::new(10);
        for key in 0..1000 {
            recent.touch(0, || 0);
            recent.touch(key, || key);
        }
        assert_eq!((recent.kept.len(), recent.by_age.len(), recent.evicted()), (10, 10, 990));
        assert_eq!((*recent.touch(999, || 0), *recent.touch(0, || 1), *recent.touch(7, || 1)), (999, 0, 1));
    }

    /// Values keep their order under new names.
    #[test]
    fn values_are_renamed() {
        let mut recent = Recent::new(2);
        for key in [1, 2] {
            recent.touch(key, || key);
        }
        recent.rename(|key| Some(key + 10));
        recent.touch(13, || 3);
        assert_eq!((recent.kept.contains_key(&11), recent.kept.contains_key(&12)), (false, true));
        recent.rename(|key| (key != 12).then_some(key));
        assert_eq!((recent.kept.len(), recent.by_age.len()), (1, 1));
    }
}
