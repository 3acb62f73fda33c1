//! What a box does with pieces of IP packets, and how far it reads into IPv6.

use core::time::Duration;

use serde::Serialize;

/// What a box does with fragments (RFC 791 section 3.2, RFC 8200 section 4.5).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum FragmentPolicy {
    /// A first fragment is read as far as it goes, if it holds the whole transport header; later ones pass unread.
    #[default]
    Ignore,
    /// None passes. A box on the path cannot do that and does not read them.
    Drop,
    /// They pass as they come and a copy is put together; what is then read decides about the fragment that completed it.
    Reassemble {
        /// Which of two copies of a byte is believed (GFW-TCB-3).
        overlap: FragmentOverlap,
        /// How many fragments of one packet are kept; a packet of more is not read.
        limit: u16,
        /// How long after the first of them they are kept.
        timeout: Duration,
    },
    /// They wait until the packet is complete, which is then read, and go on one by one, not put together (TSPU-11). A box on
    /// the path cannot hold anything back: it puts a copy together under the same limits.
    Queue {
        /// How many fragments a packet may have; all of a packet that has more are dropped.
        limit: u16,
        /// How long after the first of them they wait; then they are dropped.
        timeout: Duration,
        /// What a fragment does of which some bytes are there already.
        duplicate: DuplicateFragment,
        /// The time to live that they go on with.
        ttl: FragmentTtl,
    },
}

impl FragmentPolicy {
    /// The queue of the TSPU: 45 fragments, five seconds (TSPU-11).
    pub const TSPU_QUEUE: Self = Self::Queue {
        limit: 45,
        timeout: Duration::from_secs(5),
        duplicate: DuplicateFragment::DiscardQueue,
        ttl: FragmentTtl::OfFirst,
    };

    /// Whether fragments are treated otherwise than whole packets.
    pub fn is_in_force(&self) -> bool {
        *self != Self::Ignore
    }
}

/// Which of two copies of a byte a box believes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FragmentOverlap {
    /// The one that came first.
    #[default]
    First,
    /// The one that came last.
    Last,
}

/// What a fragment does of which some bytes are in the queue already.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DuplicateFragment {
    /// All of the packet's fragments are dropped (TSPU-11; RFC 5722 for IPv6).
    #[default]
    DiscardQueue,
    /// It alone is dropped.
    Ignore,
}

/// The time to live with which queued fragments go on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FragmentTtl {
    /// That of the fragment which holds the packet's beginning (TSPU-11).
    #[default]
    OfFirst,
    /// Their own.
    Own,
}

/// How far a box reads into an IPv6 packet.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ipv6Extensions {
    /// Past its extension headers.
    #[default]
    Walk,
    /// Not past the first of them: the packet is of no flow and nothing in it is read. A fragment header is left to
    /// [`FragmentPolicy`].
    Ignore,
}
