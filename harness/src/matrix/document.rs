//! The document that a matrix ends with: `roadblock.matrix/1`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::compare::Changes;
use super::verdict::Verdict;
use crate::run::report::Known;

/// The name and version of this document's schema.
pub(super) const SCHEMA: &str = "roadblock.matrix/1";

/// What tools gave in the phases of scenarios. With the same tools, library, seed and version it is the same again, but for
/// `milliseconds` and `parts`, which tell what was measured.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub(crate) struct Document {
    /// `roadblock.matrix/1`.
    pub(crate) schema: String,
    /// The version of roadblock.
    pub(crate) version: String,
    /// What tells one state of the library from another: a SHA-256 of all its files, in hex.
    pub(crate) library: String,
    /// What all chance in the labs came from.
    pub(crate) seed: u64,
    /// How long it took.
    pub(crate) milliseconds: u64,
    /// Whether all cells were measured.
    pub(crate) conclusion: MatrixConclusion,
    /// The tools, in the order in which they were named.
    pub(crate) tools: Vec<ToolEntry>,
    /// The phases, in the order of the library and of each scenario's file.
    pub(crate) phases: Vec<PhaseEntry>,
    /// The cells: tool by tool, and for each tool phase by phase, and for each phase vantage by vantage.
    pub(crate) cells: Vec<CellEntry>,
    /// What is not as in the baseline, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) changes: Option<Changes>,
}

/// Whether a matrix is whole.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MatrixConclusion {
    /// Each cell was measured, or was not to be: its tool is marked untried, or is not installed.
    Measured,
    /// Something failed inside a lab, so that a cell is `invalid`.
    Invalid,
    /// It was ended before all cells were measured.
    Interrupted,
}

/// A tool.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct ToolEntry {
    /// Its name.
    pub(crate) name: String,
    /// The tool file, as it was named.
    pub(crate) file: String,
    /// One line for people.
    pub(crate) about: Option<String>,
    /// A SHA-256 of the tool file and of all that lies beside it, in hex.
    pub(crate) digest: String,
    /// What its `version` command printed, where it has one and could be run: the first line.
    pub(crate) version: Option<String>,
}

/// A phase of a scenario.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct PhaseEntry {
    /// The scenario's id.
    pub(crate) scenario: String,
    /// The scenario's title.
    pub(crate) title: String,
    /// The phase's id.
    pub(crate) phase: String,
    /// The phase's title.
    pub(crate) phase_title: Option<String>,
    /// When it began, as `YYYY-MM-DD`.
    pub(crate) date: Option<String>,
    /// How far the least known of the rules that can act in it is known; nothing where none can.
    pub(crate) grade: Option<Known>,
}

/// What one tool gave at one vantage in one phase.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub(crate) struct CellEntry {
    /// The tool's name.
    pub(crate) tool: String,
    /// The scenario's id.
    pub(crate) scenario: String,
    /// The phase's id.
    pub(crate) phase: String,
    /// The vantage.
    pub(crate) vantage: String,
    /// When the phase began, as `YYYY-MM-DD`.
    pub(crate) date: Option<String>,
    /// What tells whether the model that judged it is another: a SHA-256, in hex, of all of the scenario that a packet of this
    /// vantage can meet in this phase.
    pub(crate) model: String,
    /// How far the verdict is known: where rules did it, the least known of them; else as the phase.
    pub(crate) grade: Option<Known>,
    /// What a user feels.
    pub(crate) verdict: Verdict,
    /// The rules and lies that did it, those that did most first; empty where nothing is blocked.
    pub(crate) by: Vec<RuleEntry>,
    /// All rules and lies that interfered while it was measured, sorted.
    pub(crate) fired: Vec<RuleEntry>,
    /// What each part of the check gave, in the order in which they were made. At the edge of what a censor counts to, it may be
    /// otherwise the next time; the verdict is not.
    pub(crate) parts: Vec<PartEntry>,
    /// What a reader should know besides.
    pub(crate) notes: Vec<String>,
    /// The logs of servers and client, below the directory that `--out` named.
    pub(crate) logs: Vec<String>,
    /// How long it took.
    pub(crate) milliseconds: u64,
}

impl CellEntry {
    /// `ru/whatsapp-2026@full-block`.
    pub(crate) fn phase_name(&self) -> String {
        format!("{}@{}", self.scenario, self.phase)
    }

    /// `ru/whatsapp-2026@full-block from moscow`.
    pub(crate) fn place(&self) -> String {
        format!("{} from {}", self.phase_name(), self.vantage)
    }
}

/// A rule or lie that interfered.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct RuleEntry {
    /// As `censor/rule` or `resolver/lie`.
    pub(crate) by: String,
    /// What it did, as `dropped` or `injected`, sorted.
    pub(crate) kinds: Vec<String>,
    /// What it matched, as `SNI web.whatsapp.com`, sorted, without what was measured of bytes that a cipher makes different each
    /// time; empty where it matches nothing that can be said.
    pub(crate) matched: Vec<String>,
    /// The facts that it cites.
    pub(crate) facts: Vec<String>,
    /// How far its behaviour is known.
    pub(crate) grade: Known,
}

/// A part of the check.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Part {
    /// The client was started and got ready.
    Client,
    /// Bytes came from a server.
    Download,
    /// Bytes went to a server.
    Upload,
    /// New connections were opened, one after the other.
    Connections,
    /// A page was opened.
    Page,
    /// A name was looked up.
    Dns,
    /// One connection was kept up.
    LongFlow,
    /// The tool file's own check was run.
    Command,
}

/// How a part ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PartEnd {
    /// All of it went well.
    Whole,
    /// Some of it did, and then no more.
    Partial,
    /// The far end was reached, and nothing of it got through.
    HandshakeOnly,
    /// Nothing of it got through.
    Nothing,
    /// It was not made.
    NotMade,
}

/// What a part of the check gave.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct PartEntry {
    /// Which.
    pub(crate) part: Part,
    /// How it ended.
    pub(crate) end: PartEnd,
    /// OONI's failure string, where it failed.
    pub(crate) failure: Option<String>,
    /// What a person would want to know: the page that was opened, what the command said.
    pub(crate) how: Option<String>,
    /// The rules that interfered while it was made, sorted.
    pub(crate) by: Vec<String>,
    /// The numbers.
    pub(crate) raw: RawEntry,
}

/// What was measured, as it was; never compared.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct RawEntry {
    /// How much there was to do: bytes, connections, or seconds of the lab's clock.
    pub(crate) of: u64,
    /// How much of it was done.
    pub(crate) done: u64,
    /// How many kilobits a second a transfer made.
    pub(crate) kilobits_per_second: Option<u64>,
    /// How long it took.
    pub(crate) milliseconds: u64,
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The document's JSON Schema.
pub(crate) fn schema() -> schemars::Schema {
    schemars::schema_for!(Document)
}
