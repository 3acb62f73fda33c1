//! Rates that are kept by waiting, told apart from those that are kept by losing.

use core::time::Duration;

use roadblock_censor::event::EventKind;
use roadblock_censor::machine::MAX_HELD;
use roadblock_censor::outbox::Command;
use roadblock_censor::policy::{Condition, Fate, Per, Police, QueueLimit, Residual, Rule, Shape};
use roadblock_censor::{Censor, Instant, PacketId, Verdict};

use crate::support::*;

const RATE: u64 = 128_000;

fn shape(queue: QueueLimit) -> Fate {
    Fate::Shape(Shape { bits_per_second: RATE, queue, per: Per::Flow })
}

fn uploads(fate: Fate) -> Rule {
    Rule { trigger: crate::support::fate(fate), ..rule("uploads", Condition::Direction(Outbound)) }
}

/// When each packet went on, of those that did.
fn departures(world: &mut World, ids: &[PacketId]) -> Vec<(PacketId, Instant)> {
    let mut gone = Vec::new();
    loop {
        for command in core::mem::take(&mut world.out.commands) {
            if let Command::Verdict(id, Verdict::Pass) = command
                && ids.contains(&id)
            {
                gone.push((id, world.now));
            }
        }
        let Some(at) = world.censor.poll_at() else { return gone };
        world.now = world.now.max(at);
        world.censor.poll(world.now, &mut world.out);
    }
}

/// Fifty packets of a thousand bytes at once on one connection: those that went on, and how long each took.
fn burst(fate: Fate) -> (World, Vec<PacketId>, Vec<(PacketId, Instant)>) {
    let mut world = World::new(policy([in_path(vec![uploads(fate)])]));
    let mut connection = Connection::new(4000);
    let ids: Vec<_> = (0..50)
        .map(|_| {
            let segment = connection.segment(Outbound, DATA, &[0; 960]);
            world.offer(Outbound, &segment)
        })
        .collect();
    let gone = departures(&mut world, &ids);
    (world, ids, gone)
}

/// RU-THR-6 against RU-THR-1: at the same rate a shaper loses nothing of a burst and delays it, and a policer delays
/// nothing and loses most of it.
#[test]
fn ru_thr_6_delay_rather_than_loss() {
    let (world, ids, shaped) = burst(shape(QueueLimit::Bytes(100_000)));
    assert_eq!(shaped.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids, "all of them, in order");
    let (_, last) = shaped[49];
    // 49 packets of 1000 bytes went before it.
    assert_eq!(last, Instant::ZERO + Duration::from_micros(49 * 1000 * 8 * 1_000_000 / RATE));
    assert_eq!((world.censor.counters().policed, world.count(EventKind::Shaped)), (0, 1));

    let (world, _, policed) = burst(Fate::Police(Police { bits_per_second: RATE, burst: 8000, per: Per::Flow }));
    assert_eq!(policed.len(), 8);
    assert!(policed.iter().all(|(_, at)| *at == Instant::ZERO));
    assert_eq!((world.censor.counters().policed, world.count(EventKind::Shaped)), (42, 0));
}

/// RU-THR-6: what comes on top of a full queue is lost, and the rate is that of the profile whatever comes.
#[test]
fn ru_thr_6_a_full_queue_loses() {
    for queue in [QueueLimit::Bytes(10_000), QueueLimit::Time(Duration::from_micros(562_500))] {
        let (world, ids, shaped) = burst(shape(queue));
        assert_eq!(shaped.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids[..10], "{queue:?}");
        assert_eq!((world.censor.counters().policed, world.count(EventKind::Policed)), (40, 1));
    }
}

/// RU-THR-6: a connection that sends no more than the rate does not wait, and neither does the other direction.
#[test]
fn ru_thr_6_a_slow_connection_does_not_wait() {
    let mut world = World::new(policy([in_path(vec![uploads(shape(QueueLimit::Bytes(10_000)))])]));
    let mut connection = Connection::new(4000);
    for _ in 0..20 {
        let segment = connection.segment(Outbound, DATA, &[0; 960]);
        assert_eq!(world.send(Outbound, &segment), Verdict::Pass, "at once, and never left to the kernel");
        let answer = connection.segment(Inbound, DATA, &[0; 1400]);
        assert_ne!(world.send(Inbound, &answer), Verdict::Drop);
        world.now += Duration::from_micros(62_500);
    }
    assert_eq!(world.censor.poll_at(), None);
}

/// A rate that ends lets nothing overtake what still waits for it, and the kernel gets the flow only after that.
#[test]
fn nothing_overtakes_what_waits() {
    let residual = Residual {
        last: Duration::from_secs(1),
        outbound: fate(shape(QueueLimit::Bytes(1_000_000))),
        ..Residual::default()
    };
    let rules = vec![Rule { residuals: vec![residual], ..rule("sni", sni(&["whatsapp.com"])) }];
    let mut world = World::of(Censor::new(policy([in_path(rules)]), 1).with_delay(millis(5)));
    let mut connection = Connection::new(4000);
    for (direction, flags) in [(Outbound, SYN), (Inbound, SYN_ACK), (Outbound, ACK)] {
        let segment = connection.segment(direction, flags, &[]);
        world.offer(direction, &segment);
    }
    let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
    world.offer(Outbound, &hello);
    world.poll_all();
    world.clear();
    let mut ids = Vec::new();
    for _ in 0..40 {
        let segment = connection.segment(Outbound, DATA, &[0; 960]);
        ids.push(world.offer(Outbound, &segment));
    }
    // The residual ends while 2.5 seconds' worth of packets wait.
    world.now = seconds(1);
    let mut commands = core::mem::take(&mut world.out.commands);
    world.censor.poll(world.now, &mut world.out);
    for _ in 0..5 {
        let segment = connection.segment(Outbound, DATA, &[0; 960]);
        ids.push(world.offer(Outbound, &segment));
    }
    world.poll_all();
    commands.append(&mut world.out.commands);
    let order: Vec<_> = commands
        .iter()
        .filter_map(|command| match command {
            Command::Verdict(id, verdict) => Some((*id, verdict.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(order.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids);
    let offloaded = order.iter().position(|(_, verdict)| *verdict == Verdict::PassAndOffload);
    assert!(offloaded.is_none_or(|place| place == 44), "only once nothing waits any more: {offloaded:?}");
}

/// A flood does not fill the room for packets that are on their way: what would wait is lost before that.
#[test]
fn a_flood_leaves_room() {
    let patient = shape(QueueLimit::Time(Duration::from_secs(3600)));
    let mut world = World::new(policy([in_path(vec![uploads(patient)])]));
    for number in 0..2 * MAX_HELD as u32 {
        let mut connection = Connection::new(4000 + (number % 7) as u16);
        let segment = connection.segment(Outbound, DATA, &[0; 960]);
        world.offer(Outbound, &segment);
        assert!(world.censor.counters().held <= MAX_HELD / 4 * 3);
    }
    let counters = world.censor.counters();
    assert!(counters.held > MAX_HELD / 2 && counters.policed > 0, "{counters:?}");
    let held = counters.held;
    world.clear();
    world.poll_all();
    let released = world.out.commands.iter().filter(|command| matches!(command, Command::Verdict(_, Verdict::Pass)));
    assert_eq!(released.count(), held);
}
