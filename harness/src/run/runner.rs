//! A scenario, played phase by phase.

use std::sync::Arc;
use std::time::Duration;

use roadblock_emulator::events::Recorded;
use roadblock_emulator::lab::{Lab, LabError, LabOptions, Problem};
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

/// Builds the lab, plays the phases, and reports; what was measured before something failed is not lost.
pub(crate) fn run(
    scenario: &Arc<Scenario>,
    selection: &Selection,
    seed: u64,
    capture: bool,
) -> Result<RunResult, RunError> {
    let began = tokio::time::Instant::now();
    let plans: Vec<PhasePlan> = selection
        .phases
        .iter()
        .map(|phase| PhasePlan::new(scenario, phase, &selection.vantages))
        .collect::<Result<_, _>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stop = Stop::listen(&runtime)?;
    output::progress_on_terminal(format_args!("building the lab of {}", scenario.id));
    let first = selection.phases.first().map_or("", |phase| phase);
    let options = LabOptions { seed, capture, ..LabOptions::default() };
    let lab = Lab::start_with(Arc::clone(scenario), first, options)?;
    let trust = Trust::new(lab.authority_der())?;
    let time = LabTime::new(lab.clock().clone());
    let mut report = empty_report(scenario, selection, seed);
    Player { lab: &lab, scenario, runtime: &runtime, trust: &trust, time: &time, stop: &stop }
        .play(&plans, &mut report);
    output::progress_ends();
    report.conclusion = conclude(&report, stop.is_set());
    report.milliseconds = milliseconds(began.elapsed());
    let events = lab.events().all();
    let pcapng = picture(&lab, &trust, &mut report);
    Ok(RunResult { report, events, pcapng })
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
            output::milestone(format_args!("phase {}: {} measurements", plan.phase, results.len()));
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
        let Player { lab, scenario, runtime, trust, time, stop } = self;
        PhaseRun { lab, scenario, runtime, trust, time, stop, plan }
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
