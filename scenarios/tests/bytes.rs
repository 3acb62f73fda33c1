//! The captured bytes of the library: each file can be read, and is what its header says.

use roadblock_censor::dissect::dtls;
use roadblock_censor::dissect::tls::{self, Carrier, Hello, Options};
use roadblock_scenarios::{Library, with_server_name};

fn contents(library: &Library, id: &str) -> (String, Vec<u8>) {
    let source = library.bytes(id).expect("a file");
    let (header, digits): (Vec<&str>, Vec<&str>) = source.text().lines().partition(|line| line.starts_with('#'));
    let digits: String = digits.iter().flat_map(|line| line.split_ascii_whitespace()).collect();
    (header.join("\n"), data_encoding::HEXLOWER.decode(digits.as_bytes()).expect("hexadecimal digits"))
}

/// The word behind another in a header.
fn said<'a>(header: &'a str, word: &str) -> Option<&'a str> {
    let rest = header.split(word).nth(1)?;
    rest.split([' ', ',', '\n']).next().map(|found| found.trim_end_matches('.'))
}

#[test]
fn each_file_says_what_it_is_and_the_fingerprints_are_those_of_its_hello() {
    let library = Library::embedded();
    let mut hellos = 0;
    for id in library.captured() {
        let (header, bytes) = contents(&library, id);
        assert!(header.lines().next().is_some_and(|first| first.len() > 30), "{id} says too little");
        assert!(!bytes.is_empty(), "{id}");
        let Some(ja3) = said(&header, "JA3 ") else { continue };
        let (hello, carrier) = match tls::client_hello(&bytes, &Options::default()) {
            Hello::ClientHello(hello) => (hello, Carrier::Tcp),
            _ => match dtls::client_hello(&bytes) {
                Hello::ClientHello(hello) => (hello, Carrier::Dtls),
                other => panic!("{id}: {other:?}"),
            },
        };
        assert_eq!(hello.ja3().hash, ja3, "{id}");
        assert_eq!(Some(hello.ja4(carrier).as_str()), said(&header, "JA4 "), "{id}");
        hellos += 1;
        if carrier == Carrier::Tcp {
            let renamed = with_server_name(&bytes, "another.example").unwrap_or_else(|| panic!("{id} has no name"));
            let Hello::ClientHello(renamed) = tls::client_hello(&renamed, &Options::default()) else { panic!("{id}") };
            assert_eq!(renamed.sni.as_deref(), Some("another.example"), "{id}");
            assert_eq!(renamed.ja4(carrier), hello.ja4(carrier), "{id}");
        }
    }
    assert!(hellos >= 14);
}
