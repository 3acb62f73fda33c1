//! The two ways a process of roadblock comes to be: a fork into fresh namespaces, and a plain fork.
//!
//! Both are called while the process has one thread only, so the child may do all that the parent could.

use std::io;

use nix::sched::CloneFlags;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::Pid;

/// Which side of a fork this is.
#[derive(Clone, Copy, Debug)]
pub enum Side {
    /// The old process, and the child's id.
    Parent(Pid),
    /// The new one.
    Child,
}

/// Forks; the child is in fresh namespaces of these kinds.
///
/// `unshare` followed by `fork` would need a third process between the two to have a PID namespace whose first process is
/// not the caller's grandchild; `clone` needs none.
pub fn into_namespaces(flags: CloneFlags) -> io::Result<Side> {
    require_single_thread()?;
    let flags = u64::from(flags.bits().cast_unsigned()) | u64::from(libc::SIGCHLD.cast_unsigned());
    // SAFETY: with neither CLONE_VM nor a stack, clone is fork: the child has a copy of everything. The process has one
    // thread (checked above), so no lock can be held by a thread that the child lacks.
    #[expect(unsafe_code, reason = "no safe wrapper offers clone with fork's semantics")]
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0_usize, 0_usize, 0_usize, 0_usize) };
    side(pid)
}

/// Forks.
pub fn plain() -> io::Result<Side> {
    require_single_thread()?;
    // SAFETY: the process has one thread (checked above).
    #[expect(unsafe_code, reason = "fork is unsafe in a process with several threads; this one has one")]
    let pid = unsafe { libc::fork() };
    side(i64::from(pid))
}

/// Asks the kernel to send SIGKILL to this process when the thread that made it ends.
///
/// The request does not survive a change of user id, so it is made again after one.
pub fn die_with_parent() -> io::Result<()> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    Ok(())
}

/// Ends this process at once, without running anything that belongs to the parent it was forked from.
pub fn exit_now(status: u8) -> ! {
    // SAFETY: _exit has no preconditions.
    #[expect(unsafe_code, reason = "a forked child must not run its parent's exit handlers")]
    unsafe {
        libc::_exit(i32::from(status))
    }
}

fn side(pid: i64) -> io::Result<Side> {
    match i32::try_from(pid) {
        Ok(0) => Ok(Side::Child),
        Ok(pid) if pid > 0 => Ok(Side::Parent(Pid::from_raw(pid))),
        _ => Err(io::Error::last_os_error()),
    }
}

fn require_single_thread() -> io::Result<()> {
    let threads = std::fs::read_dir("/proc/self/task")?.count();
    if threads == 1 {
        return Ok(());
    }
    Err(io::Error::other(format!("the process has {threads} threads, and must have one to fork")))
}

/// Ignores a signal and gives back what was done about it before.
pub fn ignore(signal: Signal) -> Option<SigAction> {
    let ignored = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    // SAFETY: ignoring a signal runs no code of ours.
    #[expect(unsafe_code, reason = "sigaction is unsafe because handlers are; this sets none")]
    unsafe { sigaction(signal, &ignored) }.ok()
}

/// Restores what [`ignore`] gave back.
pub fn restore(signal: Signal, action: &SigAction) {
    // SAFETY: the action was in force before, so it is sound to be in force again.
    #[expect(unsafe_code, reason = "sigaction is unsafe because handlers are; this one was there before")]
    let _ = unsafe { sigaction(signal, action) };
}
