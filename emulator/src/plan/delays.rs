//! Where a path's delay is applied.

use std::collections::BTreeMap;
use std::time::Duration;

use roadblock_scenarios::model::{Name, Scenario};

/// The delay of each hop that holds packets.
///
/// A path's delay is applied once: at its first hop with a censor, or at its first hop where it has none. Where vantages with
/// different delays share that hop, the longest holds for all of them.
pub fn delays(scenario: &Scenario) -> BTreeMap<Name, Duration> {
    let mut delays = BTreeMap::new();
    for vantage in scenario.vantages.iter().filter(|vantage| !vantage.delay.is_zero()) {
        let has_censor = |hop: &&Name| scenario.censors.iter().any(|censor| censor.at == **hop);
        let Some(hop) = vantage.path.iter().find(has_censor).or_else(|| vantage.path.first()) else { continue };
        let delay = delays.entry(Name::clone(hop)).or_insert(Duration::ZERO);
        *delay = vantage.delay.max(*delay);
    }
    delays
}
