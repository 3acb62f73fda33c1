//! A suite as one page that needs nothing else: scenario by phase, what failed first.

use std::fmt::{self, Write};

use super::document::{Document, UnitConclusion, UnitEntry};
use crate::report::html::shell;
use crate::report::html::text::escaped;
use crate::run::report::{Conclusion, ExpectationEntry, StepEntry, Word};
use crate::run::{cell_text, expected_words, ratio_words};

/// The page.
pub(super) fn page(document: &Document) -> String {
    let mut html = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut html, document);
    html
}

fn write(html: &mut String, document: &Document) -> fmt::Result {
    shell::head(html, &format!("roadblock test: {}", conclusion(document.conclusion).1), include_str!("style.css"))?;
    head(html, document)?;
    html.push_str("<main>\n");
    filter(html);
    html.push_str("<section aria-labelledby=\"scenarios\">\n<h2 id=\"scenarios\">Scenario by phase</h2>\n");
    table(html, document)?;
    html.push_str("</section>\n<section aria-labelledby=\"phases\">\n<h2 id=\"phases\">Phase by phase</h2>\n");
    for (number, unit) in in_order(document) {
        details(html, number, unit)?;
    }
    html.push_str("</section>\n</main>\n");
    shell::foot(html, &document.version, include_str!("script.js"))
}

fn head(html: &mut String, document: &Document) -> fmt::Result {
    let (class, word) = conclusion(document.conclusion);
    let part = document.partition.as_ref().map(|part| format!(", part {part}")).unwrap_or_default();
    writeln!(html, "<header>\n<h1>roadblock test{}</h1>", escaped(part))?;
    let (met, all) = document.expectations();
    writeln!(
        html,
        "<p class=\"lead\"><span class=\"mark {class}\">{word}</span> {met} of {all} expectations are as the scenarios \
         say.</p>"
    )?;
    let mut kinds: Vec<UnitConclusion> = document.units.iter().map(|unit| unit.conclusion).collect();
    kinds.sort_unstable();
    html.push_str("<p>");
    for same in kinds.chunk_by(|one, next| one == next).rev() {
        let (class, sign) = look(same[0]);
        write!(html, "<span class=\"mark {class}\">{sign} {} {}</span> ", same.len(), same[0].as_str())?;
    }
    let seconds = document.milliseconds / 1000;
    writeln!(
        html,
        "<span class=\"soft\">of {} phases, seed {}, {seconds} s</span></p>",
        document.units.len(),
        document.seed
    )?;
    html.push_str("</header>\n");
    Ok(())
}

/// Without its script the page has no use for it, and hides it.
fn filter(html: &mut String) {
    html.push_str(
        "<form class=\"filter\" hidden><label>Show only <input type=\"search\" placeholder=\"scenario, phase, rule or \
         fact\"></label> <label><input type=\"checkbox\"> not as expected</label> <output aria-live=\"polite\"></output>\
         </form>\n",
    );
}

/// Units with their places in the document, those that failed first.
fn in_order(document: &Document) -> Vec<(usize, &UnitEntry)> {
    let mut units: Vec<(usize, &UnitEntry)> = document.units.iter().enumerate().collect();
    units.sort_by_key(|(_, unit)| std::cmp::Reverse(rank(unit.conclusion)));
    units
}

/// What a reader wants to see first is highest.
const fn rank(conclusion: UnitConclusion) -> u8 {
    match look(conclusion).0.as_bytes() {
        b"bad" => 2,
        b"odd" => 1,
        _ => 0,
    }
}

fn table(html: &mut String, document: &Document) -> fmt::Result {
    html.push_str(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"scenarios\">\n<table class=\"suite\">\n\
         <thead><tr><th scope=\"col\">scenario</th><th scope=\"col\">phases</th><th scope=\"col\">expectations</th>\
         <th scope=\"col\">seconds</th></tr></thead>\n<tbody>\n",
    );
    let numbered: Vec<(usize, &UnitEntry)> = document.units.iter().enumerate().collect();
    let mut rows: Vec<&[(usize, &UnitEntry)]> =
        numbered.chunk_by(|(_, one), (_, next)| one.scenario == next.scenario).collect();
    let worst = |row: &[(usize, &UnitEntry)]| row.iter().map(|(_, unit)| rank(unit.conclusion)).max();
    rows.sort_by_key(|row| std::cmp::Reverse(worst(row)));
    for row in rows {
        let is_good = worst(row) == Some(0);
        write!(
            html,
            "<tr data-good=\"{is_good}\"><th scope=\"row\">{}</th><td class=\"chips\">",
            escaped(&row[0].1.scenario).to_string().replace('/', "/<wbr>")
        )?;
        for (number, unit) in row {
            let (class, sign) = look(unit.conclusion);
            write!(
                html,
                "<a class=\"mark {class}\" href=\"#u{number}\">{sign} {}<span class=\"hidden\"> {}</span></a> ",
                escaped(&unit.phase),
                unit.conclusion.as_str()
            )?;
        }
        let all: usize = row.iter().map(|(_, unit)| unit.expectations.len()).sum();
        let met = row.iter().flat_map(|(_, unit)| &unit.expectations).filter(|each| each.as_expected).count();
        let longest = row.iter().map(|(_, unit)| unit.milliseconds).max().unwrap_or_default();
        writeln!(html, "</td><td>{met} of {all}</td><td>{}.{}</td></tr>", longest / 1000, longest % 1000 / 100)?;
    }
    html.write_str("</tbody>\n</table>\n</div>\n")
}

fn details(html: &mut String, number: usize, unit: &UnitEntry) -> fmt::Result {
    let (class, sign) = look(unit.conclusion);
    let (is_good, open) = if rank(unit.conclusion) == 0 { (true, "") } else { (false, " open") };
    let again = if unit.tries > 1 { format!(", tried {} times", unit.tries) } else { String::new() };
    write!(
        html,
        "<details id=\"u{number}\" data-good=\"{is_good}\"{open}><summary>{} {}: <span class=\"mark {class}\">{sign} \
         {}</span>{again}</summary><div class=\"inside\">",
        escaped(&unit.scenario),
        escaped(&unit.phase),
        unit.conclusion.as_str()
    )?;
    let lacks = unit.lacks.as_ref().filter(|_| unit.conclusion == UnitConclusion::Unsupported);
    let lacks = lacks.map(|lacks| format!("this machine lacks what it needs: {lacks}"));
    let problems = unit.problems.iter().map(|problem| format!("{}: {}", problem.place, problem.what));
    let missed = unit.control_missed.iter().map(|target| format!("control did not reach {target}"));
    for said in lacks.into_iter().chain(problems).chain(missed) {
        write!(html, "<p>{}</p>", escaped(said))?;
    }
    if unit.conclusion == UnitConclusion::NotPlayed {
        html.push_str("<p>It was not begun.</p>");
    }
    if unit.control > 0 && unit.control_missed.is_empty() {
        write!(html, "<p class=\"soft\">control reached all {} targets.</p>", unit.control)?;
    }
    expectations(html, unit)?;
    html.write_str("</div></details>\n")
}

fn expectations(html: &mut String, unit: &UnitEntry) -> fmt::Result {
    if unit.expectations.is_empty() {
        return Ok(());
    }
    html.push_str(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Expectations\"><table><thead><tr>\
         <th scope=\"col\">expectation</th><th scope=\"col\">vantage</th><th scope=\"col\">expected</th>\
         <th scope=\"col\">seen</th><th scope=\"col\">by</th></tr></thead><tbody>\n",
    );
    let mut all: Vec<&ExpectationEntry> = unit.expectations.iter().collect();
    all.sort_by_key(|each| each.as_expected);
    for each in all {
        row(html, each)?;
    }
    html.write_str("</tbody></table></div>")
}

fn row(html: &mut String, expected: &ExpectationEntry) -> fmt::Result {
    let (class, sign, word) = match (expected.as_expected, expected.lacks()) {
        (true, _) => ("good", "✓", "as expected"),
        (false, Some(_)) => ("odd", "?", "unsupported"),
        (false, None) => ("bad", "✕", "not as expected"),
    };
    let times = expected.times.map(|times| format!("<small>{times}</small>")).unwrap_or_default();
    write!(
        html,
        "<tr><th scope=\"row\">{} <span class=\"mark {class}\">{sign} {word}</span>{times}<small class=\"soft\">{}</small>\
         </th><td>{}</td>",
        escaped(&expected.id),
        escaped(&expected.place),
        escaped(&expected.vantage)
    )?;
    // Where a step did not give what it must, that is the one to look at.
    match expected.steps.iter().find(|step| !step.differs.is_empty()).or(expected.steps.last()) {
        Some(step) => write_step(html, step),
        None => writeln!(html, "<td></td><td>nothing was measured</td><td></td></tr>"),
    }
}

fn write_step(html: &mut String, step: &StepEntry) -> fmt::Result {
    let after = match step.wait_milliseconds {
        0 => String::new(),
        wait => format!(" after {} s", wait / 1000),
    };
    let seen = [Some(cell_text(&step.seen)), ratio_words(step)].into_iter().flatten().collect::<Vec<_>>().join(", ");
    write!(
        html,
        "<td>{}<small class=\"soft\">{}{after}</small></td><td>{}</td><td>",
        escaped(expected_words(step)),
        escaped(&step.probe),
        escaped(seen)
    )?;
    if let Some(by) = step.seen.by.as_ref().filter(|_| step.seen.verdict != Word::Ok) {
        let facts = step.seen.facts.join(", ");
        let grade = step.seen.grade.map(|grade| format!(", {}", grade.as_str())).unwrap_or_default();
        write!(html, "<code>{}</code><small>{}{grade}</small>", escaped(by), escaped(facts))?;
    }
    html.write_str("</td></tr>\n")
}

/// Its colour and its sign, which says the same.
const fn look(conclusion: UnitConclusion) -> (&'static str, &'static str) {
    match conclusion {
        UnitConclusion::AsExpected => ("good", "✓"),
        UnitConclusion::Flaky => ("odd", "~"),
        UnitConclusion::Unsupported | UnitConclusion::NotPlayed | UnitConclusion::Interrupted => ("odd", "?"),
        UnitConclusion::TimedOut | UnitConclusion::Unexpected | UnitConclusion::Invalid => ("bad", "✕"),
    }
}

const fn conclusion(conclusion: Conclusion) -> (&'static str, &'static str) {
    match conclusion {
        Conclusion::AsExpected => ("good", "✓ as expected"),
        Conclusion::Unexpected => ("bad", "✕ not as expected"),
        Conclusion::Invalid => ("bad", "✕ invalid: a lab failed"),
        Conclusion::Interrupted => ("odd", "? interrupted: not all was played"),
        Conclusion::Unsupported => ("odd", "? unsupported: this machine lacks something"),
    }
}
