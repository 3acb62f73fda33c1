//! The outer process: makes the sandbox, passes signals on, waits.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use nix::sys::signal::SigSet;
use nix::sys::signal::{Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, pipe2};

use super::door::Door;
use super::error::SandboxError;
use super::init::{self, Report};
use super::machine::Machine;
use super::{INSIDE, Inside};
use crate::kernel::fork::{self, Side};
use crate::kernel::identity::{Caller, IdentityMap, candidates};

/// The signals that the outer process passes on. Those that a terminal sends reach the lab's processes by themselves.
const PASSED_ON: [Signal; 3] = [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT];

pub(super) fn run(door: Option<Door>, lab: impl FnOnce() -> u8) -> Result<u8, SandboxError> {
    let mut door = door;
    // What the lab owns lives here too until it has ended: files that it is still to write are not given up before.
    let mut lab = Some(lab);
    // The lab's own files will cover some of what tells of it.
    Machine::here();
    let caller = Caller::current().map_err(process("ask who is calling"))?;
    let signals = block_signals().map_err(process("block signals"))?;
    let outcome = try_each_map(&caller, &mut door, &mut lab);
    match outcome? {
        Started::Child(status) => fork::exit_now(status),
        Started::Outer { init, alive } => {
            let status = wait(init, &signals, door.as_ref()).map_err(process("wait for the sandbox"));
            drop(alive);
            status
        }
    }
}

/// Which process this is after the fork. `Child` carries the exit status of a lab that has ended.
enum Started {
    Outer {
        init: Pid,
        /// Kept open while the outer process lives; its end tells init to die.
        alive: OwnedFd,
    },
    Child(u8),
}

fn try_each_map(
    caller: &Caller,
    door: &mut Option<Door>,
    lab: &mut Option<impl FnOnce() -> u8>,
) -> Result<Started, SandboxError> {
    let mut refused = None;
    let outer_network = super::network_namespace().map_err(process("look at the network namespace"))?;
    for map in candidates(caller) {
        let (alive_read, alive) = new_pipe()?;
        let (mapped_read, mapped) = new_pipe()?;
        let (report_read, report) = new_pipe()?;
        let namespaces = CloneFlags::CLONE_NEWUSER
            | CloneFlags::CLONE_NEWNS
            | CloneFlags::CLONE_NEWNET
            | CloneFlags::CLONE_NEWPID
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWUTS;
        match fork::into_namespaces(namespaces).map_err(|cause| SandboxError::UserNamespace { cause })? {
            Side::Child => {
                let directory = door.take().and_then(|door| door.directory());
                drop((alive, mapped, report_read));
                let inside = Inside { caller: caller.clone(), map, outer_network, door: directory };
                let pipes = init::Pipes { alive: alive_read, mapped: mapped_read, report };
                let status = init::main(inside, pipes, || lab.take().map_or(4, |lab| lab()));
                return Ok(Started::Child(status));
            }
            Side::Parent(init) => {
                drop((alive_read, mapped_read, report));
                match introduce(init, &map, caller, mapped, report_read) {
                    Ok(()) => return Ok(Started::Outer { init, alive }),
                    Err(error) => {
                        let _ = kill(init, Signal::SIGKILL);
                        let _ = waitpid(init, None);
                        // With another map, or with none but the caller's own id, it may still work.
                        refused = Some(error);
                    }
                }
            }
        }
    }
    Err(refused.unwrap_or(SandboxError::Process {
        doing: "find a way to map user ids",
        cause: io::Error::from(io::ErrorKind::Unsupported),
    }))
}

fn new_pipe() -> Result<(OwnedFd, OwnedFd), SandboxError> {
    pipe2(OFlag::O_CLOEXEC).map_err(|errno| process("make a pipe")(errno.into()))
}

/// Writes the map, tells init to go on, and waits for its report.
fn introduce(
    init: Pid,
    map: &IdentityMap,
    caller: &Caller,
    mapped: OwnedFd,
    report: OwnedFd,
) -> Result<(), SandboxError> {
    map.write(init, caller).map_err(|cause| SandboxError::Identity { cause })?;
    let mut mapped = std::fs::File::from(mapped);
    mapped.write_all(&[1]).map_err(process("talk to the sandbox"))?;
    let mut text = String::new();
    std::fs::File::from(report).read_to_string(&mut text).map_err(process("hear from the sandbox"))?;
    match serde_json::from_str(&text) {
        Ok(Report::Ready) => Ok(()),
        Ok(Report::Failed { doing, errno, said }) => {
            let cause = if errno == 0 { io::Error::other(said) } else { io::Error::from_raw_os_error(errno) };
            Err(SandboxError::Powerless { doing, cause })
        }
        Err(_) => Err(SandboxError::Powerless {
            doing: "start the sandbox's init".to_owned(),
            cause: io::Error::from(io::ErrorKind::UnexpectedEof),
        }),
    }
}

/// Signals are read from a descriptor, so that none is lost between looking and waiting.
fn block_signals() -> io::Result<SignalFd> {
    let mut set = SigSet::empty();
    for signal in PASSED_ON.into_iter().chain([Signal::SIGCHLD]) {
        set.add(signal);
    }
    set.thread_block()?;
    Ok(SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?)
}

fn wait(init: Pid, signals: &SignalFd, door: Option<&Door>) -> io::Result<u8> {
    loop {
        match waitpid(init, Some(nix::sys::wait::WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, status)) => return Ok(u8::try_from(status).unwrap_or(4)),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(128_u8.saturating_add(signal as u8)),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut fds = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        fds.extend(door.map(|door| PollFd::new(door.as_fd(), PollFlags::POLLIN)));
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        if let Some(door) = door {
            door.admit();
        }
        while let Some(received) = signals.read_signal()? {
            let Ok(signal) = Signal::try_from(received.ssi_signo.cast_signed()) else { continue };
            // A signal of the terminal's went to the whole group; one that a process sent came here only.
            if signal != Signal::SIGCHLD && received.ssi_code <= 0 {
                let _ = kill(init, signal);
            }
        }
    }
}

fn process(doing: &'static str) -> impl Fn(io::Error) -> SandboxError {
    move |cause| SandboxError::Process { doing, cause }
}

/// Notes in the lab process who called. Later calls change nothing.
pub(super) fn remember(inside: Inside) {
    let _ = INSIDE.set(inside);
}
