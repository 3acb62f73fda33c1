//! The tutorial of `docs/scenarios.md` and the guide `docs/testing-your-tool.md`, followed to the letter, labs included.

#[path = "../../scenarios/tests/tutorial/mod.rs"]
mod tutorial;

mod support;

use std::path::Path;

use support::{can_run_labs, program, said};
use tutorial::{Block, blocks};

#[test]
fn the_tutorial_ends_with_a_scenario_of_ones_own() {
    if can_run_labs() {
        let done = followed("scenarios.md");
        assert!(done > 15, "the tutorial has {done} commands");
    }
}

#[test]
fn the_guide_ends_with_a_job_that_guards_a_tool() {
    if can_run_labs() {
        let done = followed("testing-your-tool.md");
        assert!(done > 8, "the guide has {done} commands");
    }
}

/// Follows a page, and says how many commands it has.
fn followed(page: &str) -> usize {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    let page = std::fs::read_to_string(page).expect("the page");
    let directory = tempfile::tempdir().expect("a directory");
    let mut done = 0;
    for block in blocks(&page) {
        match block {
            Block::Write { file, text } => std::fs::write(directory.path().join(file), text).expect("written"),
            Block::Append { file, text } => {
                let file = directory.path().join(file);
                let before = std::fs::read_to_string(&file).expect("it was written before");
                std::fs::write(file, format!("{before}\n{text}")).expect("written");
            }
            Block::Commands(lines) => done += lines.lines().filter(|line| follow(line, directory.path())).count(),
            Block::Example(text) => assert!(!text.is_empty()),
        }
    }
    done
}

/// Does what a line says, unless it installs or builds what is there. A line that ends in `# fails` must fail.
fn follow(line: &str, directory: &Path) -> bool {
    if ["cargo ", "export ", "sudo "].iter().any(|elsewhere| line.starts_with(elsewhere)) {
        return false;
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_roadblock"));
    let folder = binary.parent().expect("a folder").display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let mut shell = program("sh");
    shell.args(["-c", line]).current_dir(directory).env("PATH", path);
    let said = said(shell);
    assert_eq!(said.status != 0, line.ends_with("# fails"), "{line}\n{}{}", said.stdout, said.stderr);
    true
}
