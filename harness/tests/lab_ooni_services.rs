//! OONI's services as clients that we did not write see them: curl, kdig and libc's resolver.

mod support;

use serde_json::{Value, json};
use support::{FLAGSHIP, Said, can_run_labs, curl, roadblock, said};

/// A command at a vantage of the flagship.
fn at(phase: &str, vantage: &str, command: &[&str]) -> Said {
    said(roadblock(&[&["exec", FLAGSHIP, "--phase", phase, "--vantage", vantage, "--quiet", "--"], command].concat()))
}

fn fetch(vantage: &str, arguments: &[&str]) -> String {
    let fetched = at("full-block", vantage, &curl(&[&["--fail-with-body"], arguments].concat()));
    assert_eq!(fetched.status, 0, "{arguments:?}: {fetched:?}");
    fetched.stdout
}

fn post(vantage: &str, url: &str, body: &Value) -> Value {
    let said = fetch(vantage, &["--json", &body.to_string(), url]);
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{url}: {error}: {said}"))
}

/// The network of the flagship's first vantage, as the scenario has it.
const ASN: u64 = 12389;

/// Each way in which a probe finds its address gives the one that it has, and the API the network that the scenario names.
#[test]
fn a_probe_learns_where_it_is() {
    if !can_run_labs() {
        return;
    }
    let own = at("full-block", "moscow", &["hostname", "-I"]).stdout;
    let own = own.split_whitespace().next().expect("an address").to_owned();
    let ubuntu = fetch("moscow", &["-4", "https://geoip.ubuntu.com/lookup"]);
    assert!(
        ubuntu.contains(&format!("<Ip>{own}</Ip>")) && ubuntu.contains("<CountryCode>RU</CountryCode>"),
        "{ubuntu}"
    );
    let trace = fetch("moscow", &["-4", "https://www.cloudflare.com/cdn-cgi/trace"]);
    assert!(trace.lines().any(|line| line == format!("ip={own}")), "{trace}");
    let asked = json!({ "addresses": [own, "8.8.8.8"] });
    let looked_up = post("moscow", "https://api.ooni.io/api/v1/geolookup", &asked);
    assert_eq!(looked_up["geolocation"].as_object().expect("a table").len(), 1, "{looked_up}");
    assert_eq!(looked_up["geolocation"][&own]["asn"], ASN, "{looked_up}");
    assert_eq!(looked_up["geolocation"][&own]["cc"], "RU");
}

/// The name means whichever resolver is asked, so that a measurement carries the vantage's.
#[test]
fn a_probe_learns_its_resolver() {
    if !can_run_labs() {
        return;
    }
    let name = "whoami.v4.powerdns.org";
    let isp = at("full-block", "moscow", &["sh", "-c", "grep -m1 nameserver /etc/resolv.conf"]).stdout;
    let isp = isp.split_whitespace().nth(1).expect("a resolver").to_owned();
    assert_eq!(at("full-block", "moscow", &["kdig", "+short", name]).stdout.trim(), isp);
    let through_libc = at("full-block", "moscow", &["getent", "ahosts", name]).stdout;
    assert!(through_libc.starts_with(&isp), "{through_libc}");
    assert_eq!(at("full-block", "moscow", &["kdig", "+short", "@8.8.4.4", name]).stdout.trim(), "8.8.4.4");
}

/// Who does not know where he is, as a probe at its first check-in, is told; what he says himself counts.
#[test]
fn a_probe_checks_in() {
    if !can_run_labs() {
        return;
    }
    let url = "https://api.ooni.io/api/v1/check-in";
    let first = post("moscow", url, &json!({ "probe_cc": "ZZ", "probe_asn": "AS0", "run_type": "timed" }));
    assert_eq!((&first["probe_cc"], &first["probe_asn"]), (&json!("RU"), &json!(format!("AS{ASN}"))));
    let helpers = first["conf"]["test_helpers"]["web-connectivity"].as_array().expect("helpers");
    assert_eq!(helpers.len(), 5, "{first}");
    let report = first["tests"]["web_connectivity"]["report_id"].as_str().expect("an id");
    assert!(report.contains(&format!("_webconnectivity_RU_{ASN}_n1_")), "{report}");
    let urls = first["tests"]["web_connectivity"]["urls"].as_array().expect("URLs");
    assert!(urls.iter().any(|each| each["url"] == "https://web.whatsapp.com/"), "{first}");
    let second = post("moscow", url, &json!({ "probe_cc": "IT", "probe_asn": "AS137" }));
    assert_eq!((&second["probe_cc"], &second["probe_asn"]), (&json!("IT"), &json!("AS137")));
    let listed: Value =
        serde_json::from_str(&fetch("moscow", &["https://api.ooni.org/api/v1/test-helpers"])).expect("JSON");
    assert_eq!(listed, first["conf"]["test_helpers"]);
    let unknown = at(
        "full-block",
        "moscow",
        &curl(&["-o", "/dev/null", "-w", "%{http_code}", "https://api.ooni.io/api/v1/manifest"]),
    );
    assert_eq!(unknown.stdout, "404");
}

/// The helper stands where no censor is: what is blocked at the vantage is well there, and what is down is down there too.
#[test]
fn the_test_helper_measures_from_the_internets_side() {
    if !can_run_labs() {
        return;
    }
    let ask = |url: &str, endpoints: &[&str]| {
        let headers = json!({ "User-Agent": ["Mozilla/5.0"], "Cookie": ["not passed on"] });
        let body = json!({ "http_request": url, "http_request_headers": headers, "tcp_connect": endpoints, "x_quic_enabled": true });
        let mut control = post("moscow", "https://1.th.ooni.org/", &body);
        let page = &mut control["http_request"];
        page["body_length"] = if page["body_length"].as_i64() > Some(0) { "some".into() } else { "none".into() };
        if let Some(date) = page["headers"].get_mut("Date") {
            *date = "whenever".into();
        }
        control
    };
    let blocked = ask("https://web.whatsapp.com/", &["31.13.84.51:443", "10.10.34.35:443"]);
    insta::assert_json_snapshot!("blocked_at_the_vantage", blocked);
    let plain = ask("http://www.wikipedia.org:81/", &["185.15.59.224:81"]);
    insta::assert_json_snapshot!("nobody_listens", plain);
    let unknown = ask("https://no-such-name.example/", &[]);
    insta::assert_json_snapshot!("no_such_name", unknown);
    let stranger = ask("https://platform-api2.max.ru/", &[]);
    insta::assert_json_snapshot!("unknown_authority", stranger);
    let h3 = ask("https://www.example.com/", &[]);
    assert_eq!(h3["http_request"]["discovered_h3_endpoint"], "www.example.com:443");
    let refused = at(
        "full-block",
        "moscow",
        &curl(&["-o", "/dev/null", "-w", "%{http_code}", "--json", "{", "https://0.th.ooni.org/"]),
    );
    assert_eq!(refused.stdout, "400");
}

/// A report is opened, filled and closed, and a measurement handed in as newer probes do; both are in the file.
#[test]
fn measurements_are_kept() {
    if !can_run_labs() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("measurements.jsonl");
    let script = r#"
set -e
send() { curl -sS --fail-with-body --json "$2" "https://api.ooni.io$1"; }
id=$(send /report '{"test_name": "whatsapp", "probe_cc": "RU", "probe_asn": "AS12389", "format": "json"}' | jq -r .report_id)
send "/report/$id" '{"format": "json", "content": {"test_name": "whatsapp", "probe_cc": "RU", "test_keys": {"n": 1}}}' | jq -r .measurement_uid
send "/report/$id/close" ''
send /api/v1/submit_measurement '{"format": "json", "content": "{\"test_name\": \"telegram\", \"probe_cc\": \"RU\"}"}' | jq -r .measurement_uid
"#;
    let place = file.to_str().expect("text");
    let sent = said(roadblock(&["exec", FLAGSHIP, "--quiet", "--measurements", place, "--", "sh", "-c", script]));
    assert_eq!(sent.status, 0, "{sent:?}");
    assert!(sent.stdout.contains("_RU_whatsapp_") && sent.stdout.contains("_RU_telegram_"), "{sent:?}");
    let kept = std::fs::read_to_string(&file).expect("the file");
    let kept: Vec<Value> = kept.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(kept.len(), 2);
    assert_eq!((&kept[0]["test_name"], &kept[0]["test_keys"]["n"]), (&json!("whatsapp"), &json!(1)));
    assert!(kept[0]["report_id"].as_str().is_some_and(|id| id.contains("_whatsapp_RU_12389_n1_")), "{kept:?}");
    assert_eq!(kept[1]["test_name"], "telegram");
}
