//! A set of name patterns with fast look-up.

use std::collections::HashMap;

use super::{NamePattern, normal};

/// A set of name patterns.
///
/// A look-up costs one hash for each label of the name, however many exact names and domains the set holds; only suffixes
/// without a dot and substrings are tried one by one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NameSet {
    /// Sorted, without repetition.
    patterns: Vec<NamePattern>,
    /// The patterns that name a whole name.
    whole: HashMap<Box<str>, Patterns>,
    /// The places of those that do not.
    partial: Vec<u32>,
}

/// The places, in the list of patterns, of those about one name.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Patterns {
    exact: Option<u32>,
    domain: Option<u32>,
    below: Option<u32>,
}

impl NameSet {
    /// Whether the set holds no pattern.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// How many different patterns the set holds.
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// The patterns, sorted.
    pub fn iter(&self) -> core::slice::Iter<'_, NamePattern> {
        self.patterns.iter()
    }

    /// Whether some pattern matches the name.
    pub fn matches(&self, name: &str) -> bool {
        self.first_match(name).is_some()
    }

    /// The pattern that matches the name; of several, the narrowest.
    pub fn first_match(&self, name: &str) -> Option<&NamePattern> {
        let name = normal(name);
        let place = self.whole_match(&name).or_else(|| self.partial_match(&name))?;
        self.patterns.get(place as usize)
    }

    fn whole_match(&self, name: &str) -> Option<u32> {
        if self.whole.is_empty() {
            return None;
        }
        if let Some(place) = self.whole.get(name).and_then(|patterns| patterns.exact.or(patterns.domain)) {
            return Some(place);
        }
        // Each dot but a leading one begins a name that this one is below.
        let dots = name.bytes().enumerate().skip(1).filter(|(_, byte)| *byte == b'.');
        dots.map(|(dot, _)| &name[dot + 1..])
            .find_map(|above| self.whole.get(above).and_then(|patterns| patterns.below.or(patterns.domain)))
    }

    fn partial_match(&self, name: &str) -> Option<u32> {
        let matches = |place: &&u32| self.patterns[**place as usize].matches_normal(name);
        self.partial.iter().find(matches).copied()
    }
}

impl FromIterator<NamePattern> for NameSet {
    fn from_iter<I: IntoIterator<Item = NamePattern>>(patterns: I) -> Self {
        let mut patterns: Vec<_> = patterns.into_iter().collect();
        patterns.sort_unstable();
        patterns.dedup();
        let mut set = Self::default();
        for (place, pattern) in (0..).zip(&patterns) {
            let (NamePattern::Exact(name) | NamePattern::Domain(name) | NamePattern::Below(name)) = pattern else {
                set.partial.push(place);
                continue;
            };
            let whole = set.whole.entry(name.as_str().into()).or_default();
            match pattern {
                NamePattern::Exact(_) => whole.exact = Some(place),
                NamePattern::Domain(_) => whole.domain = Some(place),
                _ => whole.below = Some(place),
            }
        }
        set.patterns = patterns;
        set
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
            patterns in prop::collection::vec("(=|\\*\\.?)?[ab](\\.?[ab]){0,3}|\\*[ab.]{1,3}\\*", 0..6),
            name in "\\.?[abAB](\\.?[ab]){0,5}\\.?",
        ) {
            let patterns: Vec<NamePattern> = patterns.iter().map(|text| text.parse().expect("a pattern")).collect();
            let expected = patterns.iter().any(|pattern| pattern.matches(&name));
            let set: NameSet = patterns.into_iter().collect();
            prop_assert_eq!(set.matches(&name), expected);
        }
    }
}
