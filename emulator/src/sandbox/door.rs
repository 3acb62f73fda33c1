//! The way into a running lab: a Unix socket outside of it.
//!
//! The outer process listens, because the lab has its own mounts and its own ids. It admits nobody but the user it belongs to,
//! whom the kernel names (`SO_PEERCRED`), and hands the connection to the lab. What is said on it is the lab's affair.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs;
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::{Uid, geteuid};

use crate::kernel::descriptors;

/// The outer process's side of the door. It is gone when this process ends, and dead when it is killed: then connecting is
/// refused.
#[derive(Debug)]
pub struct Door {
    listener: UnixListener,
    inward: UnixDatagram,
    path: PathBuf,
    /// The process that made it: a copy that a fork brought about removes nothing.
    process: u32,
    owner: Uid,
    refusal: Vec<u8>,
    /// Those refused last. A connection that is closed before what came on it was read takes back what was said on it.
    refused: RefCell<VecDeque<UnixStream>>,
}

/// The lab's side: connections of the user whose lab it is.
#[derive(Debug)]
pub struct Visitors {
    socket: UnixDatagram,
}

impl Door {
    /// Makes a socket at a path whose directory only the caller may enter. Others who come all the same are told `refusal` and
    /// nothing else.
    pub fn open(path: &Path, refusal: impl Into<Vec<u8>>) -> io::Result<(Self, Visitors)> {
        // It appears under its name when it listens, so that one at which nobody listens is that of a dead lab.
        let unfinished = path.with_extension("new");
        let _ = fs::remove_file(&unfinished);
        let listener = UnixListener::bind(&unfinished)?;
        let (inward, socket) = UnixDatagram::pair()?;
        let door = Self {
            listener,
            inward,
            path: path.to_owned(),
            process: std::process::id(),
            owner: geteuid(),
            refusal: refusal.into(),
            refused: RefCell::default(),
        };
        door.listener.set_nonblocking(true)?;
        fs::set_permissions(&unfinished, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        fs::rename(&unfinished, path)?;
        Ok((door, Visitors { socket }))
    }

    /// Where it is.
    pub(super) fn directory(&self) -> Option<PathBuf> {
        self.path.parent().map(Path::to_owned)
    }

    /// Lets in whoever waits. What goes wrong with one is no reason to end the lab.
    pub(super) fn admit(&self) {
        while let Ok((stream, _)) = self.listener.accept() {
            if self.is_owner(&stream) {
                // A lab that is too busy to take it leaves the caller without an answer, which it can tell.
                let _ = descriptors::send(&self.inward, &stream);
            } else {
                let said = stream.set_nonblocking(true).and_then(|()| (&stream).write_all(&self.refusal));
                if said.and_then(|()| stream.shutdown(Shutdown::Write)).is_ok() {
                    let mut refused = self.refused.borrow_mut();
                    refused.truncate(REMEMBERED - 1);
                    refused.push_front(stream);
                }
            }
        }
    }

    fn is_owner(&self, stream: &UnixStream) -> bool {
        getsockopt(stream, sockopt::PeerCredentials).is_ok_and(|peer| peer.uid() == self.owner.as_raw())
    }
}

impl AsFd for Door {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Visitors {
    /// Waits for the next one; `None` when nobody can come any more.
    pub fn next(&self) -> io::Result<Option<UnixStream>> {
        Ok(descriptors::receive(&self.socket)?.map(UnixStream::from))
    }
}

/// How many of those who were refused are left to read it.
const REMEMBERED: usize = 8;

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::*;

    #[test]
    fn its_owner_is_let_in_and_nothing_remains() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("lab.sock");
        let (door, visitors) = Door::open(&path, "no").expect("a door");
        let mut caller = UnixStream::connect(&path).expect("somebody listens");
        door.admit();
        let visitor = visitors.next().expect("handed on").expect("one came");
        caller.write_all(b"hello\n").expect("written");
        let mut line = String::new();
        BufReader::new(visitor).read_line(&mut line).expect("read");
        assert_eq!(line, "hello\n");
        drop(door);
        assert!(!path.exists());
    }

    #[test]
    fn another_user_is_told_so_and_not_let_in() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("lab.sock");
        let (mut door, visitors) = Door::open(&path, "no\n").expect("a door");
        door.owner = Uid::from_raw(geteuid().as_raw() + 1);
        let mut caller = UnixStream::connect(&path).expect("somebody listens");
        caller.write_all(b"what is not read\n").expect("written");
        door.admit();
        let mut line = String::new();
        BufReader::new(caller).read_line(&mut line).expect("read");
        assert_eq!(line, "no\n");
        visitors.socket.set_nonblocking(true).expect("a socket");
        // Only the door could hand somebody in.
        let came = visitors.next();
        assert!(matches!(&came, Err(error) if error.kind() == io::ErrorKind::WouldBlock), "{came:?}");
        drop(door);
    }
}
