//! The only module of this crate that reads files.
//!
//! What the user names is read as it is. What a file names is read only where it lies beside that file or below: a scenario
//! from a stranger must not be able to look around on the machine that runs it.

mod beside;

use std::fs;
use std::io::{self, Read};
use std::path::Path;

pub(crate) use beside::{BesideError, Opened, beside};

/// A scenario is written by hand and a list of a million names is some twenty megabytes.
const LIMIT: u64 = 64 << 20;

/// How deep a library's folders may lie.
const DEPTH: usize = 4;

/// Folders of this crate's own directory that hold no documents of the library; tools are read apart, with all that lies beside them.
const FOREIGN: &[&str] = &["examples", "src", "tests", "target", TOOLS];

/// The library's folder of tools.
pub(crate) const TOOLS: &str = "tools";

/// A file's text.
pub(crate) fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = fs::File::open(path)?.take(LIMIT + 1).read_to_string(&mut text)?;
    if read as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 64 MiB"));
    }
    Ok(text)
}

/// The `.toml`, `.txt` and `.hex` files below a folder: the path from there, with `/`, and the text.
pub(crate) fn folder(root: &Path) -> io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    walk(&fs::canonicalize(root)?, root, "", DEPTH, &mut files)?;
    Ok(files)
}

fn walk(root: &Path, folder: &Path, prefix: &str, depth: usize, files: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let is_folder = entry.file_type()?.is_dir();
        if name.starts_with('.') || (prefix.is_empty() && (FOREIGN.contains(&&*name) || name == "Cargo.toml")) {
            continue;
        }
        if is_folder && depth > 0 {
            walk(root, &entry.path(), &format!("{path}/"), depth - 1, files)?;
        } else if !is_folder && is_part(&entry.path()) {
            if !fs::canonicalize(entry.path())?.starts_with(root) {
                return Err(io::Error::other(format!("`{path}` is a symbolic link that leads out of the library")));
            }
            files.push((path, text(&entry.path())?));
        }
    }
    Ok(())
}

/// Whether a file is one that a library holds: a document, a list, or captured bytes.
pub(crate) fn is_part(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml" || extension == "txt" || extension == "hex")
}
