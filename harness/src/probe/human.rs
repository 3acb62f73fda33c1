//! One measurement for people.

use std::fmt::Write as _;

use super::report::Document;
use crate::output::Paint;
use crate::run::{Seen, Word};

/// What was met, layer by layer, and who did it.
pub(crate) fn render(document: &Document, paint: Paint) -> String {
    let Document { scenario, phase, vantage, probe, seen, remarks, problems, .. } = document;
    let mut text = format!("{probe}\n  from {vantage} in phase {phase} of {scenario}\n\n");
    for layer in &seen.layers {
        let failure = layer.failure.as_deref().unwrap_or("ok");
        let operation = word(&layer.operation);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {operation:<16} {:<28} {failure} ({} ms)", layer.address, layer.milliseconds);
    }
    let _ = writeln!(text, "\n{}", verdict(seen, paint));
    if let Some(by) = &seen.by {
        let matched = seen.matched.as_deref().map(|matched| format!(", {matched}")).unwrap_or_default();
        let facts = if seen.facts.is_empty() { String::new() } else { format!(", {}", seen.facts.join(", ")) };
        let grade = seen.grade.map(|grade| format!(", {}", grade.as_str())).unwrap_or_default();
        let _ = writeln!(text, "the lab knows: {by}{matched}{facts}{grade}");
    }
    if !seen.test_keys.is_empty() {
        text.push_str("OONI's test keys:\n");
    }
    for (name, value) in &seen.test_keys {
        let _ = writeln!(text, "  {name}: {value}");
    }
    for (key, value) in &seen.found {
        let _ = writeln!(text, "found: {key} {value}");
    }
    if let Some(said) = seen.evidence.as_ref().and_then(|evidence| evidence["said"].as_str()) {
        let _ = writeln!(text, "{said}");
    }
    for remark in remarks {
        let _ = writeln!(text, "a careful analyst: {remark}");
    }
    for problem in problems {
        let _ = writeln!(text, "not to be trusted: {problem}");
    }
    text
}

fn verdict(seen: &Seen, paint: Paint) -> String {
    let word = word(&seen.verdict);
    let painted = match seen.verdict {
        Word::Ok => paint.good(word).to_string(),
        Word::Unmeasured => paint.doubtful(word).to_string(),
        _ => paint.bad(word).to_string(),
    };
    let details = [seen.failure.as_deref(), seen.part.as_deref(), seen.how.as_deref()];
    std::iter::once(painted).chain(details.into_iter().flatten().map(str::to_owned)).collect::<Vec<_>>().join(", ")
}

/// As the document writes it.
fn word(value: &impl serde::Serialize) -> String {
    let written = serde_json::to_value(value).unwrap_or_default();
    written.as_str().unwrap_or_default().to_owned()
}
