//! Events of the sockets (df-008).

use serde::{Deserialize, Serialize};

use super::lenient::failure;
use super::occasion::Occasion;

/// Something that happened on a socket.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct NetworkEvent {
    /// With whom, as `1.1.1.1:443`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    /// How it failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) failure: Option<String>,
    /// Of a `read` or `write` the number of bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) num_bytes: Option<u64>,
    /// `connect`, `read`, `write`, `tls_handshake_start`, `tls_handshake_done`, …
    #[serde(default)]
    pub(crate) operation: String,
    /// `tcp` or `udp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) proto: Option<String>,
    /// When it was, and what it belongs to.
    #[serde(flatten)]
    pub(crate) occasion: Occasion,
}
