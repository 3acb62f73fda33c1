//! HTTP: is a page answered, and whose is it?

use std::net::SocketAddr;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use roadblock_scenarios::model::VerdictWord;
use tokio::io::{AsyncRead, AsyncWrite};

use super::failure::Failure;
use super::socket::Source;
use super::timeouts::Timeouts;
use super::tls::{Greeting, Trust};
use super::trace::{Operation, Outcome, Place, Trace};
use super::url::WebUrl;
use super::{page, tcp, tls};

/// A page to get, and what it must be.
#[derive(Clone, Debug)]
pub(crate) struct Fetch {
    /// Which page.
    pub(crate) url: WebUrl,
    /// From where.
    pub(crate) address: SocketAddr,
    /// The title by which the target's own page is known; without one any page is right.
    pub(crate) title: Option<String>,
}

/// Gets a page from a pinned address and says whether it is the right one.
pub(crate) async fn probe(source: &Source, fetch: &Fetch, trust: &Trust, timeouts: Timeouts) -> Outcome {
    measure(Trace::default(), source, fetch, trust, timeouts).await
}

/// The same, going on with what was measured before.
pub(crate) async fn measure(
    mut trace: Trace,
    source: &Source,
    fetch: &Fetch,
    trust: &Trust,
    timeouts: Timeouts,
) -> Outcome {
    match get(&mut trace, source, fetch, trust, timeouts).await {
        Ok(body) if page::is_titled(&body, fetch.title.as_deref()) => trace.end(VerdictWord::Ok),
        Ok(_) => trace.end(VerdictWord::Blockpage),
        Err(failure) => trace.failed(failure),
    }
}

async fn get(
    trace: &mut Trace,
    source: &Source,
    fetch: &Fetch,
    trust: &Trust,
    timeouts: Timeouts,
) -> Result<String, Failure> {
    if fetch.url.secure {
        let greeting = Greeting { remote: fetch.address, sni: fetch.url.host.clone(), verify: true };
        let stream = tls::connect(trace, source, &greeting, trust, timeouts).await?;
        let local_port = stream.get_ref().0.local_addr().map_or(0, |address| address.port());
        round_trip(trace, fetch, local_port, stream, timeouts).await
    } else {
        let stream = tcp::connect(trace, source, fetch.address, timeouts).await?;
        let local_port = stream.local_addr().map_or(0, |address| address.port());
        round_trip(trace, fetch, local_port, stream, timeouts).await
    }
}

async fn round_trip(
    trace: &mut Trace,
    fetch: &Fetch,
    local_port: u16,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    timeouts: Timeouts,
) -> Result<String, Failure> {
    let place = Place { operation: Operation::HttpRoundTrip, remote: fetch.address, local_port };
    trace.layer(place, timeouts.http, exchange(&fetch.url, stream)).await
}

async fn exchange(
    url: &WebUrl,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<String, Failure> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| Failure::of(&error))?;
    let request = request(url)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| Failure::of(&error))?;
        body(response.into_body()).await
    };
    tokio::pin!(exchange, connection);
    // The connection must be driven for the exchange to go on; when it ends first, the exchange knows why.
    tokio::select! {
        result = &mut exchange => result,
        ended = &mut connection => match ended {
            Ok(()) => exchange.await,
            Err(error) => Err(Failure::of(&error)),
        },
    }
}

fn request(url: &WebUrl) -> Result<Request<Empty<Bytes>>, Failure> {
    let path: Uri = url.path.parse().map_err(|error| Failure::Ours(format!("{}: {error}", url.path)))?;
    Request::get(path)
        .header(HOST, url.authority())
        .header(USER_AGENT, concat!("roadblock/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close")
        .body(Empty::new())
        .map_err(|error| Failure::Ours(error.to_string()))
}

async fn body(body: Incoming) -> Result<String, Failure> {
    let bytes = Limited::new(body, MAX_BODY).collect().await.map_err(|error| Failure::of(&*error))?.to_bytes();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// More than any page of the lab; a body without end must not fill the memory.
const MAX_BODY: usize = 1 << 20;

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
