//! A matrix as Markdown: what a job's summary shows.

use std::fmt::{self, Write};

use super::changes::{KINDS, before_and_now, consequence, sum, tool_words};
use super::compare::{ChangeKind, Changes};
use super::document::Document;
use super::told::{Look, by, cell_at, felt, reason, rows};
use crate::report::markdown::{code, plain, within_limit};

/// What changed, the matrix, and what did it.
pub(super) fn summary(document: &Document) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, document);
    within_limit(text)
}

fn write(text: &mut String, document: &Document) -> fmt::Result {
    let (works, all) = (count(document, Look::Works), document.cells.len());
    writeln!(text, "## roadblock matrix: {works} of {all} cells work\n")?;
    if let Some(changes) = &document.changes {
        write_changes(text, changes)?;
    }
    table(text, document)?;
    details(text, document)?;
    let seconds = document.milliseconds / 1000;
    writeln!(text, "\nseed {}, {seconds} s, roadblock {}", document.seed, plain(&document.version))
}

fn count(document: &Document, look: Look) -> usize {
    document.cells.iter().filter(|cell| Look::of(&cell.verdict) == look).count()
}

fn write_changes(text: &mut String, changes: &Changes) -> fmt::Result {
    let sign = if changes.are_accepted() { "✅" } else { "❌" };
    writeln!(text, "{sign} {}\n", plain(sum(changes)))?;
    for tool in &changes.tools {
        writeln!(text, "- {}", plain(tool_words(tool)))?;
    }
    for kind in KINDS.into_iter().filter(|kind| !matches!(kind, ChangeKind::New | ChangeKind::Gone)) {
        let mut cells = changes.of_kind(kind).peekable();
        if cells.peek().is_some() {
            writeln!(text, "\n### {}\n\n{}\n", kind.as_str(), plain(consequence(kind)))?;
            writeln!(text, "| tool | where | before, now |\n|---|---|---|")?;
        }
        for change in cells {
            let (tool, place) = (plain(&change.tool), plain(&change.place));
            writeln!(text, "| {tool} | {place} | {} |", plain(before_and_now(change)))?;
        }
    }
    text.write_str("\n")
}

fn table(text: &mut String, document: &Document) -> fmt::Result {
    let tools: Vec<String> = document.tools.iter().map(|tool| plain(&tool.name)).collect();
    writeln!(text, "| phase | date | {} |\n|---|---|{}", tools.join(" | "), "---|".repeat(tools.len()))?;
    for row in rows(document) {
        let (phase, vantage) = row;
        let date = phase.date.as_deref().unwrap_or_default();
        let place = format!("{}@{} from {vantage}", phase.scenario, phase.phase);
        write!(text, "| {} | {date} |", plain(place))?;
        for tool in &document.tools {
            match cell_at(document, &tool.name, row) {
                Some((_, cell)) => write!(text, " {} {} |", sign(Look::of(&cell.verdict)), plain(&cell.verdict))?,
                None => text.write_str(" |")?,
            }
        }
        text.write_str("\n")?;
    }
    Ok(())
}

/// What did it, folded: it is long.
fn details(text: &mut String, document: &Document) -> fmt::Result {
    let mut told = document.cells.iter().filter(|cell| Look::of(&cell.verdict) != Look::Works).peekable();
    if told.peek().is_none() {
        return Ok(());
    }
    text.write_str("\n<details><summary>What did it</summary>\n\n")?;
    writeln!(text, "| tool | where | verdict | by |\n|---|---|---|---|")?;
    for cell in told {
        let verdict = if reason(&cell.verdict).is_some() { felt(cell) } else { cell.verdict.to_string() };
        let by = by(cell).map(code).unwrap_or_default();
        writeln!(text, "| {} | {} | {} | {by} |", plain(&cell.tool), plain(cell.place()), plain(verdict))?;
    }
    text.write_str("\n</details>\n")
}

const fn sign(look: Look) -> &'static str {
    match look {
        Look::Works => "✅",
        Look::Partly => "🟡",
        Look::Blocked => "⛔",
        Look::Unknown => "❔",
    }
}
