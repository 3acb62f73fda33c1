//! The variables that a client inside sees, and those of its caller that it must not see.

use super::files::{LAB_CERTIFICATE, MAIN_BUNDLE};

/// The variables to set, so that programs with roots of their own find the lab's.
pub fn environment() -> Vec<(String, String)> {
    let bundle = format!("/etc/{MAIN_BUNDLE}");
    let variables = [
        ("SSL_CERT_FILE", bundle.clone()),
        ("SSL_CERT_DIR", "/etc/ssl/certs".to_owned()),
        ("CURL_CA_BUNDLE", bundle.clone()),
        ("REQUESTS_CA_BUNDLE", bundle.clone()),
        ("NODE_EXTRA_CA_CERTS", format!("/etc/{LAB_CERTIFICATE}")),
        ("GIT_SSL_CAINFO", bundle),
    ];
    variables.map(|(name, value)| (name.to_owned(), value)).into()
}

/// Whether a variable of the caller must be removed: it names a door to the host, or changes what is measured.
pub fn scrubbed(name: &str) -> bool {
    SCRUBBED.contains(&name) || name.starts_with("DBUS_") || name.to_ascii_lowercase().ends_with("_proxy")
}

const SCRUBBED: &[&str] = &[
    // Sockets of the session outside.
    "DISPLAY",
    "GPG_AGENT_INFO",
    "LISTEN_FDS",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "PULSE_SERVER",
    "SSH_AGENT_PID",
    "SSH_AUTH_SOCK",
    "WAYLAND_DISPLAY",
    "WAYLAND_SOCKET",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    // What changes how libc loads code (ld.so(8)) and resolves names (resolv.conf(5), hostname(7)).
    "HOSTALIASES",
    "LD_AUDIT",
    "LD_PRELOAD",
    "LOCALDOMAIN",
    "RES_OPTIONS",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_files_of_the_client() {
        let lines: Vec<_> = environment().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn doors_to_the_host_are_scrubbed_and_other_variables_kept() {
        for name in ["DBUS_SESSION_BUS_ADDRESS", "https_proxy", "ALL_PROXY", "NO_PROXY", "LD_PRELOAD", "DISPLAY"] {
            assert!(scrubbed(name), "{name}");
        }
        for name in ["HOME", "PATH", "SSLKEYLOGFILE", "LD_LIBRARY_PATH", "DBUS", "TERM", "PROXY"] {
            assert!(!scrubbed(name), "{name}");
        }
    }
}
