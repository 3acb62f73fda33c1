//! Patterns for the fingerprints of clients and sets of them, as lists of a scenario hold them.

use core::fmt;
use core::str::FromStr;

use crate::dissect::tls::Ja3;

/// One pattern for a fingerprint.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum FingerprintPattern {
    /// The hash of a JA3: 32 hexadecimal digits.
    Ja3Hash(String),
    /// The fields of a JA3: `771,4865-4866,0-23-65281,29-23,0`.
    Ja3Text(String),
    /// A JA4, `t13d1516h2_8daaf6152771_02713d6af862`; `None` for a part that does not matter, written `*`. The ciphers of a
    /// browser stay for years (the second part), its extensions do not (the third).
    Ja4([Option<String>; 3]),
}

impl FingerprintPattern {
    /// Whether it is one for a JA3.
    pub fn is_ja3(&self) -> bool {
        matches!(self, Self::Ja3Hash(_) | Self::Ja3Text(_))
    }

    /// Whether a JA3 is the one that the pattern means.
    pub fn matches_ja3(&self, ja3: &Ja3) -> bool {
        match self {
            Self::Ja3Hash(hash) => *hash == ja3.hash,
            Self::Ja3Text(text) => *text == ja3.text,
            Self::Ja4(_) => false,
        }
    }

    /// Whether a JA4 is one that the pattern means.
    pub fn matches_ja4(&self, ja4: &str) -> bool {
        let Self::Ja4(parts) = self else {
            return false;
        };
        let mut words = ja4.split('_');
        let is_meant = |part: &Option<String>| {
            let word = words.next();
            part.as_deref().map_or(word.is_some(), |part| word == Some(part))
        };
        parts.iter().all(is_meant) && words.next().is_none()
    }
}

impl FromStr for FingerprintPattern {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains('_') {
            return ja4(text).map(Self::Ja4);
        }
        if text.contains(',') {
            let numbers = |field: &str| field.split('-').all(|number| number.parse::<u16>().is_ok());
            let fields: Vec<&str> = text.split(',').collect();
            let is_right = fields.len() == 5 && fields.iter().all(|field| field.is_empty() || numbers(field));
            return if is_right { Ok(Self::Ja3Text(text.to_owned())) } else { Err(FingerprintError::Ja3Text) };
        }
        if text.len() == 32 && is_hex(text) {
            return Ok(Self::Ja3Hash(text.to_ascii_lowercase()));
        }
        Err(FingerprintError::Unknown)
    }
}

impl fmt::Display for FingerprintPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ja3Hash(text) | Self::Ja3Text(text) => f.write_str(text),
            Self::Ja4(parts) => {
                let [head, ciphers, rest] = parts.each_ref().map(|part| part.as_deref().unwrap_or("*"));
                write!(f, "{head}_{ciphers}_{rest}")
            }
        }
    }
}

/// Reads a JA4 of three parts.
fn ja4(text: &str) -> Result<[Option<String>; 3], FingerprintError> {
    let words: Vec<&str> = text.split('_').collect();
    let [head, ciphers, rest] = words[..] else {
        return Err(FingerprintError::Ja4);
    };
    let is_head = head.len() == 10 && head.starts_with(['t', 'q', 'd']) && head.is_ascii();
    let is_hash = |word: &str| word == "*" || (word.len() == 12 && is_hex(word));
    if (head == "*" || is_head) && is_hash(ciphers) && is_hash(rest) {
        // The characters of ALPN in the head keep their case.
        let part = |word: &str, text: String| (word != "*").then_some(text);
        Ok([
            part(head, head.to_owned()),
            part(ciphers, ciphers.to_ascii_lowercase()),
            part(rest, rest.to_ascii_lowercase()),
        ])
    } else {
        Err(FingerprintError::Ja4)
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A set of patterns.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FingerprintSet {
    /// Sorted, without repetition.
    patterns: Vec<FingerprintPattern>,
}

impl FingerprintSet {
    /// Whether the set holds no pattern.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// How many different patterns the set holds.
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// The patterns, sorted.
    pub fn iter(&self) -> core::slice::Iter<'_, FingerprintPattern> {
        self.patterns.iter()
    }

    /// Whether some pattern matches the JA3.
    pub fn matches_ja3(&self, ja3: &Ja3) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches_ja3(ja3))
    }

    /// Whether some pattern matches the JA4.
    pub fn matches_ja4(&self, ja4: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches_ja4(ja4))
    }
}

impl FromIterator<FingerprintPattern> for FingerprintSet {
    fn from_iter<I: IntoIterator<Item = FingerprintPattern>>(patterns: I) -> Self {
        let mut patterns: Vec<_> = patterns.into_iter().collect();
        patterns.sort_unstable();
        patterns.dedup();
        Self { patterns }
    }
}

impl<'a> IntoIterator for &'a FingerprintSet {
    type Item = &'a FingerprintPattern;
    type IntoIter = core::slice::Iter<'a, FingerprintPattern>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Why a text is not a pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FingerprintError {
    /// Five fields of numbers were expected.
    Ja3Text,
    /// Three parts were expected.
    Ja4,
    /// It has the form of no fingerprint.
    Unknown,
}

impl fmt::Display for FingerprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ja3Text => "a JA3 in full has five fields of numbers, as `771,4865-4866,0-23,29-23,0`",
            Self::Ja4 => "a JA4 has three parts, as `t13d1516h2_8daaf6152771_02713d6af862`, each of which may be `*`",
            Self::Unknown => "a fingerprint is a JA3 (32 hexadecimal digits, or its five fields) or a JA4",
        })
    }
}

impl std::error::Error for FingerprintError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> FingerprintPattern {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// A pattern is written as it is read.
    #[test]
    fn grammar_round_trips() {
        for text in [
            "e37d0c517fb52078c90b3af05eca2e36",
            "771,4866-4865-4867,51-43-13-10-0-16-57,23-24-29-30,",
            "t13d1516h2_8daaf6152771_02713d6af862",
            "t13d1516h2_8daaf6152771_*",
            "*_8daaf6152771_*",
            "dd2i060500_b94582744588_8044892e9116",
        ] {
            assert_eq!(pattern(text).to_string(), text);
        }
        assert_eq!(pattern("E37D0C517FB52078C90B3AF05ECA2E36").to_string(), "e37d0c517fb52078c90b3af05eca2e36");
    }

    /// What is no pattern, and why.
    #[test]
    fn refuses() {
        use FingerprintError::{Ja3Text, Ja4, Unknown};
        for (text, error) in [
            ("", Unknown),
            ("firefox", Unknown),
            ("e37d0c517fb52078c90b3af05eca2e3", Unknown),
            ("771,4865,0,29", Ja3Text),
            ("771,4865,0,29,x", Ja3Text),
            ("t13d1516h2_8daaf6152771", Ja4),
            ("x13d1516h2_8daaf6152771_02713d6af862", Ja4),
            ("t13d1516h2_8daaf615277_02713d6af862", Ja4),
            ("t13d1516h2_8daaf6152771_02713d6af86x", Ja4),
        ] {
            assert_eq!(text.parse::<FingerprintPattern>(), Err(error), "{text}");
        }
    }

    /// RU-TG-1: a pattern without the last part means every release of a browser whose ciphers are these.
    #[test]
    fn ru_tg_1_parts_that_do_not_matter() {
        let (chrome_131, chromium_156) =
            ("t13d1516h2_8daaf6152771_02713d6af862", "t13d1517h2_8daaf6152771_cb7bf5808d99");
        let set = |texts: &[&str]| texts.iter().map(|text| pattern(text)).collect::<FingerprintSet>();
        for (texts, expected) in [
            (&[chrome_131][..], [true, false]),
            (&["*_8daaf6152771_*"], [true, true]),
            (&["t13d1516h2_*_*"], [true, false]),
            (&["q13d0312h3_55b375c5d22e_*", "e37d0c517fb52078c90b3af05eca2e36"], [false, false]),
        ] {
            let set = set(texts);
            assert_eq!([chrome_131, chromium_156].map(|ja4| set.matches_ja4(ja4)), expected, "{texts:?}");
        }
        assert!(!pattern("*_*_*").matches_ja4("t13d1516h2_8daaf6152771"));
    }

    /// A JA3 is meant by its hash or by its fields.
    #[test]
    fn ja3_by_hash_or_fields() {
        let ja3 = Ja3 { text: "771,1,2,3,0".into(), hash: "e37d0c517fb52078c90b3af05eca2e36".into() };
        for (text, expected) in [(&*ja3.hash, true), (&*ja3.text, true), ("771,1,2,3,", false), ("*_*_*", false)] {
            assert_eq!(pattern(text).matches_ja3(&ja3), expected, "{text}");
            assert_eq!(pattern(text).is_ja3(), text != "*_*_*");
        }
    }
}
