//! A lab's own `/etc`: the host's, with some files of the lab's over it.

use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::fs::{MetadataExt, lchown, symlink};
use std::path::Path;

use super::mounts::{self, MountError};

/// How it was made.
#[derive(Debug)]
pub enum Laid {
    /// An overlay over the host's.
    Overlay,
    /// A copy of the host's, because an overlay was refused. In containers it is: engines mount `/etc/hosts` and
    /// `/etc/resolv.conf`, and the kernel lays no overlay over what has mounts of another's in it.
    Copy(io::Error),
}

/// Makes a folder `merged` that holds the host's `/etc` with what is in `upper` over it; commands bind it over `/etc`. What they
/// write there stays in the lab.
pub fn lay(upper: &Path, work: &Path, merged: &Path) -> Result<Laid, MountError> {
    for folder in [upper, work, merged] {
        let doing = |cause| MountError { doing: format!("make {}", folder.display()), cause };
        fs::create_dir_all(folder).map_err(doing)?;
    }
    let Err(refused) = mounts::overlay(Path::new("/etc"), upper, work, merged) else {
        return Ok(Laid::Overlay);
    };
    for from in [Path::new("/etc"), upper] {
        let doing = |cause| MountError { doing: format!("copy {} for the lab", from.display()), cause };
        copy(from, merged).map_err(doing)?;
    }
    Ok(Laid::Copy(refused))
}

/// Copies what is in a folder into another that is there, over what is in it. What the caller may not read is left out, as it
/// could not be read in its old place either.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        match copy_entry(&entry, &to.join(entry.file_name())) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            copied => copied?,
        }
    }
    Ok(())
}

fn copy_entry(entry: &DirEntry, to: &Path) -> io::Result<()> {
    let (from, metadata) = (entry.path(), entry.metadata()?);
    if metadata.is_dir() {
        // A link leads out of the copy; as in an overlay, a folder takes its place.
        if to.is_symlink() {
            remove(to)?;
        }
        fs::create_dir_all(to)?;
        copy(&from, to)?;
        fs::set_permissions(to, metadata.permissions())?;
    } else if metadata.is_symlink() {
        remove(to)?;
        symlink(fs::read_link(&from)?, to)?;
    } else if metadata.is_file() {
        remove(to)?;
        fs::copy(&from, to)?;
    } else {
        // Sockets and devices of /etc are nothing that a client reads.
        return Ok(());
    }
    // Where the owner has no number in here the copy stays ours; its mode says who may read it all the same.
    let _ = lchown(to, Some(metadata.uid()), Some(metadata.gid()));
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_copy_has_the_upper_files_and_keeps_links_and_modes() {
        let folder = tempfile::tempdir().expect("a folder");
        let [host, upper, merged] = ["host", "upper", "merged"].map(|name| folder.path().join(name));
        for (path, text) in [
            (host.join("hosts"), "host"),
            (host.join("ssl/certs/a.pem"), "host"),
            (host.join("ssl/key"), "secret"),
            (upper.join("hosts"), "lab"),
            (upper.join("resolv.conf"), "lab"),
            (upper.join("ssl/certs/b.pem"), "lab"),
        ] {
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        symlink("../run/resolv.conf", host.join("resolv.conf")).expect("a link");
        symlink("/nowhere", host.join("mtab")).expect("a link");
        // What the lab puts into a folder must not go through a link of the host's.
        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir(&elsewhere).expect("made");
        symlink(&elsewhere, host.join("pki")).expect("a link");
        fs::create_dir(upper.join("pki")).expect("made");
        fs::write(upper.join("pki/bundle"), "lab").expect("written");
        fs::set_permissions(host.join("ssl/key"), fs::Permissions::from_mode(0o600)).expect("set");
        fs::create_dir(&merged).expect("made");
        copy(&host, &merged).expect("copied");
        copy(&upper, &merged).expect("copied");
        let read = |path: &str| fs::read_to_string(merged.join(path)).expect("read");
        assert_eq!(
            ["hosts", "resolv.conf", "ssl/certs/a.pem", "ssl/certs/b.pem", "ssl/key"].map(read),
            ["lab", "lab", "host", "lab", "secret"]
        );
        assert_eq!(read("pki/bundle"), "lab");
        assert_eq!(fs::read_dir(&elsewhere).expect("a folder").count(), 0);
        assert_eq!(fs::read_link(merged.join("mtab")).expect("a link"), Path::new("/nowhere"));
        assert_eq!(fs::metadata(merged.join("ssl/key")).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(host.join("hosts")).expect("read"), "host");
    }
}
