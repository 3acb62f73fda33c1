//! `roadblock test`: the expectations of many scenarios, many labs side by side.
//!
//! A [`Unit`] is one phase of one scenario, played in a lab of its own. The [`pool`] plays units and tells what happens as
//! [`event::Event`]s; every reporter, and the [`Document`] that a program reads, is made of these and of nothing else.

mod document;
mod event;
mod filter;
mod github;
mod html;
mod human;
mod junit;
mod markdown;
mod merge;
#[cfg(test)]
mod merge_tests;
mod mutate;
mod partition;
mod pool;
mod progress;
mod reported;
#[cfg(test)]
mod reported_tests;
mod rerun;
mod unit;
mod unsupported;

pub(crate) use document::{Asked, Document, schema};
pub(crate) use filter::{ChooseError, Filter, Subject, choose};
pub(crate) use human::render;
pub(crate) use merge::{MergeError, Part, merge};
pub(crate) use mutate::{Mutants, mutate};
pub(crate) use partition::Partition;
pub(crate) use pool::{Pool, play};
pub(crate) use progress::Progress;
pub(crate) use rerun::Former;
pub(crate) use unit::{Unit, units};
pub(crate) use unsupported::Unsupported;
