//! How much went by, of one flow or of several that share a count, for as long as it matters.

use core::net::IpAddr;
use core::time::Duration;

use crate::event::FlowKey;
use crate::policy::{Per, Threshold, ThresholdUnit};
use crate::recent::Recent;
use crate::residual::RulePlace;
use crate::time::Instant;
use crate::view::View;

/// How much went by, and how much may.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Count {
    limit: u64,
    passed: Passed,
}

/// What is counted by.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Passed {
    /// All that went by.
    Ever(u64),
    /// What went by within a time.
    Within(Box<Window>),
}

/// What went by lately, in slots of a sixteenth of the time each, so that memory does not grow with what is counted.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Window {
    /// How long a slot is, in nanoseconds.
    slot: u64,
    /// The number of the newest slot since the clock began.
    newest: u64,
    slots: [u64; SLOTS],
}

const SLOTS: usize = 16;

impl Count {
    /// Nothing yet, of so much.
    pub(crate) fn up_to(limit: u64, within: Option<Duration>) -> Self {
        let passed = within.map_or(Passed::Ever(0), |within| Passed::Within(Box::new(Window::new(within))));
        Self { limit, passed }
    }

    /// Counts a packet, which may be the first of a flow that counts; whether it comes after what may pass.
    pub(crate) fn is_past(&mut self, threshold: &Threshold, view: &View<'_>, is_new_flow: bool, now: Instant) -> bool {
        let amount = match threshold.unit {
            ThresholdUnit::Connections => u64::from(is_new_flow),
            _ if !threshold.count.direction(view.direction) => 0,
            ThresholdUnit::Packets => 1,
            ThresholdUnit::Bytes => view.payload().len() as u64,
        };
        let passed = match &mut self.passed {
            Passed::Ever(passed) => {
                *passed = passed.saturating_add(amount);
                *passed
            }
            Passed::Within(window) => window.add(amount, now),
        };
        passed > self.limit
    }
}

impl Window {
    fn new(within: Duration) -> Self {
        let slot = u64::try_from(within.as_nanos()).unwrap_or(u64::MAX) / SLOTS as u64;
        Self { slot: slot.max(1), newest: 0, slots: [0; SLOTS] }
    }

    /// Adds what comes now; how much there is of late.
    fn add(&mut self, amount: u64, now: Instant) -> u64 {
        let number = now.as_nanos() / self.slot;
        let gone = usize::try_from(number.saturating_sub(self.newest)).unwrap_or(SLOTS).min(SLOTS);
        for step in 0..gone {
            self.slots[place(number - step as u64)] = 0;
        }
        self.newest = self.newest.max(number);
        let slot = &mut self.slots[place(self.newest)];
        *slot = slot.saturating_add(amount);
        self.slots.iter().fold(0, |sum, slot| sum.saturating_add(*slot))
    }
}

fn place(number: u64) -> usize {
    // Below the number of slots, which fits.
    usize::try_from(number % SLOTS as u64).unwrap_or(0)
}

/// The counts that several flows share.
pub(crate) type Counts = Recent<CountKey, Count>;

/// Who shares a count.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct CountKey {
    pub(crate) rule: RulePlace,
    client: IpAddr,
    server: Option<(u8, IpAddr, u16)>,
}

impl CountKey {
    /// `None` for a count that a flow has for itself.
    pub(crate) fn of(per: Per, rule: RulePlace, flow: &FlowKey) -> Option<Self> {
        let server = match per {
            Per::Flow => return None,
            Per::ThreeTuple => Some((flow.protocol, flow.server, flow.server_port)),
            Per::TwoTuple => Some((flow.protocol, flow.server, 0)),
            Per::Client => None,
        };
        Some(Self { rule, client: flow.client, server })
    }

    /// The same for a rule that has another place now.
    pub(crate) fn of_rule(self, rule: RulePlace) -> Self {
        Self { rule, ..self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(client_port: u16, per: Per) -> Option<CountKey> {
        let (client, server) = ([10, 0, 0, 1].into(), [1, 1, 1, 1].into());
        let flow = FlowKey { protocol: 6, client, client_port, server, server_port: client_port };
        CountKey::of(per, RulePlace { of_box: 0, rule: 0 }, &flow)
    }

    /// RU-SIB-1: who shares a count.
    #[test]
    fn ru_sib_1_who_shares_a_count() {
        assert_eq!(key(1, Per::Flow), None);
        assert_ne!(key(1, Per::ThreeTuple), key(2, Per::ThreeTuple));
        assert_eq!(key(1, Per::TwoTuple), key(2, Per::TwoTuple));
        assert_ne!(key(1, Per::TwoTuple), key(1, Per::Client));
    }

    proptest! {
        /// RU-SIB-1: whatever comes and when, a window holds all of the last fifteen sixteenths of its time and nothing
        /// older than all of it.
        #[test]
        fn ru_sib_1_a_window_forgets(packets in prop::collection::vec((0..9_000u64, 0..5u64), 1..80)) {
            let mut window = Window::new(Duration::from_micros(16));
            let (mut now, mut came) = (0u64, Vec::new());
            for (pause, amount) in packets {
                now += pause;
                came.push((now, amount));
                let counted = window.add(amount, Instant::from_nanos(now));
                let since = |age: u64| came.iter().filter(|(at, _)| at + age > now).map(|(_, amount)| amount).sum::<u64>();
                prop_assert!((since(15_000)..=since(16_000)).contains(&counted), "{counted} at {now} of {came:?}");
            }
        }
    }
}
