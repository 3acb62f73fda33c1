//! What the reports of all commands are made of, and the picture of a run: its packets as sequences, and all of it as a page.

mod describe;
mod flows;
pub(crate) mod github;
pub(crate) mod html;
pub(crate) mod markdown;
mod output_file;
mod reported;

pub(crate) use flows::{Flow, flows};
pub(crate) use html::page;
pub(crate) use output_file::{OutputFile, OutputFileError};
pub(crate) use reported::Reported;
