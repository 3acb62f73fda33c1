//! OONI's failure strings and how an error becomes one (ooni/probe-cli `netxlite/classify.go`, ooni/spec df-007).

use std::error::Error;
use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError};

/// Why a layer failed, in OONI's words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Failure {
    /// `address_in_use`: a fault of our own side.
    AddressInUse,
    /// `address_not_available`: a fault of our own side.
    AddressNotAvailable,
    /// `connection_aborted`.
    ConnectionAborted,
    /// `connection_refused`.
    ConnectionRefused,
    /// `connection_reset`.
    ConnectionReset,
    /// `dns_bogon_error`: an address that no public name has.
    DnsBogon,
    /// `dns_no_answer`.
    DnsNoAnswer,
    /// `dns_nxdomain_error`.
    DnsNxdomain,
    /// `dns_refused_error`.
    DnsRefused,
    /// `dns_servfail_error`.
    DnsServfail,
    /// `dns_server_misbehaving`: any other response code, or an answer that cannot be read.
    DnsServerMisbehaving,
    /// `eof_error`.
    Eof,
    /// `generic_timeout_error`: our own time-out ran out.
    GenericTimeout,
    /// `host_unreachable`.
    HostUnreachable,
    /// `json_parse_error`.
    JsonParse,
    /// `network_unreachable`.
    NetworkUnreachable,
    /// `permission_denied`: what Linux makes of an "administratively prohibited" from an IPv6 router.
    PermissionDenied,
    /// `quic_incompatible_version`.
    QuicIncompatibleVersion,
    /// `ssl_failed_handshake`.
    SslFailedHandshake,
    /// `ssl_invalid_certificate`.
    SslInvalidCertificate,
    /// `ssl_invalid_hostname`.
    SslInvalidHostname,
    /// `ssl_unknown_authority`.
    SslUnknownAuthority,
    /// `timed_out`: the kernel gave up before we did.
    TimedOut,
    /// `unknown_failure: ...`, and a fault of our own side.
    Ours(String),
    /// `unknown_failure: ...`, because this machine lacks a program that measures.
    Missing(String),
    /// `unknown_failure: ...`.
    Unknown(String),
    /// Another of OONI's names, which only a measurement in its form can have.
    Named(String),
}

impl Failure {
    /// The failure that a measurement in OONI's form names.
    pub(crate) fn from_word(word: &str) -> Self {
        let known = [
            Self::ConnectionAborted,
            Self::ConnectionRefused,
            Self::ConnectionReset,
            Self::DnsBogon,
            Self::DnsNoAnswer,
            Self::DnsNxdomain,
            Self::DnsRefused,
            Self::DnsServfail,
            Self::DnsServerMisbehaving,
            Self::Eof,
            Self::GenericTimeout,
            Self::HostUnreachable,
            Self::NetworkUnreachable,
            Self::SslFailedHandshake,
            Self::SslInvalidCertificate,
            Self::SslInvalidHostname,
            Self::SslUnknownAuthority,
            Self::TimedOut,
        ];
        let found = known.into_iter().find(|each| each.to_string() == word);
        let text = word
            .strip_prefix("unknown_failure: ")
            .map_or_else(|| Self::Named(word.to_owned()), |text| Self::Unknown(text.to_owned()));
        found.unwrap_or(text)
    }

    /// Whether the fault is on our own side, so that nothing was measured.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self, Self::AddressInUse | Self::AddressNotAvailable | Self::Ours(_) | Self::Missing(_))
    }

    /// The failure of our own side that kept a socket from being made.
    pub(crate) fn of_socket(error: &io::Error) -> Self {
        match Self::from(error) {
            local if local.is_local() => local,
            other => Self::Ours(format!("no socket: {other}")),
        }
    }

    /// Whether an ICMP error came in place of an answer: the address cannot be reached at all.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self, Self::HostUnreachable | Self::NetworkUnreachable | Self::PermissionDenied)
    }

    /// The failure behind any error: the first I/O or TLS error in its chain decides.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            if let Some(cause) = cause.downcast_ref::<io::Error>() {
                return Self::from(cause);
            }
            if let Some(cause) = cause.downcast_ref::<rustls::Error>() {
                return Self::from(cause);
            }
            if cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message) {
                return Self::Eof;
            }
            next = cause.source();
        }
        Self::Unknown(error.to_string())
    }

    fn of_alert(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown => Self::SslInvalidCertificate,
            AlertDescription::UnknownCA => Self::SslUnknownAuthority,
            AlertDescription::UnrecognisedName => Self::SslInvalidHostname,
            _ => Self::SslFailedHandshake,
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            // An authority that has a known one's name but not its key is as unknown to Go, and so to OONI.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::SslUnknownAuthority,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::SslInvalidHostname
            }
            _ => Self::SslInvalidCertificate,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AddressInUse => "address_in_use",
            Self::AddressNotAvailable => "address_not_available",
            Self::ConnectionAborted => "connection_aborted",
            Self::ConnectionRefused => "connection_refused",
            Self::ConnectionReset => "connection_reset",
            Self::DnsBogon => "dns_bogon_error",
            Self::DnsNoAnswer => "dns_no_answer",
            Self::DnsNxdomain => "dns_nxdomain_error",
            Self::DnsRefused => "dns_refused_error",
            Self::DnsServfail => "dns_servfail_error",
            Self::DnsServerMisbehaving => "dns_server_misbehaving",
            Self::Eof => "eof_error",
            Self::GenericTimeout => "generic_timeout_error",
            Self::HostUnreachable => "host_unreachable",
            Self::JsonParse => "json_parse_error",
            Self::NetworkUnreachable => "network_unreachable",
            Self::PermissionDenied => "permission_denied",
            Self::QuicIncompatibleVersion => "quic_incompatible_version",
            Self::SslFailedHandshake => "ssl_failed_handshake",
            Self::SslInvalidCertificate => "ssl_invalid_certificate",
            Self::SslInvalidHostname => "ssl_invalid_hostname",
            Self::SslUnknownAuthority => "ssl_unknown_authority",
            Self::TimedOut => "timed_out",
            Self::Ours(text) | Self::Missing(text) | Self::Unknown(text) => {
                return write!(f, "unknown_failure: {text}");
            }
            Self::Named(name) => return f.write_str(name),
        })
    }
}

impl From<&io::Error> for Failure {
    fn from(error: &io::Error) -> Self {
        if let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::from(inner);
        }
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::AddressInUse,
            io::ErrorKind::AddrNotAvailable => Self::AddressNotAvailable,
            // A write to a connection that was reset a moment ago gives EPIPE.
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Self::ConnectionReset,
            io::ErrorKind::ConnectionAborted => Self::ConnectionAborted,
            io::ErrorKind::ConnectionRefused => Self::ConnectionRefused,
            io::ErrorKind::HostUnreachable => Self::HostUnreachable,
            io::ErrorKind::NetworkUnreachable => Self::NetworkUnreachable,
            io::ErrorKind::PermissionDenied => Self::PermissionDenied,
            io::ErrorKind::TimedOut => Self::TimedOut,
            io::ErrorKind::UnexpectedEof => Self::Eof,
            _ => Self::Unknown(error.to_string()),
        }
    }
}

impl From<&rustls::Error> for Failure {
    fn from(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => Self::of_certificate(error),
            rustls::Error::AlertReceived(alert) => Self::of_alert(*alert),
            // What is not TLS at all belongs here too (ooni/probe#2410).
            rustls::Error::InvalidMessage(_)
            | rustls::Error::InappropriateMessage { .. }
            | rustls::Error::InappropriateHandshakeMessage { .. }
            | rustls::Error::PeerIncompatible(_)
            | rustls::Error::PeerMisbehaved(_)
            | rustls::Error::NoCertificatesPresented
            | rustls::Error::PeerSentOversizedRecord
            | rustls::Error::DecryptError => Self::SslFailedHandshake,
            _ => Self::Unknown(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_error_has_its_ooni_string() {
        let errors = [
            io::ErrorKind::AddrInUse,
            io::ErrorKind::AddrNotAvailable,
            io::ErrorKind::BrokenPipe,
            io::ErrorKind::ConnectionAborted,
            io::ErrorKind::ConnectionRefused,
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::HostUnreachable,
            io::ErrorKind::NetworkUnreachable,
            io::ErrorKind::PermissionDenied,
            io::ErrorKind::TimedOut,
            io::ErrorKind::UnexpectedEof,
            io::ErrorKind::Other,
        ];
        let table: Vec<String> =
            errors.map(|kind| format!("{kind:?} -> {}", Failure::from(&io::Error::from(kind)))).to_vec();
        insta::assert_snapshot!(table.join("\n"), @r"
        AddrInUse -> address_in_use
        AddrNotAvailable -> address_not_available
        BrokenPipe -> connection_reset
        ConnectionAborted -> connection_aborted
        ConnectionRefused -> connection_refused
        ConnectionReset -> connection_reset
        HostUnreachable -> host_unreachable
        NetworkUnreachable -> network_unreachable
        PermissionDenied -> permission_denied
        TimedOut -> timed_out
        UnexpectedEof -> eof_error
        Other -> unknown_failure: other error
        ");
    }

    #[test]
    fn each_tls_error_has_its_ooni_string() {
        let errors = [
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer),
            rustls::Error::InvalidCertificate(CertificateError::NotValidForName),
            rustls::Error::InvalidCertificate(CertificateError::Expired),
            rustls::Error::AlertReceived(AlertDescription::HandshakeFailure),
            rustls::Error::AlertReceived(AlertDescription::CertificateExpired),
            rustls::Error::AlertReceived(AlertDescription::UnknownCA),
            rustls::Error::AlertReceived(AlertDescription::UnrecognisedName),
            rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
            rustls::Error::FailedToGetCurrentTime,
        ];
        let table: Vec<String> = errors.iter().map(|error| format!("{error} -> {}", Failure::of(error))).collect();
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn the_cause_is_found_through_wrappers() {
        let tls = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let wrapped = io::Error::new(io::ErrorKind::InvalidData, tls);
        assert_eq!(Failure::of(&wrapped), Failure::SslUnknownAuthority);
    }

    proptest::proptest! {
        #[test]
        fn every_errno_becomes_a_single_line(errno in 1_i32..134) {
            let text = Failure::from(&io::Error::from_raw_os_error(errno)).to_string();
            proptest::prop_assert!(!text.is_empty() && !text.contains('\n'));
        }
    }
}
