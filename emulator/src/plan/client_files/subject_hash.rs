//! The name under which OpenSSL looks for a root in a directory: a hash of its subject (`X509_NAME_hash`).

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::der::{Fields, Malformed, Reader, SEQUENCE};

/// Why a certificate's subject has no hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SubjectHashError {
    /// It ends too early or is not DER.
    #[error("read the certificate: it is not DER")]
    Malformed,
    /// Its subject holds a string in one of the encodings that RFC 5280 keeps only for old names.
    #[error("read the certificate's subject: strings of ASN.1 type {0} are not supported")]
    StringType(u8),
}

impl From<Malformed> for SubjectHashError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// The hash that `openssl x509 -hash` prints, as a number: the first four bytes of a SHA-1, little end first.
///
/// It is taken over the canonical encoding of the subject (OpenSSL's `x509_name_canon`): the sets
/// of the name without the sequence around them, each string as UTF-8 in lower case, trimmed, with runs of white space
/// as one space.
pub fn subject_hash(certificate: &[u8]) -> Result<u32, SubjectHashError> {
    let mut canonical = Vec::new();
    let mut sets = Reader(Fields::of(certificate)?.subject);
    while !sets.is_empty() {
        canonical.extend(canonical_set(sets.expect(SET)?)?);
    }
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, &canonical);
    let first = digest.as_ref().first_chunk().ok_or(SubjectHashError::Malformed)?;
    Ok(u32::from_le_bytes(*first))
}

/// A relative distinguished name: a set of types and values, sorted by their encoding as DER wants.
fn canonical_set(set: &[u8]) -> Result<Vec<u8>, SubjectHashError> {
    let mut entries = Vec::new();
    let mut reader = Reader(set);
    while !reader.is_empty() {
        let mut entry = Reader(reader.expect(SEQUENCE)?);
        let kind = entry.expect(OBJECT_IDENTIFIER)?;
        let (tag, value) = entry.next()?;
        let mut canonical = element(OBJECT_IDENTIFIER, kind);
        canonical.extend(match tag {
            UTF8_STRING | PRINTABLE_STRING | IA5_STRING | VISIBLE_STRING => {
                element(UTF8_STRING, &canonical_text(value))
            }
            T61_STRING | UNIVERSAL_STRING | BMP_STRING => return Err(SubjectHashError::StringType(tag)),
            _ => element(tag, value),
        });
        entries.push(element(SEQUENCE, &canonical));
    }
    entries.sort();
    Ok(element(SET, &entries.concat()))
}

/// In lower case, trimmed, with single spaces, in ASCII's sense of these words.
fn canonical_text(text: &[u8]) -> Vec<u8> {
    let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == VERTICAL_TAB;
    let words: Vec<Vec<u8>> =
        text.split(is_space).filter(|word| !word.is_empty()).map(<[u8]>::to_ascii_lowercase).collect();
    words.join(&b' ')
}

/// A DER element: tag, length, contents (X.690 section 8.1).
fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut element = vec![tag];
    let length = contents.len().to_be_bytes();
    let significant = length.iter().position(|byte| *byte != 0).map_or(&length[length.len() - 1..], |at| &length[at..]);
    match significant {
        [short] if *short < 0x80 => element.push(*short),
        long => {
            element.push(0x80 | u8::try_from(long.len()).unwrap_or(u8::MAX));
            element.extend_from_slice(long);
        }
    }
    element.extend_from_slice(contents);
    element
}

// Tags (X.680 section 8.6).
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const T61_STRING: u8 = 0x14;
const IA5_STRING: u8 = 0x16;
const VISIBLE_STRING: u8 = 0x1a;
const UNIVERSAL_STRING: u8 = 0x1c;
const BMP_STRING: u8 = 0x1e;
const SET: u8 = 0x31;
/// The one ASCII white space that Rust does not count as such.
const VERTICAL_TAB: u8 = 0x0b;

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::super::der::{INTEGER, VERSION};
    use super::*;

    /// As much of a certificate as the hash needs, for `CN=roadblock lab authority, O=roadblock`.
    pub(in super::super) fn certificate() -> Vec<u8> {
        let common_name = relative_name(&[0x55, 0x04, 0x03], UTF8_STRING, b"roadblock lab authority");
        let organization = relative_name(&[0x55, 0x04, 0x0a], UTF8_STRING, b"roadblock");
        certificate_of(&[common_name, organization].concat())
    }

    fn certificate_of(subject: &[u8]) -> Vec<u8> {
        let version = element(VERSION, &element(INTEGER, &[2]));
        let serial = element(INTEGER, &[1]);
        let empty = element(SEQUENCE, &[]);
        let subject = element(SEQUENCE, subject);
        let body = [version, serial, empty.clone(), empty.clone(), empty, subject].concat();
        element(SEQUENCE, &element(SEQUENCE, &body))
    }

    fn relative_name(kind: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        let entry = [element(OBJECT_IDENTIFIER, kind), element(tag, value)].concat();
        element(SET, &element(SEQUENCE, &entry))
    }

    #[test]
    fn the_lab_authority_has_the_hash_that_openssl_gives_it() {
        assert_eq!(subject_hash(&certificate()), Ok(0x70ad_522c));
    }

    #[test]
    fn case_space_and_string_type_do_not_matter() {
        let common_name = relative_name(&[0x55, 0x04, 0x03], PRINTABLE_STRING, b"  ROADBLOCK \t lab\x0bauthority ");
        let organization = relative_name(&[0x55, 0x04, 0x0a], IA5_STRING, b"Roadblock");
        let other = certificate_of(&[common_name, organization].concat());
        assert_eq!(subject_hash(&other), subject_hash(&certificate()));
    }

    #[test]
    fn an_old_string_type_is_refused() {
        let name = relative_name(&[0x55, 0x04, 0x03], BMP_STRING, b"\0r");
        assert_eq!(subject_hash(&certificate_of(&name)), Err(SubjectHashError::StringType(BMP_STRING)));
    }

    #[test]
    fn lengths_are_written_as_they_are_read() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x1_0000] {
            let written = element(SEQUENCE, &vec![7; length]);
            let mut reader = Reader(&written);
            assert_eq!(reader.expect(SEQUENCE).map(<[u8]>::len), Ok(length));
            assert!(reader.is_empty());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_hash_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
            let _ = subject_hash(&bytes);
        }

        #[test]
        fn a_broken_certificate_gives_a_hash_or_an_error(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut certificate = certificate();
            let at = at.index(certificate.len());
            certificate[at] = byte;
            let _ = subject_hash(&certificate);
        }
    }
}
