//! A compiled policy: what the boxes at one hop look for and what they do about it.
//!
//! A profile in TOML (`scenarios/censors/*.toml`) with its parameters filled in becomes a [`Policy`]; nothing in here is
//! parsed again. The words are those of the profile language, so a rule reads the same in both.

mod condition;
mod content;
mod daily;
mod flow;
mod fragments;
mod injection;
mod inspect;
mod interest;
mod kernel;
mod packet;
mod ports;
mod reads;
mod residual;
mod response;
mod rule;
mod share;
mod tcp;
mod threshold;

use std::sync::Arc;

use serde::Serialize;

pub use condition::Condition;
pub(crate) use content::Span;
pub use content::{
    BytePrefix, BytesQuestion, Content, DnsQuestion, HelloQuestion, HttpQuestion, Look, MAX_BYTE_PREFIX, Measure,
    QuicQuestion, ResponseQuestion, Speech, TlsQuestion,
};
pub use daily::DailyTime;
pub use flow::{ClientRole, FlowPolicy, IdleTimes, Resync, SecondSyn, Teardown, TeardownCheck, TrackFrom};
pub use fragments::{DuplicateFragment, FragmentOverlap, FragmentPolicy, FragmentTtl, Ipv6Extensions};
pub use injection::{
    DnsForgery, DnsInjection, HttpAnswer, Injection, InjectionKind, IpShape, Number, Pick, Recipient, SegmentShape,
};
pub use inspect::{Decide, InspectPolicy};
pub use interest::{Interest, PortInterest};
pub use kernel::{KernelAction, KernelBlock};
pub use packet::{Anomaly, PacketQuestion};
pub use ports::PortSet;
pub use reads::Reads;
pub use residual::{Refresh, Residual, ResidualKey};
pub use response::{Corrupt, Fate, Police, QueueLimit, Redirect, Rejection, Response, Rewrite, Shape, TcpFlags};
pub use rule::Rule;
pub use share::{Share, ShareBy};
pub use tcp::{Check, Overlap, Reassembly, SequenceCheck, TcpPolicy, TtlCheck, Urgent};
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
    /// How it reads TCP.
    pub tcp: TcpPolicy,
    /// How much it looks at.
    pub inspect: InspectPolicy,
    /// What it knows how to read.
    pub reads: Reads,
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

impl Policy {
    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.boxes.iter().all(|each| each.rules.is_empty())
    }
}
