//! A connection and a handshake with one place.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::failure::{of_connect, of_handshake};
use super::plan::Endpoint;
use super::{Connected, Handshake, TIME_OUT};

/// Connects to a place, and shakes hands where there is TLS.
pub(super) async fn measure(
    endpoint: Endpoint,
    server_name: String,
    tls: Arc<ClientConfig>,
) -> (Endpoint, Connected, Option<Handshake>) {
    let stream = match timeout(TIME_OUT, TcpStream::connect(endpoint.place)).await.unwrap_or_else(timed_out) {
        Ok(stream) => stream,
        Err(error) => return (endpoint, Connected { status: false, failure: Some(of_connect(&error)) }, None),
    };
    let connected = Connected { status: true, failure: None };
    if !endpoint.tls {
        return (endpoint, connected, None);
    }
    let mut config = ClientConfig::clone(&tls);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let shaken = shake_hands(stream, &server_name, config).await.map(|_| ());
    let failure = shaken.err().map(|error| of_handshake(&error));
    (endpoint, connected, Some(Handshake { server_name, status: failure.is_none(), failure }))
}

/// A handshake that ends in time.
pub(super) async fn shake_hands(
    stream: TcpStream,
    server_name: &str,
    config: ClientConfig,
) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let name = ServerName::try_from(server_name.to_owned()).map_err(io::Error::other)?;
    let connector = TlsConnector::from(Arc::new(config));
    timeout(TIME_OUT, connector.connect(name, stream)).await.unwrap_or_else(timed_out)
}

fn timed_out<T>(_: tokio::time::error::Elapsed) -> io::Result<T> {
    Err(io::ErrorKind::TimedOut.into())
}
