//! Who answers a query: an honest resolver, or one that lies as the phase's table says.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use ipnet::Ipv6Net;
use roadblock_censor::{Direction, Event, EventKind, FlowKey};
use roadblock_scenarios::model::{Lie, Name};

use super::dns::{Reply, Synthesis, Told, Transport, answer_with};
use super::zone::Zone;
use crate::clock::LabClock;
use crate::events::EventLog;

/// The lies of one resolver. Clones are the same table, so a phase change reaches a resolver that is running.
#[derive(Clone, Debug, Default)]
pub struct LieTable {
    lies: Arc<RwLock<Arc<[Lie]>>>,
}

/// A resolver's knowledge and its honesty.
#[derive(Clone, Debug)]
pub struct Speaker {
    zone: Arc<Zone>,
    liar: Option<Liar>,
    /// The clients that are told where IPv4 is in IPv6 (RFC 6147).
    dns64: Vec<Ipv6Net>,
    /// Its addresses, where they are known: a service's are wherever it is asked.
    own: Vec<IpAddr>,
}

/// Who lies, and where that is noted.
#[derive(Clone, Debug)]
struct Liar {
    resolver: Name,
    hop: Name,
    table: LieTable,
    clock: LabClock,
    events: EventLog,
}

impl LieTable {
    /// A table with these lies.
    pub fn new(lies: Vec<Lie>) -> Self {
        Self { lies: Arc::new(RwLock::new(lies.into())) }
    }

    /// From now on these lies are told and no others.
    pub fn set(&self, lies: Vec<Lie>) {
        *self.lies.write().unwrap_or_else(PoisonError::into_inner) = lies.into();
    }

    /// From now on these tables tell these lies. No query is answered between the first table and the last.
    pub fn set_all<'a>(changes: impl IntoIterator<Item = (&'a Self, Vec<Lie>)>) {
        let changes: Vec<(&Self, Arc<[Lie]>)> = changes.into_iter().map(|(table, lies)| (table, lies.into())).collect();
        let locked = changes.iter().map(|(table, _)| table.lies.write().unwrap_or_else(PoisonError::into_inner));
        let mut locked: Vec<_> = locked.collect();
        for (current, (_, lies)) in locked.iter_mut().zip(&changes) {
            **current = Arc::clone(lies);
        }
    }

    /// The lies told now.
    pub fn current(&self) -> Arc<[Lie]> {
        Arc::clone(&self.lies.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Speaker {
    /// A resolver that tells the truth.
    pub fn honest(zone: Arc<Zone>) -> Self {
        Self { zone, liar: None, dns64: Vec::new(), own: Vec::new() }
    }

    /// A resolver of this name at this hop that tells the lies of a table and otherwise the truth. Each lie told is an
    /// event of its hop.
    pub fn lying(
        zone: Arc<Zone>,
        resolver: Name,
        hop: Name,
        table: LieTable,
        clock: LabClock,
        events: EventLog,
    ) -> Self {
        let liar = Some(Liar { resolver, hop, table, clock, events });
        Self { zone, liar, dns64: Vec::new(), own: Vec::new() }
    }

    /// The same, speaking DNS64 with the clients of these prefixes.
    #[must_use]
    pub fn with_dns64(self, clients: Vec<Ipv6Net>) -> Self {
        Self { dns64: clients, ..self }
    }

    /// The same, at these addresses.
    #[must_use]
    pub fn at(self, own: Vec<IpAddr>) -> Self {
        Self { own, ..self }
    }

    /// What is sent back to `client`, who asked at `server`; `None` is silence.
    pub fn reply(&self, query: &[u8], transport: Transport, client: SocketAddr, server: SocketAddr) -> Option<Vec<u8>> {
        let dns64 =
            self.dns64.iter().any(|clients| matches!(client.ip(), IpAddr::V6(client) if clients.contains(&client)));
        let synthesis = if dns64 { Synthesis::Dns64 } else { Synthesis::None };
        let asked = [server.ip()];
        let own = if self.own.is_empty() { &asked } else { &*self.own };
        let Some(liar) = &self.liar else {
            return answer_with(query, transport, &self.zone, &[], synthesis, own).bytes;
        };
        let lies = liar.table.current();
        let Reply { bytes, told } = answer_with(query, transport, &self.zone, &lies, synthesis, own);
        if let Some(told) = told {
            liar.note(told, transport, client, server);
        }
        bytes
    }
}

impl Liar {
    fn note(&self, told: Told<'_>, transport: Transport, client: SocketAddr, server: SocketAddr) {
        let flow = FlowKey {
            protocol: transport.protocol(),
            client: client.ip(),
            client_port: client.port(),
            server: server.ip(),
            server_port: server.port(),
        };
        let event = Event {
            at: self.clock.now(),
            censor: Arc::clone(&self.resolver),
            rule: Some(Arc::clone(&told.lie.id)),
            facts: told.lie.facts.clone(),
            grade: told.lie.grade,
            flow,
            direction: Direction::Outbound,
            kind: EventKind::Lied,
            matched: Some(told.matched),
            bytes: None,
            residual: false,
        };
        self.events.record(&self.hop, event);
    }
}
