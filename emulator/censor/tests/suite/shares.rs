//! Boxes side by side, of which each sees some flows (GFW-DNS-6).

use roadblock_censor::policy::{BoxPolicy, Condition, DnsForgery, Fate, InjectionKind, Response, Rule, Share, ShareBy};
use roadblock_censor::{Censor, Verdict};

use crate::support::*;

fn seen(name: &str, share: Share) -> BoxPolicy {
    let forgery = DnsForgery { addresses: vec![[31, 13, 94, 49].into()], ttl: 60, ..DnsForgery::default() };
    let inject = vec![InjectionKind::Dns(forgery.into()).into()];
    let trigger = Response { fate: Fate::Pass, inject };
    let rules = vec![Rule { trigger, ..rule("dns", Condition::qname(names(&["instagram.com"]))) }];
    BoxPolicy { name: name.into(), share: Some(share), ..on_path(rules) }
}

/// Which boxes answer a query from this port to this server.
fn answered(world: &mut World, client_port: u16, server: [u8; 4]) -> Vec<String> {
    world.clear();
    let query = datagram_with(server.into(), Outbound, client_port, 53, INSTAGRAM_QUERY);
    world.send(Outbound, &query);
    world.out.events.iter().filter_map(roadblock_censor::Event::by).collect()
}

/// GFW-DNS-6: what one box sees is a matter of both ends, the same for each query; retries do not help, other ports may.
#[test]
fn gfw_dns_6_all_or_nothing() {
    let share = Share { by: ShareBy::FourTuple, of: 8, is: vec![0..=2, 7..=7] };
    let mut world = World::of(Censor::new(policy([seen("gfw", share)]), 3));
    let first: Vec<_> = (4000..4400).map(|port| answered(&mut world, port, [8, 8, 8, 8]).len()).collect();
    let again: Vec<_> = (4000..4400).map(|port| answered(&mut world, port, [8, 8, 8, 8]).len()).collect();
    assert_eq!(first, again);
    let hit = first.iter().sum::<usize>();
    assert!((150..250).contains(&hit), "{hit} of 400 where half are seen");
    let elsewhere: Vec<_> = (4000..4400).map(|port| answered(&mut world, port, [8, 8, 4, 4]).len()).collect();
    assert_ne!(first, elsewhere);
}

/// GFW-DNS-6: boxes side by side divide the flows between them, so that each is seen by exactly one.
#[test]
fn gfw_dns_6_boxes_side_by_side() {
    let share = |first, last| Share { by: ShareBy::TwoTuple, of: 3, is: vec![first..=last] };
    let boxes = ["a", "b", "c"].iter().zip(0..).map(|(name, part)| seen(name, share(part, part)));
    let mut world = World::new(policy(boxes.collect::<Vec<_>>()));
    let mut all = Vec::new();
    for host in 0..150 {
        let by = answered(&mut world, 4000, [8, 8, 8, host]);
        assert_eq!(by.len(), 1, "{by:?}");
        assert_eq!(answered(&mut world, 4001, [8, 8, 8, host]), by, "ports do not matter here");
        all.extend(by);
    }
    for name in ["a/dns", "b/dns", "c/dns"] {
        let of = all.iter().filter(|by| **by == name).count();
        assert!((30..70).contains(&of), "{name} saw {of}");
    }
    let mut none = World::new(policy([seen("none", Share { is: vec![], ..share(0, 0) })]));
    assert!(answered(&mut none, 4000, [8, 8, 8, 8]).is_empty());
}

/// Both directions of a flow are seen or neither, and what no box sees is left to the kernel.
#[test]
fn an_unseen_flow_is_left_to_the_kernel() {
    let share = Share { by: ShareBy::FourTuple, of: 2, is: vec![0..=0] };
    let rules = vec![Rule { residuals: vec![dropped_for(10)], ..rule("sni", sni(&["whatsapp.com"])) }];
    let mut world = World::new(policy([BoxPolicy { share: Some(share), ..in_path(rules) }]));
    let mut seen = 0;
    for port in 4000..4100 {
        let mut connection = Connection::new(port);
        let mut verdicts = Vec::new();
        for (direction, flags, payload) in [
            (Outbound, SYN, &b""[..]),
            (Inbound, SYN_ACK, b""),
            (Outbound, ACK, b""),
            (Outbound, DATA, WHATSAPP_HELLO),
            (Inbound, DATA, b"answer"),
        ] {
            let segment = connection.segment(direction, flags, payload);
            verdicts.push(world.send(direction, &segment));
        }
        match verdicts[4] {
            Verdict::Drop => seen += 1,
            ref other => assert_eq!((other, &verdicts[3]), (&Verdict::PassAndOffload, &Verdict::PassAndOffload)),
        }
    }
    assert!((30..70).contains(&seen), "{seen}");
}

/// A box that sees a share blocks nothing by addresses in the kernel, which cannot tell.
#[test]
fn the_kernel_knows_no_shares() {
    let share = Some(Share { by: ShareBy::ClientAddress, of: 2, is: vec![0..=0] });
    let rules = vec![Rule { trigger: fate(Fate::Drop), ..rule("ip", prefixes(&["8.8.8.0/24"])) }];
    assert_eq!(in_path(rules.clone()).kernel_blocks().count(), 1);
    assert_eq!(BoxPolicy { share, ..in_path(rules) }.kernel_blocks().count(), 0);
}
