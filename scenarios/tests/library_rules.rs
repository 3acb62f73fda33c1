//! The rules that every scenario of a country keeps: it tells its story with its sources, and what it blocks has neighbours that
//! show how wide the block is.

use std::collections::BTreeSet;

use roadblock_scenarios::model::{Expectation, NeighbourKind, Phase, Probe, VerdictWord};
use roadblock_scenarios::{Library, Scenario, load};

/// The scenarios that lie in a folder of a country.
fn countries() -> Vec<Scenario> {
    let library = Library::embedded();
    let ids = library.ids().filter(|id| id.split_once('/').is_some_and(|(folder, _)| folder.len() == 2));
    ids.map(|id| load(id, &library).unwrap_or_else(|mistakes| panic!("{mistakes}"))).collect()
}

#[test]
fn each_tells_its_story() {
    let mut lacking = Vec::new();
    for scenario in countries() {
        let of_phases = |told: fn(&Phase) -> bool| scenario.phases.iter().any(told);
        let told = [
            ("story", scenario.story.as_ref().is_some_and(|story| story.len() > 200)),
            ("felt", scenario.felt.is_some() || of_phases(|phase| phase.felt.is_some())),
            ("unknown", scenario.unknown.is_some() || of_phases(|phase| phase.unknown.is_some())),
            ("sources", !scenario.sources.is_empty()),
            ("facts in sources", scenario.sources.iter().any(|source| !source.facts.is_empty())),
            ("mechanisms", !scenario.mechanisms.is_empty()),
            ("control", scenario.control().is_some()),
            (
                "something from control",
                scenario.expectations.iter().any(|each| each.vantages.iter().any(|name| &**name == "control")),
            ),
        ];
        lacking
            .extend(told.iter().filter(|(_, is_told)| !is_told).map(|(what, _)| format!("{}: no {what}", scenario.id)));
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}

/// In each phase in which something is blocked, something beside it of each kind that there is was measured too.
#[test]
fn over_blocking_would_be_noticed_in_each_phase() {
    let mut lacking = Vec::new();
    for scenario in countries() {
        for phase in &scenario.phases {
            let here = || scenario.expectations.iter().filter(|each| each.phases.contains(&phase.id));
            let blocked = here().filter(|each| each.neighbour_of.is_none() && is_blocked(each));
            let wanted: BTreeSet<NeighbourKind> =
                blocked.flat_map(|each| kinds(&each.steps[0].probe)).copied().collect();
            let found: BTreeSet<NeighbourKind> =
                here().filter_map(|each| Some(each.neighbour_of.as_ref()?.kind)).collect();
            for kind in wanted.difference(&found) {
                let lack = (&*scenario.id, &*phase.id, kind.word());
                if !EXCEPTIONS.iter().any(|(id, at, kind, _)| (*id, *at, *kind) == lack) {
                    lacking.push(format!("{} in {}: nothing beside by {}", lack.0, lack.1, lack.2));
                }
            }
        }
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}

/// An exception that is none any more is taken out.
#[test]
fn each_exception_is_one() {
    let all = countries();
    for (id, at, kind, reason) in EXCEPTIONS {
        let scenario = all.iter().find(|each| *each.id == **id).unwrap_or_else(|| panic!("{id} is not there"));
        assert!(scenario.phase(at).is_some(), "{id}: no phase {at}");
        let here = scenario.expectations.iter().filter(|each| each.phases.iter().any(|phase| **phase == **at));
        let has = here.filter_map(|each| each.neighbour_of.as_ref()).any(|neighbour| neighbour.kind.word() == *kind);
        assert!(!has && !reason.is_empty(), "{id} in {at} has a neighbour by {kind}");
    }
}

fn is_blocked(expectation: &Expectation) -> bool {
    expectation.steps.first().is_some_and(|step| !matches!(step.verdict, VerdictWord::Ok | VerdictWord::Unmeasured))
}

/// The neighbours that make sense for a measurement, as far as one can be had of every lab.
fn kinds(probe: &Probe) -> &'static [NeighbourKind] {
    use NeighbourKind::{Address, Name, Port, Protocol};
    match probe {
        Probe::Dns { .. } | Probe::Tls { .. } | Probe::Http { .. } => &[Name, Address, Port, Protocol],
        Probe::Tcp { .. } => &[Address, Port, Protocol],
        Probe::Throughput { .. } => &[Name, Address, Protocol],
        Probe::Quic { .. } => &[Name, Protocol],
        Probe::Ping { .. } => &[Address, Protocol],
        Probe::WhatsAppChat { .. }
        | Probe::TelegramChat { .. }
        | Probe::Call { .. }
        | Probe::Stun { .. }
        | Probe::WireGuard { .. }
        | Probe::Speak { .. } => &[Protocol],
        _ => &[],
    }
}

/// Scenario, phase and kind, and why nothing stands there.
const EXCEPTIONS: &[(&str, &str, &str, &str)] = &[
    ("cn/gfw", "esni", "name", "only ESNI is new here: the DNS block that stays has its neighbours in `before`"),
    ("cn/gfw", "esni", "address", "only ESNI is new here: the DNS block that stays has its neighbours in `before`"),
    ("cn/gfw", "esni", "port", "only ESNI is new here: the DNS block that stays has its neighbours in `before`"),
    ("cn/tor-ip", "addresses", "name", "the page of another name on the blocked address is an expectation of its own"),
    (
        "ru/google-news-2022",
        "blocked",
        "name",
        "bytes without a title cannot be told from a block page; `maps` shows it",
    ),
    ("ru/google-news-2022", "blocked", "port", "bytes without a title cannot be told from a block page"),
    ("ru/mobile-whitelist-2025", "names", "protocol", "a ping is dropped too, by the rule on datagrams"),
    ("ru/mobile-whitelist-2025", "addresses-at-yota", "protocol", "a ping is dropped too, by the rule on datagrams"),
    ("ru/mobile-whitelist-2025", "addresses", "protocol", "a ping is dropped too, by the rule on datagrams"),
    (
        "ru/whatsapp-proxy-2026",
        "found",
        "address",
        "no neutral host listens on the chat's port; WhatsApp's own are shown",
    ),
];
