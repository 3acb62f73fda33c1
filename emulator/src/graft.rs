//! A copy of a program in which the lab's certificate stands in place of one of those that were compiled in.
//!
//! A program with roots of its own, as a stock OONI probe, reads none of the lab's files. Such roots are mostly a bundle in
//! PEM (RFC 7468), embedded as text. One block of it is replaced, and all else stays where it was: what takes the block's
//! place is as long as it. The lab's certificate is the shorter one (ECDSA P-256, about 700 bytes as PEM, where roots have 800
//! to 2700); spaces fill up its last line, which parsers pass over: `OpenSSL`, Go's `encoding/pem`, rustls.
//! Padding between blocks would not do: some programs refuse anything after a block.
//!
//! Everything here is pure but for the streams: bytes in, bytes out.

mod blocks;
mod choice;

use std::io::{self, Read, Seek, SeekFrom, Write};

use blocks::{Block, Finder};
use choice::choose;

/// What was replaced.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grafted {
    /// Where the block begins in the file, in bytes.
    pub offset: u64,
    /// How long it is, in bytes.
    pub length: usize,
    /// How many certificates the file holds as PEM.
    pub certificates: usize,
}

/// Why nothing can be replaced.
#[derive(Debug, thiserror::Error)]
pub enum GraftError {
    /// It is a script, so its roots are elsewhere.
    #[error("it is a script ({0}); graft the program that it starts")]
    Script(String),
    /// There is no block.
    #[error(
        "no certificate is embedded in it as PEM. If it reads its roots from files, it trusts the lab without a graft; \
         if they are compiled in in another form, it cannot be made to (docs/trust.md says which and what else to do)"
    )]
    NoCertificate,
    /// The lab's certificate does not fit.
    #[error(
        "none of its {certificates} embedded certificates is as long as the lab's, {needed} bytes: the longest has {longest}"
    )]
    TooShort {
        /// How many there are.
        certificates: usize,
        /// How long the longest is, in bytes.
        longest: usize,
        /// How long the lab's is, in bytes.
        needed: usize,
    },
    /// It could not be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Copies a program, with `pem` in place of one of its certificates. It is read twice, in pieces, and never held whole.
pub fn graft(program: &mut (impl Read + Seek), copy: &mut impl Write, pem: &str) -> Result<Grafted, GraftError> {
    let blocks = find(program)?;
    let needed = replacement_length(pem, b"\n");
    let Some(longest) = blocks.iter().map(|block| block.length).max() else { return Err(GraftError::NoCertificate) };
    let certificates = blocks.len();
    let chosen = choose(&blocks, |block| block.length >= replacement_length(pem, block.line_end.bytes()));
    let Some(Block { offset, length, line_end, .. }) = chosen else {
        return Err(GraftError::TooShort { certificates, longest, needed });
    };
    program.seek(SeekFrom::Start(0))?;
    io::copy(&mut program.by_ref().take(*offset), copy)?;
    copy.write_all(&replacement(pem, *length, line_end.bytes()))?;
    program.seek(SeekFrom::Start(*offset + *length as u64))?;
    io::copy(program, copy)?;
    Ok(Grafted { offset: *offset, length: *length, certificates })
}

/// All certificates in a program, in their order; a script has none of its own.
fn find(program: &mut impl Read) -> Result<Vec<Block>, GraftError> {
    let mut finder = Finder::default();
    let mut piece = vec![0; PIECE];
    let mut at_start = true;
    loop {
        let length = program.read(&mut piece)?;
        let read = piece.get(..length).unwrap_or_default();
        if let Some(line) = read.strip_prefix(b"#!").filter(|_| at_start) {
            let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
            return Err(GraftError::Script(String::from_utf8_lossy(line).trim().to_owned()));
        }
        at_start = false;
        if read.is_empty() {
            return Ok(finder.finish());
        }
        finder.push(read);
    }
}

fn replacement_length(pem: &str, line_end: &[u8]) -> usize {
    let lines = pem.trim_end().lines();
    lines.map(|line| line.len() + line_end.len()).sum::<usize>() - line_end.len()
}

/// The certificate with these line ends, filled up with spaces.
fn replacement(pem: &str, length: usize, line_end: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = pem.trim_end().lines().map(str::as_bytes).collect();
    let mut bytes = lines.join(line_end);
    bytes.resize(length, b' ');
    bytes
}

/// How much is read at once.
const PIECE: usize = 256 * 1024;

#[cfg(test)]
mod tests;
