//! What holds for every sequence of packets.

use core::time::Duration;
use std::collections::HashMap;

use crate::support::*;
use proptest::prelude::*;
use roadblock_censor::outbox::Command;
use roadblock_censor::policy::{
    BoxPolicy, Condition, Corrupt, DnsForgery, DnsInjection, Fate, FlowPolicy, HttpAnswer, Injection, InjectionKind,
    IpShape, Number, PacketQuestion, Per, Pick, Police, Policy, QueueLimit, Recipient, Redirect, Refresh, Rejection,
    Residual, ResidualKey, Response, Rewrite, Rule, SegmentShape, Shape, Share, ShareBy, Speech, TcpFlags, Threshold,
    ThresholdUnit, TrackFrom,
};
use roadblock_censor::{Censor, Direction, Event, Instant, Outbox, Packet, PacketId};

/// One thing that happens to the machine.
#[derive(Clone, Debug)]
enum Step {
    Wait(Duration),
    Poll,
    NewPhase,
    Segment { port: u16, direction: Direction, flags: u8, sequence: u32, payload: Vec<u8> },
    Datagram { port: u16, direction: Direction, payload: Vec<u8> },
    Garbage { direction: Direction, bytes: Vec<u8> },
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Outbound), Just(Inbound)]
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(vec![]),
        Just(WHATSAPP_HELLO.to_vec()),
        Just(INSTAGRAM_HELLO.to_vec()),
        Just(INSTAGRAM_QUERY.to_vec()),
        Just(include_bytes!("../data/stun-rfc5769-request.bin").to_vec()),
        Just(include_bytes!("../data/wireguard-data.bin").to_vec()),
        Just(b"WA\x06\x03".to_vec()),
        Just(WHATSAPP_HELLO[..100].to_vec()),
        Just(WHATSAPP_HELLO[100..].to_vec()),
        prop::collection::vec(any::<u8>(), 0..40),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let flags = prop_oneof![Just(SYN), Just(SYN_ACK), Just(ACK), Just(DATA), Just(RST), any::<u8>()];
    let sequence = prop_oneof![Just(1000), Just(1001), Just(1101), any::<u32>()];
    let segment =
        (0..3u16, direction(), flags, sequence, payload()).prop_map(|(port, direction, flags, sequence, payload)| {
            Step::Segment { port, direction, flags, sequence, payload }
        });
    let datagram = (0..3u16, direction(), payload()).prop_map(|(port, direction, payload)| Step::Datagram {
        port,
        direction,
        payload,
    });
    let garbage = (direction(), prop::collection::vec(any::<u8>(), 0..60))
        .prop_map(|(direction, bytes)| Step::Garbage { direction, bytes });
    prop_oneof![
        1 => (0..200_000u64).prop_map(|millis| Step::Wait(Duration::from_millis(millis))),
        1 => (0..10u64).prop_map(|millis| Step::Wait(Duration::from_millis(millis))),
        1 => Just(Step::Poll),
        1 => Just(Step::NewPhase),
        8 => segment,
        3 => datagram,
        1 => garbage,
    ]
}

/// A policy with something of everything.
pub(crate) fn rich_policy() -> Policy {
    let reset = |delay| Injection { delay, ..InjectionKind::reset(Recipient::Both, TcpFlags::RST).into() };
    let punish = || Response { fate: Fate::Pass, inject: vec![reset(millis(3))] };
    let residual = Residual {
        key: ResidualKey::ThreeTuple,
        after: Some(packets(0, 2)),
        last: Duration::from_secs(60),
        refresh: Refresh::OnPacket,
        outbound: punish(),
        inbound: punish(),
        ..Residual::default()
    };
    let resets =
        Rule { trigger: punish(), residuals: vec![residual], miss: 0.3, ..rule("sni", sni(&["instagram.com"])) };
    let dns = Rule { trigger: fate(Fate::Drop), also: true, ..rule("dns", Condition::qname(names(&["*instagram*"]))) };
    let (flow, tcp) = (FlowPolicy { from: TrackFrom::Any, ..FlowPolicy::default() }, joining(Some(1000)));
    let redirect = Redirect { v4: Some([195, 208, 6, 1].into()), v6: None, port: Some(5353) };
    let redirect =
        Rule { trigger: fate(Fate::Redirect(redirect)), ..rule("redirect", Condition::ClientPort([4001].into())) };
    let calls = Rule { residuals: vec![dropped_for(20)], ..rule("calls", speech(Speech::Stun)) };
    let tunnel = Rule {
        after: Some(packets(1, 3)),
        trigger: fate(Fate::Drop),
        ..rule("tunnel", speech(Speech::WireGuard(None)))
    };
    let chat = Rule { trigger: fate(Fate::Lose(0.5)), ..rule("chat", speech(Speech::WhatsAppChat)) };
    let police = Police { bits_per_second: 8_000, burst: 1500, per: Per::ThreeTuple };
    let police =
        Rule { trigger: fate(Fate::Police(police)), also: true, ..rule("police", Condition::Direction(Inbound)) };
    policy([
        in_path(vec![dns, redirect, sni_1(&["whatsapp.com"]), sni_4(&["whatsapp.com"]), calls, tunnel, chat, police]),
        BoxPolicy { flow, tcp, ..on_path(vec![resets]) },
        in_path(shaping_rules()),
        BoxPolicy {
            name: "injector".into(),
            share: Some(Share { by: ShareBy::FourTuple, of: 3, is: vec![0..=1] }),
            ..on_path(injecting_rules())
        },
    ])
}

/// Rates that wait, bytes that change, and residuals of the odder kinds.
fn shaping_rules() -> Vec<Rule> {
    let shape = Shape { bits_per_second: 20_000, queue: QueueLimit::Bytes(3000), per: Per::TwoTuple };
    let connections = Threshold {
        unit: ThresholdUnit::Connections,
        per: Per::Client,
        within: Some(Duration::from_secs(3)),
        ..packets(0, 1)
    };
    let late = Residual {
        key: ResidualKey::Client,
        begins: millis(500),
        hits: 0.5,
        refresh: Refresh::OnClientPacket,
        ..dropped_for(2)
    };
    let odd = Residual {
        when: Some(Condition::Packet(PacketQuestion::PayloadLength { least: 1, most: 9 })),
        key: ResidualKey::Server,
        inbound: fate(Fate::Divert),
        ..dropped_for(2)
    };
    let corrupt = Corrupt { offset: 3, bytes: b"\0\0\0".as_slice().into() };
    let rewrite = Rewrite { acknowledgement: -1, window: Some(1), ttl: Some(9), ..Rewrite::default() };
    let client_port = |port: u16| Condition::ClientPort([port].into());
    let hello = || Condition::sni(names(&["*a*"]));
    vec![
        Rule { after: Some(connections), residuals: vec![late, odd], suspect: true, ..rule("many", hello()) },
        Rule {
            trigger: fate(Fate::Corrupt(corrupt)),
            miss: 0.5,
            ..rule("corrupt", Condition::Packet(PacketQuestion::PayloadLength { least: 1, most: 30 }))
        },
        Rule { trigger: fate(Fate::Shape(shape)), ..rule("shape", client_port(4000)) },
        Rule { trigger: fate(Fate::Rewrite(rewrite)), ..rule("rewrite", client_port(4002)) },
    ]
}

/// Injections of every kind and shape.
fn injecting_rules() -> Vec<Rule> {
    let page = HttpAnswer { status: 403, location: None, body: vec![b'x'; 3000] };
    let burst = SegmentShape {
        to: Recipient::Both,
        flags: TcpFlags(0x3f),
        payload: b"burst".as_slice().into(),
        at: vec![-1, 0, 1460, i64::MAX, i64::MIN],
        window: Number::RANDOM,
        acknowledgement: -5,
    };
    let ip = || IpShape { ttl: Number::Copy, id: Number::Cycle(5..=7), dont_fragment: false };
    let error = InjectionKind::Icmp { to: Recipient::Both, error: Rejection::HostUnreachable };
    let forgery = DnsForgery { addresses: vec![[127, 0, 0, 1].into()], ..DnsForgery::default() };
    let copied = DnsInjection { pick: Pick::Cycle, copy_query: true, whatever_type: true, ..forgery.into() };
    let inject = [InjectionKind::http(Recipient::Both, &page), InjectionKind::Segment(burst), error]
        .map(|kind| Injection { ip: ip(), ..kind.into() });
    let dns = Injection { ip: ip(), delay: millis(1), ..InjectionKind::Dns(copied).into() };
    let pass = |inject| Response { fate: Fate::Pass, inject };
    vec![
        Rule { trigger: pass(vec![dns]), also: true, ..rule("answer", Condition::qname(names(&["*a*"]))) },
        Rule { trigger: pass(inject.to_vec()), ..rule("all", Condition::All(vec![])) },
    ]
}

fn bytes_of(step: &Step) -> Option<(Direction, Vec<u8>)> {
    match step {
        Step::Wait(_) | Step::Poll | Step::NewPhase => None,
        Step::Segment { port, direction, flags, sequence, payload } => {
            let mut connection = Connection::new(4000 + port);
            (connection.client_next, connection.server_next) = (*sequence, *sequence);
            Some((*direction, connection.segment(*direction, *flags, payload)))
        }
        Step::Datagram { port, direction, payload } => {
            Some((*direction, datagram(*direction, 4000 + port, 53, payload)))
        }
        Step::Garbage { direction, bytes } => Some((*direction, bytes.clone())),
    }
}

/// Plays the steps; all commands and events, and which flow and direction each packet belongs to.
fn play(steps: &[Step], seed: u64, delay: Duration) -> (Outbox, u32) {
    let mut censor = Censor::new(rich_policy(), seed).with_delay(delay).with_max_flows(4);
    let (mut now, mut out, mut packets) = (Instant::ZERO, Outbox::default(), 0);
    for step in steps {
        match step {
            Step::Wait(wait) => now += *wait,
            Step::Poll => censor.poll(now, &mut out),
            Step::NewPhase => censor.replace_policy(rich_policy(), now, &mut out),
            packet => {
                let (direction, bytes) = bytes_of(packet).expect("the rest are packets");
                censor.inspect(now, Packet { id: PacketId(packets), direction, bytes: &bytes }, &mut out);
                packets += 1;
            }
        }
        assert!(censor.counters().flows <= 4);
    }
    while let Some(at) = censor.poll_at() {
        now = now.max(at);
        censor.poll(now, &mut out);
    }
    let counters = censor.counters();
    assert_eq!(counters.held, 0);
    assert_eq!(counters.packets, u64::from(packets));
    assert_eq!(counters.passed + counters.dropped + counters.rewritten, counters.packets);
    (out, packets)
}

fn essence(event: &Event) -> String {
    format!("{event:?}")
}

proptest! {
    /// Each packet gets exactly one verdict, and is held at most once, before it.
    #[test]
    fn one_verdict_each(steps in prop::collection::vec(step(), 0..60), delay in prop_oneof![Just(0u64), Just(5)]) {
        let (out, packets) = play(&steps, 1, millis(delay));
        let (mut holds, mut verdicts) = (HashMap::new(), HashMap::new());
        for command in &out.commands {
            match command {
                Command::Hold(id) => {
                    prop_assert!(!verdicts.contains_key(id), "held after its verdict");
                    *holds.entry(*id).or_insert(0) += 1;
                }
                Command::Verdict(id, _) => *verdicts.entry(*id).or_insert(0) += 1,
                _ => {}
            }
        }
        prop_assert!(holds.values().all(|count| *count == 1));
        prop_assert_eq!(verdicts.len(), packets as usize);
        prop_assert!(verdicts.values().all(|count| *count == 1));
    }

    /// What comes out is a function of policy, seed, times and packets.
    #[test]
    fn pure_function(steps in prop::collection::vec(step(), 0..40), seed in any::<u64>()) {
        let (first, _) = play(&steps, seed, millis(5));
        let (second, _) = play(&steps, seed, millis(5));
        prop_assert_eq!(first.commands, second.commands);
        prop_assert_eq!(first.events.iter().map(essence).collect::<Vec<_>>(), second.events.iter().map(essence).collect::<Vec<_>>());
    }

    /// Packets of one flow and direction leave in the order they came in, whatever they wait for.
    #[test]
    fn no_packet_overtakes(steps in prop::collection::vec(step(), 0..60)) {
        let (out, _) = play(&steps, 1, millis(5));
        let packets: Vec<_> = steps.iter().filter_map(|step| Some((step, bytes_of(step)?.0))).collect();
        let mut last = HashMap::new();
        for command in &out.commands {
            let Command::Verdict(id, verdict) = command else { continue };
            let flow = match packets[id.0 as usize] {
                (Step::Segment { port, .. }, direction) => (6, *port, direction),
                (Step::Datagram { port, .. }, direction) => (17, *port, direction),
                _ => continue,
            };
            if *verdict != roadblock_censor::Verdict::Drop {
                let before = last.insert(flow, *id);
                prop_assert!(before.is_none_or(|before| before < *id));
            }
        }
    }

    /// Everything that is sent or rewritten has right checksums.
    #[test]
    fn all_output_is_sound(steps in prop::collection::vec(step(), 0..60)) {
        let (out, _) = play(&steps, 1, Duration::ZERO);
        for command in &out.commands {
            if let Command::Inject(injection) = command {
                assert_sound(&injection.bytes);
            }
            if let Command::Verdict(_, roadblock_censor::Verdict::Replace(bytes)) = command {
                assert_sound(bytes);
            }
        }
    }
}
