use roadblock_emulator::events::Recorded;

use super::*;
use crate::probes::Failure;
use crate::run::testing::{event, flow};

fn whole(part: Part) -> PartResult {
    let speed = matches!(part, Part::Download | Part::Upload).then_some(40_000);
    PartResult { kilobits_per_second: speed, ..PartResult::new(part, PartEnd::Whole) }
}

fn ended(part: Part, end: PartEnd, done: u64) -> PartResult {
    let failure = (end != PartEnd::Whole).then_some(Failure::GenericTimeout);
    PartResult { done, failure, ..PartResult::new(part, end) }
}

fn of_kind(kind: EventKind, rule: &str) -> Recorded {
    let Recorded { hop, event } = event(flow(40000), rule);
    Recorded { hop, event: Event { kind, ..event } }
}

const ALL: [Part; 6] = [Part::Download, Part::Page, Part::Upload, Part::Connections, Part::Dns, Part::LongFlow];

/// All parts whole but for one; 20 connections.
fn but(other: &PartResult) -> Vec<PartResult> {
    let part = |part: Part| match part {
        part if part == other.part => other.clone(),
        Part::Connections => PartResult { done: 20, ..whole(part) },
        part => whole(part),
    };
    ALL.map(part).to_vec()
}

fn said(parts: &[PartResult]) -> String {
    let judged = judge(parts, Beside { connected: false, control: Some((50_000, 50_000)) });
    format!("{} {:?}", judged.verdict, judged.rests_on)
}

#[test]
fn each_end_of_each_part_has_its_verdict() {
    let kb = |kilobytes: u64| kilobytes * 1024;
    let table = [
        (whole(Part::Download), "works []"),
        (ended(Part::Download, PartEnd::Partial, kb(14)), "freezes at 16 KB [Download]"),
        (ended(Part::Download, PartEnd::Partial, kb(1)), "freezes at 8 KB [Download]"),
        (ended(Part::Download, PartEnd::HandshakeOnly, 0), "freezes at 8 KB [Download]"),
        (ended(Part::Download, PartEnd::Nothing, 0), "blocked [Download]"),
        (ended(Part::Upload, PartEnd::Partial, kb(24)), "freezes at 32 KB [Upload]"),
        (ended(Part::Upload, PartEnd::HandshakeOnly, 0), "freezes at 8 KB [Upload]"),
        (ended(Part::Upload, PartEnd::Nothing, 0), "policed at 2 connections [Upload]"),
        (ended(Part::Connections, PartEnd::Partial, 9), "policed at 12 connections [Connections]"),
        (ended(Part::Connections, PartEnd::HandshakeOnly, 0), "policed at 3 connections [Connections]"),
        (ended(Part::Page, PartEnd::Nothing, 0), "blocked [Page]"),
        (ended(Part::Dns, PartEnd::Nothing, 0), "blocked [Dns]"),
        (ended(Part::LongFlow, PartEnd::Partial, 20), "dies after 20 s [LongFlow]"),
        (ended(Part::LongFlow, PartEnd::HandshakeOnly, 0), "policed at 23 connections [LongFlow]"),
    ];
    for (part, expected) in table {
        assert_eq!(said(&but(&part)), expected, "{part:?}");
    }
}

#[test]
fn where_nothing_got_through_it_matters_whether_the_far_end_was_reached() {
    let both = |download, page| {
        let mut parts = vec![ended(Part::Download, download, 0), ended(Part::Page, page, 0)];
        parts.extend([Part::Upload, Part::LongFlow].map(|part| ended(part, PartEnd::NotMade, 0)));
        parts
    };
    assert_eq!(said(&both(PartEnd::Nothing, PartEnd::Nothing)), "blocked [Download, Page]");
    assert_eq!(said(&both(PartEnd::HandshakeOnly, PartEnd::Nothing)), "handshake-only [Download, Page]");
    let few = [ended(Part::Download, PartEnd::Partial, 6 * 1024), ended(Part::Page, PartEnd::Nothing, 0)];
    assert_eq!(said(&few), "handshake-only [Download, Page]", "what came before the cut is of no use");
    let some = [ended(Part::Download, PartEnd::Partial, 13 * 1024), ended(Part::Page, PartEnd::Nothing, 0)];
    assert_eq!(said(&some), "freezes at 16 KB [Download]");
    let connected = Beside { connected: true, control: None };
    assert_eq!(judge(&both(PartEnd::Nothing, PartEnd::Nothing), connected).verdict, Verdict::HandshakeOnly);
}

#[test]
fn a_client_that_does_not_get_ready_and_a_command_that_fails_are_blocked() {
    assert_eq!(said(&[ended(Part::Client, PartEnd::Nothing, 0)]), "blocked [Client]");
    let client = whole(Part::Client);
    assert_eq!(said(&[client.clone(), whole(Part::Command)]), "works []");
    assert_eq!(said(&[client, ended(Part::Command, PartEnd::Nothing, 0)]), "blocked [Command]");
}

#[test]
fn slow_is_what_a_rule_has_held_back_and_not_what_a_busy_machine_is() {
    let held = |speed, kind| PartResult {
        kilobits_per_second: Some(speed),
        events: vec![of_kind(kind, "throttle")],
        ..whole(Part::Download)
    };
    assert_eq!(said(&but(&held(130, EventKind::Policed))), "slow x0.03 [Download]");
    assert_eq!(said(&but(&held(150, EventKind::Policed))), "slow x0.03 [Download]");
    assert_eq!(said(&but(&held(900, EventKind::Shaped))), "slow x0.25 [Download]");
    assert_eq!(said(&but(&held(5, EventKind::Policed))), "slow x0.01 [Download]");
    assert_eq!(said(&but(&held(3_000, EventKind::Policed))), "works []");
    assert_eq!(said(&but(&held(130, EventKind::Triggered))), "works []");
    let given_up = PartResult { done: 40 * 1024, end: PartEnd::Partial, ..held(60, EventKind::Policed) };
    assert_eq!(said(&but(&given_up)), "slow x0.02 [Download]");
}

/// iodine sends 20 KB a second at best, whoever looks on.
#[test]
fn what_still_moved_when_it_was_given_up_is_slow_by_itself_unless_something_interfered() {
    let given_up = PartResult { failure: None, ..ended(Part::Upload, PartEnd::Partial, 128 * 1024) };
    assert_eq!(said(&but(&given_up)), "works []");
    let lossy = PartResult { events: vec![of_kind(EventKind::Dropped, "loss")], ..given_up };
    assert_eq!(said(&but(&lossy)), "freezes at 128 KB [Upload]");
}

#[test]
fn what_did_it_is_what_acted_while_the_part_was_made() {
    let events = vec![
        of_kind(EventKind::Triggered, "armed"),
        of_kind(EventKind::Dropped, "cut"),
        of_kind(EventKind::Dropped, "cut"),
        of_kind(EventKind::Passed, "passed"),
    ];
    let cut = PartResult { events, ..ended(Part::Download, PartEnd::Partial, 16 * 1024) };
    let mut parts = but(&cut);
    parts[1].events = vec![of_kind(EventKind::Dropped, "another")];
    let judged = judge(&parts, Beside::default());
    let by: Vec<String> = did_it(&judged, &parts).into_iter().map(|rule| rule.by).collect();
    assert_eq!(by, ["tspu/cut", "tspu/armed"]);
    parts[0].events.clear();
    let by: Vec<String> = did_it(&judged, &parts).into_iter().map(|rule| rule.by).collect();
    assert_eq!(by, ["tspu/another"], "what was done before is better than nothing");
    let works = judge(&but(&whole(Part::Page)), Beside::default());
    assert!(did_it(&works, &parts).is_empty());
}

#[test]
fn orders_of_magnitude_are_the_nearest() {
    let magnitudes: Vec<u64> = [0, 1, 2, 3, 11, 12, 16, 22, 23, 34].map(magnitude).to_vec();
    assert_eq!(magnitudes, [8, 8, 8, 8, 8, 16, 16, 16, 32, 32]);
    let percents: Vec<u64> = [4000, 3000, 2000, 1000, 500, 140, 60, 20, 0].map(|own| percent(own, 4000)).to_vec();
    assert_eq!(percents, [100, 100, 50, 25, 13, 3, 2, 1, 1]);
}

#[test]
fn what_a_cipher_makes_different_each_time_is_not_said() {
    assert_eq!(without_measures("fully encrypted, 4.20 of 8 bits set"), "fully encrypted");
    assert_eq!(without_measures("a payload of entropy 7.31"), "a payload of entropy");
    for kept in ["SNI web.whatsapp.com", "address 167.99.70.10", "payload of 100 to 200 bytes", ""] {
        assert_eq!(without_measures(kept), kept);
    }
}
