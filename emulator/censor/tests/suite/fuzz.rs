//! Everything that reads bytes, for a bounded time, on mutated packets of real programs.
//!
//! `ROADBLOCK_FUZZ_SECONDS` says for how long each of these tests runs (five without it); `ROADBLOCK_FUZZ_SEED` repeats what a
//! failure tells. Needs no nightly compiler.

use core::time::Duration;
use std::collections::{BTreeMap, HashMap};

use crate::anything::policy_of_anything;
use crate::support::*;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use roadblock_censor::dissect::{
    dtls, fake_tls, fully_encrypted, http, mtproto, openvpn, quic, socks, ssh, statistics::Statistics, stun, tls,
    whatsapp, wireguard,
};
use roadblock_censor::machine::{MAX_FRAGMENTS, MAX_HELD};
use roadblock_censor::outbox::Command;
use roadblock_censor::policy::Policy;
use roadblock_censor::wire::fragment::{Piece, split};
use roadblock_censor::wire::icmp::Quote;
use roadblock_censor::wire::ip::IpPacket;
use roadblock_censor::wire::tcp::TcpSegment;
use roadblock_censor::wire::udp::UdpDatagram;
use roadblock_censor::wire::{build, dns, rewrite};
use roadblock_censor::{Censor, Direction, Instant, Outbox, Packet, PacketId};

/// What real programs sent.
fn seeds() -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let is_data = |path: &std::path::PathBuf| path.extension().is_some_and(|extension| extension == "bin");
    files.iter().filter(|path| is_data(path)).map(|path| std::fs::read(path).expect("a file")).collect()
}

/// Runs a test on ever new inputs until the time is over.
fn fuzz<S: Strategy>(name: &str, strategy: &S, mut test: impl FnMut(S::Value)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("ROADBLOCK_FUZZ_SECONDS").unwrap_or(5);
    let seed = number("ROADBLOCK_FUZZ_SEED").unwrap_or_else(|| {
        use std::hash::{BuildHasher, Hasher};
        std::hash::RandomState::new().build_hasher().finish()
    });
    let begun = now();
    let mut rounds = 0_u64;
    while now().duration_since(begun) < Duration::from_secs(seconds) {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&rounds.to_le_bytes());
        let config = Config { cases: 16, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let cell = std::cell::RefCell::new(&mut test);
        let outcome = runner.run(strategy, |value| {
            (cell.borrow_mut())(value);
            Ok(())
        });
        if let Err(failure) = outcome {
            panic!("{name} fails with ROADBLOCK_FUZZ_SEED={seed} in round {rounds}: {failure}");
        }
        rounds += 1;
    }
}

#[expect(clippy::disallowed_methods, reason = "how long to go on is no part of what is tested")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// What is done to a real payload.
#[derive(Clone, Debug)]
enum Mutation {
    Set(Index, u8),
    Flip(Index, u8),
    Insert(Index, u8, u8),
    Remove(Index, u8),
    Cut(Index),
    /// A big-endian number is made another.
    Number(Index, u16),
    /// Part of another payload takes the place of the rest.
    Splice(Index, Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        (any::<Index>(), 0..8u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        (any::<Index>(), any::<u8>(), any::<u8>()).prop_map(|(at, count, byte)| Mutation::Insert(at, count, byte)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, count)| Mutation::Remove(at, count)),
        any::<Index>().prop_map(Mutation::Cut),
        (any::<Index>(), prop_oneof![Just(0), Just(u16::MAX), Just(0x7fff), any::<u16>()])
            .prop_map(|(at, number)| Mutation::Number(at, number)),
        (any::<Index>(), any::<Index>()).prop_map(|(at, other)| Mutation::Splice(at, other)),
    ]
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    prop_oneof![3 => Just(vec![]), 5 => prop::collection::vec(mutation(), 1..4), 1 => prop::collection::vec(mutation(), 4..20)]
}

fn mutate(bytes: &mut Vec<u8>, mutations: &[Mutation], seeds: &[Vec<u8>]) {
    for mutation in mutations {
        if bytes.is_empty() {
            return;
        }
        let len = bytes.len();
        match mutation {
            Mutation::Set(at, byte) => bytes[at.index(len)] = *byte,
            Mutation::Flip(at, bit) => bytes[at.index(len)] ^= 1 << bit,
            Mutation::Insert(at, count, byte) => {
                let at = at.index(len);
                bytes.splice(at..at, vec![*byte; usize::from(*count)]);
            }
            Mutation::Remove(at, count) => {
                let at = at.index(len);
                bytes.drain(at..len.min(at + usize::from(*count)));
            }
            Mutation::Cut(at) => bytes.truncate(at.index(len)),
            Mutation::Number(at, number) => {
                let at = at.index(len);
                for (place, byte) in bytes[at..].iter_mut().zip(number.to_be_bytes()) {
                    *place = byte;
                }
            }
            Mutation::Splice(at, other) => {
                let other = &seeds[other.index(seeds.len())];
                let at = at.index(len);
                bytes.truncate(at);
                bytes.extend(&other[at.min(other.len())..]);
            }
        }
    }
}

/// No reader panics, whatever a real payload was turned into.
#[test]
fn readers() {
    let seeds = seeds();
    let arbitrary = prop::collection::vec(any::<u8>(), 0..300);
    let real = (any::<Index>(), mutations());
    let bytes =
        prop_oneof![1 => arbitrary.prop_map(|bytes| (None, bytes)), 9 => real.prop_map(|real| (Some(real), vec![]))];
    let mut quic_assembly = quic::Assembly::default();
    let mut dtls_assembly = dtls::Assembly::default();
    fuzz("readers", &(bytes, 0..40u8), |((real, mut bytes), round)| {
        if let Some((seed, mutations)) = real {
            bytes.clone_from(&seeds[seed.index(seeds.len())]);
            mutate(&mut bytes, &mutations, &seeds);
        }
        if round == 0 {
            (quic_assembly, dtls_assembly) = (quic::Assembly::default(), dtls::Assembly::default());
        }
        read_headers(&bytes);
        read_datagram(&bytes);
        read_stream(&bytes);
        let _ = quic_assembly.add(&bytes, &quic::Options::default());
        let _ = dtls_assembly.add(&bytes);
    });
}

fn read_headers(bytes: &[u8]) {
    if let Some(ip) = IpPacket::parse(bytes) {
        let _ = (Quote::parse(&ip), build::reject(&ip, roadblock_censor::policy::Rejection::TcpReset));
        let _ = (rewrite::corrupt(&ip, 3, b"xyz"), split(bytes, &[8, 16], 1));
        if let Some(piece) = Piece::parse(bytes) {
            let _ = (piece.join(piece.data()), piece.with_ttl(1), piece.range());
        }
    }
    let _ = IpPacket::parse_beginning(bytes).map(|ip| (ip.payload().len(), ip.has_extension_headers()));
    let _ = TcpSegment::parse(bytes).map(|segment| (segment.payload().len(), segment.options().len()));
    let _ = UdpDatagram::parse(bytes).map(|datagram| datagram.payload().len());
}

fn read_datagram(bytes: &[u8]) {
    if let Some(message) = dns::Message::parse(bytes) {
        let _ = (message.questions().count(), message.records().count(), message.is_whole());
        let _ = (message.names().count(), message.addresses().count());
    }
    let _ = dns::Query::parse(bytes).map(|query| query.forge(&roadblock_censor::policy::DnsForgery::default()));
    let _ = (stun::Message::parse(bytes), dtls::client_hello(bytes), dtls::is_client_hello(bytes));
    let _ = (quic::packets(bytes).count(), quic::crypto_frames(bytes).count());
    let _ = (openvpn::Kind::of_datagram(bytes), wireguard::Kind::parse(bytes));
    let amnezia = wireguard::Amnezia { junk: None, s1: 3, s2: 0, headers: [None; 4] };
    let _ = (amnezia.parse(bytes), amnezia.may_be_junk(bytes));
}

fn read_stream(bytes: &[u8]) {
    for options in
        [tls::Options::default(), tls::Options { records: tls::JoinRecords::First, ..tls::Options::default() }]
    {
        let _ = tls::client_hello(bytes, &options);
    }
    let _ = (tls::handshake(bytes), tls::server_names(bytes), tls::is_server_hello(bytes));
    for parser in [http::Parser::Exact, http::Parser::CaseInsensitive, http::Parser::Tolerant] {
        let mut stream = http::Stream::new(bytes, http::Options { parser, ..http::Options::default() });
        for request in stream.by_ref() {
            let _ = (request.fields().count(), request.hosts().count());
        }
        let _ = stream.is_undecided();
    }
    let _ = (http::response(bytes, 4096), dns::messages(bytes).count(), dns::begins_with_query(bytes));
    let _ = (openvpn::Kind::of_segment(bytes), openvpn::Kind::opens(bytes), ssh::is_banner(bytes));
    let _ = (socks::greeting(bytes), socks::request_v5(bytes), fake_tls::after_hello(bytes));
    let _ = (mtproto::is_plain_transport(bytes), whatsapp::is_chat(bytes));
    let statistics = Statistics::of(bytes);
    let _ = (statistics.popcount(), statistics.entropy(), statistics.printable_share());
    let _ = fully_encrypted::exemption_of(bytes, &statistics);
}

/// One thing that happens to the machine.
#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Poll,
    NewPhase,
    Packet(Sent),
}

/// A packet, and what is done to it.
#[derive(Clone, Debug)]
struct Sent {
    direction: Direction,
    port: u16,
    is_v6: bool,
    is_datagram: bool,
    flags: u8,
    /// How far its sequence number is from the next.
    off: i32,
    seed: Option<Index>,
    payload: Vec<Mutation>,
    packet: Vec<Mutation>,
    /// Pieces of so many bytes, and which of them comes last.
    pieces: Option<(u8, Index)>,
    server_port: u16,
}

fn sent() -> impl Strategy<Value = Sent> {
    let direction = prop_oneof![2 => Just(Outbound), 1 => Just(Inbound)];
    let flags = prop_oneof![3 => Just(SYN), 3 => Just(SYN_ACK), 3 => Just(ACK), 9 => Just(DATA), 1 => Just(RST), 1 => any::<u8>()];
    let off = prop_oneof![9 => Just(0), 2 => -100..100i32, 1 => any::<i32>()];
    let port = prop_oneof![5 => Just(443), 3 => Just(53), 2 => Just(80), 1 => any::<u16>()];
    let packet = prop_oneof![9 => Just(vec![]), 1 => mutations()];
    let pieces = prop::option::weighted(0.2, (1..30u8, any::<Index>()));
    let what = (prop::option::weighted(0.7, any::<Index>()), mutations(), packet, pieces);
    let where_to = (direction, 0..5u16, any::<bool>(), any::<bool>(), port);
    (where_to, flags, off, what).prop_map(
        |((direction, port, is_v6, is_datagram, server_port), flags, off, (seed, payload, packet, pieces))| {
            let port = 4000 + port;
            Sent { direction, port, is_v6, is_datagram, flags, off, seed, payload, packet, pieces, server_port }
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => prop_oneof![0..20u64, 0..700_000u64].prop_map(Step::Wait),
        1 => Just(Step::Poll),
        1 => Just(Step::NewPhase),
        30 => sent().prop_map(Step::Packet),
    ]
}

/// The connections of a run, so that most packets follow each other.
#[derive(Default)]
struct Connections(BTreeMap<(u16, bool, u16), Connection>);

impl Connections {
    fn packets(&mut self, sent: &Sent, seeds: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut payload = sent.seed.map(|seed| seeds[seed.index(seeds.len())].clone()).unwrap_or_default();
        mutate(&mut payload, &sent.payload, seeds);
        payload.truncate(9000);
        let mut packet = if sent.is_datagram {
            let server = if sent.is_v6 { "2a03:2880:f145::1" } else { "8.8.8.8" }.parse().expect("an address");
            datagram_with(server, sent.direction, sent.port, sent.server_port, &payload)
        } else {
            let connection = self.0.entry((sent.port, sent.is_v6, sent.server_port)).or_insert_with(|| {
                let mut new = if sent.is_v6 { Connection::v6(sent.port) } else { Connection::new(sent.port) };
                new.server.1 = sent.server_port;
                new
            });
            let mut other = *connection;
            other.client_next = other.client_next.wrapping_add_signed(sent.off);
            other.server_next = other.server_next.wrapping_add_signed(sent.off);
            if sent.off == 0 {
                connection.segment(sent.direction, sent.flags, &payload)
            } else {
                other.segment(sent.direction, sent.flags, &payload)
            }
        };
        mutate(&mut packet, &sent.packet, seeds);
        let Some((size, last)) = sent.pieces else { return vec![packet] };
        let len = IpPacket::parse(&packet).map_or(0, |ip| ip.payload().len());
        let cuts: Vec<usize> = (usize::from(size) * 8..len).step_by(usize::from(size) * 8).collect();
        let Some(mut pieces) = split(&packet, &cuts, u32::from(sent.port)) else { return vec![packet] };
        let last = pieces.remove(last.index(pieces.len()));
        pieces.push(last);
        pieces
    }
}

/// Plays the steps and holds the machine to what it promises; everything that came out.
fn play(policies: &[Policy; 2], steps: &[Step], seeds: &[Vec<u8>]) -> Outbox {
    const FLOWS: usize = 6;
    let mut censor = Censor::new(policies[0].clone(), 7).with_delay(Duration::from_millis(3)).with_max_flows(FLOWS);
    let (mut now, mut out, mut packets) = (Instant::ZERO, Outbox::default(), 0);
    let (mut connections, mut phase) = (Connections::default(), 0);
    for step in steps {
        match step {
            Step::Wait(wait) => now += Duration::from_millis(*wait),
            Step::Poll => censor.poll(now, &mut out),
            Step::NewPhase => {
                phase += 1;
                censor.replace_policy(policies[phase % 2].clone(), now, &mut out);
            }
            Step::Packet(sent) => {
                for bytes in connections.packets(sent, seeds) {
                    let packet = Packet { id: PacketId(packets), direction: sent.direction, bytes: &bytes };
                    censor.inspect(now, packet, &mut out);
                    packets += 1;
                }
            }
        }
        let counters = censor.counters();
        assert!(counters.flows <= FLOWS, "{} flows", counters.flows);
        assert!(counters.held <= MAX_HELD + MAX_FRAGMENTS, "{} packets held", counters.held);
    }
    let mut polls = 0;
    while let Some(at) = censor.poll_at() {
        now = now.max(at);
        censor.poll(now, &mut out);
        polls += 1;
        assert!(polls < 100_000, "there is always something to do");
    }
    assert_eq!(censor.counters().held, 0, "something is held for ever");
    let mut verdicts: HashMap<PacketId, (u32, u32)> = HashMap::new();
    for command in &out.commands {
        match command {
            Command::Hold(id) => {
                let (holds, verdicts) = verdicts.entry(*id).or_default();
                *holds += 1;
                assert_eq!(*verdicts, 0, "held after its verdict");
            }
            Command::Verdict(id, _) => verdicts.entry(*id).or_default().1 += 1,
            Command::Inject(injection) => {
                assert!(IpPacket::parse(&injection.bytes).is_some(), "what is sent is a packet");
            }
            _ => {}
        }
    }
    assert_eq!(verdicts.len(), packets as usize);
    assert!(verdicts.values().all(|(holds, verdicts)| *holds <= 1 && *verdicts == 1), "one verdict each");
    out
}

/// The machine never panics, whatever its policy is, gives each packet one verdict, keeps its bounds, and does the same again with the same seed.
#[test]
fn machine() {
    let seeds = seeds();
    let policies = [policy_of_anything(), policy_of_anything()];
    fuzz("machine", &(policies, prop::collection::vec(step(), 0..80)), |(policies, steps)| {
        let (first, second) = (play(&policies, &steps, &seeds), play(&policies, &steps, &seeds));
        assert_eq!(first.commands, second.commands);
        assert_eq!(format!("{:?}", first.events), format!("{:?}", second.events));
    });
}
