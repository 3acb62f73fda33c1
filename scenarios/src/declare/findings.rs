//! What a measurement must find out, beside its verdict.

use crate::model::Limit;
use crate::read::{table, words};

table! {
    /// What a measurement must find out, beside its verdict. Each key belongs to one probe.
    FindsDeclaration {
        /// `throughput`: how what comes above a rate is treated.
        "limit" => limit: Option<Limit>,
        /// `throughput` with `beside`: the same of the name beside it.
        "beside" => beside: Option<Limit>,
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
