//! Labs where an engine has mounted files of its own over those of `/etc`, as it does in every container.

mod support;

use support::{FLAGSHIP, can_run_labs, program, said};

#[test]
fn commands_have_the_labs_files_where_etc_has_mounts_of_another_in_it() {
    if !can_run_labs() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("hosts"), "127.0.0.1 the-engines-own\n").expect("written");
    let in_container = |rest: &str| {
        // The mounts are another user namespace's than the lab's, so that the kernel lays no overlay over them.
        let script = format!("mount --bind {}/hosts /etc/hosts && {rest}", folder.path().display());
        let mut command = program("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, env!("CARGO_BIN_EXE_roadblock")]);
        command.args(["exec", FLAGSHIP, "--phase", "before", "--"]);
        said(command)
    };
    let doctor = in_container("exec \"$0\" doctor");
    assert!(doctor.stdout.contains("copied, since an overlay was refused"), "{doctor:?}");
    let files = in_container("exec \"$0\" \"$@\" cat /etc/hosts /etc/resolv.conf /etc/passwd");
    assert_eq!(files.status, 0, "{files:?}");
    for (text, there) in
        [("the-engines-own", false), ("roadblock", true), ("nameserver 95.", true), ("root:x:0:0", true)]
    {
        assert_eq!(files.stdout.contains(text), there, "{text}: {files:?}");
    }
    let page = in_container(
        "exec \"$0\" \"$@\" curl -sS --output /dev/null --write-out %{http_code} https://web.whatsapp.com/",
    );
    assert_eq!((page.status, &*page.stdout), (0, "200"), "{page:?}");
    // What a command writes there stays in the lab.
    let written =
        in_container("\"$0\" \"$@\" sh -c 'echo mine >/etc/resolv.conf; cat /etc/resolv.conf' && cat /etc/resolv.conf");
    assert!(written.stdout.starts_with("mine\n") && written.stdout.matches("mine").count() == 1, "{written:?}");
}
