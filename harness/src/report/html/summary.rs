//! What it comes to, in sentences.

use std::fmt::{self, Write};

use super::Page;
use super::text::{escaped, list};
use crate::run::report::{CONTROL, Conclusion, PhaseHead, TargetHead, VantageHead, Word};

/// The page's head: title, sentences, conclusion.
pub(super) fn write(html: &mut String, page: &Page<'_>) -> fmt::Result {
    let report = page.report;
    write!(html, "<header>\n<h1>{}</h1>\n", escaped(&report.scenario.title))?;
    for vantage in report.vantages.iter().filter(|vantage| vantage.name != CONTROL) {
        writeln!(html, "<p class=\"lead\">{}</p>", vantage_sentence(page, vantage))?;
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

/// As markup: `From moscow (AS12389 Rostelecom), 3 of 11 targets cannot be reached at the end: WhatsApp web since
/// 2026-02-11; Facebook and Instagram since 2026-02-12.`
fn vantage_sentence(page: &Page<'_>, vantage: &VantageHead) -> String {
    let all = page.report.targets.len();
    let from = format!("From {} ({})", escaped(&vantage.name), escaped(&vantage.network));
    let mut blocked: Vec<(usize, Vec<&str>)> = Vec::new();
    for target in &page.report.targets {
        let Some(phase) = blocked_since(page, vantage, target) else { continue };
        match blocked.iter_mut().find(|(known, _)| *known == phase) {
            Some((_, titles)) => titles.push(&target.title),
            None => blocked.push((phase, vec![&target.title])),
        }
    }
    blocked.sort_by_key(|(phase, _)| *phase);
    let count: usize = blocked.iter().map(|(_, titles)| titles.len()).sum();
    if count == 0 {
        return format!("{from}, all {all} targets can be reached at the end.");
    }
    let since = |(phase, titles): &(usize, Vec<&str>)| {
        let when = page.report.phases.get(*phase).map(|head| match &head.date {
            Some(date) => format!("since <time>{}</time>", escaped(date)),
            None => format!("from phase {} on", escaped(&head.id)),
        });
        format!("{} {}", escaped(list(titles)), when.unwrap_or_default())
    };
    let told: Vec<String> = blocked.iter().map(since).collect();
    format!("{from}, {count} of {all} targets cannot be reached at the end: {}.", told.join("; "))
}

/// The phase from which on, to the end, a target was not reached.
fn blocked_since(page: &Page<'_>, vantage: &VantageHead, target: &TargetHead) -> Option<usize> {
    let is_blocked = |phase: &PhaseHead| {
        let cell = page.report.cell(&phase.id, &vantage.name, &target.url);
        cell.is_some_and(|cell| cell.seen.verdict != Word::Ok)
    };
    let phases = page.report.phases.iter().enumerate().rev();
    phases.take_while(|(_, phase)| is_blocked(phase)).last().map(|(index, _)| index)
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
        Conclusion::Unsupported => ("odd", "? unsupported: this machine lacks something"),
        Conclusion::Interrupted => ("odd", "? interrupted: not all was measured"),
    }
}
