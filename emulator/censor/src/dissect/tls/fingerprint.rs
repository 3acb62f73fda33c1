//! Fingerprints of a client, by which a censor knows a program whatever name it asks for: JA3 (Salesforce, 2017) and JA4
//! (`FoxIO`, 2023; the technique is BSD-licensed).

use core::fmt::Write as _;

use md5::{Digest as _, Md5};
use ring::digest::{SHA256, digest};

use super::hello::{ClientHello, extension, is_grease};

/// What carries a `ClientHello`, as the first letter of a JA4 says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Carrier {
    /// TLS over TCP: `t`.
    Tcp,
    /// QUIC: `q`.
    Quic,
    /// DTLS: `d`.
    Dtls,
}

/// A JA3: the fields, and their hash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ja3 {
    /// Version, ciphers, extensions, groups and point formats in decimal.
    pub text: String,
    /// The MD5 of the text in hexadecimal, as lists of fingerprints have it.
    pub hash: String,
}

impl ClientHello {
    /// Its JA3. Clients that shuffle their extensions have many.
    pub fn ja3(&self) -> Ja3 {
        let points: Vec<u16> = self.point_formats.iter().copied().map(u16::from).collect();
        let lists = [&self.cipher_suites, &self.extensions, &self.groups, &points].map(|numbers| join_decimal(numbers));
        let text = format!("{},{}", self.legacy_version, lists.join(","));
        Ja3 { hash: hex(&Md5::digest(&text)), text }
    }

    /// Its JA4, such as `t13d1516h2_8daaf6152771_02713d6af862`.
    pub fn ja4(&self, carrier: Carrier) -> String {
        let [ciphers, rest] = [self.ja4_ciphers(), self.ja4_rest()].map(|text| hash12(&text));
        format!("{}_{ciphers}_{rest}", self.ja4_head(carrier))
    }

    /// Its JA4 with the lists that [`Self::ja4`] hashes: `FoxIO`'s `ja4_r`.
    pub fn ja4_raw(&self, carrier: Carrier) -> String {
        format!("{}_{}_{}", self.ja4_head(carrier), self.ja4_ciphers(), self.ja4_rest())
    }

    /// What can be read of it: carrier, version, whether there is a name, how many ciphers and extensions, the first
    /// protocol of ALPN.
    fn ja4_head(&self, carrier: Carrier) -> String {
        let letter = match carrier {
            Carrier::Tcp => 't',
            Carrier::Quic => 'q',
            Carrier::Dtls => 'd',
        };
        let name = if self.extensions.contains(&extension::SERVER_NAME) { 'd' } else { 'i' };
        let [ciphers, extensions] = [&self.cipher_suites, &self.extensions].map(|list| meant(list).count().min(99));
        let [first, last] = self.ja4_alpn();
        format!("{letter}{}{name}{ciphers:02}{extensions:02}{first}{last}", ja4_version(self.version()))
    }

    /// The first and the last character of the first protocol, or of its hexadecimal form where they are no letters or
    /// digits.
    fn ja4_alpn(&self) -> [char; 2] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let protocol = self.alpn.first().map(Vec::as_slice).unwrap_or_default();
        match (protocol.first(), protocol.last()) {
            (Some(first), Some(last)) if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() => {
                [*first, *last].map(char::from)
            }
            (Some(first), Some(last)) => [first >> 4, last & 0x0f].map(|digit| DIGITS[usize::from(digit)].into()),
            _ => ['0', '0'],
        }
    }

    fn ja4_ciphers(&self) -> String {
        let mut ciphers: Vec<u16> = meant(&self.cipher_suites).collect();
        ciphers.sort_unstable();
        join_hex(&ciphers)
    }

    /// The extensions but those of the name and of ALPN, sorted, and the signature algorithms as they are.
    fn ja4_rest(&self) -> String {
        let is_counted = |kind: &u16| ![extension::SERVER_NAME, extension::ALPN].contains(kind);
        let mut extensions: Vec<u16> = meant(&self.extensions).filter(is_counted).collect();
        extensions.sort_unstable();
        let algorithms: Vec<u16> = meant(&self.signature_algorithms).collect();
        let between = if algorithms.is_empty() { "" } else { "_" };
        format!("{}{between}{}", join_hex(&extensions), join_hex(&algorithms))
    }
}

fn ja4_version(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// What is not GREASE.
fn meant(numbers: &[u16]) -> impl Iterator<Item = u16> {
    numbers.iter().copied().filter(|number| !is_grease(*number))
}

fn join_decimal(numbers: &[u16]) -> String {
    let words: Vec<String> = meant(numbers).map(|number| number.to_string()).collect();
    words.join("-")
}

fn join_hex(numbers: &[u16]) -> String {
    let words: Vec<String> = numbers.iter().map(|number| format!("{number:04x}")).collect();
    words.join(",")
}

/// The first twelve digits of a text's SHA-256; zeros for none.
fn hash12(text: &str) -> String {
    if text.is_empty() {
        return "0".repeat(12);
    }
    let mut digits = hex(digest(&SHA256, text.as_bytes()).as_ref());
    digits.truncate(12);
    digits
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `FoxIO`'s page on JA4: the characters of ALPN.
    #[test]
    fn ja4_alpn_characters() {
        for (protocol, expected) in [
            (&b"h2"[..], "h2"),
            (b"http/1.1", "h1"),
            (b"x", "xx"),
            (b"", "00"),
            (&[0xab], "ab"),
            (&[0xab, 0xcd], "ad"),
            (&[0x30, 0xab], "3b"),
            (&[0x30, 0x31, 0xab, 0xcd], "3d"),
            (&[0x30, 0xab, 0xcd, 0x31], "01"),
        ] {
            let hello = ClientHello { alpn: vec![protocol.to_vec()], ..ClientHello::default() };
            assert_eq!(String::from_iter(hello.ja4_alpn()), expected, "{protocol:x?}");
        }
    }

    /// `FoxIO`'s page on JA4: nothing hashes to zeros, and there is no underscore without signature algorithms.
    #[test]
    fn ja4_of_little() {
        let mut hello = ClientHello { legacy_version: 0x0303, cipher_suites: vec![0x1301], ..ClientHello::default() };
        assert_eq!(hello.ja4_raw(Carrier::Tcp), "t12i010000_1301_");
        assert!(hello.ja4(Carrier::Tcp).ends_with("_000000000000"));
        hello.extensions = vec![0xfafa, 0x002b, 0, 0x0010, 0x000a];
        assert_eq!(hello.ja4_raw(Carrier::Quic), "q12d010400_1301_000a,002b");
        hello.signature_algorithms = vec![0x0804, 0x1a1a, 0x0403];
        assert_eq!(hello.ja4_raw(Carrier::Dtls), "d12d010400_1301_000a,002b_0804,0403");
    }
}
