//! Running a command at a vantage with the lab's own `/etc`, environment and identity.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, PoisonError};

use roadblock_scenarios::model::Name;

use super::errand::Turn;
use super::files::{Binds, Files};
use super::machines::Servers;
use super::{Lab, LabError};
use crate::kernel::command::{self, Identity, Output, Prepared};
use crate::kernel::namespace::Namespace;
use crate::plan::client_files;
use crate::sandbox;
use crate::sandbox::signals::Foreground;

/// A command to run at a vantage.
#[derive(Clone, Debug)]
pub struct CommandSpec {
    /// The program and its arguments; never empty.
    pub argv: Vec<OsString>,
    /// Run as uid 0 with capabilities over the vantage, instead of as the caller without any.
    pub root: bool,
}

/// Why a command did not run.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is no such program (exit status 127).
    #[error("no program is called `{0}`")]
    NotFound(String),
    /// It is there but cannot be run (exit status 126).
    #[error("`{program}` cannot be run: {cause}")]
    NotRunnable {
        /// The program.
        program: String,
        /// What the kernel said.
        cause: io::Error,
    },
    /// The lab failed.
    #[error(transparent)]
    Lab(#[from] LabError),
}

/// What commands need, and the servers that run.
#[derive(Debug)]
pub(super) struct Commands {
    pub(super) files: Files,
    pub(super) servers: Servers,
    /// How many commands were measurements so far.
    pub(super) errands: Arc<AtomicU32>,
    turns: Mutex<BTreeMap<Name, Turn>>,
}

impl Lab {
    /// Runs a command at a vantage with the caller's stdin, stdout and stderr and waits for its end; gives its exit
    /// status, 128 + n where a signal n ended it.
    pub fn run_command(&self, vantage: &str, spec: &CommandSpec) -> Result<u8, CommandError> {
        let namespace = self.vantage_namespace(vantage)?;
        let identity = if spec.root { Identity::Root } else { caller()? };
        let resolvers = self.scenario.vantage(vantage).map(|vantage| vantage.resolvers.as_slice()).unwrap_or_default();
        let binds = self.commands.files.binds(namespace.name(), resolvers, &self.authority)?;
        let mut child = spawn(namespace, prepared(&spec.argv, identity, binds, Output::Callers))?;
        let foreground = Foreground::enter(child.id());
        let ended = child.wait();
        drop(foreground);
        Ok(status(ended.map_err(LabError::system("wait for the command"))?))
    }
}

/// The caller, without capabilities.
pub(super) fn caller() -> Result<Identity, LabError> {
    let inside = sandbox::inside();
    let inside = inside.ok_or_else(|| LabError::Isolation("this process is not in a sandbox".to_owned()))?;
    Ok(Identity::Caller(inside.caller.clone(), inside.map.clone()))
}

impl Commands {
    /// Those of the lab of this number.
    pub(super) fn new(lab: usize) -> Self {
        Self { files: Files::new(lab), servers: Servers::default(), errands: Arc::default(), turns: Mutex::default() }
    }

    /// The turn that the commands of a vantage take.
    pub(super) fn turn(&self, vantage: &Name) -> Turn {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(Name::clone(vantage)).or_default())
    }
}

pub(super) fn prepared(argv: &[OsString], identity: Identity, binds: Binds, output: Output) -> Prepared {
    let all = std::env::vars_os().map(|(name, _)| name);
    Prepared {
        argv: argv.to_vec(),
        set: client_files::environment(),
        remove: all.filter(|name| client_files::scrubbed(&name.to_string_lossy())).collect(),
        binds,
        identity,
        output,
    }
}

/// Starts a command on the thread of a namespace.
pub(super) fn spawn(namespace: &Namespace, prepared: Prepared) -> Result<Child, CommandError> {
    let program = prepared.argv.first().map(|program| program.to_string_lossy().into_owned()).unwrap_or_default();
    let spawned = namespace
        .block_on(async move { command::spawn(&prepared) })
        .map_err(|cause| CommandError::Lab(LabError::system("reach the namespace")(cause)))?;
    spawned.map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => CommandError::NotFound(program),
        _ => CommandError::NotRunnable { program, cause },
    })
}

pub(super) fn status(ended: ExitStatus) -> u8 {
    let code = ended.code().or_else(|| ended.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
