//! Every probe in a lab: with nothing on the way all is ok, and each way of cutting an app is seen for what it is.

mod support;

use std::time::Instant;

use serde_json::Value;
use support::{can_run_labs, data, run, table};

#[test]
fn uncensored_every_probe_is_ok() {
    if !can_run_labs() {
        return;
    }
    let document = run(&data("apps.toml"));
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
    insta::assert_snapshot!(table(&run(&data("apps-cut.toml"))));
}

/// Fourteen minutes of the lab's clock, a minute-long call and a dozen time-outs side by side.
#[test]
#[expect(clippy::disallowed_methods, reason = "this is about how long a person waits")]
fn waits_calls_and_time_outs_take_no_longer_than_the_longest_of_them() {
    if !can_run_labs() {
        return;
    }
    let began = Instant::now();
    run(&data("apps-cut.toml"));
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[test]
fn what_ooni_says_of_blocked_messengers_is_said() {
    if !can_run_labs() {
        return;
    }
    let document = run(&data("apps-blocked.toml"));
    let keys = |id: &str| expectation(&document, id)["steps"][0]["seen"]["test_keys"].clone();
    insta::assert_json_snapshot!([keys("whatsapp"), keys("telegram"), keys("messenger"), keys("messenger-poisoned")]);
    insta::assert_snapshot!(table(&document));
}

fn expectation<'a>(document: &'a Value, id: &str) -> &'a Value {
    let mut all = document["expectations"].as_array().expect("expectations").iter();
    all.find(|each| each["id"] == id).expect("an expectation of this id")
}
