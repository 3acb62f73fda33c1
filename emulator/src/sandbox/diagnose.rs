//! What `roadblock doctor` tries, each operation for real, in a sandbox of its own.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use roadblock_scenarios::model::Name;
use serde::{Deserialize, Serialize};

use super::SandboxError;
use super::machine::Machine;
use crate::kernel::etc::{self, Laid};
use crate::kernel::identity::advice_for_more;
use crate::kernel::inject::Injector;
use crate::kernel::mounts;
use crate::kernel::namespace::Namespace;
use crate::kernel::nflog::Log;
use crate::kernel::nftables::{QueueKind, detect_queue_kind};
use crate::plan::ruleset::LOG_GROUP;

/// One thing that was tried.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Check {
    /// What.
    pub name: String,
    /// Whether there can be no lab without it.
    pub needed: bool,
    /// What was seen, or why it failed.
    pub result: Result<String, String>,
    /// The line to paste where it failed, or where it could be better.
    pub advice: Option<String>,
}

/// What was found of a machine.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// What it is.
    pub machine: &'static Machine,
    /// What was tried.
    pub checks: Vec<Check>,
}

impl Diagnosis {
    /// Whether the machine can run labs.
    pub fn can_run_labs(&self) -> bool {
        self.checks.iter().all(|check| check.result.is_ok() || !check.needed)
    }
}

/// Tries everything that a lab needs. Must be called before the process has a second thread.
pub fn diagnose() -> Diagnosis {
    Diagnosis { machine: Machine::here(), checks: tried() }
}

fn tried() -> Vec<Check> {
    let tried =
        pipe2(OFlag::O_CLOEXEC).map_err(|errno| SandboxError::Process { doing: "make a pipe", cause: errno.into() });
    let tried = tried.and_then(|(read, write)| {
        super::run(|| {
            let found = serde_json::to_vec(&look_inside()).unwrap_or_default();
            // A pipe holds 64 KiB, so nobody need read while this is written.
            u8::from(File::from(write).write_all(&found).is_err())
        })
        .map(|_| read)
    });
    match tried {
        Ok(read) => {
            let mut found = Vec::new();
            let read = File::from(read).read_to_end(&mut found).map(|_| found);
            let checks: Option<Vec<Check>> = read.ok().and_then(|found| serde_json::from_slice(&found).ok());
            checks.unwrap_or_else(|| vec![failed("sandbox", "it ended before it could be looked at", None)])
        }
        Err(error) => vec![failed("sandbox", error.to_string(), error.advice())],
    }
}

fn look_inside() -> Vec<Check> {
    let mut checks = vec![passed("user, mount, PID, network, IPC and UTS namespaces", "made")];
    if let Some(inside) = super::inside() {
        let advice = (!inside.map.has_caller()).then(|| advice_for_more(&inside.caller));
        checks.push(Check { advice, ..passed("user ids", inside.map.describe()) });
    }
    match Namespace::create(0, &Name::from("doctor"), true) {
        Ok(namespace) => {
            checks.push(passed("a network namespace for each hop", "made"));
            checks.push(queue(&namespace));
            checks.push(of(
                "the packet log",
                namespace.block_on(async { Log::open(LOG_GROUP).map(|_| "opened") }),
                Machine::here().for_packets(),
            ));
            let socket = namespace.block_on(async { Injector::open(Vec::new()).map(|_| "opened") });
            checks.push(of("a packet socket", socket, Machine::here().for_packets()));
        }
        Err(error) => {
            let advice = Some(Machine::here().for_network_namespaces());
            checks.push(failed("a network namespace for each hop", error.to_string(), advice));
        }
    }
    checks.push(files());
    checks.push(tunnel());
    checks
}

fn queue(namespace: &Namespace) -> Check {
    const NAME: &str = "the packet queue";
    match namespace.block_on(async { detect_queue_kind() }) {
        Ok(Ok(QueueKind::Native)) => passed(NAME, "nftables' own"),
        Ok(Ok(QueueKind::Compat)) => passed(NAME, "by xtables' NFQUEUE target"),
        Ok(Err(error)) => failed(NAME, error.to_string(), Some(Machine::here().for_packets())),
        Err(error) => failed(NAME, error.to_string(), None),
    }
}

fn files() -> Check {
    const NAME: &str = "files of the lab's own over /etc";
    let place = Path::new(mounts::PRIVATE).join("doctor");
    match etc::lay(&place.join("upper"), &place.join("work"), &place.join("merged")) {
        Ok(Laid::Overlay) => passed(NAME, "laid"),
        Ok(Laid::Copy(refused)) => passed(NAME, &format!("copied, since an overlay was refused: {refused}")),
        Err(error) => failed(NAME, error.to_string(), None),
    }
}

/// VPN clients need it; labs do not.
fn tunnel() -> Check {
    let opened = OpenOptions::new().read(true).write(true).open("/dev/net/tun").map(|_| "there");
    let check = of("/dev/net/tun, for VPNs under `exec --root`", Ok(opened), Machine::here().for_tunnels());
    Check { needed: false, ..check }
}

fn of(name: &str, tried: io::Result<io::Result<&'static str>>, advice: String) -> Check {
    match tried.and_then(|tried| tried) {
        Ok(seen) => passed(name, seen),
        Err(error) => failed(name, error.to_string(), Some(advice)),
    }
}

fn passed(name: &str, seen: &str) -> Check {
    Check { name: name.to_owned(), needed: true, result: Ok(seen.to_owned()), advice: None }
}

fn failed(name: &str, why: impl Into<String>, advice: Option<String>) -> Check {
    Check { name: name.to_owned(), needed: true, result: Err(why.into()), advice }
}
