//! What goes into the machine and what comes out of it.

use std::net::IpAddr;

use crate::event::{Event, FlowKey};

/// The driver's name for one queued packet. Each id gets exactly one final verdict.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PacketId(pub u32);

/// Which way a packet travels through the box.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the censored network towards the internet.
    Outbound,
    /// From the internet towards the censored network.
    Inbound,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Outbound => Self::Inbound,
            Self::Inbound => Self::Outbound,
        }
    }
}

/// Which side of the box an injected packet leaves by.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Toward {
    /// The censored network.
    Inside,
    /// The internet.
    Outside,
}

/// One packet as the router received it: an IPv4 or IPv6 header and all that follows, checksums complete.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The driver's name for it.
    pub id: PacketId,
    /// The way it travels.
    pub direction: Direction,
    /// From the first byte of the IP header.
    pub bytes: &'a [u8],
}

/// The final fate of one queued packet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Forward it as it is.
    Pass,
    /// Forward it as it is, and note in the kernel that the flow need not be queued again in this packet's direction.
    PassAndOffload,
    /// Swallow it.
    Drop,
    /// Forward these bytes in its place; checksums are right.
    Replace(Vec<u8>),
    /// Hand it to an interceptor (KZ-1); a driver without one forwards it.
    Divert,
}

/// A packet of the machine's own making.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Injection {
    /// The side it leaves by.
    pub toward: Toward,
    /// From the first byte of the IP header; checksums are right.
    pub bytes: Vec<u8>,
}

/// One thing for the driver to do, in this order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// Give this packet its final verdict.
    Verdict(PacketId, Verdict),
    /// Keep this packet; a verdict will come out of a later [`poll`](crate::Censor::poll). At most
    /// [`MAX_HELD`](crate::machine::MAX_HELD) packets are ever held, and as fragments that wait for the rest of their packet
    /// [`MAX_FRAGMENTS`](crate::machine::MAX_FRAGMENTS) more.
    Hold(PacketId),
    /// Send a packet of the machine's own.
    Inject(Injection),
    /// Forget what was offloaded of this flow, both directions: its packets must be queued again.
    Recall(FlowKey),
    /// Forget all that was offloaded.
    RecallAll,
    /// Hand this to an active prober; a driver without one has nothing to do.
    Suspect(Suspect),
}

/// A server that a rule suspects, and what gave it away (GFW-SS-1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Suspect {
    /// Its address.
    pub server: IpAddr,
    /// Its port.
    pub port: u16,
    /// The payload that matched, which a prober may send again; no more than [`Suspect::MAX_PAYLOAD`] of it.
    pub payload: Vec<u8>,
}

impl Suspect {
    /// The most that is handed over of a payload, in bytes.
    pub const MAX_PAYLOAD: usize = 4096;
}

/// Where the machine writes what is to be done, in order, and what it decided.
#[derive(Debug, Default)]
pub struct Outbox {
    /// What the driver must do, in this order.
    pub commands: Vec<Command>,
    /// What was decided and why.
    pub events: Vec<Event>,
}
