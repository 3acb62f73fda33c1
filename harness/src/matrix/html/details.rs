//! The story of one cell.

use std::fmt::{self, Write};

use super::super::changes::{before_and_now, consequence};
use super::super::document::{CellEntry, Document, Part, PartEnd, PartEntry, RuleEntry};
use super::super::told::{Look, reason};
use super::class;
use crate::report::html::text::escaped;

/// Folded, until a link leads into it.
pub(super) fn write(html: &mut String, document: &Document, number: usize, cell: &CellEntry) -> fmt::Result {
    let look = Look::of(&cell.verdict);
    write!(
        html,
        "<details id=\"c{number}\"><summary>{} in {}: <span class=\"mark {}\">{} {}</span></summary><div class=\"inside\">",
        escaped(&cell.tool),
        escaped(cell.place()),
        class(look),
        look.sign(),
        escaped(&cell.verdict)
    )?;
    if let Some(change) = document.changes.as_ref().and_then(|changes| changes.of_cell(cell)) {
        let (kind, follows) = (change.kind.as_str(), consequence(change.kind));
        write!(html, "<p><b>Δ {kind}</b>: {}; {follows}.</p>", escaped(before_and_now(change)))?;
    }
    if let Some(reason) = reason(&cell.verdict) {
        write!(html, "<p>{}</p>", escaped(reason))?;
    }
    let date = cell.date.as_ref().map(|date| format!("The phase began on <time>{}</time>. ", escaped(date)));
    let grade = cell.grade.map(|grade| format!("How far it is known: {}.", grade.as_str()));
    write!(html, "<p class=\"soft\">{}{}</p>", date.unwrap_or_default(), grade.unwrap_or_default())?;
    rules(html, cell)?;
    parts(html, &cell.parts)?;
    for note in &cell.notes {
        write!(html, "<p>{}</p>", escaped(note))?;
    }
    if !cell.logs.is_empty() {
        write!(html, "<p class=\"soft\">Logs: <code>{}</code></p>", escaped(cell.logs.join(" ")))?;
    }
    html.write_str("</div></details>\n")
}

fn rules(html: &mut String, cell: &CellEntry) -> fmt::Result {
    if cell.fired.is_empty() {
        return html.write_str("<p>No rule interfered.</p>");
    }
    html.push_str(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Rules\"><table><thead><tr>\
         <th scope=\"col\">rule</th><th scope=\"col\">did it</th><th scope=\"col\">what it did</th>\
         <th scope=\"col\">matched</th><th scope=\"col\">facts</th><th scope=\"col\">known</th></tr></thead><tbody>",
    );
    for rule in &cell.fired {
        let RuleEntry { by, kinds, matched, facts, grade } = rule;
        let did_it = if cell.by.iter().any(|each| each.by == *by) { "✓ yes" } else { "no" };
        write!(
            html,
            "<tr><th scope=\"row\"><code>{}</code></th><td>{did_it}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(by),
            escaped(kinds.join(", ")),
            escaped(matched.join(", ")),
            escaped(facts.join(", ")),
            grade.as_str()
        )?;
    }
    html.write_str("</tbody></table></div>")
}

fn parts(html: &mut String, parts: &[PartEntry]) -> fmt::Result {
    if parts.is_empty() {
        return Ok(());
    }
    html.push_str(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Parts of the check\"><table><thead><tr>\
         <th scope=\"col\">part</th><th scope=\"col\">ended</th><th scope=\"col\">failure</th><th scope=\"col\">done</th>\
         <th scope=\"col\">by</th></tr></thead><tbody>",
    );
    for part in parts {
        let how = part.how.as_ref().map(|how| format!("<small>{}</small>", escaped(how))).unwrap_or_default();
        write!(
            html,
            "<tr><th scope=\"row\">{}</th><td>{}{how}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            name(part.part),
            end(part.end),
            escaped(part.failure.as_deref().unwrap_or_default()),
            done(part),
            escaped(part.by.join(", "))
        )?;
    }
    html.write_str("</tbody></table></div>")
}

/// `13 of 256 kB`, `8 of 20`, `30 of 60 s`.
fn done(part: &PartEntry) -> String {
    let (done, of) = (part.raw.done, part.raw.of);
    match part.part {
        Part::Download | Part::Upload => {
            let speed = part.raw.kilobits_per_second.map(|speed| format!(", {speed} kbit/s")).unwrap_or_default();
            format!("{} of {} kB{speed}", done / 1000, of / 1000)
        }
        Part::LongFlow => format!("{done} of {of} s"),
        _ if of == 0 => String::new(),
        _ => format!("{done} of {of}"),
    }
}

const fn name(part: Part) -> &'static str {
    match part {
        Part::Client => "client",
        Part::Download => "download",
        Part::Upload => "upload",
        Part::Connections => "new connections",
        Part::Page => "page",
        Part::Dns => "name",
        Part::LongFlow => "long flow",
        Part::Command => "the tool's own check",
    }
}

const fn end(end: PartEnd) -> &'static str {
    match end {
        PartEnd::Whole => "✓ whole",
        PartEnd::Partial => "~ partly",
        PartEnd::HandshakeOnly => "✕ handshake only",
        PartEnd::Nothing => "✕ nothing",
        PartEnd::NotMade => "? not made",
    }
}
