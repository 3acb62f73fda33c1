//! The machine: packets and a clock in, verdicts and injections out.

mod act;
mod buckets;
mod compile;
mod forge;
mod fragments;
mod injectors;
mod judge;
mod prospect;
mod punish;
mod queues;
mod rates;
mod ready;
mod redirects;
mod respond;

use core::ops::Range;
use core::time::Duration;
use std::sync::Arc;

use crate::chance::Chances;
use crate::count::Counts;
use crate::event::{Event, EventKind, FlowKey};
use crate::flow::{Admission, Flow, FlowTable, Track};
use crate::outbox::{Command, Direction, Injection, Outbox, Packet, PacketId, Verdict};
use crate::policy::{Grade, Policy, TcpFlags, TeardownCheck};
use crate::residual::{Residuals, Scope};
use crate::schedule::Schedule;
use crate::time::Instant;
use crate::view::{Transport, View};
use crate::wire::ip::{IpPacket, protocol};

use buckets::Buckets;
use compile::Compiled;
use fragments::Fragments;
pub use fragments::{MAX_FRAGMENT_BYTES, MAX_FRAGMENTS};
use injectors::Injectors;
use judge::Judge;
use queues::Queues;
use rates::Told;
pub use ready::ReadyPolicy;
use redirects::Redirects;
use respond::Passage;

/// The most packets held at once for their time to come. Fragments that wait for their packet's rest come on top
/// ([`MAX_FRAGMENTS`]).
pub const MAX_HELD: usize = 4096;
/// The most flows tracked at once, unless [`Censor::with_max_flows`] says otherwise.
pub const MAX_FLOWS: usize = 65_536;
/// The most residuals in force at once.
pub const MAX_RESIDUALS: usize = 65_536;
/// The most token buckets kept at once, and the most queues.
pub const MAX_BUCKETS: usize = 65_536;
/// The most counts that flows share kept at once.
pub const MAX_COUNTS: usize = 65_536;
/// The most clients of injectors whose numbers are kept at once.
pub const MAX_INJECTORS: usize = 65_536;
/// The most redirected queries whose answers are awaited at once.
pub const MAX_REDIRECTS: usize = 65_536;
/// The most bytes of one flow put together, whatever a policy asks for: a `ClientHello` in a full record, and its header.
pub const MAX_REASSEMBLY: usize = 16_640;

/// The boxes at one hop.
#[derive(Debug)]
pub struct Censor {
    policy: Arc<Compiled>,
    delay: Duration,
    /// How long before the clock's zero midnight was.
    midnight: Duration,
    now: Instant,
    flows: FlowTable,
    residuals: Residuals,
    counts: Counts,
    buckets: Buckets,
    queues: Queues,
    /// When losses and waits were last told of packets whose flow is not tracked.
    told: Told,
    redirects: Redirects,
    injectors: Injectors,
    fragments: Fragments,
    chances: Chances,
    schedule: Schedule,
    /// The counters that only grow.
    counters: Counters,
}

/// What the machine has done and what it keeps.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct Counters {
    /// Packets inspected.
    pub packets: u64,
    /// Packets forwarded as they were.
    pub passed: u64,
    /// Packets forwarded with changes.
    pub rewritten: u64,
    /// Packets swallowed.
    pub dropped: u64,
    /// Packets swallowed by chance or because they came above a rate; they are among those swallowed.
    pub policed: u64,
    /// Packets made.
    pub injected: u64,
    /// Flows that could not be tracked because the table was full, counted by packets.
    pub table_full: u64,
    /// Packets held now.
    pub held: usize,
    /// Flows tracked now.
    pub flows: usize,
    /// Flows of which the kernel passes packets by itself now.
    pub offloaded: usize,
    /// Residuals in force now.
    pub residuals: usize,
    /// What was forgotten before its time for want of room.
    pub forgotten: Forgotten,
}

/// What the machine forgot before its time because a table was full; the oldest gave way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct Forgotten {
    /// Residuals.
    pub residuals: u64,
    /// Counts that flows share.
    pub counts: u64,
    /// Rates: token buckets and queues.
    pub rates: u64,
    /// Redirected queries that were not answered yet.
    pub redirects: u64,
    /// How many flows like one came before it, for what is drawn.
    pub draws: u64,
    /// How far injectors had turned.
    pub injectors: u64,
    /// Fragments that waited for the rest of their packet.
    pub fragments: u64,
}

/// What came of a packet.
struct Judged {
    passage: Passage,
    /// Whether no box has anything to say about later packets that travel as this one does.
    is_decided: bool,
    /// How long it waits here.
    wait: Duration,
}

impl Judged {
    /// What came of a packet that no box reads.
    const UNREAD: Self = Self { passage: Passage::Passed, is_decided: false, wait: Duration::ZERO };
}

impl Forgotten {
    /// All of it together.
    pub fn total(&self) -> u64 {
        self.residuals + self.counts + self.rates + self.redirects + self.draws + self.injectors
    }
}

impl Censor {
    /// A machine for this policy. All its chance comes from the seed.
    pub fn new(policy: Policy, seed: u64) -> Self {
        Self {
            policy: Arc::new(Compiled::new(policy)),
            delay: Duration::ZERO,
            midnight: Duration::ZERO,
            now: Instant::ZERO,
            flows: FlowTable::new(MAX_FLOWS),
            residuals: Residuals::new(MAX_RESIDUALS),
            counts: Counts::new(MAX_COUNTS),
            buckets: Buckets::new(MAX_BUCKETS),
            queues: Queues::new(MAX_BUCKETS),
            told: Told::new(MAX_BUCKETS),
            redirects: Redirects::new(MAX_REDIRECTS),
            injectors: Injectors::new(seed, MAX_INJECTORS),
            fragments: Fragments::default(),
            chances: Chances::new(seed),
            schedule: Schedule::default(),
            counters: Counters::default(),
        }
    }

    /// How long an inspected packet that passes is held, as the model of the path between this box and the end that it
    /// travels to. Drops are immediate; an injection leaves after its own delay alone, so that of a packet and an injection
    /// the one with the smaller delay arrives first, and of equals the injection.
    #[must_use]
    pub fn with_delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// How long before the clock's zero midnight was, where the censor is; else the clock begins at midnight.
    #[must_use]
    pub fn with_midnight(mut self, before_zero: Duration) -> Self {
        self.midnight = before_zero;
        self
    }

    /// Another bound for the flow table than [`MAX_FLOWS`].
    #[must_use]
    pub fn with_max_flows(mut self, flows: usize) -> Self {
        self.flows = FlowTable::new(flows);
        self
    }

    /// Begins a new phase. Flows are kept and judged anew; residuals are kept where a box of the same name still has a rule
    /// of the same id that punishes the same packets, whose new responses then apply; so are counts, rates and redirected
    /// queries of rules whose id stays. Packets already held keep their verdicts.
    pub fn replace_policy(&mut self, policy: Policy, now: Instant, out: &mut Outbox) {
        self.enter(ReadyPolicy::new(policy), now, out);
    }

    /// As [`replace_policy`](Self::replace_policy), with the policy worked out beforehand, so that packets wait for no longer
    /// than it takes to look through what is kept. Gives back the policy that was in force: dropping a large one takes time
    /// too.
    pub fn enter(&mut self, policy: ReadyPolicy, now: Instant, out: &mut Outbox) -> ReadyPolicy {
        self.advance(now, out);
        let ReadyPolicy(new) = policy;
        let old = core::mem::replace(&mut self.policy, Arc::clone(&new));
        let old_places: Vec<_> = new.boxes.iter().map(|each| old.find_box(&each.policy.name)).collect();
        self.flows.renew(|mut tracks| {
            let renewed = |(each, old_place): (&compile::CompiledBox, &Option<usize>)| {
                let mut track = old_place.map(|place| core::mem::take(&mut tracks[place])).unwrap_or_default();
                track.reconsider(&|id| each.policy.rules.iter().any(|rule| *rule.id == *id));
                track
            };
            new.boxes.iter().zip(&old_places).map(renewed).collect()
        });
        self.residuals.relocate(|place| old.place_in(&new, place));
        self.counts.rename(|key| old.place_of_count_in(&new, key.rule).map(|rule| key.of_rule(rule)));
        self.buckets.relocate(|place| old.place_of_rate_in(&new, place));
        self.queues.relocate(|place| old.place_of_rate_in(&new, place));
        self.told.rename(|key| old.place_of_rate_in(&new, key.rule).map(|rule| key.of_rule(rule)));
        self.redirects.relocate(|place| old.place_of_redirect_in(&new, place));
        self.relocate_fragments(&old, &new, out);
        out.commands.push(Command::RecallAll);
        ReadyPolicy(old)
    }

    /// Judges one packet. Times never go back: an earlier one counts as the latest seen.
    pub fn inspect(&mut self, now: Instant, packet: Packet<'_>, out: &mut Outbox) {
        self.advance(now, out);
        self.counters.packets += 1;
        if self.policy.treats_fragments && IpPacket::parse(packet.bytes).is_some_and(|ip| ip.fragment().is_some()) {
            return self.inspect_fragment(packet, out);
        }
        let Some(view) = View::parse(packet.direction, packet.bytes) else {
            return self.give(packet.id, (Verdict::Pass, Duration::ZERO), None, out);
        };
        let all = 0..self.policy.boxes.len();
        let Judged { passage, is_decided, wait } = self.judge(&view, all, out);
        let verdict = match passage {
            Passage::Dropped => Verdict::Drop,
            Passage::Replaced(bytes) => Verdict::Replace(bytes),
            Passage::Diverted => Verdict::Divert,
            Passage::Passed if is_decided => self.offload(&view, out),
            Passage::Passed => Verdict::Pass,
        };
        self.give(packet.id, (verdict, wait), Some((view.key, view.direction)), out);
    }

    /// When [`poll`](Self::poll) has something to do next.
    pub fn poll_at(&self) -> Option<Instant> {
        self.schedule.next_at().into_iter().chain(self.fragments.next_at()).min()
    }

    /// Does what is due.
    pub fn poll(&mut self, now: Instant, out: &mut Outbox) {
        self.advance(now, out);
    }

    /// What the machine has done and what it keeps.
    pub fn counters(&self) -> Counters {
        Counters {
            held: self.schedule.held() + self.fragments.held(),
            flows: self.flows.len(),
            offloaded: self.flows.offloaded_len(),
            residuals: self.residuals.len(),
            forgotten: Forgotten {
                residuals: self.residuals.evicted(),
                counts: self.counts.evicted(),
                rates: self.buckets.evicted() + self.queues.evicted(),
                redirects: self.redirects.evicted(),
                draws: self.chances.evicted(),
                injectors: self.injectors.evicted(),
                fragments: self.fragments.evicted(),
            },
            ..self.counters
        }
    }

    /// Moves the clock on and does what became due, which comes before anything that happens now.
    fn advance(&mut self, now: Instant, out: &mut Outbox) {
        self.now = self.now.max(now);
        self.schedule.flush(self.now, &self.flows, out);
        self.residuals.expire(self.now);
        self.redirects.expire(self.now);
        self.expire_fragments(out);
    }

    /// Takes a packet through the boxes at these steps and plans what follows, up to the verdict.
    fn judge(&mut self, view: &View<'_>, steps: Range<usize>, out: &mut Outbox) -> Judged {
        let compiled = Arc::clone(&self.policy);
        self.restart_reused(view, out);
        self.tear_down_between(view, &compiled);
        self.admit(view, &compiled, out);
        let is_full = self.full_boxes(&compiled);
        let time = self.time_of_day();
        let mut flow = self.flows.touch(&view.key);
        let mut judge = Judge {
            compiled: &compiled,
            residuals: &mut self.residuals,
            counts: &mut self.counts,
            buckets: &mut self.buckets,
            queues: &mut self.queues,
            told: &mut self.told,
            redirects: &mut self.redirects,
            injectors: &mut self.injectors,
            chances: &mut self.chances,
            policed: &mut self.counters.policed,
            events: &mut out.events,
            now: self.now,
            time,
            is_full,
            delay: self.delay,
            held: self.schedule.held(),
            injections: Vec::new(),
            armed: Vec::new(),
            suspects: Vec::new(),
            has_spoken: false,
            wait: Duration::ZERO,
        };
        let passage = judge.take_through(view, flow.as_deref_mut(), steps);
        let is_decided = !judge.has_spoken && flow.is_some_and(|flow| judge.is_decided(flow, view));
        let Judge { injections, armed, suspects, wait, .. } = judge;
        self.recall_covered(&armed, view.key, out);
        self.plan_injections(injections, out);
        out.commands.extend(suspects.into_iter().map(Command::Suspect));
        Judged { passage, is_decided, wait }
    }

    /// A SYN over the ports of an offloaded flow begins a new one, of which the kernel must hand over every packet.
    fn restart_reused(&mut self, view: &View<'_>, out: &mut Outbox) {
        if view.is_first_syn() && self.flows.recall(&view.key) {
            out.commands.push(Command::Recall(view.key));
            if let Some(flow) = self.flows.touch(&view.key) {
                flow.restart();
            }
        }
    }

    /// A reset or FIN ends every flow between two addresses for a box that looks at nothing else (Geneva's sixth censor).
    fn tear_down_between(&mut self, view: &View<'_>, compiled: &Compiled) {
        for (place, each) in compiled.boxes.iter().enumerate() {
            let policy = &each.policy.flow;
            let ends = policy.teardown.fin && view.has_flags(TcpFlags::FIN.0)
                || policy.teardown.rst && view.has_flags(TcpFlags::RST.0);
            if ends && policy.teardown_check == TeardownCheck::Nothing {
                self.flows.tracks_between(view.key, place).for_each(|track| *track = Track::default());
            }
        }
    }

    /// Which boxes track as many flows as they can; nothing where none has a bound of its own.
    fn full_boxes(&self, compiled: &Compiled) -> Vec<bool> {
        let is_full = |(place, each): (usize, &compile::CompiledBox)| {
            let policy = &each.policy.flow;
            policy.capacity.is_some_and(|capacity| {
                let is_live = |track: &&Track| !track.is_expired(self.now, policy);
                self.flows.tracks_of(place).filter(is_live).take(capacity).count() >= capacity
            })
        };
        if compiled.boxes.iter().all(|each| each.policy.flow.capacity.is_none()) {
            return Vec::new(); // Which costs nothing.
        }
        compiled.boxes.iter().enumerate().map(is_full).collect()
    }

    /// How long ago midnight was, where the censor is.
    fn time_of_day(&self) -> Duration {
        self.midnight + self.now.saturating_since(Instant::ZERO)
    }

    /// Enters the packet's flow in the table if it begins one that some rule could have to do with.
    fn admit(&mut self, view: &View<'_>, compiled: &Compiled, out: &mut Outbox) {
        let begins = match view.transport {
            Transport::Tcp(_) => compiled.tracks_from_any || view.has_flags(TcpFlags::SYN.0),
            Transport::Udp(_) => true,
            Transport::Error | Transport::Other => false,
        };
        if !begins || !compiled.interest.covers(view.key.protocol, view.key.server_port) {
            return;
        }
        let now = self.now;
        let is_forgotten = |flow: &Flow| {
            let mut tracks = flow.tracks.iter().zip(&compiled.boxes);
            tracks.all(|(track, each)| track.is_expired(now, &each.policy.flow))
        };
        match self.flows.admit(view.key, compiled.boxes.len(), is_forgotten) {
            Admission::Admitted => {}
            Admission::Replaced(oldest) => out.commands.push(Command::Recall(oldest)),
            Admission::Full => {
                self.counters.table_full += 1;
                self.note(view, compiled, EventKind::TableFull, out);
            }
        }
    }

    /// Flows that the kernel passes by itself must come back before a residual can hit them.
    fn recall_covered(&mut self, armed: &[Scope], key: FlowKey, out: &mut Outbox) {
        if armed.is_empty() {
            return;
        }
        let is_covered = |flow: &&FlowKey| armed.iter().any(|scope| scope.covers(flow));
        let covered: Vec<_> = if armed.iter().all(|scope| scope.is_of_client(&key)) {
            let of_protocol = |protocol| self.flows.offloaded_of_client(&FlowKey { protocol, ..key });
            of_protocol(protocol::TCP).chain(of_protocol(protocol::UDP)).filter(is_covered).copied().collect()
        } else {
            self.flows.offloaded().filter(is_covered).copied().collect()
        };
        for flow in covered {
            self.flows.recall(&flow);
            out.commands.push(Command::Recall(flow));
        }
    }

    fn plan_injections(&mut self, injections: Vec<(Instant, Injection)>, out: &mut Outbox) {
        for (at, injection) in injections {
            self.counters.injected += 1;
            self.schedule.inject(at, injection, &self.flows, out);
        }
    }

    /// Leaves the packet's direction of its flow to the kernel.
    fn offload(&mut self, view: &View<'_>, out: &mut Outbox) -> Verdict {
        let compiled = Arc::clone(&self.policy);
        if self.flows.offload(&view.key, view.direction) {
            self.note(view, &compiled, EventKind::Passed, out);
        }
        Verdict::PassAndOffload
    }

    /// Gives the packet its verdict after it has waited here, or plans it.
    fn give(
        &mut self,
        id: PacketId,
        (verdict, wait): (Verdict, Duration),
        flow: Option<(FlowKey, Direction)>,
        out: &mut Outbox,
    ) {
        let counter = match verdict {
            Verdict::Pass | Verdict::PassAndOffload | Verdict::Divert => &mut self.counters.passed,
            Verdict::Replace(_) => &mut self.counters.rewritten,
            Verdict::Drop => &mut self.counters.dropped,
        };
        *counter += 1;
        let delay = if verdict == Verdict::Drop { Duration::ZERO } else { wait + self.delay };
        self.schedule.give(self.now, delay, (id, verdict), flow, (&self.flows, out));
    }

    /// Gives a packet its verdict that may have been held already.
    fn give_held(&mut self, (id, is_held): (PacketId, bool), verdict: (Verdict, Duration), out: &mut Outbox) {
        self.give(id, verdict, None, out);
        if is_held && out.commands.last() == Some(&Command::Hold(id)) {
            out.commands.pop();
        }
    }

    /// An event that no rule caused, in the name of the first box that the packet meets.
    fn note(&self, view: &View<'_>, compiled: &Compiled, kind: EventKind, out: &mut Outbox) {
        let first = (0..compiled.boxes.len()).map(|step| &compiled.boxes[compiled.box_at_step(step, view.direction)]);
        let Some(first) = first.into_iter().find(|each| each.looks_at(view.direction)) else {
            return;
        };
        out.events.push(Event {
            at: self.now,
            censor: first.policy.name.clone(),
            rule: None,
            facts: Vec::new(),
            grade: Grade::default(),
            flow: view.key,
            direction: view.direction,
            kind,
            matched: None,
            bytes: None,
            residual: false,
        });
    }
}
