//! The document that a suite ends with: `roadblock.test/1`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::{Event, Outcome};
use super::unit::Unit;
use super::unsupported::{NotPlayed, Unsupported};
use crate::run::report::{Conclusion, ExpectationEntry, ProblemEntry, Report, Word};

/// The name and version of this document's schema.
pub(super) const SCHEMA: &str = "roadblock.test/1";

/// The name and version of a line's schema.
const LINE_SCHEMA: &str = "roadblock.test-unit/1";

/// A unit, as soon as it was played.
#[derive(Serialize)]
struct Line<'a> {
    schema: &'static str,
    #[serde(flatten)]
    unit: &'a UnitEntry,
}

/// What testing scenarios gave. With the same library, seed and version it is the same again, but for `milliseconds`,
/// `tries`, the `percent` of speeds and the `evidence` of what was found.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub(crate) struct Document {
    /// `roadblock.test/1`.
    pub(crate) schema: String,
    /// The version of roadblock.
    pub(crate) version: String,
    /// What all chance in the labs came from.
    pub(crate) seed: u64,
    /// The scenarios as they were asked for; empty: all of the library.
    #[serde(default)]
    pub(crate) scenarios: Vec<String>,
    /// What becomes of what this machine cannot play.
    #[serde(default)]
    pub(crate) unsupported: Unsupported,
    /// The part of all units that was played, as `count:1/4`.
    pub(crate) partition: Option<String>,
    /// How many units there are in all the parts together.
    pub(crate) chosen: usize,
    /// How long it took.
    pub(crate) milliseconds: u64,
    /// In one word: that of the worst unit; `interrupted` where not all were played.
    pub(crate) conclusion: Conclusion,
    /// The units, in the order of the library and of each scenario's phases.
    pub(crate) units: Vec<UnitEntry>,
}

/// What a suite was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// The scenarios, as somebody wrote them.
    pub(crate) scenarios: Vec<String>,
    /// How many units there are in all parts together.
    pub(crate) chosen: usize,
    /// What all chance comes from.
    pub(crate) seed: u64,
    /// The part that is played.
    pub(crate) partition: Option<String>,
    /// What becomes of what this machine cannot play.
    pub(crate) unsupported: Unsupported,
}

/// What one phase of one scenario gave.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub(crate) struct UnitEntry {
    /// Its place among all that were chosen, from 0: where it stands when parts are joined.
    pub(crate) place: usize,
    /// The scenario's id.
    pub(crate) scenario: String,
    /// The phase's.
    pub(crate) phase: String,
    /// How it ended.
    pub(crate) conclusion: UnitConclusion,
    /// What this machine lacks to play it.
    #[serde(default)]
    pub(crate) lacks: Option<String>,
    /// How often it was tried.
    pub(crate) tries: u32,
    /// How long its last try took.
    pub(crate) milliseconds: u64,
    /// How many measurements of targets `control` made.
    pub(crate) control: usize,
    /// The targets that `control` did not reach.
    pub(crate) control_missed: Vec<String>,
    /// What each expectation gave.
    pub(crate) expectations: Vec<ExpectationEntry>,
    /// What makes results untrustworthy.
    pub(crate) problems: Vec<ProblemEntry>,
}

/// How a unit ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UnitConclusion {
    /// All was as expected.
    AsExpected,
    /// It was at last; a try before was not.
    Flaky,
    /// This machine cannot play it, or not all of it; what was played was as expected.
    Unsupported,
    /// It was not begun.
    NotPlayed,
    /// Ctrl-C ended it.
    Interrupted,
    /// Its time was over.
    TimedOut,
    /// An expectation failed, or `control` did not reach everything.
    Unexpected,
    /// Something failed inside the lab.
    Invalid,
}

impl Document {
    /// A document in which nothing was played yet: of these units.
    pub(crate) fn of(units: &[Unit], asked: Asked) -> Self {
        let Asked { scenarios, chosen, seed, partition, unsupported } = asked;
        Self {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed,
            scenarios,
            unsupported,
            partition,
            chosen,
            milliseconds: 0,
            conclusion: Conclusion::Interrupted,
            units: units.iter().map(UnitEntry::unplayed).collect(),
        }
    }

    /// Takes in what happened.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::Planned { .. } | Event::Started { .. } => {}
            Event::Finished { unit, outcome } => {
                if let Some(entry) = self.units.get_mut(*unit) {
                    entry.fill(outcome);
                }
            }
            Event::Ended { early, took } => {
                self.milliseconds = milliseconds(*took);
                self.conclusion = self.conclude(*early);
            }
        }
    }

    /// A line for those who read along: `roadblock.test-unit/1`, once a unit was played.
    pub(crate) fn line(&self, event: &Event) -> Option<String> {
        let Event::Finished { unit, .. } = event else { return None };
        let line = Line { schema: LINE_SCHEMA, unit: self.units.get(*unit)? };
        serde_json::to_string(&line).ok()
    }

    /// Takes in that this machine cannot play any of it.
    pub(crate) fn note_no_lab(&mut self, what: &str) {
        for unit in &mut self.units {
            unit.conclusion = UnitConclusion::Unsupported;
            unit.lacks = Some(what.to_owned());
        }
        self.conclusion = self.conclude(false);
    }

    /// How many expectations were as they must be, and how many there were.
    pub(crate) fn expectations(&self) -> (usize, usize) {
        let all = || self.units.iter().flat_map(|unit| &unit.expectations);
        (all().filter(|each| each.as_expected).count(), all().count())
    }

    /// In one word; `early` where it ended before all was played.
    pub(super) fn conclude(&self, early: bool) -> Conclusion {
        let worst = self.units.iter().map(|unit| unit.conclusion).max();
        match worst.unwrap_or(UnitConclusion::AsExpected) {
            UnitConclusion::Invalid | UnitConclusion::TimedOut => Conclusion::Invalid,
            UnitConclusion::Unexpected => Conclusion::Unexpected,
            UnitConclusion::Interrupted | UnitConclusion::NotPlayed => Conclusion::Interrupted,
            _ if early => Conclusion::Interrupted,
            UnitConclusion::Unsupported if self.unsupported == Unsupported::Fail => Conclusion::Unsupported,
            UnitConclusion::AsExpected | UnitConclusion::Flaky | UnitConclusion::Unsupported => Conclusion::AsExpected,
        }
    }
}

impl UnitEntry {
    /// `ru/whatsapp-2026@full-block`.
    pub(super) fn name(&self) -> String {
        format!("{}@{}", self.scenario, self.phase)
    }

    fn unplayed(unit: &Unit) -> Self {
        Self {
            place: unit.place,
            scenario: unit.scenario.id.to_string(),
            phase: unit.plan.phase.to_string(),
            conclusion: UnitConclusion::NotPlayed,
            lacks: None,
            tries: 0,
            milliseconds: 0,
            control: 0,
            control_missed: Vec::new(),
            expectations: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn fill(&mut self, outcome: &Outcome) {
        self.tries = outcome.failed_before + 1;
        self.milliseconds = milliseconds(outcome.took);
        self.conclusion = conclusion(outcome);
        match &outcome.result {
            Ok(Report { cells, expectations, problems, .. }) => {
                let missed = cells.iter().filter(|cell| cell.seen.verdict != Word::Ok);
                self.control_missed = missed.map(|cell| cell.target.clone()).collect();
                self.control = cells.len();
                self.expectations.clone_from(expectations);
                self.problems.clone_from(problems);
                self.lacks = self.expectations.iter().find_map(ExpectationEntry::lacks).map(str::to_owned);
            }
            Err(NotPlayed::Unsupported(what)) => self.lacks = Some(what.clone()),
            Err(NotPlayed::Failed(what)) => {
                let (phase, what) = (self.phase.clone(), what.clone());
                self.problems = vec![ProblemEntry { phase, place: "lab".to_owned(), what }];
            }
        }
    }
}

fn conclusion(outcome: &Outcome) -> UnitConclusion {
    if outcome.timed_out {
        return UnitConclusion::TimedOut;
    }
    match outcome.result.as_ref().map(|report| report.conclusion) {
        Ok(Conclusion::AsExpected) if outcome.failed_before > 0 => UnitConclusion::Flaky,
        Ok(Conclusion::AsExpected) => UnitConclusion::AsExpected,
        _ if outcome.is_unsupported() => UnitConclusion::Unsupported,
        Ok(Conclusion::Unexpected | Conclusion::Unsupported) => UnitConclusion::Unexpected,
        Ok(Conclusion::Interrupted) => UnitConclusion::Interrupted,
        Ok(Conclusion::Invalid) | Err(_) => UnitConclusion::Invalid,
    }
}

impl UnitConclusion {
    /// As documents and tables say it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AsExpected => "as expected",
            Self::Flaky => "flaky",
            Self::Unsupported => "unsupported",
            Self::NotPlayed => "not played",
            Self::Interrupted => "interrupted",
            Self::TimedOut => "timed out",
            Self::Unexpected => "unexpected",
            Self::Invalid => "invalid",
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The document's JSON Schema.
pub(crate) fn schema() -> schemars::Schema {
    schemars::schema_for!(Document)
}
