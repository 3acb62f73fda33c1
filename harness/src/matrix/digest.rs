//! What tells one state of a library or of a tool's folder from another.

use std::fmt::Write;

use ring::digest::{Context, SHA256};
use roadblock_scenarios::{Folder, Library};

/// Of all files of a library.
pub(super) fn library_digest(library: &Library) -> String {
    of(library.files().map(|(place, text)| (place, text.as_bytes())))
}

/// Of all files of a tool's folder but those that roadblock itself wrote there, as a baseline: keeping what is known of a tool
/// beside it does not make it another.
pub(super) fn folder_digest(folder: &Folder) -> String {
    let files = folder.files.iter().map(|(path, file)| (path.as_str(), &*file.contents));
    of(files.filter(|(_, contents)| !is_own_document(contents)))
}

/// Whether bytes are a document of roadblock's: they name their schema first.
fn is_own_document(contents: &[u8]) -> bool {
    let compact: Vec<u8> =
        contents.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(OWN.len()).collect();
    compact == OWN
}

/// How each of roadblock's documents begins, white space apart.
const OWN: &[u8] = br#"{"schema":"roadblock."#;

/// SHA-256, in hex, over names and contents in order, each with its length before it, so that nothing can move from one to
/// another.
pub(super) fn of<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut context = Context::new(&SHA256);
    for (name, contents) in files {
        for part in [name.as_bytes(), contents] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
    }
    context.finish().as_ref().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_is_known_and_a_configuration_is_not() {
        assert!(is_own_document(b"{\n  \"schema\": \"roadblock.baseline/1\", \"seed\": 1 }"));
        assert!(!is_own_document(b"{ \"server\": \"185.70.40.10\" }"));
        assert!(!is_own_document(b"{"));
    }

    #[test]
    fn what_moves_from_one_file_to_another_shows() {
        let one = of([("a", b"bc".as_slice()), ("d", b"")].into_iter());
        let other = of([("ab", b"c".as_slice()), ("d", b"")].into_iter());
        assert_ne!(one, other);
        assert_eq!(one.len(), 64);
    }
}
