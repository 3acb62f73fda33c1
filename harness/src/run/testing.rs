//! What the runner's tests share: made-up clients, flows, events and outcomes.

use std::net::Ipv6Addr;
use std::sync::Arc;
use std::time::Duration;

use roadblock_censor::policy::Grade;
use roadblock_censor::{Direction, Event, EventKind, FlowKey, Instant};
use roadblock_emulator::events::Recorded;
use roadblock_emulator::lab::Client;
use roadblock_scenarios::model::VerdictWord;

use crate::probes::{Layer, Operation, Outcome};

/// A client.
pub(crate) fn client() -> Client {
    Client::new("moscow".into(), [95, 24, 0, 7].into(), Ipv6Addr::LOCALHOST)
}

/// A flow of it from this port to an HTTPS server.
pub(crate) fn flow(client_port: u16) -> FlowKey {
    let client = client().v4.into();
    FlowKey { protocol: 6, client, client_port, server: [157, 240, 0, 60].into(), server_port: 443 }
}

/// An interference of this rule with the flow.
pub(crate) fn event(flow: FlowKey, rule: &str) -> Recorded {
    let event = Event {
        at: Instant::ZERO,
        censor: "tspu".into(),
        rule: Some(rule.into()),
        facts: vec!["TSPU-1".into()],
        grade: Grade::Measured,
        flow,
        direction: Direction::Outbound,
        kind: EventKind::Dropped,
        matched: Some("SNI web.whatsapp.com".to_owned()),
        bytes: None,
        residual: false,
    };
    Recorded { hop: Arc::from("tspu-moscow"), event }
}

/// A TLS handshake from this port, with this verdict.
pub(crate) fn outcome(verdict: VerdictWord, local_port: u16) -> Outcome {
    let layer = Layer {
        operation: Operation::TlsHandshake,
        remote: ([157, 240, 0, 60], 443).into(),
        local_port,
        failure: None,
        took: Duration::from_millis(7),
    };
    Outcome { layers: vec![layer], ..Outcome::new(verdict) }
}
