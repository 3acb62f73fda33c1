//! From services and resolvers to servers that run.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use roadblock_scenarios::model::{Protocol, Resolver, Service};
use tokio::runtime::{Handle, TryCurrentError};
use tokio_rustls::TlsAcceptor;

use super::authority::Authority;
use super::lies::{LieTable, Speaker};
use super::listen::bind_tcp;
use super::name_server::NameServer;
use super::page::{Site, Sites};
use super::servers::{Bound, Servers};
use super::tls::server_config;
use super::web::{serve_http, serve_https};
use super::zone::Zone;
use crate::clock::LabClock;
use crate::events::EventLog;

/// Why the internet could not be brought up.
#[derive(Debug, thiserror::Error)]
pub enum InternetError {
    /// There is no runtime to run servers on.
    #[error("start servers outside a tokio runtime: {0}")]
    Runtime(#[from] TryCurrentError),
    /// A server could not have its address.
    #[error("listen as {server}: {error}")]
    Bind {
        /// The server, as `https 157.240.205.35:443`.
        server: Arc<str>,
        /// What the kernel says.
        #[source]
        error: io::Error,
    },
    /// Two hosts want the same port for different protocols.
    #[error("listen at {address} as {} and as {} at once", word(*.first), word(*.second))]
    Conflict {
        /// The address and port.
        address: SocketAddr,
        /// What one host speaks there.
        first: Protocol,
        /// What another does.
        second: Protocol,
    },
    /// rustls does not take the settings.
    #[error("set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// Brings up every service: all addresses, all ports. When this returns, all of them are listening.
///
/// Name servers among the services know the whole zone and tell the truth.
pub fn start(services: &[Service], zone: &Arc<Zone>, authority: &Arc<Authority>) -> Result<Servers, InternetError> {
    let runtime = Handle::try_current()?;
    let mut servers = Servers::default();
    for (address, here) in places(services)? {
        for Place { protocol, sites } in here {
            match protocol {
                Protocol::Http | Protocol::Https => {
                    start_web(&mut servers, &runtime, address, protocol, Arc::new(sites), authority)?;
                }
                Protocol::Dns => start_dns(&mut servers, &runtime, address, Speaker::honest(Arc::clone(zone)))?,
            }
        }
    }
    Ok(servers)
}

/// Brings up a resolver at its hop: port 53 of all its addresses. It tells the lies of the table as it is when asked.
pub fn start_resolver(
    resolver: &Resolver,
    zone: &Arc<Zone>,
    lies: &LieTable,
    clock: &LabClock,
    events: &EventLog,
) -> Result<Servers, InternetError> {
    let addresses = resolver.addresses.iter().map(|address| SocketAddr::new(*address, DNS_PORT));
    let speaker = Speaker::lying(
        Arc::clone(zone),
        Arc::clone(&resolver.name),
        Arc::clone(&resolver.at),
        lies.clone(),
        clock.clone(),
        events.clone(),
    );
    start_name_servers(addresses, &speaker)
}

/// Brings up name servers that speak as one.
pub fn start_name_servers(
    addresses: impl IntoIterator<Item = SocketAddr>,
    speaker: &Speaker,
) -> Result<Servers, InternetError> {
    let runtime = Handle::try_current()?;
    let mut servers = Servers::default();
    for address in addresses {
        start_dns(&mut servers, &runtime, address, speaker.clone())?;
    }
    Ok(servers)
}

/// What listens at an address and port.
struct Place {
    protocol: Protocol,
    sites: Sites,
}

/// Who lives at each address and port, in a fixed order. One protocol each, but for port 0, which is a port of its own
/// for each protocol.
fn places(services: &[Service]) -> Result<BTreeMap<SocketAddr, Vec<Place>>, InternetError> {
    let mut places = BTreeMap::new();
    for host in services.iter().flat_map(|service| &service.hosts) {
        for listener in &host.listen {
            for address in &host.addresses {
                let address = SocketAddr::new(*address, listener.port);
                add_place(places.entry(address).or_default(), address, listener.protocol, Site::new(host))?;
            }
        }
    }
    Ok(places)
}

fn add_place(here: &mut Vec<Place>, address: SocketAddr, protocol: Protocol, site: Site) -> Result<(), InternetError> {
    if let Some(place) = here.iter_mut().find(|place| place.protocol == protocol) {
        place.sites.add(site);
        return Ok(());
    }
    if let Some(place) = here.first().filter(|_| address.port() != 0) {
        return Err(InternetError::Conflict { address, first: place.protocol, second: protocol });
    }
    here.push(Place { protocol, sites: Sites::new(site) });
    Ok(())
}

fn start_web(
    servers: &mut Servers,
    runtime: &Handle,
    wanted: SocketAddr,
    protocol: Protocol,
    sites: Arc<Sites>,
    authority: &Arc<Authority>,
) -> Result<(), InternetError> {
    let server = server_name(protocol, wanted);
    let bind_error = |error| InternetError::Bind { server: Arc::clone(&server), error };
    let listener = bind_tcp(wanted).map_err(bind_error)?;
    let actual = listener.local_addr().map_err(bind_error)?;
    let problems = servers.problem_list();
    if protocol == Protocol::Https {
        let config = server_config(Arc::clone(&sites), Arc::clone(authority), Arc::clone(&server), problems.clone())?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        servers.spawn(runtime, &server, serve_https(listener, acceptor, sites, Arc::clone(&server), problems));
    } else {
        servers.spawn(runtime, &server, serve_http(listener, sites, Arc::clone(&server), problems));
    }
    servers.add_bound(Bound { protocol, wanted, actual });
    Ok(())
}

fn start_dns(
    servers: &mut Servers,
    runtime: &Handle,
    wanted: SocketAddr,
    speaker: Speaker,
) -> Result<(), InternetError> {
    let server = server_name(Protocol::Dns, wanted);
    let name_server =
        NameServer::bind(wanted).map_err(|error| InternetError::Bind { server: Arc::clone(&server), error })?;
    servers.add_bound(Bound { protocol: Protocol::Dns, wanted, actual: name_server.address() });
    let run = name_server.run(speaker, Arc::clone(&server), servers.problem_list());
    servers.spawn(runtime, &server, run);
    Ok(())
}

fn server_name(protocol: Protocol, address: SocketAddr) -> Arc<str> {
    format!("{} {address}", word(protocol)).into()
}

const fn word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http => "http",
        Protocol::Https => "https",
        Protocol::Dns => "dns",
    }
}

const DNS_PORT: u16 = 53;
