//! The document that a run ends with: `roadblock.run/1`.

use std::collections::BTreeMap;
use std::fmt;

use roadblock_censor::policy::Grade;
use roadblock_scenarios::model::VerdictWord;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::canonical::CanonicalEvent;
use crate::probes::{Operation, TestKeys};
use crate::report::Flow;

/// The name and version of this document's schema.
pub(crate) const SCHEMA: &str = "roadblock.run/1";

/// The capture's file, in the directory of the report.
pub(crate) const CAPTURE_FILE: &str = "run.pcapng";

/// The vantage that has no censor on its path.
pub(crate) const CONTROL: &str = "control";

/// What a run of a scenario gave. With the same scenario, seed and version all of it is the same again, but for
/// `milliseconds`, `percent`, `evidence`, `flows` and `capture`.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(crate) struct Report {
    /// `roadblock.run/1`.
    pub(crate) schema: String,
    /// The version of roadblock.
    pub(crate) version: String,
    /// The scenario.
    pub(crate) scenario: ScenarioHead,
    /// What all chance in the lab came from.
    pub(crate) seed: u64,
    /// How long it took.
    pub(crate) milliseconds: u64,
    /// In one word.
    pub(crate) conclusion: Conclusion,
    /// The phases that were played, in order.
    pub(crate) phases: Vec<PhaseHead>,
    /// The vantages that were measured from, in the order of the scenario.
    pub(crate) vantages: Vec<VantageHead>,
    /// What was opened, in the order of the scenario.
    pub(crate) targets: Vec<TargetHead>,
    /// What opening a target gave, for each phase and vantage.
    pub(crate) cells: Vec<Cell>,
    /// What each expectation gave, for each of its phases and vantages.
    pub(crate) expectations: Vec<ExpectationEntry>,
    /// What the censors and resolvers decided, without times and ports, sorted.
    pub(crate) events: Vec<CanonicalEvent>,
    /// What makes results untrustworthy.
    pub(crate) problems: Vec<ProblemEntry>,
    /// What was captured, where packets were captured.
    pub(crate) capture: Option<CaptureEntry>,
    /// The captured packets, flow by flow, in the order in which the flows began.
    pub(crate) flows: Vec<Flow>,
}

impl Report {
    /// Whether the vantage without a censor on its path reached every target: the scenario's own services work.
    pub(crate) fn control_reached_all(&self) -> bool {
        self.cells.iter().filter(|cell| cell.vantage == CONTROL).all(|cell| cell.seen.verdict == Word::Ok)
    }

    /// What a target gave in a phase at a vantage, where it was measured.
    pub(crate) fn cell(&self, phase: &str, vantage: &str, target: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.phase == phase && cell.vantage == vantage && cell.target == target)
    }
}

/// A capture.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct CaptureEntry {
    /// The file, in the directory of the report.
    pub(crate) file: String,
    /// How many packets it holds; one that crosses a hop is captured on both sides.
    pub(crate) packets: usize,
    /// What was on a wire and is not in it.
    pub(crate) notes: Vec<String>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Conclusion {
    /// All was as expected.
    AsExpected,
    /// An expectation failed, or the control vantage did not reach everything.
    Unexpected,
    /// Something failed inside the lab, so that results are invalid or missing.
    Invalid,
    /// It was ended by Ctrl-C before its end.
    Interrupted,
    /// Some of it cannot be played on this machine, and all else was as expected.
    Unsupported,
}

/// Which scenario.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(crate) struct ScenarioHead {
    /// Its id.
    pub(crate) id: String,
    /// Its title.
    pub(crate) title: String,
}

/// A phase that was played.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(crate) struct PhaseHead {
    /// Its id.
    pub(crate) id: String,
    /// When it began, as `YYYY-MM-DD`.
    pub(crate) date: Option<String>,
    /// Its title.
    pub(crate) title: Option<String>,
}

/// A vantage that was measured from.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(crate) struct VantageHead {
    /// Its name.
    pub(crate) name: String,
    /// Its network, as `AS12389 Rostelecom`.
    pub(crate) network: String,
}

/// Something that was opened or used.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(crate) struct TargetHead {
    /// What the table's row says.
    pub(crate) title: String,
    /// The URL of a page; what is measured, in words, of anything else.
    pub(crate) url: String,
}

/// What opening a target gave.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(crate) struct Cell {
    /// The phase.
    pub(crate) phase: String,
    /// The vantage.
    pub(crate) vantage: String,
    /// The target, by its URL or words.
    pub(crate) target: String,
    /// The addresses that it was measured from, used for nothing else; flows name theirs.
    pub(crate) clients: Vec<String>,
    /// What was seen.
    pub(crate) seen: Seen,
}

/// What a measurement gave and who did it.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub(crate) struct Seen {
    /// In one word.
    pub(crate) verdict: Word,
    /// OONI's failure string; a block page and a wrong address are no failure.
    pub(crate) failure: Option<String>,
    /// The layer that decided a verdict other than `ok`.
    pub(crate) operation: Option<Operation>,
    /// The rule that did it, as `censor/rule` or `resolver/lie`.
    pub(crate) by: Option<String>,
    /// What the rule matched, as `SNI web.whatsapp.com`.
    pub(crate) matched: Option<String>,
    /// The facts that the rule cites.
    pub(crate) facts: Vec<String>,
    /// How far the rule's behaviour is known.
    pub(crate) grade: Option<Known>,
    /// The layers, in order.
    pub(crate) layers: Vec<LayerEntry>,
    /// The addresses that the first answer to the DNS query held.
    pub(crate) addresses: Vec<String>,
    /// How many answers came to the DNS query.
    pub(crate) answers: usize,
    /// Which part of an app this is about: the one that is worst for its user.
    pub(crate) part: Option<String>,
    /// What a person says of it, where verdict and failure say too little.
    pub(crate) how: Option<String>,
    /// OONI's test keys, where OONI has the test, and what else was measured.
    pub(crate) test_keys: TestKeys,
    /// What was found out, by the keys of `finds`.
    #[serde(default)]
    pub(crate) found: BTreeMap<String, String>,
    /// The numbers behind it; never compared.
    #[serde(default)]
    pub(crate) evidence: Option<serde_json::Value>,
}

impl Seen {
    /// What nobody asked for is not waited for until it is certain, as whether a slow transfer is policed: it is evidence.
    pub(super) fn leave_open(&mut self) {
        if !self.found.is_empty() {
            let found = std::mem::take(&mut self.found);
            self.evidence = Some(serde_json::json!({ "found": found, "numbers": self.evidence.take() }));
        }
    }
}

/// One layer of a measurement.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub(crate) struct LayerEntry {
    /// What was tried.
    pub(crate) operation: Operation,
    /// With whom: address and port.
    pub(crate) address: String,
    /// How it failed, if it did.
    pub(crate) failure: Option<String>,
    /// How long it took; never compared.
    pub(crate) milliseconds: u64,
}

/// What an expectation gave in one phase at one vantage.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub(crate) struct ExpectationEntry {
    /// Its id.
    pub(crate) id: String,
    /// Where it stands, as `file:line`.
    pub(crate) place: String,
    /// The phase.
    pub(crate) phase: String,
    /// The vantage.
    pub(crate) vantage: String,
    /// The addresses that it was measured from, used for nothing else but its sequence; flows name theirs.
    pub(crate) clients: Vec<String>,
    /// Whether all steps gave what they must.
    pub(crate) as_expected: bool,
    /// Whose neighbour it is: the id of an expectation.
    pub(crate) neighbour_of: Option<String>,
    /// Where it was measured many times: how often it was reached.
    pub(crate) times: Option<TimesEntry>,
    /// Its steps, as far as they were made. Of what was measured many times one: the first that was not as it must be, else
    /// the first that was not reached.
    pub(crate) steps: Vec<StepEntry>,
}

/// How often something was reached that was measured many times.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct TimesEntry {
    /// How often it is to be measured.
    pub(crate) of: u16,
    /// How often it was.
    pub(crate) made: u16,
    /// How often it was reached.
    pub(crate) ok: u16,
    /// How often it must be at least.
    pub(crate) least: u16,
    /// How often it may be at most.
    pub(crate) most: u16,
}

impl TimesEntry {
    /// Whether it was measured and reached as often as it must be.
    pub(crate) fn is_as_expected(self) -> bool {
        self.made == self.of && (self.least..=self.most).contains(&self.ok)
    }
}

impl fmt::Display for TimesEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, made, ok, least, most } = self;
        write!(f, "{ok} of {made} ok")?;
        match (self.is_as_expected(), made == of) {
            (true, _) => Ok(()),
            (false, false) => write!(f, ", {of} expected"),
            (false, true) if least == most => write!(f, ", {least} expected"),
            (false, true) => write!(f, ", {least} to {most} expected"),
        }
    }
}

/// A speed beside that from control.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub(crate) struct OfControlEntry {
    /// What the ratio must be at least.
    pub(crate) at_least: Option<f64>,
    /// What it may be at most.
    pub(crate) at_most: Option<f64>,
    /// What it was, in hundredths, both speeds capped; never compared. Nothing where one of them has no speed.
    pub(crate) percent: Option<u64>,
}

/// What a step of an expectation gave.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub(crate) struct StepEntry {
    /// What was measured, in words.
    pub(crate) probe: String,
    /// How far the lab's clock was moved before it.
    pub(crate) wait_milliseconds: u64,
    /// The verdict that it must give.
    pub(crate) verdict: Word,
    /// The failure string that it must give, if the scenario says one.
    pub(crate) failure: Option<String>,
    /// The rules of which one must have done it; empty where the scenario says none.
    pub(crate) by: Vec<String>,
    /// The speed beside that from control, if the scenario says what it must be.
    pub(crate) of_control: Option<OfControlEntry>,
    /// What it must find out, by the keys of `finds`; empty where the scenario says nothing.
    #[serde(default)]
    pub(crate) finds: BTreeMap<String, String>,
    /// The test keys that it must give.
    #[serde(default)]
    pub(crate) keys: TestKeys,
    /// What was seen.
    pub(crate) seen: Seen,
    /// Which of these differ: `verdict`, `failure`, `by`, `of-control`, `finds`, `keys`. Empty: none does.
    pub(crate) differs: Vec<Difference>,
    /// What this machine lacks to measure it, as a shell says it; only where something is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lacks: Option<String>,
}

impl ExpectationEntry {
    /// What this machine lacks to measure it, where that alone is why it is not as it must be.
    pub(crate) fn lacks(&self) -> Option<&str> {
        self.steps.iter().find(|step| !step.differs.is_empty())?.lacks.as_deref()
    }
}

/// What of a step is not as it must be.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Difference {
    /// The verdict.
    Verdict,
    /// The failure string.
    Failure,
    /// The rule that did it.
    By,
    /// The speed beside that from control.
    OfControl,
    /// What was found out.
    Finds,
    /// OONI's test keys.
    Keys,
}

/// Something that makes results untrustworthy.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct ProblemEntry {
    /// The phase in which it was noticed; its results are `invalid`.
    pub(crate) phase: String,
    /// Where: a hop or a service.
    pub(crate) place: String,
    /// What happened.
    pub(crate) what: String,
}

/// A verdict in one word.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Word {
    /// Reached.
    Ok,
    /// The name could not be resolved, or to a wrong address.
    Dns,
    /// The address cannot be reached at all: an ICMP error came.
    Ip,
    /// The TCP connection failed.
    Tcp,
    /// The TLS handshake failed.
    Tls,
    /// The HTTP exchange failed.
    Http,
    /// A block page came.
    Blockpage,
    /// QUIC failed where TCP works.
    Quic,
    /// A protocol was recognised and cut.
    Protocol,
    /// It works, too slowly.
    Throttled,
    /// It works and then stands still.
    Freezes,
    /// Somebody else's certificate came.
    Intercepted,
    /// It could not be measured.
    Unmeasured,
    /// The lab failed while it was measured: neither reached nor blocked.
    Invalid,
}

/// How far a behaviour is known.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Known {
    /// Read at a published measurement.
    Measured,
    /// From one source or one vantage point.
    SingleSource,
    /// Recalled from a publication and not read again.
    Recalled,
    /// Nobody published it; the scenario assumes it.
    Assumed,
}

impl Word {
    /// As it stands in scenarios and documents.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Dns => "dns",
            Self::Ip => "ip",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Blockpage => "blockpage",
            Self::Quic => "quic",
            Self::Protocol => "protocol",
            Self::Throttled => "throttled",
            Self::Freezes => "freezes",
            Self::Intercepted => "intercepted",
            Self::Unmeasured => "unmeasured",
            Self::Invalid => "invalid",
        }
    }
}

impl From<VerdictWord> for Word {
    fn from(word: VerdictWord) -> Self {
        match word {
            VerdictWord::Ok => Self::Ok,
            VerdictWord::Dns => Self::Dns,
            VerdictWord::Ip => Self::Ip,
            VerdictWord::Tcp => Self::Tcp,
            VerdictWord::Tls => Self::Tls,
            VerdictWord::Http => Self::Http,
            VerdictWord::Blockpage => Self::Blockpage,
            VerdictWord::Quic => Self::Quic,
            VerdictWord::Protocol => Self::Protocol,
            VerdictWord::Throttled => Self::Throttled,
            VerdictWord::Freezes => Self::Freezes,
            VerdictWord::Intercepted => Self::Intercepted,
            VerdictWord::Unmeasured => Self::Unmeasured,
        }
    }
}

impl Known {
    /// As it stands in documents and messages.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::SingleSource => "single source",
            Self::Recalled => "recalled",
            Self::Assumed => "assumed",
        }
    }
}

impl From<Grade> for Known {
    fn from(grade: Grade) -> Self {
        match grade {
            Grade::Measured => Self::Measured,
            Grade::SingleSource => Self::SingleSource,
            Grade::Recalled => Self::Recalled,
            Grade::Assumed => Self::Assumed,
        }
    }
}

/// The document's JSON Schema.
pub(crate) fn schema() -> schemars::Schema {
    schemars::schema_for!(Report)
}
