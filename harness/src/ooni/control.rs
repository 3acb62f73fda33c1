//! What Web Connectivity asks its test helper, and what that answers (ts-017).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lenient::{count, failure, null_is_empty, texts};

/// The request: `POST https://0.th.ooni.org/`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct ControlRequest {
    /// The URL that is measured.
    pub(crate) http_request: String,
    /// With which headers.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) http_request_headers: BTreeMap<String, Vec<String>>,
    /// The probe's endpoints, as `1.1.1.1:443`.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) tcp_connect: Vec<String>,
    /// Whether the page is to be fetched over HTTP/3 too, where the server says that it can.
    #[serde(default)]
    pub(crate) x_quic_enabled: bool,
}

/// The answer.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct ControlResponse {
    /// Each endpoint, the probe's and the helper's own.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) tcp_connect: BTreeMap<String, ControlTcp>,
    /// Each endpoint's handshake.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) tls_handshake: BTreeMap<String, ControlTls>,
    /// Each endpoint's handshake over QUIC.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) quic_handshake: BTreeMap<String, ControlTls>,
    /// The page.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) http_request: ControlHttp,
    /// The page over HTTP/3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) http3_request: Option<ControlHttp>,
    /// The name.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) dns: ControlDns,
    /// Whose each address is.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) ip_info: BTreeMap<String, ControlIp>,
}

/// A connection.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct ControlTcp {
    /// Whether it was made.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) status: bool,
    /// How it failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) failure: Option<String>,
}

/// A handshake.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct ControlTls {
    /// The SNI.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) server_name: String,
    /// Whether it ended well.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) status: bool,
    /// How it failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) failure: Option<String>,
}

/// A page.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct ControlHttp {
    /// The bytes of its body, -1 where it failed.
    #[serde(default = "minus_one")]
    pub(crate) body_length: i64,
    /// Where HTTP/3 is, as `1.1.1.1:443`, where the server says so.
    #[serde(default)]
    pub(crate) discovered_h3_endpoint: Option<String>,
    /// How it failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) failure: Option<String>,
    /// Its title.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) title: String,
    /// Its headers.
    #[serde(default, deserialize_with = "texts")]
    pub(crate) headers: BTreeMap<String, String>,
    /// The status, -1 where it failed.
    #[serde(default, deserialize_with = "count")]
    pub(crate) status_code: Option<i64>,
}

impl Default for ControlHttp {
    fn default() -> Self {
        Self {
            body_length: -1,
            discovered_h3_endpoint: None,
            failure: None,
            title: String::new(),
            headers: BTreeMap::new(),
            status_code: Some(-1),
        }
    }
}

/// A look-up.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct ControlDns {
    /// How it failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) failure: Option<String>,
    /// What was answered: addresses, and in some measurements of 2016 names.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) addrs: Vec<String>,
}

/// An address.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct ControlIp {
    /// The autonomous system, 0 where nobody knows.
    #[serde(default)]
    pub(crate) asn: u32,
    /// 1 resolved by the probe, 2 by the helper, 4 a bogon, 8 a certificate that is right for the name.
    #[serde(default)]
    pub(crate) flags: u32,
}

fn minus_one() -> i64 {
    -1
}
