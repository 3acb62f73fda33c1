//! What a machine shows of what it is: some files and some variables, read once and judged by pure functions.

use std::collections::BTreeMap;
use std::path::Path;

/// Files and variables as they were found. What was not there is not in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Traces {
    files: BTreeMap<&'static str, String>,
    variables: BTreeMap<&'static str, String>,
}

impl Traces {
    /// Those of the machine that this process runs on, as far as it may read them.
    pub(super) fn here() -> Self {
        let mut traces = Self::default();
        for name in FILES {
            // Some are markers: that they are there says all.
            let text = std::fs::read(name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            if let Some(text) = text.ok().or_else(|| Path::new(name).exists().then(String::new)) {
                traces.files.insert(name, text);
            }
        }
        for name in VARIABLES {
            if let Ok(text) = std::env::var(name) {
                traces.variables.insert(name, text);
            }
        }
        traces
    }

    /// What stands in a file, if it is there.
    pub(super) fn file(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(String::as_str)
    }

    /// Whether a file is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// A variable of the environment.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// A number that a file below /proc/sys or /sys holds.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.file(name)?.trim().parse().ok()
    }
}

/// All files that are looked at.
const FILES: [&str; 18] = [
    "/etc/os-release",
    "/usr/lib/os-release",
    "/proc/sys/kernel/osrelease",
    "/proc/self/mountinfo",
    "/.dockerenv",
    "/run/.containerenv",
    "/run/systemd/container",
    "/var/run/secrets/kubernetes.io/serviceaccount/namespace",
    "/etc/apparmor.d/roadblock",
    "/sys/fs/selinux/enforce",
    APPARMOR_RESTRICTS,
    UNPRIVILEGED_CLONE,
    "/proc/sys/user/max_user_namespaces",
    "/proc/sys/user/max_mnt_namespaces",
    "/proc/sys/user/max_net_namespaces",
    "/proc/sys/user/max_pid_namespaces",
    "/proc/sys/user/max_ipc_namespaces",
    "/proc/sys/user/max_uts_namespaces",
];

/// Ubuntu's switch (since 23.10, on by default since 24.04): a user namespace made by a program without a profile that says
/// `userns` gives no capabilities.
pub(super) const APPARMOR_RESTRICTS: &str = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";

/// Debian's switch, off by default until Debian 11: ordinary users may make user namespaces.
pub(super) const UNPRIVILEGED_CLONE: &str = "/proc/sys/kernel/unprivileged_userns_clone";

/// All variables that are looked at.
const VARIABLES: [&str; 6] =
    ["GITHUB_ACTIONS", "RUNNER_ENVIRONMENT", "ImageOS", "GITLAB_CI", "KUBERNETES_SERVICE_HOST", "container"];

#[cfg(test)]
impl Traces {
    /// A machine with these files and variables and no others. Names that begin with `/` are files.
    pub(super) fn of(found: &[(&'static str, &str)]) -> Self {
        let mut traces = Self::default();
        for (name, text) in found {
            let known = if name.starts_with('/') { &FILES[..] } else { &VARIABLES[..] };
            assert!(known.contains(name), "{name} is never read");
            let place = if name.starts_with('/') { &mut traces.files } else { &mut traces.variables };
            place.insert(name, (*text).to_owned());
        }
        traces
    }
}
