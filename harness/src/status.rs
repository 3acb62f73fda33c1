//! Exit statuses, as `roadblock --help` says them.

use roadblock_emulator::sandbox::signals;

use crate::run::Conclusion;

/// All was as expected.
pub(crate) const OK: u8 = 0;
/// An expectation failed.
pub(crate) const UNEXPECTED: u8 = 1;
/// `ctl`: the lab does not do that and is as it was.
pub(crate) const REFUSED: u8 = 1;
/// Bad usage or bad scenario.
pub(crate) const USAGE: u8 = 2;
/// This machine cannot run labs.
pub(crate) const NO_LAB: u8 = 3;
/// roadblock's own fault.
pub(crate) const OWN_FAULT: u8 = 4;
/// `exec` and `shell`: anything of the above, as env and docker do.
pub(crate) const EXEC_OURS: u8 = 125;
/// `exec` and `shell`: the command cannot be run.
pub(crate) const EXEC_NOT_RUNNABLE: u8 = 126;
/// `exec` and `shell`: there is no such command.
pub(crate) const EXEC_NOT_FOUND: u8 = 127;
/// Ended by a signal, Ctrl-C's if no other asked for the end; as shells count it: 128 and the signal's number.
pub(crate) fn interrupted() -> u8 {
    128 + signals::asked_by().unwrap_or(INTERRUPT)
}

/// The number of Ctrl-C's signal.
const INTERRUPT: u8 = 2;

/// How a run or a suite that ended like this ends the program.
pub(crate) fn of(conclusion: Conclusion) -> u8 {
    match conclusion {
        Conclusion::AsExpected => OK,
        Conclusion::Unexpected => UNEXPECTED,
        Conclusion::Invalid => OWN_FAULT,
        Conclusion::Unsupported => NO_LAB,
        Conclusion::Interrupted => interrupted(),
    }
}
