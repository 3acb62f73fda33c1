//! How a client says hello, where it does not do so as usual.

use super::Payload;

/// The form of a TLS `ClientHello`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hello {
    /// Where it is cut.
    pub split: Split,
    /// Whether it has an `encrypted_client_hello` extension that means nothing (GREASE, RFC 9849 section 6.2).
    pub ech_grease: bool,
    /// What another program said, in place of a hello of the measurement's own.
    pub captured: Option<Payload>,
}

/// Where what is sent is cut, as byte offsets from its beginning, each greater than the one before.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Split {
    /// Into TCP segments; the records' headers count.
    pub segments: Vec<u16>,
    /// Into TLS records; their headers do not count.
    pub records: Vec<u16>,
}
