//! A measurement of the lab, as OONI would publish it, with the truth beside it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::{Name, Vantage};
use serde_json::Value;
use time::OffsetDateTime;

use super::dns::{Answer, Query};
use super::http::{Request, Transaction};
use super::measurement::{DATA_FORMAT_VERSION, Measurement, TestKeys};
use super::network::NetworkEvent;
use super::occasion::Occasion;
use super::tcp::{TcpConnect, TcpStatus};
use super::test::Test;
use super::tls::TlsHandshake;
use crate::probes::{Layer, Operation, Outcome};
use crate::run::{Measured, Seen};

/// Where and when something was measured, and as which test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances<'a> {
    /// The scenario.
    pub(crate) scenario: &'a Scenario,
    /// The vantage.
    pub(crate) vantage: &'a Vantage,
    /// The phase.
    pub(crate) phase: &'a Name,
    /// The test of OONI's.
    pub(crate) test: Test,
    /// The target as it was written.
    pub(crate) target: Option<&'a str>,
    /// When it began.
    pub(crate) began: OffsetDateTime,
}

/// The measurement.
pub(crate) fn written(measured: &Measured, circumstances: Circumstances<'_>) -> Measurement {
    let Circumstances { scenario, vantage, test, target, began, .. } = circumstances;
    let seen = measured.seen();
    let moment = moment(began);
    let asn = format!("AS{}", vantage.network.asn);
    let resolver = vantage.resolvers.first().map(ToString::to_string);
    let own = resolver_is_the_vantage_s(scenario, vantage);
    Measurement {
        annotations: truth(&seen, circumstances),
        data_format_version: DATA_FORMAT_VERSION.to_owned(),
        input: test.input_of(target),
        measurement_start_time: moment.clone(),
        probe_asn: asn.clone(),
        probe_cc: scenario.country().map_or_else(|| "ZZ".to_owned(), str::to_ascii_uppercase),
        probe_ip: Some("127.0.0.1".to_owned()),
        probe_network_name: Some(vantage.network.operator.clone()),
        report_id: String::new(),
        resolver_asn: Some(if own { asn } else { "AS0".to_owned() }),
        resolver_ip: resolver.clone(),
        resolver_network_name: own.then(|| vantage.network.operator.clone()),
        software_name: "roadblock".to_owned(),
        software_version: env!("CARGO_PKG_VERSION").to_owned(),
        test_keys: test_keys(&measured.outcome, circumstances),
        test_name: test.name.to_owned(),
        test_runtime: measured.outcome.layers.iter().map(|layer| layer.took.as_secs_f64()).sum(),
        test_start_time: moment,
        test_version: test.version.to_owned(),
        rest: serde_json::Map::new(),
    }
}

/// As OONI writes it, in UTC.
fn moment(at: OffsetDateTime) -> String {
    let (date, time) = (at.date(), at.time());
    let (month, day) = (u8::from(date.month()), date.day());
    format!("{:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", date.year(), time.hour(), time.minute(), time.second())
}

/// What the lab knows: what OONI's own analysis can be compared with.
fn truth(seen: &Seen, circumstances: Circumstances<'_>) -> BTreeMap<String, String> {
    let Circumstances { scenario, vantage, phase, .. } = circumstances;
    let word = |value: Value| value.as_str().unwrap_or_default().to_owned();
    let verdict = serde_json::to_value(seen.verdict).map(word).unwrap_or_default();
    let mut truth = BTreeMap::from([
        ("engine_name".to_owned(), "roadblock".to_owned()),
        ("engine_version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("platform".to_owned(), "lab".to_owned()),
        ("scenario".to_owned(), scenario.id.to_string()),
        ("phase".to_owned(), phase.to_string()),
        ("vantage".to_owned(), vantage.name.to_string()),
        ("verdict".to_owned(), verdict),
        ("rule".to_owned(), seen.by.clone().unwrap_or_else(|| "none".to_owned())),
        ("fact".to_owned(), if seen.facts.is_empty() { "none".to_owned() } else { seen.facts.join(",") }),
    ]);
    let cause = match (&seen.by, &seen.matched) {
        (Some(by), Some(matched)) => format!("{by}: {matched}"),
        (Some(by), None) => by.clone(),
        (None, _) => "none".to_owned(),
    };
    truth.insert("cause".to_owned(), cause);
    truth
}

/// Whether the first resolver is one that the scenario places in the vantage's own network.
fn resolver_is_the_vantage_s(scenario: &Scenario, vantage: &Vantage) -> bool {
    let placed = scenario.resolvers.iter().filter(|resolver| vantage.path.contains(&resolver.at));
    vantage.resolvers.first().is_some_and(|first| placed.into_iter().any(|each| each.addresses.contains(first)))
}

/// What was met: as the measurement itself wrote it down, else as its layers say.
fn test_keys(outcome: &Outcome, circumstances: Circumstances<'_>) -> TestKeys {
    if let Some(keys) = &outcome.ooni {
        return TestKeys::clone(keys);
    }
    let name = name_of(circumstances.target.unwrap_or_default());
    let mut keys = TestKeys { own: outcome.test_keys.clone(), ..TestKeys::default() };
    let mut at = 0.0;
    for layer in &outcome.layers {
        let began = at;
        at += layer.took.as_secs_f64();
        add(&mut keys, layer, (began, at), outcome, &name, circumstances.target.unwrap_or_default());
    }
    // In time-reverse order (ts-017), as everywhere.
    keys.requests.reverse();
    if circumstances.test.name == "urlgetter" {
        let failed =
            outcome.failure.as_ref().and(outcome.decisive_layer()).map(|layer| operation_word(layer.operation));
        keys.failure = outcome.failure.as_ref().map(ToString::to_string);
        keys.own.insert("failed_operation".to_owned(), failed.into());
        keys.own.insert("agent".to_owned(), "redirect".into());
    }
    keys
}

fn add(keys: &mut TestKeys, layer: &Layer, (t0, t): (f64, f64), outcome: &Outcome, name: &str, target: &str) {
    let failure = layer.failure.as_ref().map(ToString::to_string);
    let address = Some(layer.remote.to_string());
    let occasion = Occasion::between(t0, t);
    let handshake = |network: &str| TlsHandshake {
        network: Some(network.to_owned()),
        address: address.clone(),
        failure: failure.clone(),
        server_name: Some(name.to_owned()),
        occasion: occasion.clone(),
        ..TlsHandshake::default()
    };
    let request = |network: &str| Transaction {
        network: Some(network.to_owned()),
        address: address.clone(),
        failure: failure.clone(),
        request: Request { method: Some("GET".to_owned()), url: target.to_owned(), ..Request::default() },
        t0: Some(t0),
        t: Some(t),
        ..Transaction::default()
    };
    match layer.operation {
        Operation::Resolve => keys.queries.push(Query {
            answers: if failure.is_none() { answers(outcome) } else { Vec::new() },
            engine: Some("udp".to_owned()),
            failure: failure.clone(),
            hostname: name.to_owned(),
            query_type: "A".to_owned(),
            resolver_address: address.clone(),
            occasion: occasion.clone(),
            ..Query::default()
        }),
        Operation::Connect => {
            keys.tcp_connect.push(TcpConnect {
                ip: layer.remote.ip(),
                port: layer.remote.port(),
                status: TcpStatus { blocked: None, success: failure.is_none(), failure: failure.clone() },
                occasion: occasion.clone(),
            });
        }
        Operation::TlsHandshake => keys.tls_handshakes.push(handshake("tcp")),
        Operation::QuicHandshake => keys.quic_handshakes.push(handshake("udp")),
        Operation::HttpRoundTrip => keys.requests.push(request("tcp")),
        Operation::QuicRoundTrip => keys.requests.push(request("udp")),
        _ => {}
    }
    keys.network_events.push(NetworkEvent {
        address,
        failure,
        operation: operation_word(layer.operation),
        occasion,
        ..NetworkEvent::default()
    });
}

fn answers(outcome: &Outcome) -> Vec<Answer> {
    let answer = |address: &std::net::IpAddr| match address {
        std::net::IpAddr::V4(v4) => Answer { answer_type: "A".to_owned(), ipv4: Some(*v4), ..Answer::default() },
        std::net::IpAddr::V6(v6) => Answer { answer_type: "AAAA".to_owned(), ipv6: Some(*v6), ..Answer::default() },
    };
    outcome.addresses.iter().map(answer).collect()
}

/// As OONI calls it (df-008, `netxlite/operations.go`); what OONI does not have keeps its own name.
fn operation_word(operation: Operation) -> String {
    let written = serde_json::to_value(operation).unwrap_or_default();
    written.as_str().unwrap_or_default().to_owned()
}

/// The name in a target: of a URL the host, of `name@address` the name; nothing of an address.
fn name_of(target: &str) -> String {
    let rest = target.split_once("://").map_or(target, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '@']).next().unwrap_or_default();
    if authority.parse::<SocketAddr>().is_ok() {
        return String::new();
    }
    authority.split(':').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_target() {
        for (target, name) in [
            ("https://a.example/x", "a.example"),
            ("http://a.example:8080", "a.example"),
            ("a.example@1.1.1.1:443", "a.example"),
            ("a.example:443", "a.example"),
            ("1.1.1.1:443", ""),
        ] {
            assert_eq!(name_of(target), name, "{target}");
        }
    }
}
