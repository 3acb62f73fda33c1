//! `api.ooni.io`: check-in, test helpers, test lists, geolocation, and the collector.
//!
//! Anonymous credentials (ooni/spec, backends/bk-006) are not given out: a probe that asks for them is told that there are
//! none, and hands in without.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::networks::{UNKNOWN, Whose};
use super::{Backend, bad_request};
use crate::internet::page::PageBody;

/// What the API answers to a request from this client. `None` is left to the host's page.
pub(super) fn answer(
    backend: &Backend,
    head: &Parts,
    body: Option<Bytes>,
    client: IpAddr,
) -> Option<Response<PageBody>> {
    let path = head.uri.path();
    if !path.starts_with("/api/") && !path.starts_with("/report") {
        return None;
    }
    let request = Request { backend, client };
    let asked = match head.method {
        Method::GET => Asked::Get,
        // Some requests have no body at all.
        _ => match body.map(|body| if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&body) }) {
            Some(Ok(body)) => Asked::Post(body),
            _ => return Some(bad_request("the body is too long or no JSON")),
        },
    };
    Some(request.answer(path, asked))
}

enum Asked {
    Get,
    Post(Value),
}

struct Request<'a> {
    backend: &'a Backend,
    client: IpAddr,
}

impl Request<'_> {
    fn answer(&self, path: &str, asked: Asked) -> Response<PageBody> {
        let answer = match (path.trim_end_matches('/'), asked) {
            ("/api/v1/check-in", Asked::Post(body)) => self.check_in(&body),
            ("/api/v1/test-helpers", Asked::Get) => self.helpers(),
            ("/api/v1/test-list/urls", Asked::Get) => self.test_list(),
            ("/api/v1/geolookup", Asked::Post(body)) => self.geolookup(&body),
            ("/api/v1/check_report_id", Asked::Get) => json!({ "error": "", "found": true, "v": 0 }),
            ("/api/v1/register", Asked::Post(_)) => json!({ "client_id": "roadblock" }),
            ("/api/v1/login", Asked::Post(_)) => json!({ "expire": self.time().rfc3339(), "token": "roadblock" }),
            ("/report", Asked::Post(template)) => self.open(&template),
            ("/api/v1/submit_measurement", Asked::Post(body)) => return self.submit(body, None),
            (path, Asked::Post(body)) => {
                match path.strip_prefix("/report/").map(|id| id.strip_suffix("/close").ok_or(id)) {
                    Some(Ok(_)) => json!({}),
                    Some(Err(id)) => return self.submit(body, Some(id)),
                    None => return not_found(),
                }
            }
            _ => return not_found(),
        };
        super::json(StatusCode::OK, &answer)
    }

    /// What there is to measure, with what help, and where the probe is.
    fn check_in(&self, asked: &Value) -> Value {
        let whose = self.whose(asked);
        let report = |test: &str| self.report_id(test, &whose);
        let mut tests: BTreeMap<&str, Value> =
            TESTS.iter().map(|test| (*test, json!({ "report_id": report(test) }))).collect();
        let web = json!({ "report_id": report("web_connectivity"), "urls": self.urls(&whose) });
        tests.insert("web_connectivity", web);
        json!({
            "conf": { "features": {}, "test_helpers": self.helpers() },
            "probe_asn": format!("AS{}", whose.asn),
            "probe_cc": whose.country,
            "probe_network_name": whose.operator,
            "tests": tests,
            "utc_time": self.time().rfc3339(),
            "v": 1,
        })
    }

    /// OONI's own list has a helper behind a content network, which is asked by its own name there too.
    fn helpers(&self) -> Value {
        let helpers = self.backend.helpers.iter().map(|name| {
            let address = format!("https://{name}");
            if name.ends_with(".cloudfront.net") {
                json!({ "address": address, "front": name, "type": "cloudfront" })
            } else {
                json!({ "address": address, "type": "https" })
            }
        });
        json!({ "web-connectivity": helpers.collect::<Vec<_>>() })
    }

    fn test_list(&self) -> Value {
        let urls = self.urls(&self.whose(&Value::Null));
        let count = urls.len();
        let metadata = json!({ "count": count, "current_page": -1, "limit": -1, "next_url": "", "pages": 1 });
        json!({ "metadata": metadata, "results": urls })
    }

    /// What a person would open in this scenario.
    fn urls(&self, whose: &Whose) -> Vec<Value> {
        let url = |url: &String| json!({ "category_code": "MISC", "country_code": whose.country, "url": url });
        self.backend.urls.iter().map(url).collect()
    }

    fn geolookup(&self, asked: &Value) -> Value {
        let addresses = asked["addresses"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let known = addresses.filter_map(|text| {
            let whose = self.backend.networks.whose(text.parse().ok()?)?;
            let told = json!({ "as_name": whose.operator, "asn": whose.asn, "cc": whose.country });
            Some((text.to_owned(), told))
        });
        json!({ "geolocation": known.collect::<Map<_, _>>(), "v": 1 })
    }

    fn open(&self, template: &Value) -> Value {
        let test = template["test_name"].as_str().unwrap_or_default();
        json!({
            "backend_version": "roadblock",
            "report_id": self.report_id(test, &self.whose(template)),
            "supported_formats": ["json"],
        })
    }

    /// Keeps a measurement: older probes send it as it is, newer ones as JSON in a string.
    fn submit(&self, mut body: Value, report: Option<&str>) -> Response<PageBody> {
        let content = match body["content"].take() {
            Value::String(text) => serde_json::from_str(&text).unwrap_or_default(),
            content => content,
        };
        let Value::Object(mut measurement) = content else { return bad_request("`content` is no measurement") };
        if let Some(report) = report {
            measurement.insert("report_id".to_owned(), report.into());
        }
        let text = |key: &str| measurement.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (country, test) = (text("probe_cc"), text("test_name").replace('_', ""));
        let number = self.backend.measurements.keep(Value::Object(measurement));
        let uid = format!("{}.000000_{country}_{test}_{number:016x}", self.time().digits());
        super::json(StatusCode::OK, &json!({ "is_verified": "f", "measurement_uid": uid }))
    }

    /// Where the probe is: where it says, or where its address says where it does not know.
    fn whose(&self, said: &Value) -> Whose {
        let known = self.backend.networks.whose(self.client).cloned();
        let mut whose = known.unwrap_or_else(|| Whose { asn: 0, operator: String::new(), country: UNKNOWN.to_owned() });
        if let Some(country) = said["probe_cc"].as_str().filter(|country| *country != UNKNOWN) {
            country.clone_into(&mut whose.country);
        }
        let asn = said["probe_asn"].as_str().and_then(|asn| asn.strip_prefix("AS")?.parse().ok());
        if let Some(asn) = asn.filter(|asn| *asn != 0) {
            whose.asn = asn;
        }
        whose
    }

    fn report_id(&self, test: &str, whose: &Whose) -> String {
        let test = test.replace('_', "");
        let Whose { asn, country, .. } = whose;
        format!("{}_{test}_{country}_{asn}_n1_roadblock0000000", self.time().compact())
    }

    fn time(&self) -> Time {
        Time(OffsetDateTime::from((self.backend.now)()))
    }
}

fn not_found() -> Response<PageBody> {
    super::json(StatusCode::NOT_FOUND, &json!({ "error": "not in this lab" }))
}

/// A time of day, in the forms that OONI writes.
struct Time(OffsetDateTime);

impl Time {
    /// `2026-02-11T10:20:30Z`.
    fn rfc3339(&self) -> String {
        let (date, time) = (self.0.date(), self.0.time());
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        let (hour, minute, second) = time.as_hms();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// `20260211T102030Z`.
    fn compact(&self) -> String {
        self.rfc3339().replace(['-', ':'], "")
    }

    /// `20260211102030`.
    fn digits(&self) -> String {
        self.compact().replace(['T', 'Z'], "")
    }
}

/// The tests, besides Web Connectivity, that a report is opened for at check-in.
const TESTS: [&str; 7] =
    ["whatsapp", "telegram", "signal", "facebook_messenger", "dnscheck", "openvpn", "http_header_field_manipulation"];
