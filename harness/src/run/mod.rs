//! `roadblock run`: a scenario is played phase by phase, measured, judged and reported.

mod canonical;
mod cell;
mod describe;
mod evidence;
mod failed;
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
pub(crate) use describe::{describe, probe_word, target_key};
pub(crate) use evidence::Measured;
pub(crate) use failed::{expected_words, ratio_words, write_failed};
pub(crate) use human::render;
#[cfg(test)]
pub(crate) use human::tests::report as made_up_report;
pub(crate) use plan::{PhasePlan, Selection, Strand};
pub(crate) use report::{Conclusion, Known, Seen, Word, schema};
pub(crate) use runner::{Limits, RunError, RunResult, play_one, run};
pub(crate) use seat::Seat;
pub(crate) use stop::Stop;
pub(crate) use table::Table;
