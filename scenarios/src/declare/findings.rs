//! What a measurement must find out, beside its verdict.

use roadblock_censor::policy::Sees;

use crate::model::{Counts, Limit};
use crate::read::{OneOrMany, table, words};

table! {
    /// What a measurement must find out, beside its verdict. Each key belongs to one probe.
    FindsDeclaration {
        /// `throughput`: how what comes above a rate is treated.
        "limit" => limit: Option<Limit>,
        /// `throughput` with `beside`: the same of the name beside it.
        "beside" => beside: Option<Limit>,
        /// `freeze`: what is counted until it stands still.
        "counts" => counts: Option<Counts>,
        /// `freeze`: of which direction that is.
        "direction" => direction: Option<Sees>,
        /// `freeze`: how many packets pass, where packets are counted: a number, or the least and the most.
        "packets" => packets: Option<OneOrMany<u32>>,
        /// `freeze`: how many kilobytes of the transfer itself pass, likewise.
        "kilobytes" => kilobytes: Option<OneOrMany<u32>>,
        /// `freeze` with `beside`: whether the name beside it comes through whole.
        "spared" => spared: Option<bool>,
    }
}

words! {
    /// What is counted: packets, with or without payload, or bytes of payload.
    Counts { "packets" => Self::Packets, "bytes" => Self::Bytes, }
}

words! {
    /// How what comes above a rate is treated: `policed` is dropped and `shaped` is queued; `slow` is neither, because nothing
    /// was lost and nothing was late; `unthrottled` is as fast as it must be.
    Limit {
        "policed" => Self::Policed,
        "shaped" => Self::Shaped,
        "slow" => Self::Slow,
        "unthrottled" => Self::Unthrottled,
    }
}
