//! Joining documents, without a lab.

use serde_json::{Value, json};

use super::merge::{MergeError, Part, merge};
use crate::run::report::Conclusion;

/// A document of these units, each with how it ended.
fn document(partition: Option<&str>, units: &[(usize, &str, &str)]) -> Value {
    let entry = |(place, phase, conclusion): &(usize, &str, &str)| {
        json!({
            "place": place, "scenario": "lab/mine", "phase": phase, "conclusion": conclusion, "tries": 1,
            "milliseconds": 10, "control": 0, "control_missed": [], "expectations": [], "problems": [],
        })
    };
    json!({
        "schema": "roadblock.test/1", "version": "0.1.0", "seed": 1, "partition": partition, "chosen": 4,
        "milliseconds": units.len(), "conclusion": "as-expected", "units": units.iter().map(entry).collect::<Vec<_>>(),
    })
}

fn odd() -> Value {
    document(Some("count:1/2"), &[(0, "a", "as-expected"), (2, "c", "as-expected")])
}

fn even() -> Value {
    document(Some("count:2/2"), &[(1, "b", "as-expected"), (3, "d", "as-expected")])
}

fn joined(documents: &[Value]) -> Result<super::Document, MergeError> {
    let part = |(number, document): (usize, &Value)| Part::parse(format!("{}.json", number + 1), &document.to_string());
    let parts: Result<Vec<Part>, MergeError> = documents.iter().enumerate().map(part).collect();
    merge(parts?)
}

fn changed(mut document: Value, key: &str, value: impl Into<Value>) -> Value {
    document[key] = value.into();
    document
}

#[test]
fn parts_in_any_order_give_the_whole_in_its_own() {
    for parts in [[odd(), even()], [even(), odd()]] {
        let whole = joined(&parts).expect("a whole");
        let phases: Vec<&str> = whole.units.iter().map(|unit| &*unit.phase).collect();
        assert_eq!((phases, whole.partition, whole.milliseconds), (vec!["a", "b", "c", "d"], None, 2));
        assert_eq!(whole.conclusion, Conclusion::AsExpected);
    }
}

#[test]
fn a_part_without_units_is_a_part() {
    let all = [0, 1, 2, 3].map(|place| (place, ["a", "b", "c", "d"][place], "as-expected"));
    let whole = joined(&[document(Some("hash:1/2"), &[]), document(Some("hash:2/2"), &all)]).expect("a whole");
    assert_eq!(whole.units.len(), 4);
}

#[test]
fn the_worst_unit_says_how_it_ended() {
    let conclusion = |worst: &str| {
        let even = document(Some("count:2/2"), &[(1, "b", "flaky"), (3, "d", worst)]);
        joined(&[odd(), even]).expect("a whole").conclusion
    };
    assert_eq!(conclusion("flaky"), Conclusion::AsExpected);
    assert_eq!(conclusion("unexpected"), Conclusion::Unexpected);
    assert_eq!(conclusion("timed-out"), Conclusion::Invalid);
    assert_eq!(conclusion("not-played"), Conclusion::Interrupted);
    let ended = changed(even(), "conclusion", "interrupted");
    assert_eq!(joined(&[odd(), ended]).expect("a whole").conclusion, Conclusion::Interrupted);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let said: Vec<String> = [
        vec![odd()],
        vec![odd(), even(), odd()],
        vec![odd(), document(None, &[])],
        vec![odd(), changed(even(), "version", "0.2.0")],
        vec![odd(), changed(even(), "seed", 2)],
        vec![odd(), changed(even(), "chosen", 5)],
        vec![odd(), changed(even(), "partition", "hash:2/2")],
        vec![odd(), changed(even(), "partition", "count:2/3")],
        vec![odd(), changed(even(), "partition", "count:9/2")],
        vec![odd(), document(Some("count:2/2"), &[(1, "a", "as-expected"), (3, "d", "as-expected")])],
        vec![odd(), document(Some("count:2/2"), &[(2, "b", "as-expected"), (3, "d", "as-expected")])],
        vec![odd(), document(Some("count:2/2"), &[(1, "b", "as-expected")])],
        vec![odd(), document(Some("count:2/2"), &[(1, "b", "as-expected"), (4, "d", "as-expected")])],
        vec![changed(odd(), "schema", "roadblock.run/1")],
        vec![changed(odd(), "units", 3)],
        vec![json!([])],
    ]
    .iter()
    .map(|documents| joined(documents).expect_err("refused").to_string())
    .collect();
    insta::assert_debug_snapshot!(said);
}
