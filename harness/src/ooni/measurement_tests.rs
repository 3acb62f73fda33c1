//! OONI's published examples are read, and written again with nothing lost.

use serde_json::Value;

use super::super::control::{ControlRequest, ControlResponse};
use super::super::web_keys::{Blocking, WebKeys};
use super::*;

macro_rules! published {
    ($name:literal) => {
        include_str!(concat!("../../tests/data/ooni/", $name, ".json"))
    };
}

fn read(published: &str) -> Measurement {
    let measurement: Measurement = serde_json::from_str(published).expect("a published example");
    let written = serde_json::to_value(&measurement).expect("it is written");
    let again: Measurement = serde_json::from_value(written).expect("it is read again");
    assert_eq!(again, measurement);
    measurement
}

/// All that is in `original` is in `written` too; `null` and nothing are the same.
fn keeps(original: &Value, written: &Value, place: &str) {
    match (original, written) {
        (Value::Object(original), Value::Object(written)) => {
            for (key, value) in original.iter().filter(|(_, value)| !value.is_null()) {
                let place = format!("{place}.{key}");
                keeps(value, written.get(key).unwrap_or_else(|| panic!("{place} is lost")), &place);
            }
        }
        (Value::Array(original), Value::Array(written)) => {
            assert_eq!(original.len(), written.len(), "{place}");
            for (original, written) in original.iter().zip(written) {
                keeps(original, written, place);
            }
        }
        (Value::Number(original), Value::Number(written)) => assert_eq!(original.as_f64(), written.as_f64(), "{place}"),
        _ => assert_eq!(original, written, "{place}"),
    }
}

#[test]
fn web_connectivity_s_example_is_read_and_written() {
    let measurement = read(published!("web-connectivity"));
    let original: Value = serde_json::from_str(published!("web-connectivity")).expect("JSON");
    let mut written = serde_json::to_value(&measurement).expect("it is written");
    let keys = original["test_keys"]["queries"].as_array().expect("queries").len();
    assert_eq!(measurement.test_keys.queries.len(), keys);
    // Where a resolver was, in two keys that nobody writes any more.
    for query in written["test_keys"]["queries"].as_array_mut().expect("queries") {
        assert!(query.get("resolver_hostname").is_none());
    }
    keeps(&original, &written, "$");
    let web: WebKeys = measurement.test_keys.own().expect("the keys of Web Connectivity");
    assert_eq!((web.blocking, web.accessible), (Blocking::None, Some(true)));
    let control = web.control.expect("a control");
    assert_eq!(control.dns.addrs, ["93.184.216.34"]);
    assert_eq!((control.http_request.body_length, control.http_request.status_code), (1256, Some(200)));
    assert_eq!(measurement.test_keys.requests[0].response.header("x-cache").as_deref(), Some("HIT"));
    assert_eq!(measurement.test_keys.tls_handshakes[0].peer_certificates[0].0, [1, 2]);
}

#[test]
fn the_apps_examples_are_read() {
    let whatsapp = read(published!("whatsapp"));
    assert_eq!(whatsapp.test_keys.own["whatsapp_endpoints_status"], "ok");
    let telegram = read(published!("telegram"));
    assert_eq!(telegram.test_keys.requests[0].response.code, 501);
    assert_eq!(telegram.test_keys.own["telegram_tcp_blocking"], false);
    assert_eq!(read(published!("signal")).test_keys.own["signal_backend_status"], "ok");
    let messenger = read(published!("facebook-messenger"));
    assert_eq!(messenger.test_keys.tcp_connect[0].status.failure, None, "`false` was no failure in 2016");
    assert_eq!(messenger.test_keys.own["facebook_edge_reachable"], true);
}

#[test]
fn openvpn_s_example_is_read() {
    let openvpn = read(published!("openvpn"));
    assert_eq!(openvpn.test_keys.own["openvpn_handshake"][0]["ip"], "51.15.187.53");
    assert_eq!(openvpn.test_keys.network_events[1].operation, "packet_out");
}

#[test]
fn a_measurement_of_2015_is_read() {
    let measurement = read(published!("dns-consistency"));
    assert_eq!(measurement.test_keys.queries[0].failure.as_deref(), Some("no_answer"));
    assert_eq!(measurement.test_keys.own["control_resolver"], "8.8.8.8:53");
}

#[test]
fn the_test_helper_s_example_is_read_and_written() {
    let example: Value = serde_json::from_str(published!("control")).expect("JSON");
    let request = ControlRequest::deserialize(&example["request"]).expect("a request");
    keeps(&example["request"], &serde_json::to_value(&request).expect("it is written"), "request");
    let response = ControlResponse::deserialize(&example["response"]).expect("a response");
    keeps(&example["response"], &serde_json::to_value(&response).expect("it is written"), "response");
    assert!(response.tcp_connect["93.184.216.34:443"].status);
}

#[test]
fn a_helper_that_could_not_get_the_page_says_minus_one() {
    let failed: ControlResponse = serde_json::from_str(
        r#"{"tcp_connect": {}, "http_request": {"body_length": -1, "failure": "dns_lookup_error", "title": "", "headers": {},
            "status_code": -1}, "dns": {"failure": "dns_name_error", "addrs": null}}"#,
    )
    .expect("ts-017's note");
    assert_eq!((failed.http_request.body_length, failed.http_request.status_code), (-1, Some(-1)));
    assert!(failed.dns.addrs.is_empty());
}

#[test]
fn what_blocks_is_a_word_or_false_or_null() {
    for (written, meant) in [
        ("null", Blocking::Unknown),
        ("false", Blocking::None),
        (r#""dns""#, Blocking::Dns),
        (r#""tcp_ip""#, Blocking::TcpIp),
        (r#""http-failure""#, Blocking::HttpFailure),
        (r#""http-diff""#, Blocking::HttpDiff),
    ] {
        assert_eq!(serde_json::from_str::<Blocking>(written).expect("a kind of blocking"), meant);
        assert_eq!(serde_json::to_string(&meant).expect("it is written"), written);
    }
    assert!(serde_json::from_str::<Blocking>("true").is_err());
}

#[test]
fn own_keys_are_added_beside_the_common_ones() {
    let keys = TestKeys::default().with(&WebKeys { blocking: Blocking::Dns, ..WebKeys::default() }).expect("a table");
    assert_eq!(keys.own["blocking"], "dns");
    assert_eq!(keys.own::<WebKeys>().expect("its keys").blocking, Blocking::Dns);
}
