//! From a measurement of OONI's to a scenario whose run gives the same verdict.
//!
//! The way is pure: a measurement becomes `Observations`, what each layer met; these become `Findings`, the claims that a
//! scenario must make so that a client meets the same, each with its evidence, and what cannot be inferred; and those become the
//! text of a scenario. What comes from outside passes through types on the way: nothing is written into a file but names,
//! addresses and numbers that were read as such, and texts that are quoted.

mod claim;
mod document;
mod error;
mod expect;
mod hosts;
mod infer;
mod observations;
mod seat;
mod symptom;
mod truth;
mod words;

pub(crate) use error::ImportError;

use roadblock_scenarios::Library;

use crate::ooni::measurement::Measurement;

/// A scenario that was made of a measurement.
#[derive(Clone, Debug)]
pub(crate) struct Imported {
    /// Its id, as `imported/web-connectivity-ru-20260211-www-example-com`.
    pub(crate) id: String,
    /// The file's text.
    pub(crate) text: String,
    /// What the measurement does not say, a line each.
    pub(crate) unknown: Vec<String>,
}

impl Imported {
    /// Gives it a number, where several have its id.
    pub(crate) fn number(&mut self, number: usize) {
        let numbered = format!("{}-{number}", self.id);
        self.text = self.text.replacen(&format!("id = \"{}\"", self.id), &format!("id = \"{numbered}\""), 1);
        self.id = numbered;
    }
}

/// Makes a scenario of a measurement.
pub(crate) fn import(measurement: &Measurement, library: &Library) -> Result<Imported, ImportError> {
    let observations = observations::Observations::of(measurement)?;
    let findings = infer::infer(&observations, library)?;
    let imported = document::write(&observations, &findings, library);
    match roadblock_scenarios::resolve(&imported.text, "imported.toml", library) {
        Ok(_) => Ok(imported),
        Err(mistakes) => Err(ImportError::Unsound(mistakes.all.iter().map(|each| each.message.clone()).collect())),
    }
}
