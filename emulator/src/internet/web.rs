//! HTTP/1.1 (RFC 9112), in the clear and over TLS.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::HOST;
use hyper::http::uri::Authority;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::listen::accept_each;
use super::page::{PageBody, Sites, respond};
use super::servers::Problems;

/// Serves pages in the clear for ever.
pub(super) async fn serve_http(listener: TcpListener, sites: Arc<Sites>, server: Arc<str>, problems: Problems) {
    accept_each(listener, server, problems, move |stream, _| {
        let sites = Arc::clone(&sites);
        async move {
            // A connection that breaks is the client's affair, or the censor's.
            let _ = serve_connection(stream, sites).await;
        }
    })
    .await;
}

/// Serves pages over TLS for ever.
pub(super) async fn serve_https(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    sites: Arc<Sites>,
    server: Arc<str>,
    problems: Problems,
) {
    accept_each(listener, server, problems, move |stream, _| {
        let sites = Arc::clone(&sites);
        let acceptor = acceptor.clone();
        async move {
            let _ = serve_tls_connection(stream, acceptor, sites).await;
        }
    })
    .await;
}

async fn serve_tls_connection(stream: TcpStream, acceptor: TlsAcceptor, sites: Arc<Sites>) -> io::Result<()> {
    let stream = timeout(IDLE, acceptor.accept(stream)).await??;
    serve_connection(stream, sites).await.map_err(io::Error::other)
}

async fn serve_connection<S>(stream: S, sites: Arc<Sites>) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(move |request| {
        let sites = Arc::clone(&sites);
        async move { Ok::<_, Infallible>(answer(request, &sites).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

/// Reads the request to its end and answers it.
async fn answer(request: Request<Incoming>, sites: &Sites) -> Response<PageBody> {
    let (head, mut body) = request.into_parts();
    while let Some(Ok(_)) = body.frame().await {}
    // RFC 9112 section 3.2.2: the request's target, where it names a host, comes before the Host field.
    let target = head.uri.authority().cloned();
    let field = || head.headers.get(HOST).and_then(|value| Authority::try_from(value.as_bytes()).ok());
    let authority = target.or_else(field);
    respond(&head.method, authority.as_ref().map(Authority::host), head.uri.path(), sites)
}

/// How long a client may take for a handshake or between requests: longer than any that is slowed down and still alive.
const IDLE: Duration = Duration::from_secs(120);
