//! What GitHub's runner reads from a job's output: [workflow commands], one a line.
//!
//! [workflow commands]: https://docs.github.com/actions/reference/workflow-commands-for-github-actions

use std::fmt;

/// A remark that GitHub shows beside a line of a file, or with the job where there is no file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Annotation {
    /// How bad it is.
    pub(crate) level: Level,
    /// The file, as the job's steps name it, and the line, from 1.
    pub(crate) place: Option<(String, u32)>,
    /// The heading.
    pub(crate) title: String,
    /// What is said.
    pub(crate) message: String,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Level {
    /// It went wrong.
    Error,
    /// Somebody should look.
    Warning,
    /// It is said.
    Notice,
}

impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { level, place, title, message } = self;
        let level = match level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        };
        write!(f, "::{level} ")?;
        if let Some((file, line)) = place {
            write!(f, "file={},line={line},", property(file))?;
        }
        write!(f, "title={}::{}", property(title), message_of(message))
    }
}

/// A property's value: a colon and a comma would end it (actions/toolkit, `escapeProperty`).
fn property(text: &str) -> String {
    message_of(text).replace(':', "%3A").replace(',', "%2C")
}

/// What is said, on one line (actions/toolkit, `escapeData`).
fn message_of(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_command_is_as_github_documents_it() {
        let annotation = Annotation {
            level: Level::Error,
            place: Some(("my, own/a:b.toml".to_owned(), 29)),
            title: "reset: phase x".to_owned(),
            message: "expected  tls, 100 %\nseen      ok".to_owned(),
        };
        assert_eq!(
            annotation.to_string(),
            "::error file=my%2C own/a%3Ab.toml,line=29,title=reset%3A phase x::expected  tls, 100 %25%0Aseen      ok"
        );
        let annotation = Annotation { level: Level::Warning, place: None, ..annotation };
        assert!(annotation.to_string().starts_with("::warning title=reset%3A phase x::expected"));
    }

    /// As the runner reads it back (actions/runner, `ActionCommand.cs`).
    fn unescaped(text: &str) -> String {
        let text = text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",");
        text.replace("%25", "%")
    }

    proptest! {
        #[test]
        fn what_is_said_stays_on_its_line_and_is_read_back(title in "\\PC*|[%:,\\r\\n03ACD]*", message in "\\PC*|[%:,\\r\\n03ACD]*") {
            let annotation =
                Annotation { level: Level::Notice, place: None, title: title.clone(), message: message.clone() };
            let command = annotation.to_string();
            prop_assert!(!command.contains(['\r', '\n']));
            let rest = command.strip_prefix("::notice title=").expect("a command");
            let (read_title, read_message) = rest.split_once("::").expect("a message");
            prop_assert_eq!(unescaped(read_title), title);
            prop_assert_eq!(unescaped(read_message), message);
        }
    }
}
