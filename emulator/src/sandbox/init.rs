//! PID 1 of a sandbox: sets it up, starts the lab, reaps, and dies with the outer process.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Gid, Pid, Uid, setresgid, setresuid};
use serde::{Deserialize, Serialize};

use super::{Inside, outer, signals};
use crate::kernel::fork::{self, Side};
use crate::kernel::mounts;

/// What init holds of its pipes to the outer process.
pub(super) struct Pipes {
    /// Ends when the outer process does.
    pub alive: OwnedFd,
    /// One byte comes when the ids are mapped.
    pub mapped: OwnedFd,
    /// Where init says whether the sandbox stands.
    pub report: OwnedFd,
}

/// What init tells the outer process, once.
#[derive(Debug, Deserialize, Serialize)]
pub(super) enum Report {
    /// The sandbox stands.
    Ready,
    /// It does not.
    Failed {
        /// What was being done.
        doing: String,
        /// The error number, 0 where there was none.
        errno: i32,
        /// What was said.
        said: String,
    },
}

/// Runs as PID 1 and gives the status to exit with. In the lab process it gives the lab's own status.
pub(super) fn main(inside: Inside, pipes: Pipes, lab: impl FnOnce() -> u8) -> u8 {
    let Pipes { alive, mapped, report } = pipes;
    let set_up = wait_for_map(mapped).and_then(|()| set_up(&inside));
    let failed = set_up.as_ref().err().map(|(doing, cause)| Report::Failed {
        doing: doing.clone(),
        errno: cause.raw_os_error().unwrap_or(0),
        said: cause.to_string(),
    });
    let ready = failed.is_none();
    let text = serde_json::to_string(&failed.unwrap_or(Report::Ready)).unwrap_or_default();
    let mut report = std::fs::File::from(report);
    if report.write_all(text.as_bytes()).is_err() || !ready {
        return 3;
    }
    drop(report);
    match fork::plain() {
        Ok(Side::Child) => {
            drop(alive);
            run_lab(inside, lab)
        }
        Ok(Side::Parent(lab)) => watch(lab, &alive).unwrap_or(4),
        Err(_) => 4,
    }
}

type Step = Result<(), (String, io::Error)>;

fn wait_for_map(mapped: OwnedFd) -> Step {
    let mut byte = [0];
    std::fs::File::from(mapped).read_exact(&mut byte).map_err(|cause| ("wait for its ids".to_owned(), cause))
}

fn set_up(inside: &Inside) -> Step {
    let doing = |what: &str| {
        let what = what.to_owned();
        move |cause: io::Error| (what, cause)
    };
    become_root(inside).map_err(doing("become its root"))?;
    // Changing ids clears the request, so it is made only now; the pipe covers the time before.
    fork::die_with_parent().map_err(doing("tie its life to its parent's"))?;
    mounts::isolate(inside.door.as_deref()).map_err(|error| (error.doing, error.cause))?;
    nix::unistd::sethostname("roadblock").map_err(|errno| doing("set its host name")(errno.into()))
}

fn become_root(inside: &Inside) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(0), Gid::from_raw(0));
    if inside.map.has_caller() {
        nix::unistd::setgroups(&[])?;
    }
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    Ok(())
}

fn run_lab(inside: Inside, lab: impl FnOnce() -> u8) -> u8 {
    if fork::die_with_parent().is_err() {
        return 4;
    }
    outer::remember(inside);
    if signals::listen().is_err() {
        return 4;
    }
    // The closure is not used again after a panic, so nothing can be seen half done.
    catch_unwind(AssertUnwindSafe(lab)).unwrap_or(4)
}

/// Reaps, passes signals on to the lab, and ends with the lab or with the outer process, whichever ends first.
fn watch(lab: Pid, alive: &OwnedFd) -> io::Result<u8> {
    let mut set = SigSet::empty();
    for signal in [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        set.add(signal);
    }
    set.thread_block()?;
    let signals = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    loop {
        if let Some(status) = reap(lab)? {
            return Ok(status);
        }
        let mut fds = [PollFd::new(signals.as_fd(), PollFlags::POLLIN), PollFd::new(alive.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        if fds[1].any() == Some(true) {
            // The outer process is gone. When PID 1 ends, the kernel ends everything else.
            return Ok(4);
        }
        while let Some(received) = signals.read_signal()? {
            let Ok(signal) = Signal::try_from(received.ssi_signo.cast_signed()) else { continue };
            if signal != Signal::SIGCHLD && received.ssi_code <= 0 {
                let _ = kill(lab, signal);
            }
        }
    }
}

fn reap(lab: Pid) -> io::Result<Option<u8>> {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, status)) if pid == lab => {
                return Ok(Some(u8::try_from(status).unwrap_or(4)));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == lab => {
                return Ok(Some(128_u8.saturating_add(signal as u8)));
            }
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(None),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}
