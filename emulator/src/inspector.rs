//! Drives one hop's censor: packets from the queue go in, verdicts and injections come out, each in its time.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use roadblock_censor::outbox::Command;
use roadblock_censor::policy::{Grade, Policy};
use roadblock_censor::{
    Censor, Counters, Direction, Event, EventKind, Outbox, Packet, PacketId, PrefixSet, ReadyPolicy, Verdict,
};
use roadblock_scenarios::model::Name;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::clock::LabClock;
use crate::events::EventLog;
use crate::kernel::inject::{Injector, Way};
use crate::kernel::nflog::{Log, Logged};
use crate::kernel::nfqueue::{self, Decision, Queue};
use crate::kernel::nftables::{Change, ChangeError, QueueKind, Table, TableError};
use crate::logged_flow;
use crate::plan::Ruleset;
use crate::plan::ruleset::{FULL, LOG_GROUP, LoggedRule, PASS_MARK, QUEUE};

/// What a hop's inspector is made from.
#[derive(Debug)]
pub struct Setup {
    /// The hop.
    pub hop: Name,
    /// The censor's policy in the first phase.
    pub policy: Policy,
    /// Its seed.
    pub seed: u64,
    /// How long an undecided packet takes from one end of the path to the other.
    pub delay: Duration,
    /// The kernel's part.
    pub ruleset: Ruleset,
    /// The prefixes in the first phase.
    pub elements: BTreeMap<String, PrefixSet>,
    /// How packets are queued here.
    pub queue: QueueKind,
    /// The ways out, for injections.
    pub ways: Vec<Way>,
    /// The index of the interface towards the internet.
    pub up: u32,
    /// The lab's clock.
    pub clock: LabClock,
    /// The lab's log.
    pub events: EventLog,
}

/// Why an inspector could not be started.
#[derive(Debug, thiserror::Error)]
pub enum InspectorError {
    /// Its table was refused.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Its queue could not be opened.
    #[error("failed to open the packet queue: {0}")]
    Queue(#[source] io::Error),
    /// Its log could not be opened.
    #[error("failed to open the packet log: {0}")]
    Log(#[source] io::Error),
    /// Its packet socket could not be opened.
    #[error("failed to open a packet socket: {0}")]
    Socket(#[source] io::Error),
}

/// A policy as an inspector takes it on, worked out beforehand.
#[derive(Debug)]
pub struct NewPolicy {
    ready: ReadyPolicy,
    explanations: Explanations,
    /// What the kernel's rules are called that log; `None` where they stay.
    logged: Option<BTreeMap<String, LoggedRule>>,
}

impl NewPolicy {
    /// Works out what can be. Takes time where lists are long.
    pub fn new(policy: Policy) -> Self {
        Self { explanations: explanations(&policy), ready: ReadyPolicy::new(policy), logged: None }
    }

    /// With a ruleset of its own.
    #[must_use]
    pub fn with_ruleset(mut self, ruleset: &Ruleset) -> Self {
        self.logged = Some(ruleset.logged.clone());
        self
    }
}

#[derive(Debug)]
enum Order {
    Hold(mpsc::Sender<()>),
    ChangeTable(Arc<Change>, mpsc::Sender<Result<(), ChangeError>>),
    RevertTable(Arc<Change>, mpsc::Sender<Result<(), TableError>>),
    Settle(Arc<Change>, mpsc::Sender<Result<(), TableError>>),
    Adopt(Box<NewPolicy>, mpsc::Sender<ReadyPolicy>),
    Release,
    ClockMoved(mpsc::Sender<()>),
    Lost(mpsc::Sender<io::Result<u64>>),
    Counters(mpsc::Sender<Counters>),
}

/// What an inspector has counted.
#[derive(Debug, Default)]
pub struct Counts {
    /// Flows that could not be noted as passed because the kernel's set was full.
    pub offload_full: AtomicU64,
    /// Injections that could not be sent.
    pub injections_failed: AtomicU64,
}

/// The handle of a running inspector.
#[derive(Clone, Debug)]
pub struct Inspector {
    hop: Name,
    orders: UnboundedSender<Order>,
    counts: Arc<Counts>,
}

impl Inspector {
    /// Starts an inspector on the current runtime, in the hop's namespace. Whatever ends it is told to `failed`.
    pub fn start(setup: Setup, failed: impl FnOnce(io::Error) + Send + 'static) -> Result<Self, InspectorError> {
        let (orders, inbox) = unbounded_channel();
        let counts = Arc::new(Counts::default());
        let hop = Name::clone(&setup.hop);
        let mut driver = Driver::open(setup, Arc::clone(&counts))?;
        tokio::spawn(async move {
            if let Err(cause) = driver.drive(inbox).await {
                failed(cause);
            }
        });
        Ok(Self { hop, orders, counts })
    }

    /// The hop.
    pub fn hop(&self) -> &Name {
        &self.hop
    }

    /// What it has counted.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Lets no packet through that waits for it, until what this gives is dropped. It still does what is asked of it.
    pub fn hold(&self) -> io::Result<Held<'_>> {
        self.ask(Order::Hold)?;
        Ok(Held(self))
    }

    /// Changes what the kernel blocks by itself.
    pub fn change_table(&self, change: &Arc<Change>) -> io::Result<Result<(), ChangeError>> {
        self.ask(|tell| Order::ChangeTable(Arc::clone(change), tell))
    }

    /// Takes such a change back.
    pub fn revert_table(&self, change: &Arc<Change>) -> io::Result<Result<(), TableError>> {
        self.ask(|tell| Order::RevertTable(Arc::clone(change), tell))
    }

    /// Does what is left of such a change that stays.
    pub fn settle_table(&self, change: &Arc<Change>) -> io::Result<Result<(), TableError>> {
        self.ask(|tell| Order::Settle(Arc::clone(change), tell))
    }

    /// Judges the next packet by another policy; gives back the one that was in force.
    pub fn adopt(&self, policy: NewPolicy) -> io::Result<ReadyPolicy> {
        self.ask(|tell| Order::Adopt(Box::new(policy), tell))
    }

    /// Lets the censor do what is due now that the clock has moved.
    pub fn clock_moved(&self) -> io::Result<()> {
        self.ask(Order::ClockMoved)
    }

    /// How many packets its queue has lost.
    pub fn lost(&self) -> io::Result<u64> {
        self.ask(Order::Lost)?
    }

    /// What its machine has done and keeps.
    pub fn counters(&self) -> io::Result<Counters> {
        self.ask(Order::Counters)
    }

    fn ask<T>(&self, order: impl FnOnce(mpsc::Sender<T>) -> Order) -> io::Result<T> {
        let (tell, told) = mpsc::channel();
        let gone = || io::Error::other(format!("the inspector at {} has ended", self.hop));
        self.orders.send(order(tell)).map_err(|_| gone())?;
        told.recv().map_err(|_| gone())
    }
}

/// While this lives, packets wait.
#[derive(Debug)]
pub struct Held<'a>(&'a Inspector);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // One that has ended holds nothing, and is among the problems.
        let _ = self.0.orders.send(Order::Release);
    }
}

/// What explains a rule of the kernel's.
type Explanations = BTreeMap<(Name, Name), (Vec<Name>, Grade)>;

struct Driver {
    hop: Name,
    censor: Censor,
    table: Table,
    queue: Queue,
    log: Log,
    injector: Injector,
    ruleset: Ruleset,
    explanations: Explanations,
    up: u32,
    clock: LabClock,
    events: EventLog,
    counts: Arc<Counts>,
    outbox: Outbox,
    /// Whether packets wait until a change is over.
    is_held: bool,
}

impl Driver {
    fn open(setup: Setup, counts: Arc<Counts>) -> Result<Self, InspectorError> {
        let Setup { hop, policy, seed, delay, ruleset, elements, queue, ways, up, clock, events } = setup;
        // The queue is opened before the rules that fill it: without a listener packets would be dropped.
        let listener = Queue::open(QUEUE).map_err(InspectorError::Queue)?;
        let log = Log::open(LOG_GROUP).map_err(InspectorError::Log)?;
        let injector = Injector::open(ways).map_err(InspectorError::Socket)?;
        let table = Table::load(&ruleset, &elements, queue)?;
        let explanations = explanations(&policy);
        let censor = Censor::new(policy, seed).with_delay(delay);
        let outbox = Outbox::default();
        Ok(Self {
            hop,
            censor,
            table,
            queue: listener,
            log,
            injector,
            ruleset,
            explanations,
            up,
            clock,
            events,
            counts,
            outbox,
            is_held: false,
        })
    }

    async fn drive(&mut self, mut inbox: UnboundedReceiver<Order>) -> io::Result<()> {
        loop {
            let due = self.censor.poll_at().map(|at| at.saturating_since(self.clock.now()));
            tokio::select! {
                biased;
                order = inbox.recv() => match order {
                    Some(Order::Hold(tell)) => {
                        let _ = tell.send(());
                        self.stand_still(&mut inbox).await?;
                    }
                    Some(order) => self.obey(order)?,
                    None => return Ok(()),
                },
                ready = self.queue.readable() => {
                    ready?;
                    self.inspect()?;
                }
                ready = self.log.readable() => {
                    ready?;
                    self.read_log()?;
                }
                () = sleep(due) => {}
            }
            self.poll()?;
        }
    }

    /// Takes no packet until it is released.
    async fn stand_still(&mut self, inbox: &mut UnboundedReceiver<Order>) -> io::Result<()> {
        self.is_held = true;
        while let Some(order) = inbox.recv().await {
            if matches!(order, Order::Release) {
                break;
            }
            self.obey(order)?;
        }
        self.is_held = false;
        Ok(())
    }

    fn obey(&mut self, order: Order) -> io::Result<()> {
        match order {
            // Held it is already, and by one at a time.
            Order::Hold(tell) => {
                let _ = tell.send(());
            }
            Order::Release => {}
            Order::ChangeTable(change, tell) => {
                // What the kernel has decided so far was decided by what it had so far.
                self.read_log()?;
                let _ = tell.send(self.table.apply(&change));
            }
            Order::RevertTable(change, tell) => {
                let _ = tell.send(self.table.revert(&change));
            }
            Order::Settle(change, tell) => {
                let _ = tell.send(self.table.settle(&change));
            }
            Order::Adopt(policy, tell) => {
                let NewPolicy { ready, explanations, logged } = *policy;
                self.explanations = explanations;
                if let Some(logged) = logged {
                    self.ruleset.logged = logged;
                }
                let old = self.censor.enter(ready, self.clock.now(), &mut self.outbox);
                self.act()?;
                let _ = tell.send(old);
            }
            Order::ClockMoved(tell) => {
                self.poll()?;
                let _ = tell.send(());
            }
            Order::Lost(tell) => {
                let _ = tell.send(nfqueue::lost(QUEUE));
            }
            Order::Counters(tell) => {
                // What was queued before the question is counted in the answer.
                while !self.is_held && self.inspect()? > 0 {}
                self.read_log()?;
                let _ = tell.send(self.censor.counters());
            }
        }
        Ok(())
    }

    /// Takes a batch from the queue, then sends all its verdicts at once.
    fn inspect(&mut self) -> io::Result<usize> {
        let now = self.clock.now();
        let Self { queue, censor, outbox, up, events, hop, .. } = self;
        let taken = queue.take(|queued| {
            let direction = if queued.interface == *up { Direction::Inbound } else { Direction::Outbound };
            censor.inspect(now, Packet { id: PacketId(queued.id), direction, bytes: queued.bytes }, outbox);
            events.record_about(hop, outbox.events.drain(..), queued.bytes);
        })?;
        self.act()?;
        Ok(taken)
    }

    fn poll(&mut self) -> io::Result<()> {
        let now = self.clock.now();
        if self.censor.poll_at().is_some_and(|at| at <= now) {
            self.censor.poll(now, &mut self.outbox);
            self.act()?;
        }
        Ok(())
    }

    /// Does what the machine said, in its order. Events come first: whoever sees a consequence finds its cause.
    fn act(&mut self) -> io::Result<()> {
        for event in self.outbox.events.drain(..) {
            self.events.record(&self.hop, event);
        }
        let commands = std::mem::take(&mut self.outbox.commands);
        for command in &commands {
            match command {
                Command::Verdict(PacketId(id), verdict) => self.queue.decide(*id, decision(verdict)),
                // Nothing here probes; that a server is suspected is an event.
                Command::Hold(_) | Command::Suspect(_) => {}
                Command::Inject(injection) => {
                    self.queue.flush()?;
                    if self.injector.send(&injection.bytes).is_err() {
                        self.counts.injections_failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Command::Recall(flow) => {
                    self.queue.flush()?;
                    self.table.recall(flow).map_err(io::Error::other)?;
                }
                Command::RecallAll => {
                    self.queue.flush()?;
                    self.table.recall_all().map_err(io::Error::other)?;
                }
            }
        }
        // The memory of the list is used again.
        self.outbox.commands = commands;
        self.outbox.commands.clear();
        self.queue.flush()
    }

    fn read_log(&mut self) -> io::Result<()> {
        let now = self.clock.now();
        let Self { log, ruleset, explanations, events, hop, up, counts, .. } = self;
        log.take(|logged| {
            if logged.prefix == FULL {
                counts.offload_full.fetch_add(1, Ordering::Relaxed);
                return;
            }
            let direction = if logged.interface == *up { Direction::Inbound } else { Direction::Outbound };
            if let Some(event) = kernel_event(&logged, direction, ruleset, explanations) {
                events.record_about(hop, std::iter::once(Event { at: now, ..event }), logged.bytes);
            }
        })
    }
}

async fn sleep(due: Option<Duration>) {
    match due {
        Some(due) => tokio::time::sleep(due).await,
        None => std::future::pending().await,
    }
}

fn decision(verdict: &Verdict) -> Decision<'_> {
    match verdict {
        // Nothing here intercepts.
        Verdict::Pass | Verdict::Divert => Decision::Accept,
        Verdict::PassAndOffload => Decision::AcceptMarked(PASS_MARK),
        Verdict::Drop => Decision::Drop,
        Verdict::Replace(bytes) => Decision::Replace(bytes),
    }
}

fn explanations(policy: &Policy) -> Explanations {
    let rules = policy.boxes.iter().flat_map(|each| each.rules.iter().map(move |rule| (&each.name, rule)));
    rules
        .map(|(censor, rule)| ((Name::clone(censor), Name::clone(&rule.id)), (rule.facts.clone(), rule.grade)))
        .collect()
}

/// The event of a packet that the kernel decided about.
fn kernel_event(
    logged: &Logged<'_>,
    direction: Direction,
    ruleset: &Ruleset,
    explanations: &Explanations,
) -> Option<Event> {
    let rule = ruleset.logged.get(logged.prefix)?;
    let flow = logged_flow::of(logged.bytes, direction)?;
    let key = (Name::clone(&rule.censor), Name::clone(&rule.rule));
    let (facts, grade) = explanations.get(&key).cloned().unwrap_or_default();
    Some(Event {
        at: roadblock_censor::Instant::ZERO,
        censor: key.0,
        rule: Some(key.1),
        facts,
        grade,
        flow,
        direction,
        kind: if rule.rejected { EventKind::Rejected } else { EventKind::Dropped },
        matched: Some(format!("address {}", flow.server)),
        bytes: None,
        residual: false,
    })
}
