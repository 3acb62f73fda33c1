//! One made-up document, as each reporter tells it.

use super::document::{Asked, Document, UnitConclusion, UnitEntry};
use super::unsupported::Unsupported;
use crate::output::Paint;
use crate::report::Reported;
use crate::run::made_up_report;
use crate::run::report::{Difference, ExpectationEntry, ProblemEntry, Word};

/// One unit for each way in which one can end.
fn document() -> Document {
    let asked = Asked { chosen: 7, seed: 7, unsupported: Unsupported::Fail, ..Asked::default() };
    let mut document = Document::of(&[], asked);
    document.version = "0".to_owned();
    document.milliseconds = 12_340;
    let expectation = || made_up_report().expectations.remove(0);
    let unit = |place, phase: &str, conclusion, expectations| UnitEntry {
        place,
        scenario: if place < 5 { "./mine.toml" } else { "ru/a|b" }.to_owned(),
        phase: phase.to_owned(),
        conclusion,
        lacks: None,
        tries: 1,
        milliseconds: 1230,
        control: 4,
        control_missed: Vec::new(),
        expectations,
        problems: Vec::new(),
    };
    let lab = |what: &str| ProblemEntry { phase: "x".to_owned(), place: "lab".to_owned(), what: what.to_owned() };
    document.units = vec![
        unit(0, "before", UnitConclusion::AsExpected, vec![expectation()]),
        unit(1, "wrong", UnitConclusion::Unexpected, vec![expectation(), wrong(expectation())]),
        UnitEntry { tries: 2, ..unit(2, "busy", UnitConclusion::Flaky, vec![expectation()]) },
        UnitEntry {
            problems: vec![lab("the queue dropped 3 packets,\n50 % of them")],
            ..unit(3, "broken", UnitConclusion::Invalid, vec![])
        },
        UnitEntry {
            lacks: Some("exit status 127: sh: 1: psiphon: not found".to_owned()),
            ..unit(4, "tool", UnitConclusion::Unsupported, vec![expectation(), lacking(expectation())])
        },
        UnitEntry {
            control_missed: vec!["https://max.ru/".to_owned()],
            ..unit(5, "<late>", UnitConclusion::TimedOut, vec![])
        },
        unit(6, "never", UnitConclusion::NotPlayed, vec![]),
    ];
    document.conclusion = document.conclude(false);
    document
}

fn wrong(mut expected: ExpectationEntry) -> ExpectationEntry {
    expected.as_expected = false;
    expected.place = "./mine.toml:120".to_owned();
    expected.steps[0].seen.verdict = Word::Tcp;
    expected.steps[0].differs = vec![Difference::Verdict];
    expected
}

fn lacking(expected: ExpectationEntry) -> ExpectationEntry {
    let mut expected = wrong(expected);
    expected.steps[0].seen.verdict = Word::Unmeasured;
    expected.steps[0].lacks = Some("exit status 127: sh: 1: psiphon: not found".to_owned());
    expected
}

#[test]
fn people_and_programs_are_told_the_same() {
    let document = document();
    insta::assert_snapshot!("told-human", super::render(&document, Paint::none()));
    insta::assert_snapshot!("told-markdown", document.markdown());
    insta::assert_snapshot!("told-junit", document.junit().expect("XML"));
    let annotations: Vec<String> = document.annotations().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("told-github", annotations.join("\n"));
    let html = document.html();
    let main = html.find("<header>").zip(html.find("<script>")).and_then(|(from, to)| html.get(from..to));
    insta::assert_snapshot!("told-html", main.expect("a page"));
}

#[test]
fn a_page_asks_nobody_for_anything_and_takes_nothing_for_markup() {
    let html = document().html();
    for door in ["src=", "href=\"http", "@import", "url(", "fetch(", "XMLHttp"] {
        assert!(!html.contains(door), "{door}");
    }
    assert!(html.contains("default-src 'none'") && html.contains("&lt;late&gt;") && !html.contains("<late>"));
    let first = html.find("./mine.toml wrong").zip(html.find("./mine.toml before"));
    assert!(first.is_some_and(|(wrong, good)| wrong < good), "what failed comes first");
}

#[test]
fn what_is_unsupported_fails_or_is_passed_over() {
    use crate::run::report::Conclusion;
    let mut document = document();
    document.units.retain(|unit| matches!(unit.conclusion, UnitConclusion::Unsupported | UnitConclusion::AsExpected));
    assert_eq!(document.conclude(false), Conclusion::Unsupported);
    assert_eq!(document.conclude(true), Conclusion::Interrupted);
    document.unsupported = Unsupported::Skip;
    assert_eq!(document.conclude(false), Conclusion::AsExpected);
    assert!(super::render(&document, Paint::none()).contains("1 phases are unsupported here; passed over"));
    document.note_no_lab("no user namespaces");
    assert!(document.units.iter().all(|unit| unit.conclusion == UnitConclusion::Unsupported));
    assert_eq!(document.conclusion, Conclusion::AsExpected);
}
