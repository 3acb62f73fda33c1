//! `roadblock run`: a scenario is played phase by phase, measured, judged and reported.

mod canonical;
mod cell;
mod describe;
mod evidence;
mod human;
mod judge;
mod phase;
mod plan;
mod repeat;
pub(crate) mod report;
mod runner;
mod seat;
mod stop;
mod table;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use canonical::{CanonicalEvent, canonical, word};
pub(crate) use cell::text as cell_text;
pub(crate) use describe::target_key;
#[cfg(test)]
pub(crate) use human::tests::report as made_up_report;
pub(crate) use human::{expected_words, ratio_words, render};
pub(crate) use plan::Selection;
pub(crate) use report::{Conclusion, Known, schema};
pub(crate) use runner::{RunError, RunResult, run};
pub(crate) use table::Table;
