//! Settings of a network namespace that a verdict depends on, pinned so that a host's own settings do not leak in.

use std::io;

/// What every namespace of a lab has, hops and hosts alike. Paths are below `/proc/sys/net`.
///
/// A setting that the running kernel does not have in a namespace of its own is passed over: it cannot differ.
const PINNED: &[(&str, &str)] = &[
    ("ipv4/tcp_congestion_control", "cubic"),
    ("ipv4/tcp_timestamps", "1"),
    ("ipv4/tcp_ecn", "2"),
    ("ipv4/tcp_fastopen", "0"),
    ("ipv4/tcp_no_metrics_save", "1"),
    ("ipv4/tcp_syn_retries", "6"),
    ("ipv4/tcp_syncookies", "1"),
    ("ipv4/ip_local_port_range", "32768 60999"),
    ("ipv4/icmp_ratelimit", "0"),
    ("ipv4/icmp_msgs_per_sec", "100000"),
    ("ipv4/icmp_msgs_burst", "100000"),
    ("ipv6/icmp/ratelimit", "0"),
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
    ("ipv4/conf/all/accept_redirects", "0"),
    ("ipv4/conf/all/send_redirects", "0"),
    ("ipv4/conf/default/send_redirects", "0"),
    ("ipv6/conf/all/accept_ra", "0"),
    ("ipv6/conf/default/accept_ra", "0"),
    ("ipv6/conf/all/accept_dad", "0"),
    ("ipv6/conf/default/accept_dad", "0"),
    // Neighbours are given by the plan; no address of the kernel's own making is needed.
    ("ipv6/conf/default/addr_gen_mode", "1"),
    // Services and clients have whole prefixes by a local route, without one address of them being assigned.
    ("ipv4/ip_nonlocal_bind", "1"),
    ("ipv6/ip_nonlocal_bind", "1"),
    ("ipv4/ip_unprivileged_port_start", "0"),
];

/// What a router has besides.
const ROUTER: &[(&str, &str)] =
    &[("ipv4/ip_forward", "1"), ("ipv6/conf/all/forwarding", "1"), ("ipv6/conf/default/forwarding", "1")];

/// Pins the settings in the network namespace of the calling thread: `/proc/sys/net` shows the opener's own.
pub fn pin(router: bool) -> io::Result<()> {
    let extra = if router { ROUTER } else { &[] };
    for (path, value) in PINNED.iter().chain(extra) {
        set(path, value)?;
    }
    // Everybody may ping; under a map of one id the kernel knows only that one.
    set(PING_GROUPS, "0 2147483647").or_else(|_| set(PING_GROUPS, "0 0"))
}

/// Makes TCP of the calling thread's network namespace send no timestamps, as that of Windows does not.
pub fn forgo_timestamps() -> io::Result<()> {
    set("ipv4/tcp_timestamps", "0")
}

/// How Linux tracks connections where nobody has changed it, which is what routers at home do: resets and acknowledgements
/// that do not fit, and segments whose checksum is wrong, belong to no connection.
const TRACKING: &[(&str, &str)] = &[
    ("netfilter/nf_conntrack_checksum", "1"),
    ("netfilter/nf_conntrack_tcp_be_liberal", "0"),
    ("netfilter/nf_conntrack_tcp_ignore_invalid_rst", "0"),
    ("netfilter/nf_conntrack_tcp_loose", "1"),
];

/// Pins how connections are tracked in the network namespace of the calling thread.
pub fn pin_tracking() -> io::Result<()> {
    TRACKING.iter().try_for_each(|(path, value)| set(path, value))
}

const PING_GROUPS: &str = "ipv4/ping_group_range";

fn set(path: &str, value: &str) -> io::Result<()> {
    match std::fs::write(format!("/proc/sys/net/{path}"), value) {
        Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => Ok(()),
        written => written.map_err(|cause| io::Error::new(cause.kind(), format!("{path} = {value}: {cause}"))),
    }
}
