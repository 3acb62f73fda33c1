//! What was met, look-up by look-up and endpoint by endpoint, each beside what the test helper met there.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::super::control::{ControlHttp, ControlResponse};
use super::super::dns::Query;
use super::super::http::Response;
use super::super::measurement::TestKeys;
use super::super::occasion::Occasion;
use super::super::tcp::TcpConnect;

/// How something ended: well, or with a failure.
pub(super) type Fate = Result<(), String>;

/// All that was met.
#[derive(Clone, Debug, Default)]
pub(super) struct Observed {
    /// The look-ups.
    pub(super) lookups: Vec<Lookup>,
    /// The endpoints.
    pub(super) endpoints: Vec<Endpoint>,
    /// What the test helper expects, where it answered.
    pub(super) control: Option<Expected>,
}

/// What the test helper expects.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    /// The addresses of the name.
    pub(super) addresses: BTreeSet<String>,
    /// How looking it up ended.
    pub(super) lookup: Fate,
    /// The page.
    pub(super) page: ControlHttp,
}

impl Expected {
    /// How the page ended.
    pub(super) fn http(&self) -> Fate {
        fate(self.page.failure.as_ref())
    }
}

/// A look-up: one query, or `getaddrinfo`'s both.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    /// What it belongs to; A and AAAA share one.
    pub(super) transaction: i64,
    /// After how many redirects.
    pub(super) depth: Option<u32>,
    /// `getaddrinfo`, `udp`, `doh`.
    pub(super) engine: String,
    /// Whether nobody has an IPv6 address, which is no failure of anything.
    pub(super) lacks_v6: bool,
    /// How it ended.
    pub(super) fate: Fate,
    /// What was answered.
    pub(super) addresses: BTreeSet<String>,
    /// Whether the test helper looked up the same name.
    pub(super) is_the_control_s: bool,
}

/// A connection, and what was done on it.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// Which one.
    pub(super) transaction: i64,
    /// After how many redirects.
    pub(super) depth: Option<u32>,
    /// Whether it was to bring the page, and not only to show that it can be had.
    pub(super) fetches: Option<bool>,
    /// Where to.
    pub(super) address: IpAddr,
    /// The first look-up that found it.
    pub(super) found_by: Option<i64>,
    /// How the connection ended.
    pub(super) tcp: Fate,
    /// How the handshake ended, where there was one.
    pub(super) tls: Option<Fate>,
    /// How the page ended, where it was asked for.
    pub(super) http: Option<Fate>,
    /// The page, where it came.
    pub(super) response: Option<Response>,
    /// How the test helper's connection to the same place ended.
    pub(super) control_tcp: Option<Fate>,
    /// How its handshake with the same name ended.
    pub(super) control_tls: Option<Fate>,
}

impl Endpoint {
    /// The page, where it is no redirect.
    pub(super) fn final_response(&self) -> Option<&Response> {
        self.response.as_ref().filter(|response| matches!(response.code / 100, 2 | 4 | 5))
    }

    /// Whether IPv6 does not work here at all, which is no blocking (ooni/probe#2284).
    pub(super) fn lacks_v6(&self) -> bool {
        let unreachable = |failure: &String| matches!(&**failure, "network_unreachable" | "host_unreachable");
        self.address.is_ipv6() && self.tcp.as_ref().err().is_some_and(unreachable)
    }
}

impl Observed {
    /// From what a probe wrote down; `host` is the name in the input.
    pub(super) fn new(met: &TestKeys, host: &str, control: Option<&ControlResponse>) -> Self {
        let lookups: Vec<Lookup> = met.queries.iter().map(|query| lookup(query, host)).collect();
        let endpoints = met.tcp_connect.iter().map(|connect| endpoint(connect, met, &lookups, control)).collect();
        let control = control.map(|control| Expected {
            addresses: control.dns.addrs.iter().cloned().collect(),
            lookup: fate(control.dns.failure.as_ref()),
            page: control.http_request.clone(),
        });
        Self { lookups, endpoints, control }
    }

    /// What Web Connectivity met before its version 0.5: what `getaddrinfo` found, and what was asked for the page.
    pub(super) fn classic(&self) -> Self {
        let lookups: Vec<Lookup> = self.lookups.iter().filter(|each| is_getaddrinfo(&each.engine)).cloned().collect();
        let found = |address: &IpAddr| lookups.iter().any(|each| each.addresses.contains(&address.to_string()));
        let endpoints = self.endpoints.iter().filter(|each| each.fetches == Some(true) && found(&each.address));
        Self { endpoints: endpoints.cloned().collect(), control: self.control.clone(), lookups }
    }
}

fn lookup(query: &Query, host: &str) -> Lookup {
    let failure = query.failure.as_ref();
    Lookup {
        transaction: query.occasion.transaction_id.unwrap_or_default(),
        depth: depth(&query.occasion.tags),
        engine: query.engine.clone().unwrap_or_default(),
        lacks_v6: query.query_type == "AAAA" && failure.is_some_and(|failure| failure == "dns_no_answer"),
        fate: fate(failure),
        addresses: query.addresses().map(|address| address.to_string()).collect(),
        is_the_control_s: query.hostname.eq_ignore_ascii_case(host),
    }
}

fn endpoint(connect: &TcpConnect, met: &TestKeys, lookups: &[Lookup], control: Option<&ControlResponse>) -> Endpoint {
    let TcpConnect { ip, port, status, occasion } = connect;
    let Occasion { tags, transaction_id, .. } = occasion;
    let place = std::net::SocketAddr::new(*ip, *port).to_string();
    let same = |other: Option<i64>| transaction_id.is_some() && other == *transaction_id;
    let handshake = met.tls_handshakes.iter().find(|each| same(each.occasion.transaction_id));
    let request = met.requests.iter().find(|each| same(each.transaction_id));
    let control_tls = handshake.zip(control.and_then(|control| control.tls_handshake.get(&place)));
    Endpoint {
        transaction: transaction_id.unwrap_or_default(),
        depth: depth(tags),
        fetches: tags.iter().find_map(|tag| tag.strip_prefix(FETCH)).map(|value| value == "true"),
        address: *ip,
        found_by: lookups.iter().find(|each| each.addresses.contains(&ip.to_string())).map(|each| each.transaction),
        tcp: fate(status.failure.as_ref()),
        tls: handshake.map(|handshake| fate(handshake.failure.as_ref())),
        http: request.map(|request| fate(request.failure.as_ref())),
        response: request.filter(|request| request.failure.is_none()).map(|request| request.response.clone()),
        control_tcp: control.and_then(|control| control.tcp_connect.get(&place)).map(|tcp| fate(tcp.failure.as_ref())),
        control_tls: control_tls
            .filter(|(handshake, control)| handshake.server_name.as_ref() == Some(&control.server_name))
            .map(|(_, control)| fate(control.failure.as_ref())),
    }
}

fn fate(failure: Option<&String>) -> Fate {
    failure.map_or(Ok(()), |failure| Err(failure.clone()))
}

fn is_getaddrinfo(engine: &str) -> bool {
    matches!(engine, "getaddrinfo" | "golang_net_resolver" | "go" | "system")
}

fn depth(tags: &[String]) -> Option<u32> {
    tags.iter().find_map(|tag| tag.strip_prefix(DEPTH))?.parse().ok()
}

/// The tag of what was met after so many redirects.
pub(crate) fn depth_tag(depth: usize) -> String {
    format!("{DEPTH}{depth}")
}

/// The tag of what is to bring the page, or only shows that it can be had.
pub(crate) fn fetch_tag(fetches: bool) -> String {
    format!("{FETCH}{fetches}")
}

/// The tag of what versions before 0.5 would have met.
pub(crate) const CLASSIC: &str = "classic";
const DEPTH: &str = "depth=";
const FETCH: &str = "fetch_body=";
