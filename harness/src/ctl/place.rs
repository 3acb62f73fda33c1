//! Where the sockets of labs are: a directory of the user's own.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use roadblock_emulator::sandbox::{self, Door, Visitors};

use super::protocol::{Answer, Reason, Reply};

/// Why a lab cannot be reached from outside.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    /// The directory cannot be made.
    #[error("failed to make the directory `{}`: {cause}", path.display())]
    Make {
        /// The directory.
        path: PathBuf,
        /// What the kernel said.
        cause: io::Error,
    },
    /// Something else is there, or somebody else's.
    #[error("`{}` is not a directory that only you can enter; remove it", path.display())]
    NotOurs {
        /// The directory.
        path: PathBuf,
    },
    /// The socket cannot be made.
    #[error("failed to make the socket `{}`: {cause}", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the kernel said.
        cause: io::Error,
    },
}

/// A new lab's name, its door and what comes in by it. Must be called before the process has a second thread.
pub(crate) fn open() -> Result<(String, Door, Visitors), PlaceError> {
    let mut failed = None;
    for directory in directories() {
        match open_in(&directory) {
            Ok(opened) => return Ok(opened),
            // Where there is another place to try, it is tried.
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    Err(failed.unwrap_or(PlaceError::NotOurs { path: PathBuf::from("/tmp") }))
}

/// The sockets of the labs that live, by name. Those of the dead are removed.
pub(crate) fn living() -> Vec<(String, UnixStream)> {
    let mut found = Vec::new();
    for directory in directories() {
        if verify(&directory).is_err() {
            continue;
        }
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_none_or(|extension| extension != EXTENSION) {
                continue;
            }
            let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
            match UnixStream::connect(&path) {
                Ok(stream) => found.push((name.to_owned(), stream)),
                // A socket listens from the moment it has its name, so nobody will ever listen here again.
                Err(cause) if cause.kind() == io::ErrorKind::ConnectionRefused => {
                    let _ = fs::remove_file(&path);
                }
                Err(_) => {}
            }
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

/// Where sockets may be, the best place first.
fn directories() -> Vec<PathBuf> {
    let user = sandbox::user();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let mut directories: Vec<PathBuf> = runtime.into_iter().map(|path| path.join("roadblock")).collect();
    directories.push(PathBuf::from(format!("/tmp/roadblock-{user}")));
    directories
}

fn open_in(directory: &Path) -> Result<(String, Door, Visitors), PlaceError> {
    make(directory)?;
    let name = new_name(directory);
    let path = directory.join(format!("{name}.{EXTENSION}"));
    match Door::open(&path, refusal()) {
        Ok((door, visitors)) => Ok((name, door, visitors)),
        Err(cause) => Err(PlaceError::Socket { path, cause }),
    }
}

fn make(directory: &Path) -> Result<(), PlaceError> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Ok(()) => {}
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
        Err(cause) => return Err(PlaceError::Make { path: directory.to_owned(), cause }),
    }
    verify(directory)
}

/// In /tmp anybody can make a directory of any name: what is there must be ours alone.
fn verify(directory: &Path) -> Result<(), PlaceError> {
    let not_ours = || PlaceError::NotOurs { path: directory.to_owned() };
    let found = fs::symlink_metadata(directory).map_err(|_| not_ours())?;
    let is_ours = found.is_dir() && found.uid() == sandbox::user() && found.permissions().mode() & 0o777 == 0o700;
    if is_ours { Ok(()) } else { Err(not_ours()) }
}

/// Four letters that are easily typed, and of no lab that is there.
fn new_name(directory: &Path) -> String {
    use std::hash::{BuildHasher, Hasher};
    loop {
        // The standard library's own source of chance; nothing that a lab does depends on it.
        let mut number = std::hash::RandomState::new().build_hasher().finish();
        let letter = |_| {
            let letter = LETTERS[usize::try_from(number % LETTERS.len() as u64).unwrap_or(0)];
            number /= LETTERS.len() as u64;
            char::from(letter)
        };
        let name: String = (0..4).map(letter).collect();
        if !directory.join(format!("{name}.{EXTENSION}")).exists() {
            return name;
        }
    }
}

/// What another user is told.
fn refusal() -> Vec<u8> {
    let refused = Reply::new(Answer::refused(Reason::Refused, "this lab belongs to another user"));
    serde_json::to_vec(&refused).map(|line| [line, b"\n".to_vec()].concat()).unwrap_or_default()
}

const EXTENSION: &str = "sock";
/// Without vowels there are no words, and without those that look like others no mistakes.
const LETTERS: &[u8] = b"bcdfghjkmnpqrstvwxz";
