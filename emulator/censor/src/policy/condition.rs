//! When a rule applies.

use std::sync::Arc;

use crate::names::NameSet;
use crate::outbox::Direction;
use crate::policy::content::{BytesQuestion, Content, DnsQuestion, HelloQuestion, TlsQuestion};
use crate::policy::{DailyTime, PacketQuestion, PortSet};
use crate::prefixes::PrefixSet;

/// When a rule applies.
///
/// What cannot be known is neither true nor false: the name in a `ClientHello` before there is one, whether the client is
/// inside on a flow that the box does not track. So `Not` of a name means a `ClientHello` for another name, or none, and
/// not a packet that has none. A rule applies when its condition is true (Kleene's strong logic of three values).
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All hold.
    All(Vec<Self>),
    /// At least one holds.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The client's address lies in one of these prefixes.
    ClientAddress(PrefixSet),
    /// The client's port is one of these.
    ClientPort(PortSet),
    /// The client's port is above the server's (GFW-QUIC-1).
    ClientPortAboveServer,
    /// The server's port is one of these.
    ServerPort(PortSet),
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
    /// The time of day, where the censor is, is within this.
    Time(DailyTime),
    /// What the packet's headers say.
    Packet(PacketQuestion),
    /// What the packet carries, read beyond its headers.
    Content(Content),
}

impl Condition {
    /// The flow's `ClientHello` names one of these servers.
    pub const fn sni(names: NameSet) -> Self {
        Self::Content(Content::Tls(TlsQuestion::Hello(HelloQuestion::Sni(names))))
    }

    /// The packet is a DNS query over UDP for one of these names, to port 53 unless a server port is given besides.
    pub const fn qname(names: NameSet) -> Self {
        Self::Content(Content::Dns(DnsQuestion::Name(names)))
    }

    /// The client's first data, or the datagram, begins with one of these.
    pub const fn starts(prefixes: Vec<super::BytePrefix>) -> Self {
        Self::Content(Content::Bytes(BytesQuestion::Starts(prefixes)))
    }

    /// Whether it can hold for any packet at all: one on an empty list cannot.
    pub fn can_hold(&self) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(Self::can_hold),
            Self::Any(parts) => parts.iter().any(Self::can_hold),
            Self::Content(content) => !content.is_about_nothing(),
            Self::ClientPort(ports) | Self::ServerPort(ports) => !ports.is_empty(),
            Self::ServerAddress(prefixes) | Self::ClientAddress(prefixes) => !prefixes.is_empty(),
            _ => true,
        }
    }

    /// Whether what it asks for excludes itself, whatever its lists hold: two protocols at once, ports that have nothing in
    /// common, a direction and the other, something and its contrary. Says so only where it is certain.
    pub fn contradicts_itself(&self) -> bool {
        let parts = self.conjuncts();
        let is_impossible = |part: &&Self| match part {
            Self::Any(parts) => !parts.is_empty() && parts.iter().all(Self::contradicts_itself),
            Self::Not(part) => matches!(&**part, Self::All(parts) if parts.is_empty()),
            _ => false,
        };
        let excludes = |one: &Self, other: &Self| match (one, other) {
            (Self::Direction(one), Self::Direction(other)) => one != other,
            (Self::Not(one), other) | (other, Self::Not(one)) => **one == *other,
            _ => false,
        };
        let pairs =
            || parts.iter().enumerate().flat_map(|(at, one)| parts[..at].iter().map(move |other| (*one, *other)));
        self.can_hold()
            && (!self.reaches_anything()
                || parts.iter().any(is_impossible)
                || pairs().any(|(one, other)| excludes(one, other)))
    }

    /// The conditions that must all hold for it to hold.
    pub fn conjuncts(&self) -> Vec<&Self> {
        match self {
            Self::All(parts) => parts.iter().flat_map(Self::conjuncts).collect(),
            Self::Any(parts) if parts.len() == 1 => parts.iter().flat_map(Self::conjuncts).collect(),
            other => vec![other],
        }
    }

    /// Whether some leaf is of this kind.
    pub(crate) fn mentions(&self, is_kind: &dyn Fn(&Self) -> bool) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.mentions(is_kind)),
            Self::Not(part) => part.mentions(is_kind),
            leaf => is_kind(leaf),
        }
    }

    /// The contents that it names.
    pub(crate) fn contents(&self) -> Vec<&Content> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::contents).collect(),
            Self::Not(part) => part.contents(),
            Self::Content(content) => vec![content],
            _ => Vec::new(),
        }
    }
}
