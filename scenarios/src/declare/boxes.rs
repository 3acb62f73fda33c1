//! The middleboxes of a profile: what they see and what they forget.

use std::time::Duration;

use roadblock_censor::policy::{DuplicateFragment, FragmentOverlap, FragmentTtl, Ipv6Extensions, Place, Sees, ShareBy};
use serde_json::json;

use crate::declare::{
    CountRange, FlowDeclaration, HttpReading, InspectDeclaration, QuicReading, TcpDeclaration, TlsReading,
};
use crate::diagnostic::Collector;
use crate::read::{Definitions, Dictionary, OneOrMany, Read, choice, table, value, words};
use crate::tree::{Entry, Node, Value};

/// The middleboxes of a profile.
#[derive(Clone, Debug)]
pub(crate) enum Boxes {
    /// One, which needs no name.
    One(Box<BoxDeclaration>),
    /// Several, in the order in which a packet from the inside meets them.
    Several(Dictionary<BoxDeclaration>),
}

impl Default for Boxes {
    fn default() -> Self {
        Self::Several(Dictionary::default())
    }
}

impl Read for Boxes {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        // A box may be called as one of the keys is: what has a place of its own is a box.
        let has_place = |node: &Node| matches!(&node.value, Value::Table(keys) if value(keys, "place").is_some());
        let several = |entries: &Vec<Entry>| {
            !BoxDeclaration::KEYS.iter().any(|key| value(entries, key).is_some())
                || entries.iter().any(|entry| has_place(&entry.node))
        };
        match &node.value {
            Value::Table(entries) if several(entries) => Dictionary::read(node, errors).map(Self::Several),
            _ => BoxDeclaration::read(node, errors).map(|one| Self::One(Box::new(one))),
        }
    }

    fn schema(definitions: &mut Definitions) -> serde_json::Value {
        json!({ "anyOf": [BoxDeclaration::schema(definitions), Dictionary::<BoxDeclaration>::schema(definitions)] })
    }
}

table! {
    /// A middlebox.
    BoxDeclaration {
        /// Whether it can hold and drop packets, or only watch and inject.
        "place" => place: Place = Place::default(),
        /// Which directions it sees.
        "sees" => sees: Sees = Sees::default(),
        /// Which share of the flows it sees, where several stand side by side; all where not said.
        "share" => share: Option<ShareDeclaration>,
        /// What it does with fragments of IP packets.
        "fragments" => fragments: FragmentsDeclaration = FragmentsDeclaration::Ignore,
        /// How far it reads into an IPv6 packet.
        "ipv6-extensions" => ipv6_extensions: Ipv6Extensions = Ipv6Extensions::Walk,
        /// How it keeps flows.
        "flow" => flow: Option<FlowDeclaration>,
        /// How it reads TCP.
        "tcp" => tcp: Option<TcpDeclaration>,
        /// How much it looks at before it gives a flow up as harmless.
        "inspect" => inspect: Option<InspectDeclaration>,
        /// How it reads TLS.
        "tls" => tls: Option<TlsReading>,
        /// How it reads QUIC.
        "quic" => quic: Option<QuicReading>,
        /// How it reads HTTP.
        "http" => http: Option<HttpReading>,
    }
}

table! {
    /// The share of flows that a box sees: those whose hash falls into some of so many equal parts. Boxes with the same `by`
    /// and `of` divide the flows between them.
    ShareDeclaration {
        /// What divides the flows.
        "by" => by: ShareBy,
        /// How many parts there are.
        "of" => of: u32,
        /// Which of them the box sees, counted from 0: `[0, "4-7"]`.
        "is" => is: OneOrMany<CountRange>,
    }
}

words! {
    /// What divides flows between boxes: the client's address, both addresses, the server's port besides, or both ports.
    ShareBy {
        "client-address" => Self::ClientAddress,
        "2t" => Self::TwoTuple,
        "3t" => Self::ThreeTuple,
        "4t" => Self::FourTuple,
    }
}

choice! {
    /// What a box does with fragments of IP packets.
    FragmentsDeclaration {
        words {
            /// It lets them pass and reads a first one as far as it goes.
            "ignore" => Ignore,
            /// It swallows them.
            "drop" => Drop,
        }
        keys {
            /// It lets them pass and puts a copy together, which is read.
            "reassemble" => Reassemble(ReassembleDeclaration),
            /// It keeps them until all are there, reads the packet, and lets them go one by one.
            "queue" => Queue(QueueDeclaration),
        }
    }
}

table! {
    /// How fragments are put together.
    ReassembleDeclaration {
        /// Which of two copies of a byte is believed.
        "overlap" => overlap: FragmentOverlap = FragmentOverlap::First,
        /// How many fragments of one packet are kept.
        "limit" => limit: u16 = 64,
        /// How long after the first of them they are kept.
        "timeout" => timeout: Duration = Duration::from_secs(30),
    }
}

table! {
    /// How fragments wait for each other.
    QueueDeclaration {
        /// How many fragments a packet may have; all of one that has more are dropped.
        "limit" => limit: u16 = 45,
        /// How long after the first of them they wait; then they are dropped.
        "timeout" => timeout: Duration = Duration::from_secs(5),
        /// What becomes of a fragment of which some bytes are there already.
        "duplicate" => duplicate: DuplicateFragment = DuplicateFragment::DiscardQueue,
        /// The time to live that they go on with.
        "ttl" => ttl: FragmentTtl = FragmentTtl::OfFirst,
    }
}

words! {
    /// Which of two copies of a byte is believed.
    FragmentOverlap { "first" => Self::First, "last" => Self::Last, }
}

words! {
    /// What becomes of a fragment of which some bytes are there already: all of its packet are dropped, or it alone.
    DuplicateFragment { "discard-queue" => Self::DiscardQueue, "ignore" => Self::Ignore, }
}

words! {
    /// The time to live with which queued fragments go on: that of the one with the packet's beginning, or their own.
    FragmentTtl { "of-first" => Self::OfFirst, "own" => Self::Own, }
}

words! {
    /// How far a box reads into an IPv6 packet: past its extension headers, or not past the first of them.
    Ipv6Extensions { "walk" => Self::Walk, "ignore" => Self::Ignore, }
}
