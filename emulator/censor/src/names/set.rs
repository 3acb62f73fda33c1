//! A set of name patterns with fast look-up.

use core::fmt;
use core::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::expression::Expressions;
use super::partial::{Parts, part_of};
use super::{NamePattern, normal};

/// A set of name patterns.
///
/// What a look-up costs depends on the name and hardly on the set: a hash for each label of the name, one reading of it for
/// all suffixes without a dot and all substrings, and one for all regular expressions. Copies share their memory.
#[derive(Clone, Default)]
pub struct NameSet(Arc<Inner>);

/// The patterns alone: what they are looked up by follows from them.
impl fmt::Debug for NameSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[derive(Debug, Default)]
struct Inner {
    /// Sorted, without repetition: first those that name a whole name, then those that do not.
    patterns: Vec<NamePattern>,
    /// The places in the list of those that name a whole name, by that name.
    whole: HashTable<u32>,
    parts: Parts,
    expressions: Expressions,
}

/// The names that it is asked about come from outside, but those that it holds do not: nobody can make them collide.
const HASHER: FixedState = FixedState::with_seed(0);

impl NameSet {
    /// Whether the set holds no pattern.
    pub fn is_empty(&self) -> bool {
        self.0.patterns.is_empty()
    }

    /// How many different patterns the set holds.
    pub fn len(&self) -> usize {
        self.0.patterns.len()
    }

    /// The patterns, sorted.
    pub fn iter(&self) -> core::slice::Iter<'_, NamePattern> {
        self.0.patterns.iter()
    }

    /// Whether some pattern matches the name.
    pub fn matches(&self, name: &str) -> bool {
        self.first_match(name).is_some()
    }

    /// The pattern that matches the name; of several, the narrowest.
    pub fn first_match(&self, name: &str) -> Option<&NamePattern> {
        let name = normal(name);
        let inner = &*self.0;
        if name.is_empty() {
            return None;
        }
        let place = inner
            .whole_match(&name)
            .or_else(|| inner.parts.find(&name, &inner.patterns))
            .or_else(|| inner.expressions.find(&name))?;
        inner.patterns.get(place as usize)
    }
}

impl Inner {
    fn whole_match(&self, name: &str) -> Option<u32> {
        if self.whole.is_empty() {
            return None;
        }
        let itself = self.about(name).filter(|(_, pattern)| !matches!(pattern, NamePattern::Below(_)));
        // In the list an exact name stands before a domain, and a domain before what is below it.
        if let Some((place, _)) = itself.min_by_key(|(place, _)| *place) {
            return Some(place);
        }
        // Each dot but a leading one begins a name that this one is below.
        let dots = name.bytes().enumerate().skip(1).filter(|(_, byte)| *byte == b'.');
        dots.map(|(dot, _)| &name[dot + 1..]).find_map(|above| {
            let of_above = self.about(above).filter(|(_, pattern)| !matches!(pattern, NamePattern::Exact(_)));
            of_above.max_by_key(|(place, _)| *place).map(|(place, _)| place)
        })
    }

    /// The patterns about one name, with their places.
    fn about(&self, name: &str) -> impl Iterator<Item = (u32, &NamePattern)> {
        let candidates = self.whole.iter_hash(hash(name));
        let patterns = candidates.filter_map(|place| Some((*place, self.patterns.get(*place as usize)?)));
        patterns.filter(move |(_, pattern)| pattern.text() == name)
    }
}

fn hash(name: &str) -> u64 {
    HASHER.hash_one(name.as_bytes())
}

impl FromIterator<NamePattern> for NameSet {
    fn from_iter<I: IntoIterator<Item = NamePattern>>(patterns: I) -> Self {
        let mut patterns: Vec<_> = patterns.into_iter().collect();
        patterns.sort_unstable();
        patterns.dedup();
        patterns.shrink_to_fit();
        let parts_at = patterns.partition_point(|pattern| {
            matches!(pattern, NamePattern::Exact(_) | NamePattern::Domain(_) | NamePattern::Below(_))
        });
        let mut whole = HashTable::with_capacity(parts_at);
        for (place, pattern) in (0..).zip(&patterns[..parts_at]) {
            whole.insert_unique(hash(pattern.text()), place, |place: &u32| hash(patterns[*place as usize].text()));
        }
        let partial = || (parts_at as u32..).zip(&patterns[parts_at..]);
        let parts = Parts::new(partial().filter_map(|(place, pattern)| Some((place, part_of(pattern)?))));
        let rest = partial().filter(|(_, pattern)| part_of(pattern).is_none());
        let expressions = Expressions::new(rest.map(|(place, pattern)| (place, pattern.text())));
        Self(Arc::new(Inner { patterns, whole, parts, expressions }))
    }
}

impl PartialEq for NameSet {
    fn eq(&self, other: &Self) -> bool {
        self.0.patterns == other.0.patterns
    }
}

impl<'a> IntoIterator for &'a NameSet {
    type Item = &'a NamePattern;
    type IntoIter = core::slice::Iter<'a, NamePattern>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(patterns: &[&str]) -> NameSet {
        patterns.iter().map(|text| text.parse::<NamePattern>().expect("a pattern")).collect()
    }

    /// The narrowest pattern is the one that is named as the cause.
    #[test]
    fn first_match_is_the_narrowest() {
        let set = set(&["*a*", "b.a", "=c.b.a", "*.b.a"]);
        let first = |name| set.first_match(name).map(ToString::to_string);
        assert_eq!(first("c.b.a").as_deref(), Some("=c.b.a"));
        assert_eq!(first("d.b.a").as_deref(), Some("*.b.a"));
        assert_eq!(first("b.a").as_deref(), Some("b.a"));
        assert_eq!(first("x.a").as_deref(), Some("*a*"));
        assert_eq!(first("x.y"), None);
        assert_eq!(first(""), None);
        let set = self::set(&["/a$/", "/b.a/", "*.a*", "*.a", "a", "=a", "*b.a", "/a/"]);
        let first = |name| set.first_match(name).map(ToString::to_string);
        for (name, expected) in
            [("a", "=a"), ("b.a", "*.a"), ("ba", "/a/"), ("b.ac", "*.a*"), ("bca", "/a/"), ("aa", "/a/")]
        {
            assert_eq!(first(name).as_deref(), Some(expected), "{name}");
        }
        assert_eq!(self::set(&["*b.a", "*.a*"]).first_match("xb.a").map(ToString::to_string).as_deref(), Some("*b.a"));
    }

    /// The order and repetition of patterns do not matter.
    #[test]
    fn is_a_set() {
        assert_eq!(set(&["a.b", "*c", "a.b"]), set(&["*c", "A.B."]));
        assert_eq!(set(&["a.b", "a.b"]).len(), 1);
        assert!(NameSet::default().is_empty());
    }

    proptest! {
        /// The set matches exactly what one of its patterns matches.
        #[test]
        fn agrees_with_its_patterns(
            patterns in prop::collection::vec(
                "(=|\\*\\.?)?[ab](\\.?[ab]){0,3}|\\*[ab.]{1,3}\\*|/\\^?[ab.](a|b|\\.|\\\\\\.){0,2}[+$]?/",
                0..6,
            ),
            name in "\\.?[abAB](\\.?[ab]){0,5}\\.?",
        ) {
            let patterns: Vec<NamePattern> = patterns.iter().map(|text| text.parse().expect("a pattern")).collect();
            let expected = patterns.iter().any(|pattern| pattern.matches(&name));
            let set: NameSet = patterns.into_iter().collect();
            prop_assert_eq!(set.matches(&name), expected);
        }

        /// The pattern that is named as the cause does match.
        #[test]
        fn what_is_found_matches(
            patterns in prop::collection::vec("(=|\\*\\.?)?[ab](\\.?[ab]){0,3}|\\*[ab.]{1,3}\\*|/[ab.]{1,3}/", 0..9),
            name in "[ab](\\.?[ab]){0,5}",
        ) {
            let set: NameSet = patterns.iter().map(|text| text.parse::<NamePattern>().expect("a pattern")).collect();
            prop_assert!(set.first_match(&name).is_none_or(|pattern| pattern.matches(&name)));
        }
    }
}
