//! One made-up matrix, as each reporter tells it.

use super::baseline::Baseline;
use super::compare::compare;
use super::document::Document;
use super::testing::document;
use super::verdict::Verdict;
use crate::output::Paint;
use crate::report::Reported;

/// The matrix beside a baseline from which it differs in every way.
fn compared() -> Document {
    let mut now = document();
    let mut old = document();
    old.tools[0].version = Some("sing-box version 1.13.0".to_owned());
    old.cells[1].verdict = Verdict::Works;
    old.cells[1].by.clear();
    old.cells[2].by[0].by = "gfw/ip".to_owned();
    old.cells[4].verdict = Verdict::Blocked;
    old.cells[4].model.push('x');
    old.cells[3].verdict = Verdict::Blocked;
    old.cells[3].model.push('x');
    old.cells[10].verdict = Verdict::Works;
    old.cells[6].vantage = "elsewhere".to_owned();
    now.changes = Some(compare(&Baseline::of(&old), &now));
    now
}

#[test]
fn people_and_programs_are_told_the_same() {
    for (name, document) in [("alone", document()), ("compared", compared())] {
        insta::assert_snapshot!(format!("{name}-markdown"), document.markdown());
        insta::assert_snapshot!(format!("{name}-junit"), document.junit().expect("XML"));
        let annotations: Vec<String> = document.annotations().iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(format!("{name}-github"), annotations.join("\n"));
        let html = document.html();
        let main = html.find("<header>").zip(html.find("<script>")).and_then(|(from, to)| html.get(from..to));
        insta::assert_snapshot!(format!("{name}-html"), main.expect("a page"));
    }
    let mut text = String::new();
    let changes = compared().changes.expect("changes");
    super::changes::write_changes(&mut text, &changes, Paint::none()).expect("a string");
    insta::assert_snapshot!("compared-human", text);
}

#[test]
fn a_page_asks_nobody_for_anything_and_each_of_its_links_leads_somewhere() {
    let html = compared().html();
    for door in ["src=", "href=\"http", "@import", "url(", "fetch(", "XMLHttp", "<connections>"] {
        assert!(!html.contains(door), "{door}");
    }
    let links: Vec<&str> = html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.len() > 12, "{links:?}");
    for link in links {
        assert!(html.contains(&format!("id=\"{link}\"")), "{link}");
    }
}

#[test]
fn a_document_with_what_changed_is_what_its_schema_says() {
    let schema = serde_json::to_value(super::schema()).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a validator");
    for document in [document(), compared()] {
        let document = serde_json::to_value(document).expect("a document");
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}
