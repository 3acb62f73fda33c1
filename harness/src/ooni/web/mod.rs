//! Web Connectivity's rule: from what a probe met, and what the test helper met, to the keys by which OONI says whether a
//! site is blocked (ts-017, and what version 0.5's "classic" analysis does where the specification is silent).
//!
//! It is pure: a measurement of ours, one that was imported and one of a test's are all judged alike.

pub(crate) mod careful;
mod classic;
mod diff;
mod flags;
mod lookups;
mod observed;
mod status;

use std::net::IpAddr;

use super::control::ControlResponse;
use super::measurement::TestKeys;
use super::web_keys::WebKeys;
use diff::Difference;
use lookups::Lookups;
use observed::Observed;

pub(crate) use observed::{CLASSIC, depth_tag, fetch_tag};

/// What there is to judge.
pub(crate) struct Evidence<'a> {
    /// What the probe met.
    pub(crate) met: &'a TestKeys,
    /// The name in the input.
    pub(crate) host: &'a str,
    /// What the test helper met, or how it failed.
    pub(crate) control: Result<&'a ControlResponse, &'a str>,
    /// Whose an address is; the autonomous system's number.
    pub(crate) network_of: &'a dyn Fn(IpAddr) -> Option<u32>,
}

/// All that Web Connectivity says of it, but `client_resolver`.
pub(crate) fn judge(evidence: &Evidence<'_>) -> WebKeys {
    let observed = Observed::new(evidence.met, evidence.host, evidence.control.ok());
    let classic = observed.classic();
    let lookups = Lookups::new(&classic, evidence.network_of);
    let difference = Difference::new(&classic);
    let consistency = lookups.consistency();
    let verdict = classic::walk(&classic, consistency, difference.differs());
    let flags = flags::flags(&observed, &Lookups::new(&observed, evidence.network_of));
    let keys = WebKeys {
        client_resolver: None,
        dns_experiment_failure: lookups.first_failure.clone(),
        dns_consistency: consistency.map(str::to_owned),
        http_experiment_failure: verdict.http_failure,
        control_failure: evidence.control.err().map(str::to_owned),
        control: evidence.control.ok().cloned(),
        body_length_match: difference.body_length_match(),
        body_proportion: Some(difference.body_proportion.unwrap_or(0.0)),
        status_code_match: difference.status_code_match,
        headers_match: difference.headers_match,
        title_match: difference.title_match,
        accessible: verdict.accessible,
        blocking: verdict.blocking,
        x_dns_flags: Some(flags.dns),
        x_blocking_flags: Some(flags.blocking),
        x_null_null_flags: Some(flags.null_null),
        x_status: None,
    };
    let status = status::status(evidence.met, &keys, &classic);
    WebKeys { x_status: Some(status), ..keys }
}

#[cfg(test)]
mod tests;
