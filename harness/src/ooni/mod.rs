//! OONI: its published formats, its rules, and what the lab's measurements are in its words.
#![allow(clippy::struct_field_names, reason = "the names are those of the published formats")]

pub(crate) mod binary;
pub(crate) mod control;
pub(crate) mod dns;
pub(crate) mod http;
mod lenient;
pub(crate) mod measurement;
pub(crate) mod network;
pub(crate) mod occasion;
pub(crate) mod tcp;
pub(crate) mod test;
pub(crate) mod tls;
pub(crate) mod web;
pub(crate) mod web_keys;
pub(crate) mod written;
