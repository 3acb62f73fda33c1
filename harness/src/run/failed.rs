//! What is said of an expectation that failed.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::judge::same;
use super::report::{Difference, ExpectationEntry, OfControlEntry, StepEntry, Word};
use crate::output::Paint;

/// An expectation that failed: what it is, what was expected and what was seen.
pub(crate) fn write_failed(text: &mut String, paint: Paint, expected: &ExpectationEntry) -> fmt::Result {
    let ExpectationEntry { id, place, phase, vantage, times, steps, .. } = expected;
    let word = if expected.lacks().is_some() { paint.doubtful("unsupported:") } else { paint.bad("failed:") };
    writeln!(text, "\n  {word} {} at {place}", paint.strong(id))?;
    writeln!(text, "    phase {phase}, vantage {vantage}")?;
    if let Some(times) = times {
        writeln!(text, "    {times}")?;
    }
    let mut unlike = steps.iter().filter(|step| !step.differs.is_empty() || step.seen.verdict == Word::Invalid);
    match unlike.next() {
        Some(step) => write_step(text, step),
        None if times.is_some() => Ok(()),
        None => writeln!(text, "    not all of its steps were made"),
    }
}

fn write_step(text: &mut String, step: &StepEntry) -> fmt::Result {
    let after = match step.wait_milliseconds {
        0 => String::new(),
        wait => format!(" after {} s", wait / 1000),
    };
    writeln!(text, "    {}{after}", step.probe)?;
    let StepEntry { seen, .. } = step;
    writeln!(text, "    expected  {}", expected_words(step))?;
    let layer = match seen.layers.last() {
        Some(layer) if seen.operation.is_some() => format!(", at {}", layer.address),
        _ => String::new(),
    };
    let ratio = ratio_words(step).map(|ratio| format!(", {ratio}")).unwrap_or_default();
    let seen = words(seen.verdict, seen.failure.as_deref(), seen.by.as_deref());
    let found = if step.finds.is_empty() { String::new() } else { found_words(&step.seen.found) };
    writeln!(text, "    seen      {seen}{layer}{ratio}{found}")?;
    let differs: Vec<&str> = step.differs.iter().map(|difference| difference.as_str()).collect();
    for (name, value) in &step.keys {
        let seen = step.seen.test_keys.get(name).unwrap_or(&serde_json::Value::Null);
        if !same(value, seen) {
            writeln!(text, "    {name:<24} expected {value}, seen {seen}")?;
        }
    }
    if differs.is_empty() { Ok(()) } else { writeln!(text, "    differs   {}", differs.join(", ")) }
}

impl Difference {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Failure => "failure",
            Self::By => "by",
            Self::OfControl => "of-control",
            Self::Finds => "finds",
            Self::Keys => "keys",
        }
    }
}

/// What a step must give: `tls, connection_reset, by tspu/sni-1 or tspu/sni-4`.
pub(crate) fn expected_words(step: &StepEntry) -> String {
    let StepEntry { verdict, failure, by, of_control, finds, .. } = step;
    let by = (!by.is_empty()).then(|| by.join(" or "));
    let words = words(*verdict, failure.as_deref(), by.as_deref()) + &found_words(finds);
    let Some(OfControlEntry { at_least, at_most, .. }) = of_control else { return words };
    let bound =
        |word: &str, ratio: &Option<f64>| ratio.map(|ratio| format!(", at {word} {:.0} % of control", ratio * 100.0));
    [Some(words), bound("least", at_least), bound("most", at_most)].into_iter().flatten().collect()
}

/// What was found: `, limit policed, beside unthrottled`.
fn found_words(found: &BTreeMap<String, String>) -> String {
    found.iter().flat_map(|(key, value)| [", ", key, " ", value]).collect()
}

/// How fast a step was beside control, where that counts.
pub(crate) fn ratio_words(step: &StepEntry) -> Option<String> {
    let entry = step.of_control?;
    Some(entry.percent.map_or_else(|| "without a speed".to_owned(), |percent| format!("{percent} % of control")))
}

/// `tls, connection_reset, by tspu/sni-1`.
fn words(verdict: Word, failure: Option<&str>, by: Option<&str>) -> String {
    let by = by.map(|by| format!("by {by}"));
    let words = [Some(verdict.as_str()), failure, by.as_deref()];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
