//! Signals in the lab process: those that ask it to end go to the command that runs in it, where one does.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;

use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

use crate::kernel::fork;

/// The command that runs at a vantage in the foreground, 0 for none.
static FOREGROUND: AtomicI32 = AtomicI32::new(0);

/// Whether the lab ends in its own time when it is asked to.
static TAKES_LEAVE: AtomicBool = AtomicBool::new(false);

/// The signal that asked the lab to end, 0 for none.
static ASKED_BY: AtomicI32 = AtomicI32::new(0);

/// From now on a signal that asks the lab to end is for it what Ctrl-C is: it does what it does then, and ends. Before, and
/// where nobody calls this, it ends at once.
pub fn take_leave() {
    TAKES_LEAVE.store(true, Ordering::Release);
}

/// The number of the signal that asked the lab to end, if it was another than that of Ctrl-C.
pub fn asked_by() -> Option<u8> {
    u8::try_from(ASKED_BY.load(Ordering::Acquire)).ok().filter(|signal| *signal != 0)
}

/// Begins to listen. Called before any other thread exists, so that all threads leave these signals to the listener.
pub(super) fn listen() -> io::Result<()> {
    // The outer process blocked these for itself; the lab takes Ctrl-C as its command does.
    let mut inherited = SigSet::empty();
    inherited.add(Signal::SIGCHLD);
    inherited.add(Signal::SIGINT);
    inherited.thread_unblock()?;
    let mut set = SigSet::empty();
    set.add(Signal::SIGTERM);
    set.add(Signal::SIGHUP);
    set.thread_block()?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        while let Ok(signal) = set.wait() {
            match FOREGROUND.load(Ordering::Acquire) {
                0 if TAKES_LEAVE.load(Ordering::Acquire) => {
                    ASKED_BY.store(signal as i32, Ordering::Release);
                    let _ = kill(Pid::this(), Signal::SIGINT);
                }
                0 => fork::exit_now(128_u8.saturating_add(signal as u8)),
                command => {
                    let _ = kill(Pid::from_raw(command), signal);
                }
            }
        }
    })?;
    Ok(())
}

/// While this lives, a command is in the foreground: it gets the signals that ask the lab to end, and Ctrl-C is its own
/// affair.
pub(crate) struct Foreground {
    interrupt: Option<nix::sys::signal::SigAction>,
    quit: Option<nix::sys::signal::SigAction>,
}

impl Foreground {
    /// Puts a command in the foreground.
    pub(crate) fn enter(command: u32) -> Self {
        FOREGROUND.store(command.cast_signed(), Ordering::Release);
        Self { interrupt: fork::ignore(Signal::SIGINT), quit: fork::ignore(Signal::SIGQUIT) }
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        FOREGROUND.store(0, Ordering::Release);
        for (signal, action) in [(Signal::SIGINT, self.interrupt.take()), (Signal::SIGQUIT, self.quit.take())] {
            if let Some(action) = action {
                fork::restore(signal, &action);
            }
        }
    }
}
