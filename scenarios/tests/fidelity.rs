//! `docs/fidelity.md`: each published behaviour with the rules that reproduce it and the tests that hold it, made from
//! `facts.toml`, the library and the tests themselves. `UPDATE_FIDELITY=1 cargo test -p roadblock-scenarios --test fidelity`
//! writes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use roadblock_censor::policy::Grade;
use roadblock_scenarios::{DoneBy, Fact, Library, load};

#[test]
fn what_a_middlebox_does_has_a_test_or_a_reason() {
    let tests = tests();
    let bare: Vec<String> = Library::embedded()
        .facts()
        .into_iter()
        .filter(|fact| fact.done_by == DoneBy::Middlebox && fact.left_out.is_none() && !tests.contains_key(&fact.id))
        .map(|fact| fact.id)
        .collect();
    assert!(bare.is_empty(), "neither a test named after it nor `left-out` in facts.toml: {bare:?}");
}

#[test]
fn what_is_left_out_has_no_test() {
    let tests = tests();
    for fact in Library::embedded().facts() {
        let tested = tests.contains_key(&fact.id);
        assert!(!(tested && fact.left_out.is_some()), "{}: there is a test, so `left-out` says nothing", fact.id);
        assert!(
            fact.done_by == DoneBy::Middlebox || fact.left_out.is_some() || tested || fact.done_by == DoneBy::Resolver,
            "{}: say why it is left out",
            fact.id
        );
    }
}

#[test]
fn every_fact_is_in_a_scenario_or_says_why_not() {
    let library = Library::embedded();
    let cited = citations();
    let scenarios: BTreeSet<&str> = library.ids().collect();
    let shown = |fact: &Fact| cited.get(&fact.id).is_some_and(|by| by.iter().any(|by| scenarios.contains(&**by)));
    let (mut bare, mut idle) = (Vec::new(), Vec::new());
    for fact in library.facts() {
        match (shown(&fact), &fact.no_scenario) {
            (false, None) => bare.push(fact.id),
            (true, Some(_)) => idle.push(fact.id),
            (true, None) | (false, Some(_)) => {}
        }
    }
    assert!(bare.is_empty(), "neither a scenario nor `no-scenario` in facts.toml: {bare:?}");
    assert!(idle.is_empty(), "there is a scenario, so `no-scenario` says nothing: {idle:?}");
}

#[test]
fn the_page_is_current() {
    let tests = tests();
    let path = root().join("docs/fidelity.md");
    let page = page(&tests);
    if std::env::var_os("UPDATE_FIDELITY").is_some() {
        fs::write(&path, &page).expect("written");
    }
    let current = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        current == page,
        "docs/fidelity.md is stale: UPDATE_FIDELITY=1 cargo test -p roadblock-scenarios --test fidelity"
    );
}

/// A test, and the file where it stands, from the root.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Test {
    name: String,
    file: String,
}

/// The tests that are named after facts, by fact.
fn tests() -> BTreeMap<String, BTreeSet<Test>> {
    let facts: Vec<(String, String)> =
        Library::embedded().facts().into_iter().map(|fact| (snake(&fact.id), fact.id)).collect();
    let mut found: BTreeMap<String, BTreeSet<Test>> = BTreeMap::new();
    for (file, text) in sources() {
        for name in test_names(&text) {
            // GFW-ESNI and GFW-ESNI-HS: the longest that fits.
            let fact = facts.iter().filter(|(snake, _)| is_after(name, snake)).max_by_key(|(snake, _)| snake.len());
            if let Some((_, id)) = fact {
                let test = Test { name: name.to_owned(), file: file.clone() };
                found.entry(id.clone()).or_default().insert(test);
            }
        }
    }
    found
}

/// `TSPU-12b` as names of functions have it.
fn snake(id: &str) -> String {
    id.to_ascii_lowercase().replace('-', "_")
}

fn is_after(name: &str, fact: &str) -> bool {
    name.strip_prefix(fact).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// The functions of a file that are tests.
fn test_names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim_start) {
        is_test |= line.starts_with("#[test]");
        let Some(declared) = line.strip_prefix("fn ").or_else(|| line.strip_prefix("async fn ")) else { continue };
        let name = declared.split(|each: char| !each.is_ascii_alphanumeric() && each != '_').next().unwrap_or_default();
        if std::mem::take(&mut is_test) {
            names.push(name);
        }
    }
    names
}

/// The Rust files of the three crates' folders, by their place.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for folder in ["emulator", "harness", "scenarios"] {
        walk(&root().join(folder), folder, &mut files);
    }
    files.sort();
    files
}

fn walk(folder: &Path, place: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        let (path, place) = (entry.path(), format!("{place}/{name}"));
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            walk(&path, &place, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push((place, fs::read_to_string(&path).expect("text")));
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What of the library cites each fact.
fn citations() -> BTreeMap<String, BTreeSet<String>> {
    let library = Library::embedded();
    let mut cited: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut cite = |fact: &str, by: String| {
        cited.entry(fact.to_owned()).or_default().insert(by);
    };
    for profile in library.profiles() {
        for rule in library.rules_of_profile(profile) {
            rule.facts.iter().for_each(|fact| cite(fact, format!("{profile}/{}", rule.id)));
        }
    }
    for id in library.ids() {
        let scenario = load(id, &library).expect("it is sound");
        let of_sources = scenario.sources.iter().flat_map(|source| source.facts.clone());
        let lies = scenario.phases.iter().flat_map(|phase| phase.state.lies.values().flatten());
        let of_lies = lies.flat_map(|lie| lie.facts.iter().map(ToString::to_string));
        let acting = scenario.rules().into_iter().filter(|rule| rule.active || rule.exempts);
        let of_rules = acting.flat_map(|rule| rule.facts).map(|fact| fact.to_string());
        of_sources
            .chain(of_lies)
            .chain(of_rules)
            .collect::<BTreeSet<_>>()
            .iter()
            .for_each(|fact| cite(fact, id.to_owned()));
    }
    cited
}

fn page(tests: &BTreeMap<String, BTreeSet<Test>>) -> String {
    let (facts, cited) = (Library::embedded().facts(), citations());
    let mut page = HEAD.to_owned();
    for places in facts.chunk_by(|one, next| one.place == next.place) {
        write!(page, "\n## {}\n\n{TABLE}", places[0].place).expect("a string takes all");
        for fact in places {
            writeln!(page, "{}", row(fact, tests.get(&fact.id), cited.get(&fact.id))).expect("a string takes all");
        }
    }
    page
}

const HEAD: &str = "\
# Fidelity

What is published about censors, and what of it roadblock reproduces. This page is made from `scenarios/facts.toml`, the
library and the names of the tests, and a test holds it current:
`UPDATE_FIDELITY=1 cargo test -p roadblock-scenarios --test fidelity` writes it anew.

A grade says how far a behaviour is known: *measured* where a publication or a digest of it was read, *single source* for one
report or one vantage point, *recalled* where the publication was not read again. Under *shown by* stand the tests that are
named after a fact and fail without its rule, or why there is none; under *cited by* the rules and scenarios of the library, or
why there is no scenario. A scenario is there if its sources or a lie cite the fact, or a rule that acts in it: then its
expectations fail without that rule (`roadblock test --mutate`).
";

const TABLE: &str = "| fact | grade | behaviour | done by | shown by | cited by |\n|---|---|---|---|---|---|\n";

fn row(fact: &Fact, tests: Option<&BTreeSet<Test>>, cited: Option<&BTreeSet<String>>) -> String {
    let grade = match fact.grade {
        Grade::Measured => "measured",
        Grade::SingleSource => "single source",
        Grade::Recalled => "recalled",
        Grade::Assumed => "assumed",
    };
    let done_by = match fact.done_by {
        DoneBy::Middlebox => "middlebox",
        DoneBy::Resolver => "resolver",
        DoneBy::Network => "network",
        DoneBy::Endpoint => "endpoint",
        DoneBy::Reference => "reference",
    };
    let shown = match (tests, &fact.left_out) {
        (Some(tests), _) => {
            let link = |test: &Test| format!("[`{}`](../{})", test.name, test.file);
            tests.iter().map(link).collect::<Vec<_>>().join("<br>")
        }
        (None, Some(reason)) => format!("left out: {reason}"),
        (None, None) if fact.done_by == DoneBy::Resolver => "the lies of scenarios' resolvers".to_owned(),
        (None, None) => "nothing yet".to_owned(),
    };
    let cited: Vec<String> = cited.into_iter().flatten().map(|by| format!("`{by}`")).collect();
    let behaviour = fact.title.replace('|', "\\|").replace('*', "\\*");
    let reason = fact.no_scenario.iter().map(|reason| format!("no scenario: {reason}"));
    let cited = cited.into_iter().chain(reason).collect::<Vec<_>>().join("<br>");
    format!("| {} | {grade} | {behaviour} | {done_by} | {shown} | {cited} |", fact.id)
}
