//! Bytes that a measurement sends as they are.

use serde::Serialize;

/// What carries bytes.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

/// What must come back.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// Any bytes.
    #[default]
    Any,
    /// What was sent.
    Echo,
    /// Nothing has to: it is enough that nothing goes wrong.
    None,
}

/// Bytes that are sent at one time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Payload {
    /// What the file says, for people.
    pub written: String,
    /// The bytes, in the segments or in the datagram that they leave in; none is empty.
    pub segments: Vec<Vec<u8>>,
}
