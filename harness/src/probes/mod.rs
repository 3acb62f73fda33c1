//! Measurements: each one yields a verdict, an OONI failure string, and what was met layer by layer.

mod bogon;
mod dns;
pub(crate) mod failure;
mod http;
mod key_log;
mod measure;
mod page;
mod socket;
mod tcp;
#[cfg(test)]
mod testing;
mod timeouts;
mod tls;
mod trace;
mod url;
mod web;

pub(crate) use measure::{Measure, MeasureError};
pub(crate) use socket::Source;
pub(crate) use timeouts::Timeouts;
pub(crate) use tls::Trust;
pub(crate) use trace::{Layer, Operation, Outcome};
