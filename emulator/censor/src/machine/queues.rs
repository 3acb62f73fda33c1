//! Rates that are kept by waiting (RU-THR-6).

use core::time::Duration;

use super::buckets::BucketKey;
use crate::policy::{QueueLimit, Shape};
use crate::recent::Recent;
use crate::residual::RulePlace;
use crate::time::Instant;

/// All queues: of each, when it will be empty. A queue that was pushed out of a full table is empty.
#[derive(Debug)]
pub(crate) struct Queues(Recent<BucketKey, Instant>);

impl Queues {
    pub(crate) fn new(capacity: usize) -> Self {
        Self(Recent::new(capacity))
    }

    /// How many queues were given up for want of room.
    pub(crate) fn evicted(&self) -> u64 {
        self.0.evicted()
    }

    /// When a packet that arrives now goes on: at once while the rate is kept, else when those before it have gone. `None`
    /// where it finds the queue full.
    pub(crate) fn line_up(&mut self, now: Instant, key: BucketKey, shape: &Shape, bytes: usize) -> Option<Instant> {
        let empty_at = self.0.touch(key, || now);
        let departs = now.max(*empty_at);
        let wait = departs.saturating_since(now);
        let is_full = match shape.queue {
            QueueLimit::Time(limit) => wait > limit,
            QueueLimit::Bytes(limit) => {
                let before = wait.as_nanos() * u128::from(shape.bits_per_second) / (8 * BILLION);
                !wait.is_zero() && before + bytes as u128 > u128::from(limit)
            }
        };
        if is_full {
            return None;
        }
        let nanoseconds = bytes as u128 * 8 * BILLION / u128::from(shape.bits_per_second.max(1));
        *empty_at = departs + Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        Some(departs)
    }

    /// Gives queues the places of their rules in a new policy; those without one are dropped.
    pub(crate) fn relocate(&mut self, new_place: impl Fn(RulePlace) -> Option<RulePlace>) {
        self.0.rename(|key| new_place(key.rule).map(|rule| key.of_rule(rule)));
    }
}

const BILLION: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::FlowKey;
    use crate::outbox::Direction;
    use crate::policy::Per;

    fn key() -> BucketKey {
        let (client, server) = ([10, 0, 0, 1].into(), [1, 1, 1, 1].into());
        let flow = FlowKey { protocol: 6, client, client_port: 1, server, server_port: 443 };
        BucketKey::of(Per::Flow, RulePlace { of_box: 0, rule: 0 }, &flow, Direction::Outbound)
    }

    /// RU-THR-6: a packet finds the line free or waits for those before it, until too much waits.
    #[test]
    fn ru_thr_6_a_queue_fills() {
        // A thousand bytes take a second.
        for queue in [QueueLimit::Bytes(3000), QueueLimit::Time(Duration::from_secs(3))] {
            let shape = Shape { bits_per_second: 8_000, queue, per: Per::Flow };
            let mut queues = Queues::new(10);
            let start = Instant::ZERO + Duration::from_secs(7);
            let waits: Vec<_> = (0..5)
                .map(|_| queues.line_up(start, key(), &shape, 1000).map(|at| at.saturating_since(start).as_secs()))
                .collect();
            let expected = match queue {
                // Those that wait take three thousand bytes, or wait for three seconds; the first is on its way.
                QueueLimit::Bytes(_) => [Some(0), Some(1), Some(2), None, None],
                QueueLimit::Time(_) => [Some(0), Some(1), Some(2), Some(3), None],
            };
            assert_eq!(waits, expected, "{queue:?}");
            let later = start + Duration::from_secs(10);
            assert_eq!(queues.line_up(later, key(), &shape, 1000), Some(later));
        }
    }
}
