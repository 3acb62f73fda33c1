//! All files of a client together.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::browsers::{chromium_policy, firefox_policy};
use super::java::java_keystore;
use super::resolution::{hosts, name_service_switch, resolver_configuration};
use super::subject_hash::{SubjectHashError, subject_hash};

/// A file that a client sees in `/etc`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientFile {
    /// Where, relative to `/etc`.
    pub path: PathBuf,
    /// What it holds.
    pub contents: Vec<u8>,
    /// Its permission bits.
    pub mode: u32,
}

/// The certificate of the lab's authority.
#[derive(Clone, Copy, Debug)]
pub struct LabCertificate<'a> {
    /// As DER.
    pub der: &'a [u8],
    /// As PEM (RFC 7468).
    pub pem: &'a str,
}

/// The host's own files, by their path relative to `/etc`: those of [`Existing::WANTED`] that exist.
#[derive(Clone, Debug, Default)]
pub struct Existing {
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Existing {
    /// The files to look for, relative to `/etc`.
    pub const WANTED: &'static [&'static str] = BUNDLES;

    /// One that exists.
    pub fn add(&mut self, path: impl Into<PathBuf>, contents: Vec<u8>) {
        self.files.insert(path.into(), contents);
    }

    /// The roots that the host trusts. Distributions link their bundles to each other, so any one will do.
    fn bundle(&self) -> &[u8] {
        BUNDLES.iter().find_map(|path| self.files.get(Path::new(path))).map(Vec::as_slice).unwrap_or_default()
    }

    fn has(&self, path: &str) -> bool {
        self.files.contains_key(Path::new(path))
    }
}

/// Everything that a client with these resolvers and this host name must see in `/etc`, sorted by path.
pub fn client_files(
    resolvers: &[IpAddr],
    host_name: &str,
    authority: LabCertificate<'_>,
    existing: &Existing,
) -> Result<Vec<ClientFile>, SubjectHashError> {
    let hash = subject_hash(authority.der)?;
    let chromium = chromium_policy(authority);
    let mut files = vec![
        file("resolv.conf", resolver_configuration(resolvers)),
        file("hosts", hosts(host_name)),
        file("nsswitch.conf", name_service_switch()),
        file(LAB_CERTIFICATE, authority.pem),
        file(&format!("ssl/certs/{hash:08x}.0"), authority.pem),
        file("ssl/certs/java/cacerts", java_keystore(authority.der)),
        file("chromium/policies/managed/roadblock.json", chromium.as_str()),
        file("opt/chrome/policies/managed/roadblock.json", chromium),
        file("firefox/policies/policies.json", firefox_policy(&format!("/etc/{LAB_CERTIFICATE}"))),
    ];
    let bundle = extended_bundle(existing.bundle(), authority.pem);
    let bundles = BUNDLES.iter().filter(|path| **path == MAIN_BUNDLE || existing.has(path));
    files.extend(bundles.map(|path| file(path, bundle.clone())));
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// The host's roots and then the lab's.
fn extended_bundle(host: &[u8], lab: &str) -> Vec<u8> {
    let mut bundle = host.to_vec();
    if bundle.last().is_some_and(|last| *last != b'\n') {
        bundle.push(b'\n');
    }
    bundle.extend_from_slice(lab.as_bytes());
    bundle
}

fn file(path: &str, contents: impl Into<Vec<u8>>) -> ClientFile {
    ClientFile { path: path.into(), contents: contents.into(), mode: 0o644 }
}

/// Where programs look for a bundle (Go's `crypto/x509` has the same list). The first is Debian's, which the
/// environment names and which is therefore always made.
const BUNDLES: &[&str] = &[
    MAIN_BUNDLE,
    "pki/tls/certs/ca-bundle.crt",
    "ssl/ca-bundle.pem",
    "pki/tls/cacert.pem",
    "pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "ssl/cert.pem",
];
pub(super) const MAIN_BUNDLE: &str = "ssl/certs/ca-certificates.crt";
pub(super) const LAB_CERTIFICATE: &str = "ssl/certs/roadblock-lab.pem";

#[cfg(test)]
mod tests {
    use super::super::subject_hash::tests::certificate;
    use super::*;

    const PEM: &str = "-----BEGIN CERTIFICATE-----\nTEFC\nQ0E=\n-----END CERTIFICATE-----\n";

    fn files(existing: &Existing) -> BTreeMap<String, Vec<u8>> {
        let resolvers = ["195.34.32.116", "2001:db8::53"].map(|address| address.parse().expect("an address"));
        let authority = LabCertificate { der: &certificate(), pem: PEM };
        let files = client_files(&resolvers, "moscow", authority, existing).expect("a certificate");
        files.into_iter().map(|file| (file.path.to_string_lossy().into_owned(), file.contents)).collect()
    }

    #[test]
    fn a_host_without_roots_gets_these_files() {
        let mut shown = String::new();
        for (path, contents) in files(&Existing::default()) {
            let text = String::from_utf8(contents)
                .unwrap_or_else(|error| format!("({} bytes that are no text)\n", error.as_bytes().len()));
            shown.extend(["== ", &path, "\n", &text]);
        }
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn every_bundle_of_the_host_is_extended() {
        let mut existing = Existing::default();
        existing.add("pki/tls/certs/ca-bundle.crt", b"the host's roots".to_vec());
        existing.add("ssl/cert.pem", b"the host's roots".to_vec());
        let files = files(&existing);
        for path in ["ssl/certs/ca-certificates.crt", "pki/tls/certs/ca-bundle.crt", "ssl/cert.pem"] {
            assert_eq!(files[path], format!("the host's roots\n{PEM}").into_bytes(), "{path}");
        }
        assert!(!files.contains_key("ssl/ca-bundle.pem"));
    }

    #[test]
    fn what_is_no_certificate_is_an_error() {
        let authority = LabCertificate { der: b"nonsense", pem: PEM };
        assert!(client_files(&[], "moscow", authority, &Existing::default()).is_err());
    }
}
