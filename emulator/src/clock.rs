//! The lab's clock: monotonic time since the lab began, plus an offset that a scenario's `wait` moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use roadblock_censor::Instant;

/// A clock that all parts of a lab share. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct LabClock {
    began: std::time::Instant,
    offset: Arc<AtomicU64>,
}

impl LabClock {
    /// A clock that begins now.
    #[expect(clippy::disallowed_methods, reason = "this file is where a lab's time comes from")]
    pub fn start() -> Self {
        Self { began: std::time::Instant::now(), offset: Arc::default() }
    }

    /// The machine's time.
    pub fn now(&self) -> Instant {
        let elapsed = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Instant::from_nanos(elapsed.saturating_add(self.offset.load(Ordering::Acquire)))
    }

    /// Moves the clock on without waiting. TCP's own timers do not move.
    pub fn advance(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.offset.fetch_add(nanoseconds, Ordering::AcqRel);
    }
}
