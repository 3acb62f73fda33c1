//! The one line to paste where this machine does not allow a lab.

use std::io;
use std::path::{Path, PathBuf};

/// Where packets cannot be handed to a program, or not be logged.
pub(crate) const MODULES: &str =
    "sudo modprobe -a nfnetlink_queue nfnetlink_log nft_queue nft_log nft_compat xt_NFQUEUE";

/// Where no network namespace can be made for a hop.
pub(crate) const NETWORK_NAMESPACES: &str = "sudo sysctl -w user.max_net_namespaces=15000";

/// In a container with a system call filter, the container must be started otherwise.
const CONTAINER: &str = "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
                         --security-opt systempaths=unconfined ...";

/// The settings of a machine.
pub(super) struct Machine {
    root: PathBuf,
}

impl Machine {
    /// The machine that this process runs on.
    pub(super) fn here() -> Self {
        Self { root: PathBuf::from("/") }
    }

    /// Where no user namespace can be made, or not with the others inside it.
    pub(super) fn user_namespace(&self, cause: &io::Error) -> String {
        if self.setting("kernel/unprivileged_userns_clone") == Some(0) {
            return "sudo sysctl -w kernel.unprivileged_userns_clone=1".to_owned();
        }
        for kind in ["user", "mnt", "net", "pid", "ipc", "uts"] {
            if self.setting(&format!("user/max_{kind}_namespaces")) == Some(0) {
                return format!("sudo sysctl -w user.max_{kind}_namespaces=15000");
            }
        }
        if cause.raw_os_error() == Some(libc::ENOSPC) {
            return "sudo sysctl -w user.max_user_namespaces=15000 user.max_net_namespaces=15000".to_owned();
        }
        self.apparmor().unwrap_or_else(|| CONTAINER.to_owned())
    }

    /// Where a user namespace is made but may do nothing.
    pub(super) fn powerless(&self) -> String {
        self.apparmor().unwrap_or_else(|| CONTAINER.to_owned())
    }

    /// Ubuntu 24.04 lets everybody make user namespaces, and nobody do anything in them.
    fn apparmor(&self) -> Option<String> {
        (self.setting("kernel/apparmor_restrict_unprivileged_userns") == Some(1))
            .then(|| "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0".to_owned())
    }

    fn setting(&self, name: &str) -> Option<u64> {
        std::fs::read_to_string(self.root.join(Path::new("proc/sys")).join(name)).ok()?.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::Machine;

    /// A machine with these settings and no others.
    fn machine(settings: &[(&str, &str)]) -> (tempfile::TempDir, Machine) {
        let root = tempfile::tempdir().expect("a folder");
        for (name, value) in settings {
            let file = root.path().join("proc/sys").join(name);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            std::fs::write(file, value).expect("written");
        }
        let machine = Machine { root: root.path().to_owned() };
        (root, machine)
    }

    #[test]
    fn each_machine_gets_its_own_line() {
        let refused = io::Error::from_raw_os_error(libc::EPERM);
        let full = io::Error::from_raw_os_error(libc::ENOSPC);
        let (_debian_10, machine_debian_10) = machine(&[("kernel/unprivileged_userns_clone", "0\n")]);
        let (_ubuntu, ubuntu) = machine(&[
            ("kernel/unprivileged_userns_clone", "1\n"),
            ("kernel/apparmor_restrict_unprivileged_userns", "1\n"),
            ("user/max_user_namespaces", "96000\n"),
        ]);
        let (_limited, limited) =
            machine(&[("user/max_user_namespaces", "96000\n"), ("user/max_net_namespaces", "0\n")]);
        let (_container, container) = machine(&[("user/max_user_namespaces", "96000\n")]);
        insta::assert_debug_snapshot!([
            ("Debian 10", machine_debian_10.user_namespace(&refused)),
            ("Ubuntu 24.04, refused", ubuntu.user_namespace(&refused)),
            ("Ubuntu 24.04, powerless", ubuntu.powerless()),
            ("no network namespaces", limited.user_namespace(&full)),
            ("a container, refused", container.user_namespace(&refused)),
            ("a container, powerless", container.powerless()),
            ("too many already", container.user_namespace(&full)),
        ]);
    }
}
