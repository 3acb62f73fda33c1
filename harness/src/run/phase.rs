//! One phase, measured.

use std::cell::RefCell;

use futures_util::stream::{FuturesUnordered, StreamExt};
use roadblock_censor::Instant;
use roadblock_emulator::events::Recorded;
use roadblock_emulator::lab::{Client, Lab, LabError};
use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::Expectation;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use super::describe::target_key;
use super::plan::{PhasePlan, PlannedExpectation, PlannedStep, PlannedVisit, Strand};
use super::repeat::{Repetition, put_together};
use super::report::{CONTROL, Cell, ExpectationEntry, StepEntry};
use super::seat::Seat;
use super::stop::Stop;
use crate::output;
use crate::probes::{LabTime, Measuring, Trust};

/// What a phase gave so far; kept whatever happens next.
#[derive(Debug, Default)]
pub(crate) struct PhaseResults {
    /// What opening each target gave.
    pub(crate) cells: Vec<Cell>,
    /// What each expectation gave.
    pub(crate) expectations: Vec<ExpectationEntry>,
    /// What each time of the expectations gave that are measured many times, until all is measured.
    repeated: Vec<Repetition>,
    /// Who measured: no other phase has these clients.
    pub(crate) clients: Vec<Client>,
    done: usize,
}

impl PhaseResults {
    /// How many measurements were made.
    pub(crate) fn len(&self) -> usize {
        self.done
    }

    /// Whether a decision was about one of this phase's clients, not about what one of an earlier phase left behind.
    pub(crate) fn is_about(&self, recorded: &Recorded) -> bool {
        self.clients.iter().any(|client| client.may_own(&recorded.event.flow))
    }
}

/// All that measuring a phase needs.
#[derive(Clone, Copy)]
pub(crate) struct PhaseRun<'a> {
    /// The lab, in this phase.
    pub(crate) lab: &'a Lab,
    /// The scenario.
    pub(crate) scenario: &'a Scenario,
    /// The runtime of the runner itself.
    pub(crate) runtime: &'a Runtime,
    /// Whom TLS clients believe.
    pub(crate) trust: &'a Trust,
    /// The lab's clock, and who measures by it.
    pub(crate) time: &'a LabTime,
    /// Says when to stop.
    pub(crate) stop: &'a Stop,
    /// What to measure.
    pub(crate) plan: &'a PhasePlan,
    /// Whether somebody else says how far things are.
    pub(crate) quiet: bool,
}

impl PhaseRun<'_> {
    /// Measures everything; an error or Ctrl-C ends it early with what there is.
    pub(crate) fn measure(self, results: &mut PhaseResults) -> Result<(), LabError> {
        let measured = self.measure_in_order_of_arrival(results);
        let PhaseResults { cells, expectations, repeated, .. } = results;
        expectations.extend(put_together(std::mem::take(repeated), self.scenario));
        cells.sort_by_key(|cell| self.plan.visit_order(&cell.vantage, &cell.target));
        expectations.sort_by_key(|each| self.expectation_order(each));
        measured
    }

    /// All visits and expectations side by side, each from its own client, each step at its own moment of the lab's
    /// clock ([`PhasePlan::long_steps_begin`]).
    fn measure_in_order_of_arrival(self, results: &mut PhaseResults) -> Result<(), LabError> {
        // Addresses are given out in the plan's order, so that they are the same run after run.
        let mut visits = Vec::new();
        for visit in &self.plan.visits {
            visits.push((self.seat(&visit.vantage, results)?, visit));
        }
        let mut strands = Vec::new();
        for strand in &self.plan.strands {
            strands.push((self.seat(&strand.vantage, results)?, strand));
        }
        // After all others, whose addresses do not depend on it.
        let mut controls = Vec::new();
        for strand in &self.plan.strands {
            controls.push(if strand.needs_control() { Some(self.seat(CONTROL, results)?) } else { None });
        }
        for (seat, strand) in &mut strands {
            if strand.needs_helper() {
                *seat = seat.clone().with_helper(self.lab)?;
            }
        }
        let results = RefCell::new(results);
        let permits = Semaphore::new(AT_ONCE);
        let long_steps = self.plan.long_steps_begin();
        let now = self.time.now();
        let mut running = FuturesUnordered::new();
        for (seat, visit) in &visits {
            let job = Job::Visit(seat, visit);
            running.push(self.job(self.time.join(), now + long_steps, &permits, &results, job));
        }
        for ((seat, strand), control) in strands.iter().zip(&controls) {
            let begin = now + long_steps.saturating_sub(strand.before_long_step());
            let job = Job::Strand(seat, control.as_ref(), strand);
            running.push(self.job(self.time.join(), begin, &permits, &results, job));
        }
        loop {
            let all_wait = self.runtime.block_on(async {
                tokio::select! {
                    () = self.stop.wait() => None,
                    () = async { while running.next().await.is_some() {} } => None,
                    due = self.time.all_wait() => Some(due),
                }
            });
            let Some(due) = all_wait else { break };
            // The inspectors are told outside the runtime, because telling them blocks.
            self.lab.advance(due.saturating_since(self.time.now()));
            self.time.wake();
        }
        Ok(())
    }

    fn seat(self, vantage: &str, results: &mut PhaseResults) -> Result<Seat, LabError> {
        let seat = Seat::take(self.lab, vantage, self.trust, self.time)?;
        results.clients.push(seat.client().clone());
        Ok(seat)
    }

    async fn job(
        self,
        _measuring: Measuring,
        begin: Instant,
        permits: &Semaphore,
        results: &RefCell<&mut PhaseResults>,
        job: Job<'_>,
    ) {
        self.time.sleep_until(begin).await;
        match job {
            Job::Visit(seat, visit) => {
                let cell = self.visit(seat, visit, permits).await;
                self.note_cell(cell, &mut results.borrow_mut());
            }
            Job::Strand(seat, control, strand) => {
                let mut begin = begin;
                for planned in &strand.expectations {
                    let steps = self.steps((seat, control), planned, &mut begin, permits).await;
                    self.note_steps(seat, strand, planned, steps, &mut results.borrow_mut());
                }
            }
        }
    }

    async fn visit(self, seat: &Seat, visit: &PlannedVisit, permits: &Semaphore) -> Cell {
        let measured = seat.measure(seat.source(), &visit.measure, permits).await;
        Cell {
            phase: self.plan.phase.to_string(),
            vantage: visit.vantage.to_string(),
            target: target_key(&visit.target.probe),
            clients: addresses(seat),
            seen: measured.seen(),
        }
    }

    /// The steps of an expectation, each `wait` after the beginning of the one before, so that what a step must meet
    /// does not depend on how long the one before took.
    async fn steps(
        self,
        (seat, control): (&Seat, Option<&Seat>),
        planned: &PlannedExpectation,
        begin: &mut Instant,
        permits: &Semaphore,
    ) -> Vec<StepEntry> {
        let mut entries = Vec::new();
        let mut port = None;
        for (at, PlannedStep { step, .. }) in planned.steps.iter().enumerate() {
            self.time.sleep_until(*begin + step.wait).await;
            *begin = self.time.now();
            let Some(taken) = seat.step(planned, at, port, control, permits).await else { break };
            port = taken.local_port;
            entries.push(taken.entry);
        }
        entries
    }

    fn note_cell(self, cell: Cell, results: &mut PhaseResults) {
        results.cells.push(cell);
        self.count(1, results);
    }

    /// Notes what an expectation gave; nothing where no step was made.
    fn note_steps(
        self,
        seat: &Seat,
        strand: &Strand,
        planned: &PlannedExpectation,
        steps: Vec<StepEntry>,
        results: &mut PhaseResults,
    ) {
        let Some(expectation) = self.scenario.expectations.get(planned.index) else { return };
        let Expectation { id, location, neighbour_of, times, .. } = expectation;
        if steps.is_empty() {
            return;
        }
        let (made, complete) = (steps.len(), steps.len() == planned.steps.len());
        let entry = ExpectationEntry {
            id: id.to_string(),
            place: format!("{}:{}", location.file, location.line),
            phase: self.plan.phase.to_string(),
            vantage: strand.vantage.to_string(),
            clients: addresses(seat),
            as_expected: complete && steps.iter().all(|step| step.differs.is_empty()),
            neighbour_of: neighbour_of.as_ref().map(|each| each.of.to_string()),
            times: None,
            steps,
        };
        if times.is_some() {
            results.repeated.push(Repetition { index: planned.index, number: planned.repetition, entry });
        } else {
            results.expectations.push(entry);
        }
        self.count(made, results);
    }

    fn count(self, made: usize, results: &mut PhaseResults) {
        results.done += made;
        if self.quiet {
            return;
        }
        let (phase, all) = (&self.plan.phase, self.plan.len());
        output::progress_on_terminal(format_args!("phase {phase}: {} of {all}", results.done));
    }

    fn expectation_order(self, expected: &ExpectationEntry) -> (usize, usize) {
        let all = &self.scenario.expectations;
        let index = all.iter().position(|each| *each.id == *expected.id).unwrap_or(all.len());
        let vantage = self.scenario.vantages.iter().position(|each| *each.name == *expected.vantage);
        (index, vantage.unwrap_or(usize::MAX))
    }
}

impl PhasePlan {
    fn visit_order(&self, vantage: &str, target: &str) -> Option<usize> {
        self.visits.iter().position(|visit| *visit.vantage == *vantage && target_key(&visit.target.probe) == target)
    }
}

fn addresses(seat: &Seat) -> Vec<String> {
    seat.client().addresses().map(|address| address.to_string()).collect()
}

enum Job<'a> {
    Visit(&'a Seat, &'a PlannedVisit),
    /// A strand from its seat, and a seat at control where speeds are compared.
    Strand(&'a Seat, Option<&'a Seat>, &'a Strand),
}

/// How many clients measure at the same time.
const AT_ONCE: usize = 64;
