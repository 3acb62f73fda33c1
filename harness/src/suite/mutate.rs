//! Each rule taken out in turn: does some expectation notice?
//!
//! A rule that nobody misses is either not proved by its scenario or not needed by it. The expectations that name the rule
//! are tried first, then all of the phases in which the rule can act.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use roadblock_emulator::lab::LabOptions;
use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::{Name, Step};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::Instant;

use super::filter::{Filter, Subject};
use super::pool::Pool;
use super::unit::Unit;
use crate::output::{self, Paint};
use crate::probes::MeasureError;
use crate::run::report::{Conclusion, Report};
use crate::run::{Limits, PhasePlan, Table, play_one};

/// The name and version of this document's schema.
const SCHEMA: &str = "roadblock.mutate/1";

/// What taking out rules gave.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(crate) struct Mutants {
    /// `roadblock.mutate/1`.
    pub(crate) schema: String,
    /// The version of roadblock.
    pub(crate) version: String,
    /// What all chance in the labs came from.
    pub(crate) seed: u64,
    /// How long it took.
    pub(crate) milliseconds: u64,
    /// How many rules could be taken out; more than there are mutants where only a sample was tried.
    pub(crate) rules: usize,
    /// Whether it was ended by Ctrl-C.
    pub(crate) interrupted: bool,
    /// One for each rule that was taken out.
    #[serde(rename = "mutants")]
    pub(crate) tried: Vec<Mutant>,
}

/// A scenario without one of its rules.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(crate) struct Mutant {
    /// The scenario's id.
    pub(crate) scenario: String,
    /// The rule that is not there.
    pub(crate) without: String,
    /// What came of it.
    pub(crate) fate: Fate,
}

/// What came of taking out a rule.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub(crate) enum Fate {
    /// An expectation failed.
    Noticed {
        /// Which: `id`.
        expectation: String,
        /// In which phase.
        phase: String,
    },
    /// All was as before.
    Survived,
    /// It could not be tried.
    Failed {
        /// Why.
        what: String,
    },
}

/// A mutant that is still to be tried.
struct Candidate {
    scenario: Arc<Scenario>,
    without: String,
    phases: Vec<Name>,
}

/// Takes out each rule of each scenario in turn, or one in so many.
pub(crate) fn mutate(subjects: &[Subject], filter: &Filter, one_in: usize, pool: Pool) -> Mutants {
    let began = Instant::now();
    let mut candidates: Vec<Candidate> =
        subjects.iter().flat_map(|subject| candidates(&subject.scenario, filter)).collect();
    let rules = candidates.len();
    let step = one_in.max(1);
    let mut place = 0;
    candidates.retain(|_| {
        place += 1;
        (place - 1) % step == 0
    });
    let (mut mutants, interrupted) = try_all(&candidates, pool);
    mutants.sort_by_key(|(place, _)| *place);
    Mutants {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: pool.seed,
        milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        rules,
        interrupted,
        tried: mutants.into_iter().map(|(_, mutant)| mutant).collect(),
    }
}

/// The rules and lies of a scenario that can act in some phase.
fn candidates(scenario: &Arc<Scenario>, filter: &Filter) -> Vec<Candidate> {
    let acts = |phase: &roadblock_scenarios::model::Phase, by: &str| {
        phase.rules().iter().any(|rule| rule.by == by && (rule.active || rule.exempts))
    };
    let of_rule = |by: String| {
        let phases = scenario.phases.iter().filter(|phase| filter.wants_phase(&phase.id) && acts(phase, &by));
        let phases: Vec<Name> = phases.map(|phase| Arc::clone(&phase.id)).collect();
        let mutated = scenario.without_rule(&by).filter(|_| !phases.is_empty())?;
        Some(Candidate { scenario: Arc::new(mutated), without: by, phases })
    };
    scenario.rules().into_iter().filter_map(|rule| of_rule(rule.by)).collect()
}

fn try_all(candidates: &[Candidate], pool: Pool) -> (Vec<(usize, Mutant)>, bool) {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let (mut mutants, mut interrupted) = (Vec::new(), false);
    std::thread::scope(|scope| {
        for _ in 0..pool.labs.min(candidates.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((place, candidate)) = take(next, candidates) {
                    let fate = candidate.try_out(place, pool);
                    let ended = fate.is_none();
                    // Who listens is there until all workers have ended.
                    let _ = sender.send((place, fate));
                    if ended {
                        next.store(candidates.len(), Ordering::Relaxed);
                    }
                }
            });
        }
        drop(sender);
        for (place, fate) in receiver {
            let Candidate { scenario, without, .. } = &candidates[place];
            let Some(fate) = fate else {
                interrupted = true;
                continue;
            };
            if fate == Fate::Survived {
                output::progress_ends();
                output::notice(format_args!("{} without {without}: nothing noticed", scenario.id));
            }
            mutants.push((place, Mutant { scenario: scenario.id.to_string(), without: without.clone(), fate }));
            output::progress_on_terminal(format_args!("{} of {} rules taken out", mutants.len(), candidates.len()));
        }
        output::progress_ends();
    });
    (mutants, interrupted)
}

fn take<'a>(next: &AtomicUsize, candidates: &'a [Candidate]) -> Option<(usize, &'a Candidate)> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    candidates.get(place).map(|candidate| (place, candidate))
}

impl Candidate {
    /// `None`: Ctrl-C came first.
    fn try_out(&self, number: usize, pool: Pool) -> Option<Fate> {
        for named_only in [true, false] {
            for phase in &self.phases {
                let unit = match self.unit(phase, named_only) {
                    Ok(unit) => unit,
                    Err(error) => return Some(Fate::Failed { what: error.to_string() }),
                };
                if unit.is_empty() {
                    continue;
                }
                match play(&unit, number, pool) {
                    Ok(report) if report.conclusion == Conclusion::Interrupted => return None,
                    Ok(report) => {
                        if let Some(fate) = fate(&report) {
                            return Some(fate);
                        }
                    }
                    Err(what) => return Some(Fate::Failed { what }),
                }
            }
        }
        Some(Fate::Survived)
    }

    /// The expectations of a phase, or those that name the rule, with what shares a client with them.
    fn unit(&self, phase: &Name, named_only: bool) -> Result<Unit, MeasureError> {
        let mut unit = Unit::new(&self.scenario, phase)?;
        let mut plan = PhasePlan::clone(&unit.plan);
        plan.visits.clear();
        if named_only {
            let names = |step: &Step| step.by.contains(&self.without);
            plan.strands.retain(|strand| strand.steps().any(names));
        }
        unit.plan = Arc::new(plan);
        Ok(unit)
    }
}

fn play(unit: &Unit, number: usize, pool: Pool) -> Result<Report, String> {
    let options = LabOptions { seed: pool.seed, number, ..LabOptions::default() };
    let limits = Limits { timeout: Some(pool.timeout.max(Duration::from_secs(1))), quiet: true };
    let result = play_one(&unit.scenario, &unit.plan, &unit.selection(), options, limits);
    result.map(|result| result.report).map_err(|error| error.to_string())
}

/// What a report says of the mutant; nothing where all was as before.
fn fate(report: &Report) -> Option<Fate> {
    if let Some(problem) = report.problems.first() {
        return Some(Fate::Failed { what: format!("{}: {}", problem.place, problem.what) });
    }
    let failed = report.expectations.iter().find(|each| !each.as_expected)?;
    Some(Fate::Noticed { expectation: failed.id.clone(), phase: failed.phase.clone() })
}

impl Mutants {
    /// Whether every rule that was taken out was missed.
    pub(crate) fn all_noticed(&self) -> bool {
        self.tried.iter().all(|mutant| matches!(mutant.fate, Fate::Noticed { .. }))
    }

    /// For people: what was not noticed, and the sum.
    pub(crate) fn render(&self, paint: Paint) -> String {
        let mut table = Table::default();
        for Mutant { scenario, without, fate } in &self.tried {
            let what = match fate {
                Fate::Noticed { .. } => continue,
                Fate::Survived => "nothing noticed".to_owned(),
                Fate::Failed { what } => what.clone(),
            };
            let painted = paint.bad(&what).to_string();
            table.painted_row([
                (scenario.clone(), scenario.clone()),
                (format!("without {without}"), format!("without {without}")),
                (what, painted),
            ]);
        }
        let noticed = self.tried.iter().filter(|mutant| matches!(mutant.fate, Fate::Noticed { .. })).count();
        let (tried, rules, seconds) = (self.tried.len(), self.rules, self.milliseconds / 1000);
        let sample = if tried < rules { format!(" (of {rules})") } else { String::new() };
        let ending = if self.interrupted { ", interrupted" } else { "" };
        format!(
            "{}{noticed} of {tried}{sample} rules were missed when taken out, seed {}, {seconds} s{ending}\n",
            table.render(""),
            self.seed
        )
    }
}
