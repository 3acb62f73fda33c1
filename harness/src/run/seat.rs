//! A client of its own for one measurement or one strand of them.

use roadblock_emulator::events::EventLog;
use roadblock_emulator::lab::{Client, Lab, LabError};
use roadblock_scenarios::model::{Step, VerdictWord};
use tokio::runtime::Handle;

use super::evidence::{Measured, gather};
use super::judge::judge;
use super::plan::PlannedExpectation;
use super::report::StepEntry;
use crate::probes::{Measure, Outcome, Source, Timeouts, Trust};

/// A fresh client address of a vantage and all that measuring from it needs.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    client: Client,
    runtime: Handle,
    events: EventLog,
    trust: Trust,
    timeouts: Timeouts,
}

impl Seat {
    /// A seat that nobody else has.
    pub(crate) fn take(lab: &Lab, vantage: &str, trust: &Trust) -> Result<Self, LabError> {
        Ok(Self {
            client: lab.fresh_client(vantage)?,
            runtime: lab.runtime(vantage)?,
            events: lab.events().clone(),
            trust: trust.clone(),
            timeouts: Timeouts::default(),
        })
    }

    /// Its client.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// A source of this seat's client with any port.
    pub(crate) fn source(&self) -> Source {
        Source::any_port(self.client.clone())
    }

    /// Makes a measurement in the vantage's namespace and gathers what was decided about it.
    pub(crate) async fn measure(&self, source: Source, measure: &Measure) -> Measured {
        let mark = self.events.len();
        let (measure, trust, timeouts) = (measure.clone(), self.trust.clone(), self.timeouts);
        let there = self.runtime.spawn(async move { measure.run(&source, &trust, timeouts).await });
        // The vantage's thread ends only with the lab; then nothing was measured.
        let outcome = there.await.unwrap_or_else(|_| unmeasured());
        let events = gather(&self.events, mark, &self.client, &outcome).await;
        Measured { outcome, events }
    }

    /// Makes one step of an expectation; `port` is the one that the step before came from.
    pub(crate) async fn step(&self, expectation: &PlannedExpectation, at: usize, port: Option<u16>) -> Option<Taken> {
        let (step, measure) = expectation.steps.get(at)?;
        let source = Source {
            port: port.filter(|_| step.same_tuple),
            // A socket that is to be followed by one with the same ports must not linger in TIME-WAIT.
            abort: expectation.steps.get(at + 1).is_some_and(|(next, _)| next.same_tuple),
            ..self.source()
        };
        let measured = self.measure(source, measure).await;
        Some(Taken::new(step, &measured))
    }

    /// Makes all steps of an expectation that never waits.
    pub(crate) async fn steps(&self, expectation: &PlannedExpectation) -> Vec<StepEntry> {
        let mut entries = Vec::new();
        let mut port = None;
        for at in 0..expectation.steps.len() {
            if let Some(taken) = self.step(expectation, at, port).await {
                port = taken.local_port;
                entries.push(taken.entry);
            }
        }
        entries
    }
}

/// A step that was made.
#[derive(Debug)]
pub(crate) struct Taken {
    /// What the report says about it.
    pub(crate) entry: StepEntry,
    /// The port it came from.
    pub(crate) local_port: Option<u16>,
}

impl Taken {
    fn new(step: &Step, measured: &Measured) -> Self {
        Self { entry: judge(step, measured), local_port: measured.outcome.local_port() }
    }
}

fn unmeasured() -> Outcome {
    Outcome { verdict: VerdictWord::Unmeasured, failure: None, layers: Vec::new(), addresses: Vec::new(), answers: 0 }
}
