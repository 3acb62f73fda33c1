//! Rates that are kept: token buckets on the machine's clock (RU-THR-1).

use core::net::IpAddr;

use crate::event::FlowKey;
use crate::outbox::Direction;
use crate::policy::{Per, Police};
use crate::recent::Recent;
use crate::residual::RulePlace;
use crate::time::Instant;

/// All buckets.
#[derive(Debug)]
pub(crate) struct Buckets(Recent<BucketKey, Bucket>);

/// Which packets share a bucket.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct BucketKey {
    pub(crate) rule: RulePlace,
    direction: Direction,
    client: IpAddr,
    server: Option<(u8, IpAddr, u16)>,
    client_port: Option<u16>,
}

/// What may pass now.
#[derive(Debug)]
struct Bucket {
    /// In billionths of a bit, so that any time and rate multiply without rounding.
    level: u128,
    at: Instant,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Poured {
    /// It is within the rate.
    Passes,
    /// It is above the rate.
    Spills,
}

const BILLIONTHS: u128 = 1_000_000_000;

impl BucketKey {
    pub(crate) fn of(per: Per, rule: RulePlace, flow: &FlowKey, direction: Direction) -> Self {
        let server = (flow.protocol, flow.server, flow.server_port);
        let (server, client_port) = match per {
            Per::Flow => (Some(server), Some(flow.client_port)),
            Per::ThreeTuple => (Some(server), None),
            Per::TwoTuple => (Some((flow.protocol, flow.server, 0)), None),
            Per::Client => (None, None),
        };
        Self { rule, direction, client: flow.client, server, client_port }
    }

    /// The same for a rule that has another place now.
    pub(crate) fn of_rule(self, rule: RulePlace) -> Self {
        Self { rule, ..self }
    }
}

impl Buckets {
    pub(crate) fn new(capacity: usize) -> Self {
        Self(Recent::new(capacity))
    }

    /// How many buckets were given up for want of room.
    pub(crate) fn evicted(&self) -> u64 {
        self.0.evicted()
    }

    /// Takes a packet's bytes out of its bucket, if they are there. A new bucket is full, and so is one that was pushed out
    /// of a full table, where the one that was asked the longest ago gives way.
    pub(crate) fn pour(&mut self, now: Instant, key: BucketKey, police: &Police, bytes: usize) -> Poured {
        let capacity = u128::from(police.burst) * 8 * BILLIONTHS;
        let bucket = self.0.touch(key, || Bucket { level: capacity, at: now });
        let elapsed = now.saturating_since(bucket.at).as_nanos();
        bucket.level = bucket.level.saturating_add(elapsed * u128::from(police.bits_per_second)).min(capacity);
        bucket.at = now;
        let needed = bytes as u128 * 8 * BILLIONTHS;
        match bucket.level.checked_sub(needed) {
            Some(rest) => {
                bucket.level = rest;
                Poured::Passes
            }
            None => Poured::Spills,
        }
    }

    /// Gives buckets the places of their rules in a new policy; those without one are dropped.
    pub(crate) fn relocate(&mut self, new_place: impl Fn(RulePlace) -> Option<RulePlace>) {
        self.0.rename(|key| new_place(key.rule).map(|rule| key.of_rule(rule)));
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const RULE: RulePlace = RulePlace { of_box: 0, rule: 0 };
    const POLICE: Police = Police { bits_per_second: 150_000, burst: 8_000, per: Per::Flow };

    fn key(per: Per, client_port: u16, server_port: u16, direction: Direction) -> BucketKey {
        let (client, server) = ([10, 0, 0, 1].into(), [1, 1, 1, 1].into());
        let flow = FlowKey { protocol: 6, client, client_port, server, server_port };
        BucketKey::of(per, RULE, &flow, direction)
    }

    /// RU-THR-1: per flow and direction by default; otherwise flows share as they are told to.
    #[test]
    fn ru_thr_1_who_shares_a_rate() {
        let of = |per, client_port, server_port| key(per, client_port, server_port, Direction::Inbound);
        assert_ne!(of(Per::Flow, 1, 443), of(Per::Flow, 2, 443));
        assert_eq!(of(Per::ThreeTuple, 1, 443), of(Per::ThreeTuple, 2, 443));
        assert_ne!(of(Per::ThreeTuple, 1, 443), of(Per::ThreeTuple, 1, 80));
        assert_eq!(of(Per::Client, 1, 443), of(Per::Client, 2, 80));
        assert_ne!(of(Per::Client, 1, 443), key(Per::Client, 1, 443, Direction::Outbound));
    }

    /// The table is bounded, and a bucket that was pushed out begins full.
    #[test]
    fn the_table_is_bounded() {
        let mut buckets = Buckets::new(2);
        let flow = |client_port| key(Per::Flow, client_port, 443, Direction::Inbound);
        for client_port in 0..10 {
            assert_eq!(buckets.pour(Instant::ZERO, flow(client_port), &POLICE, 8_000), Poured::Passes);
        }
        assert_eq!(buckets.evicted(), 8);
        assert_eq!(buckets.pour(Instant::ZERO, flow(9), &POLICE, 1), Poured::Spills);
        assert_eq!(buckets.pour(Instant::ZERO, flow(0), &POLICE, 8_000), Poured::Passes);
    }

    proptest! {
        /// RU-THR-1: whatever comes and when, no more passes than the rate and the burst allow, and after a pause as long as
        /// the burst takes, a burst passes.
        #[test]
        fn ru_thr_1_the_rate_is_kept(packets in prop::collection::vec((0..200_000_000u64, 40..1500usize), 1..80)) {
            let mut buckets = Buckets::new(10);
            let key = key(Per::Flow, 1, 443, Direction::Inbound);
            let (mut now, mut passed) = (Instant::ZERO, 0u64);
            for (pause, bytes) in packets {
                now += Duration::from_nanos(pause);
                if buckets.pour(now, key, &POLICE, bytes) == Poured::Passes {
                    passed += bytes as u64;
                }
                let allowed = 8_000 + now.as_nanos() * 150 / 8_000_000 + 1;
                prop_assert!(passed <= allowed, "{passed} of {allowed}");
            }
            now += Duration::from_secs(1);
            prop_assert_eq!(buckets.pour(now, key, &POLICE, 8_000), Poured::Passes);
        }
    }
}
