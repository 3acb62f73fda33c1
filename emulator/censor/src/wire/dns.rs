//! DNS queries (RFC 1035 section 4.1) and forged answers to them.

use core::fmt::Write as _;
use std::net::IpAddr;

use crate::policy::DnsForgery;
use crate::wire::u16_at;

/// The question types that the machine names or answers.
pub mod record {
    /// An IPv4 address.
    pub const A: u16 = 1;
    /// An IPv6 address (RFC 3596).
    pub const AAAA: u16 = 28;
    /// Whatever there is.
    pub const ANY: u16 = 255;
}

const HEADER_LEN: usize = 12;
const CLASS_INTERNET: u16 = 1;
/// The most a name takes on the wire (RFC 1035 section 2.3.4).
const MAX_NAME_LEN: usize = 255;
/// The most a message takes where no EDNS is spoken (RFC 1035 section 2.3.4).
const MAX_MESSAGE_LEN: usize = 512;

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
    question: &'a [u8],
}

impl<'a> Query<'a> {
    /// Reads a standard query with exactly one question (GFW-DNS-5); `None` for anything else. What follows the question
    /// is not looked at.
    pub fn parse(message: &'a [u8]) -> Option<Self> {
        let flags = u16_at(message, 2)?;
        let is_standard_query = flags & 0xf800 == 0;
        if !is_standard_query || u16_at(message, 4)? != 1 {
            return None;
        }
        let (name, end) = read_name(message, HEADER_LEN)?;
        Some(Self {
            id: u16_at(message, 0)?,
            flags,
            name,
            qtype: u16_at(message, end)?,
            qclass: u16_at(message, end + 2)?,
            question: message.get(HEADER_LEN..end + 4)?,
        })
    }

    /// The question type as a person writes it.
    pub fn qtype_name(&self) -> String {
        let name = match self.qtype {
            1 => "A",
            2 => "NS",
            5 => "CNAME",
            6 => "SOA",
            12 => "PTR",
            15 => "MX",
            16 => "TXT",
            28 => "AAAA",
            33 => "SRV",
            64 => "SVCB",
            65 => "HTTPS",
            255 => "ANY",
            other => return format!("TYPE{other}"),
        };
        name.to_owned()
    }

    /// A forged answer: the question as it was asked, RD as it was asked, RA set, no EDNS (GFW-DNS-5), and as many of the
    /// addresses of the asked family as fit an answer without EDNS. A type for which there is no address gets an answer
    /// that says there is nothing.
    pub fn forge(&self, forgery: &DnsForgery) -> Vec<u8> {
        const QR: u16 = 0x8000;
        const AA: u16 = 0x0400;
        const RD: u16 = 0x0100;
        const RA: u16 = 0x0080;
        let authoritative = if forgery.authoritative { AA } else { 0 };
        let flags = QR | authoritative | (self.flags & RD) | RA | u16::from(forgery.rcode & 0x0f);

        let mut message = Vec::with_capacity(MAX_MESSAGE_LEN);
        for word in [self.id, flags, 1, 0, 0, 0] {
            message.extend(word.to_be_bytes());
        }
        message.extend(self.question);
        let mut answers: u16 = 0;
        for address in forgery.addresses.iter().filter(|address| self.asks_for(forgery, **address)) {
            let answer = answer_record(*address, forgery.ttl);
            if message.len() + answer.len() > MAX_MESSAGE_LEN {
                break;
            }
            message.extend(answer);
            answers += 1;
        }
        message[6..8].copy_from_slice(&answers.to_be_bytes());
        message
    }

    fn asks_for(&self, forgery: &DnsForgery, address: IpAddr) -> bool {
        let family = if address.is_ipv4() { record::A } else { record::AAAA };
        forgery.rcode == 0 && self.qclass == CLASS_INTERNET && (self.qtype == family || self.qtype == record::ANY)
    }
}

/// One answer whose owner is the name of the question, by a pointer to it (RFC 1035 section 4.1.4).
fn answer_record(address: IpAddr, ttl: u32) -> Vec<u8> {
    let (kind, data) = match address {
        IpAddr::V4(address) => (record::A, address.octets().to_vec()),
        IpAddr::V6(address) => (record::AAAA, address.octets().to_vec()),
    };
    let mut answer = vec![0xc0, HEADER_LEN as u8];
    answer.extend(kind.to_be_bytes());
    answer.extend(CLASS_INTERNET.to_be_bytes());
    answer.extend(ttl.to_be_bytes());
    answer.extend((data.len() as u16).to_be_bytes());
    answer.extend(data);
    answer
}

/// Reads the labels of a name and where it ends. A question has nothing before it to point to, so a compressed name is
/// refused.
fn read_name(message: &[u8], start: usize) -> Option<(String, usize)> {
    let mut name = String::new();
    let mut at = start;
    loop {
        let len = usize::from(*message.get(at)?);
        let label = message.get(at + 1..at + 1 + len)?;
        at += 1 + len;
        if len > 63 || at - start > MAX_NAME_LEN {
            return None;
        }
        if len == 0 {
            return Some((name, at));
        }
        if !name.is_empty() {
            name.push('.');
        }
        for byte in label {
            push_byte(&mut name, *byte);
        }
    }
}

fn push_byte(name: &mut String, byte: u8) {
    match byte {
        b'.' | b'\\' => name.extend(['\\', char::from(byte)]),
        0x21..=0x7e => name.push(char::from(byte)),
        // Writing to a String cannot fail.
        _ => drop(write!(name, "\\{byte:03}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &[u8] = include_bytes!("../../tests/data/kdig-query.bin");
    const QUERY_WITH_EDNS: &[u8] = include_bytes!("../../tests/data/kdig-query-edns.bin");

    fn forgery(rcode: u8, addresses: &[&str]) -> DnsForgery {
        let addresses = addresses.iter().map(|address| address.parse().expect("an address")).collect();
        DnsForgery { rcode, addresses, ttl: 60, authoritative: true }
    }

    /// What kdig sent.
    #[test]
    fn reads_a_query_of_kdig() {
        let query = Query::parse(QUERY).expect("a query");
        assert_eq!((query.name.as_str(), query.qtype, query.qclass), ("instagram.com", record::A, 1));
        assert_eq!(query.flags & 0x0100, 0x0100, "kdig asks for recursion");
        assert_eq!(query.qtype_name(), "A");
    }

    /// GFW-DNS-2 (AA=1, TTL 60) and GFW-DNS-5 (RA, one question, no EDNS).
    #[test]
    fn gfw_dns_5_forged_answer() {
        let query = Query::parse(QUERY_WITH_EDNS).expect("a query");
        let answer = query.forge(&forgery(0, &["31.13.94.49", "2001::1"]));
        let question_end = HEADER_LEN + query.question.len();
        assert_eq!(answer[..2], QUERY_WITH_EDNS[..2], "the id");
        assert_eq!(answer[2..4], [0x85, 0x80], "QR, AA, RD, RA, no error");
        assert_eq!(answer[4..12], [0, 1, 0, 1, 0, 0, 0, 0], "one question, one answer, no OPT record");
        assert_eq!(answer[12..question_end], QUERY_WITH_EDNS[12..question_end]);
        let mut record = vec![0xc0, 0x0c, 0, 28, 0, 1, 0, 0, 0, 60, 0, 16, 0x20, 1];
        record.extend([0; 13]);
        record.push(1);
        assert_eq!(answer[question_end..], record);
    }

    /// RU-NSDI-1: the name does not exist, and there are no addresses.
    #[test]
    fn ru_nsdi_1_name_error_has_no_answers() {
        let query = Query::parse(QUERY).expect("a query");
        let answer = query.forge(&forgery(3, &["192.0.2.1"]));
        assert_eq!(answer[3] & 0x0f, 3);
        assert_eq!(answer[6..8], [0, 0]);
        assert_eq!(answer.len(), QUERY.len());
    }

    /// No answer is longer than RFC 1035 allows without EDNS.
    #[test]
    fn many_addresses_are_cut() {
        let query = Query::parse(QUERY).expect("a query");
        let answer = query.forge(&forgery(0, &["192.0.2.1"; 100]));
        assert!(answer.len() <= MAX_MESSAGE_LEN);
        assert_eq!(usize::from(answer[7]), (MAX_MESSAGE_LEN - QUERY.len()) / 16);
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

    /// RFC 1035 section 5.1: a byte that would be taken for something else is escaped, so that no label can pretend to be
    /// two.
    #[test]
    fn odd_bytes_are_escaped() {
        let message = [0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4, b'a', b'.', 7, b'\\', 0, 0, 1, 0, 1];
        assert_eq!(Query::parse(&message).expect("a query").name, "a\\.\\007\\\\");
    }
}
