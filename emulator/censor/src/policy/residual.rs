//! Punishment that outlives its trigger.

use core::time::Duration;

use serde::Serialize;

use super::{Response, Threshold};

/// Punishment that outlives its trigger.
#[derive(Clone, Debug)]
pub struct Residual {
    /// Which later packets it hits.
    pub key: ResidualKey,
    /// How many of them pass before it acts on those that come after (TSPU-2).
    pub after: Option<Threshold>,
    /// For how long.
    pub last: Duration,
    /// Whether a packet that it hits starts the time anew.
    pub refresh: bool,
    /// What happens to packets that leave.
    pub outbound: Response,
    /// What happens to packets that enter.
    pub inbound: Response,
}

/// Which later packets a residual hits.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
pub enum ResidualKey {
    /// The same connection: both addresses and both ports.
    #[serde(rename = "4t")]
    FourTuple,
    /// The same client, server and server port.
    #[serde(rename = "3t")]
    ThreeTuple,
    /// The same client and server.
    #[serde(rename = "2t")]
    TwoTuple,
}
