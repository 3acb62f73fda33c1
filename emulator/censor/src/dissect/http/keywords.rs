//! Words that a censor looks for in requests (GFW-HTTP-1).

use core::fmt;
use std::borrow::Cow;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::Request;

/// A set of words, found wherever they stand, in letters of either case unless said otherwise. They are bytes: text in UTF-8 or in GB18030, as the
/// censor's list has it. Case is that of ASCII.
#[derive(Clone, Debug)]
pub struct Keywords {
    words: Vec<Box<[u8]>>,
    ignores_case: bool,
    automaton: AhoCorasick,
}

/// Why words are no set of keywords.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeywordsError {
    /// A word without a letter would be everywhere.
    Empty,
    /// There are too many.
    TooMany,
}

impl fmt::Display for KeywordsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "an empty keyword is everywhere"),
            Self::TooMany => write!(f, "more keywords than an automaton holds"),
        }
    }
}

impl std::error::Error for KeywordsError {}

impl Keywords {
    /// Puts words together.
    pub fn new<T: AsRef<[u8]>>(words: impl IntoIterator<Item = T>) -> Result<Self, KeywordsError> {
        Self::build(words.into_iter().map(|word| word.as_ref().to_ascii_lowercase()), true)
    }

    /// Puts words together that are found only as they are written, byte for byte.
    pub fn exact<T: AsRef<[u8]>>(words: impl IntoIterator<Item = T>) -> Result<Self, KeywordsError> {
        Self::build(words.into_iter().map(|word| word.as_ref().to_vec()), false)
    }

    fn build(words: impl Iterator<Item = Vec<u8>>, ignores_case: bool) -> Result<Self, KeywordsError> {
        let mut words: Vec<Box<[u8]>> = words.map(Into::into).collect();
        words.sort_unstable();
        words.dedup();
        if words.first().is_some_and(|word| word.is_empty()) {
            return Err(KeywordsError::Empty);
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(ignores_case)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&words)
            .map_err(|_| KeywordsError::TooMany)?;
        Ok(Self { words, ignores_case, automaton })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The words, in small letters where case is ignored, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.words.iter().map(AsRef::as_ref)
    }

    /// The words as a person can read them.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.iter().map(|word| String::from_utf8(word.to_vec()).unwrap_or_else(|_| word.escape_ascii().to_string()))
    }

    /// The word that ends first in these bytes.
    pub fn find(&self, bytes: &[u8]) -> Option<&[u8]> {
        let found = self.automaton.find(bytes)?;
        self.words.get(found.pattern().as_usize()).map(AsRef::as_ref)
    }

    /// The word that stands in a request's target, as sent or percent-decoded.
    pub fn find_in_target(&self, target: &[u8]) -> Option<&[u8]> {
        self.find(&percent_decoded(target)).or_else(|| self.find(target))
    }

    /// The word that stands in a request's target, as sent or percent-decoded, or in its `Host`; nothing else of a request
    /// is looked at (GFW-HTTP-1).
    pub fn find_in_request(&self, request: &Request<'_>) -> Option<&[u8]> {
        self.find_in_target(request.target).or_else(|| request.hosts().find_map(|host| self.find(host)))
    }
}

impl PartialEq for Keywords {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words && self.ignores_case == other.ignores_case
    }
}

/// RFC 3986 section 2.1; what is no encoding stays as it is.
pub(super) fn percent_decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        if let (b'%', Some(high), Some(low)) = (byte, digit(at + 1), digit(at + 2)) {
            decoded.push((high << 4 | low) as u8);
            at += 3;
        } else {
            decoded.push(*byte);
            at += 1;
        }
    }
    Cow::Owned(decoded)
}
