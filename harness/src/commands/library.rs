//! The library and the scenarios in it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use roadblock_scenarios::{Library, Scenario, load_with};

use super::trust;
use crate::ctl::Reread;
use crate::diagnostics;
use crate::output::{self, Paint};

/// Why the library cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the library `{}`: {cause}", path.display())]
pub(crate) struct LibraryError {
    path: PathBuf,
    cause: io::Error,
}

/// The built-in library, with the files below a path before it.
pub(super) fn open(path: Option<&Path>) -> Result<Library, LibraryError> {
    match path {
        None => Ok(Library::embedded()),
        Some(path) => Library::at(path).map_err(|cause| LibraryError { path: path.to_owned(), cause }),
    }
}

/// A scenario to build a lab of; what is wrong with it, or that a stranger's commands are not allowed, was said where there is
/// none.
pub(super) fn runnable(
    library: &Library,
    argument: &str,
    set: &[String],
    allow_commands: bool,
) -> Option<Arc<Scenario>> {
    let scenario = scenario_with(library, argument, set)?;
    match trust::admit(scenario, allow_commands) {
        Ok(scenario) => Some(scenario),
        Err(refusal) => {
            output::error(&refusal, Some(trust::HELP));
            None
        }
    }
}

/// What reads such a scenario again, as its files are then.
pub(super) fn again(library: &Library, argument: &str, set: &[String], allow_commands: bool) -> Reread {
    let (library, argument, set) = (library.clone(), argument.to_owned(), set.to_owned());
    Box::new(move || {
        let library = library.again().map_err(|cause| format!("failed to read the library: {cause}"))?;
        let scenario = load_with(&argument, &set, &library).map_err(|errors| diagnostics::render(&errors, false))?;
        trust::admit(Arc::new(scenario), allow_commands).map_err(|refusal| format!("{refusal}\n{}", trust::HELP))
    })
}

/// A scenario with its own values; what is wrong with it was said where there is none.
pub(super) fn scenario(library: &Library, argument: &str) -> Option<Arc<Scenario>> {
    scenario_with(library, argument, &[])
}

/// The same, with some of its parameters set.
pub(super) fn scenario_with(library: &Library, argument: &str, set: &[String]) -> Option<Arc<Scenario>> {
    match load_with(argument, set, library) {
        Ok(scenario) => Some(Arc::new(scenario)),
        Err(errors) => {
            output::notice(diagnostics::render(&errors, Paint::for_stderr().is_coloured()));
            None
        }
    }
}
