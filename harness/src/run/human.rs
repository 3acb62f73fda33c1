//! A report for people.

use std::fmt::{self, Write};

use super::cell;
use super::failed::write_failed;
use super::report::{CONTROL, Conclusion, ExpectationEntry, Report, VantageHead, Word};
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
            write_failed(text, self.paint, expected)?;
        }
        Ok(())
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

#[cfg(test)]
#[path = "human_tests.rs"]
pub(crate) mod tests;
