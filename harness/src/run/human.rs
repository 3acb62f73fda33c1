//! A report for people.

use std::fmt::{self, Write};

use super::cell;
use super::report::{
    CONTROL, Conclusion, Difference, ExpectationEntry, OfControlEntry, Report, StepEntry, VantageHead, Word,
};
use super::table::Table;
use crate::output::Paint;

/// The whole report.
pub(crate) fn render(report: &Report, paint: Paint) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = Human { report, paint }.write(&mut text);
    text
}

struct Human<'a> {
    report: &'a Report,
    paint: Paint,
}

impl Human<'_> {
    fn write(&self, text: &mut String) -> fmt::Result {
        self.heading(text)?;
        for vantage in self.report.vantages.iter().filter(|vantage| vantage.name != CONTROL) {
            self.vantage(text, vantage)?;
        }
        self.control(text)?;
        self.expectations(text)?;
        self.problems(text)?;
        self.ending(text)
    }

    fn heading(&self, text: &mut String) -> fmt::Result {
        let Report { scenario, seed, milliseconds, .. } = self.report;
        writeln!(text, "{}", self.paint.strong(&scenario.title))?;
        let (seconds, tenths) = (milliseconds / 1000, milliseconds % 1000 / 100);
        writeln!(text, "{}, seed {seed}, {seconds}.{tenths} s", scenario.id)
    }

    fn vantage(&self, text: &mut String, vantage: &VantageHead) -> fmt::Result {
        writeln!(text, "\n{} ({})", self.paint.strong(&vantage.name), vantage.network)?;
        let mut table = Table::default();
        let phases = || self.report.phases.iter();
        table.headings(self.paint, std::iter::once("").chain(phases().map(|phase| &*phase.id)));
        if phases().any(|phase| phase.date.is_some()) {
            let dates = phases().map(|phase| phase.date.as_deref().unwrap_or_default());
            table.headings(self.paint, std::iter::once("").chain(dates));
        }
        for target in &self.report.targets {
            let title = (target.title.clone(), target.title.clone());
            let cells = phases().map(|phase| self.cell(&phase.id, &vantage.name, &target.url));
            table.painted_row(std::iter::once(title).chain(cells));
        }
        text.write_str(&table.render("  "))
    }

    fn cell(&self, phase: &str, vantage: &str, target: &str) -> (String, String) {
        let Some(cell) = self.report.cell(phase, vantage, target) else {
            return ("-".to_owned(), self.paint.faint("-").to_string());
        };
        let text = cell::text(&cell.seen);
        let painted = cell::painted(self.paint, cell.seen.verdict, &text);
        (text, painted)
    }

    /// One line for the vantage without a censor, and what it did not reach.
    fn control(&self, text: &mut String) -> fmt::Result {
        let cells = || self.report.cells.iter().filter(|cell| cell.vantage == CONTROL);
        let all = cells().count();
        if all == 0 {
            return Ok(());
        }
        let reached = cells().filter(|cell| cell.seen.verdict == Word::Ok).count();
        let verdict = if reached == all { Word::Ok } else { Word::Tcp };
        let count = cell::painted(self.paint, verdict, &format!("{reached} of {all}"));
        writeln!(text, "\n{} (no censor): {count} reached", self.paint.strong(CONTROL))?;
        for cell in cells().filter(|cell| cell.seen.verdict != Word::Ok) {
            writeln!(text, "  {} in phase {}: {}", cell.target, cell.phase, cell::text(&cell.seen))?;
        }
        Ok(())
    }

    fn expectations(&self, text: &mut String) -> fmt::Result {
        let all = self.report.expectations.len();
        let met = self.report.expectations.iter().filter(|each| each.as_expected).count();
        let verdict = if met == all { Word::Ok } else { Word::Tcp };
        let count = cell::painted(self.paint, verdict, &format!("{met} of {all}"));
        writeln!(text, "\nexpectations: {count} as expected")?;
        for expected in self.report.expectations.iter().filter(|each| each.as_expected) {
            let ExpectationEntry { id, phase, vantage, times, .. } = expected;
            if let Some(times) = times {
                writeln!(text, "  {times}: {id} in phase {phase}, vantage {vantage}")?;
            }
        }
        for expected in self.report.expectations.iter().filter(|each| !each.as_expected) {
            self.failed(text, expected)?;
        }
        Ok(())
    }

    fn failed(&self, text: &mut String, expected: &ExpectationEntry) -> fmt::Result {
        let ExpectationEntry { id, place, phase, vantage, times, steps, .. } = expected;
        writeln!(text, "\n  {} {} at {place}", self.paint.bad("failed:"), self.paint.strong(id))?;
        writeln!(text, "    phase {phase}, vantage {vantage}")?;
        if let Some(times) = times {
            writeln!(text, "    {times}")?;
        }
        let mut unlike = steps.iter().filter(|step| !step.differs.is_empty() || step.seen.verdict == Word::Invalid);
        match unlike.next() {
            Some(step) => Self::step(text, step),
            None if times.is_some() => Ok(()),
            None => writeln!(text, "    not all of its steps were made"),
        }
    }

    fn step(text: &mut String, step: &StepEntry) -> fmt::Result {
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
        writeln!(text, "    seen      {seen}{layer}{ratio}")?;
        let differs: Vec<&str> = step.differs.iter().map(|difference| difference.as_str()).collect();
        if differs.is_empty() { Ok(()) } else { writeln!(text, "    differs   {}", differs.join(", ")) }
    }

    fn problems(&self, text: &mut String) -> fmt::Result {
        if self.report.problems.is_empty() {
            return Ok(());
        }
        writeln!(text, "\n{}", self.paint.doubtful("problems, which make the results of their phase invalid:"))?;
        for problem in &self.report.problems {
            writeln!(text, "  phase {}: {}: {}", problem.phase, problem.place, problem.what)?;
        }
        Ok(())
    }

    fn ending(&self, text: &mut String) -> fmt::Result {
        match self.report.conclusion {
            Conclusion::Interrupted => writeln!(text, "\n{}", self.paint.doubtful("interrupted: not all was measured")),
            _ => Ok(()),
        }
    }
}

impl Difference {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Failure => "failure",
            Self::By => "by",
            Self::OfControl => "of-control",
        }
    }
}

/// What a step must give: `tls, connection_reset, by tspu/sni-1 or tspu/sni-4`.
pub(crate) fn expected_words(step: &StepEntry) -> String {
    let StepEntry { verdict, failure, by, of_control, .. } = step;
    let by = (!by.is_empty()).then(|| by.join(" or "));
    let words = words(*verdict, failure.as_deref(), by.as_deref());
    let Some(OfControlEntry { at_least, at_most, .. }) = of_control else { return words };
    let bound =
        |word: &str, ratio: &Option<f64>| ratio.map(|ratio| format!(", at {word} {:.0} % of control", ratio * 100.0));
    [Some(words), bound("least", at_least), bound("most", at_most)].into_iter().flatten().collect()
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

#[cfg(test)]
#[path = "human_tests.rs"]
pub(crate) mod tests;
