//! QUIC: does the handshake end, and with whose certificate?
//!
//! Nothing is sent in larger pieces than the wire carries: the kernel would cut them only behind the censor, which must see
//! datagrams as they travel.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, EndpointConfig, TokioRuntime, TransportConfig};
use roadblock_scenarios::model::{QuicVersion, VerdictWord};
use rustls::AlertDescription;

use super::failure::Failure;
use super::tls::{Alpn, Greeting};
use super::tools::Tools;
use super::trace::{Operation, Outcome, Place, Trace};

/// Shakes hands and says how it went.
pub(crate) async fn probe(tools: &Tools, greeting: &Greeting, version: QuicVersion) -> Outcome {
    let mut trace = Trace::default();
    match connect(&mut trace, tools, greeting, version).await {
        Ok(session) => {
            session.end().await;
            trace.end(VerdictWord::Ok)
        }
        Err(failure) => trace.failed(failure),
    }
}

/// A connection and what it lives on.
#[derive(Debug)]
pub(crate) struct Session {
    endpoint: Endpoint,
    /// The connection.
    pub(crate) connection: Connection,
    /// The port that it came from.
    pub(crate) local_port: u16,
}

impl Session {
    /// Says goodbye.
    pub(crate) async fn end(self) {
        self.connection.close(0_u8.into(), b"");
        // The goodbye is sent by a task beside this one.
        tokio::task::yield_now().await;
        self.endpoint.close(0_u8.into(), b"");
    }
}

/// A QUIC connection, for the layers above.
pub(crate) async fn connect(
    trace: &mut Trace,
    tools: &Tools,
    greeting: &Greeting,
    version: QuicVersion,
) -> Result<Session, Failure> {
    let remote = greeting.remote;
    let socket = tools.source.udp_for_any(remote.ip()).map_err(|error| Failure::of_socket(&error))?;
    let local_port = socket.local_addr().map_or(0, |address| address.port());
    let place = Place { operation: Operation::QuicHandshake, remote, local_port };
    let config = config(tools, greeting, version)?;
    let endpoint = endpoint(socket).map_err(|error| Failure::of_socket(&error))?;
    let shaken = async {
        let connecting = endpoint
            .connect_with(config, remote, &greeting.sni)
            .map_err(|error| Failure::Ours(format!("{}: {error}", greeting.sni)))?;
        connecting.await.map_err(|error| failure_of(&error))
    };
    let connection = trace.layer(place, tools.timeouts.quic, shaken).await?;
    Ok(Session { endpoint, connection, local_port })
}

fn endpoint(socket: UdpSocket) -> io::Result<Endpoint> {
    Endpoint::new(EndpointConfig::default(), None, socket, Arc::new(TokioRuntime))
}

fn config(tools: &Tools, greeting: &Greeting, version: QuicVersion) -> Result<ClientConfig, Failure> {
    let tls = tools.trust.config(&Greeting { alpn: Alpn::Http3, ..greeting.clone() }, false);
    let crypto = QuicClientConfig::try_from(tls).map_err(|error| Failure::Ours(error.to_string()))?;
    let mut transport = TransportConfig::default();
    transport.enable_segmentation_offload(false).mtu_discovery_config(None).initial_rtt(FIRST_RTT);
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(Arc::new(transport)).version(match version {
        QuicVersion::One => 1,
        // The numbers of drafts (draft-ietf-quic-transport-29 section 15).
        QuicVersion::Draft29 => 0xff00_001d,
    });
    Ok(config)
}

/// The failure behind an error of QUIC's.
pub(crate) fn failure_of(error: &ConnectionError) -> Failure {
    match error {
        ConnectionError::TimedOut => Failure::GenericTimeout,
        ConnectionError::VersionMismatch => Failure::QuicIncompatibleVersion,
        ConnectionError::Reset => Failure::ConnectionReset,
        ConnectionError::TransportError(error) => of_code(error.code.into(), &error.reason),
        ConnectionError::ConnectionClosed(close) => {
            of_code(close.error_code.into(), &String::from_utf8_lossy(&close.reason))
        }
        ConnectionError::ApplicationClosed(_) => Failure::Eof,
        ConnectionError::LocallyClosed | ConnectionError::CidsExhausted => Failure::Ours(error.to_string()),
    }
}

/// An alert of TLS is a code of QUIC's from 0x100 on (RFC 9001 section 4.8). What was wrong with a certificate is lost on the
/// way through it, and is in rustls' words for people alone.
fn of_code(code: u64, reason: &str) -> Failure {
    match u8::try_from(code.wrapping_sub(CRYPTO_ERROR)) {
        Ok(_) if reason.contains("not valid for name") => Failure::SslInvalidHostname,
        Ok(_) if reason.contains("UnknownIssuer") || reason.contains("BadSignature") => Failure::SslUnknownAuthority,
        Ok(_) if reason.starts_with("invalid peer certificate") => Failure::SslInvalidCertificate,
        Ok(alert) => Failure::from(&rustls::Error::AlertReceived(AlertDescription::from(alert))),
        Err(_) => Failure::Unknown(format!("QUIC error {code:#x}: {reason}")),
    }
}

const CRYPTO_ERROR: u64 = 0x100;
/// An Initial that is lost is sent again after three times this. RFC 9002 section 6.2.2 has 333 ms; every path of a lab is
/// shorter.
const FIRST_RTT: Duration = Duration::from_millis(150);

#[cfg(test)]
#[path = "quic_tests.rs"]
mod tests;
