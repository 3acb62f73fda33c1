//! The flow table: bounded, and looked up once for each packet.

mod doubts;
mod ends;
mod hellos;
mod inner;
mod note;
pub(crate) mod reassembly;
mod stream;
mod track;
mod tunnel;

use std::collections::BTreeSet;

use hashlink::LinkedHashMap;
use hashlink::linked_hash_map::RawEntryMut;
use smallvec::SmallVec;

use crate::event::FlowKey;
use crate::outbox::Direction;

pub(crate) use doubts::Doubts;
pub(crate) use hellos::DatagramEar;
pub(crate) use inner::InnerTurns;
pub(crate) use stream::Stream;
pub(crate) use track::{Ear, SizesEar, Track};
pub(crate) use tunnel::{TunnelShape, TunnelTold};

/// All flows at this hop.
#[derive(Debug)]
pub(crate) struct FlowTable {
    capacity: usize,
    /// The flow that was seen the longest ago first.
    flows: LinkedHashMap<FlowKey, Flow>,
    /// The flows of which the kernel passes some packets by itself. Ordered, so that those of one client are found together
    /// and recalls come in the same order on every run.
    offloaded: BTreeSet<FlowKey>,
}

/// What each box remembers. Most hops have one box.
pub(crate) type Tracks = SmallVec<[Track; 1]>;

/// One flow.
#[derive(Debug)]
pub(crate) struct Flow {
    /// What each box remembers of it.
    pub(crate) tracks: Tracks,
    /// The directions that the kernel passes by itself.
    offloaded: Offloaded,
}

#[derive(Clone, Copy, Debug, Default)]
struct Offloaded {
    outbound: bool,
    inbound: bool,
}

/// What came of admitting a flow.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Admission {
    /// The flow is in the table.
    Admitted,
    /// The flow is in the table in place of one that the kernel passed packets of, which must be recalled.
    Replaced(FlowKey),
    /// There is no room.
    Full,
}

impl FlowTable {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, flows: LinkedHashMap::new(), offloaded: BTreeSet::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.flows.len()
    }

    pub(crate) fn offloaded_len(&self) -> usize {
        self.offloaded.len()
    }

    /// The flow, marked as seen now.
    pub(crate) fn touch(&mut self, key: &FlowKey) -> Option<&mut Flow> {
        match self.flows.raw_entry_mut().from_key(key) {
            RawEntryMut::Occupied(mut found) => {
                found.to_back();
                Some(found.into_mut())
            }
            RawEntryMut::Vacant(_) => None,
        }
    }

    /// Makes room for a flow and enters it. The flow that was seen the longest ago gives way if it is forgotten by every
    /// box; a table full of live flows takes no more.
    pub(crate) fn admit(&mut self, key: FlowKey, boxes: usize, is_forgotten: impl Fn(&Flow) -> bool) -> Admission {
        if self.flows.contains_key(&key) {
            return Admission::Admitted;
        }
        let mut admission = Admission::Admitted;
        if self.flows.len() >= self.capacity {
            let Some((oldest, flow)) = self.flows.front() else {
                return Admission::Full;
            };
            if !is_forgotten(flow) {
                return Admission::Full;
            }
            let oldest = *oldest;
            if self.remove(&oldest) {
                admission = Admission::Replaced(oldest);
            }
        }
        let tracks = core::iter::repeat_with(Track::default).take(boxes).collect();
        self.flows.insert(key, Flow { tracks, offloaded: Offloaded::default() });
        admission
    }

    /// Notes that the kernel passes this direction of a flow by itself; whether that is the flow's first.
    pub(crate) fn offload(&mut self, key: &FlowKey, direction: Direction) -> bool {
        let Some(flow) = self.flows.get_mut(key) else {
            return false;
        };
        *flow.offloaded.get_mut(direction) = true;
        self.offloaded.insert(*key)
    }

    pub(crate) fn is_offloaded(&self, key: &FlowKey, direction: Direction) -> bool {
        self.flows.get(key).is_some_and(|flow| flow.offloaded.get(direction))
    }

    /// Notes that the kernel hands over all of a flow's packets again; whether it did not before.
    pub(crate) fn recall(&mut self, key: &FlowKey) -> bool {
        if let Some(flow) = self.flows.get_mut(key) {
            // What the kernel passed was not seen, also by boxes that no packet came to since.
            for of_box in 0..flow.tracks.len() {
                flow.track_mut(of_box);
            }
            flow.offloaded = Offloaded::default();
        }
        self.offloaded.remove(key)
    }

    /// What a box remembers of each flow.
    pub(crate) fn tracks_of(&self, of_box: usize) -> impl Iterator<Item = &Track> {
        self.flows.values().filter_map(move |flow| flow.tracks.get(of_box))
    }

    /// What a box remembers of each flow between these two addresses.
    pub(crate) fn tracks_between(&mut self, flow: FlowKey, of_box: usize) -> impl Iterator<Item = &mut Track> {
        let is_between = move |key: &FlowKey| key.client == flow.client && key.server == flow.server;
        let between = self.flows.iter_mut().filter(move |(key, _)| is_between(key));
        between.filter_map(move |(_, flow)| flow.tracks.get_mut(of_box))
    }

    /// The offloaded flows, sorted.
    pub(crate) fn offloaded(&self) -> impl Iterator<Item = &FlowKey> {
        self.offloaded.iter()
    }

    /// The offloaded flows of this flow's client over its protocol, sorted.
    pub(crate) fn offloaded_of_client(&self, flow: &FlowKey) -> impl Iterator<Item = &FlowKey> + use<'_> {
        let first = FlowKey { client_port: 0, server: [0, 0, 0, 0].into(), server_port: 0, ..*flow };
        self.offloaded
            .range(first..)
            .take_while(move |each| each.protocol == first.protocol && each.client == first.client)
    }

    /// Gives every flow the tracks of a new policy and notes that nothing is offloaded any more.
    pub(crate) fn renew(&mut self, mut renewed: impl FnMut(Tracks) -> Tracks) {
        self.offloaded.clear();
        for flow in self.flows.values_mut() {
            flow.offloaded = Offloaded::default();
            flow.tracks = renewed(core::mem::take(&mut flow.tracks));
        }
    }

    /// Forgets a flow; whether it was offloaded.
    fn remove(&mut self, key: &FlowKey) -> bool {
        self.flows.remove(key);
        self.offloaded.remove(key)
    }
}

impl Flow {
    /// What a box remembers of the flow. Of a direction that the kernel passes by itself it knows no numbers.
    pub(crate) fn track_mut(&mut self, of_box: usize) -> &mut Track {
        let (offloaded, track) = (self.offloaded, &mut self.tracks[of_box]);
        for direction in [Direction::Outbound, Direction::Inbound] {
            if offloaded.get(direction) {
                track.lose_count(direction);
            }
        }
        track
    }

    /// Begins the flow anew: its ports were used again.
    pub(crate) fn restart(&mut self) {
        self.tracks.iter_mut().for_each(|track| *track = Track::default());
    }

    /// Whether a rule of this name has fired on the flow, in any box.
    pub(crate) fn has_fired(&self, rule: &str) -> bool {
        self.tracks.iter().any(|track| track.has_fired(rule))
    }
}

impl Offloaded {
    fn get(self, direction: Direction) -> bool {
        match direction {
            Direction::Outbound => self.outbound,
            Direction::Inbound => self.inbound,
        }
    }

    fn get_mut(&mut self, direction: Direction) -> &mut bool {
        match direction {
            Direction::Outbound => &mut self.outbound,
            Direction::Inbound => &mut self.inbound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(client_port: u16) -> FlowKey {
        let (client, server) = ([10, 0, 0, 1].into(), [1, 1, 1, 1].into());
        FlowKey { protocol: 6, client, client_port, server, server_port: 443 }
    }

    /// The flow seen the longest ago gives way, and only if it is forgotten.
    #[test]
    fn the_table_is_bounded() {
        let mut table = FlowTable::new(2);
        assert_eq!(table.admit(key(1), 1, |_| true), Admission::Admitted);
        assert_eq!(table.admit(key(2), 1, |_| true), Admission::Admitted);
        assert_eq!(table.admit(key(3), 1, |_| false), Admission::Full);
        table.touch(&key(1));
        table.offload(&key(2), Direction::Outbound);
        assert_eq!(table.admit(key(3), 1, |_| true), Admission::Replaced(key(2)));
        assert_eq!((table.len(), table.offloaded_len()), (2, 0));
    }

    /// What a flow costs, buffers aside, is less than design.md allows: its entry, the allocator's word, and its share of a table
    /// that is at least half full.
    #[test]
    fn a_flow_is_small() {
        const LINKS: usize = 2 * size_of::<usize>();
        const SHARE_OF_TABLE: usize = 2 * (size_of::<usize>() + 1);
        let entry = size_of::<FlowKey>() + size_of::<Flow>() + LINKS + size_of::<usize>() + SHARE_OF_TABLE;
        assert!(entry <= 300, "{entry} bytes");
    }

    /// The flows of one client are found among those of many.
    #[test]
    fn offloaded_flows_of_one_client() {
        let mut table = FlowTable::new(10);
        let other = FlowKey { client: [10, 0, 0, 2].into(), ..key(1) };
        let udp = FlowKey { protocol: 17, ..key(1) };
        for key in [key(2), other, key(1), udp] {
            table.admit(key, 1, |_| true);
            assert!(table.offload(&key, Direction::Inbound), "the first direction");
            assert!(!table.offload(&key, Direction::Outbound), "the second");
        }
        let found: Vec<_> = table.offloaded_of_client(&key(9)).copied().collect();
        assert_eq!(found, [key(1), key(2)]);
    }
}
