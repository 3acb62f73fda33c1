//! What runs on the scenario's own machines: started with the lab, waited for until it is ready, and never let out of sight.

use std::ffi::OsString;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};

use roadblock_scenarios::model::{Machine, MachineCommand, Name};

use super::commands::{prepared, spawn};
use super::readiness::{NotReady, wait_until_ready};
use super::{CommandError, Lab, LabError, Problem};
use crate::kernel::command::{Identity, Output, end_group};
use crate::plan::topology::machine_namespace;

/// The servers that run on machines.
#[derive(Debug, Default)]
pub(super) struct Servers(Mutex<Vec<Server>>);

/// A server that runs on a machine.
#[derive(Debug)]
struct Server {
    machine: Name,
    log: PathBuf,
    child: Child,
}

/// What a machine's server has printed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MachineLog {
    /// The machine.
    pub machine: Name,
    /// What came on stdout and stderr, in the order of arrival.
    pub text: Vec<u8>,
}

impl Lab {
    /// Starts a server on a machine of the scenario's own, as root there. It runs until it ends or the lab does; what it
    /// prints goes to the file that is given back. One that ends by itself is among the lab's problems.
    pub fn serve(&self, machine: &str, argv: &[OsString]) -> Result<PathBuf, CommandError> {
        let found = self.scenario.machines.iter().find(|each| &*each.name == machine);
        let machine = found.ok_or_else(|| LabError::NoSuchMachine(machine.to_owned()))?;
        let namespace = self.namespace(&machine_namespace(&machine.name))?;
        let binds = self.commands.files.binds(namespace.name(), self.resolvers_of(machine), &self.authority)?;
        let mut servers = self.commands.servers.lock();
        let log = self.commands.files.place().join(format!("{}.{}.log", machine.name, servers.len()));
        let child = spawn(namespace, prepared(argv, Identity::Root, binds, Output::Log(log.clone())))?;
        servers.push(Server { machine: Name::clone(&machine.name), log: log.clone(), child });
        Ok(log)
    }

    /// What each server on a machine has printed so far, in the order in which they were started.
    pub fn machine_logs(&self) -> Vec<MachineLog> {
        let servers = self.commands.servers.lock();
        let log = |server: &Server| MachineLog {
            machine: Name::clone(&server.machine),
            text: std::fs::read(&server.log).unwrap_or_default(),
        };
        servers.iter().map(log).collect()
    }

    /// Starts what the scenario has run on its machines, all side by side, and waits until each is ready.
    pub(super) fn start_machines(&self) -> Result<(), LabError> {
        let commands = || self.scenario.machines.iter().filter_map(|machine| Some((machine, machine.run.as_ref()?)));
        for (machine, run) in commands() {
            let argv = ["sh", "-c", &run.command].map(OsString::from);
            self.serve(&machine.name, &argv).map_err(|cause| LabError::MachineCommand {
                machine: Name::clone(&machine.name),
                cause: Box::new(cause),
            })?;
        }
        // They were started in this order, and nothing else was before.
        for (number, (machine, run)) in commands().enumerate() {
            self.wait_until_ready(number, machine, run)?;
        }
        Ok(())
    }

    fn wait_until_ready(&self, number: usize, machine: &Machine, run: &MachineCommand) -> Result<(), LabError> {
        let failed = |what: String| LabError::Machine {
            machine: Name::clone(&machine.name),
            what,
            log: self.commands.servers.tail(number, LINES_OF_AN_ERROR),
        };
        let Some(ready) = &run.ready else { return Ok(()) };
        let namespace = self.namespace(&machine_namespace(&machine.name))?;
        let servers = &self.commands.servers;
        let waited =
            wait_until_ready(namespace, ready, run.ready_within, || servers.log(number), || servers.ended(number))?;
        match waited {
            Ok(()) => Ok(()),
            Err(NotReady::Ended(ended)) if matches!(ended.code(), Some(NOT_RUNNABLE | NOT_FOUND)) => {
                let machine = Name::clone(&machine.name);
                Err(LabError::MachineProgram { machine, log: servers.tail(number, LINES_OF_AN_ERROR) })
            }
            Err(cause) => Err(failed(cause.to_string())),
        }
    }

    /// Whom a machine asks: the first vantage behind its hop, or where it is abroad, whom the control asks.
    fn resolvers_of(&self, machine: &Machine) -> &[IpAddr] {
        let vantages = &self.scenario.vantages;
        let neighbour = machine.at.as_ref().and_then(|hop| vantages.iter().find(|each| each.path.contains(hop)));
        let asks_alike = neighbour.or_else(|| self.scenario.control());
        asks_alike.map(|vantage| vantage.resolvers.as_slice()).unwrap_or_default()
    }
}

impl Servers {
    /// The servers that have ended although nobody stopped them, with the last that each said.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for server in self.lock().iter_mut() {
            let Ok(Some(ended)) = server.child.try_wait() else { continue };
            let said = tail(&read(server), LINES_OF_A_PROBLEM).replace('\n', " | ");
            let said = if said.is_empty() { NOTHING.to_owned() } else { said };
            let what = format!("its server ended ({ended}): {said}");
            problems.push(Problem { place: server.machine.to_string(), what });
        }
        problems
    }

    fn ended(&self, number: usize) -> Option<ExitStatus> {
        let mut servers = self.lock();
        let ended: io::Result<_> = servers.get_mut(number)?.child.try_wait();
        ended.ok().flatten()
    }

    fn log(&self, number: usize) -> String {
        self.lock().get(number).map(read).unwrap_or_default()
    }

    fn tail(&self, number: usize, lines: usize) -> String {
        let log = self.log(number);
        let tail = tail(&log, lines);
        if tail.is_empty() { NOTHING.to_owned() } else { format!("the end of its log:\n{tail}") }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Server>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lab that ends leaves nothing running, whatever else its process does.
impl Drop for Servers {
    fn drop(&mut self) {
        for server in self.lock().iter_mut() {
            end_group(&mut server.child);
        }
    }
}

fn read(server: &Server) -> String {
    text(&server.log)
}

/// What a log holds.
pub(super) fn text(log: &Path) -> String {
    std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// The last lines of a log.
fn tail(log: &str, lines: usize) -> String {
    let all: Vec<&str> = log.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// What a shell ends with where a program cannot be run, and where there is none.
const NOT_RUNNABLE: i32 = 126;
const NOT_FOUND: i32 = 127;
const NOTHING: &str = "it said nothing";
const LINES_OF_AN_ERROR: usize = 20;
const LINES_OF_A_PROBLEM: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_log_is_its_last_lines_that_say_something() {
        assert_eq!(tail("one\ntwo\n\nthree\r\n\n", 2), "two\nthree");
        assert_eq!(tail("one", 3), "one");
        assert_eq!(tail("", 3), "");
    }
}
