//! What expectations can say, shown in labs: what lies beside a blocked thing.

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::{Said, can_run_labs, roadblock, said};

fn data(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).expect("a scenario")
}

/// A run of this text, and its document.
fn run(text: &str) -> (Said, Value) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("scenario.toml");
    fs::write(&path, text).expect("written");
    let run = said(roadblock(&["run", &path.display().to_string(), "--format", "json"]));
    let document = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    (run, document)
}

/// The ids of the expectations that failed.
fn failed(document: &Value) -> Vec<&str> {
    let all = document["expectations"].as_array().expect("expectations").iter();
    all.filter(|each| each["as_expected"] == false).map(|each| each["id"].as_str().expect("an id")).collect()
}

/// Each change draws a block too wide, or lifts it, and the neighbours that stand there notice.
#[test]
fn neighbours_notice_a_block_that_is_drawn_too_wide() {
    if !can_run_labs() {
        return;
    }
    let text = data("neighbours.toml");
    let (as_it_is, document) = run(&text);
    assert_eq!((as_it_is.status, failed(&document)), (0, vec![]), "{document:#}");
    let wider = [
        ("names = [\"wikipedia.org\"]", "names = [\"wikipedia.org\", \"example.com\"]", "lie~name"),
        ("drop = [\"185.15.59.224\"]", "drop = [\"185.15.59.224\", \"93.184.215.14\"]", "address~address"),
        ("names = [\"web.whatsapp.com\"]", "names = [\"web.whatsapp.com\", \"www.debian.org\"]", "name~name"),
        ("port-drop = [\"77.88.55.242\"]", "port-drop = [\"77.88.55.242\"]\nports = [443, 8443]", "port~port"),
        (
            "unreachable = [\"140.82.121.4\", \"2a02:6b8::2:242\"]",
            "unreachable = [\"140.82.121.4\", \"2a02:6b8::2:242\", \"1.1.1.1\"]",
            "name~protocol",
        ),
    ];
    for (from, to, noticed) in wider {
        assert!(text.contains(from), "{from}");
        let (run, document) = run(&text.replace(from, to));
        assert_eq!(run.status, 1, "{noticed}: {}", run.stderr);
        assert!(failed(&document).contains(&noticed), "{noticed}: {:?}", failed(&document));
    }
}
