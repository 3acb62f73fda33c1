//! From a DNS query to its answer (RFC 1035), as bytes and without a socket.
//!
//! Answers look like a recursive resolver's: RA set, AA clear, the question as it came, case included (0x20), a
//! negative answer with the zone's SOA (RFC 2308).

use std::net::IpAddr;

use hickory_proto::op::{Edns, Message, MessageType, Metadata, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::SOA;
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use roadblock_censor::policy::DnsForgery;
use roadblock_scenarios::model::{Lie, LieAnswer};

use super::zone::{Meaning, Zone, canonical};
use crate::translate::embed;

/// What a query came by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transport {
    /// UDP: what does not fit is truncated (RFC 2181 section 9).
    Udp,
    /// TCP (RFC 7766).
    Tcp,
}

/// What is sent back, and whether it is a lie.
#[derive(Debug)]
pub struct Reply<'a> {
    /// The answer; `None` is silence.
    pub bytes: Option<Vec<u8>>,
    /// The lie that was told, silence included.
    pub told: Option<Told<'a>>,
}

/// A lie and what it was told about.
#[derive(Debug)]
pub struct Told<'a> {
    /// The lie.
    pub lie: &'a Lie,
    /// The query, as a person would say it: `query A whatsapp.com`.
    pub matched: String,
}

/// What is made up for clients that reach IPv4 through a translator alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Synthesis {
    /// Nothing.
    None,
    /// IPv6 addresses for names that have IPv4 addresses alone (DNS64, RFC 6147), lies' too.
    Dns64,
}

/// As [`answer_with`], with nothing made up.
pub fn answer<'a>(query: &[u8], transport: Transport, zone: &Zone, lies: &'a [Lie]) -> Reply<'a> {
    answer_with(query, transport, zone, lies, Synthesis::None, &[])
}

/// Answers a query with the first lie that matches its name, or with what the zone knows. `own` are the addresses of whoever
/// answers.
///
/// Bytes that are no query get silence when they are too short to answer or are themselves a response, which no
/// resolver answers, lest two of them talk for ever; and FORMERR when only the header can be read.
pub fn answer_with<'a>(
    query: &[u8],
    transport: Transport,
    zone: &Zone,
    lies: &'a [Lie],
    synthesis: Synthesis,
    own: &[IpAddr],
) -> Reply<'a> {
    let Some(header) = Header::read(query) else { return Reply::silence() };
    if header.is_response() {
        return Reply::silence();
    }
    if header.op_code() != OpCode::Query {
        return Reply::error(header, ResponseCode::NotImp);
    }
    let Ok(message) = Message::from_vec(query) else { return Reply::error(header, ResponseCode::FormErr) };
    // RFC 9619: a query has exactly one question.
    let [question] = message.queries.as_slice() else { return Reply::error(header, ResponseCode::FormErr) };

    let name = canonical(&question.name().to_ascii());
    let Some(lie) = lies.iter().find(|lie| lie.names.matches(&name)) else {
        let truth = truth(&message, question, zone, synthesis, own);
        return Reply { bytes: fit(&truth, size_limit(&message, transport)), told: None };
    };
    let told = Some(Told { lie, matched: format!("query {} {name}", type_name(question.query_type())) });
    match &lie.answer {
        LieAnswer::Silence => Reply { bytes: None, told },
        LieAnswer::Forged(forgery) => {
            let forged = forged(&message, question, forgery, synthesis);
            Reply { bytes: fit(&forged, size_limit(&message, transport)), told }
        }
    }
}

impl Transport {
    /// The IP protocol number.
    pub const fn protocol(self) -> u8 {
        match self {
            Self::Udp => 17,
            Self::Tcp => 6,
        }
    }
}

impl Synthesis {
    /// A name's addresses, with what is made up. Who validates by itself is told nothing that nobody signed (section 5.5).
    fn applied(self, query: &Message, addresses: &[IpAddr]) -> Vec<IpAddr> {
        let validates =
            query.metadata.checking_disabled && query.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok);
        let mut all = addresses.to_vec();
        if self == Self::Dns64 && !validates && !addresses.iter().any(IpAddr::is_ipv6) {
            all.extend(addresses.iter().filter_map(|address| match address {
                IpAddr::V4(address) => Some(IpAddr::V6(embed(*address))),
                IpAddr::V6(_) => None,
            }));
        }
        all
    }
}

impl Reply<'_> {
    const fn silence() -> Self {
        Self { bytes: None, told: None }
    }

    fn error(header: Header, code: ResponseCode) -> Self {
        let mut message = Message::response(header.id(), header.op_code());
        message.metadata.recursion_desired = header.recursion_desired();
        message.metadata.recursion_available = true;
        message.metadata.response_code = code;
        Self { bytes: message.to_vec().ok(), told: None }
    }
}

/// The first four bytes of a message's header, read even where the rest is broken (RFC 1035 section 4.1.1).
#[derive(Clone, Copy)]
struct Header([u8; 4]);

impl Header {
    fn read(message: &[u8]) -> Option<Self> {
        (message.len() >= HEADER_LENGTH).then(|| message.first_chunk().copied().map(Self)).flatten()
    }

    fn id(self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }

    fn is_response(self) -> bool {
        self.0[2] & 0x80 != 0
    }

    fn op_code(self) -> OpCode {
        OpCode::from_u8((self.0[2] >> 3) & 0x0f)
    }

    fn recursion_desired(self) -> bool {
        self.0[2] & 0x01 != 0
    }
}

/// A type's name; of one without a name its number (RFC 3597 section 5).
fn type_name(kind: RecordType) -> String {
    match kind {
        RecordType::Unknown(number) => format!("TYPE{number}"),
        known => known.to_string(),
    }
}

/// What the zone knows.
fn truth(query: &Message, question: &Query, zone: &Zone, synthesis: Synthesis, own: &[IpAddr]) -> Message {
    let mut response = response_to(query, question);
    // RFC 6891 section 6.1.3.
    if query.edns.as_ref().is_some_and(|edns| edns.version() > 0) {
        response.metadata.response_code = ResponseCode::BADVERS;
        return response;
    }
    let transfer = matches!(question.query_type(), RecordType::AXFR | RecordType::IXFR);
    if transfer || question.query_class() != DNSClass::IN {
        response.metadata.response_code = ResponseCode::Refused;
        return response;
    }
    match zone.lookup(&question.name().to_ascii()) {
        Meaning::Addresses(addresses) => {
            add_addresses(&mut response, question, &synthesis.applied(query, addresses), TTL);
        }
        Meaning::Whoami => {
            let own: Vec<IpAddr> = own.iter().copied().filter(IpAddr::is_ipv4).collect();
            add_addresses(&mut response, question, &own, TTL);
        }
        Meaning::Empty => {}
        Meaning::Unknown => response.metadata.response_code = ResponseCode::NXDomain,
    }
    if response.answers.is_empty() {
        response.add_authority(start_of_authority());
    }
    response
}

/// What a lie says. Whether real ones carry an SOA is not known; these do not.
fn forged(query: &Message, question: &Query, forgery: &DnsForgery, synthesis: Synthesis) -> Message {
    let mut response = response_to(query, question);
    response.metadata.authoritative = forgery.authoritative;
    response.metadata.response_code = ResponseCode::from_low(forgery.rcode & 0x0f);
    add_addresses(&mut response, question, &synthesis.applied(query, &forgery.addresses), forgery.ttl);
    response
}

fn response_to(query: &Message, question: &Query) -> Message {
    let mut response = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
    response.metadata = Metadata::response_from_request(&query.metadata);
    response.metadata.recursion_available = true;
    response.add_query(question.clone());
    if query.edns.is_some() {
        let mut edns = Edns::new();
        edns.set_max_payload(LARGEST_UDP);
        response.set_edns(edns);
    }
    response
}

/// The addresses of the asked family; of both where anything is asked for (RFC 8482).
fn add_addresses(response: &mut Message, question: &Query, addresses: &[IpAddr], ttl: u32) {
    for address in addresses {
        let (kind, data) = match address {
            IpAddr::V4(address) => (RecordType::A, RData::A((*address).into())),
            IpAddr::V6(address) => (RecordType::AAAA, RData::AAAA((*address).into())),
        };
        if question.query_type() == kind || question.query_type() == RecordType::ANY {
            response.add_answer(Record::from_rdata(question.name().clone(), ttl, data));
        }
    }
}

/// The lab is one zone whose apex is the root.
fn start_of_authority() -> Record {
    let label = |label: &'static str| Name::root().prepend_label(label).unwrap_or_else(|_| Name::root());
    let soa = SOA::new(label("roadblock"), label("nobody"), 1, 1800, 900, 604_800, TTL);
    Record::from_rdata(Name::root(), TTL, RData::SOA(soa))
}

/// How long an answer may be: over UDP what the client says it takes, within reason, and 512 bytes where it says
/// nothing.
fn size_limit(query: &Message, transport: Transport) -> usize {
    match (transport, &query.edns) {
        (Transport::Tcp, _) => usize::from(u16::MAX),
        (Transport::Udp, Some(edns)) => usize::from(edns.max_payload().clamp(SMALLEST_UDP, LARGEST_UDP)),
        (Transport::Udp, None) => usize::from(SMALLEST_UDP),
    }
}

/// The message as bytes; without its records and with TC where it does not fit, so that the client comes back by TCP.
fn fit(message: &Message, limit: usize) -> Option<Vec<u8>> {
    let bytes = message.to_vec().ok()?;
    if bytes.len() <= limit {
        return Some(bytes);
    }
    message.truncate().to_vec().ok()
}

/// RFC 1035 section 4.1.1.
const HEADER_LENGTH: usize = 12;
/// RFC 1035 section 4.2.1.
const SMALLEST_UDP: u16 = 512;
/// What resolvers have offered since the flag day of 2020, lest an answer be fragmented.
const LARGEST_UDP: u16 = 1232;
/// Short, because a phase may change what a resolver says.
const TTL: u32 = 60;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hickory_proto::op::Query;
    use proptest::prelude::*;
    use roadblock_censor::policy::Grade;
    use roadblock_censor::{NamePattern, NameSet};
    use roadblock_scenarios::model::{Host, Service};

    use super::*;

    fn zone() -> Zone {
        let many = (1..=60).map(|last| format!("2a03:2880::{last}").parse().expect("an address")).collect();
        let host = |name: &str, addresses| Host { names: vec![name.to_owned()], addresses, ..Host::default() };
        let both = ["57.144.245.32", "2a03:2880:f377::167"].map(|address| address.parse().expect("an address"));
        let old = host("old.example", vec![[1, 2, 3, 4].into()]);
        let hosts = vec![host("web.whatsapp.com", both.to_vec()), host("many.example", many), old];
        Zone::new(&[Service { id: "services/test".into(), title: String::new(), hosts, targets: Vec::new() }])
    }

    fn lies(answer: LieAnswer) -> Vec<Lie> {
        let names = NameSet::from_iter([NamePattern::Domain("whatsapp.com".to_owned())]);
        let facts = vec![Arc::from("RU-NSDI-1")];
        vec![Lie { id: "lies.0".into(), names, answer, facts, grade: Grade::Measured }]
    }

    fn query(name: &str, kind: RecordType) -> Message {
        let mut message = Message::query();
        message.metadata.id = 0xbeef;
        message.metadata.recursion_desired = true;
        message.add_query(Query::query(Name::from_ascii(name).expect("a name"), kind));
        message
    }

    fn ask(message: &Message, transport: Transport, lies: &[Lie]) -> Message {
        let bytes = message.to_vec().expect("a query");
        let reply = answer(&bytes, transport, &zone(), lies).bytes.expect("an answer");
        Message::from_vec(&reply).expect("a message")
    }

    fn code_of(bytes: &[u8]) -> Option<ResponseCode> {
        let reply = answer(bytes, Transport::Udp, &zone(), &[]).bytes?;
        Some(Message::from_vec(&reply).expect("a message").metadata.response_code)
    }

    #[test]
    fn a_name_is_answered_by_a_recursive_resolver() {
        let response = ask(&query("wEb.wHaTsApP.cOm.", RecordType::A), Transport::Udp, &[]);
        assert_eq!(response.metadata.id, 0xbeef);
        assert!(response.metadata.recursion_available && response.metadata.recursion_desired);
        assert!(!response.metadata.authoritative && !response.metadata.truncation);
        assert_eq!(response.queries[0].name().to_ascii(), "wEb.wHaTsApP.cOm.");
        assert_eq!(response.answers.len(), 1);
        assert_eq!(response.answers[0].name.to_ascii(), "wEb.wHaTsApP.cOm.");
        assert_eq!(response.answers[0].data.to_string(), "57.144.245.32");
    }

    #[test]
    fn a_negative_answer_carries_the_zones_soa() {
        let other_type = ask(&query("web.whatsapp.com.", RecordType::TXT), Transport::Udp, &[]);
        assert_eq!(other_type.metadata.response_code, ResponseCode::NoError);
        let unknown = ask(&query("no.such.example.", RecordType::A), Transport::Udp, &[]);
        assert_eq!(unknown.metadata.response_code, ResponseCode::NXDomain);
        for response in [other_type, unknown] {
            assert!(response.answers.is_empty());
            assert_eq!(response.authorities[0].record_type(), RecordType::SOA);
        }
    }

    #[test]
    fn an_answer_that_does_not_fit_is_truncated() {
        let mut message = query("many.example.", RecordType::AAAA);
        let plain = ask(&message, Transport::Udp, &[]);
        assert!(plain.metadata.truncation && plain.answers.is_empty() && plain.edns.is_none());
        assert_eq!(ask(&message, Transport::Tcp, &[]).answers.len(), 60);

        let mut edns = Edns::new();
        edns.set_max_payload(4096);
        message.set_edns(edns);
        let extended = ask(&message, Transport::Udp, &[]);
        assert!(extended.metadata.truncation);
        assert_eq!(extended.edns.map(|edns| edns.max_payload()), Some(1232));
    }

    #[test]
    fn a_lie_is_told_about_its_names_only() {
        let addresses = vec!["10.10.34.35".parse().expect("an address")];
        let forgery = DnsForgery { rcode: 0, addresses, ttl: 300, authoritative: true };
        let lies = lies(LieAnswer::Forged(forgery));
        let response = ask(&query("Web.WhatsApp.com.", RecordType::A), Transport::Udp, &lies);
        assert_eq!(response.answers[0].data.to_string(), "10.10.34.35");
        assert_eq!(response.answers[0].ttl, 300);
        assert!(response.metadata.authoritative);
        let other_family = ask(&query("web.whatsapp.com.", RecordType::AAAA), Transport::Udp, &lies);
        assert!(other_family.answers.is_empty());
        assert_eq!(ask(&query("many.example.", RecordType::AAAA), Transport::Tcp, &lies).answers.len(), 60);
    }

    fn ask_dns64(name: &str, kind: RecordType, lies: &[Lie]) -> Vec<String> {
        let bytes = query(name, kind).to_vec().expect("a query");
        let reply = answer_with(&bytes, Transport::Tcp, &zone(), lies, Synthesis::Dns64, &[]).bytes.expect("an answer");
        let message = Message::from_vec(&reply).expect("a message");
        message.answers.iter().map(|answer| answer.data.to_string()).collect()
    }

    /// RFC 6147 section 5.1: where there is an address of IPv6 none is made up; a lie's are made up too.
    #[test]
    fn dns64_says_where_ipv4_is_in_ipv6() {
        assert_eq!(ask_dns64("old.example.", RecordType::AAAA, &[]), ["64:ff9b::102:304"]);
        assert_eq!(ask_dns64("old.example.", RecordType::A, &[]), ["1.2.3.4"]);
        assert_eq!(ask_dns64("web.whatsapp.com.", RecordType::AAAA, &[]), ["2a03:2880:f377::167"]);
        assert!(ask_dns64("no.such.example.", RecordType::AAAA, &[]).is_empty());
        let addresses = vec!["10.10.34.35".parse().expect("an address")];
        let forgery = DnsForgery { rcode: 0, addresses, ttl: 300, authoritative: true };
        let lies = lies(LieAnswer::Forged(forgery));
        assert_eq!(ask_dns64("web.whatsapp.com.", RecordType::AAAA, &lies), ["64:ff9b::a0a:2223"]);
    }

    #[test]
    fn a_lie_says_what_it_was_told_about() {
        let lies = lies(LieAnswer::Silence);
        let bytes = query("Web.WhatsApp.COM.", RecordType::AAAA).to_vec().expect("a query");
        let zone = zone();
        let reply = answer(&bytes, Transport::Udp, &zone, &lies);
        assert!(reply.bytes.is_none());
        let told = reply.told.expect("a lie");
        assert_eq!((&*told.lie.id, told.matched.as_str()), ("lies.0", "query AAAA web.whatsapp.com"));
        assert_eq!([RecordType::HTTPS, RecordType::Unknown(4711)].map(type_name), ["HTTPS", "TYPE4711"]);
    }

    #[test]
    fn what_is_no_query_is_refused_or_ignored() {
        let good = query("web.whatsapp.com.", RecordType::A).to_vec().expect("a query");
        assert_eq!(code_of(&good[..11]), None);
        assert_eq!(code_of(&good[..20]), Some(ResponseCode::FormErr));
        let changed = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            code_of(&bytes)
        };
        assert_eq!(changed(2, 0x80), None);
        assert_eq!(changed(2, 0x28), Some(ResponseCode::NotImp));
        assert_eq!(changed(5, 0), Some(ResponseCode::FormErr));
        let class = good.len() - 1;
        assert_eq!(changed(class, 3), Some(ResponseCode::Refused));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered_or_ignored(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            for transport in [Transport::Udp, Transport::Tcp] {
                let _ = answer(&bytes, transport, &zone(), &lies(LieAnswer::Silence));
            }
        }

        #[test]
        fn a_broken_query_is_answered_within_the_limit_or_ignored(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut bytes = query("many.example.", RecordType::AAAA).to_vec().expect("a query");
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Some(reply) = answer(&bytes, Transport::Udp, &zone(), &[]).bytes {
                prop_assert!(reply.len() <= 1232);
                prop_assert_eq!(&reply[..2], &bytes[..2]);
            }
        }
    }
}
