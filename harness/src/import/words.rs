//! What may stand in a scenario file: host names that are some, and texts that are quoted.

use std::fmt;

/// A host name: labels of letters, digits, `-` and `_`, in lower case.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct HostName(String);

impl HostName {
    /// The name, where the text is one. An address is none.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let text = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let is_label = |label: &str| {
            let fine = |each: u8| each.is_ascii_alphanumeric() || matches!(each, b'-' | b'_');
            (1..=63).contains(&label.len()) && label.bytes().all(fine)
        };
        let is_name = text.len() <= 253 && text.split('.').all(is_label) && text.parse::<std::net::IpAddr>().is_err();
        is_name.then_some(Self(text))
    }

    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text as TOML's basic string, whatever is in it. At a text's beginning `$` calls a parameter, and `$$` is itself.
pub(crate) fn quoted(text: &str) -> String {
    if text.starts_with('$') {
        roadblock_scenarios::quoted(&format!("${text}"))
    } else {
        roadblock_scenarios::quoted(text)
    }
}

/// Items as a TOML array of texts.
pub(crate) fn array<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| quoted(&item.to_string())).collect();
    format!("[{}]", items.join(", "))
}

/// A text for a comment or a message: one line, not long.
pub(crate) fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|each| if each.is_control() { ' ' } else { each }).take(LONGEST + 1).collect();
    if line.chars().count() > LONGEST { line.chars().take(LONGEST - 1).chain(['…']).collect() } else { line }
}

/// A text as a part of an id: lower-case letters, digits and `-`.
pub(crate) fn slug(text: &str) -> String {
    let word: String = text
        .chars()
        .map(|each| if each.is_ascii_alphanumeric() { each.to_ascii_lowercase() } else { '-' })
        .take(LONGEST_SLUG)
        .collect();
    word.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

const LONGEST: usize = 160;
const LONGEST_SLUG: usize = 60;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_told_from_other_things() {
        assert_eq!(HostName::new("Web.WhatsApp.com.").expect("a name").as_str(), "web.whatsapp.com");
        for wrong in ["", ".", "a..b", "1.2.3.4", "::1", "a b", "a\"b", "яндекс.рф", "a/b"] {
            assert_eq!(HostName::new(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_quoted_text_is_one_line_and_itself_again(text in any::<String>()) {
            let written = quoted(&text);
            prop_assert!(!written.contains('\n'));
            let scenario = format!("id = \"a/b\"\ntitle = {written}\nnonsense = 1\n");
            // That a key is unknown is the only mistake of the text itself: the string ends where it must.
            let mistakes = roadblock_scenarios::resolve(&scenario, "t.toml", &roadblock_scenarios::Library::embedded());
            let mistakes = mistakes.expect_err("a mistake").all;
            prop_assert!(mistakes.iter().any(|each| each.message.contains("nonsense")), "{mistakes:?}");
        }

        #[test]
        fn a_comment_stays_on_its_line(text in any::<String>()) {
            let line = one_line(&text);
            prop_assert!(!line.chars().any(char::is_control) && line.chars().count() <= LONGEST);
        }

        #[test]
        fn a_slug_is_plain(text in any::<String>()) {
            prop_assert!(slug(&text).bytes().all(|each| each.is_ascii_lowercase() || each.is_ascii_digit() || each == b'-'));
        }
    }
}
