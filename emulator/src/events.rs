//! What was decided in a lab, by whom, in the order it was decided.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use roadblock_censor::Event;
use serde::Serialize;

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
    recorded: Arc<Mutex<Vec<Recorded>>>,
}

impl EventLog {
    /// Notes a decision.
    pub fn record(&self, hop: &Arc<str>, event: Event) {
        self.lock().push(Recorded { hop: Arc::clone(hop), event });
    }

    /// All decisions so far.
    pub fn all(&self) -> Vec<Recorded> {
        self.lock().clone()
    }

    /// How many decisions there are; with [`EventLog::since`] this marks a moment.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether nothing was decided yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The decisions after a mark that [`EventLog::len`] gave.
    pub fn since(&self, mark: usize) -> Vec<Recorded> {
        self.lock().get(mark..).unwrap_or_default().to_vec()
    }

    /// The decisions about flows of one client address.
    pub fn about(&self, client: IpAddr) -> Vec<Recorded> {
        self.lock().iter().filter(|each| each.event.flow.client == client).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Recorded>> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
