//! HTTP requests and their answers (df-001).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::binary::MaybeBinary;
use super::lenient::{failure, null_is_empty};

/// A request and what came of it. In `test_keys.requests` the last is the first.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Transaction {
    /// `tcp` or `udp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) network: Option<String>,
    /// With whom, as `1.1.1.1:443`; old measurements do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    /// What TLS agreed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alpn: Option<String>,
    /// How it failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) failure: Option<String>,
    /// What was asked.
    #[serde(default)]
    pub(crate) request: Request,
    /// What was answered.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) response: Response,
    /// When it began, in seconds from the measurement's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) t0: Option<f64>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) t: Option<f64>,
    /// `depth=N`, `fetch_body=true`.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) tags: Vec<String>,
    /// What it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) transaction_id: Option<i64>,
}

/// A request.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Request {
    /// Its body.
    #[serde(default)]
    pub(crate) body: MaybeBinary,
    /// Whether that is not all of it.
    #[serde(default)]
    pub(crate) body_is_truncated: bool,
    /// Its headers, each name once.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) headers: BTreeMap<String, MaybeBinary>,
    /// Its headers.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) headers_list: Vec<Header>,
    /// `GET`.
    #[serde(default)]
    pub(crate) method: Option<String>,
    /// Whether Tor carried it.
    #[serde(default)]
    pub(crate) tor: Tor,
    /// The URL.
    #[serde(default)]
    pub(crate) url: String,
    /// `tcp`, or `udp` for HTTP/3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) x_transport: Option<String>,
}

/// An answer; where there was none its code is 0.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Response {
    /// Its body.
    #[serde(default)]
    pub(crate) body: MaybeBinary,
    /// Whether that is not all of it.
    #[serde(default)]
    pub(crate) body_is_truncated: bool,
    /// The status.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) code: i64,
    /// Its headers, each name once.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) headers: BTreeMap<String, MaybeBinary>,
    /// Its headers.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) headers_list: Vec<Header>,
}

/// A header's name and value.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Header(pub(crate) MaybeBinary, pub(crate) MaybeBinary);

/// What carried a request, where it was Tor.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Tor {
    /// The exit's address.
    #[serde(default, deserialize_with = "super::lenient::text")]
    pub(crate) exit_ip: Option<String>,
    /// The exit's name.
    #[serde(default, deserialize_with = "super::lenient::text")]
    pub(crate) exit_name: Option<String>,
    /// Whether it was.
    #[serde(default)]
    pub(crate) is_tor: bool,
}

impl Response {
    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let listed = self.headers_list.iter().find(|header| header.0.text().eq_ignore_ascii_case(name));
        let mapped = || self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        listed.map(|header| &header.1).or_else(mapped).map(MaybeBinary::text)
    }
}
