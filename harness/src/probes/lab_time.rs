//! Waiting in the lab's time.
//!
//! A wait does not pass: when everybody who measures is waiting, the lab's clock is moved to the moment for which the
//! first of them waits, and not a moment further. So whoever waits goes on at exactly the moment that it asked for,
//! whoever else waits beside it, and nobody sees the clock jump in the middle of a measurement. Where others are still
//! measuring, the clock goes on by itself and wakes whoever is due.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use roadblock_censor::Instant;
use roadblock_emulator::clock::LabClock;
use tokio::sync::{Notify, oneshot};

/// The lab's clock, and all who measure by it. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct LabTime {
    clock: LabClock,
    company: Arc<Mutex<Company>>,
    /// Somebody began to wait, or measures no more.
    changed: Arc<Notify>,
    /// The clock was moved.
    moved: Arc<Notify>,
}

/// Who measures and who waits.
#[derive(Debug, Default)]
struct Company {
    measuring: usize,
    waiting: BTreeMap<(Instant, u64), oneshot::Sender<()>>,
    last: u64,
}

/// One that measures; until it is dropped, or waits, the clock is not moved.
#[derive(Debug)]
pub(crate) struct Measuring(LabTime);

impl LabTime {
    /// Nobody measures by this clock yet.
    pub(crate) fn new(clock: LabClock) -> Self {
        Self { clock, company: Arc::default(), changed: Arc::default(), moved: Arc::default() }
    }

    /// The time.
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// One more that measures.
    pub(crate) fn join(&self) -> Measuring {
        self.company().measuring += 1;
        Measuring(self.clone())
    }

    /// Waits. To be called for one of those who measure, who is none for so long.
    pub(crate) async fn sleep_until(&self, due: Instant) {
        if due <= self.now() {
            return;
        }
        let (key, mut woken) = self.lie_down(due);
        loop {
            let moved = self.moved.notified();
            let left = due.saturating_since(self.now());
            tokio::select! {
                // The sender is dropped only with all of this.
                _ = &mut woken => return,
                () = tokio::time::sleep(left) => return self.get_up(key),
                // The clock was moved for others: less is left.
                () = moved => {}
            }
        }
    }

    /// The moment for which the first waits, once nobody measures and somebody waits.
    pub(crate) async fn all_wait(&self) -> Instant {
        loop {
            let changed = self.changed.notified();
            if let Some(due) = self.first_due() {
                return due;
            }
            changed.await;
        }
    }

    /// Wakes all who are due; each of them measures again from here on.
    pub(crate) fn wake(&self) {
        let now = self.now();
        let mut company = self.company();
        while let Some(first) = company.waiting.first_entry().filter(|first| first.key().0 <= now) {
            let sender = first.remove();
            if sender.send(()).is_ok() {
                company.measuring += 1;
            }
        }
        drop(company);
        self.moved.notify_waiters();
    }

    fn first_due(&self) -> Option<Instant> {
        let company = self.company();
        company.waiting.first_key_value().filter(|_| company.measuring == 0).map(|((due, _), _)| *due)
    }

    fn lie_down(&self, due: Instant) -> ((Instant, u64), oneshot::Receiver<()>) {
        let (sender, woken) = oneshot::channel();
        let mut company = self.company();
        company.last += 1;
        company.measuring = company.measuring.saturating_sub(1);
        let key = (due, company.last);
        company.waiting.insert(key, sender);
        drop(company);
        self.changed.notify_waiters();
        (key, woken)
    }

    /// One that woke by itself measures again, unless it was woken at the same moment.
    fn get_up(&self, key: (Instant, u64)) {
        let mut company = self.company();
        if company.waiting.remove(&key).is_some() {
            company.measuring += 1;
        }
    }

    fn company(&self) -> MutexGuard<'_, Company> {
        self.company.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Measuring {
    fn drop(&mut self) {
        let mut company = self.0.company();
        company.measuring = company.measuring.saturating_sub(1);
        drop(company);
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
impl LabTime {
    /// A clock that whoever uses it moves by itself: a lab without censors.
    pub(crate) fn alone() -> Self {
        let time = Self::new(LabClock::start());
        let driver = time.clone();
        tokio::spawn(async move {
            loop {
                let due = driver.all_wait().await;
                driver.clock.advance(due.saturating_since(driver.now()));
                driver.wake();
            }
        });
        time
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn each_goes_on_at_its_own_moment_and_none_of_it_passes() {
        let began = tokio::time::Instant::now();
        let time = LabTime::alone();
        let job = |wait: u64| {
            let time = time.clone();
            let measuring = time.join();
            async move {
                let due = time.now() + Duration::from_secs(wait);
                time.sleep_until(due).await;
                let late = time.now().saturating_since(due);
                drop(measuring);
                late
            }
        };
        let (first, second, third) = tokio::join!(job(76), job(10), job(3_600));
        for late in [first, second, third] {
            assert!(late < Duration::from_secs(1), "{late:?}");
        }
        assert!(began.elapsed() < Duration::from_secs(2));
    }

    #[tokio::test]
    async fn the_clock_is_not_moved_while_somebody_measures() {
        let time = LabTime::alone();
        let measuring = time.join();
        let sleeper = time.clone();
        let other = time.join();
        let sleeping = tokio::spawn(async move {
            sleeper.sleep_until(sleeper.now() + Duration::from_secs(60)).await;
            drop(other);
        });
        let before = time.now();
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert!(time.now().saturating_since(before) < Duration::from_secs(1));
        assert!(!sleeping.is_finished());
        drop(measuring);
        sleeping.await.expect("it wakes");
        assert!(time.now().saturating_since(before) >= Duration::from_secs(60));
    }

    #[tokio::test]
    async fn who_is_due_while_others_measure_is_woken_by_the_clock_itself() {
        let time = LabTime::alone();
        let (_measuring, _other) = (time.join(), time.join());
        let before = time.now();
        time.sleep_until(before + Duration::from_millis(20)).await;
        assert!(time.now().saturating_since(before) >= Duration::from_millis(20));
    }

    /// The clock is moved to the first; the other is due a moment later, while the first measures.
    #[tokio::test]
    async fn who_is_due_a_little_later_does_not_wait_for_the_first() {
        let time = LabTime::alone();
        let due = time.now() + Duration::from_secs(60);
        let (first, second) = (time.join(), time.join());
        let measuring = async {
            time.sleep_until(due).await;
            tokio::time::sleep(Duration::from_millis(400)).await;
            drop(first);
        };
        let later = async {
            time.sleep_until(due + Duration::from_millis(2)).await;
            let late = time.now().saturating_since(due);
            drop(second);
            late
        };
        let ((), late) = tokio::join!(measuring, later);
        assert!(late < Duration::from_millis(300), "{late:?}");
    }
}
