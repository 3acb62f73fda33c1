//! Punishment that outlives its trigger.

use core::time::Duration;

use serde::Serialize;

use super::{Condition, Response, Threshold};

/// Punishment that outlives its trigger.
#[derive(Clone, Debug)]
pub struct Residual {
    /// Which of the later packets that the key names it covers, by what they are themselves: flags, direction, ports,
    /// length. All of them where there is no condition.
    pub when: Option<Condition>,
    /// Which later packets it hits.
    pub key: ResidualKey,
    /// How many of them pass before it acts on those that come after (TSPU-2).
    pub after: Option<Threshold>,
    /// For how long, from its beginning.
    pub last: Duration,
    /// How long after its trigger it begins (GFW-ESNI).
    pub begins: Duration,
    /// Which packets start the time anew, once it has begun.
    pub refresh: Refresh,
    /// The share of later flows that it hits, from 0 to 1 (GFW-HTTP-3). Drawn once for each flow, keyed as
    /// [`Rule::miss`](super::Rule::miss) is; the flow that triggered it is always hit.
    pub hits: f64,
    /// What happens to packets that leave.
    pub outbound: Response,
    /// What happens to packets that enter.
    pub inbound: Response,
}

impl Default for Residual {
    /// One on the same connection that lasts no time and does nothing.
    fn default() -> Self {
        Self {
            when: None,
            key: ResidualKey::FourTuple,
            after: None,
            last: Duration::ZERO,
            begins: Duration::ZERO,
            refresh: Refresh::Never,
            hits: 1.0,
            outbound: Response::default(),
            inbound: Response::default(),
        }
    }
}

/// Which packets start a residual's time anew.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refresh {
    /// None.
    #[default]
    Never,
    /// Each that it covers.
    OnPacket,
    /// Each that it covers and that leaves the censored network: a client's retransmissions keep it alive (IR-PF-1).
    OnClientPacket,
}

/// Which later packets a residual hits. The protocol of the flow that triggered it is part of every key but the last two.
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
    /// The same server and server port, whoever the client is.
    #[serde(rename = "server-port")]
    ServerEndpoint,
    /// The same server, whoever the client is, over all protocols.
    #[serde(rename = "server")]
    Server,
    /// The same client, whatever the server is, over all protocols (IR-2025-1).
    #[serde(rename = "client")]
    Client,
}
