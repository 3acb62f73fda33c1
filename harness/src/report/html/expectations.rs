//! What the scenario says must be observed, and what was.

use std::fmt::{self, Write};

use super::text::escaped;
use super::{Page, sequence};
use crate::run::report::{ExpectationEntry, StepEntry, Word};
use crate::run::{cell_text, expected_words, ratio_words};

/// A table of all expectations, each with its packets below.
pub(super) fn write(html: &mut String, page: &Page<'_>) -> fmt::Result {
    let all = &page.report.expectations;
    if all.is_empty() {
        html.push_str("<p>The scenario expects nothing of these phases and vantages.</p>\n");
        return Ok(());
    }
    let met = all.iter().filter(|each| each.as_expected).count();
    writeln!(html, "<p>{met} of {} are as expected.</p>", all.len())?;
    html.push_str(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"expectations\">\n<table>\n<thead><tr>\
         <th scope=\"col\">expectation</th><th scope=\"col\">phase</th><th scope=\"col\">vantage</th>\
         <th scope=\"col\">measured</th><th scope=\"col\">expected</th><th scope=\"col\">seen</th></tr></thead>\n<tbody>\n",
    );
    for (index, each) in all.iter().enumerate() {
        row(html, index, each)?;
    }
    html.push_str("</tbody>\n</table>\n</div>\n");
    html.push_str(
        "<details><summary>What was on the wire, expectation by expectation</summary><div class=\"inside\">\n",
    );
    for (index, each) in all.iter().enumerate() {
        let Some(last) = each.steps.last() else { continue };
        let (class, sign, word) = result(each.as_expected);
        let summary = format!(
            "{} in phase {} at {}: <span class=\"mark {class}\">{sign} {word}</span>",
            escaped(&each.id),
            escaped(&each.phase),
            escaped(&each.vantage)
        );
        // Where a step did not give what it must, that is the one to look at.
        let told = each.steps.iter().find(|step| !step.differs.is_empty()).unwrap_or(last);
        sequence::write(html, page, &format!("e{index}"), &summary, &told.seen, &each.clients)?;
    }
    html.write_str("</div></details>\n")
}

fn row(html: &mut String, index: usize, each: &ExpectationEntry) -> fmt::Result {
    let (class, sign, word) = result(each.as_expected);
    let steps = each.steps.len().max(1);
    for (number, step) in each.steps.iter().enumerate() {
        html.push_str("<tr>");
        let times = each.times.map(|times| format!("<small>{times}</small>")).unwrap_or_default();
        if number == 0 {
            write!(
                html,
                "<th scope=\"rowgroup\" rowspan=\"{steps}\">{}<br><a class=\"mark {class}\" href=\"#e{index}\">{sign} \
                 {word}</a>{times}</th><td rowspan=\"{steps}\">{}</td><td rowspan=\"{steps}\">{}</td>",
                escaped(&each.id),
                escaped(&each.phase),
                escaped(&each.vantage)
            )?;
        }
        let after = match step.wait_milliseconds {
            0 => String::new(),
            wait => format!(" after {} s", wait / 1000),
        };
        writeln!(
            html,
            "<td>{}{after}</td><td>{}</td><td>{}</td></tr>",
            escaped(&step.probe),
            escaped(expected(step)),
            escaped(seen(step))
        )?;
    }
    Ok(())
}

const fn result(as_expected: bool) -> (&'static str, &'static str, &'static str) {
    if as_expected { ("good", "✓", "as expected") } else { ("bad", "✕", "not as expected") }
}

fn expected(step: &StepEntry) -> String {
    expected_words(step)
}

fn seen(step: &StepEntry) -> String {
    let by = step.seen.by.as_ref().filter(|_| step.seen.verdict != Word::Ok).map(|by| format!("by {by}"));
    let words = [Some(cell_text(&step.seen)), by, ratio_words(step)];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
