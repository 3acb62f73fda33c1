//! What a censor reads in DNS, asked of the whole machine.

use crate::support::*;
use roadblock_censor::policy::{Condition, Content, DnsQuestion, Fate, Reassembly, Rule, TcpPolicy};
use roadblock_censor::wire::dns::record;
use roadblock_censor::{Direction, NameSet, PrefixSet, Verdict};

const HTTPS_QUERY: &[u8] = include_bytes!("../data/kdig-query-https.bin");
const HTTPS_ANSWER: &[u8] = include_bytes!("../data/dnsmasq-answer-https.bin");
const CNAME_ANSWER: &[u8] = include_bytes!("../data/dnsmasq-answer-cname.bin");
const STREAM_QUERIES: &[u8] = include_bytes!("../data/kdig-stream-queries.bin");
const STREAM_ANSWERS: &[u8] = include_bytes!("../data/dnsmasq-stream-answers.bin");

fn drops_datagram(question: DnsQuestion, direction: Direction, payload: &[u8]) -> bool {
    let when = Condition::Content(Content::Dns(question));
    let mut world = World::new(policy([in_path(vec![Rule { trigger: fate(Fate::Drop), ..rule("dns", when) }])]));
    world.send(direction, &datagram(direction, 5353, 53, payload)) == Verdict::Drop
}

fn prefix(text: &str) -> PrefixSet {
    [text.parse().expect("a prefix")].into_iter().collect()
}

/// GFW-DNS-5: only the name of a query with one question counts; other questions see types, answers and names anywhere.
#[test]
fn gfw_dns_5_questions_over_udp() {
    let name = |text| DnsQuestion::Name(names(&[text]));
    assert!(drops_datagram(name("instagram.com"), Outbound, INSTAGRAM_QUERY));
    assert!(!drops_datagram(name("other.com"), Outbound, INSTAGRAM_QUERY));
    assert!(!drops_datagram(name("example.org"), Inbound, CNAME_ANSWER), "an answer is no query");
    let mut two = INSTAGRAM_QUERY.to_vec();
    two[5] = 2;
    assert!(!drops_datagram(name("instagram.com"), Outbound, &two), "two questions");
    let any = |text| DnsQuestion::AnyName(names(&[text]));
    assert!(drops_datagram(any("real.example.net"), Inbound, CNAME_ANSWER), "the target of an alias");
    assert!(drops_datagram(any("svc.example.net"), Inbound, HTTPS_ANSWER), "the target of an HTTPS record");
    assert!(drops_datagram(any("instagram.com"), Outbound, INSTAGRAM_QUERY));
    assert!(!drops_datagram(any("other.com"), Inbound, CNAME_ANSWER));
    let https = || DnsQuestion::Type(vec![record::HTTPS]);
    assert!(drops_datagram(https(), Outbound, HTTPS_QUERY) && !drops_datagram(https(), Outbound, INSTAGRAM_QUERY));
    assert!(drops_datagram(DnsQuestion::Answer, Inbound, CNAME_ANSWER));
    assert!(!drops_datagram(DnsQuestion::Answer, Outbound, INSTAGRAM_QUERY));
    assert!(drops_datagram(DnsQuestion::Query, Outbound, INSTAGRAM_QUERY));
    assert!(!drops_datagram(DnsQuestion::Query, Outbound, b"no DNS at all"));
    let address = |text| DnsQuestion::Address(prefix(text));
    assert!(drops_datagram(address("192.0.2.0/24"), Inbound, CNAME_ANSWER));
    assert!(!drops_datagram(address("198.51.100.0/24"), Inbound, CNAME_ANSWER));
}

/// Every datagram of a flow is read, however many came before it (GFW-DNS-1).
#[test]
fn gfw_dns_1_every_query_is_read() {
    let when = Condition::qname(names(&["instagram.com"]));
    let mut world = World::new(policy([in_path(vec![Rule { trigger: fate(Fate::Drop), ..rule("dns", when) }])]));
    for _ in 0..20 {
        assert_ne!(world.send(Outbound, &datagram(Outbound, 5353, 53, HTTPS_QUERY)), Verdict::Drop);
        assert_eq!(world.send(Outbound, &datagram(Outbound, 5353, 53, INSTAGRAM_QUERY)), Verdict::Drop);
    }
}

/// What is dropped of a connection to port 53 on which these segments are sent, the client's and then the server's.
fn dropped_of_stream(question: DnsQuestion, reassembly: Reassembly, client: &[&[u8]], server: &[&[u8]]) -> Vec<bool> {
    let when = Condition::Content(Content::DnsOverTcp(question));
    let mut each = in_path(vec![Rule { trigger: fate(Fate::Drop), ..rule("dns", when) }]);
    each.tcp = TcpPolicy { reassembly, ..TcpPolicy::default() };
    let mut world = World::new(policy([each]));
    let mut connection = Connection { server: ([8, 8, 8, 8].into(), 53), ..Connection::new(4000) };
    for (direction, flags) in [(Outbound, SYN), (Inbound, SYN_ACK), (Outbound, ACK)] {
        let segment = connection.segment(direction, flags, &[]);
        world.send(direction, &segment);
    }
    let both = client.iter().map(|payload| (Outbound, payload)).chain(server.iter().map(|payload| (Inbound, payload)));
    let sent = both.map(|(direction, payload)| {
        let segment = connection.segment(direction, DATA, payload);
        world.send(direction, &segment) == Verdict::Drop
    });
    sent.collect()
}

/// GFW-DNS-5, GFW-SNI-4: queries over TCP are read in one segment, several in one, or in pieces by who puts them together;
/// each is judged in the packets that carry it.
#[test]
fn gfw_dns_5_queries_over_tcp() {
    let (first, second) = STREAM_QUERIES.split_at(33);
    let listed = || DnsQuestion::Name(names(&["instagram.com"]));
    for reassembly in [Reassembly::None, Reassembly::Full] {
        let drops = |question, client: &[&[u8]]| dropped_of_stream(question, reassembly, client, &[]);
        assert_eq!(drops(listed(), &[STREAM_QUERIES]), [true]);
        assert_eq!(drops(listed(), &[first, second]), [true, true]);
        let aaaa = || DnsQuestion::Type(vec![record::AAAA]);
        assert_eq!(drops(aaaa(), &[first, second]), [false, true], "{reassembly:?}");
        assert_eq!(drops(aaaa(), &[STREAM_QUERIES]), [true], "the second of two in a segment");
        assert_eq!(drops(listed(), &[INSTAGRAM_HELLO]), [false]);
    }
    let pieces: Vec<&[u8]> = first.chunks(9).collect();
    assert_eq!(dropped_of_stream(listed(), Reassembly::Full, &pieces, &[]), [false, false, false, true]);
    assert_eq!(dropped_of_stream(listed(), Reassembly::None, &pieces, &[]), [false; 4]);
}

/// Answers over TCP, by the addresses and the names in them.
#[test]
fn answers_over_tcp() {
    let (first, second) = STREAM_ANSWERS.split_at(49);
    let dropped = |question| dropped_of_stream(question, Reassembly::Full, &[STREAM_QUERIES], &[first, second]);
    assert_eq!(dropped(DnsQuestion::Address(prefix("157.240.0.0/16"))), [false, true, false]);
    assert_eq!(dropped(DnsQuestion::Address(prefix("2a03:2880::/32"))), [false, false, true]);
    assert_eq!(dropped(DnsQuestion::Answer), [false, true, true]);
    assert_eq!(dropped(DnsQuestion::AnyName(names(&["instagram.com"]))), [true, true, true]);
    assert_eq!(dropped(DnsQuestion::AnyName(NameSet::default())), [false; 3]);
}

/// A question over UDP has nothing to do with TCP, nor the other way round: that is what asking by TCP evades.
#[test]
fn each_transport_alone() {
    let listed = || DnsQuestion::Name(names(&["instagram.com"]));
    let mut world = World::new(policy([in_path(vec![Rule {
        trigger: fate(Fate::Drop),
        ..rule("dns", Condition::Content(Content::Dns(listed())))
    }])]));
    let mut connection = Connection { server: ([8, 8, 8, 8].into(), 53), ..Connection::new(4000) };
    for (flags, payload) in [(SYN, &[][..]), (DATA, STREAM_QUERIES)] {
        let segment = connection.segment(Outbound, flags, payload);
        assert_ne!(world.send(Outbound, &segment), Verdict::Drop);
    }
    let when = Condition::Content(Content::DnsOverTcp(listed()));
    let mut world = World::new(policy([in_path(vec![Rule { trigger: fate(Fate::Drop), ..rule("dns", when) }])]));
    assert_ne!(world.send(Outbound, &datagram(Outbound, 5353, 53, INSTAGRAM_QUERY)), Verdict::Drop);
}
