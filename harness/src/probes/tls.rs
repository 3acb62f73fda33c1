//! TLS: does the handshake end, and with whose certificate?

use std::net::SocketAddr;
use std::sync::Arc;

use roadblock_scenarios::model::{Hello, Split, VerdictWord};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme, WantsVerifier};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::failure::Failure;
use super::key_log::TlsKeys;
use super::records::Records;
use super::segments::Segments;
use super::tools::Tools;
use super::trace::{Operation, Outcome, Place, Trace};
use super::{captured_hello, ech_grease, tcp};

/// Whom TLS clients of the lab believe.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    /// For a usual hello.
    usual: Believing,
    /// For one with GREASE in place of an encrypted one.
    greasing: Believing,
    /// The secrets of all sessions.
    keys: TlsKeys,
}

/// Who is believed.
#[derive(Clone, Debug)]
struct Believing {
    /// The lab's authority alone.
    authority: Arc<ClientConfig>,
    /// Anybody: for an address pinned to a host that answers with its default certificate.
    anybody: Arc<ClientConfig>,
}

/// What a client says that it will speak inside TLS (RFC 7301).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Alpn {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2, and nothing else: what the server does not speak is not measured as something else.
    Http2,
    /// HTTP/3, over QUIC.
    Http3,
    /// DNS over TLS, which needs no word (RFC 7858 section 3.1).
    Nothing,
}

impl Trust {
    /// Trust in the authority with this certificate.
    pub(crate) fn new(authority: &[u8]) -> Result<Self, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(authority.to_vec()))?;
        let keys = TlsKeys::default();
        let builder = || ClientConfig::builder_with_provider(Arc::clone(&provider));
        let usual = || builder().with_safe_default_protocol_versions();
        let greasing = || builder().with_ech(ech_grease::mode()?);
        Ok(Self {
            usual: Believing::new(usual, &roots, &provider, &keys)?,
            greasing: Believing::new(greasing, &roots, &provider, &keys)?,
            keys,
        })
    }

    /// The secrets of all sessions so far.
    pub(crate) fn keys(&self) -> &TlsKeys {
        &self.keys
    }

    /// The configuration that this takes.
    pub(crate) fn config(&self, greeting: &Greeting, ech_grease: bool) -> Arc<ClientConfig> {
        let believing = if ech_grease { &self.greasing } else { &self.usual };
        let mut config = ClientConfig::clone(if greeting.verify { &believing.authority } else { &believing.anybody });
        config.alpn_protocols = match greeting.alpn {
            Alpn::Http1 => vec![b"http/1.1".to_vec()],
            Alpn::Http2 => vec![b"h2".to_vec()],
            Alpn::Http3 => vec![b"h3".to_vec()],
            Alpn::Nothing => Vec::new(),
        };
        Arc::new(config)
    }
}

impl Believing {
    fn new(
        builder: impl Fn() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error>,
        roots: &RootCertStore,
        provider: &Arc<CryptoProvider>,
        keys: &TlsKeys,
    ) -> Result<Self, rustls::Error> {
        let anybody = Arc::new(Anybody { provider: Arc::clone(provider) });
        let mut authority = builder()?.with_root_certificates(roots.clone()).with_no_client_auth();
        let mut anybody = builder()?.dangerous().with_custom_certificate_verifier(anybody).with_no_client_auth();
        for config in [&mut authority, &mut anybody] {
            config.key_log = Arc::new(keys.clone());
            // A resumed session shows another ClientHello and another certificate message; each measurement is to be the
            // first.
            config.resumption = rustls::client::Resumption::disabled();
        }
        Ok(Self { authority: Arc::new(authority), anybody: Arc::new(anybody) })
    }
}

/// A server and how it is to be greeted.
#[derive(Clone, Debug)]
pub(crate) struct Greeting {
    /// Where it is.
    pub(crate) remote: SocketAddr,
    /// The server's name.
    pub(crate) sni: String,
    /// Whether its certificate must be right.
    pub(crate) verify: bool,
    /// What is to be spoken.
    pub(crate) alpn: Alpn,
}

/// Connects, shakes hands and says how it went.
pub(crate) async fn probe(tools: &Tools, greeting: &Greeting, hello: &Hello) -> Outcome {
    let mut trace = Trace::default();
    match connect_as(&mut trace, tools, greeting, hello).await {
        Ok(()) => trace.end(VerdictWord::Ok),
        Err(failure) => trace.failed(failure),
    }
}

/// A handshake with a hello of this form.
async fn connect_as(trace: &mut Trace, tools: &Tools, greeting: &Greeting, hello: &Hello) -> Result<(), Failure> {
    let stream = tcp::connect(trace, tools, greeting.remote).await?;
    let place = place(greeting, stream.local_addr().map_or(0, |address| address.port()));
    let Split { segments, records } = &hello.split;
    let stream = Records::cut_at(Segments::cut_at(stream, segments), records);
    if let Some(captured) = &hello.captured {
        let greeted = captured_hello::greet(stream, captured, &greeting.sni);
        trace.layer(place, tools.timeouts.tls, greeted).await
    } else {
        let shaken = shaken(tools, greeting, hello.ech_grease, stream);
        trace.layer(place, tools.timeouts.tls, shaken).await.map(drop)
    }
}

/// The first record that a client sends which greets a server with this name.
pub(crate) fn client_hello(tools: &Tools, remote: SocketAddr, name: &str) -> Result<Vec<u8>, Failure> {
    let greeting = Greeting { remote, sni: name.to_owned(), verify: false, alpn: Alpn::Http1 };
    let ours = |error: &dyn std::fmt::Display| Failure::Ours(format!("{name}: {error}"));
    let server = ServerName::try_from(name.to_owned()).map_err(|error| ours(&error))?;
    let config = tools.trust.config(&greeting, false);
    let mut client = rustls::ClientConnection::new(config, server).map_err(|error| ours(&error))?;
    let mut hello = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut hello).map_err(|error| ours(&error))?;
    }
    Ok(hello)
}

/// A TCP connection and a TLS session on it, for the layers above.
pub(crate) async fn connect(
    trace: &mut Trace,
    tools: &Tools,
    greeting: &Greeting,
) -> Result<TlsStream<TcpStream>, Failure> {
    let stream = tcp::connect(trace, tools, greeting.remote).await?;
    shake(trace, tools, greeting, stream).await
}

/// A TLS session on a connection that was made before.
pub(crate) async fn shake(
    trace: &mut Trace,
    tools: &Tools,
    greeting: &Greeting,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, Failure> {
    let local_port = stream.local_addr().map_or(0, |address| address.port());
    shake_from(trace, tools, greeting, local_port, stream).await
}

/// The same on anything that carries bytes from this port.
pub(crate) async fn shake_from<S>(
    trace: &mut Trace,
    tools: &Tools,
    greeting: &Greeting,
    local_port: u16,
    stream: S,
) -> Result<TlsStream<S>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let shaken = shaken(tools, greeting, false, stream);
    trace.layer(place(greeting, local_port), tools.timeouts.tls, shaken).await
}

fn place(greeting: &Greeting, local_port: u16) -> Place {
    Place { operation: Operation::TlsHandshake, remote: greeting.remote, local_port }
}

async fn shaken<S>(tools: &Tools, greeting: &Greeting, ech_grease: bool, stream: S) -> Result<TlsStream<S>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let connector = TlsConnector::from(tools.trust.config(greeting, ech_grease));
    let name = ServerName::try_from(greeting.sni.clone())
        .map_err(|error| Failure::Ours(format!("{}: {error}", greeting.sni)))?;
    connector.connect(name, stream).await.map_err(|error| Failure::of(&error))
}

/// Believes every certificate, but not a wrong signature.
#[derive(Debug)]
struct Anybody {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
