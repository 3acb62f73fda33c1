//! The picture of a run: its packets as sequences, and all of it as a page.

mod describe;
mod flows;
mod html;

pub(crate) use flows::{Flow, flows};
pub(crate) use html::page;
