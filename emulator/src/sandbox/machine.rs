//! What kind of machine this is, as far as it matters to labs.

use std::fmt;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::traces::Traces;

/// The machine that roadblock runs on.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Machine {
    /// What it calls itself, as `Ubuntu 24.04.1 LTS`; empty where it has no os-release.
    pub system: String,
    /// The kernel's release, as `6.8.0-1017-azure`.
    pub kernel: String,
    /// What it stands in, the innermost first; empty for a machine of one's own, real or virtual.
    pub surroundings: Vec<Surrounding>,
    #[serde(skip)]
    pub(super) traces: Traces,
}

/// What a machine stands in, where that decides what must be allowed and where.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surrounding {
    /// A pod of Kubernetes.
    Kubernetes,
    /// A container of Docker's.
    Docker,
    /// A container of Podman's.
    Podman,
    /// A container of LXC, LXD or Incus.
    Lxc,
    /// A container of some other kind.
    OtherContainer,
    /// The Windows Subsystem for Linux, version 1: no Linux kernel.
    Wsl1,
    /// The Windows Subsystem for Linux, version 2: Microsoft's build of a Linux kernel.
    Wsl2,
    /// A job of GitHub Actions on a machine of GitHub's.
    GithubRunner,
    /// A job of GitHub Actions on somebody's own machine.
    GithubOwnRunner,
    /// A job of GitLab CI.
    GitlabRunner,
}

static HERE: OnceLock<Machine> = OnceLock::new();

impl Machine {
    /// The machine that this process runs on, as it was when this was first called: later, a lab's own files may cover what
    /// tells of it.
    pub fn here() -> &'static Self {
        HERE.get_or_init(|| Self::of(Traces::here()))
    }

    /// What these traces are those of.
    pub(super) fn of(traces: Traces) -> Self {
        let system = traces.file("/etc/os-release").or_else(|| traces.file("/usr/lib/os-release"));
        let system = system.and_then(|text| os_release(text, "PRETTY_NAME")).unwrap_or_default();
        let kernel = traces.file("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned();
        let surroundings = [container(&traces), windows(&kernel), runner(&traces)].into_iter().flatten().collect();
        Self { system, kernel, surroundings, traces }
    }

    /// Whether it stands in this.
    pub(super) fn is_in(&self, surrounding: Surrounding) -> bool {
        self.surroundings.contains(&surrounding)
    }

    /// The container that it is, if it is one.
    pub(super) fn container(&self) -> Option<Surrounding> {
        self.surroundings.iter().copied().find(|surrounding| surrounding.is_container())
    }
}

impl Surrounding {
    /// Whether what is allowed here was decided where the container was started.
    fn is_container(self) -> bool {
        matches!(self, Self::Kubernetes | Self::Docker | Self::Podman | Self::Lxc | Self::OtherContainer)
    }
}

/// As the doctor's first line says it.
impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let system = if self.system.is_empty() { "a system without os-release" } else { &self.system };
        write!(f, "{system}, Linux {}", self.kernel)?;
        self.surroundings.iter().try_for_each(|surrounding| write!(f, ", {surrounding}"))
    }
}

impl fmt::Display for Surrounding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kubernetes => "in a pod of Kubernetes",
            Self::Docker => "in a container of Docker",
            Self::Podman => "in a container of Podman",
            Self::Lxc => "in a container of LXC",
            Self::OtherContainer => "in a container",
            Self::Wsl1 => "in WSL 1",
            Self::Wsl2 => "in WSL 2",
            Self::GithubRunner => "on a runner of GitHub's",
            Self::GithubOwnRunner => "on a runner for GitHub",
            Self::GitlabRunner => "on a runner for GitLab",
        })
    }
}

/// A value of os-release(5).
fn os_release(text: &str, key: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    Some(value.trim().trim_matches(['"', '\'']).to_owned())
}

fn container(traces: &Traces) -> Option<Surrounding> {
    if traces.variable("KUBERNETES_SERVICE_HOST").is_some()
        || traces.has("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
    {
        return Some(Surrounding::Kubernetes);
    }
    // Podman makes this file, and so does buildah.
    if traces.has("/run/.containerenv") {
        return Some(Surrounding::Podman);
    }
    // A virtual machine made of an image of Docker's has the file too, but nothing is mounted on its host name.
    if traces.has("/.dockerenv")
        && traces.file("/proc/self/mountinfo").is_some_and(|mounts| mounted(mounts, "/etc/hostname"))
    {
        return Some(Surrounding::Docker);
    }
    match traces.file("/run/systemd/container").or_else(|| traces.variable("container"))?.trim() {
        "" | "wsl" => None,
        "docker" => Some(Surrounding::Docker),
        "podman" => Some(Surrounding::Podman),
        "lxc" | "lxc-libvirt" => Some(Surrounding::Lxc),
        _ => Some(Surrounding::OtherContainer),
    }
}

/// Whether something is mounted there; the fifth field of `proc_pid_mountinfo(5)`.
fn mounted(mounts: &str, place: &str) -> bool {
    mounts.lines().any(|line| line.split(' ').nth(4) == Some(place))
}

/// WSL 1 ends its release in `-Microsoft`; version 2 has it in small letters, as in `5.15.167.4-microsoft-standard-WSL2`.
fn windows(kernel: &str) -> Option<Surrounding> {
    if kernel.ends_with("-Microsoft") {
        Some(Surrounding::Wsl1)
    } else {
        (kernel.contains("microsoft") || kernel.contains("WSL2")).then_some(Surrounding::Wsl2)
    }
}

fn runner(traces: &Traces) -> Option<Surrounding> {
    if traces.variable("GITHUB_ACTIONS") == Some("true") {
        let own = traces.variable("RUNNER_ENVIRONMENT") == Some("self-hosted");
        return Some(if own { Surrounding::GithubOwnRunner } else { Surrounding::GithubRunner });
    }
    (traces.variable("GITLAB_CI") == Some("true")).then_some(Surrounding::GitlabRunner)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::sandbox) const UBUNTU: &str =
        "PRETTY_NAME=\"Ubuntu 24.04.1 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"24.04\"\nID=ubuntu\nID_LIKE=debian\n";
    const DEBIAN: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nID=debian\n";
    /// The lines that matter, in the shape that Docker with overlay2 gives them.
    pub(in crate::sandbox) const DOCKER_MOUNTS: &str = "\
        660 551 0:61 / / rw,relatime master:295 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/AB,upperdir=/var/lib/docker/overlay2/c/diff\n\
        661 660 0:64 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw\n\
        673 660 8:1 /var/lib/docker/containers/3d/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/root rw\n\
        674 660 8:1 /var/lib/docker/containers/3d/hostname /etc/hostname rw,relatime - ext4 /dev/root rw\n";

    #[test]
    fn each_machine_is_known_by_what_it_shows() {
        let own = [("/etc/os-release", DEBIAN), ("/proc/sys/kernel/osrelease", "6.1.0-28-amd64\n")];
        let azure = ("/proc/sys/kernel/osrelease", "6.11.0-1018-azure\n");
        let github = [
            ("/etc/os-release", UBUNTU),
            azure,
            ("GITHUB_ACTIONS", "true"),
            ("RUNNER_ENVIRONMENT", "github-hosted"),
            ("ImageOS", "ubuntu24"),
        ];
        let docker = [("/.dockerenv", ""), ("/proc/self/mountinfo", DOCKER_MOUNTS)];
        let wsl = |kernel| [("/etc/os-release", UBUNTU), ("/proc/sys/kernel/osrelease", kernel)];
        let machines = [
            own.to_vec(),
            [&own[..], &[("/.dockerenv", ""), ("/proc/self/mountinfo", "29 1 254:0 / / rw - ext4 /dev/vda rw\n")]]
                .concat(),
            github.to_vec(),
            [&github[..], &docker[..]].concat(),
            [&own[..], &[("GITHUB_ACTIONS", "true"), ("RUNNER_ENVIRONMENT", "self-hosted")]].concat(),
            [&own[..], &docker[..]].concat(),
            [&own[..], &docker[..], &[("GITLAB_CI", "true")]].concat(),
            [&own[..], &[("/run/.containerenv", "engine=\"podman-4.3.1\"\nrootless=1\n"), ("container", "podman")]]
                .concat(),
            [&own[..], &[("KUBERNETES_SERVICE_HOST", "10.96.0.1")]].concat(),
            [&own[..], &[("/run/systemd/container", "lxc\n")]].concat(),
            [&own[..], &[("/run/systemd/container", "systemd-nspawn\n")]].concat(),
            wsl("5.15.167.4-microsoft-standard-WSL2\n").to_vec(),
            wsl("4.4.0-19041-Microsoft\n").to_vec(),
            vec![
                ("/usr/lib/os-release", "ID=nixos\nPRETTY_NAME='NixOS 24.11'\n"),
                ("/proc/sys/kernel/osrelease", "6.6.63\n"),
            ],
            vec![("/proc/sys/kernel/osrelease", "6.6.63\n")],
        ];
        let said: Vec<String> = machines.iter().map(|found| Machine::of(Traces::of(found)).to_string()).collect();
        insta::assert_snapshot!(said.join("\n"));
    }
}
