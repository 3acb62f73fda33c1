//! What the probes' tests share: a client on the loopback and servers that misbehave.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;

use roadblock_emulator::clock::LabClock;
use roadblock_emulator::lab::Client;
use tokio::net::{TcpListener, TcpStream};

use super::lab_time::LabTime;
use super::socket::Source;
use super::timeouts::Timeouts;
use super::tls::Trust;
use super::tools::Tools;

/// Any port of the loopback.
pub(crate) const ANY_PORT: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

/// A client on the loopback, with an address that is not the server's.
pub(crate) fn source() -> Source {
    let client = Client::new("here".into(), Ipv4Addr::new(127, 0, 0, 2), Ipv6Addr::LOCALHOST);
    Source::any_port(client)
}

/// What a client on the loopback measures with.
pub(crate) fn tools(trust: &Trust, timeouts: Timeouts) -> Tools {
    Tools {
        source: source(),
        trust: trust.clone(),
        time: LabTime::new(LabClock::start()),
        timeouts,
        errands: None,
        control: None,
    }
}

/// The same from another source, with the usual time-outs, believing nobody who is known.
pub(crate) fn tools_from(source: Source) -> Tools {
    Tools { source, ..tools(&Authority::new().trust(), Timeouts::default()) }
}

/// A listener and its address.
pub(crate) async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(ANY_PORT).await.expect("a listener");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

/// An address where nobody listens.
pub(crate) async fn closed_port() -> SocketAddr {
    listener().await.1
}

/// Resets a connection once it has read something.
pub(crate) async fn reset_after_first_bytes(listener: TcpListener) {
    let (stream, _) = listener.accept().await.expect("a connection");
    stream.readable().await.expect("something to read");
    reset(stream);
}

/// Resets a connection.
pub(crate) fn reset(stream: TcpStream) {
    stream.set_zero_linger().expect("a socket option");
    drop(stream);
}

/// A certificate authority made for one test.
pub(crate) struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    certificate: Vec<u8>,
}

impl Authority {
    /// A new one, with a name of its own.
    pub(crate) fn new() -> Self {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate").der().to_vec();
        Self { issuer: rcgen::Issuer::new(params, key), certificate }
    }

    /// Trust in it.
    pub(crate) fn trust(&self) -> Trust {
        Trust::new(&self.certificate).expect("a trust store")
    }

    /// A server's side with a certificate for these names.
    pub(crate) fn acceptor(&self, names: &[&str]) -> tokio_rustls::TlsAcceptor {
        Arc::new(self.server_config(names)).into()
    }

    /// The configuration of the same.
    pub(crate) fn server_config(&self, names: &[&str]) -> rustls::ServerConfig {
        let key = rcgen::KeyPair::generate().expect("a key");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = rcgen::CertificateParams::new(names).expect("parameters");
        let leaf = params.signed_by(&key, &self.issuer).expect("a certificate").der().clone();
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("protocol versions")
            .with_no_client_auth()
            .with_single_cert(vec![leaf], key)
            .expect("a server's configuration")
    }
}
