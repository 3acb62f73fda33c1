//! From what the cells gave to the document.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use roadblock_scenarios::model::Name;
use roadblock_scenarios::{Library, Scenario};

use super::cells::{Cell, Square, Subject};
use super::check::PartResult;
use super::digest::{folder_digest, library_digest};
use super::document::{
    CellEntry, Document, MatrixConclusion, Part, PartEntry, PhaseEntry, RawEntry, SCHEMA, ToolEntry, milliseconds,
};
use super::judge::{Beside, did_it, judge, rules};
use super::model::model_digest;
use super::play::{Fate, Played};
use super::verdict::Verdict;
use crate::run::report::Known;

/// What a matrix gave.
pub(super) struct Given<'a> {
    /// The tools.
    pub(super) subjects: &'a [Arc<Subject>],
    /// The phases.
    pub(super) squares: &'a [Square],
    /// The cells, with those at the control vantage.
    pub(super) cells: &'a [Cell],
    /// What each gave.
    pub(super) played: &'a [Option<Played>],
    /// Where the logs of each are, below the directory for them.
    pub(super) logs: &'a BTreeMap<usize, Vec<String>>,
    /// What all chance came from.
    pub(super) seed: u64,
    /// How long it took.
    pub(super) took: Duration,
}

impl Given<'_> {
    /// The document.
    pub(super) fn document(&self, library: &Library) -> Document {
        let controls = self.controls();
        let cells: Vec<CellEntry> = self
            .cells
            .iter()
            .enumerate()
            .filter(|(_, cell)| !cell.is_control)
            .map(|(place, cell)| self.entry(place, cell, controls.get(&(cell.tool, Name::clone(&cell.scenario.id)))))
            .collect();
        Document {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            library: library_digest(library),
            seed: self.seed,
            milliseconds: milliseconds(self.took),
            conclusion: self.conclusion(&cells),
            tools: self.tools(),
            phases: self.squares.iter().map(phase_entry).collect(),
            cells,
            changes: None,
        }
    }

    fn controls(&self) -> BTreeMap<(usize, Name), Control> {
        let pairs = self.cells.iter().zip(self.played).filter(|(cell, _)| cell.is_control);
        pairs
            .filter_map(|(cell, played)| {
                Some(((cell.tool, Name::clone(&cell.scenario.id)), Control::of(played.as_ref()?)))
            })
            .collect()
    }

    fn tools(&self) -> Vec<ToolEntry> {
        let version = |tool: usize| {
            let asked = self.cells.iter().zip(self.played).find(|(cell, _)| cell.tool == tool && cell.asks_version);
            asked.and_then(|(_, played)| played.as_ref()?.version.clone())
        };
        let entry = |(tool, subject): (usize, &Arc<Subject>)| ToolEntry {
            name: subject.loaded.tool.name.to_string(),
            file: subject.file.clone(),
            about: subject.loaded.tool.about.clone(),
            digest: folder_digest(&subject.loaded.folder),
            version: version(tool),
        };
        self.subjects.iter().enumerate().map(entry).collect()
    }

    fn conclusion(&self, cells: &[CellEntry]) -> MatrixConclusion {
        let interrupted = self.played.iter().any(|played| match played {
            None => true,
            Some(played) => played.fate == Fate::Interrupted,
        });
        if interrupted {
            MatrixConclusion::Interrupted
        } else if cells.iter().any(|cell| matches!(cell.verdict, Verdict::Invalid { .. })) {
            MatrixConclusion::Invalid
        } else {
            MatrixConclusion::Measured
        }
    }

    fn entry(&self, place: usize, cell: &Cell, control: Option<&Control>) -> CellEntry {
        let played = self.played.get(place).and_then(Option::as_ref);
        let phase = phase_of(&cell.scenario, &cell.phase);
        let mut entry = CellEntry {
            tool: cell.subject.loaded.tool.name.to_string(),
            scenario: cell.scenario.id.to_string(),
            phase: cell.phase.to_string(),
            vantage: cell.vantage.to_string(),
            date: phase.0,
            model: model_digest(&cell.scenario, &cell.phase, &cell.vantage),
            grade: phase.1,
            verdict: Verdict::Untried { reason: NOT_BEGUN.to_owned() },
            by: Vec::new(),
            fired: Vec::new(),
            parts: Vec::new(),
            notes: Vec::new(),
            logs: self.logs.get(&place).cloned().unwrap_or_default(),
            milliseconds: 0,
        };
        if let Some(played) = played {
            fill(&mut entry, played, control);
        }
        entry
    }
}

/// What a tool gave at the control vantage.
enum Control {
    /// It works there, at these speeds: from the server and to it, in kilobits a second.
    Works { speeds: Option<(u64, u64)> },
    /// It does not.
    Broken(String),
    /// Nobody knows.
    Unknown(String),
}

impl Control {
    fn of(played: &Played) -> Self {
        match &played.fate {
            Fate::NotStarted(reason) => return Self::Broken(reason.clone()),
            Fate::Untried(reason) => return Self::Unknown(reason.clone()),
            Fate::Invalid(reason) => return Self::Unknown(format!("the run at the control vantage: {reason}")),
            Fate::Interrupted => return Self::Unknown(NOT_BEGUN.to_owned()),
            Fate::Measured => {}
        }
        let judged = judge(&played.parts, Beside { connected: played.connected, control: None });
        if judged.verdict == Verdict::Works {
            let speed = |wanted: Part| played.parts.iter().find(|each| each.part == wanted)?.kilobits_per_second;
            return Self::Works { speeds: speed(Part::Download).zip(speed(Part::Upload)) };
        }
        let parts = played.parts.iter().filter(|each| judged.rests_on.contains(&each.part));
        let why = parts.filter_map(|part| part.how.clone().or_else(|| part.failure.as_ref().map(ToString::to_string)));
        let why: Vec<String> = why.collect();
        let notes = played.notes.iter().filter(|note| note.contains("ended"));
        let why: Vec<String> = why.into_iter().chain(notes.cloned()).collect();
        Self::Broken(format!("at the control vantage: {} ({})", judged.verdict, why.join("; ")))
    }
}

fn fill(entry: &mut CellEntry, played: &Played, control: Option<&Control>) {
    entry.milliseconds = milliseconds(played.took);
    entry.notes.clone_from(&played.notes);
    entry.fired = rules(played.events.iter().map(|each| &each.event));
    entry.parts = played.parts.iter().map(part_entry).collect();
    entry.verdict = match (&played.fate, control) {
        (Fate::Untried(reason), _) => Verdict::Untried { reason: reason.clone() },
        (Fate::NotStarted(reason), _) | (Fate::Measured | Fate::Invalid(_), Some(Control::Broken(reason))) => {
            Verdict::Broken { reason: reason.clone() }
        }
        (Fate::Invalid(reason), _) | (Fate::Measured, Some(Control::Unknown(reason))) => {
            Verdict::Invalid { reason: reason.clone() }
        }
        (Fate::Interrupted, _) | (Fate::Measured, None) => Verdict::Untried { reason: NOT_BEGUN.to_owned() },
        (Fate::Measured, Some(Control::Works { speeds })) => {
            let judged = judge(&played.parts, Beside { connected: played.connected, control: *speeds });
            entry.by = did_it(&judged, &played.parts);
            if judged.verdict != Verdict::Works && entry.by.is_empty() {
                entry.notes.push("no rule of the scenario did it".to_owned());
            }
            judged.verdict
        }
    };
    if let Some(worst) = entry.by.iter().map(|rule| rule.grade).max() {
        entry.grade = Some(worst);
    }
}

fn part_entry(part: &PartResult) -> PartEntry {
    PartEntry {
        part: part.part,
        end: part.end,
        failure: part.failure.as_ref().map(ToString::to_string),
        how: part.how.clone(),
        by: rules(part.events.iter().map(|each| &each.event)).into_iter().map(|rule| rule.by).collect(),
        raw: RawEntry {
            of: part.of,
            done: part.done,
            kilobits_per_second: part.kilobits_per_second,
            milliseconds: milliseconds(part.took),
        },
    }
}

fn phase_entry(square: &Square) -> PhaseEntry {
    let (date, grade) = phase_of(&square.scenario, &square.phase);
    PhaseEntry {
        scenario: square.scenario.id.to_string(),
        title: square.scenario.title.clone(),
        phase: square.phase.to_string(),
        phase_title: square.scenario.phase(&square.phase).and_then(|phase| phase.title.clone()),
        date,
        grade,
    }
}

/// When a phase began, and how far the least known of what can act in it is known.
fn phase_of(scenario: &Scenario, phase: &str) -> (Option<String>, Option<Known>) {
    let Some(phase) = scenario.phase(phase) else { return (None, None) };
    let active = phase.rules().into_iter().filter(|rule| rule.active).map(|rule| Known::from(rule.grade));
    (phase.date.clone(), active.max())
}

const NOT_BEGUN: &str = "the matrix was ended before";
