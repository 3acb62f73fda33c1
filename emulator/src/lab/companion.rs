//! A program that runs at a vantage beside what is measured there: started, waited for until it is ready, and ended with all that
//! it started.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use roadblock_scenarios::model::Readiness;

use super::commands::{caller, prepared, spawn};
use super::readiness::{NotReady, wait_until_ready};
use super::{CommandError, Lab, LabError};
use crate::kernel::command::{Identity, Output, end_group};

/// A program at a vantage. Dropping it ends it, and all that it started.
#[derive(Debug)]
pub struct Companion {
    child: Child,
    log: PathBuf,
}

impl Lab {
    /// Starts a shell command at a vantage, with what it prints in a log; as root with capabilities over the vantage, or as the
    /// caller without any. It speaks from the address that commands at the vantage have.
    pub fn accompany(&self, vantage: &str, shell: &str, root: bool) -> Result<Companion, CommandError> {
        let namespace = self.vantage_namespace(vantage)?;
        let identity = if root { Identity::Root } else { caller()? };
        let resolvers = self.scenario.vantage(vantage).map(|vantage| vantage.resolvers.as_slice()).unwrap_or_default();
        let binds = self.commands.files.binds(namespace.name(), resolvers, &self.authority)?;
        let number = self.commands.errands.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let log = self.commands.files.place().join(format!("{vantage}.{number}.log"));
        let argv = ["sh", "-c", shell].map(OsString::from);
        let child = spawn(namespace, prepared(&argv, identity, binds, Output::Log(log.clone())))?;
        Ok(Companion { child, log })
    }

    /// Waits until a program at a vantage is ready.
    pub fn companion_ready(
        &self,
        companion: &mut Companion,
        vantage: &str,
        ready: &Readiness,
        within: Duration,
    ) -> Result<Result<(), NotReady>, LabError> {
        let namespace = self.vantage_namespace(vantage)?;
        let log = companion.log.clone();
        let ended = || companion.child.try_wait().ok().flatten();
        wait_until_ready(namespace, ready, within, || super::machines::text(&log), ended)
    }

    /// Waits until a program has ended by itself; `None`: it has not within this time.
    pub fn companion_ends(
        &self,
        companion: &mut Companion,
        vantage: &str,
        within: Duration,
    ) -> Result<Option<ExitStatus>, LabError> {
        let namespace = self.vantage_namespace(vantage)?;
        let mut waited = Duration::ZERO;
        loop {
            let ended = companion.child.try_wait().map_err(LabError::system("wait for a command"))?;
            if ended.is_some() || waited >= within {
                return Ok(ended);
            }
            namespace
                .block_on(async { tokio::time::sleep(LOOK_AGAIN).await })
                .map_err(LabError::system("wait for a command"))?;
            waited += LOOK_AGAIN;
        }
    }
}

impl Companion {
    /// What it has printed so far.
    pub fn log(&self) -> Vec<u8> {
        std::fs::read(&self.log).unwrap_or_default()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        end_group(&mut self.child);
    }
}

/// How often one looks whether a command has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
