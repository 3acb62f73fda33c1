//! What a measurement knows of the lab before it begins.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use roadblock_emulator::translate::embed;
use roadblock_scenarios::model::{Family, FamilyChoice, Host, HttpRequest, HttpVersion, Vantage, WireGuardKeys};
use roadblock_scenarios::{Library, Scenario};

use super::dns::Truth;
use super::measure::MeasureError;
use super::named::Named;
use super::transfer::{Transfer, Way};
use super::url::WebUrl;
use super::web::Visit;

/// The lab as it is, seen from a vantage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    scenario: &'a Scenario,
    resolver: IpAddr,
    /// Whether the vantage's resolvers say where IPv4 is in IPv6.
    dns64: bool,
}

impl<'a> Known<'a> {
    /// What is known at a vantage.
    pub(crate) fn at(scenario: &'a Scenario, vantage: &Vantage) -> Result<Self, MeasureError> {
        let resolver = vantage.resolvers.first().copied();
        let resolver = resolver.ok_or_else(|| MeasureError::NoResolver(vantage.name.to_string()))?;
        Ok(Self { scenario, resolver, dns64: vantage.access.nat64 })
    }

    /// Whom a client of the vantage asks.
    pub(crate) fn resolver(self) -> IpAddr {
        self.resolver
    }

    /// A name, to be looked up.
    pub(crate) fn named(self, name: &str) -> Named {
        Named { name: name.to_owned(), resolver: self.resolver, truth: self.truth(name) }
    }

    /// What an honest resolver of the vantage may say about a name.
    pub(crate) fn truth(self, name: &str) -> Truth {
        let mut addresses = self.scenario.addresses_of(name);
        if self.dns64 {
            let v4: Vec<Ipv4Addr> =
                addresses.iter().filter_map(|each| if let IpAddr::V4(v4) = each { Some(*v4) } else { None }).collect();
            addresses.extend(v4.into_iter().map(|v4| IpAddr::V6(embed(v4))));
        }
        Truth::OnlyOf(addresses)
    }

    /// Opening a page as a person does.
    pub(crate) fn visit(self, url: WebUrl, family: FamilyChoice, version: HttpVersion) -> Visit {
        let (place, title) = (self.named(&url.host), self.title(&url.host).filter(|_| url.is_page()));
        Visit { url, place, family, version, title, request: HttpRequest::default() }
    }

    /// Moving kilobytes as fast as a person wants it.
    pub(crate) fn transfer(self, host: &str, family: Family, kilobytes: u32, way: Way) -> Transfer {
        let bytes = u64::from(kilobytes) * 1024;
        Transfer {
            place: self.named(host),
            pinned: None,
            verify: true,
            family,
            port: 443,
            bytes,
            way,
            at_least: AT_LEAST,
        }
    }

    /// The same from an address that may be pinned, whose host need not have the name.
    pub(crate) fn transfer_at(self, pinned: Option<IpAddr>, host: &str, kilobytes: u32, way: Way) -> Transfer {
        let verify = pinned.is_none_or(|address| self.serves(address, host));
        Transfer { pinned, verify, ..self.transfer(host, Family::V4, kilobytes, way) }
    }

    /// A transfer, and the same at its address with the name beside it.
    pub(crate) fn transfers(
        self,
        pinned: Option<IpAddr>,
        (host, beside): (&str, Option<&str>),
        kilobytes: u32,
        way: Way,
    ) -> (Transfer, Option<Transfer>) {
        let place = pinned.or_else(|| self.address_of(host, Family::V4));
        let beside = beside.map(|name| self.transfer_at(place, name, kilobytes, way));
        (self.transfer_at(pinned, host, kilobytes, way), beside)
    }

    /// The first address that the lab's own host of this name has.
    pub(crate) fn address_of(self, name: &str, family: Family) -> Option<IpAddr> {
        let all = self.scenario.addresses_of(name);
        all.into_iter().find(|address| address.is_ipv6() == (family == Family::V6))
    }

    /// The title of the page that a host of this name serves.
    pub(crate) fn title(self, name: &str) -> Option<String> {
        let mut own = self.hosts().filter(|host| host.names.iter().any(|each| each.eq_ignore_ascii_case(name)));
        own.next().map(|host| host.page.title.clone())
    }

    /// The title of the page that is served under a name at an address: of the host that has the name, else of the one that
    /// is there. Where nobody of the lab's is, it is that of the name.
    pub(crate) fn title_at(self, address: IpAddr, name: &str) -> Option<String> {
        if self.serves(address, name) {
            return self.title(name);
        }
        self.host_at(address).map(|host| host.page.title.clone()).or_else(|| self.title(name))
    }

    /// The title of the page that the host of one name serves to who asks it for another.
    pub(crate) fn title_for(self, host: &str, asked: &str) -> Option<String> {
        let address = self.scenario.addresses_of(host).first().copied();
        address.map_or_else(|| self.title(asked), |address| self.title_at(address, asked))
    }

    /// Whether a host of this name is at this address, so that its certificate must be right: any other answers with its
    /// default certificate.
    pub(crate) fn serves(self, address: IpAddr, name: &str) -> bool {
        self.scenario.addresses_of(name).contains(&address)
    }

    /// The first name of the host at an address.
    pub(crate) fn name_at(self, address: IpAddr) -> Option<String> {
        self.host_at(address).and_then(|host| host.names.first().cloned())
    }

    /// The keys of the tunnel at an address.
    pub(crate) fn tunnel_keys(self, address: IpAddr) -> Option<WireGuardKeys> {
        self.host_at(address).and_then(|host| host.wireguard.clone())
    }

    fn host_at(self, address: IpAddr) -> Option<&'a Host> {
        self.hosts().find(|host| host.addresses.contains(&address))
    }

    fn hosts(self) -> impl Iterator<Item = &'a Host> {
        self.scenario.services.iter().flat_map(|service| &service.hosts)
    }
}

/// What belongs to AS32934, as the library's list has it.
pub(crate) fn meta_prefixes() -> Result<Vec<IpNet>, MeasureError> {
    let library = Library::embedded();
    let list = library.list(META).ok_or_else(|| MeasureError::Prefixes(META.to_owned()))?;
    let lines = list.text().lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let prefixes = lines.filter(|line| !line.is_empty());
    prefixes.map(|line| line.parse().map_err(|_| MeasureError::Prefixes(line.to_owned()))).collect()
}

/// What a person calls slow, in kilobits a second: 256 KB take longer than two seconds.
const AT_LEAST: u32 = 1000;
const META: &str = "lists/meta-prefixes";
