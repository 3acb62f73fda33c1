//! Whatever text comes, the reader says what is wrong with it and does not panic.

use proptest::prelude::*;
use roadblock_scenarios::{Library, resolve};

fn flagship() -> Vec<u8> {
    let library = Library::embedded();
    library.document("ru/whatsapp-2026").expect("it is there").text().as_bytes().to_vec()
}

/// Reads the text. What is wrong must have a place inside a file that is known.
fn read(text: &str) -> Result<(), TestCaseError> {
    if let Err(diagnostics) = resolve(text, "test.toml", &Library::embedded()) {
        prop_assert!(!diagnostics.all.is_empty());
        for each in &diagnostics.all {
            let source = diagnostics.source(&each.location);
            prop_assert!(source.is_some_and(|source| source.text().get(each.location.span.clone()).is_some()));
        }
    }
    Ok(())
}

#[test]
fn nesting_without_end_is_refused() {
    let depth = 100_000;
    for text in [
        format!("a{} = 1", ".a".repeat(depth)),
        format!("[a{}]", ".a".repeat(depth)),
        format!("a = {}{}", "[".repeat(depth), "]".repeat(depth)),
        format!("a = {}{}", "{ a = ".repeat(depth), "}".repeat(depth)),
    ] {
        assert!(resolve(&text, "test.toml", &Library::embedded()).is_err());
    }
}

#[test]
fn a_list_of_nothing_but_mistakes_does_not_drown_the_reader() {
    let list =
        ("lists/bad.txt".to_owned(), (0..50_000).fold(String::new(), |list, number| list + &format!("*a*{number}\n")));
    let library = Library::embedded().with_files([list]);
    let text = String::from_utf8(flagship()).expect("it is text").replace("@lists/ru-nsdi-meta", "@lists/bad");
    let diagnostics = resolve(&text, "test.toml", &library).expect_err("the list is bad");
    assert_eq!(diagnostics.all.len(), roadblock_scenarios::diagnostic::LIMIT + 1);
    let last = diagnostics.all.last().expect("there are many");
    assert_eq!(last.kind, roadblock_scenarios::DiagnosticKind::Omitted);
    assert_eq!(last.message, "there are more mistakes than these 200");
}

#[test]
fn a_large_list_is_read_once_for_each_use_and_not_for_each_item() {
    let list = (
        "lists/large.txt".to_owned(),
        (0..100_000).fold(String::new(), |list, number| list + &format!("n{number}.example\n")),
    );
    let library = Library::embedded().with_files([list]);
    let text = String::from_utf8(flagship()).expect("it is text").replace("@lists/ru-nsdi-meta", "@lists/large");
    let scenario = resolve(&text, "test.toml", &library).expect("the list is good");
    let lies = &scenario.default_phase().expect("there is one").state.lies["isp"];
    assert_eq!(lies.iter().map(|lie| lie.names.len()).sum::<usize>(), 100_002);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text(text in "\\PC*") {
        read(&text)?;
    }

    #[test]
    fn text_made_of_the_languages_own_pieces(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "[", "]", "{", "}", "=", "\"", ".", ",", "\n", "hop", "vantage", "censor", "resolver", "phase", "expect",
                "[[phase]]\n", "[[expect]]\n", "id = \"x\"\n", "title = \"x\"\n", "[hop.a]\n", "[vantage.control]\n",
                "path = [\"a\"]\n", "isp = \"AS12389 Rostelecom\"\n", "resolvers = [\"8.8.8.8\"]\n", "date = 2026-02-11\n",
                "use = [\"services/neutral\"]\n", "change = [{ in = \"censor.a.b\", add = [] }]\n", "1e999", "-1", "é",
                "extends = \"ru/whatsapp-2026\"\n", "extends = \"./x.toml\"\n", "without = [\"expect.*\", \"phase.before\"]\n",
                "param.x = { type = \"names\", default = \"@./x\" }\n", "set = { x = 1 }\n", "\"$x\"", "\"$$\"",
                "{ union = [\"a.b\"], except = [\"c.d\"] }", "[resolver.isp]\n", "lies = [",
            ]),
            0..40,
        )
    ) {
        read(&pieces.concat())?;
    }

    #[test]
    fn the_flagship_with_bytes_changed(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..12)
    ) {
        let mut bytes = flagship();
        for (place, byte, what) in edits {
            let place = place.index(bytes.len());
            match what {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ => { bytes.remove(place); }
            }
        }
        read(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn the_flagship_with_a_piece_moved(from in any::<prop::sample::Index>(), length in 1..200_usize, to in any::<prop::sample::Index>()) {
        let mut bytes = flagship();
        let from = from.index(bytes.len());
        let piece: Vec<u8> = bytes.drain(from..bytes.len().min(from + length)).collect();
        let to = to.index(bytes.len());
        bytes.splice(to..to, piece);
        read(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn a_file_that_extends_the_flagship_with_anything(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "phase", "expect", "vantage", "moscow", "resolver", "isp", "lies", "censor", "tspu", "change", "probe", "tls",
                "[[", "]]\n", "[", "]\n", ".", " = ", "\"*\"", "{ ", " }", ", ", "\n", "id = \"full-block\"\n", "3", "true",
                "without = [\"phase.full-block\", \"censor.tspu\"]\n", "without = [\"vantage.moscow\"]\n", "\"$x\"",
                "param.x = { type = \"text\", default = \"x\" }\n", "use = [\"services/neutral\"]\n", "union", "except",
            ]),
            0..24,
        )
    ) {
        read(&format!("id = \"x\"\ntitle = \"x\"\nextends = \"ru/whatsapp-2026\"\n{}", pieces.concat()))?;
    }
}
