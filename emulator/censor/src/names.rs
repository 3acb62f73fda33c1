//! Name patterns and sets of them.
//!
//! The patterns are those of the scenario language; the over-blocking that the facts RU-THR-2, GFW-DNS-4 and TM-2
//! describe depends on their exact meaning.

mod expression;
mod partial;
mod set;

use core::fmt;
use core::str::FromStr;
use std::borrow::Cow;

pub use set::NameSet;

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
    /// `/re/`: every name in which the regular expression matches somewhere (TM-2). Case is ignored, and the expression sees
    /// no trailing dot.
    Expression(String),
}

impl NamePattern {
    /// Whether a name is one that the pattern means.
    pub fn matches(&self, name: &str) -> bool {
        self.matches_normal(&normal(name))
    }

    /// As [`matches`](Self::matches), for a name already in normal form.
    fn matches_normal(&self, name: &str) -> bool {
        let is_below =
            |domain: &str| name.strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'));
        match self {
            _ if name.is_empty() => false,
            Self::Exact(exact) => name == exact,
            Self::Domain(domain) => name == domain || is_below(domain),
            Self::Below(domain) => is_below(domain),
            Self::Suffix(suffix) => name.ends_with(suffix.as_str()),
            Self::Substring(part) => name.contains(part.as_str()),
            Self::Expression(expression) => expression::matches(expression, name),
        }
    }

    /// The pattern without its signs.
    fn text(&self) -> &str {
        let (Self::Exact(text)
        | Self::Domain(text)
        | Self::Below(text)
        | Self::Suffix(text)
        | Self::Substring(text)
        | Self::Expression(text)) = self;
        text
    }
}

impl FromStr for NamePattern {
    type Err = NamePatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(rest) = text.strip_prefix('/') {
            let expression = rest.strip_suffix('/').ok_or(NamePatternError::OpenExpression)?;
            return expression::check(expression).map(|()| Self::Expression(expression.to_owned()));
        }
        if let Some(exact) = text.strip_prefix('=') {
            return whole_name(exact).map(Self::Exact);
        }
        let Some(rest) = text.strip_prefix('*') else {
            return whole_name(text).map(Self::Domain);
        };
        if let Some(part) = rest.strip_suffix('*') {
            return characters(part).map(Self::Substring);
        }
        match rest.strip_prefix('.') {
            Some(domain) => whole_name(domain).map(Self::Below),
            None => whole_name(rest).map(Self::Suffix),
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => write!(f, "={name}"),
            Self::Domain(name) => write!(f, "{name}"),
            Self::Below(name) => write!(f, "*.{name}"),
            Self::Suffix(name) => write!(f, "*{name}"),
            Self::Substring(name) => write!(f, "*{name}*"),
            Self::Expression(expression) => write!(f, "/{expression}/"),
        }
    }
}

/// The form that names are compared in: ASCII letters small, one trailing dot gone. A name in that form already, as almost
/// every one on the wire is, is not copied.
fn normal(name: &str) -> Cow<'_, str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Reads a name with no empty label, in normal form.
fn whole_name(text: &str) -> Result<String, NamePatternError> {
    let name = characters(text.strip_suffix('.').unwrap_or(text))?;
    if name.split('.').any(str::is_empty) { Err(NamePatternError::BadCharacter('.')) } else { Ok(name) }
}

/// Reads characters that a name on the wire may hold; other alphabets are written in punycode there (RFC 5891).
fn characters(text: &str) -> Result<String, NamePatternError> {
    if text.is_empty() {
        return Err(NamePatternError::Empty);
    }
    match text.chars().find(|character| !(character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_'))) {
        None => Ok(text.to_ascii_lowercase()),
        Some('*') => Err(NamePatternError::StrayStar),
        Some(other) => Err(NamePatternError::BadCharacter(other)),
    }
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
    /// An expression without a `/` at its end.
    OpenExpression,
    /// What is no regular expression, and why.
    BadExpression(String),
    /// A regular expression that would take too much memory.
    ExpressionTooLarge,
}

impl fmt::Display for NamePatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the pattern names nothing"),
            Self::StrayStar => {
                write!(f, "`*` may stand only at the start, as `*.a.b` or `*a.b`, or at both ends, as `*a*`")
            }
            Self::BadCharacter(character) => write!(f, "{character:?} cannot stand in a domain name"),
            Self::OpenExpression => write!(f, "a regular expression ends with `/`, as in `/re/`"),
            Self::BadExpression(why) => write!(f, "not a regular expression: {why}"),
            Self::ExpressionTooLarge => write!(f, "the regular expression takes too much memory when it is compiled"),
        }
    }
}

impl std::error::Error for NamePatternError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> NamePattern {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// The grammar of the scenario language, and that a pattern is written as it is read.
    #[test]
    fn grammar_round_trips() {
        let name = || "a.b".to_owned();
        let cases = [
            ("=a.b", NamePattern::Exact(name())),
            ("a.b", NamePattern::Domain(name())),
            ("*.a.b", NamePattern::Below(name())),
            ("*a.b", NamePattern::Suffix(name())),
            ("*a.b*", NamePattern::Substring(name())),
            ("/a.b/", NamePattern::Expression(name())),
        ];
        for (text, expected) in cases {
            assert_eq!(pattern(text), expected);
            assert_eq!(expected.to_string(), text);
        }
        assert_eq!(pattern("WhatsApp.COM.").to_string(), "whatsapp.com");
        assert_eq!(pattern("*.co*"), NamePattern::Substring(".co".to_owned()));
    }

    /// What is no pattern, and why.
    #[test]
    fn refuses() {
        use NamePatternError::{BadCharacter, Empty, ExpressionTooLarge, OpenExpression, StrayStar};
        let cases = [
            ("", Empty),
            ("=", Empty),
            ("*", Empty),
            ("**", Empty),
            ("*.", Empty),
            ("a*b", StrayStar),
            ("=*.a", StrayStar),
            ("a*", StrayStar),
            ("/a.b", OpenExpression),
            ("/", OpenExpression),
            ("//", Empty),
            ("/(a{99}){99}{99}/", ExpressionTooLarge),
            ("a b", BadCharacter(' ')),
            ("http:", BadCharacter(':')),
            ("пример.рф", BadCharacter('п')),
            ("a..b", BadCharacter('.')),
            (".a", BadCharacter('.')),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<NamePattern>(), Err(expected), "{text:?}");
        }
    }

    /// What is no expression is refused with a reason.
    #[test]
    fn refuses_bad_expressions() {
        let error = "/a(b/".parse::<NamePattern>().expect_err("no expression");
        assert_eq!(error.to_string(), "not a regular expression: unclosed group");
    }

    /// TM-2: rules such as `.*\.cyou$` and a bare `wn.com` block more than anyone meant.
    #[test]
    fn tm_2_over_blocking() {
        let all = pattern("/.*\\.cyou$/");
        assert!(all.matches("a.cyou") && all.matches("A.CYOU.") && !all.matches("cyou.com") && !all.matches("cyou"));
        let bare = pattern("/wn.com/");
        assert!(bare.matches("wn.com") && bare.matches("dawn-com.net") && !bare.matches("w.com"));
    }

    /// RU-THR-2: `*twitter.com` and `*t.co*` block more than they name, which a domain pattern does not.
    #[test]
    fn ru_thr_2_over_blocking() {
        assert!(pattern("*twitter.com").matches("nottwitter.com"));
        assert!(pattern("*t.co*").matches("microsoft.com"));
        assert!(!pattern("twitter.com").matches("nottwitter.com"));
        assert!(pattern("twitter.com").matches("API.Twitter.com."));
        assert!(!pattern("*.twitter.com").matches("twitter.com"));
        assert!(!pattern("=twitter.com").matches("api.twitter.com"));
    }
}
