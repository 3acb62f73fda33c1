//! How fast is it, and if it is slow: is what comes above a rate dropped, or does it wait? A neutral name at the same address
//! tells a rate that goes by name from a line that is full (T27).

use roadblock_scenarios::model::{Limit, ThroughputFinds, VerdictWord};

use super::found::Found;
use super::pace::Series;
use super::tools::Tools;
use super::trace::Outcome;
use super::transfer::{self, Transfer};

/// A speed to be measured.
#[derive(Clone, Debug)]
pub(crate) struct Throughput {
    /// The transfer that counts.
    pub(crate) transfer: Transfer,
    /// The same with a neutral name.
    pub(crate) beside: Option<Transfer>,
}

/// What was found about a speed.
#[derive(Clone, Debug)]
pub(crate) struct ThroughputFound {
    /// How what comes above the rate is treated; nothing where the transfer failed otherwise.
    limit: Option<Limit>,
    /// The same of the name beside it.
    beside: Option<Limit>,
    /// The numbers behind it.
    pub(super) evidence: serde_json::Value,
}

/// Moves the bytes, with the neutral name first, so that nothing that the other earns hits it.
pub(crate) async fn probe(tools: &Tools, throughput: &Throughput) -> Outcome {
    let beside = match &throughput.beside {
        Some(beside) => Some(transfer::measure(&tools.without_port(), beside).await),
        None => None,
    };
    let measured = transfer::measure(tools, &throughput.transfer).await;
    let limit = limit(&measured);
    let beside_limit = beside.as_ref().and_then(self::limit);
    let numbers = |(outcome, series): &(Outcome, Option<Series>)| serde_json::json!({ "kilobits_a_second": outcome.speed, "seen": series.as_ref().map(Series::evidence) });
    let evidence = serde_json::json!({ "measured": numbers(&measured), "beside": beside.as_ref().map(numbers) });
    let found = Found::Throughput(ThroughputFound { limit, beside: beside_limit, evidence });
    let (outcome, _) = measured;
    Outcome { found: Some(found), ..outcome }
}

fn limit((outcome, series): &(Outcome, Option<Series>)) -> Option<Limit> {
    match outcome.verdict {
        VerdictWord::Ok => Some(Limit::Unthrottled),
        VerdictWord::Throttled => Some(series.as_ref().map_or(Limit::Slow, Series::limit)),
        _ => None,
    }
}

impl ThroughputFound {
    /// Whether it is what must be found.
    pub(super) fn is(&self, wanted: ThroughputFinds) -> bool {
        let ThroughputFinds { limit, beside } = wanted;
        (limit.is_none() || limit == self.limit) && (beside.is_none() || beside == self.beside)
    }

    /// What was found, by the keys of `finds`.
    pub(super) fn words(&self) -> Vec<(&'static str, String)> {
        let words = [("limit", self.limit), ("beside", self.beside)];
        words.into_iter().filter_map(|(key, limit)| Some((key, limit?.word().to_owned()))).collect()
    }
}
