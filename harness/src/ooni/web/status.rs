//! Version 0.4's flags, `x_status`, as it gives them for what `getaddrinfo` found.

use super::super::measurement::TestKeys;
use super::super::web_keys::WebKeys;
use super::observed::Observed;

/// The flags. They come from the rule of version 0.4, which looks at the last page first and then from the name upwards.
pub(super) fn status(met: &TestKeys, keys: &WebKeys, classic: &Observed) -> i64 {
    // Of version 0.4's requests there is one for each redirect, and the last is the one that a classic endpoint made.
    let last = last_request(met, classic);
    let inconsistent = keys.dns_consistency.as_deref() == Some("inconsistent");
    let last_failure = last.as_ref().and_then(|(_, failure)| failure.clone());
    if let Some((true, None)) = last {
        return SUCCESS_SECURE;
    }
    if keys.control_failure.is_some() {
        return ANOMALY_CONTROL_UNREACHABLE;
    }
    if keys.dns_experiment_failure.is_some() {
        return match keys.dns_consistency.as_deref() {
            Some("consistent") => SUCCESS_NXDOMAIN | EXPERIMENT_DNS,
            _ => ANOMALY_DNS | EXPERIMENT_DNS,
        };
    }
    let first: Vec<_> = classic.endpoints.iter().filter(|endpoint| endpoint.depth == Some(0)).collect();
    if !first.is_empty() && first.iter().all(|endpoint| endpoint.tcp.is_err()) && keys.dns_consistency.is_some() {
        return ANOMALY_CONNECT | EXPERIMENT_CONNECT | if inconsistent { ANOMALY_DNS } else { 0 };
    }
    if classic.control.as_ref().is_none_or(|control| control.http().is_err()) {
        return ANOMALY_CONTROL_FAILURE;
    }
    if last.is_none() {
        return BUG_NO_REQUESTS;
    }
    if let Some(failure) = last_failure {
        let alone = classic.endpoints.iter().all(|endpoint| endpoint.depth == Some(0));
        let blamed = of_failure(&failure);
        return EXPERIMENT_HTTP | blamed | if blamed != 0 && alone && inconsistent { ANOMALY_DNS } else { 0 };
    }
    let alike = [keys.body_length_match, keys.headers_match, keys.title_match].contains(&Some(true));
    if keys.status_code_match == Some(true) && alike {
        return SUCCESS_CLEARTEXT;
    }
    ANOMALY_HTTP_DIFF | if inconsistent { ANOMALY_DNS } else { 0 }
}

/// Whether the last request was for `https`, and how it failed: version 0.4 writes what kept it from being sent as its failure.
fn last_request(met: &TestKeys, classic: &Observed) -> Option<(bool, Option<String>)> {
    let deepest = classic.endpoints.iter().map(|endpoint| endpoint.depth).max()?;
    let of_deepest = || classic.endpoints.iter().filter(|endpoint| endpoint.depth == deepest);
    let made = of_deepest().find(|endpoint| endpoint.http.is_some());
    if let Some(made) = made {
        let request = met.requests.iter().find(|request| request.transaction_id == Some(made.transaction))?;
        return Some((request.request.url.starts_with("https://"), request.failure.clone()));
    }
    let kept = of_deepest().find_map(|endpoint| {
        let tls = || endpoint.tls.as_ref().and_then(|tls| tls.as_ref().err());
        endpoint.tcp.as_ref().err().or_else(tls).cloned()
    });
    kept.map(|failure| (false, Some(failure)))
}

fn of_failure(failure: &str) -> i64 {
    match failure {
        "connection_refused" => ANOMALY_CONNECT,
        "connection_reset" | "eof_error" => ANOMALY_READ_WRITE,
        "dns_nxdomain_error" => ANOMALY_DNS,
        "generic_timeout_error" => ANOMALY_UNKNOWN,
        "ssl_invalid_hostname" | "ssl_invalid_certificate" | "ssl_unknown_authority" => ANOMALY_TLS_HANDSHAKE,
        _ => 0,
    }
}

const SUCCESS_SECURE: i64 = 1;
const SUCCESS_CLEARTEXT: i64 = 1 << 1;
const SUCCESS_NXDOMAIN: i64 = 1 << 2;
const ANOMALY_CONTROL_UNREACHABLE: i64 = 1 << 3;
const ANOMALY_CONTROL_FAILURE: i64 = 1 << 4;
const ANOMALY_DNS: i64 = 1 << 5;
const ANOMALY_HTTP_DIFF: i64 = 1 << 6;
const ANOMALY_CONNECT: i64 = 1 << 7;
const ANOMALY_READ_WRITE: i64 = 1 << 8;
const ANOMALY_UNKNOWN: i64 = 1 << 9;
const ANOMALY_TLS_HANDSHAKE: i64 = 1 << 10;
const EXPERIMENT_DNS: i64 = 1 << 11;
const EXPERIMENT_CONNECT: i64 = 1 << 12;
const EXPERIMENT_HTTP: i64 = 1 << 13;
const BUG_NO_REQUESTS: i64 = 1 << 14;
