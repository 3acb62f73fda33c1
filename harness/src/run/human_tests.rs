//! Reports made up to show each thing that a person can be told.

use std::collections::BTreeMap;

use super::super::report::{
    Cell, Difference, LayerEntry, OfControlEntry, PhaseHead, ProblemEntry, SCHEMA, ScenarioHead, Seen, StepEntry,
    TargetHead, TimesEntry, schema,
};
use super::*;
use crate::probes::Operation;

#[test]
fn a_run_that_went_as_expected() {
    insta::assert_snapshot!(render(&report(), Paint::none()));
}

#[test]
fn a_run_with_a_failed_expectation_says_what_was_seen_instead() {
    let mut report = report();
    report.conclusion = Conclusion::Unexpected;
    report.expectations[0].as_expected = false;
    let step = &mut report.expectations[0].steps[0];
    step.seen = seen(Word::Tls, Some("generic_timeout_error"), Some(Operation::TlsHandshake), Some("tspu/sni-4"));
    step.differs = vec![Difference::Failure, Difference::By];
    step.wait_milliseconds = 76_000;
    let control = report.cells.iter_mut().find(|cell| cell.vantage == CONTROL).expect("a cell of control");
    control.seen = seen(Word::Tcp, Some("connection_refused"), Some(Operation::Connect), None);
    insta::assert_snapshot!(render(&report, Paint::none()));
}

#[test]
fn a_run_that_failed_inside_says_that_its_results_are_invalid() {
    let mut report = report();
    report.conclusion = Conclusion::Interrupted;
    report.cells.pop();
    report.cells[0].seen.verdict = Word::Invalid;
    report.problems.push(ProblemEntry {
        phase: "before".to_owned(),
        place: "tspu-moscow".to_owned(),
        what: "the queue dropped 3 packets".to_owned(),
    });
    insta::assert_snapshot!(render(&report, Paint::none()));
}

#[test]
fn a_document_is_what_its_schema_says() {
    let schema = serde_json::to_value(schema()).expect("a schema");
    let document = serde_json::to_value(report()).expect("a document");
    let validator = jsonschema::validator_for(&schema).expect("a validator");
    let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let mut broken = document;
    broken["cells"][0]["seen"]["verdict"] = "sort of".into();
    assert!(!validator.is_valid(&broken));
}

#[test]
fn the_document_is_as_reviewed() {
    insta::assert_json_snapshot!(report(), { ".version" => "[version]" });
}

#[test]
fn what_was_measured_many_times_and_speeds_are_said() {
    let mut report = report();
    let times = TimesEntry { of: 20, made: 20, ok: 14, least: 12, most: 16 };
    let mut chance = report.expectations[0].clone();
    chance.times = Some(times);
    let mut rare = chance.clone();
    rare.id = "rarely".to_owned();
    rare.as_expected = false;
    rare.times = Some(TimesEntry { least: 15, ..times });
    let mut slow = report.expectations[0].clone();
    slow.id = "slow".to_owned();
    slow.as_expected = false;
    slow.steps[0].by.push("tspu/sni-4".to_owned());
    slow.steps[0].of_control = Some(OfControlEntry { at_least: None, at_most: Some(0.2), percent: Some(73) });
    let limit = |word: &str| BTreeMap::from([("limit".to_owned(), word.to_owned())]);
    (slow.steps[0].finds, slow.steps[0].seen.found) = (limit("policed"), limit("shaped"));
    slow.steps[0].differs = vec![Difference::OfControl, Difference::Finds];
    report.expectations.extend([chance, rare, slow]);
    insta::assert_snapshot!(render(&report, Paint::none()));
}

pub(crate) fn report() -> Report {
    let block = |failure, operation, by| seen_as(failure, operation, by);
    let reset = block("connection_reset", Operation::TlsHandshake, "tspu/sni-1");
    let nxdomain = block("dns_nxdomain_error", Operation::Resolve, "isp/lies.0");
    let ok = seen(Word::Ok, None, None, None);
    Report {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        scenario: ScenarioHead {
            id: "ru/whatsapp-2026".to_owned(),
            title: "Russia blocks WhatsApp and Meta; MAX stays reachable".to_owned(),
        },
        seed: 1,
        milliseconds: 3240,
        conclusion: Conclusion::AsExpected,
        phases: vec![phase("before", None), phase("full-block", Some("2026-02-11"))],
        vantages: vec![vantage("moscow", "AS12389 Rostelecom"), vantage(CONTROL, "AS3320 Deutsche Telekom")],
        targets: vec![target("WhatsApp web", WHATSAPP), target("MAX", MAX)],
        cells: vec![
            cell("before", "moscow", WHATSAPP, &ok),
            cell("before", "moscow", MAX, &ok),
            cell("full-block", CONTROL, WHATSAPP, &ok),
            cell("full-block", CONTROL, MAX, &ok),
            cell("full-block", "moscow", WHATSAPP, &nxdomain),
            cell("full-block", "moscow", MAX, &ok),
        ],
        expectations: vec![expected(reset)],
        events: super::super::canonical::canonical(
            "full-block",
            &[super::super::testing::event(super::super::testing::flow(40000), "sni-1")],
        ),
        problems: Vec::new(),
        capture: None,
        flows: Vec::new(),
    }
}

fn expected(seen: Seen) -> ExpectationEntry {
    ExpectationEntry {
        id: "sni-filter".to_owned(),
        place: "ru/whatsapp-2026.toml:120".to_owned(),
        phase: "full-block".to_owned(),
        vantage: "moscow".to_owned(),
        clients: vec!["95.24.0.8".to_owned()],
        as_expected: true,
        neighbour_of: None,
        times: None,
        steps: vec![StepEntry {
            probe: "tls 1.1.1.1:443 with SNI web.whatsapp.com".to_owned(),
            wait_milliseconds: 0,
            verdict: Word::Tls,
            failure: Some("connection_reset".to_owned()),
            by: vec!["tspu/sni-1".to_owned()],
            of_control: None,
            finds: BTreeMap::new(),
            keys: crate::probes::TestKeys::new(),
            seen,
            differs: Vec::new(),
            lacks: None,
        }],
    }
}

fn seen_as(failure: &str, operation: Operation, by: &str) -> Seen {
    let verdict = if operation == Operation::Resolve { Word::Dns } else { Word::Tls };
    seen(verdict, Some(failure), Some(operation), Some(by))
}

fn seen(verdict: Word, failure: Option<&str>, operation: Option<Operation>, by: Option<&str>) -> Seen {
    Seen {
        verdict,
        failure: failure.map(str::to_owned),
        operation,
        by: by.map(str::to_owned),
        matched: by.map(|_| "SNI web.whatsapp.com".to_owned()),
        facts: by.map(|_| "TSPU-1".to_owned()).into_iter().collect(),
        grade: by.map(|_| super::super::report::Known::Measured),
        layers: vec![LayerEntry {
            operation: operation.unwrap_or(Operation::HttpRoundTrip),
            address: "1.1.1.1:443".to_owned(),
            failure: failure.map(str::to_owned),
            milliseconds: 12,
        }],
        addresses: Vec::new(),
        answers: 0,
        part: None,
        how: None,
        test_keys: crate::probes::TestKeys::new(),
        found: BTreeMap::new(),
        evidence: None,
    }
}

fn cell(phase: &str, vantage: &str, target: &str, seen: &Seen) -> Cell {
    Cell {
        phase: phase.to_owned(),
        vantage: vantage.to_owned(),
        target: target.to_owned(),
        clients: vec!["95.24.0.7".to_owned()],
        seen: seen.clone(),
    }
}

fn phase(id: &str, date: Option<&str>) -> PhaseHead {
    PhaseHead { id: id.to_owned(), date: date.map(str::to_owned), title: None }
}

fn vantage(name: &str, network: &str) -> VantageHead {
    VantageHead { name: name.to_owned(), network: network.to_owned() }
}

fn target(title: &str, url: &str) -> TargetHead {
    TargetHead { title: title.to_owned(), url: url.to_owned() }
}

const WHATSAPP: &str = "https://web.whatsapp.com/";
const MAX: &str = "https://max.ru/";
