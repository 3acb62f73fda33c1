//! `#[roadblock::test]` in labs: what it passes through, and what it says where it cannot.
//!
//! The tests of `cases` are ignored, and run by the others, each in a process of its own: most of them shall fail.

extern crate roadblock_testing as roadblock;

mod support;

use support::{Said, can_run_labs, program, said};

#[test]
fn a_test_runs_at_its_vantage_in_its_phase() {
    if !can_run_labs() {
        return;
    }
    for sound in ["resolved_before", "removed_from_the_resolver", "of_a_runtime", "of_a_result", "panics_as_it_should"]
    {
        let case = case(sound);
        assert_eq!(case.status, 0, "{case:?}");
        assert!(case.stdout.contains("1 passed"), "{case:?}");
    }
}

#[test]
fn a_failure_inside_is_one_outside_with_all_that_was_said() {
    if !can_run_labs() {
        return;
    }
    let wrong = case("wrong_about_the_name");
    assert_eq!(wrong.status, 101, "{wrong:?}");
    for said in [
        "roadblock: in ru/whatsapp-2026, phase full-block, vantage moscow\nlooking up\n",
        "assertion failed: resolves(\"web.whatsapp.com\")",
        "roadblock: blocked by isp/nsdi (query A web.whatsapp.com",
        "1 failed",
    ] {
        assert!(wrong.stdout.contains(said), "{said}: {wrong:?}");
    }
    for unsound in
        ["of_a_result_that_is_none", "does_not_panic_as_it_should", "panics_otherwise", "leaves_with_a_status"]
    {
        let case = case(unsound);
        assert_eq!(case.status, 101, "{case:?}");
        assert!(case.stdout.contains("1 failed"), "{case:?}");
    }
}

#[test]
fn a_scenario_that_is_not_there_is_the_tests_failure() {
    if !can_run_labs() {
        return;
    }
    let case = case("in_no_such_scenario");
    assert_eq!(case.status, 101, "{case:?}");
    assert!(case.stdout.contains("roadblock: roadblock made no lab (status 125)"), "{case:?}");
    assert!(case.stdout.contains("did you mean"), "{case:?}");
}

#[test]
fn without_roadblock_the_test_says_what_to_do() {
    let mut command = itself("resolved_before");
    command.env("ROADBLOCK", "/nowhere/roadblock");
    let case = said(command);
    assert_eq!(case.status, 101, "{case:?}");
    assert!(case.stdout.contains("/nowhere/roadblock cannot be started: No such file"), "{case:?}");
    assert!(case.stdout.contains("install roadblock, or say with ROADBLOCK="), "{case:?}");
}

#[test]
fn without_labs_the_test_fails_or_says_that_it_was_skipped() {
    if !can_run_labs() {
        return;
    }
    let fails = without_labs("resolved_before");
    assert_eq!(fails.status, 101, "{fails:?}");
    assert!(fails.stdout.contains("roadblock: this machine cannot run labs:\n"), "{fails:?}");
    assert!(fails.stdout.contains("sudo sysctl"), "{fails:?}");
    let skipped = without_labs("skipped_without_labs");
    assert_eq!(skipped.status, 0, "{skipped:?}");
    assert!(
        skipped.stderr.starts_with("SKIPPED cases::skipped_without_labs: this machine cannot run labs"),
        "{skipped:?}"
    );
    // A machine that cannot run labs has not shown that the code panics as it should.
    let panics = without_labs("panics_as_it_should");
    assert_eq!(panics.status, 101, "{panics:?}");
}

fn case(name: &str) -> Said {
    said(itself(name))
}

/// This executable, for one of the cases.
fn itself(name: &str) -> std::process::Command {
    let mut command = program(std::env::current_exe().expect("a path"));
    command.args(["--ignored", "--exact", &format!("cases::{name}")]).env("ROADBLOCK", env!("CARGO_BIN_EXE_roadblock"));
    command
}

/// The same where no user namespace can be made.
fn without_labs(name: &str) -> Said {
    let itself = itself(name);
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" \"$@\"";
    let mut command = program("unshare");
    command.args(["--user", "--map-root-user", "sh", "-c", script]).arg(itself.get_program()).args(itself.get_args());
    command.env("ROADBLOCK", env!("CARGO_BIN_EXE_roadblock"));
    said(command)
}

mod cases {
    use std::io;
    use std::net::ToSocketAddrs;

    #[expect(clippy::print_stdout, reason = "what a test prints is to be passed on")]
    fn resolves(name: &str) -> bool {
        println!("looking up");
        (name, 443).to_socket_addrs().is_ok()
    }

    #[roadblock::test(scenario = "ru/whatsapp-2026", phase = "before", vantage = "moscow")]
    #[ignore = "run by a test"]
    fn resolved_before() {
        assert!(resolves("web.whatsapp.com"));
    }

    #[roadblock::test(scenario = "ru/whatsapp-2026", phase = "full-block", vantage = "moscow")]
    #[ignore = "run by a test"]
    fn removed_from_the_resolver() {
        assert!(!resolves("web.whatsapp.com"));
    }

    #[roadblock::test(scenario = "ru/whatsapp-2026", phase = "before")]
    #[tokio::test]
    #[ignore = "run by a test"]
    async fn of_a_runtime() -> io::Result<()> {
        tokio::net::TcpStream::connect(("web.whatsapp.com", 443)).await.map(drop)
    }

    #[roadblock::test(scenario = "ru/whatsapp-2026", phase = "full-block", vantage = "control", seed = 7)]
    #[ignore = "run by a test"]
    fn of_a_result() -> Result<(), Box<dyn std::error::Error>> {
        ("web.whatsapp.com", 443).to_socket_addrs()?.next().ok_or("no address")?;
        Ok(())
    }

    #[roadblock::test(scenario = "ru/whatsapp-2026", phase = "full-block")]
    #[ignore = "run by a test"]
    #[should_panic(expected = "no such name")]
    fn panics_as_it_should() {
        assert!(resolves("web.whatsapp.com"), "no such name");
    }

    #[roadblock::test(scenario = "ru/whatsapp-2026", phase = "full-block", vantage = "moscow")]
    #[ignore = "run by a test"]
    fn wrong_about_the_name() {
        assert!(resolves("web.whatsapp.com"));
    }

    #[roadblock::test(scenario = "ru/whatsapp-2026", phase = "full-block")]
    #[ignore = "run by a test"]
    fn of_a_result_that_is_none() -> io::Result<()> {
        ("web.whatsapp.com", 443).to_socket_addrs().map(drop)
    }

    #[roadblock::test(scenario = "ru/whatsapp-2026", phase = "before")]
    #[ignore = "run by a test"]
    #[should_panic(expected = "no such name")]
    fn does_not_panic_as_it_should() {
        assert!(resolves("web.whatsapp.com"), "no such name");
    }

    #[roadblock::test(scenario = "ru/whatsapp-2026", phase = "before")]
    #[ignore = "run by a test"]
    #[should_panic(expected = "no such name")]
    fn panics_otherwise() {
        assert!(!resolves("web.whatsapp.com"), "there is one");
    }

    #[roadblock::test(scenario = "ru/whatsapp-2026", phase = "before")]
    #[ignore = "run by a test"]
    fn leaves_with_a_status() {
        std::process::exit(3);
    }

    #[roadblock::test(scenario = "ru/whatsap-2026")]
    #[ignore = "run by a test"]
    fn in_no_such_scenario() {}

    #[roadblock::test(scenario = "ru/whatsapp-2026", unsupported = "skip")]
    #[ignore = "run by a test"]
    fn skipped_without_labs() {
        panic!("it ran");
    }
}
