//! What a measurement writes down, in the order of its parts, and what each part is called.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::time::Instant;

use crate::ooni::measurement::TestKeys;
use crate::ooni::network::NetworkEvent;
use crate::ooni::occasion::Occasion;
use crate::ooni::web::{CLASSIC, depth_tag, fetch_tag};
use crate::probes::trace::Layer;

/// What a part of a measurement met.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    /// In OONI's form.
    pub(super) keys: TestKeys,
    /// As the lab's own reports have it.
    pub(super) layers: Vec<Layer>,
}

impl Notes {
    /// Adds what another part met; its requests are later ones.
    pub(super) fn add(&mut self, other: Self) {
        let Self { keys, layers } = other;
        self.layers.extend(layers);
        self.keys.queries.extend(keys.queries);
        self.keys.tcp_connect.extend(keys.tcp_connect);
        self.keys.tls_handshakes.extend(keys.tls_handshakes);
        self.keys.network_events.extend(keys.network_events);
        // In time-reverse order (ts-017).
        self.keys.requests.splice(0..0, keys.requests);
    }
}

/// The clock of a measurement, and the numbers of its parts.
#[derive(Debug)]
pub(super) struct Course {
    began: Instant,
    last: AtomicI64,
}

impl Course {
    /// One that begins now.
    pub(super) fn begin() -> Self {
        Self { began: Instant::now(), last: AtomicI64::new(0) }
    }

    /// Seconds since it began.
    pub(super) fn now(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// A number that no other part has.
    pub(super) fn transaction(&self) -> i64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What marks all that is done at an endpoint.
    pub(super) fn stamp(&self, remote: SocketAddr, depth: usize, fetches: bool, classic: bool) -> Stamp {
        let mut tags = vec![depth_tag(depth), fetch_tag(fetches)];
        if classic {
            tags.insert(0, CLASSIC.to_owned());
        }
        Stamp { began: self.began, transaction: self.transaction(), tags, remote }
    }
}

/// What marks all that is done at one endpoint.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    began: Instant,
    /// Which part it is.
    pub(super) transaction: i64,
    /// Its tags.
    pub(super) tags: Vec<String>,
    /// The endpoint.
    pub(super) remote: SocketAddr,
}

impl Stamp {
    /// Seconds since the measurement began.
    pub(super) fn now(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// From then to now.
    pub(super) fn since(&self, began: f64) -> Occasion {
        Occasion { t0: Some(began), t: self.now(), tags: self.tags.clone(), transaction_id: Some(self.transaction) }
    }

    /// Something that happened just now.
    pub(super) fn event(&self, operation: &str, num_bytes: Option<u64>, failure: Option<String>) -> NetworkEvent {
        NetworkEvent {
            address: Some(self.remote.to_string()),
            failure,
            num_bytes: num_bytes.filter(|_| matches!(operation, "read" | "write")),
            operation: operation.to_owned(),
            proto: Some("tcp".to_owned()),
            occasion: self.since(self.now()),
        }
    }
}
