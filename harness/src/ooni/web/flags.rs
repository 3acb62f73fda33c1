//! Version 0.5's flags: all that was noticed, not only what decided, whoever found the address.

use super::diff::Difference;
use super::lookups::Lookups;
use super::observed::{Endpoint, Fate, Observed};

/// `x_dns_flags`, `x_blocking_flags` and `x_null_null_flags`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Flags {
    pub(super) dns: i64,
    pub(super) blocking: i64,
    pub(super) null_null: i64,
}

/// All that was noticed.
pub(super) fn flags(observed: &Observed, lookups: &Lookups) -> Flags {
    let mut flags = Flags::default();
    of_lookups(&mut flags, observed, lookups);
    for endpoint in &observed.endpoints {
        of_endpoint(&mut flags, endpoint, observed);
    }
    let page = observed.endpoints.iter().find(|endpoint| endpoint.final_response().is_some());
    match page {
        Some(page) => of_page(&mut flags, page, observed),
        None => of_redirects(&mut flags, observed, lookups),
    }
    flags
}

fn of_lookups(flags: &mut Flags, observed: &Observed, lookups: &Lookups) {
    // A bogon alone blocks nothing: the name's own servers may say it.
    if !lookups.bogon.is_empty() {
        flags.dns |= DNS_BOGON;
    }
    if !lookups.unexpected.is_empty() {
        flags.dns |= DNS_UNEXPECTED_FAILURE;
        flags.blocking |= BLOCKING_DNS;
    }
    // Whoever shakes hands as the name is its server.
    let mut wrong = lookups.wrong.clone();
    for endpoint in observed.endpoints.iter().filter(|endpoint| endpoint.tls == Some(Ok(()))) {
        if let Some(found_by) = endpoint.found_by {
            wrong.remove(&found_by);
        }
    }
    if !wrong.is_empty() {
        flags.dns |= DNS_UNEXPECTED_ADDRESSES;
        flags.blocking |= BLOCKING_DNS;
    }
    if !lookups.expected.is_empty() {
        flags.null_null |= NULL_EXPECTED_DNS;
    }
    let control_has_none = observed.control.as_ref().is_some_and(|control| control.addresses.is_empty());
    if control_has_none && !lookups.found.is_empty() {
        flags.null_null |= NULL_UNEXPECTED_DNS;
    }
}

/// What failed here alone, and what failed at the test helper too.
fn of_endpoint(flags: &mut Flags, endpoint: &Endpoint, observed: &Observed) {
    let tried = [
        (Some(&endpoint.tcp), endpoint.control_tcp.as_ref(), BLOCKING_TCP_IP, NULL_EXPECTED_TCP),
        (endpoint.tls.as_ref(), endpoint.control_tls.as_ref(), BLOCKING_TLS, NULL_EXPECTED_TLS),
    ];
    if endpoint.depth == Some(0) {
        for (own, control, blocking, null) in tried {
            match (own, control) {
                (Some(Err(_)), Some(Err(_))) => flags.null_null |= null,
                (Some(Err(_)), Some(Ok(()))) if !endpoint.lacks_v6() => flags.blocking |= blocking,
                _ => {}
            }
        }
    }
    let control_page = observed.control.as_ref().map(super::observed::Expected::http);
    if matches!((&endpoint.http, control_page), (Some(Err(_)), Some(Ok(())))) {
        flags.blocking |= BLOCKING_HTTP_FAILURE;
    }
}

fn of_page(flags: &mut Flags, page: &Endpoint, observed: &Observed) {
    match (&page.tls, &observed.control) {
        (Some(Ok(())), None) => {
            flags.null_null |= NULL_SUCCESSFUL_HTTPS;
            flags.blocking |= SUCCESS;
        }
        (Some(Ok(())), Some(_)) => flags.blocking |= SUCCESS,
        (_, None) => {}
        (_, Some(_)) => {
            flags.blocking |= if Difference::new(observed).differs() { BLOCKING_HTTP_DIFF } else { SUCCESS };
        }
    }
}

/// What failed after a redirect: the test helper went there too, but does not say where; that it got the page tells enough.
fn of_redirects(flags: &mut Flags, observed: &Observed, lookups: &Lookups) {
    if observed.control.as_ref().is_none_or(|control| control.http().is_err()) {
        return;
    }
    if !lookups.unexplained.is_empty() {
        flags.blocking |= BLOCKING_DNS;
    }
    for endpoint in observed.endpoints.iter().filter(|endpoint| endpoint.depth != Some(0)) {
        if endpoint.tcp.is_err() && !endpoint.lacks_v6() {
            flags.blocking |= BLOCKING_TCP_IP;
        }
        if endpoint.tls.as_ref().is_some_and(Fate::is_err) {
            flags.blocking |= BLOCKING_TLS;
        }
    }
}

const DNS_BOGON: i64 = 1;
const DNS_UNEXPECTED_FAILURE: i64 = 2;
const DNS_UNEXPECTED_ADDRESSES: i64 = 4;
const BLOCKING_DNS: i64 = 1;
const BLOCKING_TCP_IP: i64 = 2;
const BLOCKING_TLS: i64 = 4;
const BLOCKING_HTTP_FAILURE: i64 = 8;
const BLOCKING_HTTP_DIFF: i64 = 16;
const SUCCESS: i64 = 32;
const NULL_EXPECTED_DNS: i64 = 1;
const NULL_EXPECTED_TCP: i64 = 2;
const NULL_EXPECTED_TLS: i64 = 4;
const NULL_SUCCESSFUL_HTTPS: i64 = 8;
const NULL_UNEXPECTED_DNS: i64 = 16;
