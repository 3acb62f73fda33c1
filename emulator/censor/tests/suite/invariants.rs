//! What holds for every sequence of packets.

use core::time::Duration;
use std::collections::HashMap;

use crate::support::*;
use proptest::prelude::*;
use roadblock_censor::outbox::Command;
use roadblock_censor::policy::{
    BoxPolicy, Condition, Content, Fate, FlowPolicy, Injection, InjectionKind, Per, Police, Policy, Recipient,
    Redirect, Refresh, Residual, ResidualKey, Response, Rule, TcpFlags, TrackFrom,
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
fn rich_policy() -> Policy {
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
    let dns =
        Rule { trigger: fate(Fate::Drop), also: true, ..rule("dns", Condition::DnsName(names(&["*instagram*"]))) };
    let flow = FlowPolicy { reassembly_limit: Some(1000), from: TrackFrom::Any, ..FlowPolicy::default() };
    let content = Condition::Content;
    let redirect = Redirect { v4: Some([195, 208, 6, 1].into()), v6: None, port: Some(5353) };
    let redirect =
        Rule { trigger: fate(Fate::Redirect(redirect)), ..rule("redirect", Condition::ClientPort([4001].into())) };
    let calls = Rule { residuals: vec![dropped_for(20)], ..rule("calls", content(Content::Stun)) };
    let tunnel = Rule {
        after: Some(packets(1, 3)),
        trigger: fate(Fate::Drop),
        ..rule("tunnel", content(Content::WireGuard(None)))
    };
    let chat = Rule { trigger: fate(Fate::Lose(0.5)), ..rule("chat", content(Content::WhatsAppChat)) };
    let police = Police { bits_per_second: 8_000, burst: 1500, per: Per::ThreeTuple };
    let police =
        Rule { trigger: fate(Fate::Police(police)), also: true, ..rule("police", Condition::Direction(Inbound)) };
    policy([
        in_path(vec![dns, redirect, sni_1(&["whatsapp.com"]), sni_4(&["whatsapp.com"]), calls, tunnel, chat, police]),
        BoxPolicy { flow, ..on_path(vec![resets]) },
    ])
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

    /// Packets that pass leave in the order they came in: the delay is the same for all.
    #[test]
    fn no_packet_overtakes(steps in prop::collection::vec(step(), 0..60)) {
        let (out, _) = play(&steps, 1, millis(5));
        let dropped = |verdict: &_| matches!(verdict, roadblock_censor::Verdict::Drop);
        let order: Vec<_> = out.commands.iter().filter_map(|command| match command {
            Command::Verdict(id, verdict) if !dropped(verdict) => Some(*id),
            _ => None,
        }).collect();
        prop_assert!(order.is_sorted());
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
