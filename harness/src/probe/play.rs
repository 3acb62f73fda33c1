//! One measurement in a lab of its own.

use std::sync::Arc;

use roadblock_emulator::lab::{Lab, LabOptions};
use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::{Name, Probe, Vantage};
use tokio::sync::Semaphore;

use crate::probes::{LabTime, Measure, Trust};
use crate::run::{Measured, RunError, Seat};

/// What was measured.
#[derive(Debug)]
pub(crate) struct Played {
    /// What was met, and what the lab decided about it.
    pub(crate) measured: Measured,
    /// What makes it untrustworthy: the place, and what went wrong there.
    pub(crate) problems: Vec<String>,
}

/// Builds a lab in this phase and measures once from this vantage. Labs of one process have numbers of their own in `options`. Must be called in the process of a sandbox.
pub(crate) fn play(
    scenario: &Arc<Scenario>,
    (phase, vantage): (&Name, &Vantage),
    probe: &Probe,
    options: LabOptions,
) -> Result<Played, RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let lab = Lab::start_with(Arc::clone(scenario), phase, options)?;
    let trust = Trust::new(lab.authority_der())?;
    let time = LabTime::new(lab.clock().clone());
    let seat = Seat::take(&lab, &vantage.name, &trust, &time)?;
    let measure = Measure::new(scenario, vantage, probe)?;
    let seat = if measure.needs_helper() { seat.with_helper(&lab)? } else { seat };
    let permits = Semaphore::new(1);
    let measuring = time.join();
    let mut job = Box::pin(async {
        let measured = seat.measure(seat.source(), &measure, &permits).await;
        drop(measuring);
        measured
    });
    let measured = loop {
        let step = runtime.block_on(async {
            tokio::select! {
                biased;
                measured = &mut job => Ok(measured),
                due = time.all_wait() => Err(due),
            }
        });
        match step {
            Ok(measured) => break measured,
            // The inspectors are told outside the runtime, because telling them blocks.
            Err(due) => {
                lab.advance(due.saturating_since(time.now()));
                time.wake();
            }
        }
    };
    let problems = lab.problems().iter().map(|problem| format!("{}: {}", problem.place, problem.what)).collect();
    drop(job);
    Ok(Played { measured, problems })
}
