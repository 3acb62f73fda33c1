//! A client of its own for one measurement or one strand of them.

use roadblock_emulator::events::EventLog;
use roadblock_emulator::lab::{Client, Errands, Lab, LabError};
use roadblock_scenarios::model::{Step, VerdictWord};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::evidence::{Measured, gather};
use super::judge::judge;
use super::plan::{PlannedExpectation, PlannedStep};
use super::report::{CONTROL, StepEntry};
use crate::probes::{Control, LabTime, Measure, Outcome, Source, Timeouts, Tools, Trust, Witness};

/// A fresh client address of a vantage and all that measuring from it needs.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    client: Client,
    runtime: Handle,
    events: EventLog,
    trust: Trust,
    time: LabTime,
    timeouts: Timeouts,
    errands: Option<Errands>,
    /// Where a test helper of its own sits.
    helper: Option<Box<Self>>,
}

impl Seat {
    /// A seat that nobody else has.
    pub(crate) fn take(lab: &Lab, vantage: &str, trust: &Trust, time: &LabTime) -> Result<Self, LabError> {
        Ok(Self {
            client: lab.fresh_client(vantage)?,
            runtime: lab.runtime(vantage)?,
            events: lab.events().clone(),
            trust: trust.clone(),
            time: time.clone(),
            timeouts: Timeouts::default(),
            errands: lab.scenario().has_command_probes().then(|| lab.errands(vantage)).transpose()?,
            helper: None,
        })
    }

    /// The same with a test helper at a seat of the control vantage's.
    pub(crate) fn with_helper(self, lab: &Lab) -> Result<Self, LabError> {
        let helper = Self::take(lab, CONTROL, &self.trust, &self.time)?;
        Ok(Self { helper: Some(Box::new(helper)), ..self })
    }

    /// What is measured with at the test helper's seat.
    fn control(&self) -> Option<Box<Control>> {
        let Self { client, runtime, trust, time, timeouts, errands, .. } = &**self.helper.as_ref()?;
        let tools = Tools {
            source: Source::any_port(client.clone()),
            trust: trust.clone(),
            time: time.clone(),
            timeouts: *timeouts,
            errands: errands.clone(),
            control: None,
        };
        Some(Box::new(Control { runtime: runtime.clone(), tools }))
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
    pub(crate) async fn measure(&self, source: Source, measure: &Measure, permits: &Semaphore) -> Measured {
        // Who waits in the lab's time must not keep others from measuring: the clock would never move. The semaphore is
        // never closed; without a permit there would only be more at once.
        let _permit = if measure.waits() { None } else { permits.acquire().await.ok() };
        let mark = self.events.len();
        let timeouts = if source.port.is_some() { self.timeouts.for_used_ports() } else { self.timeouts };
        let tools = Tools {
            source,
            trust: self.trust.clone(),
            time: self.time.clone(),
            timeouts,
            errands: self.errands.clone(),
            control: self.control(),
        };
        let measure = measure.clone();
        let witness = Witness::new(&self.events, &self.client);
        let there = self.runtime.spawn(async move { witness.watch(measure.run(&tools)).await });
        // The vantage's thread ends only with the lab; then nothing was measured.
        let outcome = there.await.unwrap_or_else(|_| Outcome::new(VerdictWord::Unmeasured));
        let events = gather(&self.events, mark, &self.client, &outcome).await;
        Measured { outcome, events }
    }

    /// Makes one step of an expectation; `port` is the one that the step before came from, `control` a seat where nothing is
    /// blocked.
    pub(crate) async fn step(
        &self,
        expectation: &PlannedExpectation,
        at: usize,
        port: Option<u16>,
        control: Option<&Self>,
        permits: &Semaphore,
    ) -> Option<Taken> {
        let PlannedStep { step, measure, control: beside } = expectation.steps.get(at)?;
        let source = Source {
            port: port.filter(|_| step.same_tuple),
            // A socket that is to be followed by one with the same ports must not linger in TIME-WAIT. Nor may what it could
            // not deliver be sent again, by TCP's own timers, after the lab's clock has left the punishment behind: it would
            // earn it anew.
            abort: expectation.steps.len() > at + 1,
            ..self.source()
        };
        let measured = self.measure(source, measure, permits).await;
        let beside = match control.zip(beside.as_ref()) {
            Some((control, measure)) => Some(control.measure(control.source(), measure, permits).await),
            None => None,
        };
        Some(Taken::new(step, &measured, beside.as_ref()))
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
    fn new(step: &Step, measured: &Measured, control: Option<&Measured>) -> Self {
        Self { entry: judge(step, measured, control), local_port: measured.outcome.local_port() }
    }
}
