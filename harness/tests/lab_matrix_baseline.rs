//! `roadblock matrix --baseline`: whose doing it is that a tool is not what it was.

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::{Said, can_run_labs, library, roadblock, said};

/// A tool that opens a page by curl, and its scenario: resets for one name.
fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("tool")).expect("a folder");
    write_tool(folder.path(), "https://www.debian.org/");
    folder
}

fn write_tool(folder: &Path, page: &str) {
    let text = format!(
        "name = \"pages\"\nversion = \"echo 1\"\nprograms = [\"curl\"]\n\
         check = \"curl -4 -sS --fail --max-time 5 --output /dev/null {page}\"\ncheck-within = \"10s\"\n"
    );
    fs::write(folder.join("tool/tool.toml"), text).expect("written");
}

fn matrix(folder: &Path, more: &[&str]) -> Said {
    let fixed = ["-f", "./tool/tool.toml", "--baseline", "baseline.json", "--scenarios", "mechanisms/sni-reset-client"];
    let mut command = roadblock(&[&["matrix"], &fixed[..], more].concat());
    command.current_dir(folder).env_remove("GITHUB_ACTIONS");
    said(command)
}

#[test]
fn a_tool_that_broke_exits_1_with_its_cells_and_a_model_that_changed_is_a_note() {
    if !can_run_labs() {
        return;
    }
    let folder = workspace();
    let folder = folder.path();
    let none = matrix(folder, &[]);
    assert_eq!(none.status, 2, "{none:?}");
    assert!(
        none.stderr.contains("there is no baseline `baseline.json`") && none.stderr.contains("--accept"),
        "{none:?}"
    );

    let accepted = matrix(folder, &["--accept", "--seed", "7"]);
    assert_eq!(accepted.status, 0, "{accepted:?}");
    assert!(accepted.stderr.contains("kept 1 cells in baseline.json"), "{accepted:?}");
    let baseline: Value = serde_json::from_str(&text(folder, "baseline.json")).expect("JSON");
    let schema: Value =
        serde_json::from_str(&said(roadblock(&["schema", "matrix-baseline"])).stdout).expect("a schema");
    assert!(jsonschema::validator_for(&schema).expect("a validator").is_valid(&baseline), "{baseline:#}");
    let cell = "mechanisms/sni-reset-client@always from inside";
    assert_eq!(baseline["tools"]["pages"]["cells"][cell]["verdict"]["word"], "works", "{baseline:#}");

    let same = matrix(folder, &["--format", "json"]);
    assert_eq!(same.status, 0, "{same:?}");
    let document: Value = serde_json::from_str(&same.stdout).expect("a document");
    assert_eq!((&document["seed"], &document["changes"]["same"]), (&7.into(), &1.into()), "{document:#}");

    // The same tool, where the model blocks what it opens.
    let copy = folder.join("library");
    fs::create_dir_all(copy.join("mechanisms")).expect("a folder");
    let scenario = fs::read_to_string(library().join("mechanisms/sni-reset-client.toml")).expect("the scenario");
    let changed = scenario.replacen("to-client = [", "to-client = [\"debian.org\", ", 1);
    assert_ne!(scenario, changed);
    fs::write(copy.join("mechanisms/sni-reset-client.toml"), changed).expect("written");
    let other_model = matrix(folder, &["--library", "library", "--junit", "junit.xml"]);
    assert_eq!(other_model.status, 0, "{other_model:?}");
    assert!(other_model.stdout.contains("our model changed (1)"), "{other_model:?}");
    assert!(other_model.stdout.contains("works, now blocked by box/to-client"), "{other_model:?}");
    assert!(text(folder, "junit.xml").contains("failures=\"0\""), "{}", text(folder, "junit.xml"));

    // Another release of the tool, which opens what is blocked, where the model is as it was.
    write_tool(folder, "https://www.wikipedia.org/");
    let broken = matrix(folder, &["--junit", "junit.xml", "--html", "page.html"]);
    assert_eq!(broken.status, 1, "{broken:?}");
    assert!(broken.stdout.contains("your tool changed (1)"), "{broken:?}");
    assert!(broken.stdout.contains(&format!("pages {cell}: works, now blocked by box/to-client")), "{broken:?}");
    assert!(text(folder, "junit.xml").contains("failures=\"1\""), "{}", text(folder, "junit.xml"));
    assert!(text(folder, "page.html").contains("Δ your tool changed: works before"), "the heat map says it");

    // Both at once: nobody can tell.
    let both = matrix(folder, &["--library", "library"]);
    assert_eq!(both.status, 1, "{both:?}");
    assert!(both.stdout.contains("your tool and our model changed (1)"), "{both:?}");

    assert_eq!(matrix(folder, &["--accept"]).status, 0);
    assert_eq!(matrix(folder, &[]).status, 0, "what was accepted is as it was");
}

#[test]
fn what_could_not_be_measured_is_not_accepted_and_fails_where_it_was_measured() {
    if !can_run_labs() {
        return;
    }
    let folder = workspace();
    let folder = folder.path();
    assert_eq!(matrix(folder, &["--accept"]).status, 0);
    let tool = text(folder, "tool/tool.toml").replace("[\"curl\"]", "[\"no-such-program\"]");
    fs::write(folder.join("tool/tool.toml"), tool).expect("written");
    let missing = matrix(folder, &[]);
    assert_eq!(missing.status, 1, "{missing:?}");
    assert!(missing.stdout.contains("not measured any more (1)"), "{missing:?}");
}

fn text(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).expect("a file")
}
