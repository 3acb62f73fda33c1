//! An address and a port, who lives there, and the servers that this takes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use roadblock_scenarios::model::{Host, Protocol, Service};
use rustls::ServerConfig;
use tokio::net::UdpSocket;
use tokio::runtime::Handle;
use tokio_rustls::TlsAcceptor;

use super::authority::Authority;
use super::front::Port;
use super::lies::Speaker;
use super::listen::{bind_tcp, bind_udp};
use super::ooni::Backend;
use super::page::{Site, Sites};
use super::relay::Callers;
use super::servers::{Bound, Servers};
use super::start::InternetError;
use super::tls::server_config;
use super::{echo, h3, name_server, relay, silence, web, wireguard};

/// What listens at an address and port.
pub(super) struct Place {
    address: SocketAddr,
    protocols: Vec<Protocol>,
    sites: Sites,
}

impl Place {
    /// Every place of these services, in a fixed order. Port 0 is a port of its own for each protocol.
    pub(super) fn all<'a>(services: impl IntoIterator<Item = &'a Service>) -> Result<Vec<Self>, InternetError> {
        let mut places: BTreeMap<(SocketAddr, Option<Protocol>), Self> = BTreeMap::new();
        for host in services.into_iter().flat_map(|service| &service.hosts) {
            for (address, protocol) in host_places(host) {
                let key = (address, (address.port() == 0).then_some(protocol));
                if let Some(place) = places.get_mut(&key) {
                    place.add(protocol, host)?;
                } else {
                    let sites = Sites::new(Site::new(host));
                    places.insert(key, Self { address, protocols: vec![protocol], sites });
                }
            }
        }
        Ok(places.into_values().collect())
    }

    /// A resolver that is no service.
    pub(super) fn of_resolver(address: SocketAddr) -> Self {
        Self { address, protocols: vec![Protocol::Dns], sites: Sites::new(Site::new(&Host::default())) }
    }

    /// Binds what is needed and runs it.
    pub(super) fn start(self, start: &mut Start<'_>) -> Result<(), InternetError> {
        let server = self.server_name();
        let bind_error = |error| InternetError::Bind { server: Arc::clone(&server), error };
        let mut actual = self.address;
        let sites = Arc::new(self.sites);
        let tcp: Arc<[Protocol]> = self.protocols.iter().copied().filter(|each| each.over_tcp()).collect();
        if tcp.contains(&Protocol::Silence) {
            let silence = silence::occupy(actual).map_err(bind_error)?;
            actual = silence.address();
            start.spawn(&server, silence.keep());
        } else if !tcp.is_empty() {
            let listener = bind_tcp(actual).map_err(bind_error)?;
            actual = listener.local_addr().map_err(bind_error)?;
            let tls = start.tls(&tcp, &sites, &server)?;
            let (sites, speaker, ooni) = (Arc::clone(&sites), Arc::clone(&start.speaker), start.ooni.clone());
            let port = Port { protocols: tcp, address: actual, sites, tls, speaker, ooni };
            let problems = start.servers.problem_list();
            start.spawn(&server, port.serve(listener, Arc::clone(&server), problems));
        }
        if let Some(protocol) = datagrams(&self.protocols) {
            let socket = bind_udp(actual).map_err(bind_error)?;
            actual = socket.local_addr().map_err(bind_error)?;
            start.answer_datagrams(protocol, socket, actual, &sites, &server)?;
        }
        for protocol in self.protocols {
            start.servers.add_bound(Bound { protocol, wanted: self.address, actual });
        }
        Ok(())
    }

    fn add(&mut self, protocol: Protocol, host: &Host) -> Result<(), InternetError> {
        if let Some(first) = self.protocols.iter().find(|each| !each.shares_port_with(protocol)) {
            return Err(InternetError::Conflict { address: self.address, first: *first, second: protocol });
        }
        if !self.protocols.contains(&protocol) {
            self.protocols.push(protocol);
        }
        self.sites.add(Site::new(host));
        Ok(())
    }

    /// As `https+whatsapp-chat 31.13.84.53:443`.
    fn server_name(&self) -> Arc<str> {
        let words: Vec<_> = self.protocols.iter().map(|protocol| protocol.word()).collect();
        format!("{} {}", words.join("+"), self.address).into()
    }
}

fn host_places(host: &Host) -> impl Iterator<Item = (SocketAddr, Protocol)> {
    host.listen.iter().flat_map(move |listener| {
        host.addresses.iter().map(move |address| (SocketAddr::new(*address, listener.port), listener.protocol))
    })
}

/// Which protocol answers the datagrams of a place; a relay is a STUN server too.
fn datagrams(protocols: &[Protocol]) -> Option<Protocol> {
    let relay = protocols.iter().find(|each| **each == Protocol::CallRelay);
    relay.or_else(|| protocols.iter().find(|each| each.over_udp())).copied()
}

/// What starting takes.
pub(super) struct Start<'a> {
    /// Where the servers are gathered.
    pub(super) servers: &'a mut Servers,
    /// What they run on.
    pub(super) runtime: Handle,
    /// Who answers DNS.
    pub(super) speaker: Arc<Speaker>,
    /// Who answers OONI's probe, if anybody does.
    pub(super) ooni: Option<Arc<Backend>>,
    /// Who signs the certificates, where there is TLS.
    pub(super) authority: Option<&'a Arc<Authority>>,
}

impl Start<'_> {
    fn spawn(&mut self, server: &Arc<str>, future: impl Future<Output = ()> + Send + 'static) {
        self.servers.spawn(&self.runtime, server, future);
    }

    /// The server's side of TLS for a port, where one of its protocols needs it.
    fn tls(
        &self,
        protocols: &[Protocol],
        sites: &Arc<Sites>,
        server: &Arc<str>,
    ) -> Result<Option<TlsAcceptor>, InternetError> {
        let alpn: &[&[u8]] = if protocols.contains(&Protocol::Dot) {
            &[b"dot"]
        } else if protocols.contains(&Protocol::Https) || protocols.contains(&Protocol::Doh) {
            &web::ALPN
        } else {
            return Ok(None);
        };
        Ok(self.server_config(sites, server, alpn)?.map(|config| TlsAcceptor::from(Arc::new(config))))
    }

    /// The same for a protocol that shakes hands by itself.
    fn server_config(
        &self,
        sites: &Arc<Sites>,
        server: &Arc<str>,
        alpn: &[&[u8]],
    ) -> Result<Option<ServerConfig>, InternetError> {
        let Some(authority) = self.authority else { return Ok(None) };
        let problems = self.servers.problem_list();
        Ok(Some(server_config(Arc::clone(sites), Arc::clone(authority), Arc::clone(server), problems, alpn)?))
    }

    fn answer_datagrams(
        &mut self,
        protocol: Protocol,
        socket: UdpSocket,
        address: SocketAddr,
        sites: &Arc<Sites>,
        server: &Arc<str>,
    ) -> Result<(), InternetError> {
        let (name, problems) = (Arc::clone(server), self.servers.problem_list());
        match protocol {
            Protocol::Dns => {
                let speaker = Arc::clone(&self.speaker);
                self.spawn(server, name_server::answer_datagrams(socket, address, speaker, name, problems));
            }
            Protocol::Stun | Protocol::CallRelay => {
                let callers = Callers::new(protocol == Protocol::CallRelay);
                self.spawn(server, relay::serve(socket, callers, name, problems));
            }
            Protocol::WireGuard => {
                // The parser lets no host listen for a tunnel without keys; one made without it is deaf.
                if let Some(keys) = sites.choose(None).wireguard.clone() {
                    self.spawn(server, wireguard::serve(socket, keys, name, problems));
                }
            }
            Protocol::Echo => self.spawn(server, echo::serve_datagrams(socket, name, problems)),
            Protocol::Silence => self.spawn(server, silence::swallow_datagrams(socket, name, problems)),
            Protocol::H3 => {
                if let Some(tls) = self.server_config(sites, server, &h3::ALPN)? {
                    let listening = |error| InternetError::Bind { server: Arc::clone(server), error };
                    let endpoint = h3::endpoint(socket, tls).map_err(listening)?;
                    self.spawn(server, h3::serve(endpoint, Arc::clone(sites), name, problems));
                }
            }
            Protocol::Http
            | Protocol::Https
            | Protocol::Doh
            | Protocol::Dot
            | Protocol::WhatsAppChat
            | Protocol::Mtproto => {}
        }
        Ok(())
    }
}
