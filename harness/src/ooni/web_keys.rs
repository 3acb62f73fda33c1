//! The keys of Web Connectivity (ts-017, and the `x_` keys of its version 0.5).

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::control::ControlResponse;
use super::lenient::{failure, text};

/// What Web Connectivity says.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct WebKeys {
    /// The resolver that the names' servers see.
    #[serde(default, deserialize_with = "text")]
    pub(crate) client_resolver: Option<String>,
    /// How the first look-up failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) dns_experiment_failure: Option<String>,
    /// `consistent`, `inconsistent`, or in old measurements `reverse_match`.
    #[serde(default)]
    pub(crate) dns_consistency: Option<String>,
    /// How the page failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) http_experiment_failure: Option<String>,
    /// How the test helper failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) control_failure: Option<String>,
    /// What it said.
    #[serde(default)]
    pub(crate) control: Option<ControlResponse>,
    /// Whether the bodies' lengths are near each other.
    #[serde(default)]
    pub(crate) body_length_match: Option<bool>,
    /// The shorter body through the longer one.
    #[serde(default)]
    pub(crate) body_proportion: Option<f64>,
    /// Whether the statuses are the same.
    #[serde(default)]
    pub(crate) status_code_match: Option<bool>,
    /// Whether there are the same uncommon headers.
    #[serde(default)]
    pub(crate) headers_match: Option<bool>,
    /// Whether the titles are alike.
    #[serde(default)]
    pub(crate) title_match: Option<bool>,
    /// Whether the page can be read.
    #[serde(default)]
    pub(crate) accessible: Option<bool>,
    /// What keeps it from being read.
    #[serde(default)]
    pub(crate) blocking: Blocking,
    /// 1 a bogon, 2 an unexpected failure, 4 unexpected addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) x_dns_flags: Option<i64>,
    /// 1 DNS, 2 TCP/IP, 4 TLS, 8 HTTP failure, 16 HTTP diff, 32 success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) x_blocking_flags: Option<i64>,
    /// 1 expected failure of DNS, 2 of TCP, 4 of TLS, 8 successful HTTPS, 16 unexpected success of DNS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) x_null_null_flags: Option<i64>,
    /// The flags of version 0.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) x_status: Option<i64>,
}

/// Web Connectivity's `blocking`: a word, `false`, or `null`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Blocking {
    /// `null`: nobody knows.
    #[default]
    Unknown,
    /// `false`.
    None,
    /// `dns`.
    Dns,
    /// `tcp_ip`.
    TcpIp,
    /// `http-failure`.
    HttpFailure,
    /// `http-diff`.
    HttpDiff,
}

impl Blocking {
    /// The word, where it is one.
    pub(crate) fn word(self) -> Option<&'static str> {
        match self {
            Self::Unknown | Self::None => None,
            Self::Dns => Some("dns"),
            Self::TcpIp => Some("tcp_ip"),
            Self::HttpFailure => Some("http-failure"),
            Self::HttpDiff => Some("http-diff"),
        }
    }
}

impl Serialize for Blocking {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self, self.word()) {
            (_, Some(word)) => serializer.serialize_str(word),
            (Self::None, _) => serializer.serialize_bool(false),
            _ => serializer.serialize_none(),
        }
    }
}

impl<'de> Deserialize<'de> for Blocking {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde_json::Value;

        match Value::deserialize(deserializer)? {
            Value::Null => Ok(Self::Unknown),
            Value::Bool(false) => Ok(Self::None),
            Value::String(word) => match &*word {
                "dns" => Ok(Self::Dns),
                "tcp_ip" => Ok(Self::TcpIp),
                "http-failure" => Ok(Self::HttpFailure),
                "http-diff" => Ok(Self::HttpDiff),
                _ => Err(D::Error::custom(format!("`{word}` is no kind of blocking"))),
            },
            other => Err(D::Error::custom(format!("`{other}` is no kind of blocking"))),
        }
    }
}
