//! How a probe learns its own address: Ubuntu's service and Cloudflare's, as far as probes read them. The third way is STUN.

use std::net::IpAddr;
use std::time::UNIX_EPOCH;

use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use super::Backend;
use super::networks::UNKNOWN;
use crate::internet::page::{PageBody, bytes};

/// `https://geoip.ubuntu.com/lookup`.
pub(super) fn ubuntu(backend: &Backend, head: &Parts, client: IpAddr) -> Option<Response<PageBody>> {
    let country = country(backend, client);
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Ip>{client}</Ip><Status>OK</Status>\
         <CountryCode>{country}</CountryCode></Response>\n"
    );
    (head.uri.path() == "/lookup").then(|| bytes(StatusCode::OK, "text/xml", text.into()))
}

/// `https://www.cloudflare.com/cdn-cgi/trace`.
pub(super) fn cloudflare(backend: &Backend, head: &Parts, client: IpAddr) -> Option<Response<PageBody>> {
    let seconds = (backend.now)().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let agent = head.headers.get(hyper::header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let country = country(backend, client);
    let text = format!(
        "h=www.cloudflare.com\nip={client}\nts={seconds}.000\nvisit_scheme={}\nuag={agent}\nloc={country}\n",
        head.uri.scheme_str().unwrap_or("https"),
    );
    (head.uri.path() == "/cdn-cgi/trace").then(|| bytes(StatusCode::OK, "text/plain", text.into()))
}

fn country(backend: &Backend, client: IpAddr) -> &str {
    backend.networks.whose(client).map_or(UNKNOWN, |whose| &whose.country)
}
