//! The logs of a matrix, below a directory.

use std::fs;
use std::io;
use std::path::Path;

use super::cells::Cell;
use super::play::Played;

/// Writes what servers, client and check of a cell have said; their paths from the directory.
pub(super) fn write(directory: &Path, cell: &Cell, played: &Played) -> io::Result<Vec<String>> {
    let tool = &cell.subject.loaded.tool.name;
    let vantage = if cell.is_control { "control-run" } else { &*cell.vantage };
    // The id of a file of the user's may be anything.
    let scenario: String = cell.scenario.id.chars().map(|each| if each == '/' { '.' } else { each }).collect();
    let folder = format!("logs/{tool}/{scenario}@{}/{vantage}", cell.phase);
    fs::create_dir_all(directory.join(&folder))?;
    let mut paths = Vec::new();
    for (name, text) in &played.logs {
        let path = format!("{folder}/{name}");
        fs::write(directory.join(&path), text)?;
        paths.push(path);
    }
    Ok(paths)
}
