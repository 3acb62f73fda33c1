//! What one command leaves for the next: under `$XDG_STATE_HOME/roadblock`, else `~/.local/state/roadblock` (XDG Base
//! Directory Specification 0.8).

use std::path::PathBuf;

use crate::report::{OutputFile, OutputFileError};

/// Where the document of the last test lies; nowhere for those who have no home.
pub(super) fn last_test() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path: &PathBuf| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("roadblock/last-test.json"))
}

/// The file for the document of this test. Where none can be kept nothing is lost but `--rerun`.
pub(super) fn keep_test() -> Option<OutputFile> {
    let path = last_test()?;
    std::fs::create_dir_all(path.parent()?).ok()?;
    let file: Result<OutputFile, OutputFileError> = OutputFile::replace(&path);
    file.ok()
}
