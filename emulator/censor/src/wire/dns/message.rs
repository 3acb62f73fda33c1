//! Whole messages (RFC 1035 section 4.1): what stands in every section.

use std::net::IpAddr;

use super::{HEADER_LEN, name, record};
use crate::wire::u16_at;

/// A message, of which the header is there. What follows is read as it is asked for, and as far as it is sound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Message<'a> {
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// Takes bytes for a message; `None` where there are not even as many as a header.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        (bytes.len() >= HEADER_LEN).then_some(Self { bytes })
    }

    /// The id, which an answer repeats.
    pub fn id(&self) -> u16 {
        self.word(0)
    }

    /// The second 16 bits: QR, opcode, AA, TC, RD, RA, Z, AD, CD and the response code.
    pub fn flags(&self) -> u16 {
        self.word(2)
    }

    /// Whether it answers.
    pub fn is_response(&self) -> bool {
        self.flags() & 0x8000 != 0
    }

    /// What is asked for: 0 for a standard query.
    pub fn opcode(&self) -> u8 {
        (self.flags() >> 11 & 0x0f) as u8
    }

    /// The response code, without its extension by EDNS.
    pub fn rcode(&self) -> u8 {
        (self.flags() & 0x0f) as u8
    }

    /// How many entries the sections are said to have: questions, answers, authorities, additional records.
    pub fn counts(&self) -> [u16; 4] {
        [4, 6, 8, 10].map(|at| self.word(at))
    }

    /// The questions, up to the first that is not sound.
    pub fn questions(&self) -> impl Iterator<Item = Question> + use<'a> {
        self.entries().map_while(|entry| match entry {
            Entry::Question(question) => Some(question),
            Entry::Record(_) => None,
        })
    }

    /// The records of the three sections after the questions, up to the first that is not sound.
    pub fn records(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        self.entries().filter_map(|entry| match entry {
            Entry::Question(_) => None,
            Entry::Record(record) => Some(record),
        })
    }

    /// Every name in any section, in the order they stand in: those asked for, the owners of records, and the names that
    /// records hold.
    pub fn names(&self) -> impl Iterator<Item = String> + use<'a> {
        self.entries().flat_map(|entry| match entry {
            Entry::Question(question) => vec![question.name],
            Entry::Record(record) => {
                let mut names = record.names();
                names.insert(0, record.owner);
                names
            }
        })
    }

    /// The addresses that the answer section holds, whosever they are.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<'a> {
        self.records().take_while(|record| record.section == Section::Answer).filter_map(|record| record.address())
    }

    /// Whether every entry that the header counts is there and sound. What follows them is not looked at.
    pub fn is_whole(&self) -> bool {
        let counted: usize = self.counts().iter().map(|count| usize::from(*count)).sum();
        self.entries().count() == counted
    }

    fn entries(&self) -> Entries<'a> {
        Entries { message: self.bytes, at: HEADER_LEN, left: self.counts() }
    }

    fn word(&self, at: usize) -> u16 {
        u16_at(self.bytes, at).unwrap_or_default()
    }
}

/// What is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Question {
    /// The name, written as that of a [`Query`](super::Query).
    pub name: String,
    /// The type.
    pub qtype: u16,
    /// The class.
    pub qclass: u16,
}

/// A resource record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record<'a> {
    /// Where it stands.
    pub section: Section,
    /// Whose it is.
    pub owner: String,
    /// Its type.
    pub kind: u16,
    /// Its class; in the OPT record of EDNS, the size of the sender's buffer (RFC 6891 section 6.1.2).
    pub class: u16,
    /// How long it is good for, in seconds.
    pub ttl: u32,
    message: &'a [u8],
    data_at: usize,
    data_end: usize,
}

/// A section of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Section {
    /// The answers.
    Answer,
    /// The servers that know better.
    Authority,
    /// What else may be useful.
    Additional,
}

impl Record<'_> {
    /// Its data, as it stands on the wire.
    pub fn data(&self) -> &[u8] {
        self.message.get(self.data_at..self.data_end).unwrap_or_default()
    }

    /// The address of an A or AAAA record.
    pub fn address(&self) -> Option<IpAddr> {
        let data = self.data();
        match self.kind {
            record::A => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
            record::AAAA => <[u8; 16]>::try_from(data).ok().map(IpAddr::from),
            _ => None,
        }
    }

    /// The names that its data hold: the other name of an alias, a server of names or mail, the target of a service.
    pub fn names(&self) -> Vec<String> {
        let (skipped, count) = match self.kind {
            record::NS | record::CNAME | record::PTR | record::DNAME => (0, 1),
            record::SOA => (0, 2),
            record::MX | record::SVCB | record::HTTPS => (2, 1),
            record::SRV => (6, 1),
            _ => return Vec::new(),
        };
        let mut at = self.data_at + skipped;
        let mut names = Vec::with_capacity(count);
        while names.len() < count && at < self.data_end {
            // A pointer leads out of the data, and nothing else may.
            let Some((name, end)) = name::read(self.message, at).filter(|(_, end)| *end <= self.data_end) else {
                break;
            };
            at = end;
            names.push(name);
        }
        // The target "." of a service says that there is none, or that it is the owner (RFC 2782, RFC 9460 section 2.5).
        names.retain(|name| !name.is_empty());
        names
    }
}

enum Entry<'a> {
    Question(Question),
    Record(Record<'a>),
}

struct Entries<'a> {
    message: &'a [u8],
    at: usize,
    /// How many are still to come, of each section.
    left: [u16; 4],
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let place = self.left.iter().position(|left| *left > 0)?;
        self.left[place] -= 1;
        let entry = match place {
            0 => self.question().map(Entry::Question),
            1 => self.record(Section::Answer).map(Entry::Record),
            2 => self.record(Section::Authority).map(Entry::Record),
            _ => self.record(Section::Additional).map(Entry::Record),
        };
        if entry.is_none() {
            self.left = [0; 4];
        }
        entry
    }
}

impl<'a> Entries<'a> {
    fn question(&mut self) -> Option<Question> {
        let (name, end) = name::read(self.message, self.at)?;
        self.at = end + 4;
        Some(Question { name, qtype: u16_at(self.message, end)?, qclass: u16_at(self.message, end + 2)? })
    }

    fn record(&mut self, section: Section) -> Option<Record<'a>> {
        let (owner, end) = name::read(self.message, self.at)?;
        let ttl = self.message.get(end + 4..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))?;
        let data_at = end + 10;
        let data_end = data_at + usize::from(u16_at(self.message, end + 8)?);
        self.at = data_end;
        (data_end <= self.message.len()).then_some(Record {
            section,
            owner,
            kind: u16_at(self.message, end)?,
            class: u16_at(self.message, end + 2)?,
            ttl,
            message: self.message,
            data_at,
            data_end,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTPS: &[u8] = include_bytes!("../../../tests/data/dnsmasq-answer-https.bin");
    const CNAME: &[u8] = include_bytes!("../../../tests/data/dnsmasq-answer-cname.bin");
    const SRV: &[u8] = include_bytes!("../../../tests/data/dnsmasq-answer-srv.bin");
    const MX: &[u8] = include_bytes!("../../../tests/data/dnsmasq-answer-mx.bin");
    const PTR: &[u8] = include_bytes!("../../../tests/data/dnsmasq-answer-ptr.bin");
    const QUERY: &[u8] = include_bytes!("../../../tests/data/kdig-query-edns.bin");

    fn names(bytes: &[u8]) -> Vec<String> {
        Message::parse(bytes).expect("a message").names().collect()
    }

    /// What dnsmasq answered, and every name in it; those in the answer's data are compressed.
    #[test]
    fn reads_names_in_any_section() {
        assert_eq!(names(HTTPS), ["ech.example.org", "ech.example.org", "svc.example.net", ""], "the last is OPT's");
        let alias = ["alias.example.org", "alias.example.org", "real.example.net", "real.example.net"];
        assert_eq!(names(CNAME), alias);
        let service = "_xmpp._tcp.example.org";
        assert_eq!(names(SRV), [service, service, "talk.example.org"]);
        assert_eq!(names(MX), ["example.org", "example.org", "mail.example.org"]);
        assert_eq!(names(PTR), ["7.2.0.192.in-addr.arpa", "7.2.0.192.in-addr.arpa", "real.example.net"]);
        assert_eq!(names(QUERY), ["instagram.com", ""]);
    }

    /// The header and the records of what dnsmasq answered.
    #[test]
    fn reads_real_records() {
        let message = Message::parse(CNAME).expect("a message");
        assert!(message.is_response() && message.is_whole());
        assert_eq!((message.opcode(), message.rcode(), message.counts()), (0, 0, [1, 2, 0, 0]));
        let questions: Vec<_> = message.questions().collect();
        assert_eq!(questions, [Question { name: "alias.example.org".to_owned(), qtype: record::A, qclass: 1 }]);
        let kinds: Vec<_> = message.records().map(|each| (each.section, each.kind, each.class, each.ttl)).collect();
        assert_eq!(kinds, [(Section::Answer, record::CNAME, 1, 0), (Section::Answer, record::A, 1, 0)]);
        assert_eq!(message.addresses().collect::<Vec<_>>(), [IpAddr::from([192, 0, 2, 7])]);
        let with_opt: Vec<_> = Message::parse(HTTPS).expect("a message").records().map(|each| each.kind).collect();
        assert_eq!(with_opt, [record::HTTPS, record::OPT]);
    }

    /// A message that is cut gives what is whole, and says that it is not all.
    #[test]
    fn a_cut_message_is_read_as_far_as_it_goes() {
        for len in 0..CNAME.len() {
            let Some(message) = Message::parse(&CNAME[..len]) else {
                assert!(len < HEADER_LEN);
                continue;
            };
            assert!(!message.is_whole(), "cut at {len}");
            assert!(message.names().zip(names(CNAME)).all(|(cut, whole)| cut == whole));
        }
    }
}
