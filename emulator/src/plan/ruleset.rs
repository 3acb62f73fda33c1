//! What the kernel decides at a hop, and what it hands to the inspector.
//!
//! Two chains hook at prerouting. The first comes before defragmentation and conntrack: it drops or refuses the prefixes
//! that need no explanation beyond their rule, lets through the flows that were passed, and queues the rest of what the
//! policy can see. A verdict ends its base chain, so what it asks for is done in the second: a mark puts the flow into the
//! set of those that were passed.
//!
//! A phase changes elements of sets and never a chain: rebuilding a chain drops the packets that are queued.

use std::collections::BTreeMap;

use roadblock_censor::policy::{Interest, KernelAction, KernelBlock, Policy, PortInterest, Rejection};
use roadblock_censor::{Direction, PrefixSet};
use roadblock_scenarios::model::{Name, Scenario};
use serde::Serialize;

/// The table's name.
pub const TABLE: &str = "roadblock";
/// The chain that decides and queues.
pub const INSPECT: &str = "inspect";
/// The chain that acts on verdicts' marks.
pub const OFFLOAD: &str = "offload";
/// Before conntrack's defragmentation at -400.
pub const INSPECT_PRIORITY: i32 = -450;
/// After the verdict, and still before defragmentation.
pub const OFFLOAD_PRIORITY: i32 = -440;
/// The queue of a hop's inspector; queues belong to their namespace.
pub const QUEUE: u16 = 1;
/// The NFLOG group that carries what the kernel decided.
pub const LOG_GROUP: u16 = 1;
/// A verdict with this mark passes the rest of its flow.
pub const PASS_MARK: u32 = 0x7061_7373;
/// What the log says when a flow could not be noted because the set was full.
pub const FULL: &str = "offload-full";
/// The IPv4 flows that were passed.
pub const PASSED_V4: &str = "passed_v4";
/// The IPv6 flows that were passed.
pub const PASSED_V6: &str = "passed_v6";
/// How many flows are noted at once.
pub const PASSED_SIZE: u32 = 131_072;
/// How long a note is kept, in milliseconds. It is housekeeping, not behaviour: a flow whose note was dropped is queued
/// once more and passed again.
pub const PASSED_TIMEOUT: u64 = 300_000;

/// Protocol numbers.
pub mod protocol {
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// `ICMPv6`.
    pub const ICMPV6: u8 = 58;
}

/// The answer to an echo (RFC 4443 section 4.2).
const ICMPV6_ECHO_REPLY: u8 = 129;

/// Flag bits of TCP.
const FIN_SYN_RST: u8 = 0x07;

/// The table of one hop.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Ruleset {
    /// Its sets.
    pub sets: Vec<SetPlan>,
    /// How many flows each set of passed flows holds.
    pub passed_size: u32,
    /// The rules of the first chain.
    pub inspect: Vec<RulePlan>,
    /// The rules of the second.
    pub offload: Vec<RulePlan>,
    /// Which kernel rule each logged prefix stands for.
    pub logged: BTreeMap<String, LoggedRule>,
}

/// What a packet in the log means.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LoggedRule {
    /// The censor's or box's name.
    pub censor: Name,
    /// The rule's id.
    pub rule: Name,
    /// Whether the packet was refused rather than dropped.
    pub rejected: bool,
}

/// One set.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct SetPlan {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: SetKind,
}

/// What a set holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetKind {
    /// Ranges of IPv4 addresses.
    PrefixesV4,
    /// Ranges of IPv6 addresses.
    PrefixesV6,
    /// IPv4 flows: protocol, source, port, destination, port.
    FlowsV4,
    /// IPv6 flows.
    FlowsV6,
}

impl SetKind {
    /// The kind of the set of prefixes of this name.
    pub fn of_prefixes(name: &str) -> Self {
        if name.ends_with("_v6") { Self::PrefixesV6 } else { Self::PrefixesV4 }
    }
}

/// One rule.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct RulePlan {
    /// What it is for; the rule's comment.
    pub comment: String,
    /// All must match.
    pub matches: Vec<Match>,
    /// What is done then.
    pub then: Vec<Statement>,
}

/// An address family of packets.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PacketFamily {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// One of a packet's two ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Where it comes from.
    Source,
    /// Where it goes.
    Destination,
}

/// What a rule looks at.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Match {
    /// The family.
    Family(PacketFamily),
    /// The protocol above IP.
    Protocol(u8),
    /// It came from the internet's side, or did not.
    Inbound(bool),
    /// It is a fragment, the first one included; needs a `Family` before it.
    Fragment(PacketFamily),
    /// It is whole; needs a `Family` before it.
    Whole(PacketFamily),
    /// It is an ICMP message of a type up to this one; needs a `Protocol` before it.
    IcmpType(u8),
    /// None of these TCP flags is set.
    NoTcpFlags(u8),
    /// An end's address lies in this set; needs a `Family` before it.
    Address(PacketFamily, End, String),
    /// An end's port lies between these, both included.
    Ports(End, u16, u16),
    /// The flow is in this set; needs a `Family` before it.
    Flow(PacketFamily, String),
    /// The mark.
    Mark(u32),
}

/// What a rule does.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statement {
    /// Copies the packet to the log, with this prefix.
    Log(String),
    /// Notes the flow in this set.
    AddFlow(PacketFamily, String),
    /// Ends the chain; the packet goes on.
    Accept,
    /// Ends the packet.
    Drop,
    /// Ends the packet and tells its sender.
    Reject(Rejection),
    /// Hands the packet to the inspector.
    Queue,
}

/// Why a policy cannot be turned into a ruleset.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum RulesetError {
    /// A phase changes more of a kernel rule than the prefixes it holds.
    #[error(
        "phase `{phase}` changes more of `{censor}/{rule}` than its prefixes; only prefixes can change in a live lab"
    )]
    ChangesShape {
        /// The phase.
        phase: Name,
        /// The censor.
        censor: Name,
        /// The rule.
        rule: Name,
    },
}

/// A rule that the kernel decides alone.
struct Block {
    number: usize,
    censor: Name,
    rule: Name,
    what: KernelBlock,
}

impl Ruleset {
    /// The ruleset of a hop in every phase; `None` where nothing is blocked or looked at in any and `watch` is false.
    ///
    /// With `watch` every TCP and UDP flow is queued until the machine passes it: that is how a path without a censor gets
    /// its delay.
    pub fn of(scenario: &Scenario, hop: &str, watch: bool) -> Result<Option<Self>, RulesetError> {
        let blocks = blocks(scenario, hop)?;
        let interest = if watch { everything() } else { interest(scenario, hop) };
        if blocks.is_empty() && interest == Interest::default() {
            return Ok(None);
        }
        let mut ruleset = Self { passed_size: PASSED_SIZE, ..Self::default() };
        for block in &blocks {
            ruleset.block(block);
        }
        if interest != Interest::default() {
            ruleset.queue(&interest);
        }
        Ok(Some(ruleset))
    }

    /// The elements of the prefix sets of a hop in one phase, by the set's name.
    pub fn elements(scenario: &Scenario, hop: &str, phase: &str) -> BTreeMap<String, PrefixSet> {
        let mut elements = BTreeMap::new();
        for (number, (_, _, block)) in kernel_blocks(scenario, hop, phase).into_iter().enumerate() {
            elements.insert(set_name(number, PacketFamily::V4), block.prefixes.clone());
            elements.insert(set_name(number, PacketFamily::V6), block.prefixes);
        }
        elements
    }

    /// The same ruleset, whose sets of prefixes have names of their own in each generation, so that a table can hold those of
    /// two while rules of the one take the place of those of the other.
    #[must_use]
    pub fn of_generation(mut self, generation: u32) -> Self {
        for set in &mut self.sets {
            set.name = in_generation(generation, std::mem::take(&mut set.name));
        }
        for rule in self.inspect.iter_mut().chain(&mut self.offload) {
            for each in &mut rule.matches {
                if let Match::Address(_, _, set) = each {
                    *set = in_generation(generation, std::mem::take(set));
                }
            }
        }
        self
    }

    /// [`Ruleset::elements`] for such a ruleset.
    pub fn elements_of_generation(
        generation: u32,
        scenario: &Scenario,
        hop: &str,
        phase: &str,
    ) -> BTreeMap<String, PrefixSet> {
        let elements = Self::elements(scenario, hop, phase).into_iter();
        elements.map(|(name, prefixes)| (in_generation(generation, name), prefixes)).collect()
    }

    fn block(&mut self, block: &Block) {
        let label = format!("{}/{}", block.censor, block.rule);
        let rejected = matches!(block.what.action, KernelAction::Reject(_));
        let logged = LoggedRule { censor: Name::clone(&block.censor), rule: Name::clone(&block.rule), rejected };
        self.logged.insert(label.clone(), logged);
        for (family, kind) in [(PacketFamily::V4, SetKind::PrefixesV4), (PacketFamily::V6, SetKind::PrefixesV6)] {
            let set = set_name(block.number, family);
            self.sets.push(SetPlan { name: set.clone(), kind });
            for direction in [Direction::Outbound, Direction::Inbound] {
                if block.what.direction.is_some_and(|only| only != direction) {
                    continue;
                }
                let server = server_end(direction);
                let matches = vec![
                    Match::Inbound(direction == Direction::Inbound),
                    Match::Family(family),
                    Match::Address(family, server, set.clone()),
                ];
                self.block_ports(&label, &block.what, &matches, server);
            }
        }
    }

    /// One rule for each protocol and range of ports that the block names, and for each protocol that is refused otherwise.
    fn block_ports(&mut self, label: &str, block: &KernelBlock, matches: &[Match], server: End) {
        let protocols: Vec<Option<u8>> = match (block.protocol, &block.ports, block.action) {
            (Some(protocol), _, _) => vec![Some(protocol)],
            (None, Some(_), _) => vec![Some(protocol::TCP), Some(protocol::UDP)],
            (None, None, KernelAction::Reject(Rejection::TcpReset)) => vec![Some(protocol::TCP), None],
            (None, None, _) => vec![None],
        };
        for protocol in protocols {
            let ranges: Vec<Option<(u16, u16)>> = match &block.ports {
                Some(ports) => ports.ranges().iter().copied().map(Some).collect(),
                None => vec![None],
            };
            for range in ranges {
                let mut matches = matches.to_vec();
                matches.extend(protocol.map(Match::Protocol));
                matches.extend(range.map(|(first, last)| Match::Ports(server, first, last)));
                let end = match block.action {
                    KernelAction::Drop => Statement::Drop,
                    // Only TCP can be reset.
                    KernelAction::Reject(Rejection::TcpReset) if protocol != Some(protocol::TCP) => {
                        Statement::Reject(Rejection::PortUnreachable)
                    }
                    KernelAction::Reject(rejection) => Statement::Reject(rejection),
                };
                let then = vec![Statement::Log(label.to_owned()), end];
                self.inspect.push(RulePlan { comment: label.to_owned(), matches, then });
            }
        }
    }

    fn queue(&mut self, interest: &Interest) {
        for (family, name, kind) in
            [(PacketFamily::V4, PASSED_V4, SetKind::FlowsV4), (PacketFamily::V6, PASSED_V6, SetKind::FlowsV6)]
        {
            self.sets.push(SetPlan { name: name.to_owned(), kind });
            self.inspect.push(RulePlan {
                comment: "fragments: the bytes of a later one are no ports".to_owned(),
                matches: vec![Match::Family(family), Match::Fragment(family)],
                then: vec![Statement::Queue],
            });
            for (protocol, ports) in [(protocol::TCP, &interest.tcp), (protocol::UDP, &interest.udp)] {
                if *ports != PortInterest::None {
                    self.inspect.push(passed(family, name, protocol));
                    self.offload.push(note(family, name, protocol));
                }
            }
        }
        for (protocol, ports) in [(protocol::TCP, &interest.tcp), (protocol::UDP, &interest.udp)] {
            self.queue_ports(protocol, ports);
        }
        if interest.icmp {
            self.queue_icmp();
        }
        self.offload.push(RulePlan {
            comment: "the set is full".to_owned(),
            matches: vec![Match::Mark(PASS_MARK)],
            then: vec![Statement::Log(FULL.to_owned())],
        });
    }

    /// Errors and echoes, and none of the types above them by which IPv6 finds its neighbours.
    fn queue_icmp(&mut self) {
        let icmpv6 = vec![Match::Protocol(protocol::ICMPV6), Match::IcmpType(ICMPV6_ECHO_REPLY)];
        for matches in [vec![Match::Protocol(protocol::ICMP)], icmpv6] {
            self.inspect.push(RulePlan { comment: "look at it".to_owned(), matches, then: vec![Statement::Queue] });
        }
    }

    fn queue_ports(&mut self, protocol: u8, ports: &PortInterest) {
        let rule =
            |matches: Vec<Match>| RulePlan { comment: "look at it".to_owned(), matches, then: vec![Statement::Queue] };
        match ports {
            PortInterest::None => {}
            PortInterest::Any => self.inspect.push(rule(vec![Match::Protocol(protocol)])),
            PortInterest::Some(ports) => {
                for (first, last) in ports.ranges() {
                    for direction in [Direction::Outbound, Direction::Inbound] {
                        self.inspect.push(rule(vec![
                            Match::Inbound(direction == Direction::Inbound),
                            Match::Protocol(protocol),
                            Match::Ports(server_end(direction), *first, *last),
                        ]));
                    }
                }
            }
        }
    }
}

/// Lets a flow through that was passed. SYN, RST and FIN are always looked at, so that a port that is used again is seen.
fn passed(family: PacketFamily, set: &str, protocol: u8) -> RulePlan {
    let mut matches = vec![Match::Family(family), Match::Whole(family), Match::Protocol(protocol)];
    if protocol == protocol::TCP {
        matches.push(Match::NoTcpFlags(FIN_SYN_RST));
    }
    matches.push(Match::Flow(family, set.to_owned()));
    RulePlan { comment: "flows that were passed".to_owned(), matches, then: vec![Statement::Accept] }
}

fn note(family: PacketFamily, set: &str, protocol: u8) -> RulePlan {
    RulePlan {
        comment: "note a flow that is passed".to_owned(),
        matches: vec![Match::Mark(PASS_MARK), Match::Family(family), Match::Whole(family), Match::Protocol(protocol)],
        then: vec![Statement::AddFlow(family, set.to_owned()), Statement::Accept],
    }
}

fn server_end(direction: Direction) -> End {
    match direction {
        Direction::Outbound => End::Destination,
        Direction::Inbound => End::Source,
    }
}

fn set_name(number: usize, family: PacketFamily) -> String {
    match family {
        PacketFamily::V4 => format!("block{number}_v4"),
        PacketFamily::V6 => format!("block{number}_v6"),
    }
}

/// Flows that were passed have the same sets in every generation.
fn in_generation(generation: u32, name: String) -> String {
    if generation == 0 || [PASSED_V4, PASSED_V6].contains(&&*name) { name } else { format!("g{generation}_{name}") }
}

fn everything() -> Interest {
    Interest { tcp: PortInterest::Any, udp: PortInterest::Any, ..Interest::default() }
}

/// The boxes of a hop in one phase, as one policy.
pub fn policy_at(scenario: &Scenario, hop: &str, phase: &str) -> Policy {
    let Some(phase) = scenario.phase(phase) else { return Policy::default() };
    let here = scenario.censors.iter().filter(|censor| &*censor.at == hop);
    let policies = here.filter_map(|censor| phase.state.policies.get(&censor.name));
    Policy { boxes: policies.flat_map(|policy| policy.boxes.iter().cloned()).collect() }
}

/// The kernel's rules at a hop in one phase, in order: censor, rule, block.
fn kernel_blocks(scenario: &Scenario, hop: &str, phase: &str) -> Vec<(Name, Name, KernelBlock)> {
    let mut blocks = Vec::new();
    for each in policy_at(scenario, hop, phase).boxes {
        for (rule, block) in each.kernel_blocks() {
            blocks.push((Name::clone(&each.name), Name::clone(&rule.id), block));
        }
    }
    blocks
}

fn blocks(scenario: &Scenario, hop: &str) -> Result<Vec<Block>, RulesetError> {
    let mut phases = scenario.phases.iter();
    let Some(first) = phases.next() else { return Ok(Vec::new()) };
    let first_blocks = kernel_blocks(scenario, hop, &first.id);
    for phase in phases {
        let others = kernel_blocks(scenario, hop, &phase.id);
        let changed = first_blocks.iter().enumerate().find(|(number, (censor, rule, block))| {
            !others.get(*number).is_some_and(|(other_censor, other_rule, other)| {
                other_censor == censor
                    && other_rule == rule
                    && (other.protocol, &other.ports, other.direction, other.action)
                        == (block.protocol, &block.ports, block.direction, block.action)
            })
        });
        // A rule that the kernel could execute in this phase alone would be missing from its chain.
        let added = others.get(first_blocks.len());
        if let Some((censor, rule, _)) = changed.map(|(_, block)| block).or(added) {
            return Err(RulesetError::ChangesShape {
                phase: Name::clone(&phase.id),
                censor: Name::clone(censor),
                rule: Name::clone(rule),
            });
        }
    }
    let numbered = first_blocks.into_iter().enumerate();
    Ok(numbered.map(|(number, (censor, rule, what))| Block { number, censor, rule, what }).collect())
}

/// What the machine must see in any phase.
fn interest(scenario: &Scenario, hop: &str) -> Interest {
    let phases = scenario.phases.iter().map(|phase| policy_at(scenario, hop, &phase.id).interest());
    phases.fold(Interest::default(), Interest::or)
}
