//! A compiled policy: what the boxes at one hop look for and what they do about it.
//!
//! A profile in TOML (`scenarios/censors/*.toml`) with its parameters filled in becomes a [`Policy`]; nothing in here is
//! parsed again. The words are those of the profile language, so a rule reads the same in both.

mod interest;
mod kernel;

use core::time::Duration;
use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

pub use interest::{Interest, PortInterest};
pub use kernel::{KernelAction, KernelBlock};

use crate::names::NameSet;
use crate::outbox::Direction;
use crate::prefixes::PrefixSet;

/// How far a behaviour is known. Later is weaker, so the grade of several is their maximum.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Read at a published measurement.
    Measured,
    /// From one source or one vantage point.
    SingleSource,
    /// Recalled from a publication and not read again.
    Recalled,
    /// Nobody published it; the scenario assumes it.
    #[default]
    Assumed,
}

/// All boxes at one hop, in the order a packet from the inside meets them.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The boxes.
    pub boxes: Vec<BoxPolicy>,
}

/// One middlebox.
#[derive(Clone, Debug)]
pub struct BoxPolicy {
    /// The name that events carry: the scenario's name for the censor, with `.box` where its profile has several.
    pub name: Arc<str>,
    /// Whether it can hold and drop or only watch and inject.
    pub place: Place,
    /// Which directions it sees (TSPU-9).
    pub sees: Sees,
    /// How it keeps flows.
    pub flow: FlowPolicy,
    /// The rules; the first that matches ends the search unless it says [`also`](Rule::also).
    pub rules: Vec<Rule>,
}

/// Where the box sits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// It can hold, drop and change packets.
    #[default]
    InPath,
    /// It can only watch and inject: [`Fate`] is ignored for the real packet, which always passes.
    OnPath,
}

/// Which directions the box sees.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sees {
    /// Both.
    #[default]
    Both,
    /// Only what leaves the censored network.
    Outbound,
    /// Only what enters it.
    Inbound,
}

impl Sees {
    /// Whether a packet travelling this way is seen.
    pub fn direction(self, direction: Direction) -> bool {
        match self {
            Self::Both => true,
            Self::Outbound => direction == Direction::Outbound,
            Self::Inbound => direction == Direction::Inbound,
        }
    }
}

/// How a box keeps flows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FlowPolicy {
    /// What makes the box begin to track a TCP flow.
    pub from: TrackFrom,
    /// How long an idle TCP flow is remembered in each state (TSPU-10).
    pub idle: IdleTimes,
    /// Which flags end the tracking of a flow. Empty: none does (RU-THR-4).
    pub teardown: Teardown,
    /// Whether a segment with a wrong TCP checksum is ignored.
    pub verify_checksum: bool,
    /// How many client payload bytes are put together in order before the box decides; `None`: each segment alone
    /// (TSPU-12). At most [`MAX_REASSEMBLY`](crate::machine::MAX_REASSEMBLY) in either case.
    pub reassembly_limit: Option<usize>,
    /// How many client data segments are looked at, each alone, before the flow is given up as harmless. A box that
    /// reassembles gives up by bytes, so that many small segments do not tire it.
    pub inspect_segments: u32,
}

impl Default for FlowPolicy {
    fn default() -> Self {
        Self {
            from: TrackFrom::Syn,
            idle: IdleTimes::default(),
            teardown: Teardown::default(),
            verify_checksum: true,
            reassembly_limit: None,
            inspect_segments: 4,
        }
    }
}

/// What makes the box begin to track a TCP flow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrackFrom {
    /// A SYN; a flow joined in the middle is unknown and never matched (TSPU-10).
    #[default]
    Syn,
    /// Any segment; the first sender is taken for the client unless a SYN says otherwise.
    Any,
}

/// How long an idle TCP flow is remembered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IdleTimes {
    /// After a SYN.
    pub syn_sent: Duration,
    /// After the SYN/ACK.
    pub syn_received: Duration,
    /// After data or the final ACK.
    pub established: Duration,
}

impl Default for IdleTimes {
    fn default() -> Self {
        // TSPU-10, IMC'22 table 2 (recalled).
        Self {
            syn_sent: Duration::from_secs(60),
            syn_received: Duration::from_secs(105),
            established: Duration::from_secs(480),
        }
    }
}

/// Which flags end the tracking of a flow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Teardown {
    /// A FIN ends it.
    pub fin: bool,
    /// A RST ends it.
    pub rst: bool,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name within the profile.
    pub id: Arc<str>,
    /// The facts it reproduces.
    pub facts: Vec<Arc<str>>,
    /// How far it is known: the weakest of its facts.
    pub grade: Grade,
    /// When it applies.
    pub when: Condition,
    /// What happens to the packet that matched.
    pub trigger: Response,
    /// What follows, and for how long.
    pub residual: Option<Residual>,
    /// How often it fails to act, from 0 to 1 (TSPU-14). Keyed by seed, rule, client and server address, server port and
    /// how many such flows came before.
    pub miss: f64,
    /// Whether the search goes on after this rule matched.
    pub also: bool,
}

/// When a rule applies.
///
/// What cannot be known is neither true nor false: the name in a `ClientHello` before there is one, whether the client is
/// inside on a flow that the box does not track. So `Not(TlsSni(..))` means a `ClientHello` for another name, or none, and
/// not a packet that has none. A rule applies when its condition is true (Kleene's strong logic of three values).
#[derive(Clone, Debug)]
pub enum Condition {
    /// All hold.
    All(Vec<Self>),
    /// At least one holds.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The flow's `ClientHello` names one of these servers.
    TlsSni(NameSet),
    /// The packet is a DNS query over UDP for one of these names, to port 53 unless a server port is given besides.
    DnsName(NameSet),
    /// The server's port is one of these.
    ServerPort(Vec<u16>),
    /// The server's address lies in one of these prefixes: the destination of a packet that leaves, the source of one that
    /// enters.
    ServerAddress(PrefixSet),
    /// The IP protocol number.
    Protocol(u8),
    /// The end that sent the SYN is inside (TSPU-8). For UDP: the end that sent the first datagram.
    ClientInside,
    /// The packet travels this way.
    Direction(Direction),
    /// The named rule has fired on this flow.
    Fired(Arc<str>),
}

/// What happens to a packet, and what is sent besides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// What happens to the packet itself. An on-path box cannot do any of it.
    pub fate: Fate,
    /// Packets sent besides, in order.
    pub inject: Vec<Injection>,
}

/// What happens to a packet itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Fate {
    /// Forward it.
    #[default]
    Pass,
    /// Swallow it.
    Drop,
    /// Swallow it and refuse its sender, as a router or a firewall does.
    Reject(Rejection),
    /// Change it in place and forward it (TSPU-1).
    Rewrite(Rewrite),
}

/// How a sender is refused.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rejection {
    /// A TCP reset; other protocols get a port-unreachable error.
    TcpReset,
    /// ICMP: no route to network.
    NetworkUnreachable,
    /// ICMP: host unreachable.
    HostUnreachable,
    /// ICMP: port unreachable.
    PortUnreachable,
    /// ICMP: communication administratively prohibited.
    AdministrativelyProhibited,
}

/// A change in place. Sequence and acknowledgement numbers, TTL and IP id stay as they are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rewrite {
    /// The TCP flags to set in place of the packet's.
    pub tcp_flags: Option<TcpFlags>,
    /// Whether the payload is removed.
    pub strip_payload: bool,
}

/// TCP flags as a byte of RFC 9293 section 3.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// FIN.
    pub const FIN: Self = Self(0x01);
    /// SYN.
    pub const SYN: Self = Self(0x02);
    /// RST.
    pub const RST: Self = Self(0x04);
    /// PSH.
    pub const PSH: Self = Self(0x08);
    /// ACK.
    pub const ACK: Self = Self(0x10);
    /// SYN and ACK.
    pub const SYN_ACK: Self = Self(0x12);
    /// RST and ACK.
    pub const RST_ACK: Self = Self(0x14);

    /// Whether all of these are set.
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

/// A packet to inject.
#[derive(Clone, Debug, PartialEq)]
pub struct Injection {
    /// What it is.
    pub kind: InjectionKind,
    /// How long after the packet that caused it, on the modelled clock.
    pub delay: Duration,
}

/// What is injected.
#[derive(Clone, Debug, PartialEq)]
pub enum InjectionKind {
    /// A reset that carries the other end's address.
    Reset {
        /// To whom.
        to: Recipient,
        /// RST, or RST with ACK.
        flags: TcpFlags,
    },
    /// A forged answer to the DNS query that matched, sent to its asker.
    Dns(DnsForgery),
}

/// Who gets a reset.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Recipient {
    /// The inside end.
    Client,
    /// The outside end.
    Server,
    /// Both, the inside end first.
    Both,
}

/// A forged DNS answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DnsForgery {
    /// The response code: 0 no error, 3 name does not exist, 5 refused (RFC 1035 section 4.1.1).
    pub rcode: u8,
    /// Addresses to answer with; those of the asked family are used, all of them.
    pub addresses: Vec<IpAddr>,
    /// The time to live of each answer, in seconds.
    pub ttl: u32,
    /// The AA bit.
    pub authoritative: bool,
}

/// Punishment that outlives its trigger.
#[derive(Clone, Debug)]
pub struct Residual {
    /// Which later packets it hits.
    pub key: ResidualKey,
    /// For how long.
    pub last: Duration,
    /// Whether a packet that it hits starts the time anew.
    pub refresh: bool,
    /// What happens to packets that leave.
    pub outbound: Response,
    /// What happens to packets that enter.
    pub inbound: Response,
}

/// Which later packets a residual hits.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
pub enum ResidualKey {
    /// The same connection: both addresses and both ports.
    #[serde(rename = "4t")]
    FourTuple,
    /// The same client, server and server port.
    #[serde(rename = "3t")]
    ThreeTuple,
    /// The same client and server.
    #[serde(rename = "2t")]
    TwoTuple,
}

impl Policy {
    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.boxes.iter().all(|each| each.rules.is_empty())
    }
}
