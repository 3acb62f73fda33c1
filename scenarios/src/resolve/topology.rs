//! Who sits where: vantages, hops and resolvers get their addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::Context;
use super::access::{access, reachable};
use super::space::{LONGEST, Space};
use crate::bogons;
use crate::declare::{ScenarioFile, VantageDeclaration};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::{Hop, Machine, Network, Protocol, Resolver, Service, Vantage};
use crate::read::{Dictionary, Located};
use crate::source::Text;
use crate::suggest;

/// The places of a scenario.
#[derive(Debug, Default)]
pub(crate) struct Topology {
    pub(crate) hops: Vec<Hop>,
    pub(crate) vantages: Vec<Vantage>,
    pub(crate) resolvers: Vec<Resolver>,
    pub(crate) machines: Vec<Machine>,
}

/// Gives every place its addresses: vantages in the order of the file, and each hop those of the first that meets it.
pub(crate) fn build(
    file: &ScenarioFile,
    services: &[Service],
    context: &Context<'_>,
    errors: &mut Collector,
) -> Topology {
    let mut builder = Builder { file, context, errors, spaces: Vec::new(), owners: BTreeMap::new(), hops: Vec::new() };
    let mut vantages: Vec<Vantage> =
        file.vantages.entries.iter().filter_map(|(name, vantage)| builder.vantage(name, vantage)).collect();
    let resolvers: Vec<Resolver> =
        file.resolvers.entries.iter().filter_map(|(name, _)| builder.resolver(name)).collect();
    let machines =
        file.machines.entries.iter().map(|(name, machine)| builder.machine(name, machine, services)).collect();
    let mut hops = builder.hops;
    let position = |hop: &Hop| file.hops.names().position(|name| name == &*hop.name);
    hops.sort_by_key(position);
    for (name, declared) in &file.vantages.entries {
        if let Some(vantage) = vantages.iter_mut().find(|each| *each.name == *name.value) {
            let all = resolvers_of(declared, file, &resolvers, services, errors);
            vantage.resolvers = reachable(all, &vantage.access, declared, file, errors);
        }
    }
    Topology { hops, vantages, resolvers, machines }
}

pub(super) struct Builder<'a, 'b> {
    pub(super) file: &'a ScenarioFile,
    context: &'a Context<'b>,
    pub(super) errors: &'a mut Collector,
    pub(super) spaces: Vec<Space>,
    /// Which space a hop belongs to.
    pub(super) owners: BTreeMap<String, usize>,
    hops: Vec<Hop>,
}

impl Builder<'_, '_> {
    fn vantage(&mut self, name: &Text, vantage: &VantageDeclaration) -> Option<Vantage> {
        let network = self.network(&vantage.isp);
        let space = self.space(network.as_ref(), vantage)?;
        let Some((v4, v6)) = self.spaces[space].clients() else {
            let message = "the network's address space has no room for another vantage";
            let help = "give this vantage space of its own, with `address`";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, &name.at, message).help(help));
            return None;
        };
        for hop in &vantage.path {
            self.hop(hop, space);
        }
        if vantage.path.is_empty() {
            let message = format!("the vantage `{}` goes through no hop", name.value);
            let help = "name at least one hop in `path`, from the client to the internet";
            self.errors.push(Diagnostic::new(DiagnosticKind::NoPath, vantage.at(), message).help(help));
        }
        Some(Vantage {
            name: name.as_str().into(),
            network: network?,
            v4,
            v6,
            path: vantage.path.iter().map(|hop| hop.as_str().into()).collect(),
            delay: vantage.delay,
            tcp_timestamps: vantage.tcp_timestamps,
            resolvers: Vec::new(),
            access: access(vantage, self.errors),
        })
    }

    fn network(&mut self, isp: &Text) -> Option<Network> {
        let (number, operator) = isp.split_once(' ').unwrap_or((isp, ""));
        let asn = number.strip_prefix("AS").and_then(|number| number.parse().ok());
        let Some(asn) = asn.filter(|_| !operator.trim().is_empty()) else {
            let message = format!("`{}` is not an internet provider", isp.value);
            let help = "write the number of its network and its name, as \"AS12389 Rostelecom\"";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, &isp.at, message).help(help));
            return None;
        };
        Some(Network { asn, operator: operator.trim().to_owned() })
    }

    /// The space that a vantage takes its addresses from.
    fn space(&mut self, network: Option<&Network>, vantage: &VantageDeclaration) -> Option<usize> {
        let (v4, v6) = match (&vantage.address, network) {
            (Some(space), _) => {
                for (prefix, at) in [(IpNet::from(space.v4.value), &space.v4.at), (space.v6.value.into(), &space.v6.at)]
                {
                    self.public(prefix.network(), at);
                    self.public(prefix.broadcast(), at);
                }
                (space.v4.value, space.v6.value)
            }
            (None, Some(network)) => match self.context.network(network.asn) {
                Some(known) => (known.v4, known.v6),
                None => return self.unknown_network(network, &vantage.isp),
            },
            (None, None) => return None,
        };
        if let Some(index) = self.spaces.iter().position(|space| space.is(v4, v6)) {
            return Some(index);
        }
        let Some(space) = Space::new(v4, v6) else {
            let message = format!("{v4} and {v6} are too small");
            let help = format!("an IPv4 /{} and an IPv6 /{} or larger are needed", LONGEST.0, LONGEST.1);
            let at = vantage.address.as_ref().map_or(&vantage.isp.at, Located::at);
            self.errors.push(Diagnostic::new(DiagnosticKind::BadPrefix, at, message).help(help));
            return None;
        };
        self.spaces.push(space);
        Some(self.spaces.len() - 1)
    }

    fn unknown_network(&mut self, network: &Network, isp: &Text) -> Option<usize> {
        let message = format!("the library has no address space for AS{}", network.asn);
        let names = self.context.network_names();
        let help = format!(
            "give the vantage `address = {{ v4 = \"…/20\", v6 = \"…/56\" }}`, or take one of {}",
            suggest::list(names.iter().map(String::as_str))
        );
        self.errors.push(Diagnostic::new(DiagnosticKind::UnknownNetwork, &isp.at, message).help(help));
        None
    }

    /// Gives a hop its addresses when the first vantage meets it.
    fn hop(&mut self, hop: &Text, space: usize) {
        if !self.file.hops.contains(hop) || self.owners.contains_key(&hop.value) {
            return;
        }
        self.owners.insert(hop.value.clone(), space);
        if let Some((v4, v6)) = self.spaces[space].hop() {
            self.hops.push(Hop { name: hop.as_str().into(), v4, v6 });
        }
    }

    fn resolver(&mut self, name: &Text) -> Option<Resolver> {
        let declared = self.file.resolvers.get(name)?;
        let addresses: Vec<IpAddr> = if let Some(addresses) = &declared.address {
            for address in &addresses.0 {
                self.public(address.value, &address.at);
            }
            addresses.0.iter().map(|address| address.value).collect()
        } else {
            let space = *self.owners.get(declared.at_hop.as_str())?;
            let (v4, v6) = self.spaces[space].resolver()?;
            vec![v4.into(), v6.into()]
        };
        Some(Resolver { name: name.as_str().into(), at: declared.at_hop.as_str().into(), addresses })
    }

    pub(super) fn public(&mut self, address: IpAddr, at: &crate::source::Location) {
        if let Some(message) = bogons::complaint(address) {
            let help = "OONI takes such an address for a bogon; use public ones of the network";
            self.errors.push(Diagnostic::new(DiagnosticKind::NotPublic, at, message).help(help));
        }
    }
}

/// The addresses that a vantage's resolv.conf names.
fn resolvers_of(
    vantage: &VantageDeclaration,
    file: &ScenarioFile,
    resolvers: &[Resolver],
    services: &[Service],
    errors: &mut Collector,
) -> Vec<IpAddr> {
    if vantage.resolvers.is_empty() {
        let message = "`resolvers` names nothing, so no name could be resolved";
        errors.push(Diagnostic::new(DiagnosticKind::BadValue, vantage.at(), message));
    }
    vantage.resolvers.iter().flat_map(|each| resolver(each, file, resolvers, services, errors)).collect()
}

/// The addresses of a resolver that is named or given by its address.
pub(crate) fn resolver(
    written: &Text,
    file: &ScenarioFile,
    resolvers: &[Resolver],
    services: &[Service],
    errors: &mut Collector,
) -> Vec<IpAddr> {
    if let Ok(address) = written.parse::<IpAddr>() {
        if !answers_dns(address, resolvers, services) {
            let message = format!("nothing in the lab answers DNS at {address}");
            let help = "`services/public-dns` in `use` brings 8.8.8.8, 1.1.1.1 and 77.88.8.8; \
                        a resolver of your own can have `address`";
            errors.push(Diagnostic::new(DiagnosticKind::UnknownResolver, &written.at, message).help(help));
        }
        return vec![address];
    }
    known(written, "resolver", &file.resolvers, DiagnosticKind::UnknownResolver, errors);
    let found = resolvers.iter().find(|each| *each.name == *written.value);
    found.map(|each| each.addresses.clone()).unwrap_or_default()
}

fn answers_dns(address: IpAddr, resolvers: &[Resolver], services: &[Service]) -> bool {
    let mut hosts = services.iter().flat_map(|service| &service.hosts);
    let is_dns = |host: &crate::model::Host| host.listen.iter().any(|each| each.protocol == Protocol::Dns);
    resolvers.iter().any(|each| each.addresses.contains(&address))
        || hosts.any(|host| host.addresses.contains(&address) && is_dns(host))
}

/// Notes that a name is not among those that the file gives.
pub(crate) fn known<T>(
    name: &Text,
    what: &str,
    all: &Dictionary<T>,
    kind: DiagnosticKind,
    errors: &mut Collector,
) -> bool {
    let found = all.contains(name);
    if !found {
        let message = format!("no {what} is named `{}`", name.value);
        let help = suggest::help(&format!("the {what}s are"), name, all.names());
        errors.push(Diagnostic::new(kind, &name.at, message).help(help));
    }
    found
}

/// Whether two vantages' clients could have the same address.
pub(crate) fn overlap(one: (Ipv4Net, Ipv6Net), other: (Ipv4Net, Ipv6Net)) -> bool {
    let meet4 = one.0.contains(&other.0) || other.0.contains(&one.0);
    let meet6 = one.1.contains(&other.1) || other.1.contains(&one.1);
    meet4 || meet6
}
