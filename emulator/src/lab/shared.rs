//! A folder that all commands of a lab share, on its servers' machines too.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::kernel::mounts;

/// Where commands find it.
pub const SHARED: &str = "/run/tool";

/// A lab's shared folder. It lies on the private tmpfs; dropping it empties it.
#[derive(Debug)]
pub struct SharedFolder(PathBuf);

/// A file for it.
#[derive(Clone, Copy, Debug)]
pub struct SharedFile<'a> {
    /// Its path from the folder, with `/`.
    pub path: &'a str,
    /// What it holds.
    pub contents: &'a [u8],
    /// Whether it can be run.
    pub executable: bool,
}

impl SharedFolder {
    /// Lays it out for the lab that will have this number. Must be called in the process that [`crate::sandbox::run`] made,
    /// before the lab starts.
    pub fn lay_out<'a>(lab: usize, files: impl IntoIterator<Item = SharedFile<'a>>) -> io::Result<Self> {
        let folder = Self(place(&Path::new(mounts::PRIVATE).join(format!("lab{lab}"))));
        if folder.0.exists() {
            fs::remove_dir_all(&folder.0)?;
        }
        open_folder(&folder.0)?;
        for SharedFile { path, contents, executable } in files {
            let path = folder.0.join(path);
            if let Some(parent) = path.parent() {
                open_folder(parent)?;
            }
            fs::write(&path, contents)?;
            let mode = if executable { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        }
        Ok(folder)
    }
}

impl Drop for SharedFolder {
    fn drop(&mut self) {
        // It goes with the process at the latest.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A folder into which the caller may write as root may.
fn open_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777))
}

/// Where a lab keeps it, which keeps the rest of its files here.
pub(super) fn place(lab: &Path) -> PathBuf {
    lab.join("shared")
}
