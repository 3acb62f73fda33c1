//! Forged answers.

use std::net::IpAddr;

use super::{CLASS_INTERNET, HEADER_LEN, Query, name, record};
use crate::policy::DnsForgery;

/// What a forged answer says. Normally it repeats the question and nothing else of the query: RD as it was asked, one
/// question, no EDNS (GFW-DNS-5).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "bits of the header, and habits that go with any of them")]
pub struct Answer {
    /// The response code: 0 no error, 3 name does not exist, 5 refused (RFC 1035 section 4.1.1). Only 0 comes with records.
    pub rcode: u8,
    /// The AA bit (GFW-DNS-2).
    pub authoritative: bool,
    /// The RA bit.
    pub recursion_available: bool,
    /// The AD bit, by which a resolver says that it validated.
    pub authentic_data: bool,
    /// Another name for the one asked for, whose the addresses then are. Left out where it is no host name.
    pub cname: Option<String>,
    /// The addresses; those of the asked family are used, all of them in this order.
    pub addresses: Vec<IpAddr>,
    /// Whether a question for which none of the addresses is gets them all nevertheless, as some injectors answer every type
    /// with an A record (GFW-DNS-5). Otherwise it gets an answer that says there is nothing.
    pub whatever_type: bool,
    /// How long each record is good for, in seconds.
    pub ttl: u32,
    /// Whether the answer is the query itself, of which some fields are overwritten (TM-1): what the query had besides its
    /// question, such as EDNS, stays behind the forged records, and so do its AD and CD bits.
    pub copy_query: bool,
}

/// The most a message takes where no EDNS is spoken (RFC 1035 section 2.3.4).
const MAX_MESSAGE_LEN: usize = 512;
/// A pointer to the question's name (RFC 1035 section 4.1.4).
const ASKED_NAME: u16 = 0xc000 | HEADER_LEN as u16;

const QR: u16 = 0x8000;
const AA: u16 = 0x0400;
const RD: u16 = 0x0100;
const RA: u16 = 0x0080;
const AD: u16 = 0x0020;
const RCODE: u16 = 0x000f;

impl Answer {
    pub(super) fn to_bytes(&self, query: &Query<'_>) -> Vec<u8> {
        let (copied, behind) = query.message.split_at_checked(query.question_end).unwrap_or_default();
        let rest = if self.copy_query { behind } else { &[] };
        let mut message = Vec::with_capacity(MAX_MESSAGE_LEN);
        message.extend(copied);
        let mut answers: u16 = 0;
        for record in self.records(query, message.len()) {
            if message.len() + record.len() + rest.len() > MAX_MESSAGE_LEN {
                break;
            }
            message.extend(record);
            answers += 1;
        }
        message.extend(rest);
        self.overwrite_header(&mut message, query, answers);
        message
    }

    fn overwrite_header(&self, message: &mut [u8], query: &Query<'_>, answers: u16) {
        let kept = if self.copy_query { query.flags & !RCODE } else { query.flags & RD };
        let set = [(self.authoritative, AA), (self.recursion_available, RA), (self.authentic_data, AD)];
        let set = set.iter().filter(|(is_set, _)| *is_set).fold(QR, |flags, (_, bit)| flags | bit);
        let flags = kept | set | u16::from(self.rcode) & RCODE;
        let mut put = |at: usize, word: u16| {
            if let Some(field) = message.get_mut(at..at + 2) {
                field.copy_from_slice(&word.to_be_bytes());
            }
        };
        put(2, flags);
        put(6, answers);
        if !self.copy_query {
            put(8, 0);
            put(10, 0);
        }
    }

    /// The records, of which the first stands at this place.
    fn records(&self, query: &Query<'_>, at: usize) -> Vec<Vec<u8>> {
        if self.rcode != 0 || query.qclass != CLASS_INTERNET {
            return Vec::new();
        }
        let mut records = Vec::new();
        let mut owner = ASKED_NAME;
        if let Some(target) = self.cname.as_deref().and_then(name::write) {
            // The target stands after an owner, a type, a class, a time and a length.
            owner = 0xc000 | (at + RECORD_HEADER_LEN) as u16;
            records.push(record(ASKED_NAME, record::CNAME, self.ttl, &target));
        }
        records.extend(self.addresses_for(query.qtype).map(|address| match address {
            IpAddr::V4(address) => record(owner, record::A, self.ttl, &address.octets()),
            IpAddr::V6(address) => record(owner, record::AAAA, self.ttl, &address.octets()),
        }));
        records
    }

    fn addresses_for(&self, qtype: u16) -> impl Iterator<Item = IpAddr> {
        let is_asked = move |address: &IpAddr| match qtype {
            record::ANY => true,
            record::A => address.is_ipv4(),
            record::AAAA => address.is_ipv6(),
            _ => false,
        };
        let all = self.whatever_type && !self.addresses.iter().any(is_asked);
        self.addresses.iter().copied().filter(move |address| all || is_asked(address))
    }
}

impl From<&DnsForgery> for Answer {
    fn from(forgery: &DnsForgery) -> Self {
        Self {
            rcode: forgery.rcode,
            authoritative: forgery.authoritative,
            recursion_available: true,
            addresses: forgery.addresses.clone(),
            ttl: forgery.ttl,
            ..Self::default()
        }
    }
}

const RECORD_HEADER_LEN: usize = 12;

/// One record whose owner is pointed to (RFC 1035 section 4.1.4).
fn record(owner: u16, kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let mut record = Vec::with_capacity(RECORD_HEADER_LEN + data.len());
    for word in [owner, kind, CLASS_INTERNET] {
        record.extend(word.to_be_bytes());
    }
    record.extend(ttl.to_be_bytes());
    record.extend((data.len() as u16).to_be_bytes());
    record.extend(data);
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::dns::Message;

    const QUERY: &[u8] = include_bytes!("../../../tests/data/kdig-query.bin");
    const QUERY_WITH_EDNS: &[u8] = include_bytes!("../../../tests/data/kdig-query-edns.bin");
    const QUERY_WITH_COOKIE: &[u8] = include_bytes!("../../../tests/data/kdig-query-cookie.bin");
    const HTTPS_QUERY: &[u8] = include_bytes!("../../../tests/data/kdig-query-https.bin");

    fn query(bytes: &[u8]) -> Query<'_> {
        Query::parse(bytes).expect("a query")
    }

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    fn forgery(rcode: u8, texts: &[&str]) -> DnsForgery {
        DnsForgery { rcode, addresses: addresses(texts), ttl: 60, authoritative: true }
    }

    /// GFW-DNS-2 (AA=1, TTL 60) and GFW-DNS-5 (RA, one question, no EDNS).
    #[test]
    fn gfw_dns_5_forged_answer() {
        let query = query(QUERY_WITH_EDNS);
        let answer = query.forge(&forgery(0, &["31.13.94.49", "2001::1"]));
        let question_end = query.question_end;
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
        let query = query(QUERY);
        let answer = query.forge(&forgery(3, &["192.0.2.1"]));
        assert_eq!(answer[3] & 0x0f, 3);
        assert_eq!(answer[6..8], [0, 0]);
        assert_eq!(answer.len(), QUERY.len());
    }

    /// No answer is longer than RFC 1035 allows without EDNS.
    #[test]
    fn many_addresses_are_cut() {
        let query = query(QUERY);
        let answer = query.forge(&forgery(0, &["192.0.2.1"; 100]));
        assert!(answer.len() <= MAX_MESSAGE_LEN);
        assert_eq!(usize::from(answer[7]), (MAX_MESSAGE_LEN - QUERY.len()) / 16);
    }

    /// TM-1: the query is copied and fields are overwritten, so its EDNS with the cookie stays, and so do the bits that
    /// dig sets; a normal answer has neither.
    #[test]
    fn tm_1_the_query_is_copied() {
        let query = query(QUERY_WITH_COOKIE);
        let answer = Answer { addresses: addresses(&["127.0.0.1"]), ttl: 300, ..Answer::default() };
        let copied = query.answer(&Answer { copy_query: true, ..answer.clone() });
        let message = Message::parse(&copied).expect("a message");
        assert!(message.is_whole() && message.is_response());
        assert_eq!(message.counts(), [1, 1, 0, 1]);
        assert_eq!(message.addresses().collect::<Vec<_>>(), addresses(&["127.0.0.1"]));
        assert_eq!(copied[copied.len() - 23..], QUERY_WITH_COOKIE[QUERY_WITH_COOKIE.len() - 23..], "OPT as it was");
        assert_eq!(message.flags(), query.flags | QR, "AD and RD as they were asked, RA not set");
        let normal = query.answer(&answer);
        let message = Message::parse(&normal).expect("a message");
        assert_eq!((message.counts(), message.flags()), ([1, 1, 0, 0], QR | RD));
    }

    /// An alias stands before the addresses, which are then its own.
    #[test]
    fn an_alias_comes_first() {
        let alias = Some("Block.example".to_owned());
        let answer = Answer { cname: alias, addresses: addresses(&["192.0.2.1"]), ..Answer::default() };
        let bytes = query(QUERY).answer(&answer);
        let message = Message::parse(&bytes).expect("a message");
        let names: Vec<_> = message.names().collect();
        assert_eq!(names, ["instagram.com", "instagram.com", "Block.example", "Block.example"]);
        assert!(message.is_whole());
        let bytes = query(HTTPS_QUERY).answer(&answer);
        assert_eq!(Message::parse(&bytes).expect("a message").counts(), [1, 1, 0, 0], "the alias alone");
    }

    /// GFW-DNS-5: some injectors answer a question of any type with an address, of either family.
    #[test]
    fn gfw_dns_5_an_address_whatever_was_asked() {
        let kinds = |whatever_type, bytes| -> Vec<u16> {
            let answer = Answer { whatever_type, addresses: addresses(&["192.0.2.1"]), ..Answer::default() };
            let bytes = query(bytes).answer(&answer);
            Message::parse(&bytes).expect("a message").records().map(|record| record.kind).collect()
        };
        for bytes in [HTTPS_QUERY, QUERY_WITH_EDNS] {
            assert_eq!((kinds(false, bytes), kinds(true, bytes)), (vec![], vec![record::A]));
        }
        assert_eq!((kinds(false, QUERY), kinds(true, QUERY)), (vec![record::A], vec![record::A]));
    }
}
