//! What a set of measurements is: `roadblock.dataset/1`.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cell::Drawn;
use super::confusion::{Confusion, Said};
use super::play::{PlayError, Played};
use super::truth::Truth;

/// A set of measurements, its labels, and what rules say of it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub(crate) struct Manifest {
    /// `roadblock.dataset/1`.
    pub(crate) schema: String,
    /// The version of roadblock.
    pub(crate) version: String,
    /// What the choice of measurements, and all chance in their labs, comes from.
    pub(crate) seed: u64,
    /// The measurements, in the order of their lines.
    pub(crate) measurements: Vec<Entry>,
    /// What could not be measured.
    pub(crate) problems: Vec<Problem>,
    /// How often OONI's rule says what is true.
    pub(crate) ooni: Confusion,
    /// How often ours does.
    pub(crate) ours: Confusion,
}

/// One measurement.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub(crate) struct Entry {
    /// Its line, from 1.
    pub(crate) line: usize,
    /// Where it was made.
    #[serde(flatten)]
    pub(crate) place: Place,
    /// What was done to it.
    pub(crate) truth: Truth,
    /// OONI's `blocking`: a word, `false` or `null`.
    pub(crate) blocking: serde_json::Value,
    /// What OONI's rule says.
    pub(crate) ooni: Said,
    /// What ours says.
    pub(crate) ours: Said,
}

/// Something that could not be measured.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub(crate) struct Problem {
    /// Where it would have been made.
    #[serde(flatten)]
    pub(crate) place: Place,
    /// Why it was not.
    pub(crate) what: String,
}

/// Where a measurement is made.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub(crate) struct Place {
    /// The scenario.
    pub(crate) scenario: String,
    /// The phase.
    pub(crate) phase: String,
    /// The vantage.
    pub(crate) vantage: String,
    /// The page.
    pub(crate) url: String,
    /// What all chance in the lab came from.
    pub(crate) seed: u64,
}

impl Manifest {
    /// What was made of what was drawn.
    pub(crate) fn new(seed: u64, drawn: &[Drawn], played: &[Result<Played, PlayError>]) -> Self {
        let (mut measurements, mut problems) = (Vec::new(), Vec::new());
        for (one, result) in drawn.iter().zip(played) {
            let place = Place::of(one);
            match result {
                Ok(played) => measurements.push(Entry {
                    line: measurements.len() + 1,
                    place,
                    truth: played.truth.clone(),
                    blocking: played.measurement.test_keys.own.get("blocking").cloned().unwrap_or_default(),
                    ooni: played.ooni,
                    ours: played.ours,
                }),
                Err(error) => problems.push(Problem { place, what: error.to_string() }),
            }
        }
        let confusion =
            |said: fn(&Entry) -> Said| Confusion::of(measurements.iter().map(|entry| (entry.truth.class, said(entry))));
        let (ooni, ours) = (confusion(|entry| entry.ooni), confusion(|entry| entry.ours));
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { schema: SCHEMA.to_owned(), version, seed, measurements, problems, ooni, ours }
    }

    /// The tables for people, and what went wrong.
    pub(crate) fn summary(&self) -> String {
        let mut text = format!("{}\n{}", self.ooni.table("OONI's rule"), self.ours.table("ours"));
        for problem in &self.problems {
            let Place { scenario, phase, url, .. } = &problem.place;
            // Writing to a string cannot fail.
            let _ = writeln!(text, "not measured: {scenario}@{phase} {url}: {}", problem.what);
        }
        text
    }
}

impl Place {
    fn of(drawn: &Drawn) -> Self {
        let cell = &drawn.cell;
        Self {
            scenario: cell.scenario.id.to_string(),
            phase: cell.phase.to_string(),
            vantage: cell.vantage.to_string(),
            url: cell.url.clone(),
            seed: drawn.seed,
        }
    }
}

/// The JSON Schema of it.
pub(crate) fn schema() -> schemars::Schema {
    schemars::schema_for!(Manifest)
}

const SCHEMA: &str = "roadblock.dataset/1";
