//! DNS (RFC 1035 section 4.1): queries, forged answers to them, and whole messages.

mod answer;
mod message;
mod name;
mod stream;

pub use answer::Answer;
pub use message::{Message, Question, Record, Section};
pub use stream::{begins_with_query, messages};

use core::ops::Range;

use crate::policy::DnsForgery;
use crate::wire::u16_at;

/// The record and question types that the machine names, reads or answers.
pub mod record {
    /// An IPv4 address.
    pub const A: u16 = 1;
    /// A server of names.
    pub const NS: u16 = 2;
    /// Another name.
    pub const CNAME: u16 = 5;
    /// Where a zone begins: its first server and who keeps it.
    pub const SOA: u16 = 6;
    /// The name of an address.
    pub const PTR: u16 = 12;
    /// A server of mail.
    pub const MX: u16 = 15;
    /// Text.
    pub const TXT: u16 = 16;
    /// An IPv6 address (RFC 3596).
    pub const AAAA: u16 = 28;
    /// Where a service is (RFC 2782).
    pub const SRV: u16 = 33;
    /// Another name for all that is below (RFC 6672).
    pub const DNAME: u16 = 39;
    /// The pseudo-record of EDNS (RFC 6891).
    pub const OPT: u16 = 41;
    /// Where a service is and how to speak to it (RFC 9460).
    pub const SVCB: u16 = 64;
    /// The same of HTTPS, with the keys of `ECH` among it (RFC 9460).
    pub const HTTPS: u16 = 65;
    /// Whatever there is.
    pub const ANY: u16 = 255;

    const NAMES: [(&str, u16); 14] = [
        ("A", A),
        ("NS", NS),
        ("CNAME", CNAME),
        ("SOA", SOA),
        ("PTR", PTR),
        ("MX", MX),
        ("TXT", TXT),
        ("AAAA", AAAA),
        ("SRV", SRV),
        ("DNAME", DNAME),
        ("OPT", OPT),
        ("SVCB", SVCB),
        ("HTTPS", HTTPS),
        ("ANY", ANY),
    ];

    /// A type as a person writes it; `TYPE` and its number where it has no name here (RFC 3597 section 5).
    pub fn name(kind: u16) -> String {
        let name = NAMES.iter().find(|(_, number)| *number == kind).map(|(name, _)| (*name).to_owned());
        name.unwrap_or_else(|| format!("TYPE{kind}"))
    }

    /// The type that a person means, in letters of either case.
    pub fn from_name(text: &str) -> Option<u16> {
        let known = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, number)| *number);
        known.or_else(|| {
            let (word, number) = text.split_at_checked(4)?;
            word.eq_ignore_ascii_case("TYPE").then(|| number.parse().ok())?
        })
    }
}

const HEADER_LEN: usize = 12;
const CLASS_INTERNET: u16 = 1;

/// A query with one question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Query<'a> {
    /// The id that the answer must carry.
    pub id: u16,
    /// The second 16 bits of the header: QR, opcode, AA, TC, RD, RA, Z, AD, CD and the response code.
    pub flags: u16,
    /// The name asked for, without the final dot, in the letters of the query. Bytes that a host name does not hold are
    /// written `\DDD`, dots inside a label `\.` (RFC 1035 section 5.1).
    pub name: String,
    /// The type asked for.
    pub qtype: u16,
    /// The class asked for.
    pub qclass: u16,
    message: &'a [u8],
    question_end: usize,
}

impl<'a> Query<'a> {
    /// Where in the message the question stands: its name, its type and its class.
    pub fn question_at(&self) -> Range<usize> {
        HEADER_LEN..self.question_end
    }

    /// Reads a standard query with exactly one question (GFW-DNS-5); `None` for anything else. What follows the question
    /// is not looked at.
    pub fn parse(message: &'a [u8]) -> Option<Self> {
        let flags = u16_at(message, 2)?;
        let is_standard_query = flags & 0xf800 == 0;
        if !is_standard_query || u16_at(message, 4)? != 1 {
            return None;
        }
        // A question has nothing before it to point to.
        let (name, end) = name::read_plain(message, HEADER_LEN)?;
        Some(Self {
            id: u16_at(message, 0)?,
            flags,
            name,
            qtype: u16_at(message, end)?,
            qclass: u16_at(message, end + 2)?,
            message,
            question_end: end + 4,
        })
    }

    /// The question type as a person writes it.
    pub fn qtype_name(&self) -> String {
        record::name(self.qtype)
    }

    /// A forged answer. No longer than what RFC 1035 allows without EDNS: the records that do not fit are left out.
    pub fn answer(&self, answer: &Answer) -> Vec<u8> {
        answer.to_bytes(self)
    }

    /// A forged answer without what only [`answer`](Self::answer) knows.
    pub fn forge(&self, forgery: &DnsForgery) -> Vec<u8> {
        self.answer(&Answer::from(forgery))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &[u8] = include_bytes!("../../tests/data/kdig-query.bin");

    /// What kdig sent.
    #[test]
    fn reads_a_query_of_kdig() {
        let query = Query::parse(QUERY).expect("a query");
        assert_eq!((query.name.as_str(), query.qtype, query.qclass), ("instagram.com", record::A, 1));
        assert_eq!(query.flags & 0x0100, 0x0100, "kdig asks for recursion");
        assert_eq!(query.qtype_name(), "A");
    }

    /// Responses, several questions and pointers are not queries that a censor answers.
    #[test]
    fn refuses_what_is_no_query() {
        let with = |at: usize, byte: u8| {
            let mut bytes = QUERY.to_vec();
            bytes[at] = byte;
            bytes
        };
        assert!(Query::parse(&with(2, 0x81)).is_none(), "a response");
        assert!(Query::parse(&with(2, 0x29)).is_none(), "an update");
        assert!(Query::parse(&with(5, 2)).is_none(), "two questions");
        assert!(Query::parse(&with(12, 0xc0)).is_none(), "a pointer");
        for len in 0..QUERY.len() {
            assert!(Query::parse(&QUERY[..len]).is_none(), "cut at {len}");
        }
    }

    /// Types are read as they are written.
    #[test]
    fn types_have_names() {
        for kind in [1, 28, 64, 65, 99, 255] {
            assert_eq!(record::from_name(&record::name(kind)), Some(kind));
        }
        assert_eq!((record::name(65), record::from_name("https")), ("HTTPS".to_owned(), Some(65)));
        assert_eq!((record::from_name("TYPE65536"), record::from_name("x")), (None, None));
    }

    /// RFC 1035 section 5.1: a byte that would be taken for something else is escaped, so that no label can pretend to be
    /// two.
    #[test]
    fn odd_bytes_are_escaped() {
        let message = [0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4, b'a', b'.', 7, b'\\', 0, 0, 1, 0, 1];
        assert_eq!(Query::parse(&message).expect("a query").name, "a\\.\\007\\\\");
    }
}
