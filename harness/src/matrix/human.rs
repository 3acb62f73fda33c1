//! The matrix as a table.

use std::fmt::{self, Write};

use super::changes::write_changes;
use super::document::{CellEntry, Document, MatrixConclusion};
use super::told::{by, reason};
use super::verdict::Verdict;
use crate::output::Paint;
use crate::run::Table;

/// A row for each phase and vantage, a column for each tool; then what did it, the sum, and what is not as in the baseline.
pub(crate) fn render(document: &Document, paint: Paint) -> String {
    let mut text = table(document, paint);
    // Writing to a string cannot fail.
    let _ = details(&mut text, document, paint).and_then(|()| sum(&mut text, document, paint));
    if let Some(changes) = &document.changes {
        let _ = write_changes(&mut text, changes, paint);
    }
    text
}

fn table(document: &Document, paint: Paint) -> String {
    let mut table = Table::default();
    let tools = document.tools.iter().map(|tool| tool.name.clone());
    table.headings(paint, [String::new(), String::new()].into_iter().chain(tools));
    let mut rows: Vec<(String, &str)> = Vec::new();
    for cell in &document.cells {
        let row = (cell.phase_name(), cell.vantage.as_str());
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    for (phase, vantage) in rows {
        let plain = |text: &str| (text.to_owned(), text.to_owned());
        let of_tool = |name: &str| {
            let found = document
                .cells
                .iter()
                .find(|cell| cell.tool == name && cell.vantage == vantage && cell.phase_name() == phase);
            found.map_or_else(|| plain(""), |cell| (cell.verdict.to_string(), painted(&cell.verdict, paint)))
        };
        let cells = document.tools.iter().map(|tool| of_tool(&tool.name));
        table.painted_row([plain(&phase), plain(vantage)].into_iter().chain(cells));
    }
    table.render("")
}

fn painted(verdict: &Verdict, paint: Paint) -> String {
    match verdict {
        Verdict::Works => paint.good(verdict).to_string(),
        Verdict::Untried { .. } => paint.faint(verdict).to_string(),
        Verdict::Broken { .. } | Verdict::Invalid { .. } | Verdict::Slow { .. } => paint.doubtful(verdict).to_string(),
        _ => paint.bad(verdict).to_string(),
    }
}

fn details(text: &mut String, document: &Document, paint: Paint) -> fmt::Result {
    for tool in &document.tools {
        let own: Vec<&CellEntry> =
            document.cells.iter().filter(|cell| cell.tool == tool.name && cell.verdict != Verdict::Works).collect();
        if own.is_empty() {
            continue;
        }
        let version = tool.version.as_ref().map(|version| format!(" ({version})")).unwrap_or_default();
        writeln!(text, "\n{}{version}", paint.strong(&tool.name))?;
        // The same reason for all its cells is said once.
        if let [first, rest @ ..] = own.as_slice()
            && let Some(reason) = reason(&first.verdict)
            && rest.iter().all(|cell| cell.verdict == first.verdict)
        {
            writeln!(text, "  {}: {reason}", painted(&first.verdict, paint))?;
            continue;
        }
        for cell in own {
            write!(text, "  {} {}: {}", cell.phase_name(), cell.vantage, painted(&cell.verdict, paint))?;
            writeln!(text, "{}", why(cell))?;
        }
    }
    Ok(())
}

/// The rules that did it, or what else is known.
fn why(cell: &CellEntry) -> String {
    if let Some(reason) = reason(&cell.verdict) {
        return format!(": {reason}");
    }
    let by = by(cell).map(|by| format!(" by {by}"));
    by.or_else(|| cell.notes.last().map(|note| format!(": {note}"))).unwrap_or_default()
}

fn sum(text: &mut String, document: &Document, paint: Paint) -> fmt::Result {
    let count = |wanted: &dyn Fn(&Verdict) -> bool| document.cells.iter().filter(|cell| wanted(&cell.verdict)).count();
    let works = count(&|verdict| *verdict == Verdict::Works);
    let untried = count(&|verdict| matches!(verdict, Verdict::Untried { .. }));
    let broken = count(&|verdict| matches!(verdict, Verdict::Broken { .. }));
    let invalid = count(&|verdict| matches!(verdict, Verdict::Invalid { .. }));
    let seconds = document.milliseconds / 1000;
    write!(
        text,
        "\n{} tools, {} phases: {works} of {} cells work",
        document.tools.len(),
        document.phases.len(),
        document.cells.len()
    )?;
    for (count, what) in [(broken, "broken"), (untried, "untried"), (invalid, "invalid")] {
        if count > 0 {
            write!(text, ", {count} {what}")?;
        }
    }
    writeln!(text, ", seed {}, {seconds}.{} s", document.seed, document.milliseconds % 1000 / 100)?;
    match document.conclusion {
        MatrixConclusion::Interrupted => writeln!(text, "{}", paint.doubtful("ended early: not all was measured")),
        MatrixConclusion::Measured | MatrixConclusion::Invalid => Ok(()),
    }
}
