//! Which namespaces a lab has, how they are linked, and which way packets go.
//!
//! Every link is unnumbered: the next hop is always [`NEXT_HOP_V4`] or [`NEXT_HOP_V6`], whose neighbour entry is fixed to
//! the other end's hardware address. So nothing is ever resolved on a link, no address is spent on it, and a hop is seen
//! in a traceroute by the one address that the scenario gives it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use roadblock_scenarios::model::{Family, Machine, Name, Scenario, Vantage};
use serde::Serialize;

use super::nat::{self, NatPlan};

/// The next hop of every IPv4 route; never seen in a packet.
pub const NEXT_HOP_V4: Ipv4Addr = Ipv4Addr::new(169, 254, 0, 1);
/// The next hop of every IPv6 route; never seen in a packet.
pub const NEXT_HOP_V6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
/// The name of the namespace where the services live.
pub const INTERNET: &str = "internet";
/// The interface towards the internet, in every namespace that has one.
pub const UP: &str = "eth0";
/// The loopback interface.
pub const LOOPBACK: &str = "lo";

/// All namespaces and links of a lab.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Topology {
    /// The namespaces: clients, hops, the internet.
    pub namespaces: Vec<NamespacePlan>,
    /// The links between them.
    pub links: Vec<LinkPlan>,
}

/// One namespace.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct NamespacePlan {
    /// Its name within the lab.
    pub name: Name,
    /// What it is for.
    pub role: Role,
    /// Addresses to assign.
    pub addresses: Vec<AddressPlan>,
    /// Where packets go.
    pub routes: Vec<RoutePlan>,
    /// TUN devices, by their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Name>,
}

/// What a namespace is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A vantage's client.
    Client,
    /// A router.
    Hop,
    /// A machine of its own, abroad or at a hop.
    Machine,
    /// A translator of addresses between a client and its first hop.
    Nat,
    /// Where the services live.
    Internet,
}

/// One address.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AddressPlan {
    /// The address.
    pub address: IpAddr,
    /// The interface that holds it.
    pub interface: Name,
}

/// One route.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct RoutePlan {
    /// Where to.
    pub prefix: IpNet,
    /// How.
    pub kind: RouteKind,
}

/// How packets for a prefix go.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteKind {
    /// They have arrived: this namespace answers for the whole prefix.
    Local,
    /// Over this interface, to whoever is at the other end.
    Over {
        /// The interface.
        interface: Name,
        /// The source address of packets that begin here; `None` where each socket has its own.
        source: Option<IpAddr>,
    },
    /// To a device of this namespace's own, where a program takes them.
    Device {
        /// The device.
        interface: Name,
    },
}

/// One veth pair.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LinkPlan {
    /// The end nearer to a client.
    pub inner: LinkEnd,
    /// The end nearer to the internet.
    pub outer: LinkEnd,
}

/// One end of a link.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LinkEnd {
    /// The namespace it is in.
    pub namespace: Name,
    /// Its name there.
    pub interface: Name,
    /// Its hardware address.
    pub hardware: [u8; 6],
}

/// The name of the namespace of a vantage's client.
pub fn client_namespace(vantage: &str) -> Name {
    format!("client.{vantage}").into()
}

/// The name of the namespace of a hop.
pub fn hop_namespace(hop: &str) -> Name {
    format!("hop.{hop}").into()
}

/// The name of the namespace of a machine.
pub fn machine_namespace(machine: &str) -> Name {
    format!("machine.{machine}").into()
}

/// The address of a vantage that its commands use.
pub fn main_client(vantage: &Vantage) -> (Ipv4Addr, Ipv6Addr) {
    nth_client(vantage, 0).unwrap_or((vantage.v4.addr(), vantage.v6.addr()))
}

/// The n-th client address of a vantage, where its prefix has so many.
///
/// Both are given where the vantage has one family alone too; of the other there is no route.
pub fn nth_client(vantage: &Vantage, n: u32) -> Option<(Ipv4Addr, Ipv6Addr)> {
    let offset = client_number(n)?;
    let v6 = Ipv6Addr::from(u128::from(vantage.v6.network()).checked_add(u128::from(offset))?);
    if !vantage.v6.contains(&v6) {
        return None;
    }
    if !vantage.access.nat.is_empty() || vantage.access.nat64 {
        return Some((nat::nth_client_v4(vantage, n)?, v6));
    }
    let v4 = Ipv4Addr::from(u32::from(vantage.v4.network()).checked_add(offset)?);
    (vantage.v4.contains(&v4) && v4 != vantage.v4.broadcast()).then_some((v4, v6))
}

/// The place of the n-th client in its prefix.
pub(super) fn client_number(n: u32) -> Option<u32> {
    FIRST_CLIENT.checked_add(n)
}

/// Clients are numbered from here, so that the first addresses of a prefix stay free for routers.
const FIRST_CLIENT: u32 = 10;

impl Topology {
    /// The topology of a scenario.
    pub fn of(scenario: &Scenario) -> Self {
        let mut builder = Builder::new(scenario);
        for vantage in &scenario.vantages {
            builder.link_path(vantage);
        }
        for machine in &scenario.machines {
            builder.link_machine(machine);
        }
        builder.finish()
    }

    /// The namespace of this name.
    pub fn namespace(&self, name: &str) -> Option<&NamespacePlan> {
        self.namespaces.iter().find(|each| &*each.name == name)
    }

    /// The end of a link by its namespace and interface, and the other end.
    pub fn link_at(&self, namespace: &str, interface: &str) -> Option<(&LinkEnd, &LinkEnd)> {
        self.links.iter().find_map(|link| {
            let is_here = |end: &LinkEnd| &*end.namespace == namespace && &*end.interface == interface;
            match () {
                () if is_here(&link.inner) => Some((&link.inner, &link.outer)),
                () if is_here(&link.outer) => Some((&link.outer, &link.inner)),
                () => None,
            }
        })
    }

    /// All interfaces of a namespace but its loopback, with the other ends.
    pub fn links_of<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = (&'a LinkEnd, &'a LinkEnd)> + 'a {
        self.links.iter().flat_map(move |link| {
            let inner = (&*link.inner.namespace == namespace).then_some((&link.inner, &link.outer));
            let outer = (&*link.outer.namespace == namespace).then_some((&link.outer, &link.inner));
            inner.into_iter().chain(outer)
        })
    }
}

/// Gathers links first, then turns what lies below each of them into routes.
struct Builder<'a> {
    scenario: &'a Scenario,
    links: Vec<LinkPlan>,
    /// For each namespace, how many links come up to it.
    downs: BTreeMap<Name, usize>,
    /// For each namespace and interface, the prefixes that lie below.
    below: BTreeMap<(Name, Name), Vec<IpNet>>,
    /// The translators, each with its interface towards the client.
    translators: Vec<(NatPlan, Name)>,
}

impl<'a> Builder<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        Self { scenario, links: Vec::new(), downs: BTreeMap::new(), below: BTreeMap::new(), translators: Vec::new() }
    }

    fn link_path(&mut self, vantage: &Vantage) {
        let mut inner = client_namespace(&vantage.name);
        for translator in NatPlan::of(vantage) {
            let outer = Name::clone(&translator.namespace);
            let down = self.link(&inner, &outer);
            self.translators.push((translator, down));
            inner = outer;
        }
        let mut carried = seen_from_first_hop(vantage);
        let outers = vantage.path.iter().map(|hop| (hop_namespace(hop), Some(hop)));
        for (outer, hop) in outers.chain([(Name::from(INTERNET), None)]) {
            let interface = self.link(&inner, &outer);
            let below = self.below.entry((Arc::clone(&outer), interface)).or_default();
            for prefix in &carried {
                if !below.contains(prefix) {
                    below.push(*prefix);
                }
            }
            if let Some(hop) = hop {
                carried.extend(self.addresses_at(hop).into_iter().map(host_prefix));
                carried.extend(self.machines_at(hop).flat_map(machine_prefixes));
            }
            inner = outer;
        }
    }

    /// A machine hangs below its hop, or with no hop between below the internet, as a client does.
    fn link_machine(&mut self, machine: &Machine) {
        let outer = machine.at.as_deref().map_or_else(|| Name::from(INTERNET), hop_namespace);
        let interface = self.link(&machine_namespace(&machine.name), &outer);
        self.below.insert((outer, interface), machine_prefixes(machine));
    }

    /// The outer interface of the link between the two, made where there is none yet.
    fn link(&mut self, inner: &Name, outer: &Name) -> Name {
        let known = self.links.iter().find(|link| link.inner.namespace == *inner && link.outer.namespace == *outer);
        if let Some(link) = known {
            return Arc::clone(&link.outer.interface);
        }
        let downs = self.downs.entry(Arc::clone(outer)).or_default();
        let interface: Name = format!("down{downs}").into();
        *downs += 1;
        let number = u16::try_from(self.links.len()).unwrap_or(u16::MAX);
        self.links.push(LinkPlan {
            inner: LinkEnd { namespace: Arc::clone(inner), interface: UP.into(), hardware: hardware(number, 1) },
            outer: LinkEnd {
                namespace: Arc::clone(outer),
                interface: Arc::clone(&interface),
                hardware: hardware(number, 2),
            },
        });
        interface
    }

    /// A hop's own address and those of the resolvers that live there.
    fn addresses_at(&self, hop: &str) -> Vec<IpAddr> {
        let own = self.scenario.hops.iter().filter(|each| &*each.name == hop);
        let own = own.flat_map(|each| [IpAddr::V4(each.v4), IpAddr::V6(each.v6)]);
        let resolvers = self.scenario.resolvers.iter().filter(|each| &*each.at == hop);
        own.chain(resolvers.flat_map(|each| each.addresses.iter().copied())).collect()
    }

    fn machines_at<'b>(&self, hop: &'b str) -> impl Iterator<Item = &'a Machine> + use<'a, 'b> {
        self.scenario.machines.iter().filter(move |machine| machine.at.as_deref() == Some(hop))
    }

    fn finish(self) -> Topology {
        let mut namespaces: Vec<NamespacePlan> = self.scenario.vantages.iter().map(client).collect();
        for (translator, down) in &self.translators {
            let vantage = self.scenario.vantage(&translator.vantage);
            namespaces.extend(vantage.map(|vantage| translator.namespace_plan(vantage, down)));
        }
        for hop in &self.scenario.hops {
            let name = hop_namespace(&hop.name);
            let addresses = self.addresses_at(&hop.name).into_iter();
            let addresses = addresses.map(|address| AddressPlan { address, interface: LOOPBACK.into() }).collect();
            let mut routes = up(hop.v4, hop.v6);
            routes.extend(self.down(&name, Some((hop.v4, hop.v6))));
            namespaces.push(NamespacePlan { name, role: Role::Hop, addresses, routes, devices: Vec::new() });
        }
        namespaces.extend(self.scenario.machines.iter().map(machine));
        let internet = Name::from(INTERNET);
        // The ways down come first: once everything is local, the kernel takes the next hop for an address of its own.
        let mut routes = self.down(&internet, None);
        routes.extend(everything());
        namespaces.push(NamespacePlan {
            name: internet,
            role: Role::Internet,
            addresses: Vec::new(),
            routes,
            devices: Vec::new(),
        });
        Topology { namespaces, links: self.links }
    }

    /// The routes to what lies below a namespace.
    fn down(&self, namespace: &Name, own: Option<(Ipv4Addr, Ipv6Addr)>) -> Vec<RoutePlan> {
        let mine = self.below.iter().filter(|((name, _), _)| name == namespace);
        mine.flat_map(|((_, interface), prefixes)| {
            prefixes.iter().map(|prefix| {
                let source = own.map(|(v4, v6)| match prefix {
                    IpNet::V4(_) => IpAddr::V4(v4),
                    IpNet::V6(_) => IpAddr::V6(v6),
                });
                RoutePlan { prefix: *prefix, kind: RouteKind::Over { interface: Arc::clone(interface), source } }
            })
        })
        .collect()
    }
}

fn client(vantage: &Vantage) -> NamespacePlan {
    let (v4, v6) = main_client(vantage);
    let own = [IpNet::V4(nat::client_prefix(vantage)), IpNet::V6(vantage.v6)];
    let has = |address: &IpAddr| vantage.access.has(if address.is_ipv4() { Family::V4 } else { Family::V6 });
    let of_family = |prefix: &IpNet| has(&prefix.addr());
    let mut routes: Vec<RoutePlan> = own.into_iter().filter(of_family).map(local).collect();
    let source = |prefix: &IpNet| if prefix.addr().is_ipv4() { IpAddr::V4(v4) } else { IpAddr::V6(v6) };
    // Routers lie within the prefix of the clients, and are not in the client's namespace.
    routes.extend(nat::routers(vantage).into_iter().map(|prefix| RoutePlan {
        prefix,
        kind: RouteKind::Over { interface: UP.into(), source: Some(source(&prefix)) },
    }));
    // A VPN's client that takes the default route over leads its server's address around the tunnel by the gateway that it
    // found, and the kernel refuses a gateway that no route leads to. (In IPv6 a link-local one needs none.)
    let gateway =
        RoutePlan { prefix: host_prefix(NEXT_HOP_V4.into()), kind: RouteKind::Device { interface: UP.into() } };
    routes.extend(Some(gateway).filter(|route| of_family(&route.prefix)));
    routes.extend(up(v4, v6).into_iter().filter(|route| of_family(&route.prefix)));
    let addresses = [IpAddr::V4(v4), IpAddr::V6(v6)].into_iter().filter(has);
    NamespacePlan {
        name: client_namespace(&vantage.name),
        role: Role::Client,
        addresses: addresses.map(|address| AddressPlan { address, interface: UP.into() }).collect(),
        routes,
        devices: Vec::new(),
    }
}

/// What the first hop has below it: the clients' addresses, as they come out of their translators.
fn seen_from_first_hop(vantage: &Vantage) -> Vec<IpNet> {
    let translated = !vantage.access.nat.is_empty() || vantage.access.nat64;
    let v4 = if translated { host_prefix(nat::public(vantage).into()) } else { IpNet::V4(vantage.v4) };
    let v4 = (vantage.access.has(Family::V4) || vantage.access.nat64).then_some(v4);
    let v6 = vantage.access.has(Family::V6).then_some(IpNet::V6(vantage.v6));
    v4.into_iter().chain(v6).collect()
}

/// An address of a router's own, which belongs to none of its links.
pub(super) fn address_on_loopback(address: IpAddr) -> AddressPlan {
    AddressPlan { address, interface: LOOPBACK.into() }
}

fn machine(machine: &Machine) -> NamespacePlan {
    let own: Vec<IpAddr> = machine.v4.map(IpAddr::V4).into_iter().chain(machine.v6.map(IpAddr::V6)).collect();
    let default = |address: &IpAddr| RoutePlan {
        prefix: if address.is_ipv4() { Ipv4Net::default().into() } else { Ipv6Net::default().into() },
        kind: RouteKind::Over { interface: UP.into(), source: Some(*address) },
    };
    NamespacePlan {
        name: machine_namespace(&machine.name),
        role: Role::Machine,
        routes: own.iter().map(default).collect(),
        addresses: own.into_iter().map(|address| AddressPlan { address, interface: UP.into() }).collect(),
        devices: Vec::new(),
    }
}

/// A machine's own addresses and what lies behind it.
fn machine_prefixes(machine: &Machine) -> Vec<IpNet> {
    let own = machine.v4.map(|v4| host_prefix(v4.into())).into_iter();
    let own = own.chain(machine.v6.map(|v6| host_prefix(v6.into())));
    own.chain(machine.behind.iter().copied()).collect()
}

fn up(v4: Ipv4Addr, v6: Ipv6Addr) -> Vec<RoutePlan> {
    let over = |source: IpAddr| RouteKind::Over { interface: UP.into(), source: Some(source) };
    vec![
        RoutePlan { prefix: IpNet::V4(Ipv4Net::default()), kind: over(v4.into()) },
        RoutePlan { prefix: IpNet::V6(Ipv6Net::default()), kind: over(v6.into()) },
    ]
}

/// The whole of IPv4 and of IPv6's global unicast space.
///
/// These routes stand in the main table, so that longer ones to the clients win; in the table of local addresses, which is
/// looked at first, they would swallow the clients.
fn everything() -> Vec<RoutePlan> {
    let halves = [
        IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 1)),
        IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(128, 0, 0, 0), 1)),
        IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)),
    ];
    halves.map(local).to_vec()
}

fn local(prefix: IpNet) -> RoutePlan {
    RoutePlan { prefix, kind: RouteKind::Local }
}

fn host_prefix(address: IpAddr) -> IpNet {
    IpNet::from(address)
}

/// A locally administered address: the link's number, and which end.
fn hardware(link: u16, end: u8) -> [u8; 6] {
    let [high, low] = link.to_be_bytes();
    [0x02, 0, 0, high, low, end]
}
