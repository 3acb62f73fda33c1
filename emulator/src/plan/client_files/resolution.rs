//! How names are resolved: by the vantage's resolvers and by nothing else.

use std::fmt::Write as _;
use std::net::IpAddr;

/// resolv.conf(5). glibc asks the first three and ignores the rest. The time-outs are short, because a resolver that
/// keeps silent is common here; a program that links another resolver has its own.
pub fn resolver_configuration(resolvers: &[IpAddr]) -> String {
    let mut text = String::new();
    for resolver in resolvers {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "nameserver {resolver}");
    }
    text.push_str("options timeout:2 attempts:2\n");
    text
}

/// hosts(5): the client itself. What the host's own file says about others must not hide what a resolver says.
pub fn hosts(host_name: &str) -> String {
    format!("127.0.0.1 localhost {host_name}\n::1 localhost ip6-localhost ip6-loopback {host_name}\n")
}

/// nsswitch.conf(5): files and DNS. Other sources, as `resolve` or `sss`, are sockets to daemons outside the lab.
pub fn name_service_switch() -> String {
    let mut text = String::new();
    for database in DATABASES {
        let sources = if *database == "hosts" { "files dns" } else { "files" };
        let _ = writeln!(text, "{database}: {sources}");
    }
    text
}

const DATABASES: &[&str] = &[
    "passwd",
    "group",
    "shadow",
    "gshadow",
    "hosts",
    "networks",
    "protocols",
    "services",
    "ethers",
    "rpc",
    "netgroup",
];
