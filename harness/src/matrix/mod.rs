//! `roadblock matrix`: tools against the phases of many scenarios.
//!
//! A cell is one tool at one vantage in one phase of one scenario. Its [`verdict::Verdict`] says what a user of the tool would feel
//! there; the [`document::Document`] holds all cells, and every reporter is made of it and of nothing else.

mod document;
mod verdict;

pub(crate) use document::schema;
