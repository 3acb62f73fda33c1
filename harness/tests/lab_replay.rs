//! What a lab decided while real clients were in it, and what the same censors decide once more about the lab's capture.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::{FLAGSHIP, can_run_labs, roadblock, said};

/// Page, query and handshake of curl, kdig and openssl; some meet a rule and some do not.
const CLIENTS: &str = "\
    curl -sS --max-time 4 --resolve web.whatsapp.com:443:1.1.1.1 https://web.whatsapp.com/
    curl -sS -o /dev/null https://max.ru/
    kdig +short @8.8.8.8 web.whatsapp.com
    kdig +short @8.8.8.8 www.wikipedia.org
    openssl s_client -connect 1.1.1.1:443 -servername graph.whatsapp.com </dev/null
    openssl s_client -connect 1.1.1.1:443 -servername www.wikipedia.org </dev/null
    curl -4 -sS --max-time 3 --resolve web.whatsapp.com:443:31.13.84.51 https://web.whatsapp.com/
    exit 0";

#[test]
fn real_clients_in_the_lab_and_a_replay_of_its_capture_give_the_same_events() {
    if !can_run_labs() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let [capture, events] = ["lab.pcapng", "events.jsonl"].map(|name| directory.path().join(name));
    let [capture, events] = [&capture, &events].map(|path| path.to_str().expect("a plain path"));
    for phase in ["before", "full-block"] {
        let lab = ["exec", FLAGSHIP, "--phase", phase, "--capture", capture, "--events", events];
        let lab = said(roadblock(&[&lab[..], &["--", "sh", "-c", CLIENTS]].concat()));
        assert_eq!(lab.status, 0, "{}", lab.stderr);
        let in_the_lab = read_events(Path::new(events));
        let replayed = replay(&[capture, "--scenario", FLAGSHIP]);
        let again = events_of(&replayed);
        assert_eq!(again, in_the_lab, "{phase}");
        assert_eq!(in_the_lab.len() > 3, phase == "full-block", "{in_the_lab:#?}");
    }
}

/// A run moves its lab from phase to phase, and its capture says when.
#[test]
fn a_replay_of_a_runs_capture_gives_the_runs_events_phase_by_phase() {
    if !can_run_labs() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().to_str().expect("a plain path");
    let arguments = ["run", FLAGSHIP, "--phase", "before", "--phase", "full-block", "--out", out];
    let run = said(roadblock(&arguments));
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    let replayed = replay(&[&format!("{out}/run.pcapng"), "--scenario", FLAGSHIP]);
    assert_eq!(replayed["policy"]["phases"], json!(["before", "full-block"]));
    let in_the_lab = read_events(&directory.path().join("events.jsonl"));
    assert!(in_the_lab.len() > 30, "{in_the_lab:#?}");
    assert_eq!(events_of(&replayed), in_the_lab);
    // The run's document tells of each phase what its own measurements met, and not what those of the phase before still
    // sent.
    let report = fs::read_to_string(directory.path().join("report.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("a document");
    let canonical = replayed["canonical"].as_array().expect("events");
    for event in report["events"].as_array().expect("events").iter().filter(|event| event["kind"] != "lied") {
        assert!(canonical.contains(event), "{event}");
    }
}

/// The decisions of a replay.
fn events_of(replayed: &Value) -> BTreeSet<String> {
    let events = replayed["events"].as_array().expect("events").iter();
    events.filter_map(|event| stripped(event, &event["flow"])).collect()
}

fn replay(arguments: &[&str]) -> Value {
    let replayed = said(roadblock(&[&["replay", "--format", "json"], arguments].concat()));
    assert_eq!(replayed.status, 0, "{}", replayed.stderr);
    serde_json::from_str(&replayed.stdout).expect("a document")
}

/// The decisions of `exec --events`, those of resolvers aside.
fn read_events(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).expect("the events");
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a document"));
    events
        .filter(|event| event["kind"] != "lied")
        .filter_map(|event| {
            let protocol = match event["flow"]["protocol"].as_u64() {
                Some(6) => "tcp",
                Some(17) => "udp",
                Some(1) => "icmp",
                Some(58) => "icmpv6",
                _ => "other",
            };
            let end = |address: &str, port: &str| {
                let address = event["flow"][address].as_str().expect("an address").parse().expect("an address");
                let port = event["flow"][port].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
                std::net::SocketAddr::new(address, port)
            };
            let (client, server) = (end("client", "client_port"), end("server", "server_port"));
            stripped(&event, &json!(format!("{protocol} {client} -> {server}")))
        })
        .collect()
}

/// A decision without its time. How soon a flow is let go depends on when its packets came, and is none.
fn stripped(event: &Value, flow: &Value) -> Option<String> {
    let said = ["hop", "censor", "rule", "kind", "direction", "matched", "facts", "grade"].map(|key| &event[key]);
    (event["kind"] != "passed").then(|| format!("{flow} {said:?}"))
}
