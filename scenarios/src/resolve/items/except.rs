//! What of a list is left when others are left out.
//!
//! An item that says nothing but what is left out goes. A name or a prefix may say more than that: of a prefix the rest stays,
//! and of a name pattern no rest can be written, so it is a mistake.

use std::collections::HashSet;
use std::hash::Hash;
use std::ops::Range;
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use roadblock_censor::{NamePattern, NameSet, PrefixSet};

use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::source::{Location, SourceFile};

/// An item that is left out, with its place.
#[derive(Clone, Debug)]
pub(crate) struct LeftOut<T> {
    pub(crate) item: T,
    pub(crate) place: ItemPlace,
}

/// Where an item stands. A list may have a million, so that their lines are counted only when one is wrong.
#[derive(Clone, Debug)]
pub(crate) enum ItemPlace {
    /// By itself.
    Written(Location),
    /// In a list.
    Listed(Arc<SourceFile>, Range<usize>),
}

impl ItemPlace {
    pub(crate) fn location(&self) -> Location {
        match self {
            Self::Written(at) => at.clone(),
            Self::Listed(source, span) => source.location(span.clone()),
        }
    }

    fn is_written(&self) -> bool {
        matches!(self, Self::Written(_))
    }
}

/// Items that are told apart and do not overlap.
pub(super) fn whole<T: Clone + Eq + Hash>(
    all: &[T],
    out: &[LeftOut<T>],
    show: impl Fn(&T) -> String,
    errors: &mut Collector,
) -> Vec<T> {
    let there: HashSet<&T> = all.iter().collect();
    for each in out.iter().filter(|each| each.place.is_written() && !there.contains(&each.item)) {
        note_absent(&show(&each.item), &each.place, errors);
    }
    let gone: HashSet<&T> = out.iter().map(|each| &each.item).collect();
    all.iter().filter(|item| !gone.contains(item)).cloned().collect()
}

/// Name patterns: one goes if another that is left out means all that it means.
pub(super) fn names(all: Vec<NamePattern>, out: &[LeftOut<NamePattern>], errors: &mut Collector) -> Vec<NamePattern> {
    let gone: NameSet = out.iter().map(|each| each.item.clone()).collect();
    let written: HashSet<&NamePattern> =
        out.iter().filter(|each| each.place.is_written()).map(|each| &each.item).collect();
    let mut used: HashSet<NamePattern> = HashSet::new();
    let left: Vec<NamePattern> = all
        .into_iter()
        .filter(|pattern| {
            let covers = covering(&gone, pattern);
            used.extend(covers.iter().filter(|each| written.contains(*each)).map(|each| (*each).clone()));
            covers.is_empty()
        })
        .collect();
    let rest: NameSet = left.iter().cloned().collect();
    for LeftOut { item, place } in out {
        if let Some(wider) = overlapping(&rest, item) {
            let message = format!("`{item}` cannot be left out: `{wider}` means it too, and more");
            let help = "leave that one out, and write what of it is meant";
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, &place.location(), message).help(help));
        } else if place.is_written() && !used.contains(item) {
            note_absent(&item.to_string(), place, errors);
        }
    }
    left
}

/// The patterns of a set that together mean all that this one means; none where some of it is left.
fn covering<'s>(set: &'s NameSet, pattern: &NamePattern) -> Vec<&'s NamePattern> {
    let patterns = set.iter().as_slice();
    if let Some(itself) = patterns.binary_search(pattern).ok().and_then(|place| patterns.get(place)) {
        return vec![itself];
    }
    match pattern {
        NamePattern::Exact(name) => set.first_match(name).into_iter().collect(),
        NamePattern::Domain(name) => {
            let both = set.first_match(name).and_then(|above| Some(vec![above, set.first_match(&below(name))?]));
            both.unwrap_or_default()
        }
        NamePattern::Below(name) => set.first_match(&below(name)).into_iter().collect(),
        NamePattern::Suffix(_) | NamePattern::Substring(_) | NamePattern::Expression(_) => Vec::new(),
    }
}

/// A pattern of the set that means some of what this one means.
fn overlapping<'s>(set: &'s NameSet, pattern: &NamePattern) -> Option<&'s NamePattern> {
    match pattern {
        NamePattern::Exact(name) => set.first_match(name),
        NamePattern::Domain(name) => set.first_match(name).or_else(|| set.first_match(&below(name))),
        NamePattern::Below(name) => set.first_match(&below(name)),
        NamePattern::Suffix(_) | NamePattern::Substring(_) | NamePattern::Expression(_) => None,
    }
}

/// A name below this one that nobody lists.
fn below(name: &str) -> String {
    format!("roadblock-any.{name}")
}

/// Prefixes: what is left out is cut from each.
pub(super) fn prefixes(all: &[IpNet], out: &[LeftOut<IpNet>], errors: &mut Collector) -> Vec<IpNet> {
    let there: PrefixSet = all.iter().copied().collect();
    let there = Ranges::of(&there);
    for each in out.iter().filter(|each| each.place.is_written()) {
        let (is_v4, first, last) = ends(each.item);
        if there.family(is_v4).cut(first, last).eq([(first, last)]) {
            note_absent(&each.item.to_string(), &each.place, errors);
        }
    }
    let gone: PrefixSet = out.iter().map(|each| each.item).collect();
    let gone = Ranges::of(&gone);
    let mut left = Vec::with_capacity(all.len());
    for prefix in all {
        let (is_v4, first, last) = ends(*prefix);
        for piece in gone.family(is_v4).cut(first, last) {
            // What is whole stays as it was written, so that a phase can remove it.
            if piece == (first, last) {
                left.push(*prefix);
            } else {
                left.extend(pieces(is_v4, piece));
            }
        }
    }
    left
}

/// The ends of a prefix as numbers, and whether it is one of IPv4.
fn ends(prefix: IpNet) -> (bool, u128, u128) {
    match prefix {
        IpNet::V4(v4) => (true, u32::from(v4.network()).into(), u32::from(v4.broadcast()).into()),
        IpNet::V6(v6) => (false, v6.network().into(), v6.broadcast().into()),
    }
}

fn pieces(is_v4: bool, (first, last): (u128, u128)) -> Vec<IpNet> {
    if is_v4 {
        let address = |number: u128| (number as u32).into();
        Ipv4Subnets::new(address(first), address(last), 0).map(IpNet::from).collect()
    } else {
        Ipv6Subnets::new(first.into(), last.into(), 0).map(IpNet::from).collect()
    }
}

/// What a set of prefixes holds, in order and without overlap.
struct Ranges {
    v4: Sorted,
    v6: Sorted,
}

struct Sorted(Vec<(u128, u128)>);

impl Ranges {
    fn of(set: &PrefixSet) -> Self {
        let v4 = set.v4_ranges().iter().map(|(first, last)| (u128::from(*first), u128::from(*last)));
        let v6 = set.v6_ranges().iter().map(|(first, last)| (*first, *last));
        Self { v4: Sorted(v4.collect()), v6: Sorted(v6.collect()) }
    }

    fn family(&self, is_v4: bool) -> &Sorted {
        if is_v4 { &self.v4 } else { &self.v6 }
    }
}

impl Sorted {
    /// What of a range lies in none of these.
    fn cut(&self, first: u128, last: u128) -> impl Iterator<Item = (u128, u128)> {
        let from = self.0.partition_point(|(_, end)| *end < first);
        let within = self.0[from..].iter().take_while(move |(start, _)| *start <= last);
        let mut left = Vec::new();
        let mut next = Some(first);
        for (start, end) in within {
            if let Some(begin) = next.filter(|begin| begin < start) {
                left.push((begin, start - 1));
            }
            next = end.checked_add(1);
        }
        left.extend(next.filter(|begin| *begin <= last).map(|begin| (begin, last)));
        left.into_iter()
    }
}

fn note_absent(item: &str, place: &ItemPlace, errors: &mut Collector) {
    let message = format!("`{item}` is not there to be left out");
    let help = "write the item as the list has it, or leave it out here";
    errors.push(Diagnostic::new(DiagnosticKind::NothingToChange, &place.location(), message).help(help));
}
