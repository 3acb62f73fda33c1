//! Text in a page.

use std::fmt::{self, Display, Write};

/// A text that cannot be taken for markup, in an element or in a quoted attribute.
pub(crate) fn escaped<T: Display>(text: T) -> Escaped<T> {
    Escaped(text)
}

/// See [`escaped`].
pub(crate) struct Escaped<T>(T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaper(f), "{}", self.0)
    }
}

struct Escaper<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escaper<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(['&', '<', '>', '"', '\'']) {
            let end = part.len() - usize::from(part.ends_with(['&', '<', '>', '"', '\'']));
            self.0.write_str(&part[..end])?;
            match &part[end..] {
                "&" => self.0.write_str("&amp;")?,
                "<" => self.0.write_str("&lt;")?,
                ">" => self.0.write_str("&gt;")?,
                "\"" => self.0.write_str("&quot;")?,
                "'" => self.0.write_str("&#39;")?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// A length of time, short: `0.4 ms`, `76.0 s`.
pub(crate) fn duration(microseconds: u64) -> String {
    let tenths = |value: u64, unit: u64| format!("{}.{}", value / unit, value % unit * 10 / unit);
    match microseconds {
        0..10_000 => format!("{} ms", tenths(microseconds, 1000)),
        10_000..1_000_000 => format!("{} ms", microseconds / 1000),
        1_000_000..100_000_000 => format!("{} s", tenths(microseconds, 1_000_000)),
        _ => format!("{} s", microseconds / 1_000_000),
    }
}

/// A number of bytes, short: `517 B`, `1.9 kB`.
pub(crate) fn bytes(count: usize) -> String {
    match count {
        0..1000 => format!("{count} B"),
        1000..1_000_000 => format!("{}.{} kB", count / 1000, count % 1000 / 100),
        _ => format!("{}.{} MB", count / 1_000_000, count % 1_000_000 / 100_000),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(items: &[&str]) -> String {
    match items {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_said_becomes_markup() {
        assert_eq!(escaped("a<b> & \"c' d").to_string(), "a&lt;b&gt; &amp; &quot;c&#39; d");
        assert_eq!(escaped("").to_string(), "");
    }

    #[test]
    fn times_sizes_and_lists_are_short() {
        let times = [0, 440, 12_345, 1_270_000, 76_000_000].map(duration);
        assert_eq!(times, ["0.0 ms", "0.4 ms", "12 ms", "1.2 s", "76.0 s"]);
        assert_eq!([517, 1999, 2_600_000].map(bytes), ["517 B", "1.9 kB", "2.6 MB"]);
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }
}
