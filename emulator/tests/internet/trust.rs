//! The files that make clients trust the lab, as openssl and keytool see them.

use std::fs;

use roadblock_emulator::internet::Authority;
use roadblock_emulator::plan::client_files::{
    ClientFile, Existing, LabCertificate, client_files, java_keystore, subject_hash,
};
use tempfile::TempDir;

use crate::programs::output;
use crate::running::now;

/// A client's files below a directory.
fn laid_out(authority: &Authority) -> (TempDir, Vec<ClientFile>) {
    let certificate = LabCertificate { der: authority.der(), pem: authority.pem() };
    let resolvers = ["195.34.32.116".parse().expect("an address")];
    let files = client_files(&resolvers, "moscow", certificate, &Existing::default()).expect("files");
    let directory = TempDir::new().expect("a directory");
    for file in &files {
        let path = directory.path().join(&file.path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, &file.contents).expect("a file");
    }
    (directory, files)
}

#[test]
fn openssl_finds_the_authority_in_the_directory_and_in_the_bundle() {
    let authority = Authority::new(now()).expect("an authority");
    let issued = authority.issue(&["web.whatsapp.com".to_owned()], &[]).expect("a certificate");
    let (directory, _) = laid_out(&authority);
    let host = directory.path().join("host.der");
    fs::write(&host, &issued.cert[0]).expect("a file");
    let certs = directory.path().join("ssl/certs");
    let by_directory = [
        "verify",
        "-x509_strict",
        "-no-CAfile",
        "-no-CAstore",
        "-purpose",
        "sslserver",
        "-verify_hostname",
        "web.whatsapp.com",
        "-CApath",
    ];
    let place = [certs.as_os_str(), host.as_os_str()];
    output("openssl", by_directory.iter().map(AsRef::as_ref).chain(place));
    let bundle = certs.join("ca-certificates.crt");
    output("openssl", ["verify", "-CAfile"].iter().map(AsRef::as_ref).chain([bundle.as_os_str(), host.as_os_str()]));
}

#[test]
fn our_subject_hash_is_that_of_openssl() {
    let subjects = [
        "/CN=roadblock lab authority/O=roadblock",
        "/C=RU/O=The Ministry of Digital Development and Communications/CN=Russian Trusted Root CA",
        "/O=  Two   Spaces /OU=MiXeD cAsE/CN=x",
        "/CN=Пример и ещё/emailAddress=Someone@Example.ORG",
        "/DC=example/DC=Com/CN=one+UID=two",
    ];
    let directory = TempDir::new().expect("a directory");
    let key = directory.path().join("key.pem");
    let der = directory.path().join("certificate.der");
    for subject in subjects {
        let settings = ["req", "-x509", "-utf8", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let rest = ["-multivalue-rdn", "-outform", "DER", "-subj", subject, "-keyout"];
        let made = settings.iter().chain(&rest).map(AsRef::as_ref);
        output("openssl", made.chain([key.as_os_str(), "-out".as_ref(), der.as_os_str()]));
        let asked = ["x509", "-inform", "DER", "-noout", "-hash", "-in"].iter().map(AsRef::as_ref);
        let expected = output("openssl", asked.chain([der.as_os_str()]));
        let ours = subject_hash(&fs::read(&der).expect("a certificate")).expect("a hash");
        assert_eq!(format!("{ours:08x}"), expected.trim(), "{subject}");
    }
}

#[test]
fn keytool_reads_the_store() {
    let authority = Authority::new(now()).expect("an authority");
    let directory = TempDir::new().expect("a directory");
    let store = directory.path().join("cacerts");
    fs::write(&store, java_keystore(authority.der())).expect("a file");
    let asked =
        ["-J-Duser.language=en", "-list", "-v", "-storepass", "changeit", "-keystore"].iter().map(AsRef::as_ref);
    let said = output("keytool", asked.chain([store.as_os_str()]));
    for expected in
        ["contains 1 entry", "roadblock-lab", "trustedCertEntry", "Owner: O=roadblock, CN=roadblock lab authority"]
    {
        assert!(said.contains(expected), "{expected}: {said}");
    }
}
