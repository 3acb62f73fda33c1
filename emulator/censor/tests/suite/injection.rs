//! Boxes that inject: resets and DNS answers, and who wins the race.

use core::time::Duration;

use crate::support::*;
use roadblock_censor::event::EventKind;
use roadblock_censor::machine::MAX_HELD;
use roadblock_censor::outbox::{Command, Toward};
use roadblock_censor::policy::{
    Condition, DnsForgery, Fate, Injection, InjectionKind, Recipient, Refresh, Rejection, Residual, ResidualKey,
    Response, Rule, TcpFlags,
};
use roadblock_censor::{Censor, Instant, Verdict};

fn reset(to: Recipient, delay: Duration) -> Injection {
    Injection { delay, ..InjectionKind::reset(to, TcpFlags::RST_ACK).into() }
}

fn reset_rule(delay: Duration) -> Rule {
    let trigger = Response { fate: Fate::Pass, inject: vec![reset(Recipient::Both, delay)] };
    Rule { trigger, ..rule("sni", sni(&["whatsapp.com"])) }
}

fn dns_rule(fate: Fate, delay: Duration) -> Rule {
    let forgery = DnsForgery { rcode: 0, addresses: vec![[31, 13, 94, 49].into()], ttl: 60, authoritative: true };
    let inject = vec![Injection { delay, ..InjectionKind::Dns(forgery.into()).into() }];
    Rule { trigger: Response { fate, inject }, ..rule("dns", Condition::qname(names(&["instagram.com"]))) }
}

/// GFW-SNI-1: an on-path box sends resets to both ends, each with the number that the end expects next; the `ClientHello`
/// itself passes. A reset that arrives before it must not count it; one that arrives after must.
#[test]
fn gfw_sni_1_resets_both_ends() {
    for (delay, server_sequence) in [(Duration::ZERO, 1001), (millis(1), 1001 + WHATSAPP_HELLO.len() as u32)] {
        let mut world = World::new(policy([on_path(vec![reset_rule(delay)])]));
        let mut connection = Connection::new(4000);
        world.open(&mut connection);
        world.clear();
        let hello = connection.segment(Outbound, DATA, WHATSAPP_HELLO);
        assert_eq!(world.send(Outbound, &hello), Verdict::Pass);
        let injected_first = matches!(world.out.commands[0], Command::Inject(_));
        assert_eq!(injected_first, delay.is_zero(), "without a delay the resets come before the verdict");
        world.poll_all();
        let [to_client, to_server] = world.injections()[..] else { panic!("two resets") };
        assert_eq!((to_client.toward, to_server.toward), (Toward::Inside, Toward::Outside));
        for injection in [to_client, to_server] {
            assert_sound(&injection.bytes);
        }
        let (client, server) = (tcp_of(&to_client.bytes), tcp_of(&to_server.bytes));
        assert_eq!((client.source_port, client.destination_port), (443, 4000));
        assert_eq!((client.sequence_number, client.acknowledgment_number), (50_001, connection.client_next));
        assert_eq!((server.source_port, server.destination_port), (4000, 443));
        assert_eq!((server.sequence_number, server.acknowledgment_number), (server_sequence, 50_001));
        assert_eq!(world.story(), ["gfw/sni Injected"]);
    }
}

/// GFW-SNI-2: a residual by client, server and server port hits a new connection from another port, its SYN first.
#[test]
fn gfw_sni_2_residual_hits_new_connections() {
    let punish = || Response { fate: Fate::Pass, inject: vec![reset(Recipient::Client, Duration::ZERO)] };
    let last = Duration::from_secs(60);
    let residual = Residual {
        key: ResidualKey::ThreeTuple,
        last,
        refresh: Refresh::OnPacket,
        outbound: punish(),
        inbound: Response::default(),
        ..Residual::default()
    };
    let mut world =
        World::new(policy([on_path(vec![Rule { residuals: vec![residual], ..reset_rule(Duration::ZERO) }])]));
    let mut first = Connection::new(4000);
    world.open(&mut first);
    let hello = first.segment(Outbound, DATA, WHATSAPP_HELLO);
    world.send(Outbound, &hello);
    world.clear();

    world.now = seconds(59);
    let syn = Connection::new(4001).segment(Outbound, SYN, &[]);
    world.send(Outbound, &syn);
    let [reset] = world.injections()[..] else { panic!("one reset") };
    let tcp = tcp_of(&reset.bytes);
    assert_eq!((tcp.sequence_number, tcp.acknowledgment_number), (0, 1001), "it acknowledges the SYN");
    assert_eq!(world.out.events[0].matched.as_deref(), Some("SNI web.whatsapp.com"), "the event says why");

    world.now = seconds(118);
    world.clear();
    let syn = Connection::new(4002).segment(Outbound, SYN, &[]);
    world.send(Outbound, &syn);
    assert_eq!(world.injections().len(), 1, "the hit at 59 s started the time anew");

    world.now = seconds(178);
    world.clear();
    let syn = Connection::new(4003).segment(Outbound, SYN, &[]);
    world.send(Outbound, &syn);
    assert_eq!(world.injections().len(), 0);
}

/// GFW-DNS-1: the query passes, the forged answer comes besides. With a path delay, whichever arrival is modelled earlier
/// comes first, even if the driver polls late.
#[test]
fn gfw_dns_1_race_is_decided_by_the_model() {
    let path = millis(20);
    for (injection_delay, forged_first) in
        [(millis(1), true), (millis(39), true), (millis(40), true), (millis(90), false)]
    {
        let boxes = [on_path(vec![dns_rule(Fate::Drop, injection_delay)])];
        let mut world = World::of(Censor::new(policy(boxes), 1).with_delay(path));
        let query = world.offer(Outbound, &datagram(Outbound, 5353, 53, INSTAGRAM_QUERY));
        assert!(world.out.commands.contains(&Command::Hold(query)));
        world.now += path;
        world.censor.poll(world.now, &mut world.out);
        assert_eq!(world.verdict(query), Some(Verdict::Pass), "an on-path box drops nothing");
        // The resolver answers at once; its answer travels for as long as the query did.
        let answer = world.offer(Inbound, &datagram(Inbound, 5353, 53, b"the real answer"));
        world.now += Duration::from_secs(1);
        world.censor.poll(world.now, &mut world.out);

        let place = |is_it: &dyn Fn(&Command) -> bool| world.out.commands.iter().position(is_it).expect("it comes");
        let forged = place(&|command| matches!(command, Command::Inject(_)));
        let real = place(&|command| matches!(command, Command::Verdict(id, _) if *id == answer));
        // Of equals the one planned first is first: the forged answer was planned with the query.
        assert_eq!(forged < real, forged_first, "delay {injection_delay:?}");
        assert_eq!(world.out.events[0].matched.as_deref(), Some("query A instagram.com"));
    }
}

/// GFW-DNS-5, and an in-path box that answers in the resolver's stead: the forged answer is a sound datagram from the
/// resolver to the asker, and the query goes no further.
#[test]
fn in_path_dns_injection_drops_the_query() {
    let mut world = World::new(policy([in_path(vec![dns_rule(Fate::Drop, Duration::ZERO)])]));
    for _ in 0..2 {
        world.clear();
        assert_eq!(world.send(Outbound, &datagram(Outbound, 5353, 53, INSTAGRAM_QUERY)), Verdict::Drop);
        assert_eq!(world.story(), ["tspu/dns Dropped", "tspu/dns Injected"]);
        let [answer] = world.injections()[..] else { panic!("one answer") };
        assert_eq!(answer.toward, Toward::Inside);
        assert_sound(&answer.bytes);
        assert_eq!(answer.bytes[12..20], [8, 8, 8, 8, 10, 0, 0, 1]);
        assert_eq!(answer.bytes[28..30], INSTAGRAM_QUERY[..2], "the id of the query");
        assert_eq!(answer.bytes[answer.bytes.len() - 4..], [31, 13, 94, 49]);
    }
    let other_port = datagram(Outbound, 5353, 5300, INSTAGRAM_QUERY);
    assert_eq!(world.send(Outbound, &other_port), Verdict::Pass, "DNS is what goes to port 53");
}

/// DNS queries are judged one by one: a harmless one first does not blind the box to the next from the same port.
#[test]
fn ru_dns_2_queries_are_never_offloaded() {
    let mut world = World::new(policy([in_path(vec![dns_rule(Fate::Drop, Duration::ZERO)])]));
    let mut harmless = INSTAGRAM_QUERY.to_vec();
    harmless[13] = b'x';
    assert_eq!(world.send(Outbound, &datagram(Outbound, 5353, 53, &harmless)), Verdict::Pass);
    assert_eq!(world.send(Inbound, &datagram(Inbound, 5353, 53, b"answer")), Verdict::Pass);
    assert_eq!(world.send(Outbound, &datagram(Outbound, 5353, 53, INSTAGRAM_QUERY)), Verdict::Drop);
}

/// TSPU-14: a query sent again from the same port meets the same fate, and the miss is told once.
#[test]
fn tspu_14_a_repeated_query_is_not_drawn_again() {
    let rule = Rule { miss: 0.5, ..dns_rule(Fate::Drop, Duration::ZERO) };
    let mut world = World::new(policy([in_path(vec![rule])]));
    let mut missed = 0;
    for port in 5000..5100 {
        let query = datagram(Outbound, port, 53, INSTAGRAM_QUERY);
        let first = world.send(Outbound, &query);
        assert_eq!(first, world.send(Outbound, &query), "from port {port}");
        missed += usize::from(first == Verdict::Pass);
    }
    assert!((30..=70).contains(&missed), "{missed} of 100");
    assert_eq!(world.count(EventKind::Missed), missed);
}

/// A refusal goes to the sender, from the address that it wrote to.
#[test]
fn rejections() {
    let port_443 = || Condition::ServerPort([443].into());
    for (rejection, protocol) in [(Rejection::TcpReset, 6), (Rejection::HostUnreachable, 1)] {
        let refused = Rule { trigger: fate(Fate::Reject(rejection)), ..rule("ip-out", port_443()) };
        let mut world = World::new(policy([in_path(vec![refused])]));
        let syn = Connection::new(4000).segment(Outbound, SYN, &[]);
        assert_eq!(world.send(Outbound, &syn), Verdict::Drop);
        let [refusal] = world.injections()[..] else { panic!("one refusal") };
        assert_sound(&refusal.bytes);
        assert_eq!((refusal.toward, refusal.bytes[9]), (Toward::Inside, protocol));
        assert_eq!(world.story(), ["tspu/ip-out Rejected"]);
    }
}

/// The packets of one flow and direction leave in the order they came in, whatever is held, and a packet that may be
/// offloaded waits until it is the last of its flow.
#[test]
fn delay_keeps_the_order() {
    let boxes = [in_path(vec![sni_4(&["whatsapp.com"])])];
    let mut world = World::of(Censor::new(policy(boxes), 1).with_delay(millis(10)));
    let mut connection = Connection::new(4000);
    let packets = [
        (Outbound, SYN, &[][..]),
        (Inbound, SYN_ACK, &[]),
        (Outbound, ACK, &[]),
        (Outbound, DATA, INSTAGRAM_HELLO),
        (Outbound, DATA, b"more"),
    ];
    let ids: Vec<_> = packets
        .iter()
        .map(|(direction, flags, payload)| {
            world.now += millis(1);
            let segment = connection.segment(*direction, *flags, payload);
            world.offer(*direction, &segment)
        })
        .collect();
    assert_eq!(world.censor.counters().held, 5);
    world.poll_all();
    let given: Vec<_> = world
        .out
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::Verdict(id, verdict) => Some((*id, verdict.clone())),
            _ => None,
        })
        .collect();
    let expected = [Verdict::Pass, Verdict::Pass, Verdict::Pass, Verdict::Pass, Verdict::PassAndOffload];
    assert_eq!(given, ids.into_iter().zip(expected).collect::<Vec<_>>());
    assert_eq!(world.now, Instant::ZERO + millis(15));
}

/// No more packets are held than the bound says; the earliest leave early, so the order stays.
#[test]
fn held_packets_are_bounded() {
    let boxes = [on_path(vec![dns_rule(Fate::Pass, Duration::from_secs(60))])];
    let mut world = World::of(Censor::new(policy(boxes), 1).with_delay(Duration::from_secs(3600)));
    let query = datagram(Outbound, 5353, 53, INSTAGRAM_QUERY);
    let ids: Vec<_> = (0..MAX_HELD + 100).map(|_| world.offer(Outbound, &query)).collect();
    assert_eq!(world.censor.counters().held, MAX_HELD);
    assert_eq!(world.count(EventKind::Injected), ids.len());
    world.poll_all();
    assert_eq!(world.censor.counters().held, 0);
    let given: Vec<_> = world
        .out
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::Verdict(id, _) => Some(*id),
            _ => None,
        })
        .collect();
    assert_eq!(given, ids);
    assert_eq!(world.injections().len(), ids.len());
}
