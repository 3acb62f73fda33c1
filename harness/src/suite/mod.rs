//! `roadblock test`: the expectations of many scenarios, many labs side by side.
//!
//! A [`Unit`] is one phase of one scenario, played in a lab of its own. The [`pool`] plays units and tells what happens as
//! [`event::Event`]s; every reporter, and the [`Document`] that a program reads, is made of these and of nothing else.

mod document;
mod event;
mod filter;
mod human;
mod junit;
mod merge;
#[cfg(test)]
mod merge_tests;
mod mutate;
mod partition;
mod pool;
mod progress;
mod unit;

pub(crate) use document::{Document, schema};
pub(crate) use filter::{ChooseError, Filter, Subject, choose};
pub(crate) use human::render;
pub(crate) use junit::junit;
pub(crate) use merge::{MergeError, Part, merge};
pub(crate) use mutate::{Mutants, mutate};
pub(crate) use partition::Partition;
pub(crate) use pool::{Pool, play};
pub(crate) use progress::Progress;
pub(crate) use quick_junit::SerializeError;
pub(crate) use unit::{Unit, units};
