//! How often a rule says what is true.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::truth::Class;

/// What a rule says of a measurement.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Said {
    /// It is blocked.
    Blocked,
    /// The site is down for everybody.
    Down,
    /// It can be read.
    Accessible,
    /// Nobody knows.
    Unknown,
}

/// How often each was said of each.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct Confusion {
    /// By what was done, then by what was said.
    pub(crate) counts: BTreeMap<Class, BTreeMap<Said, usize>>,
}

impl Confusion {
    /// Counts what was said of what.
    pub(crate) fn of(said: impl IntoIterator<Item = (Class, Said)>) -> Self {
        let mut counts: BTreeMap<Class, BTreeMap<Said, usize>> = BTreeMap::new();
        for (class, said) in said {
            *counts.entry(class).or_default().entry(said).or_default() += 1;
        }
        Self { counts }
    }

    /// How often this was said of that.
    pub(crate) fn count(&self, class: Class, said: Said) -> usize {
        self.counts.get(&class).and_then(|row| row.get(&said)).copied().unwrap_or_default()
    }

    /// The table for people.
    pub(crate) fn table(&self, whose: &str) -> String {
        let mut table = format!("{whose:<14}");
        for said in SAID {
            let _ = write!(table, "{:>12}", said.word());
        }
        for class in CLASSES {
            let _ = write!(table, "\n  {:<12}", class.word());
            for said in SAID {
                let _ = write!(table, "{:>12}", self.count(class, said));
            }
        }
        let blocked = |class| self.count(class, Said::Blocked);
        let all = |class| SAID.into_iter().map(|said| self.count(class, said)).sum::<usize>();
        let caught = format!("{} of {}", blocked(Class::Interfered), all(Class::Interfered));
        let false_alarms =
            format!("{} of {}", blocked(Class::Benign) + blocked(Class::Free), all(Class::Benign) + all(Class::Free));
        let _ = write!(table, "\n  found {caught} that were interfered with; called {false_alarms} others blocked\n");
        table
    }
}

impl Class {
    fn word(self) -> &'static str {
        match self {
            Self::Interfered => "interfered",
            Self::Benign => "benign",
            Self::Free => "free",
        }
    }
}

impl Said {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Down => "down",
            Self::Accessible => "accessible",
            Self::Unknown => "unknown",
        }
    }
}

const CLASSES: [Class; 3] = [Class::Interfered, Class::Benign, Class::Free];
const SAID: [Said; 4] = [Said::Blocked, Said::Down, Said::Accessible, Said::Unknown];

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Confusion {
        Confusion::of([
            (Class::Interfered, Said::Blocked),
            (Class::Interfered, Said::Blocked),
            (Class::Interfered, Said::Accessible),
            (Class::Benign, Said::Down),
            (Class::Benign, Said::Blocked),
            (Class::Free, Said::Accessible),
            (Class::Free, Said::Unknown),
        ])
    }

    #[test]
    fn each_is_counted_where_it_belongs() {
        insta::assert_snapshot!(some().table("OONI's rule"));
    }

    #[test]
    fn nothing_is_a_table_of_noughts() {
        assert_eq!(Confusion::of([]).count(Class::Free, Said::Down), 0);
        assert!(Confusion::of([]).table("x").contains("found 0 of 0"));
    }

    proptest::proptest! {
        #[test]
        fn all_that_was_said_is_in_the_matrix(said in proptest::collection::vec((0_usize..3, 0_usize..4), 0..50)) {
            let count = said.len();
            let confusion = Confusion::of(said.into_iter().map(|(class, said)| (CLASSES[class], SAID[said])));
            let total: usize = confusion.counts.values().flat_map(BTreeMap::values).sum();
            proptest::prop_assert_eq!(total, count);
        }
    }
}
