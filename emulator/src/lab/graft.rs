//! Programs that are seen with the lab's certificate among their own.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::Lab;
use crate::graft::{self, GraftError, Grafted};

/// Why a program is not grafted.
#[derive(Debug, thiserror::Error)]
#[error("failed to graft the lab's certificate into {}: {cause}", .program.display())]
pub struct NotGrafted {
    /// The program.
    pub program: PathBuf,
    /// Why.
    pub cause: GraftError,
}

impl Lab {
    /// From now on, this lab's commands see at the place of a program a copy that trusts the lab. The program itself is not
    /// touched, and the copy goes with the lab. The path must be absolute and hold no links.
    pub fn graft(&self, program: &Path) -> Result<Grafted, NotGrafted> {
        let failed = |cause| NotGrafted { program: program.to_owned(), cause };
        if program.starts_with("/run") {
            return Err(failed(io::Error::other("labs have a /run of their own; copy it elsewhere").into()));
        }
        let copy = self.commands.files.new_graft_of(program);
        let grafted = write(program, &copy, self.authority.pem()).map_err(failed)?;
        self.commands.files.add_graft(copy, program.to_owned());
        Ok(grafted)
    }
}

fn write(program: &Path, copy: &Path, pem: &str) -> Result<Grafted, GraftError> {
    if let Some(folder) = copy.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut original = File::open(program)?;
    let mut written = BufWriter::new(File::options().write(true).create(true).truncate(true).mode(0o755).open(copy)?);
    let grafted = graft::graft(&mut original, &mut written, pem)?;
    written.flush()?;
    Ok(grafted)
}
