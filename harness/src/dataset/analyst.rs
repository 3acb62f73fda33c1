//! Two rules that see a measurement and nothing else: OONI's, and a more careful one over the same data.
//!
//! Ours begins with OONI's verdict and takes it back, or adds one, where facts.md's truth table (section 6) and OONI's own issues
//! say that it is wrong:
//!
//! | what is seen | OONI says | ours says |
//! |---|---|---|
//! | the same place could be connected to and could not, or a handshake there both succeeded and timed out, in one measurement | blocked | unknown: loss looks like this (T3, T26) |
//! | the client's resolver answers, and every other resolver that was asked over UDP is silent | blocked, by DNS | unknown: the gate of a portal looks like this (T6) |
//! | TLS fails here and not at the control, of whose page nothing is known (ooni/probe#2881) | nothing | blocked |

use std::collections::{BTreeMap, BTreeSet};

use super::confusion::Said;
use crate::ooni::measurement::{Measurement, TestKeys};
use crate::ooni::web_keys::{Blocking, WebKeys};

/// What OONI's rule says: the keys that Web Connectivity wrote.
pub(crate) fn of_ooni(measurement: &Measurement) -> Said {
    measurement.test_keys.own::<WebKeys>().map_or(Said::Unknown, |keys| of_keys(&keys))
}

/// What ours says.
pub(crate) fn ours(measurement: &Measurement) -> Said {
    let met = &measurement.test_keys;
    let Ok(keys) = met.own::<WebKeys>() else { return Said::Unknown };
    match of_keys(&keys) {
        Said::Blocked if loses_packets(met) => Said::Unknown,
        Said::Blocked if keys.blocking == Blocking::Dns && is_gated(met) => Said::Unknown,
        Said::Unknown if only_tls_fails(met, &keys) => Said::Blocked,
        said => said,
    }
}

fn of_keys(keys: &WebKeys) -> Said {
    match (keys.blocking, keys.accessible) {
        (Blocking::None, Some(true)) => Said::Accessible,
        (Blocking::None, Some(false)) => Said::Down,
        (Blocking::None, None) | (Blocking::Unknown, _) => Said::Unknown,
        _ => Said::Blocked,
    }
}

const SILENCE: &str = "generic_timeout_error";

/// Whether one place was both reached and silent, at one layer.
fn loses_packets(met: &TestKeys) -> bool {
    let mut seen: BTreeMap<(&str, String, Option<&str>), BTreeSet<bool>> = BTreeMap::new();
    let silent = |failure: Option<&str>| match failure {
        None => Some(false),
        Some(SILENCE) => Some(true),
        Some(_) => None,
    };
    for connect in &met.tcp_connect {
        if let Some(silent) = silent(connect.status.failure.as_deref()) {
            let place = std::net::SocketAddr::new(connect.ip, connect.port).to_string();
            seen.entry(("connect", place, None)).or_default().insert(silent);
        }
    }
    for handshake in &met.tls_handshakes {
        if let (Some(silent), Some(place)) = (silent(handshake.failure.as_deref()), &handshake.address) {
            seen.entry(("handshake", place.clone(), handshake.server_name.as_deref())).or_default().insert(silent);
        }
    }
    seen.values().any(|both| both.len() == 2)
}

/// Whether only the client's own resolver speaks.
fn is_gated(met: &TestKeys) -> bool {
    let is_system = |engine: Option<&str>| matches!(engine, Some("system" | "getaddrinfo"));
    let own = met.queries.iter().any(|query| is_system(query.engine.as_deref()) && query.addresses().next().is_some());
    let mut others = met.queries.iter().filter(|query| query.engine.as_deref() == Some("udp")).peekable();
    own && others.peek().is_some() && others.all(|query| query.failure.as_deref() == Some(SILENCE))
}

/// Whether a handshake failed that did not at the control, whose page is not known.
fn only_tls_fails(met: &TestKeys, keys: &WebKeys) -> bool {
    let Some(control) = &keys.control else { return false };
    control.http_request.failure.is_some()
        && met.tls_handshakes.iter().any(|handshake| {
            let there = handshake.address.as_ref().and_then(|place| control.tls_handshake.get(place));
            handshake.failure.is_some() && there.is_some_and(|there| there.status)
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn measured(keys: &serde_json::Value) -> Measurement {
        serde_json::from_value(json!({ "test_name": "web_connectivity", "test_keys": keys })).expect("a measurement")
    }

    #[test]
    fn ooni_is_taken_at_its_word() {
        let said = |blocking: serde_json::Value, accessible: serde_json::Value| {
            of_ooni(&measured(&json!({ "blocking": blocking, "accessible": accessible })))
        };
        assert_eq!(said("tcp_ip".into(), false.into()), Said::Blocked);
        assert_eq!(said(false.into(), true.into()), Said::Accessible);
        assert_eq!(said(false.into(), false.into()), Said::Down);
        assert_eq!(said(json!(null), json!(null)), Said::Unknown);
    }

    #[test]
    fn a_place_that_was_reached_once_is_not_blocked() {
        let connect =
            |failure: serde_json::Value| json!({ "ip": "1.1.1.1", "port": 443, "status": { "failure": failure } });
        let keys = |second: serde_json::Value| json!({ "blocking": "tcp_ip", "accessible": false, "tcp_connect": [connect(SILENCE.into()), connect(second)] });
        assert_eq!(ours(&measured(&keys(json!(null)))), Said::Unknown);
        assert_eq!(ours(&measured(&keys(SILENCE.into()))), Said::Blocked);
    }

    #[test]
    fn behind_a_gate_only_its_own_resolver_speaks() {
        let keys = |failure: serde_json::Value| {
            json!({ "blocking": "dns", "accessible": false, "queries": [
                { "engine": "getaddrinfo", "hostname": "a.example", "failure": null,
                  "answers": [{ "answer_type": "A", "ipv4": "185.70.42.10" }] },
                { "engine": "udp", "hostname": "a.example", "failure": failure, "answers": null },
            ] })
        };
        assert_eq!(ours(&measured(&keys(SILENCE.into()))), Said::Unknown);
        assert_eq!(ours(&measured(&keys("dns_nxdomain_error".into()))), Said::Blocked);
    }

    #[test]
    fn a_handshake_that_only_the_control_ends_is_blocked() {
        let keys = json!({ "blocking": null, "accessible": null,
            "tls_handshakes": [{ "address": "1.1.1.1:443", "server_name": "a.example", "failure": "connection_reset" }],
            "control": { "tls_handshake": { "1.1.1.1:443": { "server_name": "a.example", "status": true, "failure": null } },
                         "http_request": { "failure": "unknown_error", "body_length": -1, "status_code": -1 } } });
        assert_eq!((of_ooni(&measured(&keys)), ours(&measured(&keys))), (Said::Unknown, Said::Blocked));
    }
}
