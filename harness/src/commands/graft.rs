//! Which programs are grafted: found as a shell finds them.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A program to graft could not be found.
#[derive(Debug, thiserror::Error)]
pub(super) enum FindError {
    /// No folder of PATH has it.
    #[error("no program is called `{}`, so it cannot be grafted", .0.display())]
    NotInPath(OsString),
    /// There is nothing at the path.
    #[error("failed to find {}, so it cannot be grafted: {cause}", .path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
        /// What the kernel said.
        cause: io::Error,
    },
}

/// Where these programs are, all links resolved.
pub(super) fn find_all(programs: &[OsString]) -> Result<Vec<PathBuf>, FindError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    programs.iter().map(|program| find(program, &path)).collect()
}

fn find(program: &OsStr, path: &OsStr) -> Result<PathBuf, FindError> {
    let found = if program.as_encoded_bytes().contains(&b'/') {
        PathBuf::from(program)
    } else {
        let places = std::env::split_paths(path).map(|folder| folder.join(program));
        let found = places.into_iter().find(|place| can_be_run(place));
        found.ok_or_else(|| FindError::NotInPath(program.to_owned()))?
    };
    fs::canonicalize(&found).map_err(|cause| FindError::NoFile { path: found, cause })
}

fn can_be_run(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_name_is_looked_for_in_path_and_links_are_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = fs::canonicalize(folder.path()).expect("a folder");
        let (first, second) = (folder.join("first"), folder.join("second"));
        for each in [&first, &second] {
            fs::create_dir_all(each).expect("a folder");
        }
        let program = folder.join("probe-1.2");
        fs::write(&program, "").expect("a file");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("permissions");
        fs::write(first.join("probe"), "not to be run").expect("a file");
        symlink(&program, second.join("probe")).expect("a link");
        let path = std::env::join_paths([&first, &second]).expect("a path");
        assert_eq!(find("probe".as_ref(), &path).expect("the program"), program);
        assert_eq!(find(second.join("probe").as_os_str(), "".as_ref()).expect("the program"), program);
        assert!(matches!(find("other".as_ref(), &path), Err(FindError::NotInPath(_))));
        let gone = folder.join("gone");
        assert!(matches!(find(gone.as_os_str(), &path), Err(FindError::NoFile { path, .. }) if path == gone));
    }
}
