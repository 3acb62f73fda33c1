//! From a tape to sequences: for each flow, who sent what to whom, what became of it, and who decided so.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use roadblock_censor::{Direction, EventKind, FlowKey};
use roadblock_emulator::capture::{Fate, Identity, Packet, Side, Tape};
use roadblock_scenarios::Scenario;
use schemars::JsonSchema;
use serde::Serialize;

use super::describe::{Memory, describe, quoted_destination};

/// One flow of a client, as packets. Counts, times and what is retransmitted differ from run to run.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct Flow {
    /// The client's address; cells and expectations name theirs.
    pub(crate) client: String,
    /// The client's port; 0 where the protocol has none.
    pub(crate) client_port: u16,
    /// The other end: address and port, or the address alone.
    pub(crate) server: String,
    /// `tcp`, `udp`, `icmp`.
    pub(crate) protocol: String,
    /// When it began, on the lab's clock.
    pub(crate) began_microseconds: u64,
    /// The captured hops between the two, from the client on.
    pub(crate) hops: Vec<String>,
    /// The hop at which the other end lives, where it is one of them.
    pub(crate) ends_at: Option<String>,
    /// What was sent, in order.
    pub(crate) steps: Vec<FlowStep>,
    /// How many bare acknowledgements are left out.
    pub(crate) bare_acknowledgements: usize,
}

/// A packet, or several of the same kind.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct FlowStep {
    /// When the first was seen, since the flow began.
    pub(crate) at_microseconds: u64,
    /// When the last was seen, since the flow began.
    pub(crate) until_microseconds: u64,
    /// `client`, `server`, or a hop.
    pub(crate) from: String,
    /// `client`, `server`, or a hop.
    pub(crate) to: String,
    /// What it is: `SYN`, `ClientHello SNI=web.whatsapp.com`.
    pub(crate) what: String,
    /// What became of it.
    pub(crate) fate: StepFate,
    /// The decisions about it, in the words of the event log.
    pub(crate) decisions: Vec<String>,
    /// How many packets.
    pub(crate) packets: usize,
    /// How many bytes of payload together.
    pub(crate) bytes: usize,
}

/// What became of a packet, or where it came from.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StepFate {
    /// It arrived as it was sent.
    Passed,
    /// It was dropped at the hop where it ends.
    Dropped,
    /// It was taken at the hop where it ends, and something else went on in its place.
    Replaced,
    /// It was not sent by its sender: a hop changed it.
    Rewritten,
    /// It was not sent by its sender: a hop made it.
    Injected,
    /// A resolver told it, and it is a lie.
    Lied,
    /// A hop sent it for itself, as routers do.
    Sent,
    /// It did not leave the hop where it ends, and nobody decided so.
    Lost,
}

/// All flows on a tape, in the order in which they began.
pub(crate) fn flows(tape: &Tape, scenario: &Scenario) -> Vec<Flow> {
    let mut by_flow: BTreeMap<FlowKey, Vec<usize>> = BTreeMap::new();
    for (index, packet) in tape.packets.iter().enumerate() {
        if let Some(key) = key(tape, packet) {
            by_flow.entry(key).or_default().push(index);
        }
    }
    let drawers = by_flow.into_iter().filter_map(|(key, packets)| Some((Drawer::new(tape, scenario, key)?, packets)));
    let mut flows: Vec<Flow> = drawers.filter_map(|(drawer, packets)| drawer.draw(&packets)).collect();
    flows.sort_by_key(|flow| flow.began_microseconds);
    flows
}

/// The flow that a packet tells of; an ICMP error tells of the client and the server of the packet that it quotes.
fn key(tape: &Tape, packet: &Packet) -> Option<FlowKey> {
    let key = tape.flow(packet)?;
    match quoted_destination(&packet.bytes) {
        Some(server) if tape.way(packet) == Direction::Inbound => Some(FlowKey { server, ..key }),
        _ => Some(key),
    }
}

/// One packet of the flow, wherever it was seen.
struct Message {
    way: Direction,
    seen: Vec<usize>,
}

struct Drawer<'a> {
    tape: &'a Tape,
    key: FlowKey,
    /// The captured hops of the client's vantage, from the client on.
    hops: Vec<&'a str>,
    /// The hop at which the server lives, where it is one of them.
    home: Option<&'a str>,
}

impl<'a> Drawer<'a> {
    /// `None` where the flow is no vantage's: what routers say to each other tells nothing.
    fn new(tape: &'a Tape, scenario: &'a Scenario, key: FlowKey) -> Option<Self> {
        let vantage = scenario.vantages.iter().find(|vantage| match key.client {
            IpAddr::V4(address) => vantage.v4.contains(&address),
            IpAddr::V6(address) => vantage.v6.contains(&address),
        })?;
        let path = vantage.path.as_slice();
        let is_captured = |hop: &&str| tape.points.iter().any(|point| *point.hop == **hop);
        let home = path.iter().map(|hop| &**hop).find(|hop| lives_at(scenario, hop, key.server));
        let captured: Vec<&str> = path.iter().map(|hop| &**hop).filter(is_captured).collect();
        Some(Self { tape, key, hops: captured, home })
    }

    /// The hops where the flow was seen, from the client on.
    fn hops_of(&self, packets: &[usize]) -> Vec<String> {
        let packets = packets.iter().filter_map(|index| self.tape.packets.get(*index));
        let seen: BTreeSet<&str> =
            packets.filter_map(|packet| self.tape.point(packet)).map(|point| &*point.hop).collect();
        self.hops.iter().filter(|hop| seen.contains(**hop)).map(|hop| (*hop).to_owned()).collect()
    }

    fn draw(&self, packets: &[usize]) -> Option<Flow> {
        let began = self.tape.packets.get(*packets.first()?)?.at;
        let mut steps: Vec<FlowStep> = Vec::new();
        let mut bare_acknowledgements = 0;
        let mut connection = 0;
        let mut memory = Memory::default();
        let mut described: BTreeMap<Identity, (String, usize, bool)> = BTreeMap::new();
        for message in self.messages(packets) {
            let Some(packet) = message.seen.first().and_then(|index| self.tape.packets.get(*index)) else { continue };
            let mut describe_now = || {
                let said = describe(&packet.bytes, message.way, &mut memory);
                (said.words, said.bytes, said.is_bare)
            };
            // A retransmission says what was said before; it does not go on from what was said last.
            let identity = Identity::of(&packet.bytes);
            let is_repeated = identity.is_some_and(|identity| described.contains_key(&identity));
            let (what, bytes, is_bare) = match identity {
                Some(identity) => described.entry(identity).or_insert_with(describe_now).clone(),
                None => describe_now(),
            };
            let step = self.step(&message, packet, began, (what, bytes));
            // Another SYN begins another connection, and what belongs to one is not counted with the other.
            if step.what == "SYN" && step.from == "client" && !is_repeated {
                connection = steps.len();
            }
            if is_bare && step.fate == StepFate::Passed && step.decisions.is_empty() {
                bare_acknowledgements += 1;
            } else {
                add(&mut steps, connection, step);
            }
        }
        let server = match (self.key.protocol, self.key.server_port) {
            (6 | 17, port) => SocketAddr::new(self.key.server, port).to_string(),
            _ => self.key.server.to_string(),
        };
        Some(Flow {
            client: self.key.client.to_string(),
            client_port: self.key.client_port,
            server,
            protocol: protocol_name(self.key.protocol).to_owned(),
            began_microseconds: microseconds(began),
            hops: self.hops_of(packets),
            ends_at: self.home.map(str::to_owned),
            steps,
            bare_acknowledgements,
        })
    }

    /// The flow's packets, each with all the places where it was seen.
    fn messages(&self, packets: &[usize]) -> Vec<Message> {
        let mut messages: Vec<Message> = Vec::new();
        let mut open: BTreeMap<(bool, Identity), Vec<usize>> = BTreeMap::new();
        for index in packets {
            let Some(packet) = self.tape.packets.get(*index) else { continue };
            let way = self.tape.way(packet);
            let key = Identity::of(&packet.bytes).map(|identity| (way == Direction::Outbound, identity));
            let candidates = key.and_then(|key| open.get(&key)).map(Vec::as_slice).unwrap_or_default();
            // The last that fits: an earlier one with the same bytes was dropped.
            let follows = candidates.iter().rev().copied().find(|message| {
                let last = messages[*message].seen.last().and_then(|last| self.tape.packets.get(*last));
                packet.fate != Fate::Made && last.is_some_and(|last| self.is_before(last, packet, way))
            });
            if let Some(message) = follows {
                messages[message].seen.push(*index);
                continue;
            }
            if let Some(key) = key {
                open.entry(key).or_default().push(messages.len());
            }
            messages.push(Message { way, seen: vec![*index] });
        }
        messages
    }

    /// Whether a packet that was at the first place can next be at the second.
    fn is_before(&self, first: &Packet, second: &Packet, way: Direction) -> bool {
        let place = |packet: &Packet| {
            let point = self.tape.point(packet)?;
            let hop = self.hops.iter().position(|hop| **hop == *point.hop)?;
            Some(2 * hop + usize::from(point.side == Side::Outside))
        };
        match (place(first), place(second)) {
            (Some(first), Some(second)) if way == Direction::Outbound => first < second,
            (Some(first), Some(second)) => first > second,
            _ => false,
        }
    }

    fn step(&self, message: &Message, packet: &Packet, began: Duration, (what, bytes): (String, usize)) -> FlowStep {
        let last = message.seen.last().and_then(|index| self.tape.packets.get(*index)).unwrap_or(packet);
        let hop_of = |packet: &Packet| self.tape.point(packet).map(|point| point.hop.to_string()).unwrap_or_default();
        let (sender, receiver) = match message.way {
            Direction::Outbound => ("client".to_owned(), self.far_end()),
            Direction::Inbound => (self.far_end(), "client".to_owned()),
        };
        let is_made = packet.fate == Fate::Made && self.home.is_none_or(|home| hop_of(packet) != home);
        let from = if is_made { hop_of(packet) } else { sender };
        // At its home a packet is not lost but delivered.
        let stays = last.fate == Fate::Stayed && self.home.is_none_or(|home| hop_of(last) != home);
        let to = if stays { hop_of(last) } else { receiver };
        let mut decisions: Vec<String> = Vec::new();
        let mut kinds: Vec<EventKind> = Vec::new();
        for packet in message.seen.iter().filter_map(|index| self.tape.packets.get(*index)) {
            for comment in self.tape.comments(packet) {
                if !decisions.contains(&comment) {
                    decisions.push(comment);
                }
            }
            let all = packet.decisions.iter().filter_map(|place| self.tape.decisions.get(*place));
            let interference = all.filter(|recorded| recorded.event.is_interference());
            kinds.extend(interference.map(|recorded| recorded.event.kind));
        }
        let at = microseconds(packet.at.saturating_sub(began));
        FlowStep {
            at_microseconds: at,
            until_microseconds: at,
            from,
            to,
            what,
            fate: fate(is_made, stays, message.way, &kinds),
            decisions,
            packets: 1,
            bytes,
        }
    }

    fn far_end(&self) -> String {
        self.home.map_or_else(|| "server".to_owned(), str::to_owned)
    }
}

fn fate(is_made: bool, stays: bool, way: Direction, kinds: &[EventKind]) -> StepFate {
    let has = |kind| kinds.contains(&kind);
    let is_changed = has(EventKind::Rewritten) || has(EventKind::Redirected);
    match () {
        () if is_made && is_changed => StepFate::Rewritten,
        () if is_made && !kinds.is_empty() => StepFate::Injected,
        () if is_made => StepFate::Sent,
        () if stays && is_changed => StepFate::Replaced,
        () if stays && !kinds.is_empty() => StepFate::Dropped,
        () if stays => StepFate::Lost,
        () if has(EventKind::Lied) && way == Direction::Inbound => StepFate::Lied,
        () => StepFate::Passed,
    }
}

/// Adds a step, or counts it with one of the same kind not long before in the same connection.
fn add(steps: &mut Vec<FlowStep>, connection: usize, step: FlowStep) {
    let like = |known: &&mut FlowStep| {
        known.from == step.from
            && known.to == step.to
            && known.what == step.what
            && known.fate == step.fate
            && known.decisions == step.decisions
    };
    match steps.iter_mut().skip(connection).rev().take(LOOK_BACK).find(like) {
        Some(known) => {
            known.until_microseconds = step.until_microseconds;
            known.packets += step.packets;
            known.bytes += step.bytes;
        }
        None => steps.push(step),
    }
}

/// How many steps back a like one is looked for: what is replaced comes in turn with what replaces it.
const LOOK_BACK: usize = 3;

fn lives_at(scenario: &Scenario, hop: &str, address: IpAddr) -> bool {
    let mut hops = scenario.hops.iter().filter(|each| &*each.name == hop);
    let mut resolvers = scenario.resolvers.iter().filter(|each| &*each.at == hop);
    hops.any(|each| address == IpAddr::V4(each.v4) || address == IpAddr::V6(each.v6))
        || resolvers.any(|each| each.addresses.contains(&address))
}

const fn protocol_name(protocol: u8) -> &'static str {
    match protocol {
        1 => "icmp",
        6 => "tcp",
        17 => "udp",
        58 => "icmpv6",
        _ => "ip",
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
