//! What is measured of an address, and what is known of it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use roadblock_scenarios::is_public;
use serde::Serialize;
use url::Url;

/// What is known of an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub(super) struct IpInfo {
    /// Always 0: OONI's word for not known. The lab has no table of who announces what.
    pub(super) asn: i64,
    /// Who found it, and what of it.
    pub(super) flags: i64,
}

/// A place to connect to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Endpoint {
    pub(super) place: SocketAddr,
    /// Whether there is TLS.
    pub(super) tls: bool,
}

/// The addresses that the probe names and those that the helper found.
pub(super) fn ip_info(probes: &[String], own: &[String]) -> BTreeMap<String, IpInfo> {
    let mut all: BTreeMap<String, IpInfo> = BTreeMap::new();
    let probes = probes.iter().filter_map(|place| place.parse::<SocketAddr>().ok()).map(|place| place.ip());
    let own = own.iter().filter_map(|address| address.parse::<IpAddr>().ok());
    let found = probes.map(|address| (address, BY_PROBE)).chain(own.map(|address| (address, BY_HELPER)));
    for (address, by) in found {
        let bogon = if is_public(address) { 0 } else { BOGON };
        all.entry(address.to_string()).or_insert(IpInfo { asn: 0, flags: 0 }).flags |= by | bogon;
    }
    all
}

/// The places to try: at the URL's port, or at those of its scheme; for `http` also where TLS would show whose the address is.
/// Bogons are not tried.
pub(super) fn endpoints(url: &Url, ip_info: &BTreeMap<String, IpInfo>) -> Vec<Endpoint> {
    let ports: &[u16] = match (url.port(), url.scheme()) {
        (Some(port), _) => &[port],
        (None, "https") => &[443],
        (None, "http") => &[80, 443],
        (None, _) => &[],
    };
    let addresses = ip_info.iter().filter(|(_, info)| info.flags & BOGON == 0);
    let addresses = addresses.filter_map(|(address, _)| address.parse::<IpAddr>().ok());
    let endpoint = |address, port| Endpoint { place: SocketAddr::new(address, port), tls: port == 443 };
    addresses.flat_map(|address| ports.iter().map(move |port| endpoint(address, *port))).collect()
}

/// The probe has found it.
const BY_PROBE: i64 = 1;
/// The helper has.
const BY_HELPER: i64 = 1 << 1;
/// It is no public address.
const BOGON: i64 = 1 << 2;
/// A handshake there has shown a certificate for the name.
pub(super) const VALID_FOR_DOMAIN: i64 = 1 << 3;
