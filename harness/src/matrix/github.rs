//! What GitHub shows of a matrix with the job.

use super::changes::{before_and_now, consequence};
use super::compare::Changes;
use super::document::Document;
use super::told::felt;
use super::verdict::Verdict;
use crate::report::github::{Annotation, Level};

/// Without a baseline what is broken; with one what differs from it. A tool file is what they are about.
pub(super) fn annotations(document: &Document) -> Vec<Annotation> {
    let file = |name: &str| document.tools.iter().find(|tool| tool.name == name).map(|tool| (tool.file.clone(), 1));
    if let Some(changes) = &document.changes {
        return of_changes(changes, &file);
    }
    let is_broken = |verdict: &Verdict| matches!(verdict, Verdict::Broken { .. } | Verdict::Invalid { .. });
    let broken = document.cells.iter().filter(|cell| is_broken(&cell.verdict));
    let annotation = |cell: &super::document::CellEntry| Annotation {
        level: Level::Error,
        place: file(&cell.tool),
        title: format!("{} in {}", cell.tool, cell.place()),
        message: felt(cell),
    };
    broken.map(annotation).collect()
}

fn of_changes(changes: &Changes, file: &impl Fn(&str) -> Option<(String, u32)>) -> Vec<Annotation> {
    let told = changes.cells.iter().filter(|change| change.now.is_some() && change.before.is_some());
    let annotation = |change: &super::compare::CellChange| Annotation {
        level: if change.kind.is_failure() { Level::Error } else { Level::Notice },
        place: file(&change.tool),
        title: format!("{}: {} in {}", change.kind.as_str(), change.tool, change.place),
        message: format!("{} ({})", before_and_now(change), consequence(change.kind)),
    };
    told.map(annotation).collect()
}
