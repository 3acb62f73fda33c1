//! Queries that were sent to another resolver, so that its answers get the address of the asked one (RU-DNS-2).

use core::net::IpAddr;
use core::time::Duration;
use std::collections::{BTreeMap, HashMap};

use crate::event::FlowKey;
use crate::residual::RulePlace;
use crate::time::Instant;

/// All redirected queries that may still be answered.
#[derive(Debug)]
pub(crate) struct Redirects {
    capacity: usize,
    /// By the flow between the client and where its queries went.
    asked: HashMap<FlowKey, Vec<Asked>>,
    /// The same by when they end; the number tells apart those that end together.
    by_end: BTreeMap<(Instant, u64), FlowKey>,
    sequence: u64,
    evicted: u64,
}

/// Whom a client asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// The rule that redirected the query.
    pub(crate) rule: RulePlace,
    /// The address that the client asked.
    pub(crate) server: IpAddr,
    /// The port that it asked.
    pub(crate) server_port: u16,
    /// The first two bytes of the query, which its answer repeats if it is DNS (RFC 1035 section 4.1.1). They tell apart
    /// queries from one port to several resolvers.
    id: Option<u16>,
    /// Its place in the order of what ends.
    end: (Instant, u64),
}

/// How long an answer is awaited: as long as Linux remembers a UDP flow.
const AWAITED: Duration = Duration::from_secs(30);
/// How many queries from one port are remembered.
const MAX_OF_FLOW: usize = 64;

impl Redirects {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, asked: HashMap::new(), by_end: BTreeMap::new(), sequence: 0, evicted: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// How many queries were given up for want of room.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Forgets what was not answered.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some((end, _)) = self.by_end.first_key_value() {
            if end.0 > now {
                break;
            }
            self.forget_first();
        }
    }

    /// Remembers that a client's query to `asked` went elsewhere on the flow `went`. In a full table the oldest gives way.
    pub(crate) fn remember(&mut self, rule: RulePlace, asked: &FlowKey, went: FlowKey, payload: &[u8], now: Instant) {
        if self.by_end.len() >= self.capacity {
            self.forget_first();
            self.evicted += 1;
        }
        let id = first_word(payload);
        let of_flow = self.asked.entry(went).or_default();
        // The same query again, or more of them than anyone sends at once.
        let known = of_flow.iter().position(|other| other.id == id && other.server == asked.server);
        let surplus = (of_flow.len() >= MAX_OF_FLOW).then_some(0);
        if let Some(place) = known.or(surplus) {
            self.by_end.remove(&of_flow.remove(place).end);
        }
        self.sequence += 1;
        let end = (now + AWAITED, self.sequence);
        of_flow.push(Asked { rule, server: asked.server, server_port: asked.server_port, id, end });
        self.by_end.insert(end, went);
    }

    /// Whether some query went by this flow.
    pub(crate) fn knows(&self, flow: &FlowKey) -> bool {
        self.asked.contains_key(flow)
    }

    /// Whom the client asked to whom this answer goes; of equal queries the latest.
    pub(crate) fn find(&self, flow: &FlowKey, of_box: usize, payload: &[u8]) -> Option<Asked> {
        let id = first_word(payload);
        self.asked.get(flow)?.iter().rev().find(|asked| asked.rule.of_box == of_box && asked.id == id).copied()
    }

    /// Gives what is remembered the places of the rules in a new policy; without one it is dropped.
    pub(crate) fn relocate(&mut self, new_place: impl Fn(RulePlace) -> Option<RulePlace>) {
        self.asked.retain(|_, of_flow| {
            of_flow.retain_mut(|asked| new_place(asked.rule).map(|rule| asked.rule = rule).is_some());
            !of_flow.is_empty()
        });
        let kept: BTreeMap<_, _> =
            self.asked.iter().flat_map(|(flow, of_flow)| of_flow.iter().map(|asked| (asked.end, *flow))).collect();
        self.by_end = kept;
    }

    fn forget_first(&mut self) {
        let Some((end, flow)) = self.by_end.pop_first() else { return };
        if let Some(of_flow) = self.asked.get_mut(&flow) {
            of_flow.retain(|asked| asked.end != end);
            if of_flow.is_empty() {
                self.asked.remove(&flow);
            }
        }
    }
}

fn first_word(payload: &[u8]) -> Option<u16> {
    payload.first_chunk().map(|word| u16::from_be_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: RulePlace = RulePlace { of_box: 0, rule: 0 };

    fn flow(client_port: u16, server: [u8; 4]) -> FlowKey {
        FlowKey { protocol: 17, client: [10, 0, 0, 1].into(), client_port, server: server.into(), server_port: 53 }
    }

    fn asked(redirects: &Redirects, client_port: u16, id: &[u8]) -> Option<IpAddr> {
        redirects.find(&flow(client_port, [195, 208, 6, 1]), 0, id).map(|asked| asked.server)
    }

    /// RU-DNS-2: queries from one port to two resolvers are told apart by their ids, and forgotten after a while.
    #[test]
    fn ru_dns_2_answers_find_their_queries() {
        let mut redirects = Redirects::new(10);
        let went = flow(4000, [195, 208, 6, 1]);
        redirects.remember(RULE, &flow(4000, [8, 8, 8, 8]), went, b"\x00\x01", Instant::ZERO);
        let later = Instant::ZERO + Duration::from_secs(20);
        redirects.remember(RULE, &flow(4000, [1, 1, 1, 1]), went, b"\x00\x02", later);
        assert_eq!(asked(&redirects, 4000, b"\x00\x01"), Some([8, 8, 8, 8].into()));
        assert_eq!(asked(&redirects, 4000, b"\x00\x02"), Some([1, 1, 1, 1].into()));
        assert_eq!(asked(&redirects, 4000, b"\x00\x03"), None);
        assert_eq!(asked(&redirects, 4001, b"\x00\x01"), None);
        redirects.expire(Instant::ZERO + AWAITED);
        assert_eq!(asked(&redirects, 4000, b"\x00\x01"), None);
        assert!(redirects.knows(&went));
        redirects.expire(later + AWAITED);
        assert!(redirects.is_empty());
    }

    /// The table is bounded, as a whole and for one port.
    #[test]
    fn the_table_is_bounded() {
        let mut redirects = Redirects::new(100);
        for number in 0..500u16 {
            for client_port in [4000, 4001 + number] {
                let (asked, went) = (flow(client_port, [8, 8, 8, 8]), flow(client_port, [195, 208, 6, 1]));
                redirects.remember(RULE, &asked, went, &number.to_be_bytes(), Instant::ZERO);
                redirects.remember(RULE, &asked, went, &number.to_be_bytes(), Instant::ZERO);
            }
        }
        assert!(redirects.by_end.len() <= 100 && redirects.evicted() > 0);
        assert_eq!(redirects.asked.values().map(Vec::len).sum::<usize>(), redirects.by_end.len());
        assert!(redirects.asked.values().all(|of_flow| of_flow.len() <= MAX_OF_FLOW));
        redirects.relocate(|_| None);
        assert!(redirects.is_empty() && redirects.by_end.is_empty());
    }
}
