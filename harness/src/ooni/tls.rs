//! TLS handshakes, over TCP and inside QUIC (df-006).

use serde::{Deserialize, Serialize};

use super::binary;
use super::lenient::{failure, null_is_empty};
use super::occasion::Occasion;

/// One handshake.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct TlsHandshake {
    /// `tcp` or `udp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) network: Option<String>,
    /// With whom, as `1.1.1.1:443`; old measurements do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    /// As IANA writes it.
    #[serde(default)]
    pub(crate) cipher_suite: Option<String>,
    /// How it failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) failure: Option<String>,
    /// An ICMP error on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) so_error: Option<String>,
    /// By ALPN.
    #[serde(default)]
    pub(crate) negotiated_protocol: Option<String>,
    /// Whether certificates were not looked at.
    #[serde(default)]
    pub(crate) no_tls_verify: bool,
    /// The server's certificates, its own first.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) peer_certificates: Vec<Certificate>,
    /// The SNI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) server_name: Option<String>,
    /// The `ECHConfig` in base64, or `GREASE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) echconfig: Option<String>,
    /// `TLSv1.3`.
    #[serde(default)]
    pub(crate) tls_version: Option<String>,
    /// When it was, and what it belongs to.
    #[serde(flatten)]
    pub(crate) occasion: Occasion,
}

/// A certificate in DER.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Certificate(#[serde(with = "binary::always")] pub(crate) Vec<u8>);
