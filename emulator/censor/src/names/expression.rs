//! Names that a regular expression describes (TM-2 `/.*\.cyou$/`).

use regex::bytes::{RegexSet, RegexSetBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Dot, Hir, HirKind, Look, Repetition};

use super::NamePatternError;

/// Regular expressions, put together so that a name is read once for all of them, or for a part of them where they are too
/// large to be one automaton.
#[derive(Clone, Debug, Default)]
pub(super) struct Expressions {
    /// Which of the places each set begins at.
    sets: Vec<(usize, RegexSet)>,
    /// The places of the expressions in the list, in order.
    places: Vec<u32>,
}

/// What an expression amounts to that is only a text: `.*\.cyou$` is a suffix. Thousands of such expressions are one small
/// automaton as texts, and an enormous one as what they are written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Plain {
    /// The text, in small letters.
    pub(super) text: Vec<u8>,
    /// Whether a name begins with it.
    pub(super) at_start: bool,
    /// Whether a name ends with it.
    pub(super) at_end: bool,
}

impl Expressions {
    /// Takes expressions that [`check`] found sound, with their places in the list, in order.
    pub(super) fn new<'a>(expressions: impl Iterator<Item = (u32, &'a str)>) -> Self {
        let (places, expressions): (Vec<u32>, Vec<&str>) = expressions.unzip();
        let mut sets = Vec::new();
        add(&expressions, 0, &mut sets);
        Self { sets, places }
    }

    /// The place of the first expression that a name matches.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.sets.iter().find_map(|(first, set)| {
            // Asking whether any matches is much cheaper than asking which.
            let matches = set.is_match(name.as_bytes()).then(|| set.matches(name.as_bytes()))?;
            matches.iter().next().and_then(|index| self.places.get(first + index).copied())
        })
    }
}

impl Plain {
    /// What an expression amounts to, if that is a text.
    pub(super) fn of(expression: &str) -> Option<Self> {
        // A flag could change what the letters mean.
        if expression.contains("(?") {
            return None;
        }
        let hir =
            ParserBuilder::new().unicode(false).utf8(false).nest_limit(MAX_NEST).build().parse(expression).ok()?;
        let parts = match hir.kind() {
            HirKind::Concat(parts) => parts.as_slice(),
            _ => core::slice::from_ref(&hir),
        };
        let mut plain = Self::default();
        let (mut parts, is_any) = (parts, |part: &Hir| is_anything(part));
        while let Some((first, rest)) = parts.split_first() {
            match first.kind() {
                HirKind::Look(Look::Start) => (plain.at_start, parts) = (true, rest),
                // After the start, anything makes it a text that may stand anywhere.
                _ if is_any(first) => (plain.at_start, parts) = (false, rest),
                _ => break,
            }
        }
        while let Some((last, rest)) = parts.split_last() {
            match last.kind() {
                HirKind::Look(Look::End) => (plain.at_end, parts) = (true, rest),
                _ if is_any(last) => (plain.at_end, parts) = (false, rest),
                _ => break,
            }
        }
        match parts {
            [only] => match only.kind() {
                HirKind::Literal(literal) => plain.text = literal.0.to_ascii_lowercase(),
                _ => return None,
            },
            _ => return None,
        }
        Some(plain)
    }
}

/// Whether it is `.*`. No name holds the line's end that a dot does not match.
fn is_anything(hir: &Hir) -> bool {
    let HirKind::Repetition(Repetition { min: 0, max: None, sub, .. }) = hir.kind() else { return false };
    [Dot::AnyByteExceptLF, Dot::AnyByte].into_iter().any(|dot| **sub == Hir::dot(dot))
}

/// Whether an expression is sound, and small enough to be used.
pub(super) fn check(expression: &str) -> Result<(), NamePatternError> {
    if expression.is_empty() {
        return Err(NamePatternError::Empty);
    }
    match compile(&[expression], MAX_ONE) {
        Ok(_) => Ok(()),
        Err(regex::Error::CompiledTooBig(_)) => Err(NamePatternError::ExpressionTooLarge),
        Err(error) => {
            // The last line says why; those before it show where.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            Err(NamePatternError::BadExpression(reason.trim_start_matches("error: ").to_owned()))
        }
    }
}

/// Whether a name in normal form matches one expression. It is compiled for this alone: a set is faster.
pub(super) fn matches(expression: &str, name: &str) -> bool {
    compile(&[expression], MAX_ONE).is_ok_and(|set| set.is_match(name.as_bytes()))
}

fn add(expressions: &[&str], first: usize, sets: &mut Vec<(usize, RegexSet)>) {
    if expressions.is_empty() {
        return;
    }
    match compile(expressions, MAX_SET) {
        Ok(set) => sets.push((first, set)),
        // Each alone is sound, so only together they are too large.
        Err(_) if expressions.len() > 1 => {
            let (front, back) = expressions.split_at(expressions.len() / 2);
            add(front, first, sets);
            add(back, first + front.len(), sets);
        }
        Err(_) => {}
    }
}

fn compile(expressions: &[&str], size_limit: usize) -> Result<RegexSet, regex::Error> {
    RegexSetBuilder::new(expressions)
        .case_insensitive(true)
        // Names on the wire are ASCII (RFC 5891), and classes of other alphabets are large.
        .unicode(false)
        .size_limit(size_limit)
        .dfa_size_limit(MAX_SET)
        .nest_limit(MAX_NEST)
        .build()
}

/// How many bytes one expression may take when it is compiled.
const MAX_ONE: usize = 256 * 1024;
/// How many bytes those of one set may take.
const MAX_SET: usize = 16 * 1024 * 1024;
/// How deep an expression may be nested.
const MAX_NEST: u32 = 50;

#[cfg(test)]
mod tests {
    use super::*;

    /// TM-2: which expressions are only texts, and which are not.
    #[test]
    fn tm_2_plain_expressions() {
        let plain = |expression: &str| {
            Plain::of(expression).map(|it| (String::from_utf8(it.text).expect("text"), it.at_start, it.at_end))
        };
        for (expression, text, at_start, at_end) in [
            (r".*\.cyou$", ".cyou", false, true),
            ("wn\\.com", "wn.com", false, false),
            ("^a$", "a", true, true),
            ("^.*a.*$", "a", false, false),
            ("^Ab", "ab", true, false),
        ] {
            assert_eq!(plain(expression), Some((text.to_owned(), at_start, at_end)), "{expression}");
        }
        for expression in ["wn.com", "a+", "a|b", "[ab]", "^", ".*", "(?i)a", "a$b", "a.+", r"\ba"] {
            assert_eq!(plain(expression), None, "{expression}");
        }
    }
}
