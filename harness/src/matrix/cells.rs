//! Which cells there are.

use std::sync::Arc;

use roadblock_scenarios::model::{Name, Tool};
use roadblock_scenarios::{LoadedTool, Scenario};

use super::programs::Programs;
use crate::run::report::CONTROL;

/// A tool, and whether it can be run here.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// The tool file, as it was named.
    pub(crate) file: String,
    /// The tool, and what lies beside its file.
    pub(crate) loaded: LoadedTool,
    /// Why it is not run, if it is not.
    pub(crate) untried: Option<String>,
}

impl Subject {
    /// A tool that is run if its programs are installed.
    pub(crate) fn new(file: &str, loaded: LoadedTool) -> Self {
        let untried = loaded.tool.untried.clone().or_else(|| missing(&loaded.tool));
        Self { file: file.to_owned(), loaded, untried }
    }
}

/// Why a tool cannot be run for want of a program.
fn missing(tool: &Tool) -> Option<String> {
    let programs = Programs::here();
    let missing: Vec<&str> =
        tool.programs.iter().map(String::as_str).filter(|program| !programs.has(program)).collect();
    let are = if missing.len() == 1 { "is" } else { "are" };
    (!missing.is_empty()).then(|| format!("{} {are} not installed", missing.join(" and ")))
}

/// A phase of a scenario, at these vantages.
#[derive(Clone, Debug)]
pub(crate) struct Square {
    /// The scenario.
    pub(crate) scenario: Arc<Scenario>,
    /// The phase.
    pub(crate) phase: Name,
    /// The vantages.
    pub(crate) vantages: Vec<Name>,
}

/// A tool at a vantage in a phase.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// The tool.
    pub(super) subject: Arc<Subject>,
    /// Its place among the tools.
    pub(super) tool: usize,
    /// The scenario.
    pub(super) scenario: Arc<Scenario>,
    /// The phase.
    pub(super) phase: Name,
    /// The vantage.
    pub(super) vantage: Name,
    /// Whether it is played to know how the tool is where nothing is blocked, for all other cells of tool and scenario.
    pub(super) is_control: bool,
    /// Whether the tool is asked for its version there.
    pub(super) asks_version: bool,
}

/// All cells: tool by tool and square by square; and before the first of a tool and a scenario, one at the control vantage.
pub(super) fn cells(subjects: &[Arc<Subject>], squares: &[Square]) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    for (tool, subject) in subjects.iter().enumerate() {
        let mut last: Option<&Name> = None;
        for Square { scenario, phase, vantages } in squares {
            let cell = |vantage: &Name| Cell {
                subject: Arc::clone(subject),
                tool,
                scenario: Arc::clone(scenario),
                phase: Arc::clone(phase),
                vantage: Arc::clone(vantage),
                is_control: false,
                asks_version: false,
            };
            if last != Some(&scenario.id) {
                cells.push(Cell { is_control: true, asks_version: last.is_none(), ..cell(&CONTROL.into()) });
                last = Some(&scenario.id);
            }
            cells.extend(vantages.iter().map(cell));
        }
    }
    cells
}
