//! Names of which a pattern gives only a part: suffixes without a dot, substrings, and expressions that amount to one.

use aho_corasick::Anchored;
use aho_corasick::automaton::Automaton as _;
use aho_corasick::nfa::contiguous::NFA;

use super::NamePattern;
use super::expression::Plain;

/// Parts of names, put together so that a name is read once for all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    automaton: Option<NFA>,
    /// The places in the list of those that the automaton knows, or of all of them where they are too many for one.
    places: Vec<u32>,
}

/// What stands before and behind a name when an automaton reads it. No name holds them.
const START: u8 = 0xfe;
const END: u8 = 0xff;

impl Parts {
    /// Takes patterns that [`part_of`] knows, with their places in the list, in order.
    pub(super) fn new(parts: impl Iterator<Item = (u32, Plain)>) -> Self {
        let (places, texts): (Vec<u32>, Vec<Vec<u8>>) = parts
            .map(|(place, part)| {
                let start = &[START][..usize::from(part.at_start)];
                let end = &[END][..usize::from(part.at_end)];
                (place, [start, &part.text, end].concat())
            })
            .unzip();
        if places.is_empty() {
            return Self::default();
        }
        Self { automaton: NFA::new(&texts).ok(), places }
    }

    /// The first place of a pattern that a name in normal form matches.
    pub(super) fn find(&self, name: &str, patterns: &[NamePattern]) -> Option<u32> {
        let Some(automaton) = &self.automaton else {
            let matches = |place: &&u32| patterns.get(**place as usize).is_some_and(|it| it.matches_normal(name));
            return self.places.iter().find(matches).copied();
        };
        let mut state = automaton.start_state(Anchored::No).ok()?;
        let mut found: Option<usize> = None;
        for byte in [START].into_iter().chain(name.bytes()).chain([END]) {
            state = automaton.next_state(Anchored::No, state, byte);
            if automaton.is_match(state) {
                let matched =
                    (0..automaton.match_len(state)).map(|index| automaton.match_pattern(state, index).as_usize());
                found = matched.chain(found).min();
            }
        }
        self.places.get(found?).copied()
    }
}

/// The part of a name that a pattern gives, if it does.
pub(super) fn part_of(pattern: &NamePattern) -> Option<Plain> {
    match pattern {
        NamePattern::Suffix(text) => Some(Plain { text: text.as_bytes().to_vec(), at_start: false, at_end: true }),
        NamePattern::Substring(text) => Some(Plain { text: text.as_bytes().to_vec(), ..Plain::default() }),
        NamePattern::Expression(expression) => Plain::of(expression),
        _ => None,
    }
}
