//! Leaving flows to the kernel changes what a packet costs, and never what becomes of it.

use core::time::Duration;
use std::collections::HashSet;

use crate::support::*;
use proptest::prelude::*;
use roadblock_censor::dissect::http::Keywords;
use roadblock_censor::dissect::tls::InnerGuess;
use roadblock_censor::dissect::{openvpn, wireguard};
use roadblock_censor::outbox::Command;
use roadblock_censor::policy::{
    BoxPolicy, BytePrefix, BytesQuestion, Condition, Content, Corrupt, DnsQuestion, Fate, HelloQuestion, HttpQuestion,
    InspectPolicy, Measure, PacketQuestion, Per, Policy, QuicQuestion, Redirect, Refresh, Residual, ResidualKey,
    ResponseQuestion, Rule, Sees, Speech, Threshold, ThresholdUnit, TlsQuestion,
};
use roadblock_censor::{Censor, Direction, FlowKey, Instant, Outbox, Packet, PacketId, Verdict};

/// The kernel's part: the flows and directions that it passes by itself.
#[derive(Default)]
struct Kernel {
    passed: HashSet<(FlowKey, Direction)>,
    offloads: usize,
}

/// One packet, or a change of phase.
#[derive(Clone, Debug)]
enum Step {
    NewPhase,
    Segment { port: u16, server: u8, direction: Direction, flags: u8, payload: usize },
    Datagram { port: u16, server: u8, direction: Direction, server_port: u16, payload: usize },
}

const PAYLOADS: [&[u8]; 21] = [
    WHATSAPP_HELLO,
    INSTAGRAM_HELLO,
    INSTAGRAM_QUERY,
    include_bytes!("../data/stun-rfc5769-request.bin"),
    include_bytes!("../data/wireguard-data.bin"),
    include_bytes!("../data/openvpn-udp-reset.bin"),
    include_bytes!("../data/openvpn-udp-data.bin"),
    b"WA\x06\x03",
    b"GET / HTTP/1.1",
    include_bytes!("../data/aioquic-initial-v1.bin"),
    include_bytes!("../data/chromium-initial-1.bin"),
    include_bytes!("../data/chromium-initial-2.bin"),
    include_bytes!("../data/pion-dtls-v2-client-hello.bin"),
    include_bytes!("../data/openssl-server-flight-tls12.bin"),
    include_bytes!("../data/curl-request.bin"),
    include_bytes!("../data/curl-requests.bin"),
    include_bytes!("../data/kdig-stream-queries.bin"),
    include_bytes!("../data/curl-socks5.bin"),
    b"\x14\x03\x03\x00\x01\x01\x17\x03\x03\x00\x05hello",
    b"HTTP/1.1 302 Found\r\nLocation: http://block.example/\r\n\r\n",
    b"",
];

/// A server and a port, most often the one that the case is about, so that flows get long enough to be decided.
fn server(about: (u8, u16)) -> impl Strategy<Value = (u8, u16)> {
    let any = (0..3u8, prop_oneof![Just(53u16), Just(443), Just(3478)]);
    prop_oneof![4 => Just(about), 1 => any]
}

fn step(about: (u8, u16)) -> impl Strategy<Value = Step> {
    let payload = || prop_oneof![1 => Just(PAYLOADS.len() - 1), 3 => 0..PAYLOADS.len()];
    let port = || prop_oneof![3 => Just(0u16), 1 => Just(1)];
    let direction = || prop_oneof![Just(Outbound), Just(Inbound)];
    let flags = prop_oneof![1 => Just(SYN), 1 => Just(SYN_ACK), 2 => Just(ACK), 8 => Just(DATA), 1 => Just(RST)];
    let segment = (port(), server(about), direction(), flags, payload());
    let segment = segment.prop_map(|(port, (server, _), direction, flags, payload)| Step::Segment {
        port,
        server,
        direction,
        flags,
        payload,
    });
    let datagram = (port(), server(about), direction(), payload());
    let datagram = datagram.prop_map(|(port, (server, server_port), direction, payload)| Step::Datagram {
        port,
        server,
        direction,
        server_port,
        payload,
    });
    prop_oneof![1 => Just(Step::NewPhase), 20 => segment, 20 => datagram]
}

/// Those of the rules that bear on when a flow is decided whose bits are set.
fn some_policy(rules_set: u64) -> Policy {
    let dropping = |id, when| Rule { trigger: fate(Fate::Drop), ..rule(id, when) };
    let address = |last: u8| prefixes(&[&format!("157.240.1.{last}/32")]);
    let bytes = Threshold { unit: ThresholdUnit::Bytes, count: Sees::Inbound, ..packets(300, 900) };
    let three = Residual { key: ResidualKey::ThreeTuple, after: Some(packets(1, 2)), ..dropped_for(5) };
    let redirect = Redirect { v4: Some([157, 240, 1, 2].into()), v6: None, port: None };
    let exempt = Rule { also: true, ..rule("exempt", sni(&["instagram.com"])) };
    let wireguard = speech(Speech::WireGuard(Some(wireguard::Kind::Data)));
    let openvpn = speech(Speech::OpenVpn(Some(openvpn::Kind::Data)));
    let rules = vec![
        Rule {
            trigger: fate(Fate::Redirect(redirect)),
            ..rule("redirect", Condition::All(vec![address(0), Condition::ServerPort([53].into())]))
        },
        exempt,
        rule("allowed", Condition::All(vec![address(1), Condition::ServerPort([3478].into())])),
        Rule { residuals: vec![three], miss: 0.3, ..rule("sni", sni(&["whatsapp.com"])) },
        dropping("dns", Condition::qname(names(&["*instagram*"]))),
        Rule {
            residuals: vec![dropped_for(5)],
            ..rule("stun", Condition::All(vec![speech(Speech::Stun), not(address(2))]))
        },
        Rule { after: Some(packets(1, 2)), ..dropping("wireguard", wireguard) },
        Rule { after: Some(packets(1, 1)), ..dropping("openvpn", openvpn) },
        Rule {
            residuals: vec![dropped_for(5)],
            ..dropping("chat", Condition::All(vec![speech(Speech::WhatsAppChat), Condition::ClientInside]))
        },
        dropping(
            "length",
            Condition::All(vec![
                address(2),
                Condition::Packet(PacketQuestion::PayloadLength { least: 500, most: 600 }),
            ]),
        ),
        Rule {
            after: Some(bytes),
            ..dropping("bytes", Condition::All(vec![address(1), not(Condition::Fired("exempt".into()))]))
        },
    ];
    let rules: Vec<Rule> =
        rules.into_iter().chain(rules_that_remember()).chain(rules_that_read()).chain(rules_that_ask()).collect();
    let tcp = joining(Some(600));
    let inspect = InspectPolicy { datagrams: 2, ..InspectPolicy::default() };
    let second = vec![dropping("again", Condition::All(vec![Condition::sni(names(&["instagram.com"])), address(0)]))];
    let is_set = |number: usize| rules_set >> number & 1 != 0;
    let rules = rules.into_iter().enumerate().filter(|(number, _)| is_set(*number)).map(|(_, rule)| rule).collect();
    let second = if is_set(63) { second } else { vec![] };
    policy([in_path(rules), BoxPolicy { name: "next".into(), tcp, inspect, ..in_path(second) }])
}

/// Rules whose residuals and counts reach beyond the flow, the protocol, the client or the moment.
fn rules_that_remember() -> Vec<Rule> {
    let within = Some(Duration::from_secs(2));
    let connections = Threshold { unit: ThresholdUnit::Connections, per: Per::TwoTuple, within, ..packets(1, 1) };
    let of_client = Threshold { per: Per::Client, within, count: Sees::Outbound, ..packets(2, 4) };
    let all_of_client = Residual {
        key: ResidualKey::Client,
        when: Some(Condition::Packet(PacketQuestion::PayloadLength { least: 1, most: u16::MAX })),
        refresh: Refresh::OnClientPacket,
        ..dropped_for(1)
    };
    let server = Residual { key: ResidualKey::Server, begins: millis(300), ..dropped_for(1) };
    let some = Residual { key: ResidualKey::TwoTuple, hits: 0.5, ..dropped_for(3) };
    let several = vec![
        Residual { when: Some(Condition::Direction(Inbound)), ..dropped_for(2) },
        Residual { key: ResidualKey::ServerEndpoint, after: Some(connections), ..dropped_for(3) },
    ];
    let corrupt = Corrupt { offset: 1, bytes: b"??".as_slice().into() };
    let starts = |bytes: &[u8]| Condition::starts(vec![BytePrefix { offset: 0, bytes: bytes.to_vec() }]);
    let dropping = |id, when| Rule { trigger: fate(Fate::Drop), ..rule(id, when) };
    vec![
        Rule { after: Some(connections), ..dropping("connections", Condition::sni(names(&["instagram.com"]))) },
        Rule { after: Some(connections), ..dropping("any-connections", Condition::Protocol(6)) },
        Rule { after: Some(of_client), ..dropping("flood", Condition::Protocol(17)) },
        Rule { residuals: vec![all_of_client], ..rule("client", starts(b"WA")) },
        Rule { residuals: vec![server], suspect: true, ..rule("server", starts(b"GET ")) },
        Rule { residuals: vec![some], ..rule("some", sni(&["*a*"])) },
        Rule { residuals: several, ..rule("several", speech(Speech::Stun)) },
        Rule { trigger: fate(Fate::Corrupt(corrupt)), ..rule("corrupt", starts(b"GET ")) },
        Rule { trigger: fate(Fate::Divert), miss: 0.5, ..rule("divert", starts(b"WA")) },
    ]
}

/// Rules that read what is put together from datagrams, and what the server says.
fn rules_that_read() -> Vec<Rule> {
    let quic = |question| Condition::Content(Content::Quic(question));
    let dropping = |id, when| Rule { trigger: fate(Fate::Drop), ..rule(id, when) };
    let certificate = TlsQuestion::Certificate(names(&["instagram.com"]));
    let inner = InnerGuess { hello: 1..=2000, answer: 100..=3000, finish: 1..=3000 };
    let tls_1_3 = TlsQuestion::Hello(HelloQuestion::Version(vec![0x0304]));
    vec![
        dropping("quic-sni", quic(QuicQuestion::Hello(HelloQuestion::Sni(names(&["instagram.com"]))))),
        Rule { residuals: vec![dropped_for(2)], ..rule("quic-ech", quic(QuicQuestion::Hello(HelloQuestion::Ech))) },
        Rule { after: Some(packets(1, 2)), ..dropping("quic", quic(QuicQuestion::Version(vec![1]))) },
        dropping("dtls", Condition::Content(Content::Dtls(HelloQuestion::Version(vec![0xfefd])))),
        dropping(
            "inner",
            Condition::All(vec![
                Condition::Content(Content::Tls(TlsQuestion::Inner(inner))),
                Condition::Packet(PacketQuestion::PayloadLength { least: 200, most: u16::MAX }),
            ]),
        ),
        dropping("certificate", Condition::Content(Content::Tls(certificate))),
        Rule { residuals: vec![dropped_for(2)], ..rule("tls-1.3", Condition::Content(Content::Tls(tls_1_3))) },
    ]
}

/// Rules about HTTP, DNS over TCP, the bytes themselves, and protocols that are told by more than one packet.
fn rules_that_ask() -> Vec<Rule> {
    let dropping = |id, question| Rule { trigger: fate(Fate::Drop), ..rule(id, Condition::Content(question)) };
    let http = |id, question| dropping(id, Content::Http(question));
    let words = |word: &str| Keywords::new([word]).expect("a word");
    let status = ResponseQuestion { status: Some(300..=399), ..ResponseQuestion::default() };
    let bytes = |id, question| dropping(id, Content::Bytes(question));
    let popcount = BytesQuestion::Measure { of: Measure::Popcount, least: 3.0, most: 4.2 };
    let said = |id, what| dropping(id, Content::Speech(what));
    let opcodes = openvpn::OpcodeRule { packets: 6, different: 3..=9 };
    let acks = openvpn::AckRule { packets: 10, first: vec![0..=9], ..openvpn::AckRule::default() };
    let amnezia = wireguard::Amnezia { headers: [None, None, None, Some(4)], ..wireguard::Amnezia::default() };
    vec![
        http("host", HttpQuestion::Host(names(&["instagram.com"]))),
        http("keyword", HttpQuestion::Keyword(words("chunked"))),
        http("body", HttpQuestion::Body(words("falun"))),
        http("answer", HttpQuestion::Response(status)),
        rule("no-host", not(Condition::Content(Content::Http(HttpQuestion::Host(names(&["instagram.com"])))))),
        dropping("dns-tcp", Content::DnsOverTcp(DnsQuestion::Type(vec![28]))),
        dropping("dns-any", Content::DnsOverTcp(DnsQuestion::AnyName(names(&["instagram.com"])))),
        bytes("fet", BytesQuestion::FullyEncrypted),
        bytes("first", BytesQuestion::First),
        bytes("popcount", popcount),
        bytes("contains", BytesQuestion::Contains(words("HTTP/1.1"))),
        said("socks", Speech::Socks(None)),
        said("tor", Speech::TorTls),
        said("fake-tls", Speech::TelegramFakeTls),
        said("opcodes", Speech::OpenVpnOpcodes(opcodes)),
        said("acks", Speech::OpenVpnAcks(acks)),
        said("amnezia", Speech::AmneziaWg(amnezia, None)),
    ]
}

fn bytes_of(step: &Step, connections: &mut [Connection]) -> Option<(Direction, Vec<u8>, u8)> {
    match step {
        Step::NewPhase => None,
        Step::Segment { port, server, direction, flags, payload } => {
            let connection = &mut connections[usize::from(*port) * 3 + usize::from(*server)];
            let payload = if flags & (SYN | RST) == 0 { PAYLOADS[*payload] } else { &[] };
            Some((*direction, connection.segment(*direction, *flags, payload), *flags))
        }
        Step::Datagram { port, server, direction, server_port, payload } => {
            let server = [157, 240, 1, *server].into();
            let bytes = datagram_with(server, *direction, 4000 + port, *server_port, PAYLOADS[*payload]);
            Some((*direction, bytes, 0))
        }
    }
}

fn key_of(direction: Direction, bytes: &[u8]) -> FlowKey {
    let port = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let address = |at: usize| std::net::IpAddr::from([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let (source, destination) = ((address(12), port(20)), (address(16), port(22)));
    let (client, server) = if direction == Outbound { (source, destination) } else { (destination, source) };
    FlowKey { protocol: bytes[9], client: client.0, client_port: client.1, server: server.0, server_port: server.1 }
}

/// Plays the steps; what became of each packet, and how often the kernel was left a flow. Without a kernel every packet
/// goes to the machine.
fn play(steps: &[Step], rules: u64, mut kernel: Option<&mut Kernel>) -> Vec<Verdict> {
    let mut censor = Censor::new(some_policy(rules), 1);
    let (mut now, mut verdicts) = (Instant::ZERO, Vec::new());
    let connection = |place: usize| Connection {
        server: ([157, 240, 1, (place % 3) as u8].into(), 443),
        ..Connection::new(4000 + (place / 3) as u16)
    };
    let mut connections: Vec<Connection> = (0..6).map(connection).collect();
    for (number, step) in steps.iter().enumerate() {
        now += Duration::from_millis(100);
        let mut out = Outbox::default();
        let verdict = match bytes_of(step, &mut connections) {
            None => {
                censor.replace_policy(some_policy(rules), now, &mut out);
                Verdict::Pass
            }
            Some((direction, bytes, flags)) => {
                let flow = (key_of(direction, &bytes), direction);
                let is_control = flags & (SYN | RST) != 0;
                if kernel.as_ref().is_some_and(|kernel| !is_control && kernel.passed.contains(&flow)) {
                    Verdict::Pass
                } else {
                    censor.inspect(now, Packet { id: PacketId(number as u32), direction, bytes: &bytes }, &mut out);
                    let verdict = out.commands.iter().find_map(|command| match command {
                        Command::Verdict(_, verdict) => Some(verdict.clone()),
                        _ => None,
                    });
                    let verdict = verdict.expect("a verdict at once");
                    if let (Some(kernel), Verdict::PassAndOffload) = (kernel.as_deref_mut(), &verdict) {
                        kernel.passed.insert(flow);
                        kernel.offloads += 1;
                    }
                    if verdict == Verdict::PassAndOffload { Verdict::Pass } else { verdict }
                }
            }
        };
        if let Some(kernel) = kernel.as_deref_mut() {
            for command in &out.commands {
                match command {
                    Command::Recall(key) => kernel.passed.retain(|(passed, _)| passed != key),
                    Command::RecallAll => kernel.passed.clear(),
                    _ => {}
                }
            }
        }
        verdicts.push(verdict);
    }
    verdicts
}

proptest! {
    /// Each packet has the same fate whether the kernel passes decided flows by itself or the machine sees everything.
    #[test]
    fn leaving_flows_to_the_kernel_changes_nothing(
        steps in (0..3u8, prop_oneof![Just(53u16), Just(443), Just(3478)])
            .prop_flat_map(|about| prop::collection::vec(step(about), 0..80)),
        rules in prop_oneof![any::<u64>(), (0..64u32, 0..64u32).prop_map(|(one, other)| 1u64 << one | 1 << other)],
    ) {
        let with_kernel = play(&steps, rules, Some(&mut Kernel::default()));
        prop_assert_eq!(with_kernel, play(&steps, rules, None));
    }
}

/// The property above is not empty: flows are left to the kernel.
#[test]
fn flows_are_left_to_the_kernel() {
    let segment = |direction, flags| Step::Segment { port: 0, server: 0, direction, flags, payload: 8 };
    let noise = Step::Datagram { port: 0, server: 0, direction: Outbound, server_port: 443, payload: 8 };
    let mut steps = vec![segment(Outbound, SYN), segment(Inbound, SYN_ACK)];
    steps.extend((0..5).flat_map(|_| [segment(Outbound, DATA), segment(Inbound, DATA), noise.clone()]));
    let mut kernel = Kernel::default();
    play(&steps, 1 << 63 | 0x07ff, Some(&mut kernel));
    assert_eq!((kernel.passed.len(), kernel.offloads), (3, 3), "both ways of the connection, and the datagrams");
}

/// What the server said while the kernel passed it is not held against the client that acknowledges it, once a punishment of
/// the server has the flow recalled.
#[test]
fn a_recalled_flow_has_gone_on() {
    let segment = |direction, flags, payload| Step::Segment { port: 0, server: 0, direction, flags, payload };
    let probe = Step::Datagram { port: 0, server: 0, direction: Outbound, server_port: 53, payload: 8 };
    let steps = [
        segment(Outbound, SYN, 0),
        segment(Inbound, ACK, 0),
        segment(Inbound, ACK, 0),
        probe,
        segment(Outbound, ACK, 0),
    ];
    // The rules `server` and `first`.
    let rules = 1 << 15 | 1 << 35;
    let mut kernel = Kernel::default();
    let with_kernel = play(&steps, rules, Some(&mut kernel));
    assert_eq!(kernel.offloads, 1);
    assert_eq!(with_kernel, [Verdict::Pass, Verdict::Pass, Verdict::Pass, Verdict::Pass, Verdict::Drop]);
    assert_eq!(with_kernel, play(&steps, rules, None));
}
