//! What a measurement must find out, beside its verdict.

use std::time::Duration;

use roadblock_censor::policy::{Place, Sees};

use crate::model::{Counts, Limit, Punished};
use crate::read::{OneOrMany, table, words};
use crate::source::Text;

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
        /// `residual`: whom the punishment hits.
        "key" => key: Option<Punished>,
        /// `residual`: how long it lasts: the least and the most.
        "last" => last: Option<OneOrMany<Duration>>,
        /// `trace`: the hop at which somebody interferes.
        "hop" => hop: Option<Text>,
        /// `trace`: `in-path` where what it hits goes no further, `on-path` where it goes on beside an answer, as far as a client
        /// can tell.
        "place" => place: Option<Place>,
        /// `trace`: whether the interference itself does not show its hop, because it is done to what the server sends.
        "blind" => blind: Option<bool>,
    }
}

words! {
    /// What is counted: packets, with or without payload, or bytes of payload.
    Counts { "packets" => Self::Packets, "bytes" => Self::Bytes, }
}

words! {
    /// Whom a punishment hits: `none`, the ports of the connection that earned it (`4t`), every connection of the client to that
    /// port of the server (`3t`), or to the server (`2t`).
    Punished {
        "none" => Self::Nobody,
        "4t" => Self::FourTuple,
        "3t" => Self::ThreeTuple,
        "2t" => Self::TwoTuple,
    }
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
