//! `docs/scenarios.md`: its tutorial is followed, and its reference is made from the language's own types.
//! `UPDATE_DOCS=1 cargo test -p roadblock-scenarios --test scenarios_md` writes the reference anew.

mod folder;
mod reference;
mod tutorial;

use std::fs;
use std::path::{Path, PathBuf};

use folder::Folder;
use roadblock_scenarios::{Library, schema};
use tutorial::{Block, blocks};

/// What stands above the part that is made.
const MARK: &str = "<!-- From here on the page is made from the types: UPDATE_DOCS=1 cargo test -p roadblock-scenarios --test scenarios_md -->\n";

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/scenarios.md")
}

fn page() -> String {
    fs::read_to_string(path()).expect("the page")
}

#[test]
fn the_reference_is_current() {
    let (scenario, service) = (schema::scenario_alone(), schema::service());
    let made = reference::render(&[("A scenario", &scenario), ("A service", &service)]);
    let page = page();
    let (by_hand, current) = page.split_once(MARK).expect("the mark");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path(), format!("{by_hand}{MARK}{made}")).expect("written");
        return;
    }
    assert!(
        current == made,
        "docs/scenarios.md is stale: UPDATE_DOCS=1 cargo test -p roadblock-scenarios --test scenarios_md"
    );
}

#[test]
fn every_link_within_the_page_leads_somewhere() {
    let page = page();
    let headings: Vec<String> = page
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| reference::anchor(line.trim_start_matches('#').trim()))
        .collect();
    for (index, anchor) in headings.iter().enumerate() {
        assert!(!headings[..index].contains(anchor), "two headings are called {anchor}");
    }
    for link in page.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap_or_default()) {
        assert!(headings.iter().any(|each| each == link), "nothing is called {link}");
    }
    for link in page.split("](../").skip(1).map(|rest| rest.split(')').next().unwrap_or_default()) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(link.split('#').next().unwrap_or_default());
        assert!(file.exists(), "{link} is not there");
    }
}

/// The tutorial's files are written as it says, and wherever it says `roadblock check` the file is sound. What needs a lab
/// is done in the harness, by `lab_tutorial`.
#[test]
fn the_tutorial_is_followed() {
    let folder = Folder::new("tutorial");
    let (page, library) = (page(), Library::embedded());
    let mut checked = 0;
    for block in blocks(&page) {
        match block {
            Block::Write { file, text } => {
                folder.write(file, text);
            }
            Block::Append { file, text } => {
                let before = fs::read_to_string(folder.path().join(file)).expect("it was written before");
                folder.write(file, &format!("{before}\n{text}"));
            }
            Block::Commands(commands) => {
                for command in commands.lines().filter_map(|line| line.strip_prefix("roadblock check ")) {
                    let file = folder.path().join(command.split(" #").next().unwrap_or_default().trim());
                    if let Err(mistakes) = library.check_file(&file.display().to_string()) {
                        panic!("{command}:\n{mistakes}");
                    }
                    checked += 1;
                }
            }
            Block::Example(text) => {
                // Parts of files are at least TOML.
                if let Err(error) = toml::de::DeTable::parse(text) {
                    panic!("{error}\n{text}");
                }
            }
        }
    }
    assert!(checked >= 5, "the tutorial checks {checked} files");
    mistake(&page, &folder, &library);
}

/// What the page shows of a mistake is what is said of it.
fn mistake(page: &str, folder: &Folder, library: &Library) {
    let sound = fs::read_to_string(folder.path().join("mine/wiki.toml")).expect("it was written");
    let path = folder.write("mine/wiki.toml", &sound.replace("at = \"access\"", "at = \"acess\""));
    let mistakes = library.check_file(&path).expect_err("a mistake");
    let [mistake] = mistakes.all.as_slice() else { panic!("{mistakes}") };
    let help = mistake.help.as_deref().unwrap_or_default();
    let place = format!("mine/wiki.toml:{}:{}", mistake.location.line, mistake.location.column);
    for said in [mistake.message.as_str(), help, &place] {
        assert!(page.contains(said), "{said}");
    }
}
