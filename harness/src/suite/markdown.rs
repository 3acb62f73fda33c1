//! A suite as Markdown: what a job's summary shows.

use std::fmt::{self, Write};

use super::document::{Document, UnitConclusion, UnitEntry};
use crate::report::markdown::{code, plain, within_limit};
use crate::run::report::{Conclusion, ExpectationEntry};
use crate::run::{cell_text, expected_words, ratio_words};

/// What it came to, then what did not go as expected, then a line for each scenario.
pub(super) fn summary(document: &Document) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, document);
    within_limit(text)
}

fn write(text: &mut String, document: &Document) -> fmt::Result {
    let part = document.partition.as_ref().map(|part| format!(", part {}", plain(part))).unwrap_or_default();
    writeln!(text, "## roadblock test: {}{part}\n", conclusion(document.conclusion))?;
    let (met, all) = document.expectations();
    writeln!(text, "{met} of {all} expectations as expected. {}\n", counted(document))?;
    let told = |unit: &&UnitEntry| !matches!(unit.conclusion, UnitConclusion::AsExpected | UnitConclusion::NotPlayed);
    for unit in document.units.iter().filter(told) {
        write_unit(text, unit)?;
    }
    table(text, document)?;
    writeln!(
        text,
        "\nseed {}, {} s, roadblock {}",
        document.seed,
        document.milliseconds / 1000,
        plain(&document.version)
    )
}

/// `12 phases: 10 as expected, 1 unexpected, 1 unsupported.`
fn counted(document: &Document) -> String {
    let mut kinds: Vec<UnitConclusion> = document.units.iter().map(|unit| unit.conclusion).collect();
    kinds.sort_unstable();
    let counts = kinds.chunk_by(|one, next| one == next).map(|same| format!("{} {}", same.len(), same[0].as_str()));
    format!("{} phases: {}.", document.units.len(), counts.collect::<Vec<_>>().join(", "))
}

fn table(text: &mut String, document: &Document) -> fmt::Result {
    writeln!(text, "| scenario | phases | expectations |\n|---|---|---|")?;
    for units in document.units.chunk_by(|one, next| one.scenario == next.scenario) {
        let phases: Vec<String> =
            units.iter().map(|unit| format!("{} {}", sign(unit.conclusion), plain(&unit.phase))).collect();
        let all: usize = units.iter().map(|unit| unit.expectations.len()).sum();
        let met = units.iter().flat_map(|unit| &unit.expectations).filter(|each| each.as_expected).count();
        writeln!(text, "| {} | {} | {met} of {all} |", plain(&units[0].scenario), phases.join("<br>"))?;
    }
    Ok(())
}

fn write_unit(text: &mut String, unit: &UnitEntry) -> fmt::Result {
    let UnitEntry { scenario, phase, conclusion, tries, lacks, .. } = unit;
    let again = if *tries > 1 { format!(", tried {tries} times") } else { String::new() };
    let sign = sign(*conclusion);
    writeln!(text, "### {sign} {} {}: {}{again}\n", plain(scenario), plain(phase), conclusion.as_str())?;
    if let (UnitConclusion::Unsupported, Some(lacks)) = (conclusion, lacks) {
        writeln!(text, "- this machine lacks what it needs: {}", plain(lacks))?;
    }
    for target in &unit.control_missed {
        writeln!(text, "- control did not reach {}", plain(target))?;
    }
    for problem in &unit.problems {
        writeln!(text, "- {}: {}", plain(&problem.place), plain(&problem.what))?;
    }
    let failed: Vec<&ExpectationEntry> = unit.expectations.iter().filter(|each| !each.as_expected).collect();
    if !failed.is_empty() {
        writeln!(text, "\n| expectation | measured | expected | seen | by |\n|---|---|---|---|---|")?;
    }
    for expected in failed {
        write_failed(text, expected)?;
    }
    text.write_str("\n")
}

fn write_failed(text: &mut String, expected: &ExpectationEntry) -> fmt::Result {
    let ExpectationEntry { id, place, vantage, times, steps, .. } = expected;
    let times = times.map(|times| format!("<br>{times}")).unwrap_or_default();
    write!(text, "| {}<br>{} at {}{times} |", code(id), plain(vantage), plain(place))?;
    let Some(step) = steps.iter().find(|step| !step.differs.is_empty()).or(steps.last()) else {
        return writeln!(text, " | | nothing was measured | |");
    };
    let by = step.seen.by.as_deref().map(|by| match step.seen.facts.as_slice() {
        [] => code(by),
        facts => format!("{} ({})", code(by), plain(facts.join(", "))),
    });
    let seen = [Some(cell_text(&step.seen)), ratio_words(step)].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let (probe, must) = (plain(&step.probe), plain(expected_words(step)));
    writeln!(text, " {probe} | {must} | {} | {} |", plain(seen), by.unwrap_or_default())
}

const fn conclusion(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::AsExpected => "as expected",
        Conclusion::Unexpected => "not as expected",
        Conclusion::Invalid => "invalid: a lab failed",
        Conclusion::Interrupted => "interrupted",
        Conclusion::Unsupported => "unsupported: this machine lacks something",
    }
}

const fn sign(conclusion: UnitConclusion) -> &'static str {
    match conclusion {
        UnitConclusion::AsExpected => "✅",
        UnitConclusion::Flaky => "⚠️",
        UnitConclusion::Unsupported | UnitConclusion::NotPlayed | UnitConclusion::Interrupted => "⏸️",
        UnitConclusion::TimedOut | UnitConclusion::Unexpected | UnitConclusion::Invalid => "❌",
    }
}
