//! What a measurement finds out, beside its verdict.

use roadblock_scenarios::model::Finds;

use super::freeze::FreezeFound;
use super::localise::TraceFound;
use super::residual::ResidualFound;
use super::throughput::ThroughputFound;

/// What was found, by the kind of the measurement.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// Of a transfer whose speed counts.
    Throughput(ThroughputFound),
    /// Of a transfer that stands still.
    Freeze(FreezeFound),
    /// Of a punishment.
    Residual(ResidualFound),
    /// Of where somebody interferes.
    Trace(TraceFound),
}

impl Found {
    /// Whether it is what must be found.
    pub(crate) fn is(&self, wanted: &Finds) -> bool {
        match (self, wanted) {
            (Self::Throughput(found), Finds::Throughput(wanted)) => found.is(*wanted),
            (Self::Freeze(found), Finds::Freeze(wanted)) => found.is(wanted),
            (Self::Residual(found), Finds::Residual(wanted)) => found.is(wanted),
            (Self::Trace(found), Finds::Trace(wanted)) => found.is(wanted),
            _ => false,
        }
    }

    /// What was found, by the keys of `finds`; the same run after run.
    pub(crate) fn words(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Throughput(found) => found.words(),
            Self::Freeze(found) => found.words(),
            Self::Residual(found) => found.words(),
            Self::Trace(found) => found.words(),
        }
    }

    /// The numbers behind it, which differ from run to run.
    pub(crate) fn evidence(&self) -> serde_json::Value {
        match self {
            Self::Throughput(found) => found.evidence.clone(),
            Self::Freeze(found) => found.evidence(),
            Self::Residual(found) => found.evidence(),
            Self::Trace(found) => found.evidence(),
        }
    }
}
