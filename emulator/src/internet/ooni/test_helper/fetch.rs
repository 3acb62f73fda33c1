//! A page, fetched as the probe fetches it: redirects are followed. No host of a lab sets cookies, so none are kept.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALT_SVC, HOST, HeaderMap, LOCATION, TRANSFER_ENCODING};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use roadblock_scenarios::is_public;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Host, Position, Url};

use super::endpoint::shake_hands;
use super::failure::FetchError;
use super::title::title;
use super::{Backend, Fetched, TIME_OUT, unbracketed};
use crate::internet::ooni::LONGEST;
use crate::internet::zone::Meaning;

/// Fetches a page with those of the probe's headers that oohelperd passes on.
pub(super) async fn fetch(backend: &Arc<Backend>, url: Url, headers: &BTreeMap<String, Vec<String>>) -> Fetched {
    let fetched = timeout(TIME_OUT, follow(backend, url, headers)).await;
    fetched.unwrap_or(Err(FetchError::Timeout)).unwrap_or_else(|error| Fetched {
        body_length: -1,
        discovered_h3_endpoint: String::new(),
        failure: Some(error.name()),
        title: String::new(),
        headers: BTreeMap::new(),
        status_code: -1,
    })
}

async fn follow(
    backend: &Arc<Backend>,
    first: Url,
    headers: &BTreeMap<String, Vec<String>>,
) -> Result<Fetched, FetchError> {
    let mut url = first.clone();
    let mut h3 = None;
    for _ in 0..=MOST_REDIRECTS {
        let response = get(backend, &url, headers).await?;
        let h3 = h3.get_or_insert_with(|| h3_endpoint(response.headers(), &first).unwrap_or_default());
        if let Some(next) = redirected(&response, &url)? {
            url = next;
            continue;
        }
        return read(response, h3.clone()).await;
    }
    Err(FetchError::Other)
}

async fn read(response: Response<Incoming>, discovered_h3_endpoint: String) -> Result<Fetched, FetchError> {
    let status_code = i64::from(response.status().as_u16());
    let headers = shown(response.headers());
    let body = Limited::new(response.into_body(), LONGEST).collect().await.map_err(|_| FetchError::Other)?.to_bytes();
    Ok(Fetched {
        body_length: i64::try_from(body.len()).unwrap_or(i64::MAX),
        discovered_h3_endpoint,
        failure: None,
        title: title(&String::from_utf8_lossy(&body)).to_owned(),
        headers,
        status_code,
    })
}

/// Where a response sends its reader.
fn redirected(response: &Response<Incoming>, url: &Url) -> Result<Option<Url>, FetchError> {
    let redirects = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    let location = response.headers().get(LOCATION).filter(|_| redirects.contains(&response.status()));
    let Some(location) = location else { return Ok(None) };
    let location = location.to_str().map_err(|_| FetchError::Other)?;
    url.join(location).map(Some).map_err(|_| FetchError::Other)
}

async fn get(
    backend: &Arc<Backend>,
    url: &Url,
    headers: &BTreeMap<String, Vec<String>>,
) -> Result<Response<Incoming>, FetchError> {
    let host = url.host_str().map(unbracketed).ok_or(FetchError::Other)?;
    let port = url.port_or_known_default().ok_or(FetchError::Other)?;
    let stream = connect(&addresses(backend, url)?, port).await?;
    let request = request(url, headers)?;
    match url.scheme() {
        "http" => send(stream, request).await,
        "https" => {
            let config = ClientConfig::clone(&backend.tls);
            let stream = shake_hands(stream, host, config).await.map_err(|_| FetchError::Other)?;
            send(stream, request).await
        }
        _ => Err(FetchError::Other),
    }
}

/// The addresses of a URL's host, IPv4 first, as Go's probe tries them. A name with one that is no public address is not visited.
fn addresses(backend: &Backend, url: &Url) -> Result<Vec<IpAddr>, FetchError> {
    let mut addresses = match url.host() {
        Some(Host::Ipv4(address)) => vec![address.into()],
        Some(Host::Ipv6(address)) => vec![address.into()],
        Some(Host::Domain(name)) => match backend.zone.lookup(name) {
            Meaning::Addresses(addresses) => addresses.to_vec(),
            Meaning::Empty | Meaning::Whoami | Meaning::Unknown => return Err(FetchError::Name),
        },
        None => return Err(FetchError::Other),
    };
    if !addresses.iter().copied().all(is_public) {
        return Err(FetchError::Other);
    }
    addresses.sort_by_key(IpAddr::is_ipv6);
    Ok(addresses)
}

async fn connect(addresses: &[IpAddr], port: u16) -> Result<TcpStream, FetchError> {
    let mut last = FetchError::Name;
    for address in addresses {
        match TcpStream::connect(SocketAddr::new(*address, port)).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = FetchError::Connect(error),
        }
    }
    Err(last)
}

fn request(url: &Url, headers: &BTreeMap<String, Vec<String>>) -> Result<Request<Empty<Bytes>>, FetchError> {
    let authority = &url[Position::BeforeHost..Position::AfterPort];
    let mut request = Request::get(&url[Position::BeforePath..Position::AfterQuery]).header(HOST, authority);
    for (name, values) in headers {
        if PASSED_ON.iter().any(|passed| name.eq_ignore_ascii_case(passed)) {
            for value in values {
                request = request.header(name, value);
            }
        }
    }
    request.body(Empty::new()).map_err(|_| FetchError::Other)
}

async fn send<S>(stream: S, request: Request<Empty<Bytes>>) -> Result<Response<Incoming>, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|_| FetchError::Other)?;
    // It ends with the response's body or with the server.
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(|_| FetchError::Other)
}

/// The headers, called as Go calls them, each with its first value.
fn shown(headers: &HeaderMap) -> BTreeMap<String, String> {
    let shown = headers.keys().filter(|name| **name != TRANSFER_ENCODING).filter_map(|name| {
        let value = String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned();
        Some((canonical(name.as_str()), value))
    });
    shown.collect()
}

/// `content-type` as `Content-Type`.
pub(super) fn canonical(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// Where HTTP/3 is said to be spoken (RFC 7838); the first such entry, the URL's host where it names none.
pub(super) fn h3_endpoint(headers: &HeaderMap, url: &Url) -> Option<String> {
    let said = headers.get(ALT_SVC)?.to_str().ok()?;
    let mut entries = said.split(',').filter_map(|entry| entry.split(';').next()?.trim().strip_prefix("h3="));
    let authority = entries.next()?.trim_matches('"');
    let (host, port) = authority.rsplit_once(':')?;
    let host = if host.is_empty() { url.host_str()? } else { host };
    Some(format!("{host}:{port}"))
}

const PASSED_ON: [&str; 3] = ["user-agent", "accept", "accept-language"];
/// As many as Go's client follows.
const MOST_REDIRECTS: usize = 9;
