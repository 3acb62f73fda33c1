//! The files that commands of a lab see in place of the host's.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use roadblock_scenarios::model::Name;

use super::{LabError, shared};
use crate::internet::Authority;
use crate::kernel::{etc, mounts};
use crate::plan::client_files::{self, Existing, LabCertificate};

/// What is bound over what, in this order.
pub(super) type Binds = Vec<(PathBuf, PathBuf)>;

/// The namespaces whose files are laid out already.
#[derive(Debug)]
pub(super) struct Files {
    place: PathBuf,
    laid_out: Mutex<BTreeMap<Name, Binds>>,
    /// What is bound over programs, everywhere.
    grafts: Mutex<Binds>,
}

impl Files {
    /// Those of the lab of this number.
    pub(super) fn new(lab: usize) -> Self {
        Self {
            place: Path::new(mounts::PRIVATE).join(format!("lab{lab}")),
            laid_out: Mutex::default(),
            grafts: Mutex::default(),
        }
    }

    /// Where a copy of a program can be kept.
    pub(super) fn new_graft_of(&self, program: &Path) -> PathBuf {
        let number = self.grafts.lock().unwrap_or_else(PoisonError::into_inner).len();
        let name = program.file_name().unwrap_or_default();
        self.place.join("grafts").join(number.to_string()).join(name)
    }

    /// From now on this copy is seen in place of a program.
    pub(super) fn add_graft(&self, copy: PathBuf, program: PathBuf) {
        self.grafts.lock().unwrap_or_else(PoisonError::into_inner).push((copy, program));
    }

    /// Where they are kept, and what else the lab's commands leave.
    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    /// What a command in a namespace binds over the host's files. They are laid out at the first call.
    pub(super) fn binds(
        &self,
        namespace: &Name,
        resolvers: &[IpAddr],
        authority: &Authority,
    ) -> Result<Binds, LabError> {
        let mut laid_out = self.laid_out.lock().unwrap_or_else(PoisonError::into_inner);
        // What is bound lies below /run, which one of the others covers.
        let mut binds = self.grafts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = laid_out.get(namespace) {
            binds.extend_from_slice(known);
            return Ok(binds);
        }
        let files = lay_out(&self.place.join(&**namespace), resolvers, authority)?;
        binds.extend_from_slice(&files);
        laid_out.insert(Name::clone(namespace), files);
        Ok(binds)
    }
}

fn lay_out(place: &Path, resolvers: &[IpAddr], authority: &Authority) -> Result<Binds, LabError> {
    let (upper, work, merged) = (place.join("upper"), place.join("work"), place.join("merged"));
    let run = place.join("run");
    fs::create_dir_all(run.join("lock")).map_err(LabError::system("make a /run"))?;
    let certificate = LabCertificate { der: authority.der(), pem: authority.pem() };
    let files = client_files::client_files(resolvers, HOST_NAME, certificate, &existing())?;
    for file in &files {
        write(&upper.join(&file.path), &file.contents, file.mode)?;
    }
    let mut binds = Vec::new();
    let resolv_conf = upper.join("resolv.conf");
    if let Some(elsewhere) = mounts::resolv_conf_elsewhere() {
        // Programs that follow the link find the same file: its target lies on the namespace's own /run, or is covered.
        let below_run = elsewhere.strip_prefix("/var/run").or_else(|_| elsewhere.strip_prefix("/run"));
        if let Ok(below_run) = below_run {
            let contents = fs::read(&resolv_conf).map_err(LabError::system("read the lab's resolv.conf"))?;
            write(&run.join(below_run), &contents, 0o666)?;
        } else if elsewhere.exists() {
            binds.push((resolv_conf.clone(), elsewhere));
        }
    }
    // VPN scripts rewrite it, as the caller or as root.
    let writable = fs::Permissions::from_mode(0o666);
    fs::set_permissions(&resolv_conf, writable).map_err(LabError::system("open up the lab's resolv.conf"))?;
    let java = place.join("cacerts");
    write(&java, &client_files::java_keystore(authority.der()), 0o644)?;
    binds.extend(java_keystores().into_iter().map(|keystore| (java.clone(), keystore)));
    etc::lay(&upper, &work, &merged)?;
    binds.push((merged, PathBuf::from("/etc")));
    // All commands of a lab see its shared folder, where it has one.
    let shared = place.parent().map(shared::place).filter(|shared| shared.is_dir());
    if let Some((shared, below_run)) = shared.zip(shared::SHARED.strip_prefix("/run/")) {
        let seen = run.join(below_run);
        fs::create_dir_all(&seen).map_err(LabError::system("make the shared folder's place"))?;
        binds.push((shared, seen));
    }
    // Last, because what the others bind lies below /run. Each namespace is a machine of its own, with its own sockets there.
    binds.push((run, PathBuf::from("/run")));
    Ok(binds)
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
