//! A test helper at the control vantage, for labs that have none on their internet: it does what OONI's `oohelperd` does, and
//! says so in the same words.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use futures_util::future::join_all;
use url::Url;

use super::cookies::Cookies;
use super::endpoint::{Reached, reach};
use super::fetch::fetch;
use super::names::look_up;
use super::notes::Course;
use super::plan::Resolvers;
use crate::ooni::control::{
    ControlDns, ControlHttp, ControlIp, ControlRequest, ControlResponse, ControlTcp, ControlTls,
};
use crate::ooni::http::{Header, Transaction};
use crate::probes::bogon::is_bogon;
use crate::probes::page;
use crate::probes::tools::Tools;

/// What it met. Must run at the control vantage.
pub(super) async fn answer(tools: &Tools, resolver: IpAddr, request: &ControlRequest) -> ControlResponse {
    let Ok(url) = Url::parse(&request.http_request) else { return ControlResponse::default() };
    let course = Course::begin();
    let resolvers = Resolvers { system: resolver, udp: None, doh: None };
    let host = url.host_str().unwrap_or_default().to_owned();
    let (notes, found) = look_up(tools, &course, &resolvers, &host, 0).await;
    let addresses: Vec<IpAddr> = found.addresses.iter().map(|(address, _)| *address).collect();
    let failure = notes.keys.queries.first().and_then(|query| query.failure.clone());
    let asked = request.tcp_connect.iter().filter_map(|place| place.parse::<SocketAddr>().ok());
    let own = addresses.iter().flat_map(|address| ports(&url).map(|port| SocketAddr::new(*address, port)));
    let places: BTreeSet<SocketAddr> = asked.chain(own).filter(|place| !is_bogon(place.ip())).collect();
    let looked = join_all(places.iter().map(|place| look(tools, &course, &url, *place)));
    let (looked, page) = tokio::join!(looked, Box::pin(browse(tools, &course, &resolvers, &url)));
    let theirs: BTreeSet<IpAddr> =
        request.tcp_connect.iter().filter_map(|place| Some(place.parse::<SocketAddr>().ok()?.ip())).collect();
    ControlResponse {
        tcp_connect: looked.iter().map(|reached| (reached.stamp.remote.to_string(), tcp(reached))).collect(),
        tls_handshake: looked.iter().filter_map(tls).collect(),
        quic_handshake: BTreeMap::new(),
        http_request: page,
        http3_request: None,
        ip_info: ip_info(&addresses, &theirs, &looked),
        dns: ControlDns {
            failure: failure.as_deref().and_then(dns_word).map(str::to_owned),
            addrs: addresses.iter().map(ToString::to_string).collect(),
        },
    }
}

/// Where a URL's page is: over TLS too where the URL does not say so, because that shows whose address it is.
fn ports(url: &Url) -> impl Iterator<Item = u16> + use<> {
    let both = url.port().is_none() && url.scheme() == "http";
    [both.then_some(443), url.port_or_known_default()].into_iter().flatten()
}

async fn look(tools: &Tools, course: &Course, url: &Url, place: SocketAddr) -> Reached {
    let secure = place.port() == 443 || url.scheme() == "https";
    reach(tools, course.stamp(place, 0, false, false), url.host_str().filter(|_| secure)).await
}

/// The page at the end of all redirects.
async fn browse(tools: &Tools, course: &Course, resolvers: &Resolvers, url: &Url) -> ControlHttp {
    let (mut url, mut cookies) = (url.clone(), Cookies::default());
    for depth in 0..=super::REDIRECTS {
        let host = url.host_str().unwrap_or_default().to_owned();
        let (notes, found) = look_up(tools, course, resolvers, &host, depth).await;
        let mut failure = notes.keys.queries.first().and_then(|query| query.failure.clone());
        let mut fetched = None;
        for (address, _) in found.addresses.iter().filter(|(address, _)| !address.is_loopback()) {
            let place = SocketAddr::new(*address, url.port_or_known_default().unwrap_or_default());
            let sni = url.host_str().filter(|_| url.scheme() == "https");
            let mut reached = reach(tools, course.stamp(place, depth, true, true), sni).await;
            fetched = fetch(tools, &mut reached, &url, &mut cookies).await;
            if fetched.is_some() {
                break;
            }
            failure = failure_of(&reached);
        }
        let Some(fetched) = fetched else { return failed(failure.as_deref()) };
        if let Some(failure) = fetched.transaction.failure {
            return failed(Some(&failure));
        }
        match fetched.next {
            Some(next) => url = next,
            None => return page_of(&fetched.transaction),
        }
    }
    failed(Some(super::TOO_MANY))
}

fn failure_of(reached: &Reached) -> Option<String> {
    let keys = &reached.notes.keys;
    let tcp = keys.tcp_connect.first().and_then(|connect| connect.status.failure.clone());
    tcp.or_else(|| keys.tls_handshakes.first()?.failure.clone())
}

fn failed(failure: Option<&str>) -> ControlHttp {
    let word = http_word(failure.unwrap_or_default());
    ControlHttp { failure: Some(word.to_owned()), ..ControlHttp::default() }
}

fn page_of(transaction: &Transaction) -> ControlHttp {
    let response = &transaction.response;
    ControlHttp {
        body_length: i64::try_from(response.body.0.len()).unwrap_or(i64::MAX),
        discovered_h3_endpoint: None,
        failure: None,
        title: page::title(&response.body.text()).unwrap_or_default(),
        headers: response.headers_list.iter().map(|Header(name, value)| (name.text(), value.text())).collect(),
        status_code: Some(response.code),
    }
}

fn tcp(reached: &Reached) -> ControlTcp {
    let failure = reached.notes.keys.tcp_connect.first().and_then(|connect| connect.status.failure.clone());
    ControlTcp { status: failure.is_none(), failure: failure.as_deref().map(tcp_word).map(str::to_owned) }
}

fn tls(reached: &Reached) -> Option<(String, ControlTls)> {
    let handshake = reached.notes.keys.tls_handshakes.first()?;
    let control = ControlTls {
        server_name: handshake.server_name.clone().unwrap_or_default(),
        status: handshake.failure.is_none(),
        failure: handshake.failure.clone(),
    };
    Some((reached.stamp.remote.to_string(), control))
}

fn ip_info(own: &[IpAddr], theirs: &BTreeSet<IpAddr>, looked: &[Reached]) -> BTreeMap<String, ControlIp> {
    let certified = |address: &IpAddr| {
        let mut there = looked.iter().filter(|reached| reached.stamp.remote.ip() == *address);
        there.any(|reached| reached.notes.keys.tls_handshakes.first().is_some_and(|each| each.failure.is_none()))
    };
    let flags = |address: &IpAddr| {
        let flag = |value: u32, holds: bool| if holds { value } else { 0 };
        flag(1, theirs.contains(address))
            | flag(2, own.contains(address))
            | flag(4, is_bogon(*address))
            | flag(8, certified(address))
    };
    let all: BTreeSet<&IpAddr> = own.iter().chain(theirs).collect();
    all.into_iter().map(|address| (address.to_string(), ControlIp { asn: 0, flags: flags(address) })).collect()
}

/// The test helper's own words for failed look-ups; that a name has no address is none.
fn dns_word(failure: &str) -> Option<&'static str> {
    match failure {
        "dns_nxdomain_error" => Some("dns_name_error"),
        "dns_no_answer" => None,
        "dns_refused_error" | "dns_servfail_error" | "dns_server_misbehaving" => Some("dns_server_failure"),
        _ => Some("unknown_error"),
    }
}

/// Likewise for connections.
fn tcp_word(failure: &str) -> &'static str {
    match failure {
        "generic_timeout_error" => "generic_timeout_error",
        "connection_refused" => "connection_refused_error",
        _ => "connect_error",
    }
}

/// Likewise for pages.
fn http_word(failure: &str) -> &'static str {
    match failure {
        "dns_nxdomain_error" => "dns_lookup_error",
        "generic_timeout_error" => "generic_timeout_error",
        "connection_refused" => "connection_refused_error",
        _ => "unknown_error",
    }
}
