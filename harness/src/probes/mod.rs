//! Measurements: each one yields a verdict, an OONI failure string, and what was met layer by layer.

mod apps;
mod bogon;
mod call;
mod chance;
mod chat;
mod chat_message;
mod counted;
mod dns;
mod dns_carrier;
mod echo_packet;
mod exchange;
mod eyeballs;
pub(crate) mod failure;
mod http;
mod key_log;
mod known;
mod lab_time;
mod measure;
mod mtproto;
mod mtproto_transport;
mod named;
mod page;
mod socket;
mod stun;
mod tcp;
#[cfg(test)]
mod testing;
mod timeouts;
mod tls;
mod tools;
mod trace;
mod transfer;
mod url;
mod web;
mod websocket;
mod wireguard;
mod witness;

pub(crate) use lab_time::{LabTime, Measuring};
pub(crate) use measure::{Measure, MeasureError};
pub(crate) use socket::Source;
pub(crate) use timeouts::Timeouts;
pub(crate) use tls::Trust;
pub(crate) use tools::Tools;
pub(crate) use trace::{Layer, Operation, Outcome, TestKeys};
pub(crate) use witness::Witness;
