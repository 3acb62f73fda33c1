//! Text in Markdown, as GitHub and GitLab show it.

use std::fmt;

/// A text that stays one cell of a table, or one line, and is no markup.
pub(crate) fn plain<T: fmt::Display>(text: T) -> String {
    let mut plain = String::new();
    for letter in text.to_string().chars() {
        match letter {
            '\r' => {}
            '\n' => plain.push(' '),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '&' => plain.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '~' | '|' | '[' | ']' | '#' | '@' | '!' | '$' => plain.extend(['\\', letter]),
            other => plain.push(other),
        }
    }
    plain
}

/// A text in the typeface of code, which may stand in a cell: in an element, because backticks know no escape.
pub(crate) fn code<T: fmt::Display>(text: T) -> String {
    format!("<code>{}</code>", plain(text))
}

/// Cuts a summary to what GitHub takes of one step: 1 MiB. Whole lines stay, and what is missing is said.
pub(crate) fn within_limit(mut text: String) -> String {
    const LIMIT: usize = 1_000_000;
    const CUT: &str = "\n\nThe rest is too long for a summary.\n";
    if text.len() > LIMIT {
        let mut end = LIMIT - CUT.len();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(text[..end].rfind('\n').unwrap_or(end));
        text.push_str(CUT);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_said_becomes_markup() {
        assert_eq!(plain("a|b\n`c` <d> & *e* _f_ @g"), "a\\|b \\`c\\` &lt;d&gt; &amp; \\*e\\* \\_f\\_ \\@g");
        assert_eq!(code("a|`b`"), "<code>a\\|\\`b\\`</code>");
    }

    #[test]
    fn a_long_summary_ends_with_a_whole_line_and_says_so() {
        let long = within_limit("один два\n".repeat(100_000));
        assert!(
            long.len() <= 1_000_000 && long.ends_with("два\n\nThe rest is too long for a summary.\n"),
            "{}",
            long.len()
        );
        assert_eq!(within_limit("short".to_owned()), "short");
    }
}
