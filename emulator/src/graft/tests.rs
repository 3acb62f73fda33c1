use std::io::Cursor;

use proptest::prelude::*;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::*;
use crate::internet::Authority;

/// A root with a name of this length that expires in this year, as PEM with these line ends.
fn root(name: usize, expires: i32, line_end: &str) -> String {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, "x".repeat(name));
    parameters.not_after = date_time_ymd(expires, 6, 1);
    let key = KeyPair::generate().expect("a key");
    let pem = parameters.self_signed(&key).expect("a certificate").pem();
    pem.trim_end().replace("\r\n", "\n").replace('\n', line_end)
}

fn lab() -> String {
    let now = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_770_000_000);
    Authority::new(now).expect("an authority").pem().to_owned()
}

fn grafted(program: &[u8], pem: &str) -> Result<(Vec<u8>, Grafted), GraftError> {
    let mut copy = Vec::new();
    let grafted = graft(&mut Cursor::new(program), &mut copy, pem)?;
    Ok((copy, grafted))
}

/// What rustls reads.
fn certificates(bytes: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(bytes).filter_map(Result::ok).collect()
}

#[test]
fn the_labs_certificate_is_shorter_than_roots_are() {
    // The shortest of Mozilla's, ECDSA P-256 too, has 660 to 800 bytes; most are RSA and have 1100 to 2700.
    assert!(lab().len() < 700, "{}", lab().len());
}

#[test]
fn of_the_longest_run_the_one_that_expires_first_gives_way() {
    let pool = [2031, 2020, 2049, 1999].map(|year| root(400, year, "\n")).join("\n# a comment\n");
    let pinned = root(400, 1990, "\n");
    let small = root(1, 1980, "\n");
    let program = format!("ELF\n{pinned}\n{}\n{pool}\n{small}", "\0".repeat(5000));
    let lab = lab();
    let (copy, grafted) = grafted(program.as_bytes(), &lab).expect("a graft");
    assert_eq!((copy.len(), grafted.certificates), (program.len(), 6));
    let after = certificates(&copy);
    let before = certificates(program.as_bytes());
    let changed: Vec<usize> = (0..6).filter(|at| before[*at] != after[*at]).collect();
    assert_eq!(changed, [4], "the one of 1999");
    assert_eq!(after[4], certificates(lab.as_bytes())[0]);
}

#[test]
fn what_cannot_be_grafted_says_why() {
    let lab = lab();
    let said = |program: &[u8]| grafted(program, &lab).expect_err("no graft").to_string();
    insta::assert_snapshot!(said(b"#!/usr/bin/env node\nrequire('x')"), @"it is a script (/usr/bin/env node); graft the program that it starts");
    assert_eq!(said(b"\x7fELF"), GraftError::NoCertificate.to_string());
    assert_eq!(said(b"-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----"), said(b""));
    // As much of a certificate as is read: number, algorithm, issuer, validity, subject.
    let der = b"\x30\x1f\x30\x1d\x02\x01\x01\x30\x00\x30\x00\x30\x12\x17\x01x\x17\x0d300601000000Z\x30\x00";
    let body = data_encoding::BASE64.encode(der);
    let short = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----");
    let (short, needed) = (short.as_bytes(), lab.trim_end().len());
    match grafted(short, &lab) {
        Err(GraftError::TooShort { certificates: 1, longest, needed: said }) => {
            assert_eq!((longest, said), (short.len(), needed));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn line_ends_are_kept() {
    let (program, lab) = (root(400, 2030, "\r\n"), lab());
    let (copy, _) = grafted(program.as_bytes(), &lab).expect("a graft");
    let text = String::from_utf8(copy).expect("text");
    assert_eq!(text.matches("\r\n").count(), text.matches('\n').count());
    assert_eq!(certificates(text.as_bytes()), certificates(lab.as_bytes()));
}

fn six_roots() -> [String; 6] {
    let sizes = [(300, 2030), (400, 2040), (500, 2000), (600, 2020), (700, 2035), (800, 2010)];
    sizes.map(|(name, year)| root(name, year, "\n"))
}

/// What a program is made of.
#[derive(Clone, Debug)]
enum Part {
    Noise(Vec<u8>),
    Root(usize),
    Cut(usize, usize),
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Part::Noise),
        (0..6_usize).prop_map(Part::Root),
        (0..6_usize, 1..600_usize).prop_map(|(root, length)| Part::Cut(root, length)),
    ]
}

proptest! {
    /// Whatever stands around the blocks: the length is kept, one block changes and nothing else, and what has changed is
    /// the lab's certificate and spaces.
    #[test]
    fn one_block_changes_and_nothing_else(parts in prop::collection::vec(part(), 0..12), size in 1..5000_usize) {
        let roots = ROOTS.get_or_init(six_roots);
        let mut program = b"\x7f".to_vec();
        for part in &parts {
            match part {
                Part::Noise(bytes) => program.extend_from_slice(bytes),
                Part::Root(root) => program.extend_from_slice(roots[*root].as_bytes()),
                Part::Cut(root, length) => program.extend_from_slice(&roots[*root].as_bytes()[..*length]),
            }
            program.push(b'\n');
        }
        let mut finder = Finder::default();
        program.chunks(size).for_each(|piece| finder.push(piece));
        let blocks = finder.finish();
        let mut whole = Finder::default();
        whole.push(&program);
        prop_assert_eq!(&blocks, &whole.finish(), "the pieces do not matter");
        let whole_roots = parts.iter().filter(|part| matches!(part, Part::Root(_))).count();
        prop_assert_eq!(blocks.len(), whole_roots);
        let lab = LAB.get_or_init(lab);
        match grafted(&program, lab) {
            Err(GraftError::NoCertificate) => prop_assert_eq!(whole_roots, 0),
            Err(error) => prop_assert!(false, "{}", error),
            Ok((copy, Grafted { offset, length, certificates: counted })) => {
                prop_assert_eq!((copy.len(), counted), (program.len(), whole_roots));
                let (from, to) = (offset as usize, offset as usize + length);
                prop_assert_eq!(&copy[..from], &program[..from]);
                prop_assert_eq!(&copy[to..], &program[to..]);
                let there = String::from_utf8_lossy(&copy[from..to]).into_owned();
                prop_assert_eq!(there.trim_end(), lab.trim_end().replace("\r\n", "\n"));
                prop_assert_eq!(certificates(&copy[from..to]), certificates(lab.as_bytes()));
            }
        }
    }
}

static ROOTS: std::sync::OnceLock<[String; 6]> = std::sync::OnceLock::new();
static LAB: std::sync::OnceLock<String> = std::sync::OnceLock::new();
