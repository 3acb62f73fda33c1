//! `roadblock list`.

use roadblock_scenarios::{Library, load};
use serde::Serialize;

use super::{print, print_json};
use crate::cli::Format;
use crate::output::{self, Paint};
use crate::run::Table;
use crate::status;

/// `roadblock.list/1`.
#[derive(Serialize)]
struct Document {
    schema: &'static str,
    scenarios: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    id: String,
    title: String,
    phases: Vec<String>,
    vantages: Vec<String>,
}

/// Lists the library's scenarios.
pub(super) fn list(library: &Library, format: Format) -> u8 {
    let mut scenarios = Vec::new();
    let mut status = status::OK;
    for id in library.ids() {
        match entry(library, id) {
            Some(entry) => scenarios.push(entry),
            None => status = status::USAGE,
        }
    }
    match format {
        Format::Human => print(&human(&scenarios, Paint::for_stdout()), status),
        Format::Json => print_json(&Document { schema: "roadblock.list/1", scenarios }, status),
    }
}

/// A scenario's line; one that is wrong is named with the way to learn more.
fn entry(library: &Library, id: &str) -> Option<Entry> {
    let Ok(scenario) = load(id, library) else {
        output::error(format_args!("`{id}` has errors"), Some(&format!("`roadblock check {id}` says which")));
        return None;
    };
    Some(Entry {
        id: id.to_owned(),
        title: scenario.title.clone(),
        phases: scenario.phases.iter().map(|phase| phase.id.to_string()).collect(),
        vantages: scenario.vantages.iter().map(|vantage| vantage.name.to_string()).collect(),
    })
}

fn human(scenarios: &[Entry], paint: Paint) -> String {
    let mut table = Table::default();
    table.headings(paint, ["scenario", "title", "phases"]);
    for Entry { id, title, phases, .. } in scenarios {
        table.row([&**id, title, &phases.join(", ")]);
    }
    table.render("")
}
