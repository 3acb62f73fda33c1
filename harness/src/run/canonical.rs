//! The events of a run in the form that is the same run after run: no times, no client ports, retransmissions
//! collapsed, sorted.

use std::collections::{BTreeMap, BTreeSet};

use roadblock_censor::{EventKind, FlowKey};
use roadblock_emulator::events::Recorded;
use schemars::JsonSchema;
use serde::Serialize;

use super::report::Known;

/// A decision without what differs from run to run.
#[derive(Clone, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct CanonicalEvent {
    /// The phase.
    pub(crate) phase: String,
    /// The flow's IP protocol number.
    pub(crate) protocol: u8,
    /// The flow's inside address.
    pub(crate) client: String,
    /// The flow's outside address.
    pub(crate) server: String,
    /// The flow's outside port.
    pub(crate) server_port: u16,
    /// Which of the flows between these ends, from 0.
    pub(crate) flow: usize,
    /// Which of the flow's decisions, from 0.
    pub(crate) step: usize,
    /// The hop where it was decided.
    pub(crate) hop: String,
    /// The box that decided.
    pub(crate) censor: String,
    /// The rule that decided, where one did.
    pub(crate) rule: Option<String>,
    /// What was decided.
    pub(crate) kind: String,
    /// The way the packet travelled.
    pub(crate) direction: String,
    /// What matched.
    pub(crate) matched: Option<String>,
    /// The facts that the rule cites.
    pub(crate) facts: Vec<String>,
    /// How far the behaviour is known.
    pub(crate) grade: Known,
}

/// The events of one phase, canonical.
pub(crate) fn canonical(phase: &str, events: &[Recorded]) -> Vec<CanonicalEvent> {
    let mut flows: BTreeMap<FlowKey, Vec<&Recorded>> = BTreeMap::new();
    // That a flow was let go says when its packets came, not what was decided about them.
    for event in events.iter().filter(|event| event.event.kind != EventKind::Passed) {
        flows.entry(event.event.flow).or_default().push(event);
    }
    // Flows between the same ends differ in the client's port alone, which is chance: their decisions order them.
    let mut by_ends: BTreeMap<Ends, Vec<Vec<CanonicalEvent>>> = BTreeMap::new();
    for (key, events) in flows {
        by_ends.entry(Ends::from(key)).or_default().push(decisions(phase, &events));
    }
    by_ends.into_values().flat_map(numbered).collect()
}

/// A flow without its client port.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Ends(u8, std::net::IpAddr, std::net::IpAddr, u16);

impl From<FlowKey> for Ends {
    fn from(key: FlowKey) -> Self {
        Self(key.protocol, key.client, key.server, key.server_port)
    }
}

/// The different decisions about one flow in the order of their first time; what a retransmission met again is one.
fn decisions(phase: &str, events: &[&Recorded]) -> Vec<CanonicalEvent> {
    let mut seen = BTreeSet::new();
    let mut decisions = Vec::new();
    for event in events {
        let event = stripped(phase, event);
        if seen.insert(event.clone()) {
            decisions.push(event);
        }
    }
    // Which way a packet went that met the same rule first is a race between the two ends.
    for same in decisions
        .chunk_by_mut(|one, next| (&one.censor, &one.rule, &one.kind) == (&next.censor, &next.rule, &next.kind))
    {
        same.sort();
    }
    for (step, event) in decisions.iter_mut().enumerate() {
        event.step = step;
    }
    decisions
}

fn numbered(mut flows: Vec<Vec<CanonicalEvent>>) -> impl Iterator<Item = CanonicalEvent> {
    flows.sort();
    let numbered = flows.into_iter().enumerate();
    numbered.flat_map(|(flow, events)| events.into_iter().map(move |event| CanonicalEvent { flow, ..event }))
}

fn stripped(phase: &str, recorded: &Recorded) -> CanonicalEvent {
    let event = &recorded.event;
    CanonicalEvent {
        phase: phase.to_owned(),
        protocol: event.flow.protocol,
        client: event.flow.client.to_string(),
        server: event.flow.server.to_string(),
        server_port: event.flow.server_port,
        flow: 0,
        step: 0,
        hop: recorded.hop.to_string(),
        censor: event.censor.to_string(),
        rule: event.rule.as_ref().map(ToString::to_string),
        kind: word(&event.kind),
        direction: word(&event.direction),
        matched: event.matched.clone(),
        facts: event.facts.iter().map(ToString::to_string).collect(),
        grade: event.grade.into(),
    }
}

/// A unit variant as serde writes it.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{event, flow};
    use super::*;

    #[test]
    fn ports_and_repetitions_and_the_order_of_flows_leave_no_trace() {
        let one = [event(flow(40000), "sni-1"), event(flow(40000), "sni-1"), event(flow(40001), "sni-4")];
        let other = [event(flow(50000), "sni-4"), event(flow(50001), "sni-1")];
        let canonical_one = canonical("full-block", &one);
        assert_eq!(canonical_one, canonical("full-block", &other));
        insta::assert_json_snapshot!(canonical_one);
    }
}
