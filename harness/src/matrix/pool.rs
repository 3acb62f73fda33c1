//! Many labs side by side.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use super::cells::Cell;
use super::play::{Fate, Played, Playing, play};

/// How many labs there are at a time where nobody says: a cell mostly waits.
pub(crate) fn usual_number_of_labs() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get) * LABS_PER_PROCESSOR
}

/// Without optimisation ciphers and parsers keep a lab busy.
const LABS_PER_PROCESSOR: usize = if cfg!(debug_assertions) { 3 } else { 8 };

/// What happens, in order; cells are called by their place.
pub(super) enum Event {
    /// A cell is being played.
    Started,
    /// A cell was played.
    Finished(usize, Box<Played>),
}

/// Plays all cells, and gives for each what it gave; nothing for those that were not begun.
pub(super) fn play_all(
    cells: &[Cell],
    labs: usize,
    playing: Playing,
    mut tell: impl FnMut(&Event),
) -> Vec<Option<Played>> {
    let (next, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    let mut all: Vec<Option<Played>> = cells.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        for _ in 0..labs.min(cells.len()) {
            let (sender, next, ended) = (sender.clone(), &next, &ended);
            scope.spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(cell) = cells.get(place) else { return };
                    // Who listens is there until all workers have ended.
                    let _ = sender.send(Event::Started);
                    let played = play(cell, place, playing);
                    if played.fate == Fate::Interrupted {
                        ended.store(true, Ordering::Relaxed);
                    }
                    let _ = sender.send(Event::Finished(place, Box::new(played)));
                }
            });
        }
        drop(sender);
        for event in receiver {
            tell(&event);
            if let Event::Finished(place, played) = event {
                all[place] = Some(*played);
            }
        }
    });
    all
}
