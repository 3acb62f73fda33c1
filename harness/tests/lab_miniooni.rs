//! The stock probe of OONI inside, where there is one: `MINIOONI`, or `miniooni` in PATH or where `ci/miniooni` puts it. Its
//! verdicts are compared with those of roadblock's own probes, in which the keys have the same names. Where there is none, this
//! is untried, and said to be.

mod support;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use support::{FLAGSHIP, can_run_labs, notice, roadblock, said};

/// What is compared: the phase, the probe's test, and our target of it.
const COMPARED: [(&str, &str, &str); 6] = [
    ("before", "whatsapp", "whatsapp"),
    ("full-block", "whatsapp", "whatsapp"),
    ("before", "telegram", "telegram, obfuscated2"),
    ("full-block", "telegram", "telegram, obfuscated2"),
    ("before", "facebook_messenger", "messenger"),
    ("full-block", "facebook_messenger", "messenger"),
];

#[test]
fn the_stock_probe_and_ours_agree() {
    let Some(miniooni) = miniooni() else {
        notice(
            "UNTRIED: the stock OONI probe inside a lab. There is no miniooni here; ci/miniooni says why, or builds it",
        );
        return;
    };
    if !can_run_labs() {
        return;
    }
    let differences: Vec<String> =
        COMPARED.iter().flat_map(|(phase, test, target)| compare(&miniooni, phase, test, target)).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Where the two differ, and where the stock probe does not know the vantage.
fn compare(miniooni: &Path, phase: &str, test: &str, target: &str) -> Vec<String> {
    let stock = stock(miniooni, phase, test);
    let mut differences = Vec::new();
    if stock["probe_asn"] != "AS12389" || stock["probe_cc"] != "RU" {
        differences
            .push(format!("{phase} {test}: it takes itself to be in {} {}", stock["probe_asn"], stock["probe_cc"]));
    }
    if stock["resolver_ip"] != "95.167.254.1" {
        differences.push(format!("{phase} {test}: it takes its resolver to be {}", stock["resolver_ip"]));
    }
    let keys = stock["test_keys"].as_object().expect("test keys");
    differences.extend(differing(keys, &ours(phase, target)).map(|key| format!("{phase} {test}: {key}")));
    differences
}

/// The keys that both have and in which they differ.
fn differing<'a>(stock: &'a Map<String, Value>, ours: &'a Map<String, Value>) -> impl Iterator<Item = String> + 'a {
    let both = ours.iter().filter_map(|(key, ours)| Some((key, stock.get(key)?, ours)));
    let different = both.filter(|(_, stock, ours)| sorted(stock) != sorted(ours));
    different.map(|(key, stock, ours)| format!("{key} is {stock} for the stock probe and {ours} for ours"))
}

/// The order of a list means nothing: the stock probe connects in any.
fn sorted(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(list) = value.as_array_mut() {
        list.sort_by_key(Value::to_string);
    }
    value
}

/// The stock probe's measurement at the first vantage.
fn stock(miniooni: &Path, phase: &str, test: &str) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |file: &str| folder.path().join(file).display().to_string();
    let miniooni = miniooni.display().to_string();
    let lab = ["exec", FLAGSHIP, "--phase", phase, "--quiet", "--graft", &miniooni, "--"];
    let probe = [&miniooni, "--yes", "-n", "--home", &place("home"), "-o", &place("out.jsonl"), test];
    let ran = said(roadblock(&[&lab[..], &probe].concat()));
    assert_eq!(ran.status, 0, "{ran:?}");
    let written = std::fs::read_to_string(place("out.jsonl")).expect("measurements");
    serde_json::from_str(written.lines().next().expect("a measurement")).expect("JSON")
}

/// The test keys of our probe, from there.
fn ours(phase: &str, target: &str) -> Map<String, Value> {
    let run = said(roadblock(&["run", FLAGSHIP, "--phase", phase, "--vantage", "moscow", "--format", "json"]));
    let run: Value = serde_json::from_str(&run.stdout).expect("a document");
    let cells = run["cells"].as_array().expect("cells");
    let cell = cells.iter().find(|cell| cell["vantage"] == "moscow" && cell["target"] == target).expect("the target");
    cell["seen"]["test_keys"].as_object().expect("test keys").clone()
}

fn miniooni() -> Option<PathBuf> {
    if let Some(said) = std::env::var_os("MINIOONI").filter(|said| !said.is_empty()) {
        return Some(PathBuf::from(said));
    }
    let tools = std::env::var_os("ROADBLOCK_TOOLS").map(PathBuf::from).or_else(|| {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
        Some(cache.join("roadblock/tools"))
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(tools.map(|tools| tools.join("bin")));
    folders.map(|folder| folder.join("miniooni")).find(|program| program.is_file())
}

/// What the comparison would say: a disagreement is one, and the order of a list is none.
#[test]
fn a_disagreement_is_noticed() {
    let map = |text: &str| serde_json::from_str::<Map<String, Value>>(text).expect("JSON");
    let ours =
        map(r#"{"registration_server_status": "blocked", "whatsapp_endpoints_blocked": ["a", "b"], "only_ours": 1}"#);
    let alike =
        map(r#"{"registration_server_status": "blocked", "whatsapp_endpoints_blocked": ["b", "a"], "more": 1}"#);
    assert_eq!(differing(&alike, &ours).count(), 0);
    let unlike = map(r#"{"registration_server_status": "ok", "whatsapp_endpoints_blocked": ["b"]}"#);
    assert_eq!(differing(&unlike, &ours).count(), 2);
}
