//! The lab's own view of the file system: nothing that leads to the host's daemons, and a few files of its own.

use std::io;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};

/// Where the lab keeps what only the lab sees, on its private tmpfs.
pub const PRIVATE: &str = "/run/roadblock";

/// What was being mounted when it failed.
#[derive(Debug, thiserror::Error)]
#[error("failed to {doing}: {cause}")]
pub struct MountError {
    /// What was being done, to what.
    pub doing: String,
    /// What the kernel said.
    pub cause: io::Error,
}

/// Gives the calling process's mount namespace a `/proc` of its own and an empty `/run`.
///
/// Sockets below `/run` lead out of the lab (name service, D-Bus, docker), and so do X11's. Those below `door` lead to labs: one
/// that commands could reach would let them choose by what they are measured.
pub fn isolate(door: Option<&Path>) -> Result<(), MountError> {
    doing("make the mounts private", nix_mount(None, "/", None, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None))?;
    let proc_flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    doing("mount /proc", nix_mount(Some("proc"), "/proc", Some("proc"), proc_flags, None))?;
    tmpfs(Path::new("/run"), "mode=0755")?;
    for sockets in ["/tmp/.X11-unix", "/tmp/.ICE-unix"] {
        if Path::new(sockets).is_dir() {
            tmpfs(Path::new(sockets), "mode=1777")?;
        }
    }
    if let Some(door) = door.filter(|door| door.is_dir()) {
        tmpfs(door, "mode=0700")?;
    }
    for folder in ["/run/lock", PRIVATE] {
        doing(&format!("make {folder}"), std::fs::create_dir_all(folder))?;
    }
    Ok(())
}

/// Shows at `merged` what is at `lower`, with what is at `upper` over it. What is written there goes to `upper`.
pub fn overlay(lower: &Path, upper: &Path, work: &Path, merged: &Path) -> io::Result<()> {
    let options = format!("lowerdir={},upperdir={},workdir={}", lower.display(), upper.display(), work.display());
    let with_user_attributes = format!("{options},userxattr");
    let target = merged.to_string_lossy();
    let overlay = |options: &str| nix_mount(Some("overlay"), &target, Some("overlay"), MsFlags::empty(), Some(options));
    overlay(&with_user_attributes).or_else(|_| overlay(&options))
}

/// The absolute path that `/etc/resolv.conf` leads to, where it is a link that leaves `/etc`.
pub fn resolv_conf_elsewhere() -> Option<PathBuf> {
    let target = std::fs::read_link("/etc/resolv.conf").ok()?;
    let absolute = Path::new("/etc").join(target);
    let mut plain = PathBuf::new();
    for part in absolute.components() {
        match part {
            std::path::Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    (!plain.starts_with("/etc")).then_some(plain)
}

fn tmpfs(path: &Path, options: &str) -> Result<(), MountError> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let target = path.to_string_lossy();
    doing(
        &format!("mount a tmpfs on {}", path.display()),
        nix_mount(Some("tmpfs"), &target, Some("tmpfs"), flags, Some(options)),
    )
}

fn nix_mount(
    source: Option<&str>,
    target: &str,
    kind: Option<&str>,
    flags: MsFlags,
    options: Option<&str>,
) -> io::Result<()> {
    mount(source, target, kind, flags, options).map_err(io::Error::from)
}

fn doing(what: &str, result: io::Result<()>) -> Result<(), MountError> {
    result.map_err(|cause| MountError { doing: what.to_owned(), cause })
}
