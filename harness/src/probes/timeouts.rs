//! How long a probe waits.

use std::time::Duration;

/// How long each layer waits. Nothing is tried twice: a probe that repeats a query or a connection hides what a censor
/// does to the first one, and its verdict depends on luck.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// One DNS query, sent once.
    pub(crate) dns: Duration,
    /// How long a DNS probe goes on listening after the first answer, to see the ones that an injector was faster than.
    pub(crate) late_answers: Duration,
    /// A TCP connection; the kernel repeats its SYN after one second.
    pub(crate) tcp: Duration,
    /// A TLS handshake.
    pub(crate) tls: Duration,
    /// A GET and its whole answer.
    pub(crate) http: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            dns: Duration::from_secs(3),
            late_answers: Duration::from_millis(200),
            tcp: Duration::from_secs(3),
            tls: Duration::from_secs(3),
            http: Duration::from_secs(5),
        }
    }
}
