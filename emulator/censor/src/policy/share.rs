//! Which share of all flows a box sees, where several stand side by side (GFW-DNS-6).

use core::ops::RangeInclusive;

use serde::Serialize;

/// The share of flows that a box sees: those whose hash falls into some of so many equal parts. The same for all packets
/// of a flow, both ways; the seed is part of the hash, the box's name is not, so that boxes side by side divide the flows
/// between them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Share {
    /// What is hashed.
    pub by: ShareBy,
    /// How many parts there are; none at all is taken for one.
    pub of: u32,
    /// Which of them the box sees, counted from zero.
    pub is: Vec<RangeInclusive<u32>>,
}

/// What divides flows between boxes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum ShareBy {
    /// The client's address.
    #[serde(rename = "client-address")]
    ClientAddress,
    /// Both addresses.
    #[serde(rename = "2t")]
    TwoTuple,
    /// Both addresses and the server's port.
    #[serde(rename = "3t")]
    ThreeTuple,
    /// Both addresses and both ports.
    #[serde(rename = "4t")]
    FourTuple,
}
