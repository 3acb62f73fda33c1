//! What `run --out` leaves: a page, a report, and packets that other programs can read; and scenarios of one's own.

mod support;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;
use support::{FLAGSHIP, can_run_labs, program, roadblock, said};

#[test]
fn a_run_leaves_a_page_a_report_and_packets_that_tshark_reads() {
    if !can_run_labs() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let mine = new_scenario(directory.path());
    let out = directory.path().join("out");
    let run = said(roadblock(&["run", &mine, "--out", &out.display().to_string()]));
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);

    let page = out.join("report/index.html").display().to_string();
    let mut check = program("python3");
    check.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/page.py")).arg(&page);
    let checked = said(check);
    assert_eq!(checked.status, 0, "{}{}", checked.stdout, checked.stderr);

    let report = fs::read_to_string(out.join("report.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["capture"]["notes"], Value::Array(Vec::new()));
    insta::assert_snapshot!(sequence(&report, "sni"));

    let packets = out.join("run.pcapng").display().to_string();
    let count = |filter: &str| tshark(&packets, filter, "frame.number").lines().count();
    assert!(count("http.request.method == \"GET\"") > 0, "the keys in the file decrypt");
    assert!(count("dns.flags.rcode == 3") > 0, "tshark's dissector names DNS");
    assert!(count("tls.handshake.extensions_server_name == \"www.wikipedia.org\"") > 0, "and TLS");
    let comments = tshark(&packets, "frame.comment contains \"dpi/sni-1 triggered\"", "frame.comment");
    assert!(comments.contains("dpi/sni-1 triggered: SNI www.wikipedia.org (TSPU-1, TSPU-8, "), "{comments}");
    // What was replaced is where it arrived; what replaced it, where it left.
    let rewritten = "frame.comment contains \"dpi/sni-1 rewritten\" && frame.interface_name == ";
    let outside = tshark(&packets, &format!("{rewritten}\"filter outside\""), "tcp.flags.reset");
    let inside = tshark(&packets, &format!("{rewritten}\"filter inside\""), "tcp.flags.reset");
    assert!(!outside.is_empty() && outside.lines().all(|reset| reset == "0"), "{outside}");
    assert!(!inside.is_empty() && inside.lines().all(|reset| reset == "1"), "{inside}");
}

/// Dropped, refused, forged, reset, lied about, sent elsewhere: one mechanism of each kind, and what its picture says.
#[test]
fn each_kind_of_interference_has_its_picture() {
    if !can_run_labs() {
        return;
    }
    let mechanisms = [
        ("ip-drop", "blocked"),
        ("ip-icmp", "unreachable"),
        ("dns-inject-on-path", "forged"),
        ("dns-nxdomain", "lie"),
        ("dns-redirect", "udp"),
        ("sni-reset-both", "reset"),
    ];
    let mut pictures = String::new();
    for (mechanism, expectation) in mechanisms {
        let directory = tempfile::tempdir().expect("a directory");
        let out = directory.path().display().to_string();
        let run = said(roadblock(&["run", &format!("mechanisms/{mechanism}"), "--out", &out]));
        assert_eq!(run.status, 0, "{mechanism}: {}{}", run.stdout, run.stderr);
        let report = fs::read_to_string(directory.path().join("report.json")).expect("a report");
        let report: Value = serde_json::from_str(&report).expect("JSON");
        // Whether a server still answers before a forged reset reaches it is chance.
        let decided = sequence(&report, expectation)
            .lines()
            .filter(|line| !line.ends_with(": passed []"))
            .fold(String::new(), |lines, line| lines + line + "\n");
        writeln!(pictures, "{mechanism}\n{decided}").expect("a string");
    }
    insta::assert_snapshot!(pictures);
}

#[test]
fn a_command_can_be_captured() {
    if !can_run_labs() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let mine = new_scenario(directory.path());
    let packets = directory.path().join("kdig.pcapng").display().to_string();
    let query = ["kdig", "+timeout=2", "+retry=0", "www.wikipedia.org"];
    let run = said(roadblock(&[&["exec", &mine, "--capture", &packets, "--"][..], &query].concat()));
    assert_eq!(run.status, 0, "{run:?}");
    let said_of = |filter: &str| tshark(&packets, filter, "frame.comment");
    assert!(said_of("dns.flags.response == 1").contains("isp/removed lied: query A www.wikipedia.org"));
    assert!(said_of("dns.flags.response == 0").contains("isp/removed lied: query A www.wikipedia.org"));
    let nowhere = directory.path().join("no/where.pcapng").display().to_string();
    let run = said(roadblock(&["exec", &mine, "--capture", &nowhere, "--", "true"]));
    assert_eq!(run.status, 125, "{run:?}");
}

#[test]
fn a_copy_of_the_flagship_runs_and_no_file_is_overwritten() {
    let directory = tempfile::tempdir().expect("a directory");
    let copy = directory.path().join("copy.toml").display().to_string();
    let arguments = ["new", "--from", FLAGSHIP, "--id", "lab/copy", &copy];
    let new = said(roadblock(&arguments));
    assert_eq!(new.status, 0, "{new:?}");
    let text = fs::read_to_string(&copy).expect("the copy");
    assert!(text.contains("\nid = \"lab/copy\"\n") && text.starts_with('#'));
    let again = said(roadblock(&arguments));
    assert_eq!(again.status, 2, "{again:?}");
    assert_eq!(fs::read_to_string(&copy).expect("the copy"), text);
    if can_run_labs() {
        let run = said(roadblock(&["run", &copy, "--phase", "before", "--vantage", "moscow"]));
        assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    }
}

/// A scenario as `roadblock new` writes it, as an argument.
fn new_scenario(directory: &Path) -> String {
    let mine = directory.join("mine.toml").display().to_string();
    let new = said(roadblock(&["new", &mine]));
    assert_eq!(new.status, 0, "{new:?}");
    mine
}

/// A field of every packet that a display filter finds, one a line.
fn tshark(packets: &str, filter: &str, field: &str) -> String {
    let mut tshark = program("tshark");
    tshark.args(["-r", packets, "-Y", filter, "-T", "fields", "-e", field]);
    let found = said(tshark);
    assert_eq!(found.status, 0, "{}", found.stderr);
    found.stdout
}

/// Who sent what in the flows of an expectation, without what differs from run to run.
fn sequence(report: &Value, expectation: &str) -> String {
    let all = report["expectations"].as_array().expect("expectations");
    let found = all.iter().find(|each| each["id"] == expectation).expect("the expectation");
    let clients = found["clients"].as_array().expect("clients");
    let flows = report["flows"].as_array().expect("flows").iter().filter(|flow| clients.contains(&flow["client"]));
    let steps = flows.flat_map(|flow| flow["steps"].as_array().expect("steps"));
    let mut lines: Vec<String> = Vec::new();
    for step in steps {
        let [from, to, what, fate] = ["from", "to", "what", "fate"].map(|field| step[field].as_str().expect("words"));
        // What a rule cites is told elsewhere.
        let decisions =
            step["decisions"].as_array().expect("decisions").iter().map(|each| each.as_str().expect("words"));
        let decisions: Vec<&str> = decisions.map(|each| each.split(':').next().unwrap_or(each)).collect();
        let line = format!("{from} to {to}: {what}: {fate} [{}]", decisions.join(", "));
        // How often and when the server tries again is chance, and so is whether it acknowledges before it answers.
        if !lines.contains(&line) && what != "ACK" {
            lines.push(line);
        }
    }
    lines.join("\n")
}
