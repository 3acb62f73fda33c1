//! A file that a command writes at its end.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Opened before the lab lays its own files over parts of the file system, so that one that cannot be written is said before
/// anything is measured. Who reads it meets what was there before or all that is new, never a half.
#[derive(Debug)]
pub(crate) struct OutputFile {
    /// As it was named.
    named: PathBuf,
    /// From the root: the lab's process may be elsewhere.
    path: PathBuf,
    file: File,
    /// The new file's name until it is whole; a device or a pipe is written in place.
    beside: Option<PathBuf>,
}

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write `{}`: {cause}", path.display())]
pub(crate) struct OutputFileError {
    path: PathBuf,
    cause: io::Error,
}

impl OutputFile {
    /// A file that takes the place of what is there.
    pub(crate) fn replace(named: &Path) -> Result<Self, OutputFileError> {
        let fail = |cause| OutputFileError { path: named.to_owned(), cause };
        // Through a symbolic link, which stays.
        let path = fs::canonicalize(named).or_else(|_| std::path::absolute(named)).map_err(fail)?;
        if fs::metadata(&path).is_ok_and(|meta| !meta.is_file()) {
            let file = OpenOptions::new().write(true).open(&path).map_err(fail)?;
            return Ok(Self { named: named.to_owned(), path, file, beside: None });
        }
        let beside = beside(&path);
        let file = File::create(&beside).map_err(fail)?;
        Ok(Self { named: named.to_owned(), path, file, beside: Some(beside) })
    }

    /// A file to which something is added.
    pub(crate) fn append(path: &Path) -> Result<Self, OutputFileError> {
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.map_err(|cause| OutputFileError { path: path.to_owned(), cause })?;
        Ok(Self { named: path.to_owned(), path: path.to_owned(), file, beside: None })
    }

    /// Writes all of it.
    pub(crate) fn write(mut self, content: &str) -> Result<(), OutputFileError> {
        let written = self.file.write_all(content.as_bytes()).and_then(|()| match &self.beside {
            Some(beside) => self.file.sync_data().and_then(|()| fs::rename(beside, &self.path)),
            None => Ok(()),
        });
        written.map_err(|cause| OutputFileError { path: self.named.clone(), cause })?;
        self.beside = None;
        Ok(())
    }
}

impl Drop for OutputFile {
    /// What never was written leaves nothing behind.
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            // Where it was renamed by the lab's process it is no longer there.
            let _ = fs::remove_file(beside);
        }
    }
}

/// The name of a file until it is whole: in the same folder, and this process's own.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays_until_the_new_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("junit.xml");
        fs::write(&path, "old").expect("written");
        drop(OutputFile::replace(&path).expect("opened"));
        assert_eq!(fs::read_to_string(&path).expect("read"), "old");
        let file = OutputFile::replace(&path).expect("opened");
        assert_eq!(fs::read_to_string(&path).expect("read"), "old");
        file.write("new").expect("written");
        assert_eq!(fs::read_to_string(&path).expect("read"), "new");
        OutputFile::append(&path).expect("opened").write(" and more").expect("written");
        assert_eq!(fs::read_to_string(&path).expect("read"), "new and more");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing lies beside it");
    }

    #[test]
    fn a_link_and_a_device_stay_what_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, link) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&path, "old").expect("written");
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        OutputFile::replace(&link).expect("opened").write("new").expect("written");
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
        assert_eq!(fs::read_to_string(&path).expect("read"), "new");
        OutputFile::replace(Path::new("/dev/null")).expect("opened").write("gone").expect("written");
        assert!(!fs::metadata("/dev/null").expect("there").is_file());
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let error = OutputFile::replace(Path::new("/nowhere/at/all.xml")).expect_err("there is no such folder");
        assert_eq!(error.to_string(), "failed to write `/nowhere/at/all.xml`: No such file or directory (os error 2)");
    }
}
