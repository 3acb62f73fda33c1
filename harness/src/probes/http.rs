//! HTTP: is a page answered, and whose is it?

use std::net::SocketAddr;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request};
use roadblock_scenarios::model::{HttpRequest, HttpVersion, VerdictWord};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::failure::Failure;
use super::records::Records;
use super::segments::Segments;
use super::tls::{Alpn, Greeting};
use super::tools::Tools;
use super::trace::{Operation, Outcome, Place, Trace};
use super::url::WebUrl;
use super::{exchange, page, tcp, tls};

/// A page to get, and what it must be.
#[derive(Clone, Debug)]
pub(crate) struct Fetch {
    /// Which page.
    pub(crate) url: WebUrl,
    /// From where.
    pub(crate) address: SocketAddr,
    /// In which version of HTTP.
    pub(crate) version: HttpVersion,
    /// Whether the certificate must be right.
    pub(crate) verify: bool,
    /// The title by which the target's own page is known; without one any page is right.
    pub(crate) title: Option<String>,
    /// What the request has beside the usual.
    pub(crate) request: HttpRequest,
}

/// Gets a page from a pinned address and says whether it is the right one.
pub(crate) async fn probe(tools: &Tools, fetch: &Fetch) -> Outcome {
    measure(Trace::default(), tools, fetch).await
}

/// The same, going on with what was measured before.
pub(crate) async fn measure(mut trace: Trace, tools: &Tools, fetch: &Fetch) -> Outcome {
    match get(&mut trace, tools, fetch).await {
        Ok(body) => judge(trace, fetch, &body),
        Err(failure) => trace.failed(failure),
    }
}

/// The same on a connection that was made before.
pub(crate) async fn measure_on(mut trace: Trace, tools: &Tools, fetch: &Fetch, stream: TcpStream) -> Outcome {
    match get_on(&mut trace, tools, fetch, stream).await {
        Ok(body) => judge(trace, fetch, &body),
        Err(failure) => trace.failed(failure),
    }
}

fn judge(trace: Trace, fetch: &Fetch, body: &str) -> Outcome {
    let own = page::is_titled(body, fetch.title.as_deref());
    trace.end(if own { VerdictWord::Ok } else { VerdictWord::Blockpage })
}

async fn get(trace: &mut Trace, tools: &Tools, fetch: &Fetch) -> Result<String, Failure> {
    let stream = tcp::connect(trace, tools, fetch.address).await?;
    get_on(trace, tools, fetch, stream).await
}

async fn get_on(trace: &mut Trace, tools: &Tools, fetch: &Fetch, stream: TcpStream) -> Result<String, Failure> {
    let local_port = stream.local_addr().map_or(0, |address| address.port());
    let split = &fetch.request.split;
    let stream = Segments::cut_at(stream, &split.segments);
    if fetch.url.secure {
        let alpn = match fetch.version {
            HttpVersion::One => Alpn::Http1,
            HttpVersion::Two => Alpn::Http2,
        };
        let greeting = Greeting { remote: fetch.address, sni: fetch.url.host.clone(), verify: fetch.verify, alpn };
        let stream = Records::cut_at(stream, &split.records);
        let stream = tls::shake_from(trace, tools, &greeting, local_port, stream).await?;
        round_trip(trace, tools, fetch, local_port, stream).await
    } else {
        round_trip(trace, tools, fetch, local_port, stream).await
    }
}

async fn round_trip(
    trace: &mut Trace,
    tools: &Tools,
    fetch: &Fetch,
    local_port: u16,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<String, Failure> {
    let place = Place { operation: Operation::HttpRoundTrip, remote: fetch.address, local_port };
    let exchange = async {
        let response = Box::pin(exchange::send(request(fetch)?, fetch.version, stream)).await?;
        Ok(String::from_utf8_lossy(&response.body).into_owned())
    };
    trace.layer(place, tools.timeouts.http, exchange).await
}

fn request(fetch: &Fetch) -> Result<Request<Full<Bytes>>, Failure> {
    let HttpRequest { host, headers, .. } = &fetch.request;
    let authority = host.clone().unwrap_or_else(|| fetch.url.authority());
    let mut builder = exchange::request_to(Method::GET, &fetch.url, &authority, fetch.version);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::default()).map_err(|error| Failure::Ours(error.to_string()))
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
