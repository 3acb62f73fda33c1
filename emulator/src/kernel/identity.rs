//! Who somebody is inside a user namespace: the maps between ids inside and outside.
//!
//! The map is chosen by what the caller may do, never by its uid: root in a default container may do less than an
//! ordinary user. Inside, the lab is always uid 0.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Pid, Uid, getegid, geteuid, getgroups};

use super::capabilities;

/// The user who called, as seen outside.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The effective user id.
    pub uid: Uid,
    /// The effective group id.
    pub gid: Gid,
    /// The supplementary groups.
    pub groups: Vec<Gid>,
}

impl Caller {
    /// The user of this process.
    pub fn current() -> io::Result<Self> {
        Ok(Self { uid: geteuid(), gid: getegid(), groups: getgroups()? })
    }
}

/// How ids inside correspond to ids outside.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum IdentityMap {
    /// Every id means the same inside: the caller may set any uid and gid.
    Full,
    /// The caller keeps its ids, and the other ids inside are its subordinate ids, by newuidmap and newgidmap.
    Subordinate {
        /// The first and the number of the subordinate user ids.
        uids: (u32, u32),
        /// The first and the number of the subordinate group ids.
        gids: (u32, u32),
    },
    /// Only one id exists: 0 inside is the caller.
    Single,
}

/// One line of a map: first id inside, first id outside, how many.
type Extent = (u32, u32, u32);

/// The maps worth trying, best first.
pub fn candidates(caller: &Caller) -> Vec<IdentityMap> {
    let mut maps = Vec::new();
    if capabilities::effective(&[capabilities::SETUID, capabilities::SETGID, capabilities::SETFCAP]) {
        maps.push(IdentityMap::Full);
    }
    if helper("newuidmap").is_some() && helper("newgidmap").is_some() {
        let name = user_name(caller.uid);
        let uids = subordinate(Path::new("/etc/subuid"), name.as_deref(), caller.uid.as_raw());
        let gids = subordinate(Path::new("/etc/subgid"), name.as_deref(), caller.uid.as_raw());
        if let (Some(uids), Some(gids)) = (uids, gids) {
            maps.push(IdentityMap::Subordinate { uids, gids });
        }
    }
    maps.push(IdentityMap::Single);
    maps
}

/// The line to paste so that the next lab has more than the caller's own id.
pub fn advice_for_more(caller: &Caller) -> String {
    if helper("newuidmap").is_none() || helper("newgidmap").is_none() {
        return "sudo apt-get install uidmap".to_owned();
    }
    let user = user_name(caller.uid).unwrap_or_else(|| caller.uid.to_string());
    format!("sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}")
}

impl IdentityMap {
    /// Writes the map for a process that has just entered its user namespace. Called outside of it.
    pub fn write(&self, process: Pid, caller: &Caller) -> io::Result<()> {
        match self {
            Self::Full => {
                write_map(process, "gid_map", &identical(Path::new("/proc/self/gid_map"))?)?;
                write_map(process, "uid_map", &identical(Path::new("/proc/self/uid_map"))?)
            }
            Self::Subordinate { uids, gids } => {
                run_helper("newgidmap", process, &around(caller.gid.as_raw(), *gids))?;
                run_helper("newuidmap", process, &around(caller.uid.as_raw(), *uids))
            }
            Self::Single => {
                std::fs::write(format!("/proc/{process}/setgroups"), "deny")?;
                write_map(process, "gid_map", &[(0, caller.gid.as_raw(), 1)])?;
                write_map(process, "uid_map", &[(0, caller.uid.as_raw(), 1)])
            }
        }
    }

    /// Whether the caller has its own id inside, so that a command can simply be given it.
    pub fn has_caller(&self) -> bool {
        *self != Self::Single
    }

    /// One line for people.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Full => "all ids, as real root",
            Self::Subordinate { .. } => "subordinate ids, by newuidmap",
            Self::Single => "one id; programs that change their user fail",
        }
    }
}

/// The extents that make every id of this namespace mean the same inside.
fn identical(path: &Path) -> io::Result<Vec<Extent>> {
    let text = std::fs::read_to_string(path)?;
    let extents = text.lines().filter_map(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(inside)), Some(Ok(_)), Some(Ok(count))) => Some((inside, inside, count)),
            _ => None,
        }
    });
    Ok(extents.collect())
}

/// The caller keeps its id; the ids below and above it are subordinate ones.
fn around(caller: u32, (first, count): (u32, u32)) -> Vec<Extent> {
    let below = caller.min(count);
    let mut extents = Vec::new();
    if below > 0 {
        extents.push((0, first, below));
    }
    extents.push((caller, caller, 1));
    if count > below {
        extents.push((caller + 1, first + below, count - below));
    }
    extents
}

fn write_map(process: Pid, which: &str, extents: &[Extent]) -> io::Result<()> {
    let mut text = String::new();
    for (inside, outside, count) in extents {
        let _ = writeln!(text, "{inside} {outside} {count}");
    }
    std::fs::write(format!("/proc/{process}/{which}"), text)
}

#[expect(clippy::disallowed_methods, reason = "newuidmap is setuid and has no library")]
fn run_helper(name: &str, process: Pid, extents: &[Extent]) -> io::Result<()> {
    let mut command = Command::new(name);
    command.arg(process.to_string());
    for (inside, outside, count) in extents {
        command.args([inside.to_string(), outside.to_string(), count.to_string()]);
    }
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("{name}: {}", said.trim())))
}

fn helper(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn user_name(uid: Uid) -> Option<String> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse::<u32>().ok()? == uid.as_raw()).then(|| name.to_owned())
    })
}

/// The first range of a user in `/etc/subuid` or `/etc/subgid`, where users stand by name or by number.
fn subordinate(path: &Path, name: Option<&str>, uid: u32) -> Option<(u32, u32)> {
    let text = std::fs::read_to_string(path).ok()?;
    subordinate_in(&text, name, uid)
}

fn subordinate_in(text: &str, name: Option<&str>, uid: u32) -> Option<(u32, u32)> {
    text.lines().find_map(|line| {
        let mut fields = line.trim().split(':');
        let user = fields.next()?;
        let range = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        (Some(user) == name || user.parse() == Ok(uid)).then_some(range)
    })
}

#[cfg(test)]
mod tests {
    use super::{around, subordinate_in};

    #[test]
    fn the_caller_keeps_its_id_among_subordinate_ones() {
        assert_eq!(around(1000, (100_000, 65_536)), [(0, 100_000, 1000), (1000, 1000, 1), (1001, 101_000, 64_536)]);
        assert_eq!(around(0, (100_000, 65_536)), [(0, 0, 1), (1, 100_000, 65_536)]);
        assert_eq!(around(70_000, (100_000, 65_536)), [(0, 100_000, 65_536), (70_000, 70_000, 1)]);
    }

    #[test]
    fn users_stand_by_name_or_by_number() {
        let text = "alice:100000:65536\n1001:200000:65536\n";
        assert_eq!(subordinate_in(text, Some("alice"), 1000), Some((100_000, 65_536)));
        assert_eq!(subordinate_in(text, None, 1001), Some((200_000, 65_536)));
        assert_eq!(subordinate_in(text, Some("bob"), 1002), None);
    }
}
