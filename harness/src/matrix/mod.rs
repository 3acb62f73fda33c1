//! `roadblock matrix`: tools against the phases of many scenarios.
//!
//! A cell is one tool at one vantage in one phase of one scenario, played in a lab of its own. Its [`verdict::Verdict`] says what a
//! user of the tool would feel there; the [`Document`] holds all cells, and every reporter is made of it and of nothing else.

mod assemble;
mod cells;
mod check;
mod check_host;
mod digest;
mod document;
mod human;
mod judge;
mod logs;
mod play;
mod pool;
mod run;
mod target;
mod verdict;

pub(crate) use cells::{Square, Subject};
pub(crate) use document::{Document, MatrixConclusion, schema};
pub(crate) use human::render;
pub(crate) use pool::usual_number_of_labs;
pub(crate) use run::{Order, run};
