//! A matrix from beginning to end.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use roadblock_scenarios::Library;
use tokio::time::Instant;

use super::assemble::Given;
use super::cells::{Square, Subject, cells};
use super::document::Document;
use super::logs;
use super::play::Playing;
use super::pool::{Event, play_all};
use crate::output;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order<'a> {
    /// The tools.
    pub(crate) subjects: &'a [Arc<Subject>],
    /// The phases.
    pub(crate) squares: &'a [Square],
    /// How many labs there are at a time.
    pub(crate) labs: usize,
    /// What all chance comes from.
    pub(crate) seed: u64,
    /// How long a cell may take.
    pub(crate) timeout: Duration,
    /// Where logs go.
    pub(crate) out: Option<&'a Path>,
    /// The library.
    pub(crate) library: &'a Library,
}

/// In the lab process: plays all cells.
pub(crate) fn run(order: Order<'_>) -> std::io::Result<Document> {
    let began = Instant::now();
    let Order { subjects, squares, labs, seed, timeout, out, library } = order;
    let cells = cells(subjects, squares);
    let mut done = 0;
    let mut running = 0_usize;
    let played = play_all(&cells, labs, Playing { seed, timeout }, |event| {
        match event {
            Event::Started => running += 1,
            Event::Finished(..) => {
                done += 1;
                running -= 1;
            }
        }
        output::progress_on_terminal(format_args!("{done} of {} cells, {running} labs", cells.len()));
    });
    output::progress_ends();
    let mut logs = BTreeMap::new();
    if let Some(directory) = out {
        for (place, (cell, played)) in cells.iter().zip(&played).enumerate() {
            if let Some(played) = played {
                logs.insert(place, logs::write(directory, cell, played)?);
            }
        }
    }
    let given = Given { subjects, squares, cells: &cells, played: &played, logs: &logs, seed, took: began.elapsed() };
    Ok(given.document(library))
}
