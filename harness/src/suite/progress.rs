//! How far a suite is, for people who watch.

use super::event::{Event, Outcome};
use crate::output;
use crate::run::report::Conclusion;

/// One line that changes on a terminal; elsewhere a line for each unit that did not go as expected, as soon as it is known.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    names: Vec<String>,
    running: Vec<usize>,
    done: usize,
}

impl Progress {
    /// Shows what happened.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::Planned { units } => self.names.clone_from(units),
            Event::Started { unit } => self.running.push(*unit),
            Event::Finished { unit, outcome } => {
                self.running.retain(|each| each != unit);
                self.done += 1;
                self.finished(*unit, outcome);
            }
            Event::Ended { .. } => {
                output::progress_ends();
                return;
            }
        }
        let (all, labs) = (self.names.len(), self.running.len());
        let now = self.running.first().and_then(|unit| self.names.get(*unit)).map_or("", String::as_str);
        output::progress_on_terminal(format_args!("{} of {all}, {labs} labs: {now} …", self.done));
    }

    fn finished(&self, unit: usize, outcome: &Outcome) {
        if outcome.is_as_expected() && outcome.failed_before == 0 {
            return;
        }
        let name = self.names.get(unit).map_or("", String::as_str);
        let what = match &outcome.result {
            _ if outcome.is_unsupported() => "cannot be played on this machine",
            Ok(report) => match report.conclusion {
                Conclusion::AsExpected => "went as expected when tried again",
                Conclusion::Unexpected | Conclusion::Unsupported => "did not go as expected",
                Conclusion::Invalid => "failed inside",
                Conclusion::Interrupted if outcome.timed_out => "took too long",
                Conclusion::Interrupted => "was interrupted",
            },
            Err(_) => "could not be played",
        };
        output::progress_ends();
        output::notice(format_args!("{name} {what}"));
    }
}
