//! Chance that is the same on every run.
//!
//! Whether a rule misses is drawn from what the flow is, not from when or in which order packets came: seed, rule, client
//! address, server address, server port, and how many such flows came before (TSPU-14).

use core::net::IpAddr;
use std::collections::{HashMap, VecDeque};

use crate::event::FlowKey;
use crate::policy::{Share, ShareBy};

/// Draws, and counts how many came before.
#[derive(Debug)]
pub(crate) struct Chances {
    seed: u64,
    counts: HashMap<Draw, u32>,
    /// The keys of `counts`, oldest first, so that the table can be bounded.
    order: VecDeque<Draw>,
    evicted: u64,
}

/// What a draw is keyed by; the rule as a hash of its names.
type Draw = (u64, IpAddr, IpAddr, u16);

/// How many keys are counted at once. A forgotten key begins again at its first draw.
const MAX_COUNTS: usize = 65_536;
/// Tells what divides flows between boxes apart from all that is drawn.
const SHARE: u64 = 0x73_68_61_72_65;

impl Chances {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, counts: HashMap::new(), order: VecDeque::new(), evicted: 0 }
    }

    /// How many counts were given up for want of room.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Whether a box that sees this share of the flows sees this one.
    pub(crate) fn is_in(&self, share: &Share, flow: &FlowKey) -> bool {
        let mut state = mix_bytes(mix(self.seed, SHARE), &octets(flow.client));
        if share.by != ShareBy::ClientAddress {
            state = mix_bytes(state, &octets(flow.server));
        }
        if matches!(share.by, ShareBy::ThreeTuple | ShareBy::FourTuple) {
            state = mix(state, u64::from(flow.server_port));
        }
        if share.by == ShareBy::FourTuple {
            state = mix(state, u64::from(flow.client_port));
        }
        let part = ((state >> 32) * u64::from(share.of.max(1))) >> 32;
        share.is.iter().any(|parts| parts.contains(&(part as u32)))
    }

    /// Whether what has this probability happens, for this rule of this box on a new flow like this.
    pub(crate) fn happens(&mut self, probability: f64, censor: &str, rule: &str, flow: &FlowKey) -> bool {
        if probability <= 0.0 || probability >= 1.0 {
            return probability >= 1.0;
        }
        falls_within(self.draw("", censor, rule, flow), probability)
    }

    /// As [`happens`](Self::happens), but for one packet of the flow rather than for the flow: the draws of the two do not
    /// disturb each other.
    pub(crate) fn happens_to_packet(&mut self, probability: f64, censor: &str, rule: &str, flow: &FlowKey) -> bool {
        if probability <= 0.0 || probability >= 1.0 {
            return probability >= 1.0;
        }
        falls_within(self.draw("packet", censor, rule, flow), probability)
    }

    /// A number for this rule on a new flow like this, of which a share of all is [`falls_within`].
    pub(crate) fn luck(&mut self, censor: &str, rule: &str, flow: &FlowKey) -> u32 {
        self.draw("luck", censor, rule, flow)
    }

    /// A number from the least to the most, for this rule of this box on a new flow like this.
    pub(crate) fn number(&mut self, (least, most): (u64, u64), censor: &str, rule: &str, flow: &FlowKey) -> u64 {
        if most <= least {
            return least;
        }
        let drawn = u128::from(self.draw("number", censor, rule, flow));
        let span = u128::from(most - least) + 1;
        // Below the span, which fits.
        least + u64::try_from((drawn * span) >> 32).unwrap_or(0)
    }

    fn draw(&mut self, purpose: &str, censor: &str, rule: &str, flow: &FlowKey) -> u32 {
        let name = mix_bytes(mix_bytes(0, censor.as_bytes()), rule.as_bytes());
        let name = if purpose.is_empty() { name } else { mix_bytes(name, purpose.as_bytes()) };
        let draw = (name, flow.client, flow.server, flow.server_port);
        let before = self.count(draw);
        let mut state = mix(mix(self.seed, name), u64::from(flow.server_port));
        state = mix_bytes(mix_bytes(state, &octets(flow.client)), &octets(flow.server));
        (mix(state, u64::from(before)) >> 32) as u32
    }

    fn count(&mut self, draw: Draw) -> u32 {
        if let Some(count) = self.counts.get_mut(&draw) {
            *count = count.wrapping_add(1);
            return *count;
        }
        if self.counts.len() >= MAX_COUNTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.counts.remove(&oldest);
            self.evicted += 1;
        }
        self.counts.insert(draw, 0);
        self.order.push_back(draw);
        0
    }
}

/// Whether a number that was drawn is among the lowest of this share.
pub(crate) fn falls_within(drawn: u32, share: f64) -> bool {
    f64::from(drawn) < share * (f64::from(u32::MAX) + 1.0)
}

pub(crate) fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

pub(crate) fn mix_bytes(state: u64, bytes: &[u8]) -> u64 {
    let word = |chunk: &[u8]| chunk.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte));
    bytes.chunks(8).fold(mix(state, bytes.len() as u64), |state, chunk| mix(state, word(chunk)))
}

/// One step of `SplitMix64` (Steele, Lea, Flood, OOPSLA 2014) with a word worked in.
pub(crate) const fn mix(state: u64, word: u64) -> u64 {
    let mut z = (state ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(client: u32) -> FlowKey {
        let client = IpAddr::from(client.to_be_bytes());
        FlowKey { protocol: 6, client, client_port: 1, server: IpAddr::from([1, 1, 1, 1]), server_port: 443 }
    }

    /// The first output of `SplitMix64` for seed 0, from its reference implementation.
    #[test]
    fn splitmix64_reference() {
        assert_eq!(mix(0, 0), 0xe220_a839_7b1d_cdaf);
    }

    /// TSPU-14: the rate over many flows is near the probability, over many clients and for one client alike.
    #[test]
    fn tspu_14_rate_is_near() {
        let mut chances = Chances::new(7);
        let many = (0..10_000).filter(|client| chances.happens(0.02, "tspu", "sni-1", &flow(*client))).count();
        let one = (0..10_000).filter(|_| chances.happens(0.02, "tspu", "sni-1", &flow(1))).count();
        assert!((150..=250).contains(&many), "{many} of 10,000 clients");
        assert!((150..=250).contains(&one), "{one} of 10,000 flows");
    }

    /// TSPU-14: neither the client's port nor the order of clients changes a draw; the seed, the rule and the number of
    /// flows before do.
    #[test]
    fn tspu_14_draws_are_keyed() {
        let draws = |seed: u64, rule: &str, port: u16, clients: &mut dyn Iterator<Item = u32>| {
            let mut chances = Chances::new(seed);
            let mut drawn: Vec<_> = clients
                .map(|client| {
                    let flow = FlowKey { client_port: port, ..flow(client) };
                    (client, chances.happens(0.5, "tspu", rule, &flow))
                })
                .collect();
            drawn.sort_unstable();
            drawn
        };
        let first = draws(1, "a", 10, &mut (0..64));
        assert_eq!(first, draws(1, "a", 20, &mut (0..64).rev()));
        assert_ne!(first, draws(2, "a", 10, &mut (0..64)));
        assert_ne!(first, draws(1, "b", 10, &mut (0..64)));
        let repeated: Vec<_> = draws(1, "a", 10, &mut [3; 64].into_iter());
        assert!(repeated.iter().any(|(_, drawn)| *drawn) && repeated.iter().any(|(_, drawn)| !*drawn));
    }

    /// TSPU-2: each number of a range is drawn, and none beside it.
    #[test]
    fn tspu_2_numbers_fill_their_range() {
        let mut chances = Chances::new(7);
        let mut drawn: Vec<_> = (0..200).map(|client| chances.number((5, 8), "tspu", "sni-2", &flow(client))).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn, [5, 6, 7, 8]);
        assert_eq!(chances.number((3, 3), "tspu", "sni-2", &flow(1)), 3);
        assert!(chances.number((0, u64::MAX), "tspu", "sni-2", &flow(1)) > 0);
    }

    /// The table of counts is bounded.
    #[test]
    fn counts_are_bounded() {
        let mut chances = Chances::new(7);
        for client in 0..MAX_COUNTS as u32 + 10 {
            chances.happens(0.5, "tspu", "sni-1", &flow(client));
        }
        assert_eq!((chances.counts.len(), chances.order.len()), (MAX_COUNTS, MAX_COUNTS));
        assert_eq!(chances.evicted(), 10);
    }
}
