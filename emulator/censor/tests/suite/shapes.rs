//! What injected packets look like, and that the ends believe them.

use std::collections::BTreeSet;

use etherparse::{NetSlice, SlicedPacket, TcpHeader, TransportSlice};
use roadblock_censor::event::EventKind;
use roadblock_censor::outbox::{Injection as Made, Toward};
use roadblock_censor::policy::{
    BoxPolicy, BytePrefix, Condition, Corrupt, DnsForgery, DnsInjection, Fate, FlowPolicy, HttpAnswer, Injection,
    InjectionKind, IpShape, Number, Pick, Recipient, Rejection, Residual, Response, Rewrite, Rule, SegmentShape,
    TcpFlags, TrackFrom,
};
use roadblock_censor::wire::dns::{Message, record};
use roadblock_censor::{Censor, Verdict};

use crate::support::*;
use Toward::{Inside, Outside};

/// What curl sends.
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: www.instagram.com\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n\r\n";

/// Whatever begins as a request does.
fn is_request() -> Condition {
    Condition::starts(vec![BytePrefix { offset: 0, bytes: b"GET ".to_vec() }])
}

fn at_once(kind: InjectionKind) -> Injection {
    kind.into()
}

fn with(shape: SegmentShape) -> Injection {
    InjectionKind::Segment(shape).into()
}

fn request_rule(fate: Fate, inject: Vec<Injection>) -> Rule {
    Rule { trigger: Response { fate, inject }, ..rule("http", is_request()) }
}

/// A connection that was opened and asks for a page; what the box makes of the request.
fn ask(world: &mut World) -> (Connection, Verdict) {
    ask_from(world, 4000)
}

fn ask_from(world: &mut World, client_port: u16) -> (Connection, Verdict) {
    let mut connection = Connection::new(client_port);
    world.open(&mut connection);
    world.clear();
    let request = connection.segment(Outbound, DATA, REQUEST);
    let id = world.offer(Outbound, &request);
    world.poll_all();
    let verdict = world.verdict(id).expect("a verdict");
    (connection, verdict)
}

/// The headers and the payload of a packet that was made, read by other people's code.
struct Read {
    toward: Toward,
    ttl: u8,
    id: u16,
    dont_fragment: bool,
    tcp: Option<TcpHeader>,
    payload: Vec<u8>,
}

fn read(made: &Made) -> Read {
    assert_sound(&made.bytes);
    let sliced = SlicedPacket::from_ip(&made.bytes).expect("etherparse reads it");
    let Some(NetSlice::Ipv4(ip)) = sliced.net else { panic!("IPv4") };
    let ip = ip.header();
    let (tcp, payload) = match sliced.transport.expect("a transport header") {
        TransportSlice::Tcp(tcp) => (Some(tcp.to_header()), tcp.payload().to_vec()),
        TransportSlice::Udp(udp) => (None, udp.payload().to_vec()),
        TransportSlice::Icmpv4(icmp) => (None, icmp.slice().to_vec()),
        TransportSlice::Icmpv6(_) => panic!("IPv4"),
    };
    let (ttl, id, dont_fragment) = (ip.ttl(), ip.identification(), ip.dont_fragment());
    Read { toward: made.toward, ttl, id, dont_fragment, tcp, payload }
}

fn read_all(world: &World) -> Vec<Read> {
    world.injections().into_iter().map(read).collect()
}

/// Flags as letters.
fn letters(tcp: &TcpHeader) -> String {
    let all = [(tcp.fin, 'F'), (tcp.syn, 'S'), (tcp.rst, 'R'), (tcp.psh, 'P'), (tcp.ack, 'A')];
    all.iter().filter(|(set, _)| *set).map(|(_, letter)| *letter).collect()
}

/// GFW-HTTP-2: a reset without ACK and three with it, at X, X + 1460 and X + 4380 of what each end expects next, whose TTL
/// and window go up one by one; both ends get them, each in the other's name. GFW-RST-CLASSIC is the same without ACK.
#[test]
fn gfw_http_2_bursts_to_both_ends() {
    for (flags, letters_of_burst) in [(TcpFlags::RST_ACK, "RA"), (TcpFlags::RST, "R")] {
        for delay in [millis(0), millis(1)] {
            let first = SegmentShape { to: Recipient::Both, window: Number::RANDOM, ..SegmentShape::default() };
            let first =
                Injection { ip: IpShape { ttl: Number::RANDOM_TTL, ..IpShape::default() }, delay, ..with(first) };
            let burst = SegmentShape {
                to: Recipient::Both,
                flags,
                at: vec![0, 1460, 4380],
                window: Number::Cycle(100..=200),
                ..SegmentShape::default()
            };
            let ip = IpShape { ttl: Number::Cycle(60..=100), ..IpShape::default() };
            let burst = Injection { ip, delay, ..with(burst) };
            let mut world = World::new(policy([on_path(vec![request_rule(Fate::Pass, vec![first, burst])])]));
            let (connection, verdict) = ask(&mut world);
            assert_eq!(verdict, Verdict::Pass);
            let all = read_all(&world);
            let sides: Vec<_> = all.iter().map(|read| read.toward).collect();
            assert_eq!(sides, [Inside, Outside, Inside, Inside, Inside, Outside, Outside, Outside]);
            let expected = |side| match side {
                Inside => (50_001, connection.client_next),
                // What arrives before the request must not count it.
                Outside if delay.is_zero() => (1001, 50_001),
                Outside => (connection.client_next, 50_001),
            };
            let tcp = |read: &Read| read.tcp.clone().expect("a segment");
            for read in &all[..2] {
                assert_eq!((tcp(read).sequence_number, letters(&tcp(read)).as_str()), (expected(read.toward).0, "R"));
            }
            for (index, read) in all[2..].iter().enumerate() {
                let (tcp, (next, acknowledged)) = (tcp(read), expected(read.toward));
                assert_eq!(tcp.sequence_number, next + [0, 1460, 4380][index % 3]);
                assert_eq!(letters(&tcp), letters_of_burst);
                assert_eq!(tcp.acknowledgment_number, if tcp.ack { acknowledged } else { 0 });
                assert_eq!((read.ttl, tcp.window_size), (60 + index as u8, 100 + index as u16));
                let ports = if read.toward == Inside { (443, 4000) } else { (4000, 443) };
                assert_eq!((tcp.source_port, tcp.destination_port), ports);
                assert!(read.payload.is_empty());
            }
        }
    }
}

/// GFW-RST-CLASSIC: three resets without ACK each way, 1460 bytes apart and then twice that, whatever the packet's way.
#[test]
fn gfw_rst_classic_whichever_way_it_goes() {
    let shape = SegmentShape { to: Recipient::Both, at: vec![0, 1460, 4380], ..SegmentShape::default() };
    let inject = vec![Injection { delay: millis(1), ..with(shape) }];
    let trigger = Response { fate: Fate::Pass, inject };
    let long = Condition::All(vec![
        Condition::Direction(Inbound),
        Condition::Packet(roadblock_censor::policy::PacketQuestion::PayloadLength { least: 1000, most: u16::MAX }),
    ]);
    let mut world = World::new(policy([on_path(vec![Rule { trigger, ..rule("answer", long) }])]));
    let mut connection = Connection::new(4000);
    for (direction, flags) in [(Outbound, SYN), (Inbound, SYN_ACK), (Outbound, ACK)] {
        let segment = connection.segment(direction, flags, &[]);
        world.offer(direction, &segment);
    }
    let answer = connection.segment(Inbound, DATA, &[b'x'; 1200]);
    world.offer(Inbound, &answer);
    world.poll_all();
    let numbers: Vec<_> = read_all(&world)
        .iter()
        .map(|read| {
            let tcp = read.tcp.as_ref().expect("a segment");
            assert_eq!((letters(tcp).as_str(), tcp.acknowledgment_number), ("R", 0));
            (read.toward, tcp.sequence_number)
        })
        .collect();
    // The client has got the answer when its resets come; the server has got nothing new.
    let to_client = [0, 1460, 4380].map(|at| (Inside, 50_001 + 1200 + at));
    let to_server = [0, 1460, 4380].map(|at| (Outside, 1001 + at));
    assert_eq!(numbers, [to_client, to_server].concat());
}

/// GFW-HTTP-2: numbers that are drawn are the same on every run of a seed, and others for another seed.
#[test]
fn gfw_http_2_random_numbers_are_reproducible() {
    let shape = SegmentShape { to: Recipient::Client, window: Number::RANDOM, ..SegmentShape::default() };
    let ip = IpShape { ttl: Number::RANDOM_TTL, id: Number::RANDOM, dont_fragment: false };
    let drawn = |seed| {
        let inject = vec![Injection { ip: ip.clone(), ..with(shape.clone()) }];
        let mut world = World::of(Censor::new(policy([on_path(vec![request_rule(Fate::Pass, inject)])]), seed));
        (4000..4020)
            .map(|client_port| {
                ask_from(&mut world, client_port);
                let read = &read_all(&world)[0];
                (read.ttl, read.id, read.tcp.as_ref().map(|tcp| tcp.window_size))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
    let ids: BTreeSet<_> = drawn(1).into_iter().map(|(ttl, id, _)| (ttl, id)).collect();
    assert_eq!(ids.len(), 20);
    assert!(ids.iter().all(|(ttl, _)| *ttl >= 48));
}

/// HEN-1: one RST with ACK to the client alone, on a `ClientHello` without any handshake, with ten bytes of payload,
/// identification 1 and a TTL of 58.
#[test]
fn hen_1_a_reset_with_a_payload() {
    let payload = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0];
    let shape = SegmentShape { flags: TcpFlags::RST_ACK, payload: payload.into(), ..SegmentShape::default() };
    let ip = IpShape { ttl: Number::Fixed(58), id: Number::Fixed(1), dont_fragment: true };
    let trigger = Response { fate: Fate::Pass, inject: vec![Injection { ip, ..with(shape) }] };
    let flow = FlowPolicy { from: TrackFrom::Any, ..FlowPolicy::default() };
    let rules = vec![Rule { trigger, ..rule("sni", sni(&["whatsapp.com"])) }];
    let mut world = World::new(policy([BoxPolicy { flow, ..on_path(rules) }]));
    let hello = Connection::new(4000).segment(Outbound, DATA, WHATSAPP_HELLO);
    world.send(Outbound, &hello);
    let [read] = &read_all(&world)[..] else { panic!("one packet") };
    let tcp = read.tcp.as_ref().expect("a segment");
    assert_eq!((read.toward, read.ttl, read.id, read.payload.as_slice()), (Inside, 58, 1, &payload[..]));
    assert_eq!((letters(tcp).as_str(), tcp.sequence_number), ("RA", 50_000));
    assert_eq!(tcp.acknowledgment_number, 1000 + WHATSAPP_HELLO.len() as u32);
}

/// IN-1: a page with FIN and identification 242, then a reset in its place after the page; the request passes.
#[test]
fn in_1_a_page_then_a_reset() {
    let page = HttpAnswer { status: 200, location: None, body: b"<iframe src=\"http://www.airtel.in/dot/\">".to_vec() };
    let ip = IpShape { id: Number::Fixed(242), ..IpShape::default() };
    let notice = Injection { ip: ip.clone(), ..at_once(InjectionKind::http(Recipient::Client, &page)) };
    let reset = Injection { ip, ..at_once(InjectionKind::reset(Recipient::Client, TcpFlags::RST_ACK)) };
    let mut world = World::new(policy([on_path(vec![request_rule(Fate::Pass, vec![notice, reset])])]));
    let (connection, verdict) = ask(&mut world);
    assert_eq!(verdict, Verdict::Pass);
    let [notice, reset] = &read_all(&world)[..] else { panic!("two packets") };
    let tcp = notice.tcp.as_ref().expect("a segment");
    assert_eq!((notice.id, letters(tcp).as_str()), (242, "FPA"));
    assert_eq!((tcp.sequence_number, tcp.acknowledgment_number), (50_001, connection.client_next));
    let text = String::from_utf8(notice.payload.clone()).expect("text");
    assert!(
        text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("\r\n\r\n<iframe src=\"http://www.airtel.in/dot/\">")
    );
    let after = reset.tcp.as_ref().expect("a segment");
    assert_eq!((reset.id, letters(after).as_str()), (242, "RA"));
    assert_eq!(after.sequence_number, 50_001 + notice.payload.len() as u32 + 1, "the page and its FIN are counted");
}

/// IR-HTTP-1: a 403 with FIN, PSH and ACK and a reset with PSH in place of the swallowed request. The client takes the page
/// for the server's: it stands where the answer would, and acknowledges the whole request.
#[test]
fn ir_http_1_a_page_instead_of_the_answer() {
    let page = HttpAnswer { status: 403, location: None, body: b"<iframe src=\"http://10.10.34.34\">".to_vec() };
    let reset = TcpFlags(TcpFlags::RST_ACK.0 | TcpFlags::PSH.0);
    let inject = vec![
        at_once(InjectionKind::http(Recipient::Client, &page)),
        at_once(InjectionKind::reset(Recipient::Client, reset)),
    ];
    let rules = vec![Rule { residuals: vec![dropped_for(180)], ..request_rule(Fate::Drop, inject) }];
    let mut world = World::new(policy([in_path(rules)]));
    let (mut connection, verdict) = ask(&mut world);
    assert_eq!(verdict, Verdict::Drop);
    let all = read_all(&world);
    let flags: Vec<_> = all.iter().map(|read| letters(read.tcp.as_ref().expect("a segment"))).collect();
    assert_eq!(flags, ["FPA", "RPA"]);
    let tcp = all[0].tcp.as_ref().expect("a segment");
    assert_eq!((tcp.sequence_number, tcp.acknowledgment_number), (50_001, connection.client_next));
    assert_ne!(tcp.window_size, 0, "a window of zero would stall the client");
    assert!(all[0].payload.starts_with(b"HTTP/1.1 403 Forbidden\r\n"));
    world.clear();
    let again = connection.segment(Outbound, DATA, b"more");
    assert_eq!(world.send(Outbound, &again), Verdict::Drop);
}

/// KZ-2: a page that is longer than a segment comes in several, one after the other, of which the last has FIN and PSH.
#[test]
fn kz_2_a_long_page_is_cut() {
    let body: Vec<u8> = (0..5000u32).map(|index| b'a' + (index % 26) as u8).collect();
    let page = HttpAnswer { status: 200, location: Some("http://92.63.88.128/?NTDzLZ".to_owned()), body };
    let inject = vec![at_once(InjectionKind::http(Recipient::Client, &page))];
    let mut world = World::new(policy([in_path(vec![request_rule(Fate::Drop, inject)])]));
    ask(&mut world);
    let all = read_all(&world);
    assert_eq!(all.len(), 4);
    let (mut next, mut received) = (50_001, Vec::<u8>::new());
    for (index, read) in all.iter().enumerate() {
        let tcp = read.tcp.as_ref().expect("a segment");
        assert_eq!((tcp.sequence_number, letters(tcp).as_str()), (next, if index == 3 { "FPA" } else { "A" }));
        next += read.payload.len() as u32;
        received.extend(&read.payload);
    }
    assert_eq!(received, page.to_bytes());
    assert!(world.injections().iter().all(|made| made.bytes.len() <= 1500));
}

/// The server counts what it got of a packet that was changed on its way, not what was sent: a reset that comes after a
/// request without its payload stands where the request began.
#[test]
fn resets_reckon_with_what_was_stripped() {
    let strip = Rewrite { strip_payload: true, ..Rewrite::default() };
    let reset = Injection { delay: millis(1), ..InjectionKind::reset(Recipient::Server, TcpFlags::RST_ACK).into() };
    let mut world = World::new(policy([in_path(vec![request_rule(Fate::Rewrite(strip), vec![reset])])]));
    let (_, verdict) = ask(&mut world);
    assert!(matches!(verdict, Verdict::Replace(_)));
    let [read] = &read_all(&world)[..] else { panic!("one packet") };
    assert_eq!(read.tcp.as_ref().map(|tcp| tcp.sequence_number), Some(1001));
}

/// TSPU-RSTACK: the reset that the server's packet becomes acknowledges something odd, which conntrack throws away.
#[test]
fn tspu_rstack_odd_acknowledgement() {
    let rewrite = Rewrite {
        tcp_flags: Some(TcpFlags::RST_ACK),
        strip_payload: true,
        acknowledgement: -77,
        window: Some(0),
        ttl: Some(61),
    };
    let residual = Residual { inbound: fate(Fate::Rewrite(rewrite)), ..dropped_for(75) };
    let rules = vec![Rule { residuals: vec![residual], ..rule("sni", sni(&["whatsapp.com"])) }];
    let mut world = World::new(policy([in_path(rules)]));
    let mut connection = Connection::new(4000);
    world.open(&mut connection);
    let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
    world.send(Outbound, &hello);
    let answer = connection.segment(Inbound, DATA, b"ServerHello");
    let Verdict::Replace(bytes) = world.send(Inbound, &answer) else { panic!("it is rewritten") };
    let read = read(&Made { toward: Inside, bytes });
    let tcp = read.tcp.expect("a segment");
    assert_eq!((letters(&tcp).as_str(), tcp.window_size, read.ttl), ("RA", 0, 61));
    assert_eq!((tcp.sequence_number, tcp.acknowledgment_number), (50_001, connection.client_next - 77));
    assert!(read.payload.is_empty());
}

/// A segment without ACK cannot acknowledge, whatever a rewrite adds.
#[test]
fn rewriting_knows_when_nothing_is_acknowledged() {
    let rewrite = Rewrite { tcp_flags: Some(TcpFlags::RST), acknowledgement: 9, ..Rewrite::default() };
    let mut world = World::new(policy([in_path(vec![request_rule(Fate::Rewrite(rewrite), vec![])])]));
    let (_, Verdict::Replace(bytes)) = ask(&mut world) else { panic!("it is rewritten") };
    assert_sound(&bytes);
    let tcp = tcp_of(&bytes);
    assert_eq!((letters(&tcp).as_str(), tcp.acknowledgment_number), ("R", 50_001), "as it was");
}

fn gfw_dns(id: &str, injection: DnsInjection, ip: IpShape) -> Rule {
    let inject = vec![Injection { ip, ..InjectionKind::Dns(injection).into() }];
    let trigger = Response { fate: Fate::Pass, inject };
    Rule { trigger, also: true, ..rule(id, Condition::qname(names(&["*instagram*"]))) }
}

fn pool(texts: &[&str]) -> DnsForgery {
    let addresses = texts.iter().map(|text| text.parse().expect("an address")).collect();
    DnsForgery { addresses, ttl: 300, ..DnsForgery::default() }
}

/// GFW-DNS-1, GFW-DNS-2: one query gets three forged answers, and passes. The first has AA, a TTL of 60, no DF and an IP
/// TTL that goes up; the second DF and any IP TTL; the third no DF, identification 0 and the query's own IP TTL.
#[test]
fn gfw_dns_2_three_injectors() {
    let first = DnsForgery { authoritative: true, ttl: 60, ..pool(&["31.13.94.49"]) };
    let ip = |ttl, id, dont_fragment| IpShape { ttl, id, dont_fragment };
    let rules = vec![
        gfw_dns("inj-1", first.into(), ip(Number::Cycle(40..=250), Number::RANDOM, false)),
        gfw_dns("inj-2", pool(&["31.13.94.50"]).into(), ip(Number::RANDOM_TTL, Number::RANDOM, true)),
        gfw_dns("inj-3", pool(&["31.13.94.51"]).into(), ip(Number::Copy, Number::Fixed(0), false)),
    ];
    let mut world = World::new(policy([on_path(rules)]));
    let mut ttls = Vec::new();
    for port in 0..20u8 {
        world.clear();
        let mut query = datagram(Outbound, 4000 + u16::from(port), 53, INSTAGRAM_QUERY);
        // Another TTL, with the right checksum, by other people's code.
        let (mut header, _) = etherparse::Ipv4Header::from_slice(&query).expect("a header");
        header.time_to_live = 30 + port;
        header.header_checksum = header.calc_header_checksum();
        let length = header.to_bytes().len();
        query[..length].copy_from_slice(&header.to_bytes());
        assert!(matches!(world.send(Outbound, &query), Verdict::Pass), "it still reaches the resolver");
        let all = read_all(&world);
        assert_eq!(all.len(), 3);
        let answers: Vec<_> = all.iter().map(|read| Message::parse(&read.payload).expect("an answer")).collect();
        let authoritative: Vec<_> = answers.iter().map(|answer| answer.flags() & 0x0400 != 0).collect();
        assert_eq!(authoritative, [true, false, false]);
        let seconds: Vec<_> = answers.iter().map(|answer| answer.records().next().expect("a record").ttl).collect();
        assert_eq!(seconds, [60, 300, 300]);
        assert_eq!(all.iter().map(|read| read.dont_fragment).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(all[0].ttl, 40 + port);
        assert_eq!((all[2].id, all[2].ttl), (0, 30 + port));
        ttls.push(all[1].ttl);
    }
    ttls.sort_unstable();
    ttls.dedup();
    assert!(ttls.len() > 5, "{ttls:?}");
    assert_eq!(world.count(EventKind::Injected), 3);
}

/// The addresses that queries from these ports are told.
fn told(world: &mut World, query: &[u8], ports: impl Iterator<Item = u16>) -> Vec<String> {
    ports
        .map(|port| {
            world.clear();
            world.send(Outbound, &datagram(Outbound, port, 53, query));
            let [read] = &read_all(world)[..] else { return "nothing".to_owned() };
            let answer = Message::parse(&read.payload).expect("an answer");
            answer.addresses().map(|address| address.to_string()).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// The query of kdig, for another type.
fn of_type(qtype: u16) -> Vec<u8> {
    let mut query = INSTAGRAM_QUERY.to_vec();
    let at = query.len() - 4;
    query[at..at + 2].copy_from_slice(&qtype.to_be_bytes());
    query
}

/// GFW-DNS-3: an injector walks its pool in a fixed order and begins again, each family by itself; or says the same to each
/// port of a client, from the same pool.
#[test]
fn gfw_dns_3_the_pool_is_walked() {
    let pool = || pool(&["31.13.94.49", "2001::1", "31.13.94.50", "2001::2", "31.13.94.51"]);
    let world = |pick| {
        let injection = DnsInjection { pick, ..pool().into() };
        World::new(policy([on_path(vec![gfw_dns("dns", injection, IpShape::default())])]))
    };
    let mut cycling = world(Pick::Cycle);
    // Where it begins is any; from there on the order is the pool's.
    let walk = |pool: &[&str], first: &str, len: usize| -> Vec<String> {
        let begin = pool.iter().position(|each| *each == first).expect("an address of the pool");
        pool.iter().cycle().skip(begin).take(len).map(|each| (*each).to_owned()).collect()
    };
    let (v4, v6) = (["31.13.94.49", "31.13.94.50", "31.13.94.51"], ["2001::1", "2001::2"]);
    let first = told(&mut cycling, INSTAGRAM_QUERY, 4000..4004);
    assert_eq!(first, walk(&v4, &first[0], 4));
    let teredo = told(&mut cycling, &of_type(record::AAAA), 4000..4003);
    assert_eq!(teredo, walk(&v6, &teredo[0], 3));
    assert_eq!(told(&mut cycling, INSTAGRAM_QUERY, 4004..4005), walk(&v4, &first[0], 5)[4..]);
    let mut all = world(Pick::All);
    assert_eq!(told(&mut all, INSTAGRAM_QUERY, 4000..4001), ["31.13.94.49 31.13.94.50 31.13.94.51"]);
    let mut by_flow = world(Pick::ByFlow);
    let first = told(&mut by_flow, INSTAGRAM_QUERY, 4000..4050);
    assert_eq!(
        told(&mut by_flow, INSTAGRAM_QUERY, (4000..4050).rev()),
        first.iter().rev().cloned().collect::<Vec<_>>()
    );
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 3);
}

/// GFW-DNS-5: an injector may know some types of questions only, or answer each with what it has. TM-1: a copied query.
#[test]
fn gfw_dns_5_types_of_questions() {
    let mut world = World::new(policy([on_path(vec![gfw_dns(
        "dns",
        DnsInjection { qtypes: vec![record::A], ..pool(&["31.13.94.49"]).into() },
        IpShape::default(),
    )])]));
    assert_eq!(told(&mut world, &of_type(record::AAAA), 4000..4001), ["nothing"]);
    assert_eq!(told(&mut world, INSTAGRAM_QUERY, 4000..4001), ["31.13.94.49"]);
    let whatever = DnsInjection {
        whatever_type: true,
        copy_query: true,
        recursion_available: false,
        pick: Pick::Cycle,
        ..pool(&["127.0.0.1"]).into()
    };
    let mut world = World::new(policy([on_path(vec![gfw_dns("dns", whatever, IpShape::default())])]));
    assert_eq!(told(&mut world, &of_type(record::AAAA), 4000..4001), ["127.0.0.1"]);
    let read = &read_all(&world)[0];
    assert_eq!(Message::parse(&read.payload).expect("an answer").flags() & 0x0080, 0, "RA as it was asked");
}

/// An ICMP error goes to the sender of what it quotes and to nobody else, while the packet may pass.
#[test]
fn icmp_errors_quote_what_their_receiver_sent() {
    let error = |to| InjectionKind::Icmp { to, error: Rejection::HostUnreachable };
    for (to, expected) in [(Recipient::Client, 1), (Recipient::Both, 1), (Recipient::Server, 0)] {
        let ip = IpShape { ttl: Number::Fixed(33), ..IpShape::default() };
        let inject = vec![Injection { ip, ..error(to).into() }];
        let mut world = World::new(policy([on_path(vec![request_rule(Fate::Pass, inject)])]));
        ask(&mut world);
        let all = read_all(&world);
        assert_eq!(all.len(), expected, "{to:?}");
        for read in all {
            assert_eq!((read.toward, read.ttl, &read.payload[..2]), (Inside, 33, &[3, 1][..]));
        }
    }
}

/// The answer as HTTP has it.
#[test]
fn an_http_answer_names_its_length() {
    let away = HttpAnswer { status: 302, location: Some("http://block.example/".to_owned()), body: vec![] };
    assert_eq!(
        String::from_utf8(away.to_bytes()).expect("text"),
        "HTTP/1.1 302 Found\r\nLocation: http://block.example/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
}

/// Bytes of a payload are overwritten as far as it reaches, in a segment and in a datagram, and the checksum is right.
#[test]
fn corrupted_packets_are_sound() {
    let corrupt = |offset, bytes: &[u8]| Fate::Corrupt(Corrupt { offset, bytes: bytes.into() });
    let mut world = World::new(policy([in_path(vec![request_rule(corrupt(4, b"\0\0"), vec![])])]));
    let (_, Verdict::Replace(bytes)) = ask(&mut world) else { panic!("it is changed") };
    let read_back = read(&Made { toward: Outside, bytes });
    assert_eq!((&read_back.payload[..8], read_back.payload.len()), (&b"GET \0\0HT"[..], REQUEST.len()));
    assert_eq!(world.story(), ["tspu/http Rewritten"]);

    let name = || Condition::qname(names(&["instagram.com"]));
    let dns = |fate| Rule { trigger: crate::support::fate(fate), ..rule("dns", name()) };
    let last = INSTAGRAM_QUERY.len() - 1;
    let mut world = World::new(policy([in_path(vec![dns(corrupt(last, b"\x99\x99\x99"))])]));
    let query = datagram(Outbound, 4000, 53, INSTAGRAM_QUERY);
    let Verdict::Replace(bytes) = world.send(Outbound, &query) else { panic!("it is changed") };
    let read_back = read(&Made { toward: Outside, bytes });
    assert_eq!((read_back.payload[last], read_back.payload.len()), (0x99, last + 1));
    let mut world = World::new(policy([in_path(vec![dns(corrupt(last + 1, b"\x99"))])]));
    assert_eq!(world.send(Outbound, &query), Verdict::Pass, "it does not reach as far");
}

/// The same over IPv6, whose header has neither an identification nor a bit against fragments: a page and a burst beside the
/// request, an error that quotes it, an answer to a query, and packets that are changed.
#[test]
fn shapes_over_ipv6() {
    let page = HttpAnswer { status: 403, location: None, body: vec![b'x'; 2000] };
    let burst = SegmentShape { to: Recipient::Both, at: vec![0, 1460], ..SegmentShape::default() };
    let error = InjectionKind::Icmp { to: Recipient::Client, error: Rejection::AdministrativelyProhibited };
    let ip = || IpShape { ttl: Number::Fixed(77), id: Number::RANDOM, dont_fragment: false };
    let inject = [InjectionKind::http(Recipient::Client, &page), InjectionKind::Segment(burst), error]
        .map(|kind| Injection { ip: ip(), ..kind.into() });
    let mut world = World::new(policy([on_path(vec![request_rule(Fate::Pass, inject.to_vec())])]));
    let mut connection = Connection::v6(4000);
    world.open(&mut connection);
    let request = connection.segment(Outbound, DATA, REQUEST);
    world.send(Outbound, &request);
    let injections = world.injections();
    let headers: Vec<_> = injections
        .iter()
        .map(|made| {
            assert_sound(&made.bytes);
            let sliced = SlicedPacket::from_ip(&made.bytes).expect("etherparse reads it");
            let Some(NetSlice::Ipv6(ip)) = sliced.net else { panic!("IPv6") };
            (made.toward, ip.header().next_header().0, ip.header().hop_limit())
        })
        .collect();
    assert_eq!(headers[..2], [(Inside, 6, 77); 2]);
    assert_eq!(headers[2..6], [(Inside, 6, 77), (Inside, 6, 77), (Outside, 6, 77), (Outside, 6, 77)]);
    assert_eq!(headers[6..], [(Inside, 58, 77)]);
    let after_page = 50_001 + page.to_bytes().len() as u32 + 1;
    let numbers = [2, 3, 4, 5].map(|place| tcp_of(&injections[place].bytes).sequence_number);
    assert_eq!(numbers, [after_page, after_page + 1460, 1001, 2461]);

    let rewrite = Rewrite { strip_payload: true, ttl: Some(9), ..Rewrite::default() };
    let corrupt = Corrupt { offset: 0, bytes: b"PUT".as_slice().into() };
    for (fate, hop_limit, first) in [(Fate::Rewrite(rewrite), 9, None), (Fate::Corrupt(corrupt), 64, Some(b'P'))] {
        let mut world = World::new(policy([in_path(vec![request_rule(fate, vec![])])]));
        let mut connection = Connection::v6(4000);
        world.open(&mut connection);
        let request = connection.segment(Outbound, DATA, REQUEST);
        let Verdict::Replace(bytes) = world.send(Outbound, &request) else { panic!("it is changed") };
        assert_sound(&bytes);
        assert_eq!((bytes[7], bytes.get(60).copied()), (hop_limit, first));
    }

    let answer = DnsInjection { pick: Pick::Cycle, ..pool(&["31.13.94.49"]).into() };
    let mut world = World::new(policy([on_path(vec![gfw_dns("dns", answer, ip())])]));
    let resolver = "2001:4860:4860::8888".parse().expect("an address");
    world.send(Outbound, &datagram_with(resolver, Outbound, 4000, 53, INSTAGRAM_QUERY));
    let [made] = world.injections()[..] else { panic!("one answer") };
    assert_sound(&made.bytes);
    assert_eq!((made.toward, made.bytes[7]), (Inside, 77));
}
