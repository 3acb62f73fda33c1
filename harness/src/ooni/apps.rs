//! The keys of the tests of apps and tunnels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lenient::{failure, null_is_empty, texts};

/// WhatsApp's (ts-018).
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct WhatsAppKeys {
    /// How registering failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) registration_server_failure: Option<String>,
    /// `ok` or `blocked`.
    #[serde(default)]
    pub(crate) registration_server_status: Option<String>,
    /// The hosts of which no port could be connected to.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) whatsapp_endpoints_blocked: Vec<String>,
    /// Always empty now.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) whatsapp_endpoints_dns_inconsistent: Vec<String>,
    /// `ok` or `blocked`.
    #[serde(default)]
    pub(crate) whatsapp_endpoints_status: Option<String>,
    /// How WhatsApp Web failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) whatsapp_web_failure: Option<String>,
    /// `ok` or `blocked`.
    #[serde(default)]
    pub(crate) whatsapp_web_status: Option<String>,
}

/// Telegram's (ts-020).
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct TelegramKeys {
    /// Whether no data centre answered.
    #[serde(default)]
    pub(crate) telegram_http_blocking: Option<bool>,
    /// Whether none could be connected to.
    #[serde(default)]
    pub(crate) telegram_tcp_blocking: Option<bool>,
    /// How Telegram Web failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) telegram_web_failure: Option<String>,
    /// `ok` or `blocked`.
    #[serde(default)]
    pub(crate) telegram_web_status: Option<String>,
}

/// Signal's (ts-029).
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct SignalKeys {
    /// How the first of its servers failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) signal_backend_failure: Option<String>,
    /// `ok` or `blocked`.
    #[serde(default)]
    pub(crate) signal_backend_status: Option<String>,
}

/// Facebook Messenger's (ts-019): `facebook_SERVICE_dns_consistent`, `facebook_SERVICE_reachable`, `facebook_dns_blocking`,
/// `facebook_tcp_blocking`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct MessengerKeys(pub(crate) BTreeMap<String, Value>);

impl MessengerKeys {
    /// The services of which this is said: of which `dns_consistent` or `reachable` is `false`.
    pub(crate) fn failing(&self, about: &str) -> impl Iterator<Item = &str> {
        let failing = self.0.iter().filter(|(_, value)| value.as_bool() == Some(false));
        failing.filter_map(move |(name, _)| name.strip_prefix("facebook_")?.strip_suffix(about)?.strip_suffix('_'))
    }
}

/// OpenVPN's (ts-040).
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct OpenVpnKeys {
    /// Whether all handshakes ended well.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) success: bool,
    /// The handshakes.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) openvpn_handshake: Vec<OpenVpnHandshake>,
    /// How long until the tunnel was there, in seconds; 0 where it never was.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) bootstrap_time: f64,
    /// `openvpn`.
    #[serde(default)]
    pub(crate) tunnel: Option<String>,
}

/// One handshake with a server.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct OpenVpnHandshake {
    /// How long it took, in seconds.
    #[serde(default, alias = "bootstrap_time", deserialize_with = "null_is_empty")]
    pub(crate) handshake_time: f64,
    /// `openvpn://51.15.187.53:1194/tcp`.
    #[serde(default)]
    pub(crate) endpoint: String,
    /// How it failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) failure: Option<String>,
    /// The server's address.
    #[serde(default)]
    pub(crate) ip: String,
    /// Its port.
    #[serde(default)]
    pub(crate) port: u16,
    /// `tcp` or `udp`.
    #[serde(default)]
    pub(crate) transport: String,
    /// Whose it is.
    #[serde(default)]
    pub(crate) provider: String,
    /// `cipher`, `auth`, …
    #[serde(default, deserialize_with = "texts")]
    pub(crate) openvpn_options: BTreeMap<String, String>,
    /// When it began, in seconds from the measurement's start.
    #[serde(default)]
    pub(crate) t0: f64,
    /// When it ended.
    #[serde(default)]
    pub(crate) t: f64,
    /// Nothing yet.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) tags: Vec<String>,
    /// What it belongs to.
    #[serde(default)]
    pub(crate) transaction_id: i64,
}
