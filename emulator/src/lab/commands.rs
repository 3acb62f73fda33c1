//! Running a command at a vantage with the lab's own `/etc`, environment and identity.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Mutex, PoisonError};

use roadblock_scenarios::model::{Name, Vantage};

use super::{Lab, LabError};
use crate::kernel::command::{self, Identity, Prepared};
use crate::kernel::mounts;
use crate::plan::client_files::{self, Existing, LabCertificate};
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

/// The vantages whose files are laid out already, with what a command there binds.
#[derive(Debug, Default)]
pub(super) struct Commands {
    prepared: Mutex<BTreeMap<Name, Vec<(PathBuf, PathBuf)>>>,
}

impl Lab {
    /// Runs a command at a vantage with the caller's stdin, stdout and stderr and waits for its end; gives its exit
    /// status, 128 + n where a signal n ended it.
    pub fn run_command(&self, vantage: &str, spec: &CommandSpec) -> Result<u8, CommandError> {
        let namespace = self.vantage_namespace(vantage)?;
        let prepared = self.prepare(vantage, spec)?;
        let program = spec.argv.first().map(|program| program.to_string_lossy().into_owned()).unwrap_or_default();
        let spawned = namespace
            .block_on(async move { command::spawn(&prepared) })
            .map_err(|cause| CommandError::Lab(LabError::system("reach the vantage")(cause)))?;
        let mut child = spawned.map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => CommandError::NotFound(program.clone()),
            _ => CommandError::NotRunnable { program: program.clone(), cause },
        })?;
        let foreground = Foreground::enter(child.id());
        let ended = child.wait();
        drop(foreground);
        let ended = ended.map_err(|cause| LabError::system(format!("wait for {program}"))(cause))?;
        Ok(status(ended))
    }

    fn prepare(&self, vantage: &str, spec: &CommandSpec) -> Result<Prepared, LabError> {
        let Some(inside) = sandbox::inside() else {
            return Err(LabError::Isolation("this process is not in a sandbox".to_owned()));
        };
        let vantage = self.scenario.vantage(vantage).ok_or_else(|| LabError::NoSuchVantage(vantage.to_owned()))?;
        let identity =
            if spec.root { Identity::Root } else { Identity::Caller(inside.caller.clone(), inside.map.clone()) };
        let remove = std::env::vars_os().map(|(name, _)| name);
        Ok(Prepared {
            argv: spec.argv.clone(),
            set: client_files::environment(),
            remove: remove.filter(|name| client_files::scrubbed(&name.to_string_lossy())).collect(),
            binds: self.binds(vantage)?,
            identity,
        })
    }

    /// Lays out the files of a vantage, once.
    fn binds(&self, vantage: &Vantage) -> Result<Vec<(PathBuf, PathBuf)>, LabError> {
        let mut prepared = self.commands.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(binds) = prepared.get(&vantage.name) {
            return Ok(binds.clone());
        }
        let binds = self.lay_out(vantage)?;
        prepared.insert(Name::clone(&vantage.name), binds.clone());
        Ok(binds)
    }

    fn lay_out(&self, vantage: &Vantage) -> Result<Vec<(PathBuf, PathBuf)>, LabError> {
        let place = Path::new(mounts::PRIVATE).join("etc").join(&*vantage.name);
        let (upper, work, merged) = (place.join("upper"), place.join("work"), place.join("merged"));
        let authority = LabCertificate { der: self.authority.der(), pem: self.authority.pem() };
        let files = client_files::client_files(&vantage.resolvers, HOST_NAME, authority, &existing())?;
        for file in &files {
            write(&upper.join(&file.path), &file.contents, file.mode)?;
        }
        let mut binds = Vec::new();
        let resolv_conf = upper.join("resolv.conf");
        if let Some(elsewhere) = mounts::resolv_conf_elsewhere() {
            // Programs that follow the link find the same file: its target lies on the lab's own tmpfs, or is covered.
            if elsewhere.starts_with("/run") || elsewhere.starts_with("/var/run") {
                let contents = fs::read(&resolv_conf).map_err(LabError::system("read the lab's resolv.conf"))?;
                write(&elsewhere, &contents, 0o666)?;
            } else if elsewhere.exists() {
                binds.push((resolv_conf.clone(), elsewhere));
            }
        }
        // VPN scripts rewrite it, as the caller or as root.
        let writable = fs::Permissions::from_mode(0o666);
        fs::set_permissions(&resolv_conf, writable).map_err(LabError::system("open up the lab's resolv.conf"))?;
        let java = place.join("cacerts");
        write(&java, &client_files::java_keystore(self.authority.der()), 0o644)?;
        binds.extend(java_keystores().into_iter().map(|keystore| (java.clone(), keystore)));
        mounts::overlay_etc(&upper, &work, &merged)?;
        binds.push((merged, PathBuf::from("/etc")));
        Ok(binds)
    }
}

/// The lab's host name, which `hosts` knows.
const HOST_NAME: &str = "roadblock";

fn existing() -> Existing {
    let mut existing = Existing::default();
    for path in Existing::WANTED {
        if let Ok(contents) = fs::read(Path::new("/etc").join(path)) {
            existing.add(*path, contents);
        }
    }
    existing
}

/// The key stores of the Java installations of this machine that do not lie below `/etc`.
fn java_keystores() -> Vec<PathBuf> {
    let mut homes: Vec<PathBuf> = std::env::var_os("JAVA_HOME").map(PathBuf::from).into_iter().collect();
    for folder in ["/usr/lib/jvm", "/opt", "/opt/java"] {
        homes.extend(fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()));
    }
    let keystores =
        homes.iter().flat_map(|home| ["lib/security/cacerts", "jre/lib/security/cacerts"].map(|at| home.join(at)));
    let mut keystores: Vec<PathBuf> = keystores.filter_map(|keystore| fs::canonicalize(keystore).ok()).collect();
    keystores.retain(|keystore| !keystore.starts_with("/etc"));
    keystores.sort();
    keystores.dedup();
    keystores
}

fn write(path: &Path, contents: &[u8], mode: u32) -> Result<(), LabError> {
    let doing = || format!("write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(LabError::system(doing()))?;
    }
    fs::write(path, contents).map_err(LabError::system(doing()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(LabError::system(doing()))
}

fn status(ended: ExitStatus) -> u8 {
    let code = ended.code().or_else(|| ended.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
