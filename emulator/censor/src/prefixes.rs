//! Sets of address prefixes with fast look-up.

use std::net::IpAddr;

use ipnet::IpNet;

/// A set of IPv4 and IPv6 prefixes, merged into disjoint ranges.
///
/// A look-up is a binary search, so a million prefixes cost a few steps more than a thousand.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PrefixSet {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl PrefixSet {
    /// Whether the set holds no address.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Whether the address lies in one of the prefixes.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => holds(&self.v4, &u32::from(address)),
            IpAddr::V6(address) => holds(&self.v6, &u128::from(address)),
        }
    }

    /// The IPv4 ranges, first and last address, ascending, neither overlapping nor adjacent.
    pub fn v4_ranges(&self) -> &[(u32, u32)] {
        &self.v4
    }

    /// The IPv6 ranges, first and last address, ascending, neither overlapping nor adjacent.
    pub fn v6_ranges(&self) -> &[(u128, u128)] {
        &self.v6
    }
}

impl FromIterator<IpNet> for PrefixSet {
    fn from_iter<I: IntoIterator<Item = IpNet>>(prefixes: I) -> Self {
        let mut set = Self::default();
        for prefix in prefixes {
            match prefix {
                IpNet::V4(prefix) => set.v4.push((prefix.network().into(), prefix.broadcast().into())),
                IpNet::V6(prefix) => set.v6.push((prefix.network().into(), prefix.broadcast().into())),
            }
        }
        set.v4 = merged(set.v4, |end| end.checked_add(1));
        set.v6 = merged(set.v6, |end| end.checked_add(1));
        set
    }
}

fn holds<T: Ord>(ranges: &[(T, T)], address: &T) -> bool {
    let after = ranges.partition_point(|(first, _)| first <= address);
    after > 0 && ranges[after - 1].1 >= *address
}

fn merged<T: Copy + Ord>(mut ranges: Vec<(T, T)>, next: impl Fn(T) -> Option<T>) -> Vec<(T, T)> {
    ranges.sort_unstable();
    let mut merged: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some((_, end)) if next(*end).is_none_or(|next| first <= next) => *end = (*end).max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}
