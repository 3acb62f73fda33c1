//! The machine from outside, in virtual time, and the wire layer against other people's code.

mod anything;
mod beliefs;
mod calls;
mod connections;
mod counting;
mod dissect;
mod dns;
mod fragments;
mod fuzz;
mod http;
mod injection;
mod invariants;
mod offload;
mod quic;
mod quic_dissect;
mod rates;
mod residuals;
mod shapes;
mod shaping;
mod shares;
mod support;
mod tls_dissect;
mod tls_reading;
mod transparent;
mod tspu;
mod wire;
