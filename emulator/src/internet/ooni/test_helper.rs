//! The test helper of Web Connectivity (ooni/spec, nettests/ts-017; ooni/probe-cli, internal/oohelperd): it does what the
//! probe does, by real sockets, from the internet's side, where no censor is. QUIC it does not measure, as OONI's own does not
//! unless it is told to.

mod endpoint;
mod failure;
mod fetch;
mod plan;
mod title;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use url::Url;

use super::{Backend, bad_request};
use crate::internet::page::{PageBody, bytes};
use crate::internet::zone::Meaning;
use plan::{IpInfo, VALID_FOR_DOMAIN, endpoints, ip_info};

/// What the probe asks. What is not said is empty, `null` too.
#[derive(Debug, Deserialize)]
struct Request {
    #[serde(rename = "http_request")]
    url: String,
    #[serde(default, rename = "http_request_headers")]
    headers: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    tcp_connect: Option<Vec<String>>,
}

/// What it is told.
#[derive(Debug, Serialize)]
struct Control {
    tcp_connect: BTreeMap<String, Connected>,
    tls_handshake: BTreeMap<String, Handshake>,
    /// Never measured.
    quic_handshake: BTreeMap<String, Handshake>,
    http_request: Fetched,
    /// Never measured.
    http3_request: Option<Fetched>,
    dns: Resolved,
    ip_info: BTreeMap<String, IpInfo>,
}

/// A TCP connection.
#[derive(Debug, Serialize)]
struct Connected {
    status: bool,
    failure: Option<&'static str>,
}

/// A TLS handshake.
#[derive(Debug, Serialize)]
struct Handshake {
    server_name: String,
    status: bool,
    failure: Option<String>,
}

/// A page.
#[derive(Debug, Eq, PartialEq, Serialize)]
struct Fetched {
    /// In bytes; -1 where there is no page.
    body_length: i64,
    discovered_h3_endpoint: String,
    failure: Option<&'static str>,
    title: String,
    headers: BTreeMap<String, String>,
    /// -1 where there is no page.
    status_code: i64,
}

/// A name.
#[derive(Debug, Serialize)]
struct Resolved {
    failure: Option<&'static str>,
    addrs: Vec<String>,
}

/// The answer to a request's body.
pub(super) async fn answer(backend: &Arc<Backend>, body: Option<Bytes>) -> Response<PageBody> {
    let request: Option<Request> = body.and_then(|body| serde_json::from_slice(&body).ok());
    let Some(request) = request else { return bad_request("no request of Web Connectivity") };
    let Ok(url) = Url::parse(&request.url) else { return bad_request("`http_request` is no URL") };
    let Some(host) = url.host_str().map(unbracketed) else { return bad_request("`http_request` names no host") };
    let control = measure(backend, request, &url, host).await;
    match serde_json::to_vec(&control) {
        Ok(text) => bytes(StatusCode::OK, "application/json", text.into()),
        Err(_) => bad_request("the measurement cannot be written"),
    }
}

async fn measure(backend: &Arc<Backend>, request: Request, url: &Url, host: &str) -> Control {
    let dns = resolve(backend, host);
    let asked = request.tcp_connect.unwrap_or_default();
    let mut ip_info = ip_info(&asked, &dns.addrs);
    let mut measured = JoinSet::new();
    for endpoint in endpoints(url, &ip_info) {
        measured.spawn(endpoint::measure(endpoint, host.to_owned(), Arc::clone(&backend.tls)));
    }
    let headers = request.headers.unwrap_or_default();
    let http_request = fetch::fetch(backend, url.clone(), &headers).await;
    let (mut tcp_connect, mut tls_handshake) = (BTreeMap::new(), BTreeMap::new());
    while let Some(ended) = measured.join_next().await {
        // One that panicked is noted by nobody else, and left out.
        let Ok((endpoint, connected, handshake)) = ended else { continue };
        let place = endpoint.place.to_string();
        if let Some(handshake) = handshake {
            if let Some(info) = ip_info.get_mut(&endpoint.place.ip().to_string()).filter(|_| handshake.status) {
                info.flags |= VALID_FOR_DOMAIN;
            }
            tls_handshake.insert(place.clone(), handshake);
        }
        tcp_connect.insert(place, connected);
    }
    let quic_handshake = BTreeMap::new();
    Control { tcp_connect, tls_handshake, quic_handshake, http_request, http3_request: None, dns, ip_info }
}

/// What the lab's resolvers truly know. An address needs no resolver.
fn resolve(backend: &Backend, host: &str) -> Resolved {
    if host.parse::<std::net::IpAddr>().is_ok() {
        return Resolved { failure: None, addrs: Vec::new() };
    }
    match backend.zone.lookup(host) {
        Meaning::Addresses(addresses) => {
            Resolved { failure: None, addrs: addresses.iter().map(ToString::to_string).collect() }
        }
        Meaning::Empty | Meaning::Whoami => Resolved { failure: None, addrs: Vec::new() },
        Meaning::Unknown => Resolved { failure: Some(failure::NO_SUCH_NAME), addrs: Vec::new() },
    }
}

/// A host as it stands in a URL, without the brackets of IPv6.
fn unbracketed(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// How long each part may take, as in oohelperd.
const TIME_OUT: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests;
