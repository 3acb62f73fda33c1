//! What it comes to, in sentences.

use std::fmt::{self, Write};

use super::Page;
use super::text::{escaped, list};
use crate::run::report::{CONTROL, Conclusion, PhaseHead, VantageHead, Word};

/// The page's head: title, sentences, conclusion.
pub(super) fn write(html: &mut String, page: &Page<'_>) -> fmt::Result {
    let report = page.report;
    write!(html, "<header>\n<h1>{}</h1>\n", escaped(&report.scenario.title))?;
    if let Some(last) = report.phases.last() {
        for vantage in report.vantages.iter().filter(|vantage| vantage.name != CONTROL) {
            writeln!(html, "<p class=\"lead\">{}</p>", vantage_sentence(page, last, vantage))?;
        }
    }
    writeln!(html, "<p>{}</p>", escaped(control_sentence(page)))?;
    let (class, conclusion) = conclusion(report.conclusion);
    let met = report.expectations.iter().filter(|each| each.as_expected).count();
    writeln!(
        html,
        "<p><span class=\"mark {class}\">{conclusion}</span> {met} of {} expectations are as the scenario says. \
         <span class=\"soft\"><span class=\"mono\">{}</span>, seed {}, roadblock {}</span></p>",
        report.expectations.len(),
        escaped(&report.scenario.id),
        report.seed,
        escaped(&report.version),
    )
}

/// As markup: `From moscow (AS12389 Rostelecom), 3 of 11 targets cannot be reached since 2026-02-12: ...`
fn vantage_sentence(page: &Page<'_>, last: &PhaseHead, vantage: &VantageHead) -> String {
    let targets = &page.report.targets;
    let blocked: Vec<&str> = targets
        .iter()
        .filter(|target| {
            let cell = page.report.cell(&last.id, &vantage.name, &target.url);
            cell.is_some_and(|cell| cell.seen.verdict != Word::Ok)
        })
        .map(|target| &*target.title)
        .collect();
    let since = match &last.date {
        Some(date) => format!("since <time>{}</time>", escaped(date)),
        None => format!("in phase {}", escaped(&last.id)),
    };
    let from = format!("From {} ({})", escaped(&vantage.name), escaped(&vantage.network));
    let all = targets.len();
    match blocked.len() {
        0 => format!("{from}, all {all} targets can be reached {since}."),
        count => {
            format!("{from}, {count} of {all} targets cannot be reached {since}: {}.", escaped(list(&blocked)))
        }
    }
}

fn control_sentence(page: &Page<'_>) -> String {
    let cells = || page.report.cells.iter().filter(|cell| cell.vantage == CONTROL);
    let (all, reached) = (cells().count(), cells().filter(|cell| cell.seen.verdict == Word::Ok).count());
    match all {
        0 => "Nothing was measured from control.".to_owned(),
        _ if reached == all => {
            "From control, whose path has no censor, everything was reached in every phase.".to_owned()
        }
        _ => format!("From control, whose path has no censor, only {reached} of {all} attempts went well."),
    }
}

const fn conclusion(conclusion: Conclusion) -> (&'static str, &'static str) {
    match conclusion {
        Conclusion::AsExpected => ("good", "✓ as expected"),
        Conclusion::Unexpected => ("bad", "✕ not as expected"),
        Conclusion::Invalid => ("odd", "? invalid: the lab failed"),
        Conclusion::Interrupted => ("odd", "? interrupted: not all was measured"),
    }
}
