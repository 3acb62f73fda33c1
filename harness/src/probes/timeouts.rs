//! How long a probe waits.

use std::time::Duration;

/// How long each layer waits. Nothing but STUN is tried twice: a probe that repeats a query or a connection hides what a
/// censor does to the first one, and its verdict depends on luck. In a lab, what cannot come any more is not waited for
/// ([`Witness`](super::witness::Witness)).
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
    /// A QUIC handshake.
    pub(crate) quic: Duration,
    /// A GET and its whole answer.
    pub(crate) http: Duration,
    /// How long an A record waits for the AAAA (RFC 8305 section 3).
    pub(crate) resolution_delay: Duration,
    /// A test helper's answer: it measures too.
    pub(crate) helper: Duration,
    /// How long IPv6 is alone in trying (RFC 8305 section 5).
    pub(crate) attempt_delay: Duration,
    /// One step of an app's own protocol over TCP: a handshake, a message and its receipt.
    pub(crate) message: Duration,
    /// A datagram and its answer, sent once: a tunnel's handshake.
    pub(crate) datagram: Duration,
    /// How long nothing may go wrong where no answer is expected.
    pub(crate) settle: Duration,
    /// A datagram among many, whose loss is only counted.
    pub(crate) packet: Duration,
    /// After how long the speed of a transfer is judged, if it has not ended.
    pub(crate) transfer: Duration,
    /// How long a transfer may stand still before it is given up.
    pub(crate) stall: Duration,
}

impl Timeouts {
    /// The same for a connection from ports that were used before. Its server may still hold the old connection, of whose
    /// end nobody told it: then it answers the SYN with a challenge (RFC 5961 section 4), is reset, and waits for another
    /// SYN, and on a busy machine it may take several.
    pub(crate) fn for_used_ports(self) -> Self {
        Self { tcp: USED_PORTS, ..self }
    }
}

const USED_PORTS: Duration = Duration::from_secs(8);

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            dns: Duration::from_secs(3),
            late_answers: Duration::from_millis(200),
            tcp: Duration::from_secs(3),
            tls: Duration::from_secs(3),
            quic: Duration::from_secs(3),
            http: Duration::from_secs(5),
            resolution_delay: Duration::from_millis(50),
            helper: Duration::from_secs(20),
            attempt_delay: Duration::from_millis(250),
            message: Duration::from_secs(3),
            datagram: Duration::from_secs(1),
            settle: Duration::from_millis(500),
            packet: Duration::from_millis(300),
            transfer: Duration::from_secs(1),
            stall: Duration::from_secs(2),
        }
    }
}
