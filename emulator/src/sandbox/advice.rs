//! The line to paste where this machine does not allow a lab. Lines that begin with `#` say where, so that all can be pasted.

use std::io;

use super::machine::{Machine, Surrounding};
use super::traces::{APPARMOR_RESTRICTS, UNPRIVILEGED_CLONE};

const MODULES: &str = "sudo modprobe -a nfnetlink_queue nfnetlink_log nft_queue nft_log nft_compat xt_NFQUEUE";

const ON_THE_HOST: &str = "# on the container's host";

impl Machine {
    /// Where no user namespace can be made, or not with the others inside it.
    pub(super) fn for_user_namespaces(&self, cause: &io::Error) -> String {
        if self.is_in(Surrounding::Wsl1) {
            return "# in Windows, with the name that `wsl --list` shows: labs need a Linux kernel\nwsl --set-version NAME 2".to_owned();
        }
        if self.traces.number(UNPRIVILEGED_CLONE) == Some(0) {
            return self.on_the_host("sudo sysctl -w kernel.unprivileged_userns_clone=1");
        }
        for kind in ["user", "mnt", "net", "pid", "ipc", "uts"] {
            if self.traces.number(&format!("/proc/sys/user/max_{kind}_namespaces")) == Some(0) {
                return self.on_the_host(&format!("sudo sysctl -w user.max_{kind}_namespaces=15000"));
            }
        }
        if cause.raw_os_error() == Some(libc::ENOSPC) {
            return self.on_the_host("sudo sysctl -w user.max_user_namespaces=15000 user.max_net_namespaces=15000");
        }
        if cause.raw_os_error() == Some(libc::EACCES) && self.traces.number("/sys/fs/selinux/enforce") == Some(1) {
            return "# SELinux enforces; this shows what it refused\nsudo ausearch --message avc --start recent"
                .to_owned();
        }
        self.for_powers()
    }

    /// Where a user namespace is made but may do nothing.
    pub(super) fn for_powers(&self) -> String {
        match (self.apparmor(), self.container_started_otherwise()) {
            (Some(host), Some(container)) => format!("{container}\n{ON_THE_HOST}, if that is not enough\n{host}"),
            (Some(host), None) => host,
            (None, Some(container)) => container,
            (None, None) => format!("# if this is a container\n{}", started_with("docker", "systempaths=unconfined")),
        }
    }

    /// Where packets cannot be handed to a program, or not be logged.
    pub(crate) fn for_packets(&self) -> String {
        if self.is_in(Surrounding::Wsl2) {
            return format!(
                "# in Windows: older kernels of WSL lack the packet queue\nwsl --update\nwsl --shutdown\n# then, here\n{MODULES}"
            );
        }
        self.on_the_host(MODULES)
    }

    /// Where no network namespace can be made for a hop.
    pub(crate) fn for_network_namespaces(&self) -> String {
        self.on_the_host("sudo sysctl -w user.max_net_namespaces=15000")
    }

    /// Where there is no /dev/net/tun.
    pub(super) fn for_tunnels(&self) -> String {
        match self.container() {
            Some(Surrounding::Docker) => "# in the container's `docker run`\n--device /dev/net/tun".to_owned(),
            Some(Surrounding::Podman) => "# in the container's `podman run`\n--device /dev/net/tun".to_owned(),
            _ => self.on_the_host("sudo modprobe tun"),
        }
    }

    /// Kernel modules and settings belong to the host.
    fn on_the_host(&self, line: &str) -> String {
        if self.container().is_some() { format!("{ON_THE_HOST}\n{line}") } else { line.to_owned() }
    }

    /// Ubuntu 24.04 lets everybody make user namespaces, and nobody do anything in them, but programs whose profile says so.
    fn apparmor(&self) -> Option<String> {
        if self.traces.number(APPARMOR_RESTRICTS) != Some(1) {
            return None;
        }
        let setting = "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
        Some(if self.is_in(Surrounding::GithubRunner) {
            format!("# in a step of the job, before this one\n{setting}")
        } else if self.traces.has("/etc/apparmor.d/roadblock") {
            "# its profile is here, for /usr/bin/roadblock only\nsudo apparmor_parser --replace /etc/apparmor.d/roadblock".to_owned()
        } else {
            format!("# until the next start; roadblock's .deb has a profile, which leaves this as it is\n{setting}")
        })
    }

    /// In a container with a filter for system calls, the container must be started otherwise.
    fn container_started_otherwise(&self) -> Option<String> {
        Some(match self.container()? {
            Surrounding::Docker if self.is_in(Surrounding::GithubRunner) => format!(
                "# in the workflow, under `container:`\noptions: {}",
                "--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined"
            ),
            Surrounding::Docker => {
                format!("# the profile is roadblock's ci/seccomp.json\n{}", started_with("docker", "systempaths=unconfined"))
            }
            Surrounding::Podman => {
                format!("# the profile is roadblock's ci/seccomp.json\n{}", started_with("podman", "unmask=ALL"))
            }
            Surrounding::Kubernetes => {
                "# in the pod's container; roadblock's ci/kubernetes.yml shows how to do with less\nsecurityContext: {privileged: true}".to_owned()
            }
            Surrounding::Lxc => format!("{ON_THE_HOST}\nlxc config set CONTAINER security.nesting true"),
            _ => return None,
        })
    }
}

/// What a lab needs of a container's engine: its own system calls, mounts, and a /proc of which no part is hidden.
fn started_with(engine: &str, whole_proc: &str) -> String {
    format!(
        "{engine} run --security-opt seccomp=ci/seccomp.json --security-opt apparmor=unconfined --security-opt {whole_proc} IMAGE"
    )
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::io;

    use super::super::machine::tests::{DOCKER_MOUNTS, UBUNTU};
    use super::super::traces::Traces;
    use super::*;

    #[test]
    fn each_machine_gets_its_own_lines() {
        let refused = || io::Error::from_raw_os_error(libc::EPERM);
        let full = || io::Error::from_raw_os_error(libc::ENOSPC);
        let denied = || io::Error::from_raw_os_error(libc::EACCES);
        let namespaces = ("/proc/sys/user/max_user_namespaces", "96000\n");
        let ubuntu =
            [("/etc/os-release", UBUNTU), (UNPRIVILEGED_CLONE, "1\n"), (APPARMOR_RESTRICTS, "1\n"), namespaces];
        let github = [("GITHUB_ACTIONS", "true"), ("RUNNER_ENVIRONMENT", "github-hosted")];
        let docker = [("/.dockerenv", ""), ("/proc/self/mountinfo", DOCKER_MOUNTS), namespaces];
        let wsl2 = [("/proc/sys/kernel/osrelease", "5.15.167.4-microsoft-standard-WSL2\n")];
        let machines = [
            ("Debian 10", vec![(UNPRIVILEGED_CLONE, "0\n")], refused()),
            ("Ubuntu 24.04", ubuntu.to_vec(), refused()),
            ("Ubuntu 24.04 with the .deb", [&ubuntu[..], &[("/etc/apparmor.d/roadblock", "")]].concat(), refused()),
            ("a runner of GitHub's", [&ubuntu[..], &github[..]].concat(), refused()),
            ("a container of a job on GitHub", [&docker[..], &github[..]].concat(), refused()),
            ("Docker", docker.to_vec(), refused()),
            ("Docker on Ubuntu 24.04", [&docker[..], &ubuntu[1..3]].concat(), refused()),
            (
                "Docker on a host without namespaces",
                [&docker[..2], &[("/proc/sys/user/max_user_namespaces", "0\n")]].concat(),
                full(),
            ),
            ("Podman", vec![("/run/.containerenv", ""), namespaces], refused()),
            ("Kubernetes", vec![("KUBERNETES_SERVICE_HOST", "10.96.0.1"), namespaces], refused()),
            ("LXD", vec![("/run/systemd/container", "lxc\n"), namespaces], refused()),
            ("WSL 1", vec![("/proc/sys/kernel/osrelease", "4.4.0-19041-Microsoft\n")], refused()),
            ("WSL 2", wsl2.to_vec(), refused()),
            ("RHEL 7", vec![("/proc/sys/user/max_user_namespaces", "0\n")], full()),
            ("SELinux", vec![("/sys/fs/selinux/enforce", "1"), namespaces], denied()),
        ];
        let mut said = String::new();
        for (name, found, cause) in machines {
            let machine = Machine::of(Traces::of(&found));
            let [namespaces, powers, packets, hops, tunnels] = [
                machine.for_user_namespaces(&cause),
                machine.for_powers(),
                machine.for_packets(),
                machine.for_network_namespaces(),
                machine.for_tunnels(),
            ];
            writeln!(said, "== {name}\n-- user namespaces: {cause}\n{namespaces}").expect("text");
            writeln!(said, "-- powers\n{powers}\n-- packets\n{packets}").expect("text");
            writeln!(said, "-- hops\n{hops}\n-- tunnels\n{tunnels}\n").expect("text");
        }
        insta::assert_snapshot!(said);
    }
}
