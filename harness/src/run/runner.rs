//! A scenario, played phase by phase.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use roadblock_emulator::events::Recorded;
use roadblock_emulator::lab::{Lab, LabError, LabOptions, MachineLog, Problem};
use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::Name;
use tokio::runtime::Runtime;

use super::canonical::canonical;
use super::describe::target_key;
use super::phase::{PhaseResults, PhaseRun};
use super::plan::{PhasePlan, Selection};
use super::report::{
    CAPTURE_FILE, CaptureEntry, Conclusion, PhaseHead, ProblemEntry, Report, SCHEMA, ScenarioHead, TargetHead,
    VantageHead, Word,
};
use super::stop::Stop;
use crate::output;
use crate::probes::{LabTime, MeasureError, Trust};
use crate::report::flows;

/// A run's report and all decisions with their times.
#[derive(Debug)]
pub(crate) struct RunResult {
    /// The report.
    pub(crate) report: Report,
    /// All decisions, as they were made.
    pub(crate) events: Vec<Recorded>,
    /// The packets, as a pcapng file, where they were captured.
    pub(crate) pcapng: Option<Vec<u8>>,
    /// What ran on the scenario's machines has printed, where there was one lab.
    pub(crate) logs: Vec<MachineLog>,
}

/// Why a run could not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// The lab could not be built.
    #[error("failed to build the lab: {0}")]
    Lab(#[from] LabError),
    /// A probe cannot be made.
    #[error("failed to plan the measurements: {0}")]
    Measure(#[from] MeasureError),
    /// The lab's authority cannot be trusted.
    #[error("failed to trust the lab's certificate authority: {0}")]
    Trust(#[from] rustls::Error),
    /// There is no runtime.
    #[error("failed to start a runtime: {0}")]
    Runtime(#[from] std::io::Error),
}

impl RunError {
    /// Where this machine cannot run labs: what to do.
    pub(crate) fn advice(&self) -> Option<String> {
        match self {
            Self::Lab(error) => error.advice(),
            Self::Measure(_) | Self::Trust(_) | Self::Runtime(_) => None,
        }
    }
}

/// What a lab is played under.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    /// How long it may take, in real time; what was measured until then is reported, and the run is interrupted.
    pub(crate) timeout: Option<Duration>,
    /// Whether somebody else says how far things are.
    pub(crate) quiet: bool,
}

/// Plays one phase in a lab of its own.
pub(crate) fn play_one(
    scenario: &Arc<Scenario>,
    plan: &PhasePlan,
    selection: &Selection,
    options: LabOptions,
    limits: Limits,
) -> Result<RunResult, RunError> {
    in_one_lab(scenario, std::slice::from_ref(plan), selection, options, limits, &|_| {})
}

/// Plays the phases and reports; what was measured before something failed is not lost.
///
/// Measuring is mostly waiting, so each phase is played in a lab of its own, several side by side. Where packets are
/// captured there is one lab, which moves from phase to phase, and one capture of it; `begun` is told when it lives.
pub(crate) fn run(
    scenario: &Arc<Scenario>,
    selection: &Selection,
    seed: u64,
    capture: bool,
    begun: &dyn Fn(&Arc<Lab>),
) -> Result<RunResult, RunError> {
    let began = tokio::time::Instant::now();
    let plans: Vec<PhasePlan> = selection
        .phases
        .iter()
        .map(|phase| PhasePlan::new(scenario, phase, &selection.vantages))
        .collect::<Result<_, _>>()?;
    output::progress_on_terminal(format_args!("building the lab of {}", scenario.id));
    let options = LabOptions { seed, capture, ..LabOptions::default() };
    let mut result = if capture {
        in_one_lab(scenario, &plans, selection, options, Limits::default(), begun)?
    } else {
        side_by_side(scenario, &plans, selection, options)?
    };
    output::progress_ends();
    result.report.milliseconds = milliseconds(began.elapsed());
    Ok(result)
}

/// Plays each phase in a lab of its own.
fn side_by_side(
    scenario: &Arc<Scenario>,
    plans: &[PhasePlan],
    selection: &Selection,
    options: LabOptions,
) -> Result<RunResult, RunError> {
    let at_once = std::thread::available_parallelism().map_or(1, NonZero::get) * LABS_PER_PROCESSOR;
    let next = AtomicUsize::new(0);
    let played: Mutex<BTreeMap<usize, Result<RunResult, RunError>>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..at_once.min(plans.len()) {
            scope.spawn(|| {
                while let Some((number, plan)) = take(&next, plans) {
                    let options = LabOptions { number, ..options };
                    let result = play_one(scenario, plan, selection, options, Limits::default());
                    played.lock().unwrap_or_else(PoisonError::into_inner).insert(number, result);
                }
            });
        }
    });
    let played = played.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut all = RunResult {
        report: empty_report(scenario, selection, options.seed),
        events: Vec::new(),
        pcapng: None,
        logs: Vec::new(),
    };
    let mut interrupted = false;
    for (number, result) in played {
        match result {
            Ok(part) => {
                interrupted |= part.report.conclusion == Conclusion::Interrupted;
                all.append(part);
            }
            // A lab that cannot be built says so at once; one that fails beside others that did not is their problem too.
            Err(error) if number == 0 => return Err(error),
            Err(error) => all.report.problems.push(ProblemEntry {
                phase: plans[number].phase.to_string(),
                place: "lab".to_owned(),
                what: error.to_string(),
            }),
        }
    }
    all.report.conclusion = conclude(&all.report, interrupted);
    Ok(all)
}

/// The next phase that nobody plays.
fn take<'a>(next: &AtomicUsize, plans: &'a [PhasePlan]) -> Option<(usize, &'a PhasePlan)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    plans.get(number).map(|plan| (number, plan))
}

/// A lab mostly waits, but must not look like a censor because it is busy; without optimisation its ciphers keep it busy.
const LABS_PER_PROCESSOR: usize = if cfg!(debug_assertions) { 2 } else { 4 };

impl RunResult {
    /// Adds what another lab gave.
    fn append(&mut self, part: Self) {
        let Self { report, mut events, .. } = part;
        self.report.cells.extend(report.cells);
        self.report.expectations.extend(report.expectations);
        self.report.events.extend(report.events);
        self.report.problems.extend(report.problems);
        self.events.append(&mut events);
    }
}

/// Builds a lab and moves it from phase to phase.
fn in_one_lab(
    scenario: &Arc<Scenario>,
    plans: &[PhasePlan],
    selection: &Selection,
    options: LabOptions,
    limits: Limits,
    begun: &dyn Fn(&Arc<Lab>),
) -> Result<RunResult, RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stop = Stop::listen(&runtime, limits.timeout)?;
    let first = plans.first().map_or("", |plan| &plan.phase);
    let lab = Arc::new(Lab::start_with(Arc::clone(scenario), first, options)?);
    begun(&lab);
    let trust = Trust::new(lab.authority_der())?;
    let time = LabTime::new(lab.clock().clone());
    let mut report = empty_report(scenario, selection, options.seed);
    Player { lab: &lab, scenario, runtime: &runtime, trust: &trust, time: &time, stop: &stop, quiet: limits.quiet }
        .play(plans, &mut report);
    report.conclusion = conclude(&report, stop.is_set());
    let events = lab.events().all();
    let pcapng = picture(&lab, &trust, &mut report);
    Ok(RunResult { report, events, pcapng, logs: lab.machine_logs() })
}

/// Adds what was captured to the report, and gives it as a file.
fn picture(lab: &Lab, trust: &Trust, report: &mut Report) -> Option<Vec<u8>> {
    match lab.tape().transpose()? {
        Ok(tape) => {
            report.flows = flows(&tape, lab.scenario());
            let (packets, notes) = (tape.packets.len(), tape.notes.clone());
            report.capture = Some(CaptureEntry { file: CAPTURE_FILE.to_owned(), packets, notes });
            Some(tape.to_pcapng(&format!("{}, seed {}", report.scenario.id, report.seed), &trust.keys().lines()))
        }
        Err(error) => {
            let notes = vec![error.to_string()];
            report.capture = Some(CaptureEntry { file: CAPTURE_FILE.to_owned(), packets: 0, notes });
            None
        }
    }
}

struct Player<'a> {
    lab: &'a Lab,
    scenario: &'a Scenario,
    runtime: &'a Runtime,
    trust: &'a Trust,
    time: &'a LabTime,
    stop: &'a Stop,
    quiet: bool,
}

impl Player<'_> {
    fn play(&self, plans: &[PhasePlan], report: &mut Report) {
        let mut known = Vec::new();
        for (index, plan) in plans.iter().enumerate() {
            if self.stop.is_set() {
                return;
            }
            let entered = if index == 0 { Ok(()) } else { self.lab.enter_phase(&plan.phase) };
            let mut results = PhaseResults::default();
            let measured = entered.and_then(|()| self.phase_run(plan).measure(&mut results));
            if !self.quiet {
                output::milestone(format_args!("phase {}: {} measurements", plan.phase, results.len()));
            }
            let mut problems = self.new_problems(&mut known);
            let failed = measured.is_err();
            problems.extend(measured.err().as_ref().map(own_fault));
            self.add(report, &plan.phase, results, problems);
            if failed {
                return;
            }
        }
    }

    fn phase_run<'a>(&'a self, plan: &'a PhasePlan) -> PhaseRun<'a> {
        let Player { lab, scenario, runtime, trust, time, stop, quiet } = *self;
        PhaseRun { lab, scenario, runtime, trust, time, stop, plan, quiet }
    }

    /// The problems that were not there before.
    fn new_problems(&self, known: &mut Vec<Problem>) -> Vec<Problem> {
        let now = self.lab.problems();
        let new = now.iter().filter(|problem| !known.contains(problem)).cloned().collect();
        *known = now;
        new
    }

    fn add(&self, report: &mut Report, phase: &Name, mut results: PhaseResults, problems: Vec<Problem>) {
        if !problems.is_empty() {
            invalidate(&mut results);
        }
        report.cells.append(&mut results.cells);
        report.expectations.append(&mut results.expectations);
        let events: Vec<Recorded> =
            self.lab.events().all().into_iter().filter(|event| results.is_about(event)).collect();
        report.events.extend(canonical(phase, &events));
        let entry = |Problem { place, what }| ProblemEntry { phase: phase.to_string(), place, what };
        report.problems.extend(problems.into_iter().map(entry));
    }
}

/// Results of a lab that failed are neither reached nor blocked.
fn invalidate(results: &mut PhaseResults) {
    for cell in &mut results.cells {
        cell.seen.verdict = Word::Invalid;
    }
    for expectation in &mut results.expectations {
        expectation.as_expected = false;
        for step in &mut expectation.steps {
            step.seen.verdict = Word::Invalid;
        }
    }
}

fn own_fault(error: &LabError) -> Problem {
    Problem { place: "lab".to_owned(), what: error.to_string() }
}

fn conclude(report: &Report, interrupted: bool) -> Conclusion {
    if interrupted {
        Conclusion::Interrupted
    } else if !report.problems.is_empty() {
        Conclusion::Invalid
    } else if report.expectations.iter().all(|each| each.as_expected) && report.control_reached_all() {
        Conclusion::AsExpected
    } else {
        Conclusion::Unexpected
    }
}

fn empty_report(scenario: &Scenario, selection: &Selection, seed: u64) -> Report {
    let phases = selection.phases.iter().filter_map(|id| scenario.phase(id));
    let vantages = selection.vantages.iter().filter_map(|name| scenario.vantage(name));
    Report {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        scenario: ScenarioHead { id: scenario.id.to_string(), title: scenario.title.clone() },
        seed,
        milliseconds: 0,
        conclusion: Conclusion::Invalid,
        phases: phases
            .map(|phase| PhaseHead { id: phase.id.to_string(), date: phase.date.clone(), title: phase.title.clone() })
            .collect(),
        vantages: vantages
            .map(|vantage| VantageHead {
                name: vantage.name.to_string(),
                network: format!("AS{} {}", vantage.network.asn, vantage.network.operator),
            })
            .collect(),
        targets: scenario
            .targets()
            .map(|target| TargetHead { title: target.title.clone(), url: target_key(&target.probe) })
            .collect(),
        cells: Vec::new(),
        expectations: Vec::new(),
        events: Vec::new(),
        problems: Vec::new(),
        capture: None,
        flows: Vec::new(),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use roadblock_scenarios::{Library, load};

    use super::super::report::{Cell, Seen};
    use super::*;

    fn report() -> Report {
        let scenario = load("ru/whatsapp-2026", &Library::embedded()).expect("a sound scenario");
        let selection = Selection { phases: vec!["before".into()], vantages: vec!["moscow".into(), "control".into()] };
        empty_report(&scenario, &selection, 1)
    }

    fn cell(vantage: &str, verdict: Word) -> Cell {
        let seen = Seen {
            verdict,
            failure: None,
            operation: None,
            by: None,
            matched: None,
            facts: Vec::new(),
            grade: None,
            layers: Vec::new(),
            addresses: Vec::new(),
            answers: 0,
            part: None,
            how: None,
            test_keys: crate::probes::TestKeys::new(),
            found: BTreeMap::new(),
            evidence: None,
        };
        Cell {
            phase: "before".to_owned(),
            vantage: vantage.to_owned(),
            target: "https://max.ru/".to_owned(),
            clients: Vec::new(),
            seen,
        }
    }

    #[test]
    fn what_moscow_meets_is_the_scenarios_affair_and_what_control_meets_is_not() {
        let mut report = report();
        report.cells = vec![cell("moscow", Word::Tcp), cell("control", Word::Ok)];
        assert_eq!(conclude(&report, false), Conclusion::AsExpected);
        report.cells.push(cell("control", Word::Tcp));
        assert_eq!(conclude(&report, false), Conclusion::Unexpected);
    }

    #[test]
    fn a_problem_makes_the_run_invalid_and_its_results_neither_reached_nor_blocked() {
        let mut report = report();
        report.problems.push(ProblemEntry {
            phase: "before".to_owned(),
            place: "tspu-moscow".to_owned(),
            what: "its queue lost 3 packets".to_owned(),
        });
        assert_eq!(conclude(&report, false), Conclusion::Invalid);
        assert_eq!(conclude(&report, true), Conclusion::Interrupted);
        let mut results = PhaseResults::default();
        results.cells.push(cell("moscow", Word::Ok));
        invalidate(&mut results);
        assert_eq!(results.cells[0].seen.verdict, Word::Invalid);
    }
}
