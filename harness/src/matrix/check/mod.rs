//! The default check: what a user of a tool feels.
//!
//! Bytes each way, new connections, a page, a name, and one connection that is kept up. With a tool that has a server abroad,
//! the bytes come from and go to a host of the lab that exists for checks ([`super::check_host`]): what a censor could know of
//! it, the tool hides. A tool without one changes how a client speaks to the sites themselves, so all goes to the site that is
//! blocked.

mod connections;
mod download;
mod long_flow;
mod lookup;
mod page;
mod progress;
mod proxy;
mod session;
mod upload;
mod way;
mod wire;

use std::time::Duration;

use roadblock_emulator::events::{EventLog, Recorded};
use roadblock_emulator::lab::Client;
use tokio::time::Instant;

use super::document::{Part, PartEnd};
use super::target::Target;
use crate::probes::Failure;

pub(super) use way::Way;

/// What a part of the check gave.
#[derive(Clone, Debug)]
pub(super) struct PartResult {
    /// Which.
    pub(super) part: Part,
    /// How it ended.
    pub(super) end: PartEnd,
    /// How much there was to do.
    pub(super) of: u64,
    /// How much was done.
    pub(super) done: u64,
    /// How fast a transfer was.
    pub(super) kilobits_per_second: Option<u64>,
    /// How it failed.
    pub(super) failure: Option<Failure>,
    /// What a person would want to know.
    pub(super) how: Option<String>,
    /// The decisions about the client's flows while it was made.
    pub(super) events: Vec<Recorded>,
    /// How long it took.
    pub(super) took: Duration,
}

impl PartResult {
    /// One that ended like this, before anything else is known.
    pub(super) fn new(part: Part, end: PartEnd) -> Self {
        Self {
            part,
            end,
            of: 1,
            done: u64::from(end == PartEnd::Whole),
            kilobits_per_second: None,
            failure: None,
            how: None,
            events: Vec::new(),
            took: Duration::ZERO,
        }
    }

    /// One of which so much was done.
    fn counted(part: Part, end: PartEnd, done: u64, of: u64) -> Self {
        Self { of, done, ..Self::new(part, end) }
    }

    /// The same, with why it failed.
    fn because(self, fault: Fault) -> Self {
        Self { failure: fault.failure, how: self.how.or(fault.how), ..self }
    }
}

/// Why something did not get through.
#[derive(Clone, Debug)]
struct Fault {
    /// Whether the far end was reached before.
    reached: bool,
    /// In OONI's words; a wrong address and a wrong page are no failure.
    failure: Option<Failure>,
    /// What else a person would want to know.
    how: Option<String>,
}

impl Fault {
    /// Before anybody was reached.
    fn before(failure: Failure) -> Self {
        Self { reached: false, failure: Some(failure), how: None }
    }

    /// After the far end was reached.
    fn after(failure: Failure) -> Self {
        Self { reached: true, failure: Some(failure), how: None }
    }

    /// How a part ended of which nothing was done.
    fn end(&self) -> PartEnd {
        if self.reached { PartEnd::HandshakeOnly } else { PartEnd::Nothing }
    }
}

/// The check of one cell.
#[derive(Clone, Debug)]
pub(super) struct DefaultCheck {
    /// How traffic gets into the tool.
    pub(super) way: Way,
    /// Whether the tool has a server abroad, so that what comes is from it.
    pub(super) has_server: bool,
    /// The host that bytes go to and come from.
    pub(super) bulk_host: String,
    /// The page, and the name that is looked up.
    pub(super) target: Target,
    /// All decisions of the lab.
    pub(super) events: EventLog,
    /// Who measures.
    pub(super) client: Client,
}

impl DefaultCheck {
    /// Makes all parts, in an order in which what a part meets is not the doing of a part that matters less. Must run on the
    /// runtime of the vantage.
    pub(super) async fn run(self) -> Vec<PartResult> {
        let mut parts = Vec::new();
        parts.push(self.on_the_wire(self.observe(download::download(&self))).await);
        parts.push(self.on_the_wire(self.observe(page::page(&self))).await);
        if parts.iter().all(|part| part.done == 0) {
            // Each of the others would wait as long for the same nothing.
            let rest = [Part::Upload, Part::Connections, Part::Dns, Part::LongFlow];
            parts.extend(rest.map(|part| PartResult::new(part, PartEnd::NotMade)));
            return parts;
        }
        parts.push(self.observe(upload::upload(&self)).await);
        parts.push(self.observe(connections::connections(&self)).await);
        parts.push(self.observe(lookup::lookup(&self)).await);
        parts.push(self.observe(long_flow::long_flow(&self)).await);
        parts
    }

    /// Looks at the wire while a part is made. What comes from a tool's server before nothing gets through shows that it was
    /// reached, although a proxy does not say so.
    async fn on_the_wire(&self, part: impl Future<Output = PartResult>) -> PartResult {
        let before = wire::received();
        let result = part.await;
        let came = wire::received().zip(before).map_or(0, |(now, before)| now.saturating_sub(before));
        if self.has_server && result.end == PartEnd::Nothing && came >= ANSWERED {
            return PartResult { end: PartEnd::HandshakeOnly, ..result };
        }
        result
    }

    /// Makes a part and gathers what was decided meanwhile.
    async fn observe(&self, part: impl Future<Output = PartResult>) -> PartResult {
        let (began, mark) = (Instant::now(), self.events.len());
        let result = Box::pin(part).await;
        let took = began.elapsed();
        let failed = result.end != PartEnd::Whole;
        let events = gather(&self.events, mark, &self.client, failed).await;
        PartResult { events, took, ..result }
    }
}

/// The decisions about a client's flows since a mark. After a failure those are waited for that are still on their way: the
/// kernel reports what it drops itself a moment later than it is missed.
pub(super) async fn gather(log: &EventLog, mark: usize, client: &Client, failed: bool) -> Vec<Recorded> {
    let about_client = || -> Vec<Recorded> {
        let own = |recorded: &Recorded| client.own_flow(&recorded.event.flow).is_some();
        log.since(mark).into_iter().filter(own).collect()
    };
    let until = Instant::now() + LATE_EVENTS;
    loop {
        let events = about_client();
        if !failed || events.iter().any(|each| each.event.is_interference()) || Instant::now() >= until {
            return events;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// More than a few bare segments and a datagram of DNS: a server's part of a handshake.
const ANSWERED: u64 = 1024;
const LATE_EVENTS: Duration = Duration::from_millis(250);
const LOOK_AGAIN: Duration = Duration::from_millis(10);
