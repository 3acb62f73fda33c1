//! Name patterns and sets of them.
//!
//! The patterns are those of the scenario language; the over-blocking that the facts RU-THR-2, GFW-DNS-4 and TM-2
//! describe depends on their exact meaning.

use core::fmt;

/// One pattern for a domain name. Matching ignores ASCII case and one trailing dot.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum NamePattern {
    /// `=a.b`: that name alone.
    Exact(String),
    /// `a.b`: that name and all below it.
    Domain(String),
    /// `*.a.b`: only names below it.
    Below(String),
    /// `*a.b`: every name that ends so, dot or not (RU-THR-2 `*twitter.com`).
    Suffix(String),
    /// `*a*`: every name that holds it (RU-THR-2 `*t.co*`).
    Substring(String),
}

/// Why a text is not a pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NamePatternError {
    /// Nothing is left after the signs.
    Empty,
    /// A `*` where none may stand.
    StrayStar,
    /// A character that no name holds.
    BadCharacter(char),
    /// `/re/` patterns belong to a later version of the language.
    Expression,
}

impl fmt::Display for NamePatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the pattern names nothing"),
            Self::StrayStar => write!(f, "`*` may stand only at the start, as `*.a.b` or `*a.b`, or at both ends, as `*a*`"),
            Self::BadCharacter(character) => write!(f, "{character:?} cannot stand in a domain name"),
            Self::Expression => write!(f, "`/regular expressions/` are not supported yet"),
        }
    }
}

impl std::error::Error for NamePatternError {}
