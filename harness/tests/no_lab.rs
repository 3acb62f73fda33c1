//! Machines that cannot run labs, simulated by limits of a user namespace around the binary.

mod support;

use support::{FLAGSHIP, Said, can_run_labs, program, said};

#[test]
fn without_user_namespaces_there_is_no_lab_and_a_line_to_paste() {
    if !can_run_labs() {
        return;
    }
    let run = limited("max_user_namespaces=0", &["run", FLAGSHIP]);
    assert_eq!((run.status, &*run.stdout), (3, ""), "{run:?}");
    // Where the tests themselves run in a container, the advice says that it is for the host.
    insta::assert_snapshot!(run.stderr.replace("# on the container's host\n      ", ""));
    let exec = limited("max_user_namespaces=0", &["exec", FLAGSHIP, "--", "true"]);
    assert_eq!((exec.status, &exec.stderr), (125, &run.stderr));
    let doctor = limited("max_user_namespaces=0", &["doctor"]);
    assert_eq!(doctor.status, 3, "{doctor:?}");
    assert!(doctor.stdout.contains("sudo sysctl"), "{doctor:?}");
}

#[test]
fn without_network_namespaces_for_the_hops_there_is_no_lab_either() {
    if !can_run_labs() {
        return;
    }
    let run = limited("max_net_namespaces=3", &["run", FLAGSHIP]);
    assert_eq!((run.status, &*run.stdout), (3, ""), "{run:?}");
    assert!(run.stderr.contains("user.max_net_namespaces"), "{run:?}");
}

/// The binary in a user namespace of its own with this limit.
fn limited(limit: &str, arguments: &[&str]) -> Said {
    let (name, value) = limit.split_once('=').expect("a limit");
    let script = format!("echo {value} > /proc/sys/user/{name} && exec \"$0\" \"$@\"");
    let mut command = program("unshare");
    command.args(["--user", "--map-root-user", "sh", "-c", &script, env!("CARGO_BIN_EXE_roadblock")]);
    command.args(arguments);
    said(command)
}
