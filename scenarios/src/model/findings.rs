//! What a measurement must find out, beside its verdict.

use serde::Serialize;

/// What must be found, by the kind of the measurement.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finds {
    /// Of a transfer whose speed counts.
    Throughput(ThroughputFinds),
}

impl Finds {
    /// What must be found, by the keys of `finds`.
    pub fn words(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Throughput(ThroughputFinds { limit, beside }) => {
                let words = [("limit", *limit), ("beside", *beside)];
                words.into_iter().filter_map(|(key, limit)| Some((key, limit?.word().to_owned()))).collect()
            }
        }
    }
}

/// What must be found about a speed. At least one of these is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct ThroughputFinds {
    /// How what comes above the rate is treated.
    pub limit: Option<Limit>,
    /// The same of the name beside it.
    pub beside: Option<Limit>,
}

/// How what comes above a rate is treated.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// It is dropped: the sender loses segments and slows down (T27).
    Policed,
    /// It waits: nothing is lost, and the round trip takes longer and longer (T28).
    Shaped,
    /// Too slow, and neither was seen: the server or the path may be slow by itself.
    Slow,
    /// As fast as it must be.
    Unthrottled,
}

impl Limit {
    /// What the file calls it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Policed => "policed",
            Self::Shaped => "shaped",
            Self::Slow => "slow",
            Self::Unthrottled => "unthrottled",
        }
    }
}
