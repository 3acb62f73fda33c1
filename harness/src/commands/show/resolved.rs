//! `roadblock show --resolved`: the whole scenario, and where each value came from.

use roadblock_scenarios::{Library, Resolved, resolved};
use serde::Serialize;

use crate::cli::{Format, ShowArguments};
use crate::commands::{print, print_json};
use crate::diagnostics;
use crate::output::{self, Paint};
use crate::status;

/// `roadblock.resolved/1`.
#[derive(Serialize)]
struct Document {
    schema: &'static str,
    #[serde(flatten)]
    resolved: Resolved,
}

/// Prints it, as a scenario file or as a list of values.
pub(super) fn show(library: &Library, arguments: &ShowArguments) -> u8 {
    let ShowArguments { scenario, parameters, phase, format, .. } = arguments;
    match resolved(scenario, &parameters.set, phase.as_deref(), library) {
        Ok(resolved) => match format {
            Format::Human => print(&resolved.toml, status::OK),
            Format::Json => print_json(&Document { schema: "roadblock.resolved/1", resolved }, status::OK),
        },
        Err(errors) => {
            output::notice(diagnostics::render(&errors, Paint::for_stderr().is_coloured()));
            status::USAGE
        }
    }
}
