//! A suite's table.

use std::fmt::{self, Write};

use super::document::{Document, UnitConclusion, UnitEntry};
use super::unsupported::Unsupported;
use crate::output::Paint;
use crate::run::report::Conclusion;
use crate::run::{Table, write_failed};

/// One line for each scenario, then all that was not as expected, then the sum.
pub(crate) fn render(document: &Document, paint: Paint) -> String {
    let mut text = table(document, paint);
    // Writing to a string cannot fail.
    let _ = details(&mut text, document, paint).and_then(|()| sum(&mut text, document, paint));
    text
}

fn table(document: &Document, paint: Paint) -> String {
    let mut table = Table::default();
    table.headings(paint, ["scenario", "phases", "expectations", "seconds", ""]);
    for units in document.units.chunk_by(|one, next| one.scenario == next.scenario) {
        let worst = units.iter().map(|unit| unit.conclusion).max().unwrap_or(UnitConclusion::AsExpected);
        let all: usize = units.iter().map(|unit| unit.expectations.len()).sum();
        let met = units.iter().flat_map(|unit| &unit.expectations).filter(|each| each.as_expected).count();
        let seconds = units.iter().map(|unit| unit.milliseconds).max().unwrap_or_default();
        let plain = |text: String| (text.clone(), text);
        table.painted_row([
            plain(units[0].scenario.clone()),
            plain(units.len().to_string()),
            plain(format!("{met} of {all}")),
            plain(format!("{}.{}", seconds / 1000, seconds % 1000 / 100)),
            (worst.as_str().to_owned(), painted(worst, paint)),
        ]);
    }
    table.render("")
}

fn painted(conclusion: UnitConclusion, paint: Paint) -> String {
    let text = conclusion.as_str();
    match conclusion {
        UnitConclusion::AsExpected => paint.good(text).to_string(),
        UnitConclusion::Flaky
        | UnitConclusion::Unsupported
        | UnitConclusion::NotPlayed
        | UnitConclusion::Interrupted => paint.doubtful(text).to_string(),
        UnitConclusion::TimedOut | UnitConclusion::Unexpected | UnitConclusion::Invalid => paint.bad(text).to_string(),
    }
}

fn details(text: &mut String, document: &Document, paint: Paint) -> fmt::Result {
    let told = |unit: &&UnitEntry| !matches!(unit.conclusion, UnitConclusion::AsExpected | UnitConclusion::NotPlayed);
    for unit in document.units.iter().filter(told) {
        let UnitEntry { scenario, phase, conclusion, tries, .. } = unit;
        let again = if *tries > 1 { format!(", tried {tries} times") } else { String::new() };
        writeln!(text, "\n{} phase {phase}: {}{again}", paint.strong(scenario), painted(*conclusion, paint))?;
        if let (UnitConclusion::Unsupported, Some(lacks)) = (conclusion, &unit.lacks) {
            writeln!(text, "  this machine lacks what it needs: {lacks}")?;
        }
        for target in &unit.control_missed {
            writeln!(text, "  control did not reach {target}")?;
        }
        for problem in &unit.problems {
            writeln!(text, "  {}: {}", problem.place, problem.what)?;
        }
        for expected in unit.expectations.iter().filter(|each| !each.as_expected) {
            write_failed(text, paint, expected)?;
        }
    }
    Ok(())
}

fn sum(text: &mut String, document: &Document, paint: Paint) -> fmt::Result {
    let (met, all) = document.expectations();
    let scenarios = document.units.chunk_by(|one, next| one.scenario == next.scenario).count();
    let seconds = document.milliseconds / 1000;
    let tenths = document.milliseconds % 1000 / 100;
    let part = document.partition.as_ref().map(|part| format!(", part {part}")).unwrap_or_default();
    let count = format!("{met} of {all}");
    let count = if met == all { paint.good(count).to_string() } else { paint.bad(count).to_string() };
    writeln!(
        text,
        "\n{scenarios} scenarios, {} phases{part}: {count} expectations as expected, seed {}, {seconds}.{tenths} s",
        document.units.len(),
        document.seed
    )?;
    let unsupported = document.units.iter().filter(|unit| unit.conclusion == UnitConclusion::Unsupported).count();
    if unsupported > 0 {
        let dealt_with = match document.unsupported {
            Unsupported::Skip => "passed over",
            Unsupported::Fail => "`--unsupported skip` passes them over",
        };
        writeln!(text, "{}", paint.doubtful(format!("{unsupported} phases are unsupported here; {dealt_with}")))?;
    }
    let flaky = document.units.iter().filter(|unit| unit.conclusion == UnitConclusion::Flaky).count();
    if flaky > 0 {
        writeln!(text, "{}", paint.doubtful(format!("{flaky} phases went as expected only when tried again")))?;
    }
    match document.conclusion {
        Conclusion::Interrupted => writeln!(text, "{}", paint.doubtful("ended early: not all was played")),
        _ => Ok(()),
    }
}
