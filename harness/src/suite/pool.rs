//! Many labs side by side.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use roadblock_emulator::lab::LabOptions;
use tokio::time::Instant;

use super::event::{Event, Outcome};
use super::unit::Unit;
use super::unsupported::{NotPlayed, Unsupported};
use crate::run::{Limits, RunError, play_one};

/// How units are played.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    /// How many labs there are at a time.
    pub(crate) labs: usize,
    /// What all chance comes from.
    pub(crate) seed: u64,
    /// How long a unit may take, in real time.
    pub(crate) timeout: Duration,
    /// How often a unit that does not go as expected is tried again.
    pub(crate) retries: u32,
    /// Whether the first unit that does not go as expected is the last that is begun.
    pub(crate) fail_fast: bool,
    /// What becomes of what this machine cannot play.
    pub(crate) unsupported: Unsupported,
}

impl Pool {
    /// As many labs as this machine plays without being so busy that it looks like a censor: a lab mostly waits.
    pub(crate) fn usual_number_of_labs() -> usize {
        std::thread::available_parallelism().map_or(1, NonZero::get) * LABS_PER_PROCESSOR
    }

    fn is_failure(self, outcome: &Outcome) -> bool {
        let is_passed_over = outcome.is_unsupported() && self.unsupported == Unsupported::Skip;
        !outcome.is_as_expected() && !is_passed_over
    }
}

impl NotPlayed {
    /// Where there is advice about the machine, the machine is what is wrong.
    fn because_of(error: &RunError) -> Self {
        match error.advice() {
            Some(advice) => Self::Unsupported(format!("{error} ({advice})")),
            None => Self::Failed(error.to_string()),
        }
    }
}

/// Without optimisation ciphers and parsers keep a lab busy.
const LABS_PER_PROCESSOR: usize = if cfg!(debug_assertions) { 3 } else { 8 };

/// Plays units, those that take longest first, and tells what happens in the order in which it does.
pub(crate) fn play(units: &[Unit], pool: Pool, mut tell: impl FnMut(&Event)) {
    let began = Instant::now();
    tell(&Event::Planned { units: units.iter().map(Unit::name).collect() });
    let mut order: Vec<usize> = (0..units.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(units[*place].plan.long_steps()));
    let (next, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..pool.labs.min(units.len()) {
            let (sender, order, next, ended) = (sender.clone(), &order, &next, &ended);
            scope.spawn(move || worker(units, pool, order, next, ended, &sender));
        }
        drop(sender);
        for event in receiver {
            tell(&event);
        }
    });
    let early = ended.load(Ordering::Relaxed);
    tell(&Event::Ended { early, took: began.elapsed() });
}

/// Plays units until there are none, or until there is a reason to begin no other.
fn worker(
    units: &[Unit],
    pool: Pool,
    order: &[usize],
    next: &AtomicUsize,
    ended: &AtomicBool,
    events: &mpsc::Sender<Event>,
) {
    while !ended.load(Ordering::Relaxed) {
        let Some(unit) = order.get(next.fetch_add(1, Ordering::Relaxed)).copied() else { return };
        // Who listens is there until all workers have ended.
        let _ = events.send(Event::Started { unit });
        let outcome = try_until_expected(&units[unit], unit, pool);
        if outcome.was_interrupted() || (pool.fail_fast && pool.is_failure(&outcome)) {
            ended.store(true, Ordering::Relaxed);
        }
        let _ = events.send(Event::Finished { unit, outcome: Box::new(outcome) });
    }
}

fn try_until_expected(unit: &Unit, number: usize, pool: Pool) -> Outcome {
    let mut failed_before = 0;
    loop {
        let outcome = Outcome { failed_before, ..once(unit, number, pool) };
        let is_final = outcome.is_as_expected() || outcome.is_unsupported() || outcome.was_interrupted();
        if is_final || failed_before >= pool.retries {
            return outcome;
        }
        failed_before += 1;
    }
}

fn once(unit: &Unit, number: usize, pool: Pool) -> Outcome {
    let began = Instant::now();
    let options = LabOptions { seed: pool.seed, number, ..LabOptions::default() };
    let limits = Limits { timeout: Some(pool.timeout), quiet: true };
    let result = play_one(&unit.scenario, &unit.plan, &unit.selection(), options, limits);
    let took = began.elapsed();
    let timed_out = took >= pool.timeout;
    Outcome {
        result: result.map(|result| result.report).map_err(|error| NotPlayed::because_of(&error)),
        failed_before: 0,
        took,
        timed_out,
    }
}
