//! TCP connections (df-005).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::lenient::failure;
use super::occasion::Occasion;

/// One attempt.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct TcpConnect {
    /// Where to.
    pub(crate) ip: IpAddr,
    /// The port.
    pub(crate) port: u16,
    /// How it went.
    pub(crate) status: TcpStatus,
    /// When it was, and what it belongs to.
    #[serde(flatten)]
    pub(crate) occasion: Occasion,
}

/// How an attempt went.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct TcpStatus {
    /// Web Connectivity: whether it failed here and not at the control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) blocked: Option<bool>,
    /// How it failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) failure: Option<String>,
    /// Whether it did not.
    #[serde(default)]
    pub(crate) success: bool,
}
