//! Machines of their own: where they get their addresses, and what is said about those that cannot be.

use roadblock_scenarios::model::{Machine, Readiness};
use roadblock_scenarios::{Library, resolve};

/// A scenario with a censor in the middle, and machines to come.
const SOUND: &str = r#"
id = "test"
title = "A test"
use = ["services/neutral", "services/public-dns"]

[hop.access]
[hop.box]
[hop.border]
[hop.elsewhere]

[vantage.inside]
isp = "AS12389 Rostelecom"
path = ["access", "box", "border"]
resolvers = ["8.8.8.8"]

[vantage.control]
isp = "AS3320 Deutsche Telekom"
path = ["elsewhere"]
resolvers = ["8.8.8.8"]

[censor.tspu]
profile = "censors/tspu-2022"
at = "box"
"#;

fn machine(text: &str) -> Machine {
    let text = format!("{SOUND}\n[machine.server]\n{text}\n");
    let mut scenario =
        resolve(&text, "test.toml", &Library::embedded()).unwrap_or_else(|errors| panic!("{text}\n{errors}"));
    scenario.machines.remove(0)
}

fn said(text: &str) -> String {
    let text = format!("{SOUND}\n[machine.server]\n{text}\n");
    resolve(&text, "test.toml", &Library::embedded()).expect_err("the file is bad").to_string()
}

#[test]
fn a_machine_at_a_hop_has_addresses_of_its_network_that_nobody_else_has() {
    let found = machine("at = \"access\"");
    assert_eq!(found.at.as_deref(), Some("access"));
    insta::assert_snapshot!(format!("{:?} {:?}", found.v4.expect("one"), found.v6.expect("one")));
    let found = machine("at = \"elsewhere\"\nbehind = \"10.66.0.0/24\"\naddress = \"80.159.250.9\"");
    assert_eq!((found.v4.expect("it was said").octets(), found.v6), ([80, 159, 250, 9], None));
}

#[test]
fn a_command_is_ready_at_once_or_when_it_is_said() {
    let run = machine("address = \"185.70.40.10\"\nrun = \"./serve\"").run.expect("a command");
    assert_eq!((run.command.as_str(), run.ready, run.location.line), ("./serve", None, 27));
    let text = "at = \"border\"\nrun = \"./serve\"\nready = \"tcp:443\"\nready-within = \"3s\"";
    let run = machine(text).run.expect("a command");
    assert_eq!((run.ready, run.ready_within.as_secs()), (Some(Readiness::Tcp(443)), 3));
}

#[test]
fn what_cannot_be_is_said_with_what_to_do() {
    let texts = [
        "about = \"nowhere\"",
        "at = \"box\"",
        "at = \"boxes\"",
        "at = \"access\"\naddress = \"185.70.40.10\"",
        "at = \"access\"\naddress = \"95.167.0.5\"",
        "address = [\"185.70.40.10\", \"185.70.40.11\"]",
        "address = \"185.15.59.224\"",
        "address = \"8.8.8.8\"\nready = \"tcp:443\"",
        "at = \"access\"\nrun = \" \"\nready = \"tcp\"",
    ];
    let all: Vec<String> = texts.iter().map(|text| format!("{text}\n{}\n", said(text))).collect();
    insta::assert_snapshot!(all.join("\n"));
}
