//! What a box knows how to read, protocol by protocol.

use crate::dissect::{http, quic, tls};

/// How well a box reads each protocol.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reads {
    /// TLS.
    pub tls: tls::Options,
    /// QUIC.
    pub quic: quic::Options,
    /// HTTP/1.
    pub http: http::Options,
}
