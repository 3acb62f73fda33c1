//! The machine from outside, in virtual time, and the wire layer against other people's code.

mod injection;
mod invariants;
mod offload;
mod support;
mod tspu;
mod wire;
