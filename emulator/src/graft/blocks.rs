//! Finding certificates as PEM among other bytes, in one pass.

use data_encoding::BASE64;
use memchr::memmem;

use crate::plan::client_files::der::{Fields, GENERALIZED_TIME, Reader, UTC_TIME};

/// A certificate as PEM.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Block {
    /// Where its first dash stands.
    pub(super) offset: u64,
    /// From its first dash to its last.
    pub(super) length: usize,
    /// How its lines end.
    pub(super) line_end: LineEnd,
    /// When the certificate expires, as `YYYYMMDDHHMMSSZ`.
    pub(super) expires: String,
}

/// How lines end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LineEnd {
    Lf,
    CrLf,
}

impl LineEnd {
    pub(super) const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
        }
    }
}

/// Finds blocks in bytes that come in pieces.
#[derive(Debug, Default)]
pub(super) struct Finder {
    found: Vec<Block>,
    /// What was not looked at to its end yet.
    rest: Vec<u8>,
    /// Where it begins.
    offset: u64,
}

impl Finder {
    /// Looks at the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.rest.extend_from_slice(piece);
        self.look(false);
    }

    /// All blocks, in their order.
    pub(super) fn finish(mut self) -> Vec<Block> {
        self.look(true);
        self.found
    }

    fn look(&mut self, at_end: bool) {
        let mut at = 0;
        while let Some(begin) = memmem::find(&self.rest[at..], BEGIN).map(|begin| at + begin) {
            let window = &self.rest[begin..self.rest.len().min(begin + LONGEST)];
            let Some(end) = memmem::find(window, END) else {
                if window.len() < LONGEST && !at_end {
                    at = begin;
                    break;
                }
                at = begin + BEGIN.len();
                continue;
            };
            let block = &window[..end + END.len()];
            // A block that was begun and not ended is none; the next may be.
            if let Some(again) = memmem::find(&block[BEGIN.len()..], BEGIN) {
                at = begin + BEGIN.len() + again;
                continue;
            }
            self.found.extend(read(block, self.offset + begin as u64));
            at = begin + block.len();
        }
        // A marker may have been cut in two.
        let keep = if memmem::find(&self.rest[at..], BEGIN).is_some() {
            at
        } else {
            at.max(self.rest.len().saturating_sub(BEGIN.len() - 1))
        };
        self.rest.drain(..keep);
        self.offset += keep as u64;
    }
}

/// The block, if it holds a certificate.
fn read(block: &[u8], offset: u64) -> Option<Block> {
    let body = block.strip_prefix(BEGIN)?.strip_suffix(END)?;
    let line_end = match body {
        [b'\n', ..] => LineEnd::Lf,
        [b'\r', b'\n', ..] => LineEnd::CrLf,
        _ => return None,
    };
    let text: Vec<u8> = body.iter().copied().filter(|byte| !b" \t\r\n".contains(byte)).collect();
    let expires = expiry(&BASE64.decode(&text).ok()?)?;
    Some(Block { offset, length: block.len(), line_end, expires })
}

/// When a certificate expires (RFC 5280 section 4.1.2.5), in a form that sorts.
fn expiry(certificate: &[u8]) -> Option<String> {
    let mut validity = Reader(Fields::of(certificate).ok()?.validity);
    validity.next().ok()?;
    let (tag, text) = validity.next().ok()?;
    let text = str::from_utf8(text).ok()?;
    match tag {
        // Years from 50 on are of the last century.
        UTC_TIME => Some(format!("{}{text}", if text >= "5" { "19" } else { "20" })),
        GENERALIZED_TIME => Some(text.to_owned()),
        _ => None,
    }
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";
/// No certificate of an authority is longer.
const LONGEST: usize = 16 * 1024;
