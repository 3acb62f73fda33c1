//! A compiled policy: what the boxes at one hop look for and what they do about it.
//!
//! A profile in TOML (`scenarios/censors/*.toml`) with its parameters filled in becomes a [`Policy`]; nothing in here is
//! parsed again. The words are those of the profile language, so a rule reads the same in both.

mod condition;
mod fragments;
mod injection;
mod interest;
mod kernel;
mod ports;
mod residual;
mod response;
mod rule;
mod share;
mod threshold;

use core::time::Duration;
use std::sync::Arc;

use serde::Serialize;

pub use condition::{BytePrefix, Condition, Content, MAX_BYTE_PREFIX};
pub use fragments::{DuplicateFragment, FragmentOverlap, FragmentPolicy, FragmentTtl, Ipv6Extensions};
pub use injection::{
    DnsForgery, DnsInjection, HttpAnswer, Injection, InjectionKind, IpShape, Number, Pick, Recipient, SegmentShape,
};
pub use interest::{Interest, PortInterest};
pub use kernel::{KernelAction, KernelBlock};
pub use ports::PortSet;
pub use residual::{Refresh, Residual, ResidualKey};
pub use response::{Corrupt, Fate, Police, QueueLimit, Redirect, Rejection, Response, Rewrite, Shape, TcpFlags};
pub use rule::Rule;
pub use share::{Share, ShareBy};
pub use threshold::{Per, Threshold, ThresholdUnit};

use crate::outbox::Direction;

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
#[derive(Clone, Debug, Default)]
pub struct BoxPolicy {
    /// The name that events carry: the scenario's name for the censor, with `.box` where its profile has several.
    pub name: Arc<str>,
    /// Whether it can hold and drop or only watch and inject.
    pub place: Place,
    /// Which directions it sees (TSPU-9).
    pub sees: Sees,
    /// Which share of the flows it sees; all of them where there is none (GFW-DNS-6).
    pub share: Option<Share>,
    /// What it does with fragments (TSPU-11).
    pub fragments: FragmentPolicy,
    /// How far it reads into an IPv6 packet.
    pub ipv6_extensions: Ipv6Extensions,
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
    /// How many datagrams of a UDP flow, of both ends together, are looked at before the flow is given up as harmless. A
    /// flow that was found to speak a protocol which some rule names is looked at for as long as it lasts. One datagram of
    /// junk in front is enough to get by where this is 1 (RU-VPN-2).
    pub inspect_datagrams: u32,
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
            inspect_datagrams: 4,
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

impl Policy {
    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.boxes.iter().all(|each| each.rules.is_empty())
    }
}
