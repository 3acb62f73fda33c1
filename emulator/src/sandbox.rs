//! The process model: outer process, tiny init, lab.
//!
//! The outer process forks before any thread exists. Its child enters fresh user, mount, network, PID, IPC and UTS
//! namespaces and is PID 1 there: a tiny init that reaps and watches. The lab is init's child. Whoever dies, the kernel
//! ends the rest: init dies with the outer process (parent-death signal, and the end of a pipe), and everything in the PID
//! namespace dies with init.

mod advice;
mod diagnose;
mod door;
mod error;
mod init;
mod machine;
mod outer;
pub mod signals;
mod traces;

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::OnceLock;

pub use diagnose::{Check, Diagnosis, diagnose};
pub use door::{Door, Visitors};
pub use error::SandboxError;
pub use machine::{Machine, Surrounding};

use crate::kernel::identity::{Caller, IdentityMap};

/// Who called, and how ids correspond, as the lab process knows it.
#[derive(Clone, Debug)]
pub struct Inside {
    /// The user who called.
    pub caller: Caller,
    /// How its ids correspond to those outside.
    pub map: IdentityMap,
    /// The caller's network namespace, which the lab must not be in.
    pub outer_network: u64,
    /// Where the way into the lab is; nobody inside may see it.
    pub door: Option<PathBuf>,
}

static INSIDE: OnceLock<Inside> = OnceLock::new();

/// What the lab process knows of its caller; `None` outside of a sandbox.
pub fn inside() -> Option<&'static Inside> {
    INSIDE.get()
}

/// The user that this process acts as, as a number.
pub fn user() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// The identity of the calling thread's network namespace.
pub fn network_namespace() -> std::io::Result<u64> {
    Ok(std::fs::metadata("/proc/thread-self/ns/net")?.ino())
}

/// Runs `lab` in a sandbox of its own and gives back its exit status. Must be called before the process has a second
/// thread; the lab's stdin, stdout, stderr, working directory and environment are the caller's.
///
/// A panic in the lab ends it with status 4.
pub fn run(lab: impl FnOnce() -> u8) -> Result<u8, SandboxError> {
    outer::run(None, lab)
}

/// As [`run`], with a door: whom it admits while the lab lives comes to the [`Visitors`] that were made with it.
pub fn run_with_door(door: Option<Door>, lab: impl FnOnce() -> u8) -> Result<u8, SandboxError> {
    outer::run(door, lab)
}
