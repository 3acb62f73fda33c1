//! Punishment that outlives its trigger: which packets it hits, and for how long.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use crate::count::Count;
use crate::event::FlowKey;
use crate::policy::ResidualKey;
use crate::time::Instant;

/// The packets that a residual hits: those that agree in all that is named.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Scope {
    protocol: Option<u8>,
    client: Option<IpAddr>,
    client_port: Option<u16>,
    server: Option<IpAddr>,
    server_port: Option<u16>,
}

impl Scope {
    pub(crate) fn of(key: ResidualKey, flow: &FlowKey) -> Self {
        let four = Self {
            protocol: Some(flow.protocol),
            client: Some(flow.client),
            client_port: Some(flow.client_port),
            server: Some(flow.server),
            server_port: Some(flow.server_port),
        };
        match key {
            ResidualKey::FourTuple => four,
            ResidualKey::ThreeTuple => Self { client_port: None, ..four },
            ResidualKey::TwoTuple => Self { client_port: None, server_port: None, ..four },
            ResidualKey::ServerEndpoint => Self { client: None, client_port: None, ..four },
            ResidualKey::Server => Self { server: four.server, ..Self::default() },
            ResidualKey::Client => Self { client: four.client, ..Self::default() },
        }
    }

    /// Whether the residual hits packets of this flow.
    pub(crate) fn covers(&self, flow: &FlowKey) -> bool {
        self.protocol.is_none_or(|protocol| protocol == flow.protocol)
            && self.client.is_none_or(|client| client == flow.client)
            && self.server.is_none_or(|server| server == flow.server)
            && self.client_port.is_none_or(|port| port == flow.client_port)
            && self.server_port.is_none_or(|port| port == flow.server_port)
    }

    /// Whether all packets that the residual hits are of this flow's client.
    pub(crate) fn is_of_client(&self, flow: &FlowKey) -> bool {
        self.client == Some(flow.client)
    }
}

/// A rule of a box, by their places in the policy.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct RulePlace {
    pub(crate) of_box: usize,
    pub(crate) rule: usize,
}

/// One of a rule's residuals, by its place among them.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct ResidualPlace {
    pub(crate) of: RulePlace,
    pub(crate) at: usize,
}

/// All residuals in force.
#[derive(Debug)]
pub(crate) struct Residuals {
    capacity: usize,
    armed: HashMap<(ResidualPlace, Scope), Armed>,
    /// The same by when they end; the number tells apart those that end together.
    by_end: BTreeMap<(Instant, u64), (ResidualPlace, Scope)>,
    sequence: u64,
    evicted: u64,
}

/// One residual in force.
#[derive(Debug)]
pub(crate) struct Armed {
    end: (Instant, u64),
    /// When it begins to hit.
    pub(crate) begins: Instant,
    /// What the rule matched, for the events of the packets that are hit.
    pub(crate) matched: Option<String>,
    /// How much passes before any is hit.
    pub(crate) count: Option<Count>,
}

impl Armed {
    pub(crate) fn new(begins: Instant, until: Instant, matched: Option<String>, count: Option<Count>) -> Self {
        Self { end: (until, 0), begins, matched, count }
    }
}

impl Residuals {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, armed: HashMap::new(), by_end: BTreeMap::new(), sequence: 0, evicted: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.armed.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.armed.is_empty()
    }

    /// How many residuals were given up for want of room.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Forgets what has ended.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some((end, key)) = self.by_end.first_key_value() {
            if end.0 > now {
                break;
            }
            self.armed.remove(key);
            self.by_end.pop_first();
        }
    }

    /// Arms a residual, or arms it anew. In a full table the one that would end soonest gives way.
    pub(crate) fn arm(&mut self, place: ResidualPlace, scope: Scope, mut armed: Armed) {
        let key = (place, scope);
        if let Some(before) = self.armed.remove(&key) {
            self.by_end.remove(&before.end);
        } else if self.armed.len() >= self.capacity
            && let Some((_, soonest)) = self.by_end.pop_first()
        {
            self.armed.remove(&soonest);
            self.evicted += 1;
        }
        self.sequence += 1;
        armed.end.1 = self.sequence;
        self.by_end.insert(armed.end, key);
        self.armed.insert(key, armed);
    }

    /// The residual that is armed in this scope.
    pub(crate) fn find(&mut self, place: ResidualPlace, scope: Scope) -> Option<&mut Armed> {
        self.armed.get_mut(&(place, scope))
    }

    /// Moves the end of a residual.
    pub(crate) fn refresh(&mut self, place: ResidualPlace, scope: Scope, until: Instant) {
        let key = (place, scope);
        if let Some(armed) = self.armed.get_mut(&key) {
            self.by_end.remove(&armed.end);
            armed.end.0 = until;
            self.by_end.insert(armed.end, key);
        }
    }

    /// Gives residuals the places of their rules in a new policy; those without one are dropped.
    pub(crate) fn relocate(&mut self, new_place: impl Fn(ResidualPlace) -> Option<ResidualPlace>) {
        let by_end = core::mem::take(&mut self.by_end);
        let mut armed = core::mem::take(&mut self.armed);
        for (end, key) in by_end {
            if let (Some(place), Some(value)) = (new_place(key.0), armed.remove(&key)) {
                self.by_end.insert(end, (place, key.1));
                self.armed.insert((place, key.1), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: ResidualPlace = ResidualPlace { of: RulePlace { of_box: 0, rule: 0 }, at: 0 };

    fn scope(client_port: u16) -> Scope {
        let (client, server) = ([10, 0, 0, 1].into(), [1, 1, 1, 1].into());
        let flow = FlowKey { protocol: 6, client, client_port, server, server_port: 443 };
        Scope::of(ResidualKey::FourTuple, &flow)
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    /// A residual is in force up to its end and not at it.
    #[test]
    fn ends_on_time() {
        let mut residuals = Residuals::new(10);
        residuals.arm(PLACE, scope(1), Armed::new(at(0), at(75), Some("why".to_owned()), None));
        residuals.expire(at(74));
        let armed = residuals.find(PLACE, scope(1)).expect("still in force");
        assert_eq!(armed.matched.as_deref(), Some("why"));
        residuals.refresh(PLACE, scope(1), at(80));
        residuals.expire(at(75));
        assert!(residuals.find(PLACE, scope(1)).is_some());
        residuals.expire(at(80));
        assert!(residuals.is_empty());
    }

    /// The table is bounded: what would end soonest gives way.
    #[test]
    fn the_table_is_bounded() {
        let mut residuals = Residuals::new(2);
        for (port, end) in [(1, 3), (2, 2), (2, 4), (3, 5)] {
            residuals.arm(PLACE, scope(port), Armed::new(at(0), at(end), None, None));
        }
        assert_eq!((residuals.len(), residuals.by_end.len(), residuals.evicted()), (2, 2, 1));
        assert!(residuals.find(PLACE, scope(1)).is_none());
    }
}
