//! How much passes before something acts, and who shares a count or a rate.

use core::time::Duration;

use serde::Serialize;

use super::Sees;

/// How much passes before something acts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Threshold {
    /// What is counted.
    pub unit: ThresholdUnit,
    /// The least that passes.
    pub least: u64,
    /// The most. How much it is between the two is drawn once for each flow, or for each group of them that shares the
    /// count, keyed as [`Rule::miss`](super::Rule::miss) is.
    pub most: u64,
    /// The packets that are counted.
    pub count: Sees,
    /// Who shares a count. A residual counts what its own key names, whatever this says.
    pub per: Per,
    /// Within which time: what lies further back is forgotten, to a sixteenth of that time. `None`: as long as the box
    /// remembers the flow, or the count where flows share one.
    pub within: Option<Duration>,
}

impl Threshold {
    /// So many packets of a flow, both ways.
    pub const fn packets(least: u64, most: u64) -> Self {
        Self { unit: ThresholdUnit::Packets, least, most, count: Sees::Both, per: Per::Flow, within: None }
    }
}

/// What a threshold counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ThresholdUnit {
    /// Packets, with or without payload.
    Packets,
    /// Bytes of TCP and UDP payload.
    Bytes,
    /// Flows on which the rule matched, each once (RU-SIB-1).
    Connections,
}

/// Which packets share a count or a rate.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// Those of one flow.
    #[default]
    Flow,
    /// Those between one client and one port of a server.
    #[serde(rename = "3t")]
    ThreeTuple,
    /// Those between one client and one server, over one protocol.
    #[serde(rename = "2t")]
    TwoTuple,
    /// Those of one client.
    Client,
}
