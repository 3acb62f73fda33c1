//! What an expectation can say, and what is said of one that contradicts itself.

use std::time::Duration;

use roadblock_scenarios::model::{Finds, Limit, OfControl, ThroughputFinds, Times, VerdictWord};
use roadblock_scenarios::{Diagnostics, Library, Scenario, resolve};

fn resolved(lines: &str) -> Result<Scenario, Diagnostics> {
    let text = format!(
        r#"
id = "test"
title = "A test"
use = ["services/neutral", "services/public-dns"]
[hop.access]
[hop.elsewhere]
[vantage.inside]
isp = "AS12389 Rostelecom"
path = ["access"]
resolvers = ["isp"]
[vantage.control]
isp = "AS3320 Deutsche Telekom"
path = ["elsewhere"]
resolvers = ["8.8.8.8"]
[resolver.isp]
at = "access"
lies = [{{ id = "hide", names = ["wikipedia.org"], answer = {{ rcode = "NXDOMAIN" }} }}]
[[expect]]
{lines}
"#
    );
    resolve(&text, "test.toml", &Library::embedded())
}

const LIE: &str = r#"
probe = { dns = { name = "www.wikipedia.org" } }
verdict = "dns"
failure = "dns_nxdomain_error"
"#;

fn lie(lines: &str) -> Result<Scenario, Diagnostics> {
    resolved(&format!("{LIE}{lines}"))
}

fn sound(lines: &str) -> Scenario {
    lie(lines).unwrap_or_else(|mistakes| panic!("{lines}\n{mistakes}"))
}

#[test]
fn by_is_one_rule_or_several() {
    let by = |lines| sound(lines).expectations[0].steps[0].by.clone();
    assert!(by("").is_empty());
    assert_eq!(by("by = \"isp/hide\""), ["isp/hide"]);
    assert_eq!(by("by = [\"isp/hide\", \"isp/hide\"]"), ["isp/hide", "isp/hide"]);
    let complaint = lie("by = [\"isp/hide\", \"isp/hied\"]").expect_err("there is no such lie").to_string();
    assert!(complaint.contains("isp/hied"), "{complaint}");
}

#[test]
fn times_are_a_number_or_a_range() {
    let times = |lines| sound(lines).expectations[0].times.clone();
    assert_eq!(times(""), None);
    assert_eq!(times("times = { of = 20, ok = 14 }"), Some(Times { of: 20, ok: 14..=14 }));
    assert_eq!(times("times = { of = 20, ok = [12, 16] }"), Some(Times { of: 20, ok: 12..=16 }));
}

#[test]
fn tries_become_steps_of_one_client() {
    let scenario =
        sound("attempts = 4\nreached-after = 3\nevery = \"10s\"\nby = \"isp/hide\"\nthen = { verdict = \"dns\" }");
    let steps = &scenario.expectations[0].steps;
    let verdicts: Vec<_> = steps.iter().map(|step| (step.verdict, step.wait.as_secs(), step.by.len())).collect();
    let (blocked, reached) = (VerdictWord::Dns, VerdictWord::Ok);
    let expected = [(blocked, 0, 1), (blocked, 10, 1), (blocked, 10, 1), (reached, 10, 0), (blocked, 0, 0)];
    assert_eq!(verdicts, expected);
    assert!(steps[3].failure.is_none());
    let all = sound("attempts = 3");
    assert!(all.expectations[0].steps.iter().all(|step| step.verdict == blocked && step.wait == Duration::ZERO));
    assert_eq!(all.expectations[0].steps.len(), 3);
}

#[test]
fn a_speed_can_be_compared_with_controls() {
    let scenario = resolved(
        "probe = { throughput = { host = \"ya.ru\" } }\nverdict = \"throttled\"\nof-control = { at-most = 0.2 }\n\
         neighbours = { address = \"ok\" }",
    )
    .expect("sound");
    let of_control = |index: usize| scenario.expectations[index].steps[0].of_control;
    assert_eq!(of_control(0), Some(OfControl { at_least: None, at_most: Some(0.2) }));
    assert_eq!(of_control(1), None, "a neighbour is not compared");
}

#[test]
fn what_is_found_is_asked_of_the_first_measurement_alone() {
    let scenario = resolved(
        "probe = { throughput = { host = \"ya.ru\", beside = \"ya.ru\" } }\nverdict = \"throttled\"\n\
         finds = { limit = \"policed\", beside = \"unthrottled\" }\nneighbours = { address = \"ok\" }",
    )
    .expect("sound");
    let finds = |index: usize| scenario.expectations[index].steps[0].finds.clone();
    let (limit, beside) = (Some(Limit::Policed), Some(Limit::Unthrottled));
    assert_eq!(finds(0), Some(Finds::Throughput(ThroughputFinds { limit, beside })));
    assert_eq!(finds(1), None);
}

#[test]
fn contradictions_are_explained() {
    let cases = [
        "times = { of = 20, ok = 21 }",
        "times = { of = 1, ok = 1 }",
        "times = { of = 20, ok = [3, 2] }",
        "times = { of = 20, ok = [1, 2, 3] }",
        "times = { of = 20, ok = 2 }\nthen = { verdict = \"dns\" }",
        "attempts = 1",
        "reached-after = 3",
        "attempts = 3\nreached-after = 3",
        "attempts = 3\nreached-after = 0",
        "of-control = { at-most = 0.5 }",
        "finds = { limit = \"policed\" }",
    ];
    let mut said: Vec<String> = cases
        .iter()
        .map(|lines| format!("{lines}\n{}", lie(lines).err().unwrap_or_else(|| panic!("{lines} is fine"))))
        .collect();
    let others = [
        "probe = { dns = { name = \"ya.ru\" } }\nverdict = \"ok\"\ntimes = { of = 4, ok = 2 }",
        "probe = { throughput = { host = \"ya.ru\" } }\nverdict = \"ok\"\nof-control = {}",
        "probe = { throughput = { host = \"ya.ru\" } }\nverdict = \"ok\"\nof-control = { at-least = 0.5, at-most = 0.4 }",
        "probe = { throughput = { host = \"ya.ru\" } }\nverdict = \"throttled\"\nfinds = {}",
        "probe = { residual = { trigger = { tcp = { address = \"1.1.1.1\" } }, test = { tcp = { address = \"1.1.1.1\" } } } }\n\
         verdict = \"ok\"\nfinds = { key = \"2t\" }",
        "probe = { residual = { trigger = { command = { run = \"true\" } }, test = { tcp = { address = \"1.1.1.1\" } } } }\n\
         verdict = \"ok\"",
        "probe = { residual = { trigger = { tcp = { address = \"1.1.1.1\" } }, test = { tcp = { address = \"1.1.1.1\" } }, tries = 0 } }\n\
         verdict = \"ok\"",
        "probe = { throughput = { host = \"ya.ru\" } }\nverdict = \"throttled\"\nfinds = { counts = \"bytes\" }",
        "probe = { freeze = { host = \"ya.ru\" } }\nverdict = \"freezes\"\nfinds = { packets = [3, 2] }",
        "probe = { throughput = { host = \"ya.ru\" } }\nverdict = \"throttled\"\nfinds = { beside = \"unthrottled\" }",
    ];
    said.extend(others.iter().map(|lines| format!("{lines}\n{}", resolved(lines).expect_err(lines))));
    insta::assert_snapshot!(said.join("\n\n"));
}
