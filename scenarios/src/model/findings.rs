//! What a measurement must find out, beside its verdict.

use std::ops::RangeInclusive;
use std::time::Duration;

use roadblock_censor::policy::{Place, Sees};
use serde::Serialize;

use super::Name;

/// What must be found, by the kind of the measurement.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finds {
    /// Of a transfer whose speed counts.
    Throughput(ThroughputFinds),
    /// Of a transfer that stands still.
    Freeze(FreezeFinds),
    /// Of a punishment.
    Residual(ResidualFinds),
    /// Of where somebody interferes.
    Trace(TraceFinds),
}

impl Finds {
    /// What must be found, by the keys of `finds`.
    pub fn words(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Throughput(ThroughputFinds { limit, beside }) => {
                let words = [("limit", *limit), ("beside", *beside)];
                words.into_iter().filter_map(|(key, limit)| Some((key, limit?.word().to_owned()))).collect()
            }
            Self::Trace(TraceFinds { hop, place, blind }) => [
                ("hop", hop.as_ref().map(ToString::to_string)),
                ("place", place.map(|place| place_word(place).to_owned())),
                ("blind", blind.map(|blind| blind.to_string())),
            ]
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect(),
            Self::Residual(ResidualFinds { key, last }) => {
                let key = key.map(|key| ("key", key.word().to_owned()));
                key.into_iter().chain(last.as_ref().map(|last| ("last", seconds_words(last)))).collect()
            }
            Self::Freeze(FreezeFinds { counts, direction, packets, kilobytes, spared }) => [
                ("counts", counts.map(|counts| counts.word().to_owned())),
                ("direction", direction.map(|direction| format!("{direction:?}").to_lowercase())),
                ("packets", packets.as_ref().map(range_words)),
                ("kilobytes", kilobytes.as_ref().map(range_words)),
                ("spared", spared.map(|spared| spared.to_string())),
            ]
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect(),
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

/// What must be found about where a transfer stands still. At least one of these is there.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct FreezeFinds {
    /// What is counted.
    pub counts: Option<Counts>,
    /// Of which direction.
    pub direction: Option<Sees>,
    /// How many packets pass, where packets are counted.
    pub packets: Option<RangeInclusive<u32>>,
    /// How much of the transfer itself passes.
    pub kilobytes: Option<RangeInclusive<u32>>,
    /// Whether the name beside it is spared.
    pub spared: Option<bool>,
}

/// What is counted until a transfer stands still.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counts {
    /// Packets, with or without payload.
    Packets,
    /// Bytes of payload.
    Bytes,
}

impl Counts {
    /// What the file calls it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Packets => "packets",
            Self::Bytes => "bytes",
        }
    }
}

/// What must be found about a punishment. At least one of these is there.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ResidualFinds {
    /// Whom it hits.
    pub key: Option<Punished>,
    /// How long it lasts.
    pub last: Option<RangeInclusive<Duration>>,
}

/// What must be found about where somebody interferes. At least one of these is there.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct TraceFinds {
    /// The hop.
    pub hop: Option<Name>,
    /// Whether what it hits goes no further, or goes on beside an answer.
    pub place: Option<Place>,
    /// Whether the interference itself does not show its hop.
    pub blind: Option<bool>,
}

const fn place_word(place: Place) -> &'static str {
    match place {
        Place::InPath => "in-path",
        Place::OnPath => "on-path",
    }
}

/// Whom a punishment hits, as far as one client can tell.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Punished {
    /// Nobody: there is none.
    Nobody,
    /// The ports of the connection that earned it.
    FourTuple,
    /// Every connection of the client to that port of the server.
    ThreeTuple,
    /// Every connection of the client to the server.
    TwoTuple,
}

impl Punished {
    /// What the file calls it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nobody => "none",
            Self::FourTuple => "4t",
            Self::ThreeTuple => "3t",
            Self::TwoTuple => "2t",
        }
    }
}

fn seconds_words(range: &RangeInclusive<Duration>) -> String {
    format!("{} to {} s", range.start().as_secs_f64(), range.end().as_secs_f64())
}

fn range_words(range: &RangeInclusive<u32>) -> String {
    let (least, most) = range.clone().into_inner();
    if least == most { least.to_string() } else { format!("{least} to {most}") }
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
