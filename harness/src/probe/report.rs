//! The document of one measurement: `roadblock.probe/1`.

use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::{Name, Probe};
use schemars::JsonSchema;
use serde::Serialize;

use super::play::Played;
use crate::ooni::web::careful;
use crate::ooni::web_keys::WebKeys;
use crate::run::{Seen, describe};

/// The name and version of this document's schema.
const SCHEMA: &str = "roadblock.probe/1";

/// What one measurement gave, and who did it.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(crate) struct Document {
    /// `roadblock.probe/1`.
    pub(crate) schema: String,
    /// The version of roadblock.
    pub(crate) version: String,
    /// The scenario.
    pub(crate) scenario: String,
    /// The phase.
    pub(crate) phase: String,
    /// The vantage.
    pub(crate) vantage: String,
    /// What all chance in the lab came from.
    pub(crate) seed: u64,
    /// The measurement in words, its own first.
    pub(crate) probe: String,
    /// What it gave, and what the lab knows did it.
    pub(crate) seen: Seen,
    /// What a careful analyst says beside OONI's rule, where the measurement is one of Web Connectivity.
    pub(crate) remarks: Vec<String>,
    /// What makes it untrustworthy.
    pub(crate) problems: Vec<String>,
}

impl Document {
    /// What was measured there.
    pub(crate) fn new(
        scenario: &Scenario,
        (phase, vantage): (&Name, &Name),
        seed: u64,
        probe: &Probe,
        played: &Played,
    ) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: scenario.id.to_string(),
            phase: phase.to_string(),
            vantage: vantage.to_string(),
            seed,
            probe: describe(probe),
            seen: played.measured.seen(),
            remarks: remarks(played),
            problems: played.problems.clone(),
        }
    }
}

/// Beside OONI's rule.
fn remarks(played: &Played) -> Vec<String> {
    let Some(met) = &played.measured.outcome.ooni else { return Vec::new() };
    let Ok(keys) = met.own::<WebKeys>() else { return Vec::new() };
    careful::read(met, &keys).iter().map(ToString::to_string).collect()
}

/// The document's JSON Schema.
pub(crate) fn schema() -> schemars::Schema {
    schemars::schema_for!(Document)
}
