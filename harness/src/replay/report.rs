//! The document that a replay gives: `roadblock.replay/1`.

use roadblock_censor::Counters;
use schemars::JsonSchema;
use serde::Serialize;

use crate::run::{CanonicalEvent, Known};

/// The name and version of this document's schema.
pub(super) const SCHEMA: &str = "roadblock.replay/1";

/// What a censor would have done to a capture. The capture does not change with what the censor does: a packet that it drops
/// is followed by those that followed it on the wire.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(crate) struct Report {
    /// `roadblock.replay/1`.
    pub(crate) schema: String,
    /// The version of roadblock.
    pub(crate) version: String,
    /// What was judged.
    pub(crate) capture: CaptureHead,
    /// Who judged.
    pub(crate) policy: PolicyHead,
    /// What all chance came from.
    pub(crate) seed: u64,
    /// What was done with the packets.
    pub(crate) packets: PacketCounts,
    /// The decisions, in their order.
    pub(crate) events: Vec<ReplayedEvent>,
    /// The same without times and ports, sorted, as a run's document has them.
    pub(crate) canonical: Vec<CanonicalEvent>,
}

/// A capture.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(crate) struct CaptureHead {
    /// The file.
    pub(crate) file: String,
    /// How many packets it holds.
    pub(crate) packets: usize,
    /// How many of them were judged.
    pub(crate) judged: usize,
    /// How many were not, and why.
    pub(crate) left_out: Vec<LeftOut>,
    /// What is taken to be in the censored network.
    pub(crate) inside: String,
    /// What else is to be known about it.
    pub(crate) notes: Vec<String>,
}

/// Packets that were not judged.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct LeftOut {
    /// Why.
    pub(crate) why: String,
    /// How many.
    pub(crate) packets: usize,
}

/// Who judged.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub(crate) enum PolicyHead {
    /// A profile by itself.
    Profile {
        /// Its id.
        profile: String,
        /// What was set, as a scenario would set it.
        parameters: Vec<String>,
    },
    /// The censors of a scenario.
    Scenario {
        /// Its id.
        scenario: String,
        /// The phases, in the order in which they were entered.
        phases: Vec<String>,
        /// The hops whose censors judged.
        hops: Vec<String>,
    },
}

/// How many packets met which fate.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct PacketCounts {
    /// Forwarded as they were.
    pub(crate) passed: u64,
    /// Forwarded with changes.
    pub(crate) rewritten: u64,
    /// Swallowed.
    pub(crate) dropped: u64,
    /// Made by the censor.
    pub(crate) injected: u64,
    /// What the censor forgot before its time because a table was full: punishments, counts, rates, redirected queries.
    pub(crate) forgotten: u64,
}

impl PacketCounts {
    /// Those of several machines together.
    pub(super) fn of(all: impl Iterator<Item = Counters>) -> Self {
        let mut sum = Self { passed: 0, rewritten: 0, dropped: 0, injected: 0, forgotten: 0 };
        for each in all {
            sum.passed += each.passed;
            sum.rewritten += each.rewritten;
            sum.dropped += each.dropped;
            sum.injected += each.injected;
            sum.forgotten += each.forgotten.total();
        }
        sum
    }
}

/// A decision.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(crate) struct ReplayedEvent {
    /// When, in nanoseconds: since the lab began where the capture is a lab's, since its first packet otherwise.
    pub(crate) at: u64,
    /// The packet that it was about, by its number in the file, from 1, as Wireshark counts; none where time alone caused it.
    pub(crate) packet: Option<usize>,
    /// The phase, where a scenario's censors judged.
    pub(crate) phase: Option<String>,
    /// The hop, where a scenario's censors judged or the capture is a lab's.
    pub(crate) hop: Option<String>,
    /// The box that decided.
    pub(crate) censor: String,
    /// The rule that decided, where one did.
    pub(crate) rule: Option<String>,
    /// What was decided.
    pub(crate) kind: String,
    /// The way the packet travelled.
    pub(crate) direction: String,
    /// The flow.
    pub(crate) flow: String,
    /// What matched.
    pub(crate) matched: Option<String>,
    /// Where in the packet that stands, counted from the first byte of the IP header: the first byte and the one behind the
    /// last; none where it does not stand in one place.
    pub(crate) bytes: Option<[usize; 2]>,
    /// Whether a punishment decided that an earlier packet had called for.
    pub(crate) residual: bool,
    /// The facts that the rule cites.
    pub(crate) facts: Vec<String>,
    /// How far the behaviour is known.
    pub(crate) grade: Known,
    /// The decision in words, as a lab's capture has them.
    pub(crate) words: String,
}

/// The schema of the document.
pub(crate) fn schema() -> schemars::Schema {
    schemars::schema_for!(Report)
}
