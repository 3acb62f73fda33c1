//! OONI's services: what a stock probe asks before, while and after it measures.
//!
//! Protocols are those of ooni/probe-cli and ooni/spec as read on 2026-11-24. Each host of `services/ooni` has a role; what a
//! role does not answer, the host's page does.

mod api;
mod geolocation;
mod measurements;
mod networks;
mod test_helper;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use roadblock_scenarios::model::{OoniRole, Probe, Scenario};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;

use super::authority::Authority;
use super::page::{PageBody, bytes, plain};
use super::zone::Zone;

pub use measurements::Measurements;
pub use networks::{Networks, Whose};

/// What OONI's services know and keep.
pub struct Backend {
    zone: Arc<Zone>,
    tls: Arc<ClientConfig>,
    networks: Networks,
    /// The names of the test helpers.
    helpers: Vec<String>,
    /// What a probe that asks for work is given.
    urls: Vec<String>,
    measurements: Measurements,
    now: fn() -> SystemTime,
}

impl Backend {
    /// That of a lab. `now` tells the time of day, which reports are dated with.
    pub fn new(
        scenario: &Scenario,
        zone: &Arc<Zone>,
        authority: &Authority,
        networks: Networks,
        now: fn() -> SystemTime,
    ) -> Result<Self, rustls::Error> {
        let services = scenario.services.iter().chain(&scenario.background);
        let hosts = services.flat_map(|service| &service.hosts);
        let helpers = hosts.filter(|host| host.ooni == Some(OoniRole::TestHelper)).flat_map(|host| &host.names);
        let urls = scenario.targets().filter_map(|target| match &target.probe {
            Probe::Http { url, .. } => Some(url.clone()),
            _ => None,
        });
        Ok(Self {
            zone: Arc::clone(zone),
            tls: Arc::new(client_config(authority)?),
            networks,
            helpers: helpers.cloned().collect(),
            urls: urls.collect(),
            measurements: Measurements::default(),
            now,
        })
    }

    /// The measurements that were handed in, in their order.
    pub fn measurements(&self) -> &Measurements {
        &self.measurements
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend").field("measurements", &self.measurements).finish_non_exhaustive()
    }
}

/// What a host answers in its role. `None` is left to its page. `body` is the request's, where it was not too long.
pub(super) async fn answer(
    backend: &Arc<Backend>,
    role: OoniRole,
    head: &Parts,
    body: Option<Bytes>,
    client: SocketAddr,
) -> Option<Response<PageBody>> {
    match role {
        OoniRole::Api => api::answer(backend, head, body, client.ip()),
        OoniRole::TestHelper if head.method == Method::POST => Some(test_helper::answer(backend, body).await),
        OoniRole::UbuntuGeoip => geolocation::ubuntu(backend, head, client.ip()),
        OoniRole::CloudflareTrace => geolocation::cloudflare(backend, head, client.ip()),
        OoniRole::TestHelper | OoniRole::Whoami => None,
    }
}

/// The longest body that is read, which is oohelperd's limit too.
pub(super) const LONGEST: usize = 1 << 24;

fn json(status: StatusCode, value: &Value) -> Response<PageBody> {
    bytes(status, "application/json", value.to_string().into())
}

fn bad_request(why: &str) -> Response<PageBody> {
    plain(StatusCode::BAD_REQUEST, format!("{why}\n"))
}

/// TLS as the test helper speaks it, trusting the lab alone.
fn client_config(authority: &Authority) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().to_vec().into())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
