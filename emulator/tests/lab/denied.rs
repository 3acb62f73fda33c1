//! Machines that cannot run labs, simulated by a system call filter around the whole process.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

/// Run the named errand in a sandbox, under the named filter.
pub(crate) const DENIED: &str = "--denied";

/// As in a container with Docker's default filter, or with `user.max_user_namespaces = 0`.
pub(crate) fn without_user_namespaces_there_is_a_line_to_paste() {
    let said = denied("clone");
    assert!(said.contains("failed to make a user namespace"), "{said}");
    assert!(said.contains("advice: ") && (said.contains("docker run") || said.contains("sudo sysctl -w")), "{said}");
}

/// As on Ubuntu 24.04: the namespace is made, and may do nothing. Which line is given depends on the machine's settings; a
/// unit test goes through those.
pub(crate) fn without_capabilities_in_them_there_is_a_line_to_paste() {
    let said = denied("mount");
    assert!(said.contains("in the user namespace: Operation not permitted"), "{said}");
    assert!(said.contains("advice: ") && (said.contains("docker run") || said.contains("sudo sysctl -w")), "{said}");
}

/// As on a kernel without netfilter's netlink.
pub(crate) fn without_nfqueue_there_is_a_line_to_paste() {
    let said = denied("netfilter");
    assert!(said.contains("cannot hand packets to a program (NFQUEUE)"), "{said}");
    assert!(said.contains("advice: sudo modprobe"), "{said}");
}

/// Puts this process, and all it makes, under a filter.
pub(crate) fn apply(which: &str) {
    let new_user = u64::try_from(libc::CLONE_NEWUSER).expect("positive");
    let netlink = u64::try_from(libc::AF_NETLINK).expect("positive");
    let netfilter = u64::try_from(libc::NETLINK_NETFILTER).expect("positive");
    let (call, errno, conditions) = match which {
        "clone" => (libc::SYS_clone, libc::EPERM, vec![condition(0, SeccompCmpOp::MaskedEq(new_user), new_user)]),
        "mount" => (libc::SYS_mount, libc::EPERM, vec![]),
        "netfilter" => (
            libc::SYS_socket,
            libc::EPROTONOSUPPORT,
            vec![condition(0, SeccompCmpOp::Eq, netlink), condition(2, SeccompCmpOp::Eq, netfilter)],
        ),
        other => panic!("no filter is called {other}"),
    };
    let rules =
        if conditions.is_empty() { Vec::new() } else { vec![SeccompRule::new(conditions).expect("well formed")] };
    let deny = SeccompAction::Errno(errno.unsigned_abs());
    let architecture = TargetArch::try_from(std::env::consts::ARCH).expect("a known architecture");
    let filter = SeccompFilter::new(BTreeMap::from([(call, rules)]), SeccompAction::Allow, deny, architecture);
    let program: BpfProgram = filter.and_then(BpfProgram::try_from).expect("well formed");
    seccompiler::apply_filter(&program).expect("the kernel takes filters");
}

fn condition(argument: u8, operation: SeccompCmpOp, value: u64) -> SeccompCondition {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operation, value).expect("well formed")
}

/// What a lab says under a filter; its status must be 3.
fn denied(filter: &str) -> String {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args([DENIED, filter, "lifetime::hold"]).stdin(Stdio::null());
    let output = command.output().expect("this program runs");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(3), "{said}");
    said
}
