//! Which addresses a name really has, as far as a measurement and its control tell.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use roadblock_scenarios::Library;
use roadblock_scenarios::model::Service;

use super::error::ImportError;
use super::hosts::has_a_place;
use super::observations::{Asked, Observations, Test};
use super::words::HostName;

/// The names of a measurement and their addresses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    names: BTreeMap<HostName, BTreeSet<IpAddr>>,
    /// The library's services that the names were found in.
    pub(crate) uses: Vec<Service>,
    /// Names that the library knows, and with them their measured addresses, in place of which its own are used.
    moved: BTreeMap<IpAddr, BTreeSet<IpAddr>>,
}

impl Truth {
    /// What the measurement tells, and the library where it does not.
    pub(crate) fn new(observations: &Observations, library: &Library) -> Result<Self, ImportError> {
        let services = library.all_services();
        let mut truth = Self::default();
        let names = all_names(observations);
        truth.uses = services.iter().filter(|service| &*service.id == PUBLIC_DNS).cloned().collect();
        if observations.test != Test::Web {
            add_chosen(&mut truth.uses, &names, observations, &services);
        }
        for name in names {
            let measured = measured(&name, observations)?;
            let own = addresses_in(&truth.uses, &name);
            if own.is_empty() {
                // What the control does not find is nowhere.
                let is_gone = observations.name().as_ref() == Some(&name) && observations.control.is_some();
                let known = if measured.is_empty() && !is_gone { addresses_in(&services, &name) } else { measured };
                truth.names.insert(name, known);
                continue;
            }
            for address in measured.difference(&own) {
                let same_family = own.iter().copied().filter(|each| each.is_ipv4() == address.is_ipv4());
                truth.moved.entry(*address).or_default().extend(same_family);
            }
            truth.names.insert(name, own);
        }
        Ok(truth)
    }

    /// Each name with its addresses.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&HostName, &BTreeSet<IpAddr>)> {
        self.names.iter()
    }

    /// The addresses of a name; none where it does not exist.
    pub(crate) fn of(&self, name: &HostName) -> &BTreeSet<IpAddr> {
        self.names.get(name).unwrap_or(&NONE)
    }

    /// Whether some name has this address.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        self.names.values().any(|addresses| addresses.contains(&address))
    }

    /// Whether this is a right address of the name, as measured.
    pub(crate) fn is_right(&self, name: &HostName, address: IpAddr) -> bool {
        self.of(name).contains(&address) || self.moved.get(&address).is_some_and(|own| !own.is_disjoint(self.of(name)))
    }

    /// Where a measured address is in the lab.
    pub(crate) fn place(&self, address: IpAddr) -> BTreeSet<IpAddr> {
        match self.moved.get(&address) {
            Some(own) if !self.has(address) => own.clone(),
            _ => BTreeSet::from([address]),
        }
    }
}

/// Every name that was looked up, greeted or asked.
fn all_names(observations: &Observations) -> BTreeSet<HostName> {
    let lookups = observations.lookups.iter().map(|lookup| lookup.name.clone());
    let greeted = observations.handshakes.iter().filter_map(|handshake| handshake.sni.clone());
    let asked = observations.exchanges.iter().filter_map(|exchange| HostName::new(&exchange.url.host));
    observations.name().into_iter().chain(lookups).chain(greeted).chain(asked).take(MOST_NAMES).collect()
}

/// Adds the services that have the most of these names, each name in one of them.
fn add_chosen(
    chosen: &mut Vec<Service>,
    names: &BTreeSet<HostName>,
    observations: &Observations,
    services: &[Service],
) {
    let mut missing: Vec<&str> = names.iter().map(HostName::as_str).collect();
    let endpoints: Vec<IpAddr> = observations.connects.iter().map(|connect| connect.remote.ip()).collect();
    let has = |service: &Service, missing: &[&str]| {
        let names = service.hosts.iter().flat_map(|host| &host.names);
        let addresses = service.hosts.iter().flat_map(|host| &host.addresses);
        names.filter(|name| missing.contains(&name.as_str())).count() * endpoints.len().max(1)
            + addresses.filter(|address| endpoints.contains(address)).count()
    };
    while let Some(best) = services.iter().max_by_key(|service| has(service, &missing)) {
        let is_new = chosen.iter().all(|each| each.id != best.id && !clash(each, best));
        if has(best, &missing) == 0 || !is_new {
            break;
        }
        missing.retain(|name| !best.hosts.iter().any(|host| host.names.iter().any(|each| each == name)));
        chosen.push(best.clone());
        if missing.is_empty() {
            break;
        }
    }
}

fn clash(one: &Service, other: &Service) -> bool {
    let addresses = |service: &Service| -> BTreeSet<IpAddr> {
        service.hosts.iter().flat_map(|host| host.addresses.iter().copied()).collect()
    };
    !addresses(one).is_disjoint(&addresses(other))
}

fn addresses_in(services: &[Service], name: &HostName) -> BTreeSet<IpAddr> {
    let hosts = services.iter().flat_map(|service| &service.hosts);
    let named = hosts.filter(|host| host.names.iter().any(|each| each == name.as_str()));
    named.flat_map(|host| host.addresses.iter().copied()).collect()
}

/// What the control says, and without it what the client's own resolver does, believed where nothing speaks against it.
fn measured(name: &HostName, observations: &Observations) -> Result<BTreeSet<IpAddr>, ImportError> {
    let answered = |asked: &dyn Fn(Asked) -> bool| -> BTreeSet<IpAddr> {
        let lookups = observations.lookups.iter().filter(|lookup| lookup.name == *name && asked(lookup.asked));
        lookups
            .filter_map(|lookup| lookup.result.as_ref().ok())
            .flatten()
            .copied()
            .filter(|each| has_a_place(*each))
            .collect()
    };
    let system = || answered(&|asked| asked == Asked::System);
    let control = observations.control.as_ref().filter(|_| observations.name().as_ref() == Some(name));
    let Some(control) = control else {
        let own = system();
        return Ok(if own.is_empty() { answered(&|asked| asked != Asked::System) } else { own });
    };
    let mut right: BTreeSet<IpAddr> = control.addresses.iter().copied().filter(|each| has_a_place(*each)).collect();
    if let (true, Some(address)) = (right.is_empty(), control.addresses.first()) {
        return Err(ImportError::NotPublic { name: name.to_string(), address: *address });
    }
    let web = observations.web.as_ref();
    if web.is_some_and(|web| web.control_failure.is_some()) && right.is_empty() && !control.no_name {
        return Ok(system());
    }
    right.extend(greeted(name, observations));
    let networks: BTreeSet<u32> = right.iter().filter_map(|address| control.networks.get(address)).copied().collect();
    let consistent = web.and_then(|web| web.dns_consistency.as_deref()) == Some("consistent");
    let same_network = |address: &IpAddr| control.networks.get(address).is_some_and(|asn| networks.contains(asn));
    if !control.no_name || !right.is_empty() {
        right.extend(answered(&|_| true).into_iter().filter(|address| consistent || same_network(address)));
    }
    Ok(right)
}

/// Who has a certificate for the name has it rightly.
fn greeted<'a>(name: &'a HostName, observations: &'a Observations) -> impl Iterator<Item = IpAddr> + 'a {
    let sound = observations.handshakes.iter().filter(|handshake| handshake.failed.is_none());
    let named = sound.filter(move |handshake| handshake.sni.as_ref() == Some(name));
    named.filter_map(|handshake| handshake.remote.map(|remote| remote.ip())).filter(|address| has_a_place(*address))
}

/// Every scenario has them, because `control` asks one of them.
pub(crate) const PUBLIC_DNS: &str = "services/public-dns";
static NONE: BTreeSet<IpAddr> = BTreeSet::new();
const MOST_NAMES: usize = 64;
