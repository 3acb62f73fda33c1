//! What a client met, as OONI's failure strings say it.

/// What a client met at one layer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Symptom {
    /// Nothing came in time.
    Timeout,
    /// The connection was reset.
    Reset,
    /// It was refused.
    Refused,
    /// It was ended in good order before anything was said.
    Closed,
    /// No route to the host.
    HostUnreachable,
    /// No route to the network.
    NetworkUnreachable,
    /// The name does not exist.
    NoName,
    /// The resolver failed.
    ServerFailure,
    /// The resolver refused.
    QueryRefused,
    /// The name has no addresses.
    NoAnswer,
    /// The address that was answered is nobody's.
    Bogon,
    /// A certificate of an authority that nobody knows.
    UnknownAuthority,
    /// A certificate for another name.
    OtherName,
    /// A certificate that is not valid.
    InvalidCertificate,
    /// An alert, or what is no TLS.
    NoHandshake,
    /// Anything else.
    Other,
}

impl Symptom {
    /// What a failure string means (ooni/spec df-007); test helpers say some of them as probes did before 2016.
    pub(crate) fn of(failure: &str) -> Self {
        match failure {
            "generic_timeout_error" | "timed_out" | "tcp_timed_out_error" => Self::Timeout,
            "connection_reset" | "connection_reset_error" | "connection_aborted" => Self::Reset,
            "connection_refused" | "connection_refused_error" => Self::Refused,
            "eof_error" | "connection_already_closed" => Self::Closed,
            "host_unreachable" => Self::HostUnreachable,
            "network_unreachable" | "network_down" => Self::NetworkUnreachable,
            "dns_nxdomain_error"
            | "android_dns_cache_no_data"
            | "dns_lookup_error"
            | "dns_name_error"
            | "dns_non_recoverable_failure" => Self::NoName,
            "dns_servfail_error" | "dns_server_misbehaving" | "dns_temporary_failure" => Self::ServerFailure,
            "dns_refused_error" => Self::QueryRefused,
            "dns_no_answer" => Self::NoAnswer,
            "dns_bogon_error" => Self::Bogon,
            "ssl_unknown_authority" => Self::UnknownAuthority,
            "ssl_invalid_hostname" => Self::OtherName,
            "ssl_invalid_certificate" => Self::InvalidCertificate,
            "ssl_failed_handshake" => Self::NoHandshake,
            other if other.contains("first record does not look like a TLS handshake") => Self::NoHandshake,
            other if other.contains("no route to host") => Self::HostUnreachable,
            other if other.contains("network is unreachable") => Self::NetworkUnreachable,
            _ => Self::Other,
        }
    }
}
