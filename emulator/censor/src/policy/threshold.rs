//! How much passes before something acts.

use super::Sees;

/// How much passes before something acts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Threshold {
    /// What is counted.
    pub unit: ThresholdUnit,
    /// The least that passes.
    pub least: u64,
    /// The most. How much it is between the two is drawn once for each flow, keyed as [`Rule::miss`] is.
    pub most: u64,
    /// The packets that are counted.
    pub count: Sees,
}

/// What a threshold counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ThresholdUnit {
    /// Packets, with or without payload.
    Packets,
    /// Bytes of TCP and UDP payload.
    Bytes,
}
