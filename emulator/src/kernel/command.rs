//! Running a command at a vantage as its caller, or as root over the vantage.
//!
//! The command is forked by the thread that lives in the vantage's network namespace. Between fork and exec it gets a mount
//! namespace of its own with the lab's `/etc`, then its identity.

use std::ffi::{CStr, CString, OsString};
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::fcntl::{OFlag, open};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::stat::Mode;
use nix::unistd::{Gid, Pid, Uid, setgroups, setresgid, setresuid, write};

use super::capabilities;
use super::identity::{Caller, IdentityMap};

/// Everything that a command needs.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The program and its arguments; never empty.
    pub argv: Vec<OsString>,
    /// Variables to set.
    pub set: Vec<(String, String)>,
    /// Variables to remove.
    pub remove: Vec<OsString>,
    /// What to bind over what, in this order.
    pub binds: Vec<(PathBuf, PathBuf)>,
    /// Whom to be.
    pub identity: Identity,
    /// Where stdin, stdout and stderr lead.
    pub output: Output,
}

/// Where a command's stdin, stdout and stderr lead.
#[derive(Clone, Debug)]
pub enum Output {
    /// All three are the caller's.
    Callers,
    /// Stdout and stderr go to this file; there is nothing on stdin. The command leads a process group of its own, so that it
    /// can be ended with all that it started.
    Log(PathBuf),
    /// Stderr goes to this file; there is nothing on stdin, and stdout is thrown away. The command leads a process group of
    /// its own, so that it can be ended with all that it started.
    Errors(PathBuf),
}

/// Whom a command is.
#[derive(Clone, Debug)]
pub enum Identity {
    /// Uid 0 with capabilities over the lab's namespaces.
    Root,
    /// The caller, without capabilities.
    Caller(Caller, IdentityMap),
}

/// Starts a command. Called on the thread of the vantage.
#[expect(clippy::disallowed_methods, reason = "this is where commands are run")]
pub fn spawn(prepared: &Prepared) -> io::Result<Child> {
    let Some((program, arguments)) = prepared.argv.split_first() else {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    };
    let mut command = Command::new(program);
    command.args(arguments).envs(prepared.set.iter().map(|(name, value)| (name, value)));
    for name in &prepared.remove {
        command.env_remove(name);
    }
    match &prepared.output {
        Output::Callers => {}
        Output::Log(path) => {
            let file = File::create(path)?;
            command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0);
        }
        Output::Errors(path) => {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(path)?).process_group(0);
        }
    }
    let binds = prepared
        .binds
        .iter()
        .map(|(from, to)| Ok((c_path(from)?, c_path(to)?)))
        .collect::<io::Result<Vec<(CString, CString)>>>()?;
    let become_somebody = Somebody::new(&prepared.identity);
    // SAFETY: the closure runs between fork and exec. It makes system calls on data that was made before the fork; it
    // allocates nothing and takes no lock.
    #[expect(unsafe_code, reason = "pre_exec is unsafe")]
    unsafe {
        command.pre_exec(move || {
            unshare(CloneFlags::CLONE_NEWNS)?;
            for (from, to) in &binds {
                let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
                mount(Some(from.as_c_str()), to.as_c_str(), None::<&CStr>, flags, None::<&CStr>)?;
            }
            // The lab leaves some signals to one of its threads; a command takes them as anywhere else.
            SigSet::empty().thread_set_mask()?;
            become_somebody.become_now()
        });
    }
    command.spawn()
}

/// Ends a command that leads a process group, with all of the group, and takes note of its end.
pub fn end_group(child: &mut Child) {
    // One that ended before has its number to itself until its end is taken note of, and others of its group may live on.
    if let Ok(leader) = i32::try_from(child.id()) {
        let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
    }
    let _ = child.wait();
}

/// An identity with everything allocated.
enum Somebody {
    Root,
    /// The caller's ids exist in this user namespace.
    Mapped {
        uid: Uid,
        gid: Gid,
        groups: Vec<Gid>,
    },
    /// Only uid 0 exists here, and it is the caller; one more user namespace gives it back its number.
    Renamed {
        uid_map: Vec<u8>,
        gid_map: Vec<u8>,
    },
}

impl Somebody {
    fn new(identity: &Identity) -> Self {
        match identity {
            Identity::Root => Self::Root,
            Identity::Caller(caller, map) if map.has_caller() => Self::Mapped {
                uid: caller.uid,
                gid: caller.gid,
                groups: if *map == IdentityMap::Full { caller.groups.clone() } else { vec![caller.gid] },
            },
            Identity::Caller(caller, _) => Self::Renamed {
                uid_map: format!("{} 0 1\n", caller.uid).into_bytes(),
                gid_map: format!("{} 0 1\n", caller.gid).into_bytes(),
            },
        }
    }

    fn become_now(&self) -> io::Result<()> {
        match self {
            Self::Root => Ok(()),
            Self::Mapped { uid, gid, groups } => {
                capabilities::make_root_ordinary()?;
                setgroups(groups)?;
                setresgid(*gid, *gid, *gid)?;
                setresuid(*uid, *uid, *uid)?;
                capabilities::drop_held()
            }
            Self::Renamed { uid_map, gid_map } => {
                unshare(CloneFlags::CLONE_NEWUSER)?;
                write_file(c"/proc/self/setgroups", b"deny")?;
                write_file(c"/proc/self/gid_map", gid_map)?;
                write_file(c"/proc/self/uid_map", uid_map)?;
                capabilities::make_root_ordinary()?;
                capabilities::drop_held()
            }
        }
    }
}

fn write_file(path: &CStr, contents: &[u8]) -> io::Result<()> {
    let file = open(path, OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    write(&file, contents)?;
    Ok(())
}

fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_encoded_bytes()).map_err(io::Error::other)
}
