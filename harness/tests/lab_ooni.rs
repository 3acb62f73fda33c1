//! What `probe --format ooni` writes is read by OONI's own parser, `oonidata` (`PyPI`), which we did not write.

mod support;

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use support::{FLAGSHIP, can_run_labs, notice, program, roadblock, said};

/// A Python that has oonidata: the one that `ci/test` makes, or the machine's own.
fn python() -> Option<String> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/oonidata/bin/python").display().to_string();
    let has = |python: &String| {
        let asked = program(python).args(["-c", "import oonidata.models.nettests"]).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    [made, "python3".to_owned()].into_iter().find(has)
}

/// What oonidata understands of these measurements; nothing where it is not here, which is said.
fn understood(lines: &str) -> Option<Vec<Value>> {
    let Some(python) = python() else {
        notice("SKIPPED: no Python here has oonidata, so what it would say of our measurements is not known");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ooni/parse.py");
    let mut child = program(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a parser");
    child.stdin.take().expect("its stdin").write_all(lines.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "oonidata refuses:\n{lines}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    Some(text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
}

fn measured(arguments: &[&str]) -> String {
    let measured = said(roadblock(&[&["probe"], arguments, &["--format", "ooni"]].concat()));
    assert_eq!(measured.status, 0, "{measured:?}");
    assert_eq!(measured.stdout.lines().count(), 1, "{measured:?}");
    measured.stdout
}

#[test]
fn web_connectivity_is_read_by_ooni_s_own_parser_with_the_truth_beside_it() {
    if !can_run_labs() {
        return;
    }
    let lines = [
        measured(&["ooni/tls-reset", "web", "https://www.example.com/"]),
        measured(&["ooni/uncensored", "web", "http://www.example.com/"]),
    ];
    let Some(understood) = understood(&lines.concat()) else { return };
    let [reset, free] = &understood[..] else { panic!("{understood:?}") };
    assert_eq!((&reset["class"], &reset["blocking"]), (&json!("WebConnectivity"), &json!("http-failure")));
    assert_eq!(reset["annotations"]["rule"], "netem/reset-name");
    assert_eq!(reset["annotations"]["phase"], "now");
    assert_eq!(
        (&free["accessible"], &free["blocking"], &free["read_bytes"]),
        (&json!(true), &json!(false), &json!(true))
    );
    assert_eq!(
        (&free["requests"], &free["probe_asn"], &free["annotations"]["rule"]),
        (&json!(1), &json!("AS137"), &json!("none"))
    );
}

#[test]
fn apps_and_layers_are_read_by_ooni_s_own_parser() {
    if !can_run_labs() {
        return;
    }
    let asked: [(&[&str], &str); 5] = [
        (&["whatsapp"], "Whatsapp"),
        (&["telegram"], "Telegram"),
        (&["facebook_messenger"], "FacebookMessenger"),
        (&["tls", "web.whatsapp.com"], "UrlGetter"),
        (&["dns", "web.whatsapp.com"], "UrlGetter"),
    ];
    let lines: String = asked.iter().map(|(probe, _)| measured(&[&[FLAGSHIP], *probe].concat())).collect();
    let Some(understood) = understood(&lines) else { return };
    for ((probe, class), read) in asked.iter().zip(&understood) {
        assert_eq!(read["class"], *class, "{probe:?}");
        assert_eq!(read["probe_asn"], "AS12389", "{probe:?}");
        assert_ne!(read["annotations"]["rule"], "none", "{probe:?}: {read}");
    }
}

#[test]
fn what_is_added_to_a_file_is_a_line_more() {
    if !can_run_labs() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("measurements.jsonl").display().to_string();
    for target in ["www.example.com", "www.example.org"] {
        let written = said(roadblock(&["probe", "ooni/uncensored", "dns", target, "--format", "ooni", "-o", &file]));
        assert_eq!((written.status, &*written.stdout), (0, ""), "{written:?}");
    }
    let lines = std::fs::read_to_string(&file).expect("the file");
    let inputs: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["input"].clone()).collect();
    assert_eq!(inputs, ["dnslookup://www.example.com", "dnslookup://www.example.org"]);
}
