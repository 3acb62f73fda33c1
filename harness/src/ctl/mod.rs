//! Talking to labs that run: where their sockets are, what is said there, and both sides of it.

mod client;
mod place;
mod protocol;
mod server;

pub(crate) use client::{CtlError, all, find};
pub(crate) use place::open;
pub(crate) use protocol::{About, Answer, Demand, Reason, Status};
#[cfg(test)]
pub(crate) use protocol::{HopStatus, StatusProblem};
pub(crate) use server::{Change, Reread, serve};
