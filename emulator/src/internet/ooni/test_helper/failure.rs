//! What failures are called: those of the helper of 2012 where it had names, and OONI's present ones elsewhere.

use std::io;

use rustls::CertificateError;

/// Of a name that does not exist.
pub(super) const NO_SUCH_NAME: &str = "dns_name_error";

/// Why a page was not fetched.
#[derive(Debug)]
pub(super) enum FetchError {
    /// The name is not known, or has no address.
    Name,
    /// No address could be connected to; the last one failed so.
    Connect(io::Error),
    /// It took too long.
    Timeout,
    /// Something else.
    Other,
}

impl FetchError {
    /// Its name.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Name => "dns_lookup_error",
            Self::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused => REFUSED,
            Self::Connect(error) if error.kind() == io::ErrorKind::TimedOut => TIMEOUT,
            Self::Timeout => TIMEOUT,
            Self::Connect(_) | Self::Other => "unknown_error",
        }
    }
}

/// Of a connection.
pub(super) fn of_connect(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::TimedOut => TIMEOUT,
        io::ErrorKind::ConnectionRefused => REFUSED,
        _ => "connect_error",
    }
}

/// Of a handshake.
pub(super) fn of_handshake(error: &io::Error) -> String {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let known = match (error.kind(), tls) {
        (_, Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer))) => "ssl_unknown_authority",
        (
            _,
            Some(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )),
        ) => "ssl_invalid_hostname",
        (_, Some(rustls::Error::InvalidCertificate(_))) => "ssl_invalid_certificate",
        (_, Some(rustls::Error::AlertReceived(_))) => "ssl_failed_handshake",
        (io::ErrorKind::ConnectionReset, _) => "connection_reset",
        (io::ErrorKind::UnexpectedEof, _) => "eof_error",
        (io::ErrorKind::TimedOut, _) => TIMEOUT,
        _ => return format!("unknown_failure: {error}"),
    };
    known.to_owned()
}

const TIMEOUT: &str = "generic_timeout_error";
const REFUSED: &str = "connection_refused_error";
