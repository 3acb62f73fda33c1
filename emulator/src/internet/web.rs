//! HTTP/1.1 (RFC 9112) and HTTP/2 (RFC 9113): pages, bytes to measure with, and what else a host serves over HTTP.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALT_SVC, HOST};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::doh;
use super::lies::Speaker;
use super::ooni::{self, Backend};
use super::page::{PageBody, Sites, respond};
use super::websocket::{self, Opening};

/// Who asks, and who there is to answer.
#[derive(Clone)]
pub(super) struct Visitor {
    /// The hosts of the port.
    pub(super) sites: Arc<Sites>,
    /// Who answers DNS over HTTPS.
    pub(super) speaker: Arc<Speaker>,
    /// Who answers OONI's probe.
    pub(super) ooni: Option<Arc<Backend>>,
    /// Who asks.
    pub(super) client: SocketAddr,
    /// Where.
    pub(super) server: SocketAddr,
    /// Whether over TLS.
    pub(super) secure: bool,
}

/// Which HTTP a connection speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Version {
    /// HTTP/1.0 and 1.1.
    One,
    /// HTTP/2.
    Two,
}

impl Version {
    /// What the ends of a TLS connection agreed on (RFC 7301); HTTP/1.1 where on nothing.
    pub(super) fn agreed(alpn: Option<&[u8]>) -> Self {
        if alpn == Some(ALPN_TWO) { Self::Two } else { Self::One }
    }
}

/// Serves a connection until its end.
pub(super) async fn serve<S>(stream: S, visitor: Visitor, version: Version) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let upgrade = Upgrade::default();
    let noted = upgrade.clone();
    let service = service_fn(move |request| {
        let (visitor, upgrade) = (visitor.clone(), upgrade.clone());
        async move { Ok::<_, Infallible>(answer(request, &visitor, &upgrade).await) }
    });
    let stream = TokioIo::new(stream);
    match version {
        Version::One => {
            let mut server = http1::Builder::new();
            let server = server.timer(TokioTimer::new()).header_read_timeout(IDLE);
            server.serve_connection(stream, service).with_upgrades().await.map_err(io::Error::other)?;
        }
        Version::Two => {
            let mut server = http2::Builder::new(TokioExecutor::new());
            let server = server.timer(TokioTimer::new()).keep_alive_interval(Some(IDLE));
            server.serve_connection(stream, service).await.map_err(io::Error::other)?;
        }
    }
    match noted.take() {
        Some(upgrade) => websocket::echo(upgrade.await.map_err(io::Error::other)?).await,
        None => Ok(()),
    }
}

/// The protocols that a server of pages offers, the best first.
pub(super) const ALPN: [&[u8]; 2] = [ALPN_TWO, b"http/1.1"];

/// What a connection becomes when its requests are over.
#[derive(Clone, Default)]
struct Upgrade(Arc<Mutex<Option<OnUpgrade>>>);

impl Upgrade {
    fn set(&self, upgrade: OnUpgrade) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(upgrade);
    }

    fn take(&self) -> Option<OnUpgrade> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Reads the request to its end and answers it.
async fn answer(mut request: Request<Incoming>, visitor: &Visitor, upgrade: &Upgrade) -> Response<PageBody> {
    let pending = hyper::upgrade::on(&mut request);
    let (head, body) = request.into_parts();
    let name = host_of(&head);
    let site = visitor.sites.choose(name.as_ref().map(Authority::host));
    let longest = if site.ooni.is_some() { ooni::LONGEST } else { doh::LONGEST };
    let body = read(body, longest).await;
    if let (Some(role), Some(backend)) = (site.ooni, &visitor.ooni)
        && let Some(response) = ooni::answer(backend, role, &head, body.clone(), visitor.client).await
    {
        return response;
    }
    if site.serves_dns && doh::is_query(&head) {
        return doh::answer(&head, body, visitor);
    }
    match websocket::open(&head, site.websocket.as_ref()) {
        Opening::NotAsked => {}
        Opening::Refused(response) => return response,
        Opening::Accepted(response) => {
            upgrade.set(pending);
            return response;
        }
    }
    let mut response = respond(
        &head.method,
        name.as_ref().map(Authority::host),
        head.uri.path(),
        &visitor.sites,
        Some(visitor.client.ip()),
    );
    if let Some(service) = site.alternative.clone().filter(|_| visitor.secure) {
        response.headers_mut().insert(ALT_SVC, service);
    }
    response
}

/// Reads a body to its end, lest what is left of it disturb the answer, and gives it where it is not too long.
async fn read(mut body: Incoming, longest: usize) -> Option<Bytes> {
    let mut whole = Vec::new();
    let mut length = 0;
    while let Some(Ok(frame)) = body.frame().await {
        let data = frame.into_data().unwrap_or_default();
        length += data.len();
        if length <= longest {
            whole.extend_from_slice(&data);
        }
    }
    (length <= longest).then(|| whole.into())
}

/// RFC 9112 section 3.2.2: the request's target, where it names a host, comes before the Host field.
fn host_of(head: &Parts) -> Option<Authority> {
    let field = || head.headers.get(HOST).and_then(|value| Authority::try_from(value.as_bytes()).ok());
    head.uri.authority().cloned().or_else(field)
}

const ALPN_TWO: &[u8] = b"h2";
/// How long a client may take between requests: longer than any that is slowed down and still alive.
const IDLE: Duration = Duration::from_secs(120);
