//! Where a thing stands in a file.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

/// A file's text and its name, as messages call it.
#[derive(Debug)]
pub struct SourceFile {
    name: Arc<str>,
    text: Arc<str>,
    /// The offset of each line's first byte.
    lines: Vec<usize>,
}

impl SourceFile {
    /// A file of this name with this text.
    pub fn new(name: &str, text: &str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name: name.into(), text: text.into(), lines }
    }

    /// What messages call it: a path, or a place in the library.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The place of these bytes. What lies past the end of the text is moved to the end.
    pub fn location(&self, span: Range<usize>) -> Location {
        let start = self.boundary(span.start);
        let end = self.boundary(span.end.max(span.start));
        let line = self.lines.partition_point(|first| *first <= start);
        let first = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let column = self.text.get(first..start).map_or(0, |before| before.chars().count()) + 1;
        Location { file: Arc::clone(&self.name), span: start..end, line, column }
    }

    /// The nearest offset at or before this one where a character begins.
    fn boundary(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

/// A place in a file.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize)]
pub struct Location {
    /// The file's name.
    pub file: Arc<str>,
    /// The bytes.
    pub span: Range<usize>,
    /// The line of the first byte, from 1.
    pub line: usize,
    /// The character in that line, from 1.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A value that knows where it was written.
#[derive(Clone, Debug)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) at: Location,
}

impl<T> std::ops::Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A text that knows where it was written.
pub(crate) type Text = Spanned<String>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let file = SourceFile::new("a.toml", "é = 1\nb = 2\n");
        assert_eq!(file.location(0..2).to_string(), "a.toml:1:1");
        assert_eq!(file.location(3..4).to_string(), "a.toml:1:3");
        assert_eq!(file.location(7..8).to_string(), "a.toml:2:1");
    }

    #[test]
    fn places_outside_the_text_and_inside_a_character_are_moved_into_it() {
        let file = SourceFile::new("a.toml", "é");
        assert_eq!(file.location(1..99).span, 0..2);
        assert_eq!(file.location(50..60).span, 2..2);
    }
}
