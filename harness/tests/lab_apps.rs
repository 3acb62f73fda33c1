//! Every probe in a lab: with nothing on the way all is ok, and each way of cutting an app is seen for what it is.

mod support;

use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use serde_json::Value;
use support::{can_run_labs, roadblock, said};

#[test]
fn uncensored_every_probe_is_ok() {
    if !can_run_labs() {
        return;
    }
    let document = run("apps.toml");
    insta::assert_snapshot!(table(&document));
    let keys = |id: &str| expectation(&document, id)["steps"][0]["seen"]["test_keys"].clone();
    insta::assert_json_snapshot!([keys("whatsapp"), keys("telegram"), keys("messenger"), keys("call-whatsapp")]);
}

/// TSPU-1, TSPU-4, TSPU-6, RU-CALL-1, RU-VPN-1, RU-L425-1, RU-THR-1 and RU-WA-1 as an app's user meets them.
#[test]
fn each_cut_is_seen_for_what_it_is_and_by_whom() {
    if !can_run_labs() {
        return;
    }
    insta::assert_snapshot!(table(&run("apps-cut.toml")));
}

/// Fourteen minutes of the lab's clock, a minute-long call and a dozen time-outs side by side.
#[test]
#[expect(clippy::disallowed_methods, reason = "this is about how long a person waits")]
fn waits_calls_and_time_outs_take_no_longer_than_the_longest_of_them() {
    if !can_run_labs() {
        return;
    }
    let began = Instant::now();
    run("apps-cut.toml");
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[test]
fn what_ooni_says_of_blocked_messengers_is_said() {
    if !can_run_labs() {
        return;
    }
    let document = run("apps-blocked.toml");
    let keys = |id: &str| expectation(&document, id)["steps"][0]["seen"]["test_keys"].clone();
    insta::assert_json_snapshot!([keys("whatsapp"), keys("telegram"), keys("messenger"), keys("messenger-poisoned")]);
    insta::assert_snapshot!(table(&document));
}

/// Runs a scenario of this folder, which must go as it expects.
fn run(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file).display().to_string();
    let run = said(roadblock(&["run", &path, "--format", "json"]));
    assert_eq!(run.status, 0, "{}\n{}", run.stderr, said(roadblock(&["run", &path])).stdout);
    serde_json::from_str(&run.stdout).expect("a document")
}

/// What each step of each expectation gave, one a line.
fn table(document: &Value) -> String {
    let mut table = String::new();
    for expected in document["expectations"].as_array().expect("expectations") {
        for step in expected["steps"].as_array().expect("steps") {
            let seen = &step["seen"];
            let word = |key: &str| seen[key].as_str().unwrap_or("-").to_owned();
            let (verdict, failure, by) = (word("verdict"), word("failure"), word("by"));
            let id = expected["id"].as_str().expect("an id");
            let said = [word("part"), word("how")].join(" ");
            writeln!(table, "{id}: {verdict}, {failure}, {by}, {said}").expect("a line");
        }
    }
    table
}

fn expectation<'a>(document: &'a Value, id: &str) -> &'a Value {
    let mut all = document["expectations"].as_array().expect("expectations").iter();
    all.find(|each| each["id"] == id).expect("an expectation of this id")
}
