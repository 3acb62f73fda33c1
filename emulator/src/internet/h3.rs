//! HTTP/3 (RFC 9114) over QUIC: the same pages as over TCP.
//!
//! Nothing is sent in larger pieces than the wire carries: the kernel would cut them only behind the censor, which must see
//! datagrams as they travel.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::StreamExt;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Bytes;
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Endpoint, EndpointConfig, Incoming, ServerConfig, TokioRuntime, TransportConfig};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use super::page::{Sites, respond};
use super::servers::{ProblemKind, Problems};

/// The protocol that is offered.
pub(super) const ALPN: [&[u8]; 1] = [b"h3"];

/// A QUIC server at this socket.
pub(super) fn endpoint(socket: UdpSocket, tls: rustls::ServerConfig) -> io::Result<Endpoint> {
    let crypto = QuicServerConfig::try_from(tls).map_err(io::Error::other)?;
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    let mut transport = TransportConfig::default();
    transport.enable_segmentation_offload(false).mtu_discovery_config(None);
    config.transport_config(Arc::new(transport));
    Endpoint::new(EndpointConfig::default(), Some(config), socket.into_std()?, Arc::new(TokioRuntime))
}

/// Answers connections for ever.
pub(super) async fn serve(endpoint: Endpoint, sites: Arc<Sites>, server: Arc<str>, problems: Problems) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            incoming = endpoint.accept() => match incoming {
                Some(incoming) => {
                    let sites = Arc::clone(&sites);
                    // A connection that breaks is the client's affair, or the censor's.
                    connections.spawn(async move { drop(answer(incoming, &sites).await) });
                }
                // The socket is gone, and so is the server; that is noticed by who runs it.
                None => return,
            },
            Some(ended) = connections.join_next(), if !connections.is_empty() => {
                if ended.is_err_and(|error| error.is_panic()) {
                    problems.note(&server, ProblemKind::Panicked);
                }
            }
        }
    }
}

/// Why a connection ended.
type Ended = Box<dyn std::error::Error + Send + Sync>;

async fn answer(incoming: Incoming, sites: &Arc<Sites>) -> Result<(), Ended> {
    let connection = incoming.await?;
    let client = connection.remote_address().ip();
    let mut h3 = h3::server::Connection::<_, Bytes>::new(h3_quinn::Connection::new(connection)).await?;
    let mut requests = JoinSet::new();
    while let Some(resolver) = h3.accept().await? {
        let sites = Arc::clone(sites);
        requests.spawn(async move {
            let (request, mut stream) = resolver.resolve_request().await?;
            // What is left of a body must not disturb the answer.
            while stream.recv_data().await?.is_some() {}
            let (head, body) = page(&request, &sites, client).into_parts();
            stream.send_response(hyper::Response::from_parts(head, ())).await?;
            let mut frames = body.into_data_stream();
            while let Some(Ok(data)) = frames.next().await {
                stream.send_data(data).await?;
            }
            stream.finish().await?;
            Ok::<(), Ended>(())
        });
        while requests.try_join_next().is_some() {}
    }
    while requests.join_next().await.is_some() {}
    Ok(())
}

fn page(request: &Request<()>, sites: &Sites, client: IpAddr) -> hyper::Response<super::page::PageBody> {
    respond(request.method(), request.uri().host(), request.uri().path(), sites, Some(client))
}
