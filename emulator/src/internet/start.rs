//! From services and resolvers to servers that run.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use ipnet::Ipv6Net;
use roadblock_scenarios::model::{Protocol, Resolver, Service};
use tokio::runtime::{Handle, TryCurrentError};

use super::authority::Authority;
use super::lies::{LieTable, Speaker};
use super::ooni::Backend;
use super::place::{Place, Start};
use super::servers::Servers;
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
    #[error("listen at {address} as {} and as {} at once", .first.word(), .second.word())]
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
/// Name servers among the services know the whole zone and tell the truth. Hosts with a role for OONI's probe play it where
/// there is somebody to answer for them.
pub fn start<'a>(
    services: impl IntoIterator<Item = &'a Service>,
    zone: &Arc<Zone>,
    authority: &Arc<Authority>,
    ooni: Option<Arc<Backend>>,
) -> Result<Servers, InternetError> {
    let runtime = Handle::try_current()?;
    let speaker = Arc::new(Speaker::honest(Arc::clone(zone)));
    let mut servers = Servers::default();
    let mut start = Start { servers: &mut servers, runtime, speaker, ooni, authority: Some(authority) };
    for place in Place::all(services)? {
        place.start(&mut start)?;
    }
    Ok(servers)
}

/// Brings up a resolver at its hop: ports 53 and 5353 of all its addresses. It tells the lies of the table as it is when asked,
/// and speaks DNS64 with the clients of these prefixes.
pub fn start_resolver(
    resolver: &Resolver,
    zone: &Arc<Zone>,
    lies: &LieTable,
    clock: &LabClock,
    events: &EventLog,
    dns64: &[Ipv6Net],
) -> Result<Servers, InternetError> {
    let ports = [Some(Protocol::Dns.usual_port()), Protocol::Dns.other_port()];
    let at = |address| ports.into_iter().flatten().map(move |port| SocketAddr::new(address, port));
    let addresses = resolver.addresses.iter().copied().flat_map(at);
    let speaker = Speaker::lying(
        Arc::clone(zone),
        Arc::clone(&resolver.name),
        Arc::clone(&resolver.at),
        lies.clone(),
        clock.clone(),
        events.clone(),
    )
    .with_dns64(dns64.to_vec())
    .at(resolver.addresses.clone());
    start_name_servers(addresses, &speaker)
}

/// Brings up name servers that speak as one.
pub fn start_name_servers(
    addresses: impl IntoIterator<Item = SocketAddr>,
    speaker: &Speaker,
) -> Result<Servers, InternetError> {
    let runtime = Handle::try_current()?;
    let speaker = Arc::new(speaker.clone());
    let mut servers = Servers::default();
    let mut start = Start { servers: &mut servers, runtime, speaker, ooni: None, authority: None };
    for address in addresses {
        Place::of_resolver(address).start(&mut start)?;
    }
    Ok(servers)
}
