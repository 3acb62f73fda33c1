//! What was decided in a lab, by whom, in the order it was decided.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use roadblock_censor::Event;
use serde::Serialize;

use crate::capture::Fingerprint;

/// One decision and where it was made.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Recorded {
    /// The hop of the censor or resolver.
    pub hop: Arc<str>,
    /// The decision.
    #[serde(flatten)]
    pub event: Event,
}

/// The lab's log of decisions. Clones are the same log.
#[derive(Clone, Debug, Default)]
pub struct EventLog {
    log: Arc<Mutex<Log>>,
    /// Told of every new decision.
    more: Arc<Condvar>,
}

#[derive(Debug, Default)]
struct Log {
    recorded: Vec<Recorded>,
    /// The packets that decisions were about, by the decision's place, where they are known.
    causes: BTreeMap<usize, Fingerprint>,
}

impl EventLog {
    /// Notes a decision.
    pub fn record(&self, hop: &Arc<str>, event: Event) {
        self.lock().recorded.push(Recorded { hop: Arc::clone(hop), event });
        self.more.notify_all();
    }

    /// Notes decisions about a packet of which at least the beginning is there.
    pub fn record_about(&self, hop: &Arc<str>, events: impl Iterator<Item = Event>, packet: &[u8]) {
        let mut events = events.peekable();
        if events.peek().is_none() {
            return;
        }
        let cause = Fingerprint::of(packet);
        let mut log = self.lock();
        for event in events {
            let place = log.recorded.len();
            log.causes.extend(cause.map(|cause| (place, cause)));
            log.recorded.push(Recorded { hop: Arc::clone(hop), event });
        }
        self.more.notify_all();
    }

    /// All decisions so far.
    pub fn all(&self) -> Vec<Recorded> {
        self.lock().recorded.clone()
    }

    /// How many decisions there are; with [`EventLog::since`] this marks a moment.
    pub fn len(&self) -> usize {
        self.lock().recorded.len()
    }

    /// Whether nothing was decided yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The decisions after a mark that [`EventLog::len`] gave.
    pub fn since(&self, mark: usize) -> Vec<Recorded> {
        self.lock().recorded.get(mark..).unwrap_or_default().to_vec()
    }

    /// The decisions after a mark; waits until there is one, but no longer than this.
    pub fn wait_since(&self, mark: usize, longest: Duration) -> Vec<Recorded> {
        let waited = self.more.wait_timeout_while(self.lock(), longest, |log| log.recorded.len() <= mark);
        let (log, _) = waited.unwrap_or_else(PoisonError::into_inner);
        log.recorded.get(mark..).unwrap_or_default().to_vec()
    }

    /// The decisions about flows of one client address.
    pub fn about(&self, client: IpAddr) -> Vec<Recorded> {
        self.lock().recorded.iter().filter(|each| each.event.flow.client == client).cloned().collect()
    }

    /// All decisions so far, and the packets that they were about, by the decision's place.
    pub(crate) fn with_causes(&self) -> (Vec<Recorded>, BTreeMap<usize, Fingerprint>) {
        let log = self.lock();
        (log.recorded.clone(), log.causes.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
