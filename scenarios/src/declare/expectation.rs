//! What must be observed. Each layer can be pinned, so that each rule can be proved alone.

use std::time::Duration;

use super::{NeighboursDeclaration, ProbeDeclaration};
use crate::model::VerdictWord;
use crate::read::{OneOrMany, table};
use crate::source::Text;

table! {
    /// What must be observed, from a fresh client address.
    ExpectDeclaration {
        /// A short name for reports; `expect.3` for the fourth where not said.
        "id" => id: Option<Text>,
        /// In which phases; `"*"` is all, and all where not said.
        "phase" => phases: Option<OneOrMany<Text>>,
        /// From which vantages; `"*"` is all, and the first where not said.
        "vantage" => vantages: Option<OneOrMany<Text>>,
        /// What is measured.
        "probe" => probe: ProbeDeclaration,
        /// What it must give.
        "verdict" => verdict: VerdictWord,
        /// OONI's failure string.
        "failure" => failure: Option<Text>,
        /// The rule or lie that must have done it, as `tspu/sni-1` or `isp/lies.0`.
        "by" => by: Option<Text>,
        /// Expectations with the same sequence share a client address and run in the order of the file.
        "sequence" => sequence: Option<Text>,
        /// What of its neighbourhood must give which verdict, so that a block which is drawn too wide is noticed.
        "neighbours" => neighbours: Option<NeighboursDeclaration>,
        /// What must hold afterwards, from the same client address.
        "then" => then: OneOrMany<ThenDeclaration> = OneOrMany(Vec::new()),
    }
}

table! {
    /// A measurement after another.
    ThenDeclaration {
        /// How long after the beginning of the measurement before it begins, on the lab's clock.
        "wait" => wait: Duration = Duration::ZERO,
        /// Whether the client port of the measurement before is used again.
        "same-tuple" => same_tuple: bool = false,
        /// The measurement before, with another server name.
        "sni" => sni: Option<Text>,
        /// Another measurement; the one before where not said.
        "probe" => probe: Option<ProbeDeclaration>,
        /// What it must give.
        "verdict" => verdict: VerdictWord,
        /// OONI's failure string.
        "failure" => failure: Option<Text>,
        /// The rule or lie that must have done it.
        "by" => by: Option<Text>,
    }
}
