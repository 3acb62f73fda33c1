//! Giving up early what cannot come any more.
//!
//! A time-out takes seconds, and the lab knows sooner what it will end like: it was the lab that dropped the packet. So a
//! layer is given up when a rule has dropped its packets, or rewritten what came back for them, as often as the client
//! sends them within most of its time: a SYN and STUN twice, what is sent on a connection three times (at 0, 0.2
//! and 0.6 s), a datagram that nobody repeats once. What was lost by chance or above a rate, which may come through when
//! it is repeated, does not count. The verdict is the one that the whole time would have given.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use roadblock_censor::EventKind;
use roadblock_emulator::events::EventLog;
use roadblock_emulator::lab::Client;
use tokio::time::sleep;

use super::trace::{Operation, Place};

tokio::task_local! {
    static WITNESS: Witness;
}

/// Who sees what becomes of a client's packets.
#[derive(Debug)]
pub(crate) struct Witness {
    log: EventLog,
    client: Client,
    seen: Mutex<Seen>,
}

/// What was seen so far.
#[derive(Debug)]
struct Seen {
    /// How much of the log was read.
    read: usize,
    /// How many packets of a connection were dropped or rewritten: by its server and the client's port.
    dropped: HashMap<(SocketAddr, u16), u32>,
}

impl Witness {
    /// One for a client whose measurement begins now.
    pub(crate) fn new(log: &EventLog, client: &Client) -> Self {
        let seen = Seen { read: log.len(), dropped: HashMap::new() };
        Self { log: log.clone(), client: client.clone(), seen: Mutex::new(seen) }
    }

    /// Does a measurement's work before its eyes.
    pub(crate) async fn watch<T>(self, work: impl Future<Output = T>) -> T {
        WITNESS.scope(self, work).await
    }

    fn dropped(&self, place: Place) -> u32 {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let new = self.log.since(seen.read);
        seen.read += new.len();
        for event in new.into_iter().map(|recorded| recorded.event) {
            let Some(flow) = self.client.own_flow(&event.flow) else { continue };
            if matches!(event.kind, EventKind::Dropped | EventKind::Rewritten) {
                let server = SocketAddr::new(flow.server, flow.server_port);
                *seen.dropped.entry((server, flow.client_port)).or_default() += 1;
            }
        }
        seen.dropped.get(&(place.remote, place.local_port)).copied().unwrap_or_default()
    }
}

/// Ends when a layer that begins now can be given up; never where nobody watches. What was dropped before counts for the
/// layer before, so this is to be called before the layer sends anything.
pub(crate) fn hopeless(place: Place) -> impl Future<Output = ()> {
    let dropped = move || WITNESS.try_with(|witness| witness.dropped(place)).ok();
    let limit = enough(place.operation).zip(dropped()).map(|(enough, before)| before + enough);
    async move {
        let Some(limit) = limit else { return std::future::pending().await };
        while dropped().is_none_or(|now| now < limit) {
            sleep(LOOK).await;
        }
        // Somebody who drops a question may be about to answer it.
        sleep(GRACE).await;
    }
}

/// How many drops are enough; `None` where packets are many and some may be lost.
fn enough(operation: Operation) -> Option<u32> {
    match operation {
        Operation::Resolve | Operation::Ping | Operation::TunnelHandshake | Operation::Datagram => Some(1),
        Operation::Connect | Operation::StunBinding | Operation::QuicHandshake => Some(2),
        Operation::TlsHandshake
        | Operation::HttpRoundTrip
        | Operation::QuicRoundTrip
        | Operation::WebSocket
        | Operation::ChatHandshake
        | Operation::Message
        | Operation::Payload => Some(3),
        Operation::Transfer | Operation::Sound | Operation::TunnelPacket | Operation::Datagrams => None,
    }
}

const LOOK: Duration = Duration::from_millis(25);
const GRACE: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use roadblock_emulator::events::Recorded;
    use tokio::time::{Instant, timeout};

    use super::*;
    use crate::run::testing::{client, event, flow};

    fn place(operation: Operation, local_port: u16) -> Place {
        Place { operation, remote: (flow(local_port).server, flow(local_port).server_port).into(), local_port }
    }

    /// Whether a connection from this port is given up within a second when these events come.
    async fn given_up(operation: Operation, events: Vec<Recorded>) -> bool {
        let log = EventLog::default();
        let hop = Arc::from("tspu");
        let witness = Witness::new(&log, &client());
        let writer = async {
            sleep(Duration::from_millis(20)).await;
            for Recorded { event, .. } in events {
                log.record(&hop, event);
            }
        };
        let place = place(operation, 40000);
        let watched = witness.watch(async { timeout(Duration::from_secs(1), hopeless(place)).await });
        tokio::join!(watched, writer).0.is_ok()
    }

    fn dropped(port: u16) -> Recorded {
        event(flow(port), "ip-drop")
    }

    fn of_kind(kind: EventKind) -> Recorded {
        let Recorded { hop, event } = dropped(40000);
        Recorded { hop, event: roadblock_censor::Event { kind, ..event } }
    }

    #[tokio::test]
    async fn a_connection_is_given_up_when_its_repeated_syn_was_dropped_too() {
        assert!(given_up(Operation::Connect, vec![dropped(40000), dropped(40000)]).await);
        assert!(!given_up(Operation::Connect, vec![dropped(40000)]).await);
        assert!(!given_up(Operation::Connect, vec![dropped(40000), dropped(40001)]).await);
        assert!(!given_up(Operation::TlsHandshake, vec![dropped(40000), dropped(40000)]).await);
        let rewritten = || of_kind(EventKind::Rewritten);
        assert!(given_up(Operation::Connect, vec![rewritten(), rewritten()]).await);
    }

    #[tokio::test]
    async fn what_is_lost_by_chance_is_not_given_up() {
        assert!(given_up(Operation::TunnelHandshake, vec![dropped(40000)]).await);
        assert!(!given_up(Operation::StunBinding, vec![dropped(40000)]).await);
        let others = vec![of_kind(EventKind::Policed), of_kind(EventKind::Triggered)];
        assert!(!given_up(Operation::TunnelHandshake, others).await);
        assert!(!given_up(Operation::Transfer, vec![dropped(40000); 9]).await);
    }

    #[tokio::test]
    async fn where_nobody_watches_nothing_is_given_up() {
        let began = Instant::now();
        let waited = timeout(Duration::from_millis(100), hopeless(place(Operation::Connect, 1))).await;
        assert!(waited.is_err() && began.elapsed() >= Duration::from_millis(100));
    }
}
