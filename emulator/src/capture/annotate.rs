//! Which packet is which: those that crossed a hop are seen twice, and each decision is about one of them.

use std::collections::BTreeMap;
use std::time::Duration;

use roadblock_censor::{Direction, Event, EventKind, FlowKey};

use super::fingerprint::{Fingerprint, Identity};
use super::tape::{Fate, Tape};
use crate::events::Recorded;

/// How much later than its decision a packet may have been stamped, and how much earlier than its packet's stamp a decision
/// may have been dated: a batch of packets is decided at one time, taken before the last of them came.
const SLACK: Duration = Duration::from_millis(2);

/// Says of each packet what became of it, and which decisions were about it. `causes` gives the packet that a decision was
/// about, by the decision's place, where that is known.
pub(super) fn annotate(tape: &mut Tape, decisions: Vec<Recorded>, causes: &BTreeMap<usize, Fingerprint>) {
    tape.decisions = decisions;
    pair(tape);
    let index = Index::of(tape);
    for place in 0..tape.decisions.len() {
        let found = match causes.get(&place) {
            Some(cause) => index.arrived(tape, place, cause),
            None => index.last_of_flow(tape, place),
        };
        let answer = index.answer(tape, place);
        for packet in found.into_iter().chain(answer) {
            note(tape, packet, place);
        }
    }
    mark_made(tape);
}

fn note(tape: &mut Tape, packet: usize, place: usize) {
    if let Some(packet) = tape.packets.get_mut(packet)
        && !packet.decisions.contains(&place)
    {
        packet.decisions.push(place);
    }
}

/// Finds the packets that were seen on both sides of a hop.
fn pair(tape: &mut Tape) {
    let mut waiting: BTreeMap<(&str, bool, Identity), Vec<usize>> = BTreeMap::new();
    let mut fates = vec![Fate::Seen; tape.packets.len()];
    for (index, packet) in tape.packets.iter().enumerate() {
        let Some(point) = tape.point(packet) else { continue };
        let both = tape.points.iter().filter(|each| each.hop == point.hop).count() > 1;
        let Some(identity) = Identity::of(&packet.bytes).filter(|_| both) else { continue };
        let key = (&*point.hop, tape.way(packet) == Direction::Outbound, identity);
        if !packet.outgoing {
            fates[index] = Fate::Stayed;
            waiting.entry(key).or_default().push(index);
        // The last that arrived: an earlier one with the same bytes was dropped.
        } else if let Some(arrived) = waiting.get_mut(&key).and_then(Vec::pop) {
            fates[arrived] = Fate::Crossed(index);
            fates[index] = Fate::Crossed(arrived);
        } else {
            fates[index] = Fate::Made;
        }
    }
    for (packet, fate) in tape.packets.iter_mut().zip(fates) {
        packet.fate = fate;
    }
}

/// A packet that was made or changed at its hop is the work of the last decision about its flow that makes packets.
fn mark_made(tape: &mut Tape) {
    let mut makers: BTreeMap<(&str, std::net::IpAddr), Vec<usize>> = BTreeMap::new();
    for (place, Recorded { hop, event }) in tape.decisions.iter().enumerate() {
        if matches!(
            event.kind,
            EventKind::Injected | EventKind::Rewritten | EventKind::Redirected | EventKind::Rejected
        ) {
            makers.entry((hop, event.flow.client)).or_default().push(place);
        }
    }
    let mut made = Vec::new();
    for (index, packet) in tape.packets.iter().enumerate().filter(|(_, packet)| packet.fate == Fate::Made) {
        let (Some(point), Some(flow)) = (tape.point(packet), tape.flow(packet)) else { continue };
        let way = tape.way(packet);
        let all = makers.get(&(&*point.hop, flow.client)).map(Vec::as_slice).unwrap_or_default();
        let fits = |place: &&usize| {
            tape.decisions.get(**place).is_some_and(|recorded| {
                when(&recorded.event) <= packet.at + SLACK && makes(&recorded.event, &flow, way)
            })
        };
        if let Some(place) = all.iter().rfind(fits) {
            made.push((index, *place));
        }
    }
    for (packet, place) in made {
        note(tape, packet, place);
    }
}

/// Whether a decision can have made a packet of this flow that travels this way.
fn makes(event: &Event, flow: &FlowKey, way: Direction) -> bool {
    // A refusal by ICMP is no packet of the flow itself.
    let is_error = matches!(flow.protocol, 1 | 58);
    match event.kind {
        EventKind::Rewritten => event.flow == *flow && event.direction == way,
        // The other end changes, and its answers come from whom was asked.
        EventKind::Redirected => {
            let client = |flow: &FlowKey| (flow.protocol, flow.client, flow.client_port);
            client(&event.flow) == client(flow)
        }
        EventKind::Rejected => event.flow == *flow || (is_error && event.flow.client == flow.client),
        _ => event.flow == *flow || is_error,
    }
}

/// Packets by what they are found by, in the order of time.
struct Index {
    by_fingerprint: BTreeMap<(String, Fingerprint), Vec<usize>>,
    by_flow: BTreeMap<(String, FlowKey), Vec<usize>>,
}

impl Index {
    fn of(tape: &Tape) -> Self {
        let (mut by_fingerprint, mut by_flow) = (BTreeMap::new(), BTreeMap::new());
        for (index, packet) in tape.packets.iter().enumerate() {
            let Some(hop) = tape.point(packet).map(|point| point.hop.to_string()) else { continue };
            if let Some(fingerprint) = Fingerprint::of(&packet.bytes).filter(|_| !packet.outgoing) {
                by_fingerprint.entry((hop.clone(), fingerprint)).or_insert_with(Vec::new).push(index);
            }
            if let Some(flow) = tape.flow(packet) {
                by_flow.entry((hop, flow)).or_insert_with(Vec::new).push(index);
            }
        }
        Self { by_fingerprint, by_flow }
    }

    /// The packet with this fingerprint that arrived last before the decision.
    fn arrived(&self, tape: &Tape, place: usize, cause: &Fingerprint) -> Option<usize> {
        let Recorded { hop, event } = tape.decisions.get(place)?;
        let all = self.by_fingerprint.get(&(hop.to_string(), *cause))?;
        all.iter().copied().rfind(|index| tape.packets[*index].at <= when(event) + SLACK)
    }

    /// The packet of the decision's flow and way that arrived last before the decision.
    fn last_of_flow(&self, tape: &Tape, place: usize) -> Option<usize> {
        let Recorded { hop, event } = tape.decisions.get(place)?;
        let all = self.by_flow.get(&(hop.to_string(), event.flow))?;
        all.iter().copied().rfind(|index| {
            let packet = &tape.packets[*index];
            !packet.outgoing && tape.way(packet) == event.direction && packet.at <= when(event) + SLACK
        })
    }

    /// What a resolver that lied then said.
    fn answer(&self, tape: &Tape, place: usize) -> Option<usize> {
        let Recorded { hop, event } = tape.decisions.get(place)?;
        let all = self.by_flow.get(&(hop.to_string(), event.flow)).filter(|_| event.kind == EventKind::Lied)?;
        all.iter().copied().find(|index| {
            let packet = &tape.packets[*index];
            packet.outgoing && tape.way(packet) != event.direction && packet.at + SLACK >= when(event)
        })
    }
}

fn when(event: &Event) -> Duration {
    Duration::from_nanos(event.at.as_nanos())
}

#[cfg(test)]
#[path = "annotate_tests.rs"]
mod tests;
