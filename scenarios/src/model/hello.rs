//! How a client says hello or asks for a page, where it does not do so as usual.

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

/// What a request for a page has beside what a browser's has.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HttpRequest {
    /// What the Host header says, where it is not the URL's.
    pub host: Option<String>,
    /// More headers.
    pub headers: Vec<(String, String)>,
    /// Where what is sent is cut: the request, or the `ClientHello` before it.
    pub split: Split,
}

/// Where what is sent is cut, as byte offsets from its beginning, each greater than the one before.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Split {
    /// Into TCP segments; the records' headers count.
    pub segments: Vec<u16>,
    /// Into TLS records; their headers do not count.
    pub records: Vec<u16>,
}
