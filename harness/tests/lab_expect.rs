//! What expectations can say, shown in labs: what lies beside a blocked thing, what chance decides, how fast it is.

#[path = "../../scenarios/tests/support/mutate.rs"]
mod mutate;
mod support;

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use roadblock_scenarios::{Library, resolve};
use serde_json::Value;
use support::{Said, can_run_labs, roadblock, said};

/// One lab at a time: what counts packets or looks at speeds counts what a busy machine makes of them.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn data(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).expect("a scenario")
}

/// A run of this text, and its document.
fn run(text: &str) -> (Said, Value) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("scenario.toml");
    fs::write(&path, text).expect("written");
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/library").display().to_string();
    let run = said(roadblock(&["--library", &library, "run", &path.display().to_string(), "--format", "json"]));
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
    let _alone = alone();
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

/// Chance, tries one after the other, and speeds beside control's: each is noticed when it is otherwise.
#[test]
fn what_is_measured_more_than_once_is_judged_as_a_whole() {
    let _alone = alone();
    if !can_run_labs() {
        return;
    }
    let text = data("repeats.toml");
    let [first, second] = [run(&text), run(&text)].map(|(run, document)| {
        assert_eq!((run.status, failed(&document)), (0, vec![]), "{document:#}");
        times(&document, "by-chance")
    });
    assert_eq!(first, second, "chance is the seed's");
    let (of, ok) = first;
    assert!(of == 40 && (10..=30).contains(&ok), "{ok} of {of}");
    let exact = text.replace("ok = [10, 30]", &format!("ok = {ok}"));
    assert_eq!(failed(&run(&exact).1), Vec::<&str>::new());
    let otherwise = [
        ("ok = [10, 30]", format!("ok = {}", ok + 1), "by-chance"),
        ("sometimes = [\"wikipedia.org\"]", "sometimes = [\"example.com\"]".to_owned(), "by-chance"),
        ("by = [\"box/eager\", \"box/sometimes\"]", "by = \"box/eager\"".to_owned(), "by-chance"),
        ("reached-after = 2", "reached-after = 1".to_owned(), "third-time"),
        ("reached-after = 2", "reached-after = 3".to_owned(), "third-time"),
        ("at-most = 0.2", "at-most = 0.0".to_owned(), "slow"),
        ("slow = [\"www.debian.org\"]", "slow = [\"example.com\"]".to_owned(), "fast"),
    ];
    for (from, to, noticed) in otherwise {
        assert!(text.contains(from), "{from}");
        let (run, document) = run(&text.replace(from, &to));
        assert_eq!(run.status, 1, "{to}: {}", run.stderr);
        assert!(failed(&document).contains(&noticed), "{to}: {:?}", failed(&document));
    }
}

/// How often an expectation was measured and reached.
fn times(document: &Value, id: &str) -> (u64, u64) {
    let mut all = document["expectations"].as_array().expect("expectations").iter();
    let times = &all.find(|each| each["id"] == id).expect("an expectation")["times"];
    (times["made"].as_u64().expect("a number"), times["ok"].as_u64().expect("a number"))
}

/// A few of the broken files that the reader takes: each is played to its end, whatever becomes of its expectations.
#[test]
fn broken_files_that_are_taken_can_be_played() {
    let _alone = alone();
    if !can_run_labs() {
        return;
    }
    let library = Library::embedded();
    let all = (0..200).map(|number| mutate::mutated(number, &library));
    let taken = all.filter(|file| resolve(&file.text, "test.toml", &library).is_ok());
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("scenario.toml");
    let mut played = 0;
    for file in taken.step_by(4).take(5) {
        fs::write(&path, &file.text).expect("written");
        let run = said(roadblock(&["run", &path.display().to_string(), "--format", "json"]));
        // Commands of a file that is not the library's are not run, and that is said.
        assert!((0..=2).contains(&run.status), "{}: {run:?}", file.name);
        assert!(run.status == 2 || serde_json::from_str::<Value>(&run.stdout).is_ok(), "{}: {run:?}", file.name);
        played += i32::from(run.status < 2);
    }
    assert!(played > 1, "only {played} were played");
}
