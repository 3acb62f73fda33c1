//! What curl, kdig and traceroute meet inside the flagship: real programs, not our own probes.

mod support;

use std::net::TcpListener;
use support::{FLAGSHIP, Said, can_run_labs, curl, inside, program, roadblock, said};

#[test]
fn before_the_block_the_page_comes_over_both_families() {
    if !can_run_labs() {
        return;
    }
    for family in ["-4", "-6"] {
        let said = inside("before", "moscow", &curl(&[family, "https://web.whatsapp.com/"]));
        assert_eq!(said.status, 0, "{family}: {said:?}");
        assert!(said.stdout.contains("<title>WhatsApp Web</title>"), "{family}: {said:?}");
        assert_eq!(said.stderr, "", "nothing interfered, so nothing is said");
    }
}

/// RU-NSDI-1: the name is gone from the ISP's resolver and not from others.
#[test]
fn in_the_full_block_the_isps_resolver_says_that_the_name_does_not_exist() {
    if !can_run_labs() {
        return;
    }
    let blocked = inside("full-block", "moscow", &curl(&["https://web.whatsapp.com/"]));
    assert_eq!(blocked.status, 6, "{blocked:?}");
    insta::assert_snapshot!(last_line(&blocked.stderr));
    let isp = inside("full-block", "moscow", &["kdig", "web.whatsapp.com"]);
    assert!(isp.stdout.contains("status: NXDOMAIN"), "{isp:?}");
    let public = inside("full-block", "moscow", &["kdig", "+short", "@8.8.8.8", "web.whatsapp.com"]);
    let before = inside("before", "moscow", &["kdig", "+short", "web.whatsapp.com"]);
    assert!(!public.stdout.is_empty() && public.stdout == before.stdout, "{public:?} {before:?}");
}

/// TSPU-1: at an address that is not blocked, the answer to a listed name becomes a reset.
#[test]
fn in_the_full_block_a_listed_tls_name_is_reset() {
    if !can_run_labs() {
        return;
    }
    let arguments = curl(&["--resolve", "web.whatsapp.com:443:1.1.1.1", "https://web.whatsapp.com/"]);
    let reset = inside("full-block", "moscow", &arguments);
    assert_eq!(reset.status, 35, "{reset:?}");
    assert!(reset.stderr.contains("reset by peer"), "{reset:?}");
    insta::assert_snapshot!(last_line(&reset.stderr));
}

/// TSPU-6: a blocked prefix answers nothing.
#[test]
fn in_the_full_block_a_blocked_prefix_is_silent() {
    if !can_run_labs() {
        return;
    }
    let address = first_address("web.whatsapp.com");
    let resolve = format!("web.whatsapp.com:443:{address}");
    let silent = inside("full-block", "moscow", &curl(&["--resolve", &resolve, "https://web.whatsapp.com/"]));
    assert_eq!(silent.status, 28, "{silent:?}");
    assert!(silent.stderr.contains("blocked by tspu/ip-drop"), "{silent:?}");
}

#[test]
fn what_is_not_listed_is_not_touched() {
    if !can_run_labs() {
        return;
    }
    for url in ["https://max.ru/", "https://www.wikipedia.org/"] {
        let said = inside("full-block", "moscow", &curl(&[url]));
        assert_eq!((said.status, &*said.stderr), (0, ""), "{url}: {said:?}");
    }
}

#[test]
fn from_control_everything_is_reached_in_every_phase() {
    if !can_run_labs() {
        return;
    }
    for phase in ["before", "full-block", "meta-block"] {
        for url in ["https://web.whatsapp.com/", "https://www.instagram.com/", "https://max.ru/"] {
            let said = inside(phase, "control", &curl(&[url]));
            assert_eq!((said.status, &*said.stderr), (0, ""), "{phase} {url}: {said:?}");
        }
    }
}

#[test]
fn quiet_says_nothing_of_our_own() {
    if !can_run_labs() {
        return;
    }
    let arguments = ["exec", FLAGSHIP, "--quiet", "--", "kdig", "+short", "web.whatsapp.com"];
    assert_eq!(said(roadblock(&arguments)).stderr, "");
}

#[test]
fn a_command_runs_as_its_caller_and_ends_with_its_own_status() {
    if !can_run_labs() {
        return;
    }
    let caller = program("id").arg("-u").output().expect("id runs");
    let caller = String::from_utf8(caller.stdout).expect("text");
    assert_eq!(inside("before", "moscow", &["id", "-u"]).stdout, caller);
    assert_eq!(inside("before", "moscow", &["sh", "-c", "exit 37"]).status, 37);
    assert_eq!(inside("before", "moscow", &["sh", "-c", "kill -9 $$"]).status, 128 + 9);
    assert_eq!(inside("before", "moscow", &["/etc/passwd"]).status, 126);
    assert_eq!(inside("before", "moscow", &["no-such-program"]).status, 127);
    let root = ["exec", FLAGSHIP, "--root", "--", "id", "-u"];
    assert_eq!(said(roadblock(&root)).stdout, "0\n");
}

#[test]
fn a_shell_is_the_callers_own() {
    if !can_run_labs() {
        return;
    }
    let mut shell = roadblock(&["shell", FLAGSHIP, "--phase", "before"]);
    // A shell whose stdin has ended ends at once.
    shell.env("SHELL", "/bin/sh");
    assert_eq!(said(shell).status, 0);
    let mut failing = roadblock(&["shell", FLAGSHIP]);
    failing.env("SHELL", "/bin/false");
    assert_eq!(said(failing).status, 1);
}

#[test]
fn traceroute_shows_the_paths_hops() {
    if !can_run_labs() {
        return;
    }
    let show = said(roadblock(&["show", FLAGSHIP, "--format", "json"]));
    let show: serde_json::Value = serde_json::from_str(&show.stdout).expect("a document");
    let trace = inside("before", "moscow", &["traceroute", "-n", "-q", "1", "-w", "1", "1.1.1.1"]);
    let shown: Vec<&str> = trace.stdout.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
    let hops = show["hops"].as_array().expect("hops").iter();
    let address = |name: &serde_json::Value| {
        let hop = hops.clone().find(|hop| hop["name"] == *name).expect("a hop");
        hop["addresses"][0].as_str().expect("an address")
    };
    let path = show["vantages"][0]["path"].as_array().expect("a path");
    let mut expected: Vec<&str> = path.iter().map(address).collect();
    expected.push("1.1.1.1");
    assert_eq!(shown, expected, "{trace:?}");
}

/// No packet leaves: what the host itself reaches, the lab does not.
#[test]
fn nothing_of_the_host_can_be_reached() {
    if !can_run_labs() {
        return;
    }
    let listener = TcpListener::bind("0.0.0.0:0").expect("a listener on the host");
    let port = listener.local_addr().expect("its address").port();
    listener.set_nonblocking(true).expect("a listener that does not wait");
    let addresses = program("hostname").arg("-I").output().expect("hostname runs");
    let addresses = String::from_utf8(addresses.stdout).expect("text");
    for address in addresses.split_whitespace().filter(|address| !address.contains(':')).chain(["127.0.0.1"]) {
        let url = format!("http://{address}:{port}/");
        let said = inside("before", "moscow", &curl(&[&url]));
        assert_ne!(said.status, 0, "{url}: {said:?}");
        assert!(listener.accept().is_err(), "{url} reached the host");
    }
}

fn first_address(name: &str) -> String {
    let said: Said = inside("before", "control", &["kdig", "+short", name]);
    said.stdout.lines().next().expect("an address").to_owned()
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

/// A command takes signals as it does outside, and one that ends `exec` ends it too.
#[test]
fn a_command_can_be_ended() {
    if !can_run_labs() {
        return;
    }
    let blocked = said(roadblock(&["exec", FLAGSHIP, "--", "grep", "SigBlk", "/proc/self/status"]));
    assert_eq!(blocked.stdout, "SigBlk:\t0000000000000000\n", "{blocked:?}");
    let ended = said(roadblock(&["exec", FLAGSHIP, "--quiet", "--", "timeout", "1", "sleep", "600"]));
    assert_eq!(ended.status, 124, "{ended:?}");
    let mut whole = program("timeout");
    whole.args(["3", env!("CARGO_BIN_EXE_roadblock"), "exec", FLAGSHIP, "--quiet", "--", "sleep", "600"]);
    assert_eq!(said(whole).status, 124);
}
