//! What is to be done, in the order of modelled arrival: who wins a race is decided here and never by the scheduler.

use core::time::Duration;
use std::collections::{BTreeMap, HashMap};

use crate::event::FlowKey;
use crate::flow::FlowTable;
use crate::machine::MAX_HELD;
use crate::outbox::{Command, Direction, Injection, Outbox, PacketId, Verdict};
use crate::time::Instant;

/// Verdicts and injections that wait for their time.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    /// By time, then by the order they were made in.
    waiting: BTreeMap<(Instant, u64), Item>,
    sequence: u64,
    held: usize,
    /// What is held of each flow and direction.
    held_of_flow: HashMap<(FlowKey, Direction), Queue>,
}

#[derive(Debug)]
enum Item {
    Verdict(PacketId, Verdict, Option<(FlowKey, Direction)>),
    Inject(Injection),
}

/// The packets of one flow and direction that are held.
#[derive(Clone, Copy, Debug, Default)]
struct Queue {
    packets: u32,
    /// When the last of them goes.
    until: Instant,
}

/// The most injections that wait at once.
const MAX_INJECTIONS: usize = MAX_HELD;

impl Schedule {
    /// When the next thing is due.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((at, _), _)| *at)
    }

    /// How many packets are held.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Plans an injection. Where too many wait, the earliest waiting things are done at once.
    pub(crate) fn inject(&mut self, at: Instant, injection: Injection, flows: &FlowTable, out: &mut Outbox) {
        while self.waiting.len() - self.held >= MAX_INJECTIONS {
            self.release_first(flows, out);
        }
        self.plan(at, Item::Inject(injection));
    }

    /// Plans the verdict on a packet, after a delay for which the packet is held; what goes on of one flow and direction
    /// goes in the order in which it came, however long those before were held. Where too many are held, the earliest
    /// waiting things are done at once, so that nothing overtakes.
    pub(crate) fn give(
        &mut self,
        now: Instant,
        delay: Duration,
        (id, verdict): (PacketId, Verdict),
        flow: Option<(FlowKey, Direction)>,
        (flows, out): (&FlowTable, &mut Outbox),
    ) {
        let queued = flow.filter(|_| verdict != Verdict::Drop).and_then(|flow| self.held_of_flow.get(&flow));
        let due = queued.map_or(now + delay, |queue| queue.until.max(now + delay));
        if due <= now {
            self.flush(now, flows, out);
            out.commands.push(Command::Verdict(id, verdict));
            return;
        }
        while self.held >= MAX_HELD {
            self.release_first(flows, out);
        }
        self.held += 1;
        if let Some(flow) = flow {
            let queue = self.held_of_flow.entry(flow).or_default();
            *queue = Queue { packets: queue.packets + 1, until: queue.until.max(due) };
        }
        out.commands.push(Command::Hold(id));
        self.plan(due, Item::Verdict(id, verdict, flow));
    }

    /// Does what is due.
    pub(crate) fn flush(&mut self, now: Instant, flows: &FlowTable, out: &mut Outbox) {
        while self.next_at().is_some_and(|at| at <= now) {
            self.release_first(flows, out);
        }
    }

    fn plan(&mut self, at: Instant, item: Item) {
        self.sequence += 1;
        self.waiting.insert((at, self.sequence), item);
    }

    fn release_first(&mut self, flows: &FlowTable, out: &mut Outbox) {
        let Some((_, item)) = self.waiting.pop_first() else {
            return;
        };
        out.commands.push(match item {
            Item::Inject(injection) => Command::Inject(injection),
            Item::Verdict(id, verdict, flow) => {
                self.held -= 1;
                let may_offload = flow.is_none_or(|flow| self.is_last_of(flow) && flows.is_offloaded(&flow.0, flow.1));
                let verdict = match verdict {
                    Verdict::PassAndOffload if !may_offload => Verdict::Pass,
                    verdict => verdict,
                };
                Command::Verdict(id, verdict)
            }
        });
    }

    /// Counts a held packet off; whether no other of its flow and direction is held. Only the last may offload the flow:
    /// else the next packet would pass by those still held.
    fn is_last_of(&mut self, flow: (FlowKey, Direction)) -> bool {
        let Some(queue) = self.held_of_flow.get_mut(&flow) else {
            return true;
        };
        queue.packets -= 1;
        let is_last = queue.packets == 0;
        if is_last {
            self.held_of_flow.remove(&flow);
        }
        is_last
    }
}
