//! The one place that writes to stdout and stderr: data to the first, everything else to the second.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};

/// Writes data. A reader that went away, as `head` does, is no error.
pub(crate) fn data(text: impl Display) -> io::Result<()> {
    pass_over_broken_pipe(write!(io::stdout().lock(), "{text}").and_then(|()| io::stdout().flush()))
}

/// Writes documents as JSON, one a line.
pub(crate) fn lines(file: &mut impl Write, documents: &[impl serde::Serialize]) -> io::Result<()> {
    for document in documents {
        serde_json::to_writer(&mut *file, document)?;
        file.write_all(b"\n")?;
    }
    file.flush()
}

/// Writes a line of notice.
pub(crate) fn notice(text: impl Display) {
    // With stderr gone there is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes an error, and what to do about it.
pub(crate) fn error(text: impl Display, help: Option<&str>) {
    let paint = Paint::for_stderr();
    notice(format_args!("{} {text}", paint.bad("error:")));
    if let Some(help) = help {
        notice(format_args!("{} {}", paint.strong("help:"), help.replace('\n', "\n      ")));
    }
}

/// Shows how far a run is in one line that changes; without a terminal there is nobody who watches.
pub(crate) fn progress_on_terminal(text: impl Display) {
    let mut stderr = io::stderr().lock();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r\x1b[2K{text}");
        let _ = stderr.flush();
    }
}

/// Says how far a run is in a line that stays where nobody watches, so that a log shows it.
pub(crate) fn milestone(text: impl Display) {
    if !io::stderr().is_terminal() {
        notice(text);
    }
}

/// Takes the line of [`progress_on_terminal`] away again.
pub(crate) fn progress_ends() {
    let mut stderr = io::stderr().lock();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r\x1b[2K");
        let _ = stderr.flush();
    }
}

fn pass_over_broken_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Colours, or none. All that is said is said in words too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    coloured: bool,
}

impl Paint {
    /// Colours where stdout is a terminal and `NO_COLOR` is not set.
    pub(crate) fn for_stdout() -> Self {
        Self { coloured: io::stdout().is_terminal() && wanted() }
    }

    /// Colours where stderr is a terminal and `NO_COLOR` is not set.
    pub(crate) fn for_stderr() -> Self {
        Self { coloured: io::stderr().is_terminal() && wanted() }
    }

    /// No colours.
    pub(crate) const fn none() -> Self {
        Self { coloured: false }
    }

    /// Whether there are colours.
    pub(crate) const fn is_coloured(self) -> bool {
        self.coloured
    }

    /// As it should be.
    pub(crate) fn good<T: Display>(self, text: T) -> Painted<T> {
        self.painted("32", text)
    }

    /// Blocked, or failed.
    pub(crate) fn bad<T: Display>(self, text: T) -> Painted<T> {
        self.painted("31", text)
    }

    /// Not to be trusted.
    pub(crate) fn doubtful<T: Display>(self, text: T) -> Painted<T> {
        self.painted("33", text)
    }

    /// A heading.
    pub(crate) fn strong<T: Display>(self, text: T) -> Painted<T> {
        self.painted("1", text)
    }

    /// Aside.
    pub(crate) fn faint<T: Display>(self, text: T) -> Painted<T> {
        self.painted("2", text)
    }

    fn painted<T>(self, code: &'static str, text: T) -> Painted<T> {
        Painted { code: self.coloured.then_some(code), text }
    }
}

/// A text in a colour, or not.
#[derive(Debug)]
pub(crate) struct Painted<T> {
    code: Option<&'static str>,
    text: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, text } = self;
        match code {
            Some(code) => write!(f, "\x1b[{code}m{text}\x1b[0m"),
            None => text.fmt(f),
        }
    }
}

/// `NO_COLOR` counts where it is set and not empty (no-color.org).
fn wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_a_text_is_itself() {
        assert_eq!(Paint::none().bad("reset").to_string(), "reset");
        assert_eq!(Paint { coloured: true }.bad("reset").to_string(), "\x1b[31mreset\x1b[0m");
    }
}
