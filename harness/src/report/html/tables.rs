//! Target by phase for each vantage, beside control; each cell leads to its packets.

use std::fmt::{self, Write};

use super::text::escaped;
use super::{Page, sequence};
use crate::run::cell_text;
use crate::run::report::{CONTROL, Cell, TargetHead, VantageHead, Word};

/// One table for each vantage, and below it the pictures that its cells lead to.
pub(super) fn write(html: &mut String, page: &Page<'_>) -> fmt::Result {
    let is_only_control = page.report.vantages.iter().all(|vantage| vantage.name == CONTROL);
    for (index, vantage) in page.report.vantages.iter().enumerate() {
        if vantage.name == CONTROL && !is_only_control {
            continue;
        }
        table(html, page, index, vantage)?;
    }
    if let Some(index) = page.report.vantages.iter().position(|vantage| vantage.name == CONTROL && !is_only_control) {
        let network = escaped(&page.report.vantages[index].network);
        writeln!(html, "<h3>{CONTROL} <span class=\"soft\">({network})</span></h3>")?;
        html.push_str("<p>The vantage with no censor on its path, beside each of the others above.</p>\n");
        pictures(html, page, index)?;
    }
    Ok(())
}

fn table(html: &mut String, page: &Page<'_>, index: usize, vantage: &VantageHead) -> fmt::Result {
    let (name, network) = (escaped(&vantage.name), escaped(&vantage.network));
    writeln!(html, "<h3 id=\"v{index}\">{name} <span class=\"soft\">({network})</span></h3>")?;
    html.push_str("<p class=\"soft\">Each cell leads to what was on the wire.</p>\n");
    writeln!(
        html,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"v{index}\">\n<table>\n\
         <thead><tr><th scope=\"col\">target</th>"
    )?;
    for phase in &page.report.phases {
        let date = phase.date.as_deref().unwrap_or_default();
        write!(html, "<th scope=\"col\">{}<small>{}</small></th>", escaped(&phase.id), escaped(date))?;
    }
    let control = page.report.vantages.iter().position(|each| each.name == CONTROL).filter(|each| *each != index);
    if control.is_some() {
        write!(html, "<th scope=\"col\">{CONTROL}<small>no censor</small></th>")?;
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for (row, target) in page.report.targets.iter().enumerate() {
        write!(html, "<tr><th scope=\"row\">{}</th>", escaped(&target.title))?;
        for (column, phase) in page.report.phases.iter().enumerate() {
            let cell = page.report.cell(&phase.id, &vantage.name, &target.url);
            write_cell(html, cell, &cell_id(index, column, row))?;
        }
        if let Some(control) = control {
            write_control(html, page, control, row, target)?;
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n</div>\n");
    pictures(html, page, index)
}

fn cell_id(vantage: usize, phase: usize, target: usize) -> String {
    format!("c{vantage}-{phase}-{target}")
}

fn write_cell(html: &mut String, cell: Option<&Cell>, id: &str) -> fmt::Result {
    let Some(cell) = cell else {
        return html.write_str("<td class=\"cell\"><span class=\"soft\">not measured</span></td>");
    };
    let (class, sign) = mark(cell.seen.verdict);
    let text = cell_text(&cell.seen);
    write!(html, "<td class=\"cell\"><a class=\"{class}\" href=\"#{id}\">{sign} {}", escaped(text))?;
    if let Some(by) = &cell.seen.by {
        write!(html, "<small>{}</small>", escaped(by))?;
    }
    if let Some(grade) = cell.seen.grade {
        write!(html, "<small>{}</small>", grade.as_str())?;
    }
    html.write_str("</a></td>")
}

/// What control met: one word where it was the same in every phase.
fn write_control(html: &mut String, page: &Page<'_>, control: usize, row: usize, target: &TargetHead) -> fmt::Result {
    let cells: Vec<(usize, &Cell)> = page
        .report
        .phases
        .iter()
        .enumerate()
        .filter_map(|(column, phase)| Some((column, page.report.cell(&phase.id, CONTROL, &target.url)?)))
        .collect();
    // The first that is not well, else the last.
    let told = cells.iter().find(|(_, cell)| cell.seen.verdict != Word::Ok).or(cells.last());
    let Some((column, cell)) = told else {
        return html.write_str("<td class=\"cell beside\"><span class=\"soft\">not measured</span></td>");
    };
    let (class, sign) = mark(cell.seen.verdict);
    let id = cell_id(control, *column, row);
    let when = if cell.seen.verdict == Word::Ok { "in every phase".to_owned() } else { format!("in {}", cell.phase) };
    write!(
        html,
        "<td class=\"cell beside\"><a class=\"{class}\" href=\"#{id}\">{sign} {}<small>{}</small></a></td>",
        escaped(cell_text(&cell.seen)),
        escaped(when)
    )
}

/// The class and the sign of a verdict: what a colour says is said by a sign too.
pub(super) const fn mark(verdict: Word) -> (&'static str, &'static str) {
    match verdict {
        Word::Ok => ("good", "✓"),
        Word::Invalid | Word::Unmeasured => ("odd", "?"),
        _ => ("bad", "✕"),
    }
}

/// The packets of every cell of a vantage.
fn pictures(html: &mut String, page: &Page<'_>, index: usize) -> fmt::Result {
    let Some(vantage) = page.report.vantages.get(index) else { return Ok(()) };
    let name = escaped(&vantage.name);
    writeln!(html, "<details><summary>What was on the wire, cell by cell: {name}</summary><div class=\"inside\">")?;
    for (column, phase) in page.report.phases.iter().enumerate() {
        for (row, target) in page.report.targets.iter().enumerate() {
            let Some(cell) = page.report.cell(&phase.id, &vantage.name, &target.url) else { continue };
            let (class, sign) = mark(cell.seen.verdict);
            let what = cell_text(&cell.seen);
            let summary = format!(
                "{} in phase {}: <span class=\"mark {class}\">{sign} {}</span>",
                escaped(&target.title),
                escaped(&phase.id),
                escaped(what)
            );
            sequence::write(html, page, &cell_id(index, column, row), &summary, &cell.seen, &cell.clients)?;
        }
    }
    html.write_str("</div></details>\n")
}
