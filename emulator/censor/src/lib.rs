//! A censoring middlebox as a pure machine.
//!
//! Packets and a clock go in; verdicts, injections and events come out. Nothing in here opens a socket, reads a clock,
//! starts a thread or draws a random number of its own, so the same machine runs in a unit test, over a capture and
//! inside a lab, and gives the same answer in each.
//!
//! The way of a packet: [`Censor::inspect`] takes it with the time and the direction it travels in. The machine looks it
//! up in its flow table and its residuals, then walks the rules of each box at this hop in order, and writes what is to
//! be done into an [`Outbox`]. What must happen later (a held packet, an injection with a delay) comes out of
//! [`Censor::poll`], which the driver calls no earlier than [`Censor::poll_at`].

mod chance;
mod count;
pub mod dissect;
mod evaluate;
pub mod event;
pub mod fingerprints;
mod flow;
pub mod machine;
pub mod names;
pub mod outbox;
pub mod policy;
pub mod prefixes;
mod reading;
mod recent;
mod residual;
mod schedule;
pub mod time;
mod view;
pub mod wire;

pub use event::{Event, EventKind, FlowKey};
pub use fingerprints::{FingerprintError, FingerprintPattern, FingerprintSet};
pub use machine::{Censor, Counters, ReadyPolicy};
pub use names::{NamePattern, NamePatternError, NameSet};
pub use outbox::{Direction, Outbox, Packet, PacketId, Toward, Verdict};
pub use policy::{BoxPolicy, Policy, Rule};
pub use prefixes::PrefixSet;
pub use time::Instant;
