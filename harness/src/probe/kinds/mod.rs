//! The kinds of measurement, one a file.

pub(super) mod dns;
pub(super) mod facebook_messenger;
pub(super) mod freeze;
pub(super) mod h3;
pub(super) mod http;
pub(super) mod quic;
pub(super) mod residual;
pub(super) mod tcp;
pub(super) mod telegram;
pub(super) mod throughput;
pub(super) mod tls;
pub(super) mod trace;
pub(super) mod web;
pub(super) mod whatsapp;
