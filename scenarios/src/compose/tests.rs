//! Laying one tree over another, as algebra.

use std::sync::Arc;

use proptest::prelude::*;

use super::merge::lay;
use crate::diagnostic::Collector;
use crate::source::SourceFile;
use crate::tree::{self, Node, render};

fn parsed(text: &str) -> Node {
    let mut errors = Collector::default();
    let node = tree::parse(&Arc::new(SourceFile::new("test.toml", text)), &mut errors);
    assert!(errors.is_empty(), "{text}");
    node
}

/// One laid over the other, as text.
fn laid(base: &str, over: &str) -> String {
    render::inline(&lay(parsed(base), parsed(over)))
}

#[test]
fn tables_are_joined_key_by_key_and_other_values_replaced() {
    let base = "vantage = { a = { isp = \"x\", path = [\"p\", \"q\"] }, b = { isp = \"y\" } }";
    let over = "vantage = { a = { path = [\"r\"] }, c = { isp = \"z\" } }";
    let both = "{ vantage = { a = { isp = \"x\", path = [\"r\"] }, b = { isp = \"y\" }, c = { isp = \"z\" } } }";
    assert_eq!(laid(base, over), both);
}

#[test]
fn phases_expectations_and_lies_are_known_by_their_ids() {
    let base = "phase = [{ id = \"a\", date = 2026-01-01 }, { id = \"b\", felt = \"x\" }]";
    let over = "phase = [{ id = \"c\" }, { id = \"b\", felt = \"y\" }, { id = \"b\", felt = \"twice\" }]";
    // What is named twice stays twice, so that the mistake is seen.
    let both = "{ phase = [{ id = \"a\", date = 2026-01-01 }, { id = \"b\", felt = \"y\" }, { id = \"c\" }, \
                { id = \"b\", felt = \"twice\" }] }";
    assert_eq!(laid(base, over), both);
    let base = "resolver.isp.lies = [{ id = \"l\", names = [\"a\"], answer = { rcode = \"NXDOMAIN\", ttl = 5 } }]";
    let lies = |over: &str| laid(base, &format!("resolver.isp.lies = [{{ id = \"l\", answer = {over} }}]"));
    assert!(lies("{ silence = true }").contains("answer = { silence = true }"), "another form of answer holds whole");
    assert!(lies("{ ttl = 9 }").contains("answer = { rcode = \"NXDOMAIN\", ttl = 9 }"));
}

#[test]
fn a_probe_of_another_form_holds_whole() {
    let base = "expect = [{ id = \"e\", probe = { tls = { address = \"1.1.1.1\", sni = \"a.b\" } } }]";
    let probe = |over: &str| laid(base, &format!("expect = [{{ id = \"e\", probe = {over} }}]"));
    assert!(probe("{ tls = { sni = \"c.d\" } }").contains("{ tls = { address = \"1.1.1.1\", sni = \"c.d\" } }"));
    assert!(probe("{ dns = { name = \"c.d\" } }").contains("probe = { dns = { name = \"c.d\" } }"));
    assert!(probe("\"whatsapp\"").contains("probe = \"whatsapp\""));
}

#[test]
fn services_sources_and_mechanisms_are_added() {
    assert_eq!(laid("use = [\"a\", \"b\"]", "use = [\"c\", \"a\"]"), "{ use = [\"a\", \"b\", \"c\"] }");
    let sources = laid("sources = [{ title = \"a\" }]", "sources = [{ title = \"a\" }]");
    assert_eq!(sources, "{ sources = [{ title = \"a\" }, { title = \"a\" }] }");
}

#[test]
fn a_list_made_of_lists_is_a_value() {
    let base = "censor.c.names = { union = [\"a\"], except = [\"b\"] }";
    assert_eq!(
        laid(base, "censor.c.names = { union = [\"c\"] }"),
        "{ censor = { c = { names = { union = [\"c\"] } } } }"
    );
    let hops = laid("hop = { union = {} }", "hop = { except = {} }");
    assert_eq!(hops, "{ hop = { union = {}, except = {} } }", "a hop may have any name");
}

/// A scenario's tables. Which keys hold tables, and which values, is the same in each, as the language has it.
fn scenario() -> impl Strategy<Value = String> {
    let values = prop::collection::btree_map("(delay|isp|path)", "[a-z]{1,3}", 0..3);
    let vantages = prop::collection::btree_map("[ab]", values.clone(), 0..3);
    let phases = prop::collection::btree_map("[pqr]", values, 0..3);
    let table = |values: std::collections::BTreeMap<String, String>| {
        values.into_iter().fold(String::new(), |text, (key, value)| text + &format!("{key} = \"{value}\"\n"))
    };
    (vantages, phases, prop::collection::vec("[xyz]", 0..3)).prop_map(move |(vantages, phases, uses)| {
        let mut text = format!("use = {uses:?}\n");
        for (name, values) in vantages {
            text.extend([format!("[vantage.{name}]\n"), table(values)]);
        }
        for (id, values) in phases {
            text.extend([format!("[[phase]]\nid = \"{id}\"\n"), table(values)]);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn an_empty_file_changes_nothing(text in scenario()) {
        let once = laid(&text, "");
        prop_assert_eq!(render::inline(&parsed(&text)), once);
    }

    #[test]
    fn it_does_not_matter_which_two_are_laid_first(one in scenario(), two in scenario(), three in scenario()) {
        let upper = lay(lay(parsed(&one), parsed(&two)), parsed(&three));
        let lower = lay(parsed(&one), lay(parsed(&two), parsed(&three)));
        prop_assert_eq!(render::inline(&upper), render::inline(&lower));
    }

    #[test]
    fn what_is_rendered_is_read_as_the_same(text in "\\PC*", number in any::<i64>(), float in any::<f64>()) {
        prop_assume!(float.is_finite());
        let written = render::inline(&parsed(&format!("a = [{number}, {float:?}, true, 2026-02-11]\nb = {{}}")));
        let again = render::inline(&parsed(&format!("x = {written}")));
        prop_assert_eq!(again, format!("{{ x = {written} }}"));
        let node = Node { at: SourceFile::new("x", "").location(0..0), value: tree::Value::String(text.clone()) };
        let back = parsed(&format!("x = {}", render::inline(&node)));
        let tree::Value::Table(entries) = back.value else { panic!("a table") };
        prop_assert!(matches!(&entries[0].node.value, tree::Value::String(read) if *read == text));
    }
}
