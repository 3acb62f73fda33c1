//! Fragments that wait for the rest of their packet: bounded in number, bytes and time.

mod gathering;
mod walk;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::outbox::{Direction, PacketId};
use crate::policy::{DuplicateFragment, FragmentOverlap, FragmentPolicy, Place};
use crate::time::Instant;
use crate::wire::fragment::{FragmentId, Piece};

use gathering::{Gathering, Taken};

/// The most fragments kept at once, of all packets together.
pub const MAX_FRAGMENTS: usize = 4096;
/// The most bytes of fragments kept at once.
pub const MAX_FRAGMENT_BYTES: usize = 4 << 20;

/// All packets of which some box has got a part.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    packets: HashMap<GatheringKey, Gathering>,
    /// The packets in the order in which they began.
    by_age: BTreeMap<u64, GatheringKey>,
    /// When each is given up.
    deadlines: BTreeSet<(Instant, u64)>,
    stamp: u64,
    bytes: usize,
    count: usize,
    /// How many of the fragments are packets that wait for a verdict; the rest are copies.
    held: usize,
    evicted: u64,
}

/// What tells the packets that are put together from each other.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct GatheringKey {
    /// The place of the box that does it.
    pub(super) of_box: usize,
    pub(super) direction: Direction,
    pub(super) id: FragmentId,
}

/// A fragment on its way through the boxes, or a copy of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Travelling {
    /// The packet that waits for a verdict; a copy has none.
    pub(super) packet: Option<PacketId>,
    pub(super) bytes: Vec<u8>,
    /// Whether these are other bytes than those that came.
    pub(super) is_changed: bool,
    /// Whether the driver was told to hold it.
    pub(super) is_held: bool,
    /// How long it waits besides, for the rates that boxes keep.
    pub(super) wait: Duration,
}

/// How a box puts packets together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Gather {
    /// How many fragments a packet may have.
    limit: usize,
    timeout: Duration,
    overlap: Overlap,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Overlap {
    Believe(FragmentOverlap),
    Refuse(DuplicateFragment),
}

/// What came of a fragment.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Gathered {
    /// The rest is awaited.
    Waiting,
    /// It was there already and counts for nothing.
    Refused(Travelling),
    /// The packet is complete: its fragments as they came, and it itself.
    Complete(Vec<Travelling>, Vec<u8>),
    /// The packet is given up, and why.
    GivenUp(Vec<Travelling>, &'static str),
}

impl Gather {
    /// How a box of this policy does it; `None` for one that puts nothing together.
    pub(super) fn of(policy: &FragmentPolicy) -> Option<Self> {
        match *policy {
            FragmentPolicy::Ignore | FragmentPolicy::Drop => None,
            FragmentPolicy::Reassemble { overlap, limit, timeout } => {
                Some(Self { limit: limit.into(), timeout, overlap: Overlap::Believe(overlap) })
            }
            FragmentPolicy::Queue { limit, timeout, duplicate, .. } => {
                Some(Self { limit: limit.into(), timeout, overlap: Overlap::Refuse(duplicate) })
            }
        }
    }
}

impl Fragments {
    /// How many packets wait for a verdict.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// How many fragments gave way to newer ones.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// When the first of them is given up.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Adds a fragment to its packet.
    pub(super) fn add(&mut self, now: Instant, key: GatheringKey, how: Gather, fragment: Travelling) -> Gathered {
        let Some(piece) = Piece::parse(&fragment.bytes) else {
            return Gathered::Refused(fragment);
        };
        let gathering = self.packets.entry(key).or_insert_with(|| {
            self.stamp += 1;
            self.by_age.insert(self.stamp, key);
            let deadline = now + how.timeout;
            self.deadlines.insert((deadline, self.stamp));
            Gathering::new(self.stamp, deadline)
        });
        match gathering.take(piece, how) {
            Taken::Refused => return Gathered::Refused(fragment),
            Taken::Spoilt(why) => {
                let mut all = self.remove(&key);
                all.push(fragment);
                return Gathered::GivenUp(all, why);
            }
            Taken::Kept => {}
        }
        self.bytes += fragment.bytes.len();
        self.count += 1;
        self.held += usize::from(fragment.packet.is_some());
        gathering.fragments.push(fragment);
        match gathering.join(how) {
            None => Gathered::Waiting,
            Some(whole) => Gathered::Complete(self.remove(&key), whole),
        }
    }

    /// Gives up the packet that began first, if there is no room for a fragment of so many bytes.
    pub(super) fn make_room(&mut self, bytes: usize) -> Option<(GatheringKey, Vec<Travelling>)> {
        let is_full = self.count >= MAX_FRAGMENTS || self.bytes + bytes > MAX_FRAGMENT_BYTES;
        let oldest = *self.by_age.values().next().filter(|_| is_full)?;
        let fragments = self.remove(&oldest);
        self.evicted += fragments.len() as u64;
        Some((oldest, fragments))
    }

    /// Gives up a packet that waited for too long.
    pub(super) fn expire_one(&mut self, now: Instant) -> Option<(GatheringKey, Vec<Travelling>)> {
        let (_, stamp) = *self.deadlines.first().filter(|(at, _)| *at <= now)?;
        let key = *self.by_age.get(&stamp)?;
        Some((key, self.remove(&key)))
    }

    /// Gives the boxes of what waits their new places; what waits at a box that is gone is handed back.
    pub(super) fn relocate(&mut self, place: impl Fn(usize) -> Option<usize>) -> Vec<(GatheringKey, Vec<Travelling>)> {
        let keys: Vec<_> = self.by_age.values().copied().collect();
        let mut gone = Vec::new();
        let mut kept = HashMap::new();
        for key in keys {
            let Some(of_box) = place(key.of_box) else {
                gone.push((key, self.remove(&key)));
                continue;
            };
            if let Some(gathering) = self.packets.remove(&key) {
                let key = GatheringKey { of_box, ..key };
                self.by_age.insert(gathering.stamp, key);
                kept.insert(key, gathering);
            }
        }
        self.packets = kept;
        gone
    }

    fn remove(&mut self, key: &GatheringKey) -> Vec<Travelling> {
        let Some(gathering) = self.packets.remove(key) else {
            return Vec::new();
        };
        self.by_age.remove(&gathering.stamp);
        self.deadlines.remove(&(gathering.deadline, gathering.stamp));
        self.count -= gathering.fragments.len();
        self.bytes -= gathering.fragments.iter().map(|fragment| fragment.bytes.len()).sum::<usize>();
        self.held -= gathering.fragments.iter().filter(|fragment| fragment.packet.is_some()).count();
        gathering.fragments
    }
}

/// Whether a box holds fragments back until their packet is complete.
pub(super) fn holds_back(policy: &FragmentPolicy, place: Place) -> bool {
    place == Place::InPath && matches!(policy, FragmentPolicy::Queue { .. })
}
