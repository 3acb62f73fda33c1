//! A matrix as one page that needs nothing else: a heat map of tools by phases, and each cell's story.

mod details;

use std::fmt::{self, Write};

use super::changes::{KINDS, before_and_now, consequence, sum, tool_words};
use super::compare::{CellChange, ChangeKind, Changes};
use super::document::{CellEntry, Document, MatrixConclusion};
use super::told::{Look, by, cell_at, reason, rows};
use crate::report::html::shell;
use crate::report::html::text::escaped;

/// The page.
pub(super) fn page(document: &Document) -> String {
    let mut html = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut html, document);
    html
}

fn write(html: &mut String, document: &Document) -> fmt::Result {
    shell::head(html, "roadblock matrix", include_str!("style.css"))?;
    head(html, document)?;
    html.push_str("<main>\n");
    if let Some(changes) = &document.changes {
        write_changes(html, document, changes)?;
    }
    html.push_str("<section aria-labelledby=\"matrix\">\n<h2 id=\"matrix\">Tools by phases</h2>\n");
    legend(html);
    table(html, document)?;
    html.push_str("</section>\n<section aria-labelledby=\"cells\">\n<h2 id=\"cells\">Cell by cell</h2>\n");
    for (number, cell) in document.cells.iter().enumerate() {
        details::write(html, document, number, cell)?;
    }
    html.push_str("</section>\n<section aria-labelledby=\"tools\">\n<h2 id=\"tools\">Tools</h2>\n");
    tools(html, document)?;
    html.push_str("</section>\n</main>\n");
    shell::foot(html, &document.version, include_str!("script.js"))
}

fn head(html: &mut String, document: &Document) -> fmt::Result {
    let works = document.cells.iter().filter(|cell| Look::of(&cell.verdict) == Look::Works).count();
    writeln!(html, "<header>\n<h1>What gets through</h1>")?;
    writeln!(
        html,
        "<p class=\"lead\">{} tools in {} phases: {works} of {} cells work.</p>",
        document.tools.len(),
        document.phases.len(),
        document.cells.len()
    )?;
    match document.conclusion {
        MatrixConclusion::Measured => {}
        MatrixConclusion::Invalid => {
            html.push_str(
                "<p><span class=\"mark odd\">? invalid</span> A lab failed, so that some cells say nothing.</p>\n",
            );
        }
        MatrixConclusion::Interrupted => {
            html.push_str("<p><span class=\"mark odd\">? interrupted</span> Not all cells were measured.</p>\n");
        }
    }
    if let Some(changes) = &document.changes {
        let (class, sign) = if changes.are_accepted() { ("good", "✓") } else { ("bad", "✕") };
        writeln!(html, "<p><span class=\"mark {class}\">{sign}</span> {}.</p>", escaped(sum(changes)))?;
    }
    writeln!(
        html,
        "<p class=\"soft\">Seed {}, {} s, library <code>{}</code>.</p>\n</header>",
        document.seed,
        document.milliseconds / 1000,
        escaped(document.library.get(..12).unwrap_or(&document.library))
    )
}

fn write_changes(html: &mut String, document: &Document, changes: &Changes) -> fmt::Result {
    html.push_str("<section aria-labelledby=\"changes\">\n<h2 id=\"changes\">Beside the baseline</h2>\n");
    for tool in &changes.tools {
        writeln!(html, "<p>{}</p>", escaped(tool_words(tool)))?;
    }
    for kind in KINDS {
        let cells: Vec<&CellChange> = changes.of_kind(kind).collect();
        if cells.is_empty() {
            continue;
        }
        let class = if kind.is_failure() { "bad" } else { "odd" };
        writeln!(
            html,
            "<h3><span class=\"mark {class}\">{} ({})</span></h3>\n<p>{}.</p>",
            kind.as_str(),
            cells.len(),
            escaped(consequence(kind))
        )?;
        // What is new is seen in the table.
        if matches!(kind, ChangeKind::New | ChangeKind::Gone) {
            continue;
        }
        html.push_str("<ul>\n");
        for change in cells {
            let number =
                document.cells.iter().position(|cell| cell.tool == change.tool && cell.place() == change.place);
            let name = format!("{} {}", change.tool, change.place);
            let name = match number {
                Some(number) => format!("<a href=\"#c{number}\">{}</a>", escaped(name)),
                None => escaped(name).to_string(),
            };
            writeln!(html, "<li>{name}: {}</li>", escaped(before_and_now(change)))?;
        }
        html.push_str("</ul>\n");
    }
    html.push_str("</section>\n");
    Ok(())
}

fn legend(html: &mut String) {
    html.push_str(
        "<p class=\"legend\"><span class=\"mark good\">✓ works</span> <span class=\"mark odd\">~ works partly</span> \
         <span class=\"mark bad\">✕ blocked</span> <span class=\"mark none\">? not known</span> \
         <span class=\"soft\">Each cell leads to its story; arrow keys move from one to the next.</span></p>\n",
    );
}

fn table(html: &mut String, document: &Document) -> fmt::Result {
    html.push_str(
        "<div class=\"scroll\" role=\"region\" aria-labelledby=\"matrix\">\n<table class=\"heat\">\n<thead><tr>\
         <th scope=\"col\">phase</th>",
    );
    for tool in &document.tools {
        let version = tool.version.as_deref().map(|version| format!("<small>{}</small>", escaped(brief(version))));
        write!(html, "<th scope=\"col\">{}{}</th>", escaped(&tool.name), version.unwrap_or_default())?;
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in rows(document) {
        let (phase, vantage) = row;
        let date = phase.date.as_ref().map(|date| format!("<time>{}</time>, ", escaped(date))).unwrap_or_default();
        write!(
            html,
            "<tr><th scope=\"row\" title=\"{}\">{} <span class=\"phase\">{}</span><small>{date}from {}</small></th>",
            escaped(&phase.title),
            escaped(&phase.scenario).to_string().replace('/', "/<wbr>"),
            escaped(&phase.phase),
            escaped(vantage)
        )?;
        for tool in &document.tools {
            match cell_at(document, &tool.name, row) {
                Some((number, cell)) => heat(html, document, number, cell)?,
                None => html.push_str("<td></td>"),
            }
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n</div>\n");
    Ok(())
}

fn heat(html: &mut String, document: &Document, number: usize, cell: &CellEntry) -> fmt::Result {
    let look = Look::of(&cell.verdict);
    let change = document.changes.as_ref().and_then(|changes| changes.of_cell(cell));
    let mark = change.map(|change| {
        let before = change.before.as_ref().map(|felt| format!(": {} before", felt.verdict)).unwrap_or_default();
        format!("<small class=\"change\">Δ {}{}</small>", change.kind.as_str(), escaped(before))
    });
    let said = reason(&cell.verdict).map(brief).or_else(|| by(cell));
    let said = said.map(|said| format!("<small>{}</small>", escaped(said))).unwrap_or_default();
    write!(
        html,
        "<td class=\"cell\"><a class=\"{}\" href=\"#c{number}\"><b>{} {}</b>{said}{}</a></td>",
        class(look),
        look.sign(),
        escaped(&cell.verdict),
        mark.unwrap_or_default()
    )
}

/// What fits a column's head or a cell; all of it is in the parts below.
fn brief(text: &str) -> String {
    const MOST: usize = 40;
    let mut letters = text.chars();
    let begin: String = letters.by_ref().take(MOST).collect();
    if letters.next().is_some() { format!("{} …", begin.trim_end()) } else { begin }
}

fn tools(html: &mut String, document: &Document) -> fmt::Result {
    html.push_str("<dl class=\"grades\">\n");
    for tool in &document.tools {
        let about = tool.about.as_deref().unwrap_or_default();
        let version = tool.version.as_deref().unwrap_or("not known");
        writeln!(
            html,
            "<dt>{}</dt><dd>{} Version: {}. <code>{}</code></dd>",
            escaped(&tool.name),
            escaped(about),
            escaped(version),
            escaped(&tool.file)
        )?;
    }
    html.push_str("</dl>\n");
    Ok(())
}

/// The colour; what it says is said by the sign and the word too.
const fn class(look: Look) -> &'static str {
    match look {
        Look::Works => "good",
        Look::Partly => "odd",
        Look::Blocked => "bad",
        Look::Unknown => "none",
    }
}
