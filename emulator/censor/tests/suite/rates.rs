//! Throttling by policing (RU-THR-1), loss by chance (RU-CALL-1) and redirected queries (RU-DNS-2).

use core::time::Duration;
use std::net::IpAddr;

use crate::support::*;
use roadblock_censor::event::EventKind;
use roadblock_censor::outbox::Command;
use roadblock_censor::policy::{
    BoxPolicy, Condition, Fate, Per, Police, Policy, Redirect, Refresh, Residual, ResidualKey, Rule,
};
use roadblock_censor::wire::ip::IpPacket;
use roadblock_censor::{Censor, Direction, Verdict};

const POLICE: Police = Police { bits_per_second: 150_000, burst: 8_000, per: Per::Flow };

/// RU-THR-1 by name: the `ClientHello` passes, then each direction has 150 kbit/s.
fn throttle(patterns: &[&str]) -> Rule {
    let residual = Residual {
        key: ResidualKey::FourTuple,
        last: Duration::from_secs(600),
        refresh: Refresh::OnPacket,
        outbound: fate(Fate::Police(POLICE)),
        inbound: fate(Fate::Police(POLICE)),
        ..Residual::default()
    };
    Rule { residuals: vec![residual], ..rule("media-name", sni(patterns)) }
}

/// RU-THR-1 by address.
fn throttle_prefix(per: Per) -> Rule {
    let police = Fate::Police(Police { per, ..POLICE });
    Rule { trigger: fate(police), ..rule("media-address", prefixes(&["157.240.0.0/16"])) }
}

/// Sends full segments of one direction at 4 Mbit/s for so long; how many bytes of IP packets came through.
fn flood(world: &mut World, connection: &mut Connection, direction: Direction, duration: Duration) -> u64 {
    let until = world.now + duration;
    let mut through = 0;
    while world.now < until {
        let segment = connection.segment(direction, DATA, &[7; 1360]);
        if world.send(direction, &segment) == Verdict::Pass {
            through += segment.len() as u64;
        }
        world.now += Duration::from_micros(2800);
    }
    through
}

/// RU-THR-1: each direction of a listed name's connection keeps near 150 kbit/s by loss, without delay; another name's does
/// not; losses are told once a second and counted.
#[test]
fn ru_thr_1_a_name_is_throttled() {
    let mut world = World::new(policy([in_path(vec![throttle(&["whatsapp.com"])])]));
    let mut connection = Connection::new(4000);
    world.open(&mut connection);
    let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
    assert_eq!(world.send(Outbound, &hello), Verdict::Pass);
    for direction in [Inbound, Outbound] {
        let bits = 8 * flood(&mut world, &mut connection, direction, Duration::from_secs(10));
        assert!((1_400_000..=1_580_000).contains(&bits), "{bits} bits in ten seconds {direction:?}");
    }
    let (policed, told) = (world.censor.counters().policed, world.count(EventKind::Policed));
    assert!(policed > 6000, "{policed}");
    assert!((18..=20).contains(&told), "{told} times in twenty seconds");
    assert!(world.out.events.iter().any(|event| event.matched.as_deref() == Some("SNI web.whatsapp.com")));
    let mut other = Connection::new(4001);
    world.open_harmless(&mut other);
}

/// RU-TG-1: an address is throttled whatever is said to it; flows share a rate only where they are told to.
#[test]
fn ru_tg_1_an_address_is_throttled() {
    for (per, least, most) in [(Per::Flow, 2_800_000, 3_200_000), (Per::Client, 1_400_000, 1_600_000)] {
        let mut world = World::new(policy([in_path(vec![throttle_prefix(per)])]));
        let mut bits = 0;
        let mut connections = [Connection::new(4000), Connection::new(4001)];
        for connection in &mut connections {
            world.open(connection);
        }
        for _ in 0..100 {
            for connection in &mut connections {
                bits += 8 * flood(&mut world, connection, Inbound, Duration::from_millis(50));
            }
        }
        assert!((least..=most).contains(&bits), "{bits} bits in ten seconds, {per:?}");
    }
}

/// A bucket is kept over a change of phase where its rule stays, with the rate that then holds; it is full where it was away.
#[test]
fn buckets_outlive_a_phase() {
    for (away, expected) in [(false, Verdict::Drop), (true, Verdict::Pass)] {
        let police = || policy([in_path(vec![rule("first", Condition::Any(vec![])), throttle_prefix(Per::Flow)])]);
        let mut world = World::new(policy([in_path(vec![throttle_prefix(Per::Flow)])]));
        let mut connection = Connection::new(4000);
        world.open(&mut connection);
        flood(&mut world, &mut connection, Inbound, Duration::from_secs(1));
        if away {
            world.censor.replace_policy(Policy::default(), world.now, &mut world.out);
        }
        world.censor.replace_policy(police(), world.now, &mut world.out);
        let segment = connection.segment(Inbound, DATA, &[7; 1460]);
        assert_eq!(world.send(Inbound, &segment), expected);
    }
}

/// RU-CALL-1: audio croaks: about as many packets are lost as said, the same on each run, and that is told once a second.
#[test]
fn ru_call_1_audio_croaks() {
    let play = || {
        let lossy = Rule { trigger: fate(Fate::Lose(0.4)), ..rule("call-loss", Condition::Protocol(17)) };
        let mut world = World::new(policy([in_path(vec![lossy])]));
        let fates: Vec<bool> = (0..1000)
            .map(|_| {
                world.now += Duration::from_millis(20);
                world.send(Outbound, &datagram(Outbound, 4000, 3478, b"rtp")) == Verdict::Drop
            })
            .collect();
        (fates, world.count(EventKind::Policed))
    };
    let (fates, told) = play();
    let lost = fates.iter().filter(|lost| **lost).count();
    assert!((350..=450).contains(&lost), "{lost} of 1000");
    assert!((15..=20).contains(&told), "{told} times in twenty seconds");
    assert_eq!(fates, play().0);
}

/// Losses of what is not tracked, such as pings, are told once a second too.
#[test]
fn losses_of_untracked_packets_are_bounded() {
    let lossy = Rule { trigger: fate(Fate::Lose(1.0)), ..rule("loss", Condition::Protocol(1)) };
    let mut world = World::new(policy([in_path(vec![lossy])]));
    let addresses = roadblock_censor::wire::ip::Addresses::new([10, 0, 0, 1].into(), [8, 8, 8, 8].into());
    let ping = roadblock_censor::wire::build::ip(&addresses.expect("one family"), 1, 64, &[8, 0, 0, 0, 0, 0, 0, 0]);
    for _ in 0..100 {
        assert_eq!(world.send(Outbound, &ping), Verdict::Drop);
    }
    assert_eq!((world.count(EventKind::Policed), world.censor.counters().policed), (1, 100));
}

fn redirected() -> Policy {
    let to = Redirect {
        v4: Some([195, 208, 6, 1].into()),
        v6: Some("2a01:620:53::1".parse().expect("an address")),
        port: None,
    };
    let when = Condition::All(vec![
        Condition::ServerPort([53].into()),
        Condition::Protocol(17),
        Condition::Direction(Outbound),
        not(prefixes(&["77.88.8.0/24"])),
    ]);
    policy([in_path(vec![Rule { trigger: fate(Fate::Redirect(to)), ..rule("dns-redirect", when) }])])
}

/// An answer to the query, from this server.
fn answer(server: IpAddr, client_port: u16, query: &[u8]) -> Vec<u8> {
    let mut answer = query.to_vec();
    answer[2] |= 0x80;
    datagram_with(server, Inbound, client_port, 53, &answer)
}

fn replaced(verdict: Verdict) -> Vec<u8> {
    match verdict {
        Verdict::Replace(bytes) => bytes,
        other => panic!("not rewritten but {other:?}"),
    }
}

fn ends(bytes: &[u8]) -> (IpAddr, IpAddr) {
    let addresses = IpPacket::parse(bytes).expect("a packet").addresses();
    (addresses.source(), addresses.destination())
}

/// RU-DNS-2: a query over UDP goes to the national resolver and its answer comes from the asked one, with right checksums;
/// TCP, an exempt resolver and the national one itself are not touched.
#[test]
fn ru_dns_2_queries_are_redirected() {
    for (asked, national) in [("8.8.8.8", "195.208.6.1"), ("2001:4860:4860::8888", "2a01:620:53::1")] {
        let (asked, national): (IpAddr, IpAddr) = (asked.parse().expect("v"), national.parse().expect("v"));
        let mut world = World::new(redirected());
        let query = datagram_with(asked, Outbound, 5353, 53, INSTAGRAM_QUERY);
        let went = replaced(world.send(Outbound, &query));
        assert_sound(&went);
        assert_eq!(went, datagram_with(national, Outbound, 5353, 53, INSTAGRAM_QUERY));
        let came = replaced(world.send(Inbound, &answer(national, 5353, INSTAGRAM_QUERY)));
        assert_sound(&came);
        assert_eq!(came, answer(asked, 5353, INSTAGRAM_QUERY));
        assert_eq!(world.story(), ["tspu/dns-redirect Redirected"; 2]);
        assert_eq!(world.censor.counters().rewritten, 2);
        // What the client asks the national one itself stays between them.
        let mut own = INSTAGRAM_QUERY.to_vec();
        own[0] ^= 1;
        world.send(Outbound, &datagram_with(national, Outbound, 5353, 53, &own));
        assert_eq!(world.send(Inbound, &answer(national, 5353, &own)), Verdict::Pass);
    }
    let mut world = World::new(redirected());
    let exempt = datagram_with([77, 88, 8, 8].into(), Outbound, 5353, 53, INSTAGRAM_QUERY);
    assert!(matches!(world.send(Outbound, &exempt), Verdict::Pass | Verdict::PassAndOffload));
    let mut tcp = Connection { server: ([8, 8, 8, 8].into(), 53), ..Connection::new(4000) };
    world.open(&mut tcp);
    assert_eq!(world.story(), [""; 0]);
}

/// RU-DNS-2: two resolvers asked from one port each get their answer back; what nobody asked passes as it is.
#[test]
fn ru_dns_2_one_port_two_resolvers() {
    let mut world = World::new(redirected());
    let national = IpAddr::from([195, 208, 6, 1]);
    let mut second = INSTAGRAM_QUERY.to_vec();
    second[1] ^= 1;
    for (asked, query) in [([8, 8, 8, 8], INSTAGRAM_QUERY), ([1, 1, 1, 1], &second)] {
        replaced(world.send(Outbound, &datagram_with(asked.into(), Outbound, 5353, 53, query)));
    }
    for (asked, query) in [([1, 1, 1, 1], &second[..]), ([8, 8, 8, 8], INSTAGRAM_QUERY)] {
        let came = replaced(world.send(Inbound, &answer(national, 5353, query)));
        assert_eq!(ends(&came).0, IpAddr::from(asked));
    }
    world.now = seconds(31);
    assert!(matches!(world.send(Inbound, &answer(national, 5353, &second)), Verdict::Pass | Verdict::PassAndOffload));
}

/// RU-DNS-2: a flow to the national resolver that the kernel passes is recalled before a redirected query uses its port.
#[test]
fn ru_dns_2_answers_are_never_offloaded() {
    let mut world = World::new(redirected());
    let national = IpAddr::from([195, 208, 6, 1]);
    assert_eq!(world.send(Inbound, &answer(national, 5353, INSTAGRAM_QUERY)), Verdict::PassAndOffload);
    world.clear();
    let query = datagram_with([8, 8, 8, 8].into(), Outbound, 5353, 53, INSTAGRAM_QUERY);
    replaced(world.send(Outbound, &query));
    assert!(matches!(world.out.commands[0], Command::Recall(key) if key.server == national));
    replaced(world.send(Inbound, &answer(national, 5353, INSTAGRAM_QUERY)));
    assert_eq!(world.censor.counters().offloaded, 0);
}

/// RU-DNS-2: a query whose rule is gone in the next phase is no longer answered for; where it stays it is, wherever it stands.
#[test]
fn ru_dns_2_over_a_phase() {
    let other = || rule("other", Condition::Protocol(1));
    let moved = |mut policy: Policy| {
        policy.boxes[0].rules.insert(0, other());
        policy
    };
    for (next, is_kept) in [
        (redirected(), true),
        (moved(redirected()), true),
        (policy([in_path(vec![other()])]), false),
        (policy([in_path(vec![])]), false),
    ] {
        let mut world = World::of(Censor::new(redirected(), 1));
        replaced(world.send(Outbound, &datagram(Outbound, 5353, 53, INSTAGRAM_QUERY)));
        world.censor.replace_policy(next, world.now, &mut world.out);
        world.clear();
        let verdict = world.send(Inbound, &answer([195, 208, 6, 1].into(), 5353, INSTAGRAM_QUERY));
        assert_eq!(matches!(verdict, Verdict::Replace(_)), is_kept);
        assert_eq!(world.story().len(), usize::from(is_kept), "{:?}", world.story());
    }
}

/// A redirection to another port makes that port's answers be seen too.
#[test]
fn ru_dns_2_another_port_is_of_interest() {
    let mut policy = redirected();
    let Fate::Redirect(redirect) = &mut policy.boxes[0].rules[0].trigger.fate else { panic!("a redirection") };
    redirect.port = Some(5300);
    assert!(policy.interest().covers(17, 5300) && policy.interest().covers(17, 53));
    let mut world = World::new(policy);
    let went = replaced(world.send(Outbound, &datagram(Outbound, 4000, 53, INSTAGRAM_QUERY)));
    assert_eq!(went, datagram_with([195, 208, 6, 1].into(), Outbound, 4000, 5300, INSTAGRAM_QUERY));
    let reply = datagram_with([195, 208, 6, 1].into(), Inbound, 4000, 5300, INSTAGRAM_QUERY);
    assert_eq!(replaced(world.send(Inbound, &reply)), datagram(Inbound, 4000, 53, INSTAGRAM_QUERY));
}

/// A box behind one that redirects, at the same hop, sees the rewritten query, and knows nothing of its flow.
#[test]
fn the_next_box_sees_the_redirected_query() {
    let national = prefixes(&["195.208.6.1/32"]);
    for (when, expected) in [
        (national.clone(), true),
        (Condition::All(vec![national, Condition::ClientInside]), false),
        (prefixes(&["8.8.8.8/32"]), false),
    ] {
        let drop = Rule { trigger: fate(Fate::Drop), ..rule("drop", when) };
        let boxes = [redirected().boxes[0].clone(), BoxPolicy { name: "next".into(), ..in_path(vec![drop]) }];
        let mut world = World::new(policy(boxes));
        let verdict = world.send(Outbound, &datagram(Outbound, 5353, 53, INSTAGRAM_QUERY));
        assert_eq!(verdict == Verdict::Drop, expected);
    }
}
