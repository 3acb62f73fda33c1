//! What lies beside a measurement: the same one with one thing changed.
//!
//! One function for each way of differing; a new kind of measurement gets an arm in each of the four.

use std::net::IpAddr;

use super::probes::addresses;
use super::services::host_of;
use crate::declare::NeighboursDeclaration;
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::{
    DnsPatience, DnsTransport, Expectation, Family, FamilyChoice, Host, HttpRequest, Neighbour, NeighbourKind, Probe,
    Protocol, Service, Step, Transport, Vantage, VerdictWord,
};
use crate::read::Located;
use crate::source::Location;

/// What a neighbourhood is looked for in.
pub(super) struct Neighbourhood<'a> {
    hosts: Vec<&'a Host>,
    /// Whom the vantages of the expectation ask, who are no neutral resolvers.
    asked: Vec<IpAddr>,
    declared: &'a NeighboursDeclaration,
}

/// Why a measurement has no such neighbour.
enum Lack {
    /// It makes no sense, or the lab has none.
    None(String),
    /// It would, if the file were right.
    Mistake(Box<Diagnostic>),
}

type Found<T> = Result<T, Lack>;

impl<'a> Neighbourhood<'a> {
    /// What lies beside an expectation that is measured from these vantages.
    pub(super) fn new(services: &'a [Service], vantages: &[&Vantage], declared: &'a NeighboursDeclaration) -> Self {
        let hosts = services.iter().flat_map(|service| &service.hosts).collect();
        let asked = vantages.iter().flat_map(|vantage| vantage.resolvers.iter().copied()).collect();
        Self { hosts, asked, declared }
    }

    /// The neighbours of an expectation, as expectations of their own.
    pub(super) fn of(&self, parent: &Expectation, errors: &mut Collector) -> Vec<Expectation> {
        let Some(first) = parent.steps.first() else { return Vec::new() };
        let mut all = Vec::new();
        for kind in NeighbourKind::ALL {
            let Some((verdict, by_name)) = self.declared.wanted(kind) else { continue };
            match self.probe(kind, &first.probe) {
                Ok(probe) => {
                    let by = if verdict == VerdictWord::Ok { Vec::new() } else { first.by.clone() };
                    let bare = Step { of_control: None, finds: None, keys: Vec::new(), ..first.clone() };
                    let step = Step { probe, verdict, failure: None, by, ..bare };
                    all.push(derived(parent, kind, step));
                }
                Err(Lack::None(why)) if by_name => errors.push(self.lacking(kind, &why)),
                Err(Lack::None(_)) => {}
                Err(Lack::Mistake(mistake)) => errors.push(*mistake),
            }
        }
        if all.is_empty() && !errors.has_within(self.declared.at()) {
            let message = "this measurement has no neighbours";
            let help = "take `neighbours` out, and show in an expectation of its own what is left alone";
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, self.declared.at(), message).help(help));
        }
        all
    }

    fn lacking(&self, kind: NeighbourKind, why: &str) -> Diagnostic {
        let message = format!("this measurement has no neighbour by `{}`: {why}", kind.word());
        let help = format!("take `{}` out, or name a host of the lab that has it with `neutral`", kind.word());
        Diagnostic::new(DiagnosticKind::BadValue, self.declared.at(), message).help(help)
    }

    fn probe(&self, kind: NeighbourKind, probe: &Probe) -> Found<Probe> {
        match kind {
            NeighbourKind::Name => self.other_name(probe),
            NeighbourKind::Address => self.other_address(probe),
            NeighbourKind::Port => self.other_port(probe),
            NeighbourKind::Protocol => self.other_protocol(probe),
        }
    }

    /// Another name on the same address.
    fn other_name(&self, probe: &Probe) -> Found<Probe> {
        let (place, neutral) = (self.place(probe), self.neutral(probe)?);
        match probe.clone() {
            Probe::Dns { family, resolver, port, transport, patience, .. } => {
                neutral.address(family)?;
                Ok(Probe::Dns { name: neutral.name, family, resolver, port, transport, answer: Vec::new(), patience })
            }
            Probe::Tls { address, port, hello, .. } => {
                let verify = self.serves(address, &neutral.name);
                Ok(Probe::Tls { address, port, sni: neutral.name, verify, hello })
            }
            Probe::Connections { address, port, count, within, .. } => {
                let verify = self.serves(address, &neutral.name);
                Ok(Probe::Connections { address, port, sni: neutral.name, verify, count, within })
            }
            Probe::Quic { address, port, version, .. } => {
                let verify = self.serves(address, &neutral.name);
                Ok(Probe::Quic { address, port, sni: neutral.name, version, verify })
            }
            Probe::Http { url, family, version, request, .. } => {
                let url = with_host(&url, &neutral.name).ok_or_else(no_place)?;
                // Another name is another in the header, too.
                let request = HttpRequest { host: None, ..request };
                Ok(Probe::Http { url, address: Some(place.ok_or_else(no_place)?), family, version, request })
            }
            Probe::Throughput { kilobytes, upload, at_least, .. } => {
                let address = Some(place.ok_or_else(no_place)?);
                Ok(Probe::Throughput { host: neutral.name, address, kilobytes, upload, at_least, beside: None })
            }
            _ => none("it says no name"),
        }
    }

    /// The same at another address, which is a neutral one where any server will do.
    fn other_address(&self, probe: &Probe) -> Found<Probe> {
        let place = self.place(probe);
        let neutral = |family| self.neutral(probe)?.address(family);
        let listening = |family, port| {
            let neutral = self.neutral(probe)?;
            neutral.listens(port)?;
            neutral.address(family)
        };
        let speaking = |protocol, port| self.other_server(place, protocol, port);
        Ok(match probe.clone() {
            Probe::Dns { name, family, resolver, port, transport, answer, patience } => {
                let resolver = Some(self.other_resolver(resolver, transport)?);
                Probe::Dns { name, family, resolver, port, transport, answer, patience }
            }
            Probe::Ping { address } => Probe::Ping { address: neutral(family_of(address))? },
            Probe::Tcp { address, port } => Probe::Tcp { address: listening(family_of(address), port)?, port },
            Probe::Tls { address, port, sni, hello, .. } => {
                let address = listening(family_of(address), port)?;
                Probe::Tls { verify: self.serves(address, &sni), address, port, sni, hello }
            }
            Probe::Http { url, family, version, request, .. } => {
                let address = Some(listening(family_of(place.ok_or_else(no_place)?), port_of(&url))?);
                Probe::Http { url, address, family, version, request }
            }
            Probe::Throughput { host, kilobytes, upload, at_least, .. } => {
                let address = Some(listening(family_of(place.ok_or_else(no_place)?), 443)?);
                Probe::Throughput { host, address, kilobytes, upload, at_least, beside: None }
            }
            Probe::WhatsAppChat { port, header, .. } => {
                Probe::WhatsAppChat { address: speaking(&[Protocol::WhatsAppChat], port)?, port, header }
            }
            Probe::TelegramChat { port, transport, .. } => {
                Probe::TelegramChat { address: speaking(&[Protocol::Mtproto], port)?, port, transport }
            }
            Probe::Call { port, lasts, .. } => {
                Probe::Call { address: speaking(&[Protocol::CallRelay], port)?, port, lasts }
            }
            Probe::Stun { port, .. } => Probe::Stun { address: speaking(STUN, port)?, port },
            Probe::WireGuard { port, packets, .. } => {
                Probe::WireGuard { address: speaking(&[Protocol::WireGuard], port)?, port, packets }
            }
            Probe::Connections { address, port, sni, count, within, .. } => {
                let address = listening(family_of(address), port)?;
                Probe::Connections { verify: self.serves(address, &sni), address, port, sni, count, within }
            }
            Probe::Quic { port, sni, version, .. } => {
                let address = speaking(&[Protocol::H3], port)?;
                Probe::Quic { verify: self.serves(address, &sni), address, port, sni, version }
            }
            Probe::Speak { address, port, transport, before, payloads, pause, reply } => {
                let address = speaking(&self.spoken(address, port, transport), port)?;
                Probe::Speak { address, port, transport, before, payloads, pause, reply }
            }
            _ => return none("an app has many"),
        })
    }

    /// The same at another port of the same address.
    fn other_port(&self, probe: &Probe) -> Found<Probe> {
        let at = |address, port, speaks: &[Protocol]| self.port_beside(address, port, |each| speaks.contains(&each));
        Ok(match probe.clone() {
            Probe::Dns { name, family, resolver, port, transport, answer, patience } => {
                let port = match (transport, resolver) {
                    // Every resolver of the lab answers there.
                    (DnsTransport::Udp | DnsTransport::Tcp, _) if port == OTHER_DNS_PORT => 53,
                    (DnsTransport::Udp | DnsTransport::Tcp, _) => OTHER_DNS_PORT,
                    (DnsTransport::Tls, Some(resolver)) => at(resolver, port, &[Protocol::Dot])?,
                    (DnsTransport::Https, Some(resolver)) => at(resolver, port, &[Protocol::Doh])?,
                    (_, None) => return none("its resolver is not pinned"),
                };
                Probe::Dns { name, family, resolver, port, transport, answer, patience }
            }
            Probe::Tcp { address, port } => {
                Probe::Tcp { address, port: self.port_beside(address, port, Protocol::over_tcp)? }
            }
            Probe::Tls { address, port, sni, verify, hello } => {
                Probe::Tls { address, port: at(address, port, HTTPS)?, sni, verify, hello }
            }
            Probe::Http { url, family, version, request, .. } => {
                let address = self.place(probe).ok_or_else(no_place)?;
                let speaks = if url.starts_with("https") { HTTPS } else { &[Protocol::Http] };
                let url = with_port(&url, at(address, port_of(&url), speaks)?).ok_or_else(no_place)?;
                Probe::Http { url, address: Some(address), family, version, request }
            }
            Probe::WhatsAppChat { address, port, header } => {
                Probe::WhatsAppChat { address, port: at(address, port, &[Protocol::WhatsAppChat])?, header }
            }
            Probe::TelegramChat { address, port, transport } => {
                Probe::TelegramChat { address, port: at(address, port, &[Protocol::Mtproto])?, transport }
            }
            Probe::Call { address, port, lasts } => {
                Probe::Call { address, port: at(address, port, &[Protocol::CallRelay])?, lasts }
            }
            Probe::Stun { address, port } => Probe::Stun { address, port: at(address, port, STUN)? },
            Probe::WireGuard { address, port, packets } => {
                Probe::WireGuard { address, port: at(address, port, &[Protocol::WireGuard])?, packets }
            }
            Probe::Connections { address, port, sni, verify, count, within } => {
                let port = at(address, port, HTTPS)?;
                Probe::Connections { address, port, sni, verify, count, within }
            }
            Probe::Quic { address, port, sni, version, verify } => {
                Probe::Quic { address, port: at(address, port, &[Protocol::H3])?, sni, version, verify }
            }
            Probe::Speak { address, port, transport, before, payloads, pause, reply } => {
                let port = at(address, port, &self.spoken(address, port, transport))?;
                Probe::Speak { address, port, transport, before, payloads, pause, reply }
            }
            _ => return none("its port cannot be chosen"),
        })
    }

    /// The same address over another protocol.
    fn other_protocol(&self, probe: &Probe) -> Found<Probe> {
        let connection = |address, but| match self.port_beside(address, but, Protocol::over_tcp) {
            Ok(port) => Ok(Probe::Tcp { address, port }),
            Err(_) => Ok(Probe::Ping { address }),
        };
        match probe.clone() {
            Probe::Dns { name, family, resolver, port, transport, answer, .. } => {
                let transport = match transport {
                    DnsTransport::Udp => DnsTransport::Tcp,
                    DnsTransport::Tcp => DnsTransport::Udp,
                    DnsTransport::Tls | DnsTransport::Https => {
                        return Ok(Probe::Ping { address: resolver.ok_or_else(no_place)? });
                    }
                };
                Ok(Probe::Dns { name, family, resolver, port, transport, answer, patience: DnsPatience::default() })
            }
            Probe::Ping { address } => match self.port_beside(address, 0, Protocol::over_tcp) {
                Ok(port) => Ok(Probe::Tcp { address, port }),
                Err(lack) => Err(lack),
            },
            Probe::Call { address, .. }
            | Probe::Stun { address, .. }
            | Probe::WireGuard { address, .. }
            | Probe::Quic { address, .. }
            | Probe::H3 { address: Some(address), .. }
            | Probe::Speak { address, transport: Transport::Udp, .. } => connection(address, 0),
            other => Ok(Probe::Ping { address: self.place(&other).ok_or_else(no_place)? }),
        }
    }

    /// The address of a measurement, as far as it does not depend on what DNS says.
    fn place(&self, probe: &Probe) -> Option<IpAddr> {
        match probe {
            Probe::Ping { address }
            | Probe::Tcp { address, .. }
            | Probe::Tls { address, .. }
            | Probe::WhatsAppChat { address, .. }
            | Probe::TelegramChat { address, .. }
            | Probe::Call { address, .. }
            | Probe::Stun { address, .. }
            | Probe::WireGuard { address, .. }
            | Probe::Connections { address, .. }
            | Probe::Quic { address, .. }
            | Probe::Speak { address, .. }
            | Probe::Http { address: Some(address), .. }
            | Probe::H3 { address: Some(address), .. }
            | Probe::Throughput { address: Some(address), .. } => Some(*address),
            Probe::Http { url, address: None, family, .. } => {
                let v6 = *family == FamilyChoice::Only(Family::V6);
                self.addresses(host_of(url)?).find(|each| each.is_ipv6() == v6)
            }
            Probe::Throughput { host, address: None, .. } => self.addresses(host).find(IpAddr::is_ipv4),
            Probe::Dns { resolver, .. } => *resolver,
            _ => None,
        }
    }

    /// The neutral host, which must not be the one that is measured.
    fn neutral(&self, probe: &Probe) -> Found<Neutral<'a>> {
        let (place, measured) = (self.place(probe), name_of(probe));
        let is_measured = |host: &Host| {
            host.names.iter().any(|name| measured.is_some_and(|measured| name.eq_ignore_ascii_case(measured)))
                || place.is_some_and(|place| host.addresses.contains(&place))
        };
        let named = |name: &str| {
            let host = self.hosts.iter().copied().find(|host| host.names.iter().any(|each| each == name));
            host.map(|host| Neutral { name: name.to_owned(), host })
        };
        if let Some(written) = self.declared.neutral() {
            let Some(neutral) = named(&written.value) else {
                let message = format!("no host of the lab is named `{}`", written.value);
                let help = "name the service that has it in `use`";
                return mistake(DiagnosticKind::UnknownHost, &written.at, message, help);
            };
            if is_measured(neutral.host) {
                let message = format!("`{}` is what the expectation itself measures", written.value);
                return mistake(DiagnosticKind::BadValue, &written.at, message, "name a host that nobody blocks");
            }
            return Ok(neutral);
        }
        NEUTRAL.iter().filter_map(|name| named(name)).find(|each| !is_measured(each.host)).ok_or_else(|| {
            let message = "the lab has no neutral host for these neighbours";
            let help = "add \"services/neutral\" to `use`, or name a host of the lab with `neutral`";
            let mistake = Diagnostic::new(DiagnosticKind::UnknownHost, self.declared.at(), message).help(help);
            Lack::Mistake(Box::new(mistake))
        })
    }

    /// A resolver that nobody here uses.
    fn other_resolver(&self, pinned: Option<IpAddr>, transport: DnsTransport) -> Found<IpAddr> {
        if let Some(resolver) = self.declared.resolver() {
            return Ok(resolver);
        }
        let speaks = match transport {
            DnsTransport::Udp | DnsTransport::Tcp => Protocol::Dns,
            DnsTransport::Tls => Protocol::Dot,
            DnsTransport::Https => Protocol::Doh,
        };
        let v6 = pinned.is_some_and(|address| address.is_ipv6());
        let used = |host: &Host| host.addresses.iter().any(|each| pinned == Some(*each) || self.asked.contains(each));
        let all = self.hosts.iter().filter(|host| host.listen.iter().any(|each| each.protocol == speaks));
        let mut others = all.filter(|host| !used(host)).flat_map(|host| &host.addresses);
        others.find(|address| address.is_ipv6() == v6).copied().ok_or_else(|| {
            Lack::None("the lab has no other resolver; services/public-dns in `use` brings some".to_owned())
        })
    }

    /// Another server that speaks one of these at the port.
    fn other_server(&self, place: Option<IpAddr>, speaks: &[Protocol], port: u16) -> Found<IpAddr> {
        let place = place.ok_or_else(no_place)?;
        let others = self.hosts.iter().filter(|host| !host.addresses.contains(&place));
        let mut speaking = others
            .filter(|host| host.listen.iter().any(|each| each.port == port && speaks.contains(&each.protocol)))
            .flat_map(|host| &host.addresses);
        speaking
            .find(|address| address.is_ipv6() == place.is_ipv6())
            .copied()
            .ok_or_else(|| Lack::None(format!("no other server of the lab speaks that at port {port}")))
    }

    /// Another port of an address where one of these is spoken: the lab's usual other port, if there is one.
    fn port_beside(&self, address: IpAddr, port: u16, speaks: impl Fn(Protocol) -> bool) -> Found<u16> {
        let there = self.hosts.iter().filter(|host| host.addresses.contains(&address));
        let all = there.flat_map(|host| &host.listen);
        let others: Vec<_> = all.filter(|each| each.port != port && speaks(each.protocol)).collect();
        // A connection beside no port at all is one to the port that everybody uses.
        let made_for_it = others.iter().find(|each| port != 0 && each.protocol.other_port() == Some(each.port));
        let found = made_for_it.or(others.first()).map(|each| each.port);
        found.ok_or_else(|| Lack::None(format!("{address} answers at no other port")))
    }

    /// What the server at an address and port speaks there.
    fn spoken(&self, address: IpAddr, port: u16, transport: Transport) -> Vec<Protocol> {
        let there = self.hosts.iter().filter(|host| host.addresses.contains(&address));
        let all = there.flat_map(|host| &host.listen).filter(|each| each.port == port).map(|each| each.protocol);
        match transport {
            Transport::Tcp => all.filter(|each| each.over_tcp()).collect(),
            Transport::Udp => all.filter(|each| each.over_udp()).collect(),
        }
    }

    fn serves(&self, address: IpAddr, name: &str) -> bool {
        self.addresses(name).any(|each| each == address)
    }

    fn addresses(&self, name: &str) -> impl Iterator<Item = IpAddr> {
        addresses(self.hosts.iter().copied(), name)
    }
}

/// A host that nobody blocks.
struct Neutral<'a> {
    name: String,
    host: &'a Host,
}

impl Neutral<'_> {
    fn address(&self, family: Family) -> Found<IpAddr> {
        let of_family = |address: &&IpAddr| address.is_ipv6() == (family == Family::V6);
        let found = self.host.addresses.iter().find(of_family).copied();
        found.ok_or_else(|| Lack::None(format!("`{}` has no address of this family", self.name)))
    }

    fn listens(&self, port: u16) -> Found<()> {
        if self.host.listen.iter().any(|each| each.port == port && each.protocol.over_tcp()) {
            return Ok(());
        }
        none(&format!("`{}` does not listen on TCP port {port}", self.name))
    }
}

fn derived(parent: &Expectation, kind: NeighbourKind, step: Step) -> Expectation {
    Expectation {
        location: parent.location.clone(),
        id: format!("{}~{}", parent.id, kind.word()).into(),
        neighbour_of: Some(Neighbour { of: parent.id.clone(), kind }),
        vantages: parent.vantages.clone(),
        phases: parent.phases.clone(),
        sequence: None,
        times: None,
        steps: vec![step],
    }
}

fn none<T>(why: &str) -> Found<T> {
    Err(Lack::None(why.to_owned()))
}

fn no_place() -> Lack {
    Lack::None("its address is not known before it is measured".to_owned())
}

fn mistake<T>(kind: DiagnosticKind, at: &Location, message: String, help: &str) -> Found<T> {
    Err(Lack::Mistake(Box::new(Diagnostic::new(kind, at, message).help(help))))
}

fn name_of(probe: &Probe) -> Option<&str> {
    match probe {
        Probe::Dns { name, .. } | Probe::Tls { sni: name, .. } | Probe::Throughput { host: name, .. } => Some(name),
        Probe::Http { url, .. } => host_of(url),
        _ => None,
    }
}

fn family_of(address: IpAddr) -> Family {
    if address.is_ipv6() { Family::V6 } else { Family::V4 }
}

/// The port that a URL names or means.
fn port_of(url: &str) -> u16 {
    let usual = if url.starts_with("https") { 443 } else { 80 };
    parts(url).and_then(|(_, authority, _)| authority.split_once(':')?.1.parse().ok()).unwrap_or(usual)
}

fn with_host(url: &str, host: &str) -> Option<String> {
    let (scheme, authority, path) = parts(url)?;
    let port = authority.split_once(':').map(|(_, port)| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}{host}{port}{path}"))
}

fn with_port(url: &str, port: u16) -> Option<String> {
    let (scheme, authority, path) = parts(url)?;
    let host = authority.split(':').next()?;
    Some(format!("{scheme}{host}:{port}{path}"))
}

/// Scheme, authority and the rest.
fn parts(url: &str) -> Option<(&str, &str, &str)> {
    let start = url.find("://")? + 3;
    let (scheme, rest) = url.split_at(start);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    Some((scheme, authority, path))
}

/// Whom no scenario blocks unless it says so.
const NEUTRAL: [&str; 2] = ["www.example.com", "www.debian.org"];
/// Where every resolver of the lab answers besides port 53 (mDNS has it elsewhere, RFC 6762).
const OTHER_DNS_PORT: u16 = 5353;
const HTTPS: &[Protocol] = &[Protocol::Https, Protocol::Doh];
const STUN: &[Protocol] = &[Protocol::Stun, Protocol::CallRelay];
