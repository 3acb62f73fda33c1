//! The one line to paste where this machine does not allow a lab.

use std::io;

/// In a container with a system call filter, the container must be started otherwise.
const CONTAINER: &str = "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
                         --security-opt systempaths=unconfined ...";

/// Where no user namespace can be made.
pub(super) fn user_namespace(cause: &io::Error) -> String {
    if setting("/proc/sys/kernel/unprivileged_userns_clone") == Some(0) {
        return "sudo sysctl -w kernel.unprivileged_userns_clone=1".to_owned();
    }
    if cause.raw_os_error() == Some(libc::ENOSPC) || setting("/proc/sys/user/max_user_namespaces") == Some(0) {
        return "sudo sysctl -w user.max_user_namespaces=15000".to_owned();
    }
    if let Some(line) = apparmor() {
        return line;
    }
    CONTAINER.to_owned()
}

/// Where a user namespace is made but may do nothing, as Ubuntu 24.04 does.
pub(super) fn powerless(cause: &io::Error) -> String {
    if let Some(line) = apparmor() {
        return line;
    }
    if in_container() || cause.raw_os_error() != Some(libc::EPERM) {
        return CONTAINER.to_owned();
    }
    "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0".to_owned()
}

fn apparmor() -> Option<String> {
    (setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == Some(1))
        .then(|| "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0".to_owned())
}

fn in_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"].iter().any(|file| std::path::Path::new(file).exists())
}

fn setting(path: &str) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}
