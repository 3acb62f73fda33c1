//! Files that other files name.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::text;
use crate::diagnostic::DiagnosticKind;
use crate::source::SourceFile;

/// A file with what it takes to find others beside it.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    /// Its name and its text.
    pub(crate) source: Arc<SourceFile>,
    /// What tells it from other files: its place in the library, or its path without symbolic links.
    pub(crate) identity: String,
    /// The folder, without symbolic links, whose files it may name; none for a file of the library and for a text.
    pub(crate) folder: Option<Arc<Path>>,
    /// The same folder as a person would call it from where the first file was named.
    near: PathBuf,
}

impl Opened {
    /// A file that may name no files of a folder.
    pub(crate) fn alone(source: &Arc<SourceFile>) -> Self {
        Self { source: Arc::clone(source), identity: source.name().to_owned(), folder: None, near: PathBuf::new() }
    }

    /// A text that the user writes in the current folder.
    pub(crate) fn here(source: &Arc<SourceFile>) -> Self {
        let folder = fs::canonicalize(".").ok().map(Arc::from);
        Self { folder, ..Self::alone(source) }
    }

    /// A file that the user names; messages call it as `shown`.
    pub(crate) fn at(path: &Path, shown: &str) -> io::Result<Self> {
        let source = Arc::new(SourceFile::new(shown, &text(path)?));
        let place = fs::canonicalize(path)?;
        let folder = place.parent().map(Arc::from);
        let near = Path::new(shown).parent().unwrap_or(Path::new(""));
        // What lies beside it must not be called as a file of the library is.
        let near = if shown.starts_with(['/', '.']) { near.to_owned() } else { Path::new(".").join(near) };
        Ok(Self { source, identity: place.display().to_string(), folder, near })
    }
}

/// The file of this relative path, seen from the folder of another.
pub(crate) fn beside(from: &Opened, path: &str) -> Result<Opened, BesideError> {
    let folder = from.folder.as_deref().ok_or(BesideError::NoFolder)?;
    let place = place(folder, path)?;
    let text = text(&place).map_err(|error| BesideError::Unreadable(path.to_owned(), error))?;
    let shown = from.near.join(path.strip_prefix("./").unwrap_or(path));
    let source = Arc::new(SourceFile::new(&shown.display().to_string(), &text));
    let near = shown.parent().map(Path::to_owned).unwrap_or_default();
    let folder = place.parent().map(Arc::from);
    Ok(Opened { source, identity: place.display().to_string(), folder, near })
}

/// Where a relative path leads, if it stays below this folder, which has no symbolic links in it.
fn place(folder: &Path, path: &str) -> Result<PathBuf, BesideError> {
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if !Path::new(path).components().all(is_plain) {
        return Err(BesideError::Outside(path.to_owned()));
    }
    let unreadable = |error| BesideError::Unreadable(path.to_owned(), error);
    let place = fs::canonicalize(folder.join(path)).map_err(unreadable)?;
    if !place.starts_with(folder) {
        return Err(BesideError::Outside(path.to_owned()));
    }
    // A pipe would be waited for, and a device has no end.
    if !fs::metadata(&place).map_err(unreadable)?.is_file() {
        return Err(BesideError::NoFile(path.to_owned()));
    }
    Ok(place)
}

/// Why a file that another names is not read.
#[derive(Debug)]
pub(crate) enum BesideError {
    /// The file that names it has no folder.
    NoFolder,
    /// It would lie elsewhere.
    Outside(String),
    /// It is a folder, a device or a pipe.
    NoFile(String),
    /// It cannot be read.
    Unreadable(String, io::Error),
}

impl BesideError {
    /// Which sort of mistake it is.
    pub(crate) fn kind(&self) -> DiagnosticKind {
        match self {
            Self::NoFolder | Self::Outside(_) => DiagnosticKind::Outside,
            Self::NoFile(_) | Self::Unreadable(..) => DiagnosticKind::Unreadable,
        }
    }

    /// What to do.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::NoFolder => "name what the library has, as `ru/whatsapp-2026` or `@lists/meta-prefixes`",
            Self::Outside(_) => "a file may name only files beside it and below it: copy this one there",
            Self::NoFile(_) | Self::Unreadable(..) => {
                "write the path from the folder of the file that names it, as `./mine.txt`"
            }
        }
    }
}

impl std::fmt::Display for BesideError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoFolder => f.write_str("a file of the library has no files beside it"),
            Self::Outside(path) => write!(f, "`{path}` is outside the folder of the file that names it"),
            Self::NoFile(path) => write!(f, "`{path}` is no file"),
            Self::Unreadable(path, error) => write!(f, "`{path}` cannot be read: {error}"),
        }
    }
}
