//! Look-ups of the name in the input, beside the test helper's.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::observed::{Expected, Lookup, Observed};

/// The look-ups by their transactions. A and AAAA share one; the first of each counts, for what succeeded and for what failed.
#[derive(Clone, Debug, Default)]
pub(super) struct Lookups {
    /// Those that found addresses.
    pub(super) found: BTreeSet<i64>,
    /// Those that found an address which no public name has.
    pub(super) bogon: BTreeSet<i64>,
    /// Those whose addresses are not the test helper's, nor in its networks.
    pub(super) wrong: BTreeSet<i64>,
    /// Those whose addresses are.
    pub(super) right: BTreeSet<i64>,
    /// Those that failed where the test helper's did not.
    pub(super) unexpected: BTreeSet<i64>,
    /// Those that failed as the test helper's did.
    pub(super) expected: BTreeSet<i64>,
    /// Those that failed after a redirect, of which the test helper knows nothing.
    pub(super) unexplained: BTreeSet<i64>,
    /// How the first failed that did.
    pub(super) first_failure: Option<String>,
    /// Whether the test helper answered that the name has no address.
    control_has_none: bool,
}

impl Lookups {
    /// Sorts the look-ups that were made.
    pub(super) fn new(observed: &Observed, network_of: &dyn Fn(IpAddr) -> Option<u32>) -> Self {
        let control = observed.control.as_ref();
        let mut sorted =
            Self { control_has_none: control.is_some_and(|control| control.addresses.is_empty()), ..Self::default() };
        let (mut succeeded, mut failed) = (BTreeSet::new(), BTreeSet::new());
        for lookup in &observed.lookups {
            let beside = control.filter(|_| lookup.is_the_control_s);
            match &lookup.fate {
                Ok(()) if !lookup.addresses.is_empty() && succeeded.insert(lookup.transaction) => {
                    sorted.add_success(lookup, beside, network_of);
                }
                Err(failure) if failed.insert(lookup.transaction) => sorted.add_failure(lookup, failure, beside),
                _ => {}
            }
        }
        sorted
    }

    /// `consistent`, `inconsistent`, or nothing where nobody knows.
    pub(super) fn consistency(&self) -> Option<&'static str> {
        let contradicted = !self.wrong.is_empty() || !self.unexpected.is_empty();
        let borne_out = !self.right.is_empty() || !self.expected.is_empty();
        if borne_out && !contradicted {
            return Some("consistent");
        }
        (contradicted || (!self.found.is_empty() && self.control_has_none)).then_some("inconsistent")
    }

    fn add_success(&mut self, lookup: &Lookup, control: Option<&Expected>, network_of: &dyn Fn(IpAddr) -> Option<u32>) {
        if lookup.depth != Some(0) {
            return;
        }
        self.found.insert(lookup.transaction);
        let parsed = |addresses: &BTreeSet<String>| -> Vec<IpAddr> {
            addresses.iter().filter_map(|address| address.parse().ok()).collect()
        };
        let own = parsed(&lookup.addresses);
        if own.iter().any(|address| crate::probes::is_bogon(*address)) {
            self.bogon.insert(lookup.transaction);
        }
        let Some(control) = control.filter(|control| control.lookup.is_ok()) else { return };
        let networks = |addresses: &[IpAddr]| -> BTreeSet<u32> {
            addresses.iter().filter_map(|address| network_of(*address)).collect()
        };
        let shared = !lookup.addresses.is_disjoint(&control.addresses)
            || !networks(&own).is_disjoint(&networks(&parsed(&control.addresses)));
        if shared {
            self.right.insert(lookup.transaction)
        } else {
            self.wrong.insert(lookup.transaction)
        };
    }

    fn add_failure(&mut self, lookup: &Lookup, failure: &str, control: Option<&Expected>) {
        // What DNS over HTTPS fails at says something of its server and nothing of the name (ooni/probe#2274).
        if lookup.engine == "doh" || lookup.lacks_v6 {
            return;
        }
        if lookup.depth != Some(0) {
            self.unexplained.insert(lookup.transaction);
            return;
        }
        self.first_failure.get_or_insert_with(|| failure.to_owned());
        let Some(control) = control else { return };
        let both_have_none = failure == "dns_no_answer" && control.addresses.is_empty();
        if control.lookup.is_err() || both_have_none {
            self.expected.insert(lookup.transaction);
        } else {
            self.unexpected.insert(lookup.transaction);
        }
    }
}
