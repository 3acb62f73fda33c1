//! `roadblock dataset`.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use roadblock_emulator::sandbox;
use roadblock_scenarios::{Library, load};

use super::{ended, print, print_json};
use crate::cli::{DatasetArguments, Format};
use crate::dataset::{self, Cell, Drawn, Manifest, Played};
use crate::output;
use crate::status;
use crate::suite::Pool;

/// Makes labelled measurements of the library.
pub(super) fn dataset(library: &Library, arguments: &DatasetArguments) -> u8 {
    let cells = match cells(library, &arguments.scenarios) {
        Ok(cells) if cells.is_empty() => {
            output::error("no scenario fits", Some("`roadblock list` names them"));
            return status::USAGE;
        }
        Ok(cells) => cells,
        Err(error) => {
            output::error(error, None);
            return status::USAGE;
        }
    };
    let drawn = match arguments.count {
        Some(count) => dataset::draw(&cells, usize::try_from(count.get()).unwrap_or(usize::MAX), arguments.seed),
        None => dataset::each_phase(&cells, arguments.seed),
    };
    let files = match arguments.out.as_deref().map(open).transpose() {
        Ok(files) => files,
        Err(error) => {
            output::error(format_args!("failed to open the files of the set: {error}"), None);
            return status::USAGE;
        }
    };
    ended(sandbox::run(|| inside(&drawn, arguments, files)))
}

/// Every page of the scenarios that fit; those that run commands of their own are left out.
fn cells(library: &Library, patterns: &[String]) -> Result<Vec<Cell>, String> {
    let mut cells = Vec::new();
    for id in library.ids().filter(|id| patterns.is_empty() || patterns.iter().any(|pattern| fits(id, pattern))) {
        let scenario = load(id, library).map_err(|mistakes| mistakes.to_string())?;
        if scenario.commands().next().is_none() {
            cells.extend(dataset::cells(&Arc::new(scenario)));
        }
    }
    Ok(cells)
}

/// Whether a text fits a pattern, in which `*` stands for any text.
fn fits(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((before, rest)) => text.strip_prefix(before).is_some_and(|left| {
            left.char_indices().map(|(at, _)| at).chain([left.len()]).any(|at| fits(&left[at..], rest))
        }),
    }
}

/// The files of a set, opened outside the lab, where a path means what its user means by it.
struct Files {
    measurements: File,
    manifest: File,
}

fn open(folder: &Path) -> io::Result<Files> {
    std::fs::create_dir_all(folder)?;
    let create = |name: &str| File::create(folder.join(name));
    Ok(Files { measurements: create("measurements.jsonl")?, manifest: create("manifest.json")? })
}

/// In the lab process.
fn inside(drawn: &[Drawn], arguments: &DatasetArguments, files: Option<Files>) -> u8 {
    let labs = arguments.labs.map_or_else(Pool::usual_number_of_labs, |labs| usize::from(labs.get()));
    let count = drawn.len();
    let told = |done: usize| output::progress_on_terminal(format_args!("{done} of {count} measurements"));
    let played = dataset::play(drawn, labs, &told);
    output::progress_ends();
    let manifest = Manifest::new(arguments.seed, drawn, &played);
    let measurements: Vec<_> = played.iter().filter_map(|each| each.as_ref().ok()).collect();
    let status = if manifest.problems.is_empty() { status::OK } else { status::OWN_FAULT };
    match put(&measurements, &manifest, files, arguments.format, status) {
        Ok(status) => status,
        Err(error) => {
            output::error(format_args!("failed to write the set: {error}"), None);
            status::OWN_FAULT
        }
    }
}

fn put(played: &[&Played], manifest: &Manifest, files: Option<Files>, format: Format, status: u8) -> io::Result<u8> {
    let lines: Vec<_> = played.iter().map(|each| &each.measurement).collect();
    let Some(mut files) = files else {
        output::lines(&mut io::stdout().lock(), &lines)?;
        output::notice(manifest.summary());
        return Ok(status);
    };
    output::lines(&mut files.measurements, &lines)?;
    serde_json::to_writer_pretty(&mut files.manifest, manifest)?;
    Ok(match format {
        Format::Human => print(&manifest.summary(), status),
        Format::Json => print_json(manifest, status),
    })
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_is_any_text() {
        assert!(fits("ru/whatsapp-2026", "ru/*") && fits("ru/a", "*/a") && fits("a", "*") && fits("a/b/c", "a*b*c"));
        assert!(!fits("ir/dns", "ru/*") && !fits("ru/a", "ru/") && !fits("", "a"));
    }
}
