//! `roadblock matrix`: tools against the phases of many scenarios.
//!
//! A cell is one tool at one vantage in one phase of one scenario, played in a lab of its own. Its [`verdict::Verdict`] says what a
//! user of the tool would feel there; the [`Document`] holds all cells, and every reporter is made of it and of nothing else.

mod assemble;
mod baseline;
mod cells;
mod changes;
mod check;
mod check_host;
mod compare;
mod digest;
mod document;
mod github;
mod html;
mod human;
mod judge;
mod junit;
mod logs;
mod markdown;
mod model;
mod play;
mod pool;
mod programs;
mod reported;
#[cfg(test)]
mod reported_tests;
mod run;
mod target;
#[cfg(test)]
mod testing;
mod told;
mod verdict;

pub(crate) use baseline::{Baseline, schema as baseline_schema};
pub(crate) use cells::{Square, Subject};
pub(crate) use compare::compare;
pub(crate) use document::{Document, MatrixConclusion, schema};
pub(crate) use human::render;
pub(crate) use pool::usual_number_of_labs;
pub(crate) use run::{Order, run};
