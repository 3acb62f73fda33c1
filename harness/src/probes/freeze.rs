//! Where does a transfer stand still, and what is counted: packets or bytes, and of which direction (T26)?
//!
//! The same is moved down and up, in segments of the usual length and in short ones, each on a connection of its own: a limit
//! on packets stands where it was when they are short, a limit on bytes comes after more of them (RU-L425-3). What is counted
//! is what is most alike in all connections that stood still. A neutral name beside them tells a limit by name from a line
//! that is broken.

use std::net::SocketAddr;

use roadblock_censor::policy::Sees;
use roadblock_scenarios::model::{Counts, FreezeFinds, VerdictWord};
use serde_json::json;

use super::failure::Failure;
use super::found::Found;
use super::stall::{self, Carried, End, Run};
use super::tools::Tools;
use super::trace::{Outcome, Trace};
use super::transfer::{Transfer, Way};

/// A transfer whose limit is looked for.
#[derive(Clone, Debug)]
pub(crate) struct Freeze {
    /// The transfer that counts.
    pub(crate) transfer: Transfer,
    /// The same with a neutral name.
    pub(crate) beside: Option<Transfer>,
}

/// What was found about where a transfer stands still.
#[derive(Clone, Debug, Default)]
pub(crate) struct FreezeFound {
    /// What is counted, and how much of it passes; nothing where that could not be told.
    limit: Option<Counted>,
    /// How much the transfer itself had carried, in the direction of its bytes.
    kilobytes: Option<u32>,
    /// Whether the name beside it is spared.
    spared: Option<bool>,
    /// What each connection carried.
    runs: Vec<(Way, bool, Run)>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Counted {
    counts: Counts,
    direction: Sees,
    /// How much passes, in packets or bytes: the middle of what was seen.
    passes: u64,
}

/// Looks where it stands still; if it does, what is counted.
pub(crate) async fn probe(tools: &Tools, freeze: &Freeze) -> Outcome {
    let Freeze { transfer, beside } = freeze;
    let mut trace = Trace::default();
    let address = match transfer.pinned {
        Some(address) => address,
        None => match transfer.place.lookup(&mut trace, tools, transfer.family).await {
            Ok(address) => address,
            Err(failure) => return trace.unresolved(failure),
        },
    };
    let remote = SocketAddr::new(address, transfer.port);
    let first = match stall::run(&mut trace, tools, transfer, remote, None).await {
        Ok(run) => run,
        Err(failure) => return trace.failed(failure),
    };
    if first.end == End::Whole {
        return trace.end(VerdictWord::Ok);
    }
    let (others, spared) = tokio::join!(others(tools, transfer, remote), spared(tools, beside.as_ref(), remote));
    let runs = [vec![(transfer.way, false, first)], others].concat();
    let carried = match transfer.way {
        Way::Down => first.carried.bytes_in,
        Way::Up => first.carried.bytes_out,
    };
    let limit = counted(&runs.iter().map(|(.., run)| *run).collect::<Vec<_>>());
    let kilobytes = u32::try_from(carried / 1024).ok();
    let found = Found::Freeze(FreezeFound { limit, kilobytes, spared, runs });
    let outcome = trace.failed(Failure::GenericTimeout).judged(VerdictWord::Freezes).said("freezes");
    Outcome { found: Some(found), ..outcome }
}

/// The same in short segments, and both the other way. What fails otherwise tells nothing.
async fn others(tools: &Tools, transfer: &Transfer, remote: SocketAddr) -> Vec<(Way, bool, Run)> {
    let other = match transfer.way {
        Way::Down => Way::Up,
        Way::Up => Way::Down,
    };
    let run = async |way, short: bool| {
        let transfer = Transfer { way, ..transfer.clone() };
        let segment = short.then_some(SHORT);
        let run = stall::run(&mut Trace::default(), &tools.without_port(), &transfer, remote, segment).await;
        run.ok().map(|run| (way, short, run))
    };
    let (short, up, short_up) = tokio::join!(run(transfer.way, true), run(other, false), run(other, true));
    [short, up, short_up].into_iter().flatten().collect()
}

/// Whether all of it is through with another name.
async fn spared(tools: &Tools, beside: Option<&Transfer>, remote: SocketAddr) -> Option<bool> {
    let run = stall::run(&mut Trace::default(), &tools.without_port(), beside?, remote, None).await;
    run.ok().map(|run| run.end == End::Whole)
}

/// What is counted: that of which all connections that stood still had carried most nearly as much, and of which none that
/// went on had carried more. Nothing where none of them is alike, or no two stood still.
fn counted(runs: &[Run]) -> Option<Counted> {
    let candidates = [Counts::Packets, Counts::Bytes]
        .into_iter()
        .flat_map(|counts| [Sees::Both, Sees::Inbound, Sees::Outbound].map(|direction| (counts, direction)));
    let judged = candidates.filter_map(|(counts, direction)| {
        let value = |run: &Run| amount(&run.carried, counts, direction);
        let stood: Vec<u64> = runs.iter().filter(|run| run.end == End::Stands).map(value).collect();
        let (least, most) = (*stood.iter().min()?, *stood.iter().max()?);
        let went_on = runs.iter().filter(|run| run.end == End::Whole).map(value).max().unwrap_or_default();
        let spread = (most - least) * 100 / most.max(1);
        let alike = stood.len() > 1 && spread <= ALIKE && went_on * 5 <= most * 6;
        alike.then_some((spread, Counted { counts, direction, passes: u64::midpoint(least, most) }))
    });
    judged.min_by_key(|(spread, _)| *spread).map(|(_, counted)| counted)
}

fn amount(carried: &Carried, counts: Counts, direction: Sees) -> u64 {
    let (inbound, outbound) = match counts {
        Counts::Packets => (u64::from(carried.packets_in), u64::from(carried.packets_out)),
        Counts::Bytes => (carried.bytes_in, carried.bytes_out),
    };
    match direction {
        Sees::Both => inbound + outbound,
        Sees::Inbound => inbound,
        Sees::Outbound => outbound,
    }
}

impl FreezeFound {
    /// Whether it is what must be found.
    pub(super) fn is(&self, wanted: &FreezeFinds) -> bool {
        let FreezeFinds { counts, direction, packets, kilobytes, spared } = wanted;
        let of = |counts: Counts| self.limit.filter(|limit| limit.counts == counts).map(|limit| limit.passes);
        let passes = of(Counts::Packets).and_then(|passes| u32::try_from(passes).ok());
        let within = |range: &Option<_>, value: Option<u32>| {
            range
                .as_ref()
                .is_none_or(|range: &std::ops::RangeInclusive<u32>| value.is_some_and(|it| range.contains(&it)))
        };
        counts.is_none_or(|counts| self.limit.is_some_and(|limit| limit.counts == counts))
            && direction.is_none_or(|direction| self.limit.is_some_and(|limit| limit.direction == direction))
            && within(packets, passes)
            && within(kilobytes, self.kilobytes)
            && spared.is_none_or(|spared| self.spared == Some(spared))
    }

    /// What was found, by the keys of `finds`, without numbers.
    pub(super) fn words(&self) -> Vec<(&'static str, String)> {
        let limit = self.limit.iter().flat_map(|limit| {
            [("counts", limit.counts.word().to_owned()), ("direction", direction_word(limit.direction).to_owned())]
        });
        limit.chain(self.spared.map(|spared| ("spared", spared.to_string()))).collect()
    }

    /// The numbers behind it.
    pub(super) fn evidence(&self) -> serde_json::Value {
        let runs = self.runs.iter().map(|(way, short, Run { end, carried })| {
            json!({
                "way": match way { Way::Down => "down", Way::Up => "up" },
                "short_segments": short,
                "stands": *end == End::Stands,
                "packets_in": carried.packets_in,
                "packets_out": carried.packets_out,
                "bytes_in": carried.bytes_in,
                "bytes_out": carried.bytes_out,
            })
        });
        json!({ "said": self.said(), "runs": runs.collect::<Vec<_>>() })
    }

    /// In a sentence: `freezes after 25 packets, both directions counted, about 16 KB of the download`.
    fn said(&self) -> String {
        let limit = match self.limit {
            Some(Counted { counts: Counts::Packets, passes, .. }) => format!("after {passes} packets"),
            Some(Counted { counts: Counts::Bytes, passes, .. }) => format!("after {} KB", passes / 1024),
            None => "where nothing that was counted is alike".to_owned(),
        };
        let direction = self.limit.map_or("", |limit| match limit.direction {
            Sees::Both => ", both directions counted",
            Sees::Inbound => ", those that come counted",
            Sees::Outbound => ", those that are sent counted",
        });
        let way = match self.runs.first() {
            Some((Way::Up, ..)) => "upload",
            _ => "download",
        };
        let kilobytes = self.kilobytes.unwrap_or_default();
        format!("freezes {limit}{direction}: about {kilobytes} KB of the {way}")
    }
}

const fn direction_word(direction: Sees) -> &'static str {
    match direction {
        Sees::Both => "both",
        Sees::Inbound => "inbound",
        Sees::Outbound => "outbound",
    }
}

/// The longest segment of the short ones, as a client offers it (RFC 9293 section 3.7.1).
const SHORT: u32 = 300;
/// In hundredths of the most: what differs by more is not alike.
const ALIKE: u64 = 40;

#[cfg(test)]
#[path = "freeze_tests.rs"]
mod tests;
