//! Aligned columns.

use crate::output::Paint;

/// A cell: what it says and how it is painted.
#[derive(Clone, Debug)]
struct Cell {
    text: String,
    painted: String,
}

/// Rows of cells. Each column is as wide as its widest cell; paint takes no room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A row of headings.
    pub(crate) fn headings<T: Into<String>>(&mut self, paint: Paint, texts: impl IntoIterator<Item = T>) {
        let painted = |text: String| Cell { painted: paint.faint(&text).to_string(), text };
        self.rows.push(texts.into_iter().map(|text| painted(text.into())).collect());
    }

    /// A row without colours.
    pub(crate) fn row<T: Into<String>>(&mut self, texts: impl IntoIterator<Item = T>) {
        let plain = |text: String| Cell { painted: text.clone(), text };
        self.rows.push(texts.into_iter().map(|text| plain(text.into())).collect());
    }

    /// A row of texts, each with the same text painted.
    pub(crate) fn painted_row(&mut self, cells: impl IntoIterator<Item = (String, String)>) {
        self.rows.push(cells.into_iter().map(|(text, painted)| Cell { text, painted }).collect());
    }

    /// A text that goes through all columns.
    pub(crate) fn note(&mut self, paint: Paint, text: &str) {
        self.rows.push(vec![Cell { text: text.to_owned(), painted: paint.faint(text).to_string() }]);
    }

    /// The lines, each with this before it and no blanks at its end.
    pub(crate) fn render(&self, indent: &str) -> String {
        let widths = self.widths();
        let lines = self.rows.iter().map(|row| {
            let mut line = indent.to_owned();
            for (column, cell) in row.iter().enumerate() {
                line.push_str(&cell.painted);
                if column + 1 < row.len() {
                    let width = widths.get(column).copied().unwrap_or_default();
                    line.push_str(&" ".repeat(width + GAP - cell.text.chars().count()));
                }
            }
            line.trim_end().to_owned() + "\n"
        });
        lines.collect()
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            // A note has no columns.
            let cells = self.rows.iter().filter(|row| row.len() > 1).filter_map(|row| row.get(column));
            cells.map(|cell| cell.text.chars().count()).max().unwrap_or_default()
        };
        (0..columns).map(width).collect()
    }
}

const GAP: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::default();
        table.headings(Paint::none(), ["", "before", "full-block"]);
        table.row(["WhatsApp web", "ok", "dns NXDOMAIN"]);
        table.row(["МАКС", "ok", ""]);
        insta::assert_snapshot!(table.render("| "), @r"
        |               before  full-block
        | WhatsApp web  ok      dns NXDOMAIN
        | МАКС          ok
        ");
    }
}
