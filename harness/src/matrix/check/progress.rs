//! Watching something that moves bytes: it ends, it stands still, or it takes so long that its speed is known.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::probes::Failure;

/// How something that was watched ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Ended {
    /// It is done.
    Whole,
    /// It still moved when it was given up.
    Moving,
    /// Nothing moved any more.
    Stands,
    /// It broke off.
    Failed(Failure),
}

/// How long things are watched.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// How long nothing may move.
    stall: Duration,
    /// After so long something that still moves is slow, and one knows how slow.
    long_enough: Duration,
}

/// Does the work while the count goes up, for so long at most.
pub(super) async fn watched(count: &Arc<AtomicU64>, work: impl Future<Output = Result<(), Failure>>) -> Ended {
    at_pace(count, work, PACE).await
}

async fn at_pace(count: &Arc<AtomicU64>, work: impl Future<Output = Result<(), Failure>>, pace: Pace) -> Ended {
    let began = Instant::now();
    let (mut seen, mut changed) = (count.load(Ordering::Relaxed), began);
    tokio::pin!(work);
    loop {
        if let Ok(ended) = timeout(LOOK, &mut work).await {
            return ended.map_or_else(Ended::Failed, |()| Ended::Whole);
        }
        let now = count.load(Ordering::Relaxed);
        if now > seen {
            (seen, changed) = (now, Instant::now());
        }
        if changed.elapsed() >= pace.stall {
            return Ended::Stands;
        }
        // What has not moved for a while may stand still, and is not called slow before that is known.
        if began.elapsed() >= pace.long_enough && changed.elapsed() < pace.stall / 4 {
            return Ended::Moving;
        }
    }
}

/// A rate, in kilobits a second.
pub(super) fn rate(bytes: u64, took: Duration) -> u64 {
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    bytes.saturating_mul(8) / milliseconds
}

const LOOK: Duration = Duration::from_millis(50);
/// Nothing may move for longer than TCP's second retransmission takes, which comes after 0.6 s where the round trip is short.
const PACE: Pace = Pace { stall: Duration::from_secs(3), long_enough: Duration::from_secs(6) };

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_moves_stands_still_or_ends_is_told_apart() {
        let pace = Pace { stall: Duration::from_millis(600), long_enough: Duration::from_millis(900) };
        let count = Arc::new(AtomicU64::new(0));
        let moving = async {
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                count.fetch_add(1, Ordering::Relaxed);
            }
        };
        assert_eq!(at_pace(&count, moving, pace).await, Ended::Moving);
        let standing = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            count.fetch_add(1, Ordering::Relaxed);
            std::future::pending().await
        };
        assert_eq!(at_pace(&count, standing, pace).await, Ended::Stands);
        assert_eq!(at_pace(&count, async { Ok(()) }, pace).await, Ended::Whole);
        assert_eq!(at_pace(&count, async { Err(Failure::Eof) }, pace).await, Ended::Failed(Failure::Eof));
        assert_eq!(rate(262_144, Duration::from_secs(1)), 2097);
    }
}
