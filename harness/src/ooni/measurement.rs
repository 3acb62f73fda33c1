//! A measurement as OONI's probes write and its collectors take it (df-000).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::dns::Query;
use super::http::Transaction;
use super::lenient::{failure, null_is_empty, text, texts};
use super::network::NetworkEvent;
use super::tcp::TcpConnect;
use super::tls::TlsHandshake;

/// One measurement, one line. What is not named here is kept in `rest`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Measurement {
    /// What whoever measured says about it.
    #[serde(default, deserialize_with = "texts")]
    pub(crate) annotations: BTreeMap<String, String>,
    /// `0.2.0`.
    #[serde(default)]
    pub(crate) data_format_version: String,
    /// What was measured, where the test takes an input.
    #[serde(default, deserialize_with = "text")]
    pub(crate) input: Option<String>,
    /// When, in UTC, as `2026-02-11 10:00:00`.
    #[serde(default)]
    pub(crate) measurement_start_time: String,
    /// `AS12389`.
    #[serde(default)]
    pub(crate) probe_asn: String,
    /// The country, `RU`.
    #[serde(default)]
    pub(crate) probe_cc: String,
    /// `127.0.0.1`: OONI never publishes the address.
    #[serde(default, deserialize_with = "text")]
    pub(crate) probe_ip: Option<String>,
    /// Whose network it is.
    #[serde(default, deserialize_with = "text")]
    pub(crate) probe_network_name: Option<String>,
    /// Which report it belongs to; empty where it is none's.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) report_id: String,
    /// The autonomous system of the resolver.
    #[serde(default, deserialize_with = "text")]
    pub(crate) resolver_asn: Option<String>,
    /// Its address.
    #[serde(default, deserialize_with = "text")]
    pub(crate) resolver_ip: Option<String>,
    /// Whose it is.
    #[serde(default, deserialize_with = "text")]
    pub(crate) resolver_network_name: Option<String>,
    /// Who measured.
    #[serde(default)]
    pub(crate) software_name: String,
    /// In which version.
    #[serde(default)]
    pub(crate) software_version: String,
    /// What was met.
    #[serde(default)]
    pub(crate) test_keys: TestKeys,
    /// `web_connectivity`.
    #[serde(default)]
    pub(crate) test_name: String,
    /// How long it took, in seconds.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) test_runtime: f64,
    /// When the tests began of which this is one.
    #[serde(default)]
    pub(crate) test_start_time: String,
    /// The test's version.
    #[serde(default)]
    pub(crate) test_version: String,
    /// All the rest.
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

/// What was met: what most tests have, and under `own` the keys of the one test.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct TestKeys {
    /// The queries.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) queries: Vec<Query>,
    /// The connections.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) tcp_connect: Vec<TcpConnect>,
    /// The handshakes over TCP.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) tls_handshakes: Vec<TlsHandshake>,
    /// The handshakes over QUIC.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) quic_handshakes: Vec<TlsHandshake>,
    /// The events of the sockets.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) network_events: Vec<NetworkEvent>,
    /// The pages, the last first.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) requests: Vec<Transaction>,
    /// How the test as a whole failed, where tests have that.
    #[serde(default, deserialize_with = "failure", skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
    /// The keys of the test itself: read one kind of them by [`own`](Self::own).
    #[serde(flatten)]
    pub(crate) own: Map<String, Value>,
}

impl TestKeys {
    /// The test's own keys, as those of this test.
    pub(crate) fn own<T: for<'de> Deserialize<'de>>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(Value::Object(self.own.clone()))
    }

    /// The same with these among its own keys.
    pub(crate) fn with<T: Serialize>(mut self, own: &T) -> Result<Self, serde_json::Error> {
        if let Value::Object(keys) = serde_json::to_value(own)? {
            self.own.extend(keys);
        }
        Ok(self)
    }
}

/// The version of the format.
pub(crate) const DATA_FORMAT_VERSION: &str = "0.2.0";

#[cfg(test)]
#[path = "measurement_tests.rs"]
mod tests;
