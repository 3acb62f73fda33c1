//! `roadblock new`: a scenario of one's own.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use roadblock_scenarios::Library;

use super::{library, refused};
use crate::cli::NewArguments;
use crate::{output, status};

/// What a new scenario begins as.
const TEMPLATE: &str = include_str!("new_template.toml");
/// The id in the template.
const TEMPLATE_ID: &str = "mine/first";

/// Why there is no new scenario.
#[derive(Debug, thiserror::Error)]
enum NewError {
    #[error("`{}` is there already and is left as it is", _0.display())]
    Exists(PathBuf),
    #[error("failed to write `{}`: {cause}", path.display())]
    Write { path: PathBuf, cause: io::Error },
    #[error("failed to read `{path}`: {cause}")]
    Read { path: String, cause: io::Error },
    #[error("`{}` does not end in `.toml`, so that `run` would take it for a scenario of the library", _0.display())]
    NoToml(PathBuf),
    #[error("`{0}` cannot be an id: write lower-case letters, digits and dashes, with one slash, as `lab/mine`")]
    Id(String),
}

/// Writes the file.
pub(super) fn new(library: &Library, arguments: &NewArguments) -> u8 {
    let NewArguments { file, from, id } = arguments;
    if let Some(id) = id.as_ref().filter(|id| !is_id(id)) {
        return refused(NewError::Id(id.clone()));
    }
    if file.extension().is_none_or(|extension| extension != "toml") {
        return refused(NewError::NoToml(file.clone()));
    }
    let text = match from {
        Some(from) => match text_of(library, from) {
            Ok(Some(text)) => copied(&text, id.as_deref()),
            Ok(None) => return status::USAGE,
            Err(error) => return refused(error),
        },
        None => copied(TEMPLATE, Some(&id.clone().unwrap_or_else(|| id_of(file)))),
    };
    match write(file, &text) {
        Ok(()) => {
            let file = file.display();
            output::notice(format_args!("wrote {file}; play it: roadblock run {file}"));
            status::OK
        }
        Err(error) => refused(error),
    }
}

/// The text of a sound scenario; what is wrong with it was said where there is none.
fn text_of(library: &Library, from: &str) -> Result<Option<String>, NewError> {
    if library::scenario(library, from).is_none() {
        return Ok(None);
    }
    if let Some(source) = library.document(from) {
        return Ok(Some(source.text().to_owned()));
    }
    let failed = |cause| NewError::Read { path: from.to_owned(), cause };
    std::fs::read_to_string(from).map(Some).map_err(failed)
}

/// A scenario's text with another id, where one is wanted; all else stays as it is.
fn copied(text: &str, id: Option<&str>) -> String {
    let Some(id) = id else { return text.to_owned() };
    let mut replaced = false;
    let line = |line: &str| {
        let is_id = !replaced && line.split_once('=').is_some_and(|(key, _)| key.trim() == "id");
        if is_id {
            replaced = true;
            let ending = if line.ends_with('\n') { "\n" } else { "" };
            return format!("id = \"{id}\"{ending}");
        }
        line.to_owned()
    };
    text.split_inclusive('\n').map(line).collect()
}

/// Writes a file that is not there yet.
fn write(path: &Path, text: &str) -> Result<(), NewError> {
    let failed = |cause: io::Error| match cause.kind() {
        io::ErrorKind::AlreadyExists => NewError::Exists(path.to_owned()),
        _ => NewError::Write { path: path.to_owned(), cause },
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

/// `mine/NAME`, after the file's name.
fn id_of(file: &Path) -> String {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    let word: String = stem.chars().map(|each| if each.is_ascii_alphanumeric() { each } else { '-' }).collect();
    let word = word.trim_matches('-');
    if word.is_empty() { TEMPLATE_ID.to_owned() } else { format!("mine/{word}") }
}

fn is_id(id: &str) -> bool {
    let is_word = |word: &str| {
        let is_fine = |each: char| each.is_ascii_lowercase() || each.is_ascii_digit() || each == '-';
        !word.is_empty() && word.chars().all(is_fine)
    };
    id.split_once('/').is_some_and(|(folder, name)| is_word(folder) && is_word(name))
}

#[cfg(test)]
mod tests {
    use roadblock_scenarios::{load, resolve};

    use super::*;

    #[test]
    fn only_the_id_of_a_copy_is_changed() {
        let text = "# id = \"no\"\nid = \"a/b\" # was\ntitle = \"t\"\n[[expect]]\nid = \"one\"\n";
        let changed = "# id = \"no\"\nid = \"lab/mine\"\ntitle = \"t\"\n[[expect]]\nid = \"one\"\n";
        assert_eq!(copied(text, Some("lab/mine")), changed);
        assert_eq!(copied(text, None), text);
    }

    #[test]
    fn the_template_is_sound_and_so_is_a_copy_of_the_flagship() {
        let library = Library::embedded();
        let template = resolve(&copied(TEMPLATE, Some("mine/other")), "template.toml", &library).expect("sound");
        assert_eq!(&*template.id, "mine/other");
        let flagship = load("ru/whatsapp-2026", &library).expect("sound");
        let text = text_of(&library, "ru/whatsapp-2026").expect("read").expect("there");
        let copy = resolve(&copied(&text, Some("lab/mine")), "mine.toml", &library).expect("sound");
        assert_eq!((&*copy.id, copy.expectations.len()), ("lab/mine", flagship.expectations.len()));
        assert!(copied(&text, Some("lab/mine")).starts_with('#'), "its comments are kept");
    }

    #[test]
    fn ids_come_from_the_files_name_and_are_plain() {
        assert_eq!(id_of(Path::new("a/My ISP.toml")), "mine/my-isp");
        assert_eq!(id_of(Path::new("..toml")), TEMPLATE_ID);
        assert!(is_id("lab/mine-2"));
        assert!(!is_id("mine") && !is_id("Lab/mine") && !is_id("a/b\"") && !is_id("a/b/c"));
    }
}
