//! Commands that are measurements: each runs at a vantage from a client address of its own, and is judged by how it ends.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use roadblock_scenarios::model::Name;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::commands::{caller, prepared, status};
use super::files::Binds;
use super::{Client, Lab, LabError};
use crate::kernel::command::{self, Identity, Output};
use crate::kernel::links;

/// What runs commands at a vantage, one after the other.
#[derive(Clone, Debug)]
pub struct Errands {
    binds: Binds,
    identity: Identity,
    place: PathBuf,
    number: Arc<AtomicU32>,
    turn: Turn,
}

/// A vantage has one address at a time that is used by whoever names none, so its commands take turns.
pub(super) type Turn = Arc<Mutex<()>>;

/// How a command ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Errand {
    /// Its exit status, 128 + n where a signal n ended it; `None`: it was not done in time and was ended.
    pub status: Option<u8>,
    /// The last line that it wrote to stderr.
    pub last_line: Option<String>,
}

impl Lab {
    /// What runs commands at this vantage.
    pub fn errands(&self, vantage: &str) -> Result<Errands, LabError> {
        let namespace = self.vantage_namespace(vantage)?;
        let resolvers = self.scenario.vantage(vantage).map(|vantage| vantage.resolvers.as_slice()).unwrap_or_default();
        Ok(Errands {
            binds: self.commands.files.binds(namespace.name(), resolvers, &self.authority)?,
            identity: caller()?,
            place: self.commands.files.place().join(format!("errands.{vantage}")),
            number: Arc::clone(&self.commands.errands),
            turn: self.commands.turn(&Name::from(vantage)),
        })
    }
}

impl Errands {
    /// Runs a shell command from a client's addresses, and waits until it ends or its time is over. Must be called on the
    /// runtime of the vantage.
    pub async fn run(&self, client: &Client, shell: &str, within: Duration) -> io::Result<Errand> {
        let _turn = self.turn.lock().await;
        links::speak_from(client.v4, client.v6).await?;
        fs::create_dir_all(&self.place)?;
        let errors = self.place.join(self.number.fetch_add(1, Ordering::Relaxed).to_string());
        let argv = ["sh", "-c", shell].map(OsString::from);
        let output = Output::Errors(errors.clone());
        let child = command::spawn(&prepared(&argv, self.identity.clone(), self.binds.clone(), output))?;
        let status = wait(child, within).await?;
        Ok(Errand { status, last_line: last_line(&errors) })
    }
}

async fn wait(mut child: Child, within: Duration) -> io::Result<Option<u8>> {
    let until = Instant::now() + within;
    loop {
        if let Some(ended) = child.try_wait()? {
            return Ok(Some(status(ended)));
        }
        if Instant::now() >= until {
            let group = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
            // One that ended this very moment is gone.
            let _ = killpg(group, Signal::SIGKILL);
            child.wait()?;
            return Ok(None);
        }
        sleep(LOOK_AGAIN).await;
    }
}

fn last_line(errors: &Path) -> Option<String> {
    let said = fs::read(errors).ok()?;
    let said = String::from_utf8_lossy(&said);
    said.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

/// How often one looks whether a command has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
