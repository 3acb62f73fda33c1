//! Translators of IPv4 between a vantage's client and the first hop of its path, each in a namespace of its own: connection
//! tracking must never be where a censor is.
//!
//! The chain is `client`, the router at home, the provider's translator, the first hop. Each translates what comes from
//! inside to one address, and knows its inside by a prefix:
//!
//! | who | inside | its own address there | comes out as |
//! |---|---|---|---|
//! | home | 192.168.0.0/16, the main client 192.168.1.10 | 192.168.1.1 | 100.64.0.10, or the public address |
//! | carrier | 100.64.0.0/10 | 100.64.0.1 | the public address |
//!
//! A home's own network is 192.168.1.0/24; the measurements after the 245th are those of homes whose routers were set up
//! differently, which saves a translator for each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use roadblock_scenarios::model::{Family, Name, NatKind, Vantage};
use serde::Serialize;

use super::topology::{NamespacePlan, Role, RouteKind, RoutePlan, UP, address_on_loopback, client_number};

/// The translators of the vantages, by the names of their namespaces.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct NatPlan {
    /// The namespace.
    pub namespace: Name,
    /// The vantage whose clients are behind it.
    pub vantage: Name,
    /// What it is.
    pub kind: NatKind,
    /// What is inside.
    pub inside: Ipv4Net,
    /// What all of it comes out as.
    pub outside: Ipv4Addr,
}

impl NatPlan {
    /// A vantage's translators, the nearest to the client first.
    pub fn of(vantage: &Vantage) -> Vec<Self> {
        let kinds = &vantage.access.nat;
        let plan = |(index, kind): (usize, &NatKind)| Self {
            namespace: nat_namespace(*kind, &vantage.name),
            vantage: Name::clone(&vantage.name),
            kind: *kind,
            inside: inside(*kind),
            outside: kinds.get(index + 1).map_or_else(|| public(vantage), |next| customer(*next)),
        };
        kinds.iter().enumerate().map(plan).collect()
    }

    /// The namespace's plan, but for its ways down.
    pub(super) fn namespace_plan(&self, vantage: &Vantage, down: &Name) -> NamespacePlan {
        let own = router(self.kind);
        let own_v6 = router_v6(vantage, self.kind);
        let over = |interface: &str, source| RouteKind::Over { interface: interface.into(), source: Some(source) };
        let mut addresses = vec![address_on_loopback(own.into()), address_on_loopback(self.outside.into())];
        let mut routes = vec![
            RoutePlan { prefix: IpNet::V4(Ipv4Net::default()), kind: over(UP, self.outside.into()) },
            RoutePlan { prefix: IpNet::V4(self.inside), kind: over(down, own.into()) },
        ];
        if vantage.access.has(Family::V6) {
            addresses.push(address_on_loopback(own_v6.into()));
            routes.push(RoutePlan { prefix: IpNet::V6(Ipv6Net::default()), kind: over(UP, own_v6.into()) });
            routes.push(RoutePlan { prefix: IpNet::V6(vantage.v6), kind: over(down, own_v6.into()) });
            // The routers further out have addresses of the clients' prefix.
            for further in vantage.access.nat.iter().filter(|kind| **kind > self.kind) {
                let prefix = IpNet::from(IpAddr::V6(router_v6(vantage, *further)));
                routes.push(RoutePlan { prefix, kind: over(UP, own_v6.into()) });
            }
        }
        NamespacePlan { name: Name::clone(&self.namespace), role: Role::Nat, addresses, routes }
    }
}

/// The name of the namespace of a translator.
pub fn nat_namespace(kind: NatKind, vantage: &str) -> Name {
    format!("nat-{}-{vantage}", kind.word()).into()
}

/// The prefix that a vantage's clients have their IPv4 addresses from: their provider's, or that of the translator they are
/// behind.
pub fn client_prefix(vantage: &Vantage) -> Ipv4Net {
    vantage.access.nat.first().map_or(vantage.v4, |kind| inside(*kind))
}

/// The n-th client's IPv4 address behind translators; `None` where there are none, or no address is left.
pub(super) fn nth_client_v4(vantage: &Vantage, n: u32) -> Option<Ipv4Addr> {
    let kind = vantage.access.nat.first()?;
    let first = match kind {
        // 192.168.1.0.
        NatKind::Home => 0xc0a8_0100,
        NatKind::Carrier => u32::from(inside(*kind).network()),
    };
    let address = Ipv4Addr::from(first.checked_add(client_number(n)?)?);
    (inside(*kind).contains(&address) && address != inside(*kind).broadcast()).then_some(address)
}

/// The address that all IPv4 of a vantage behind translators comes out at.
pub fn public(vantage: &Vantage) -> Ipv4Addr {
    let first = u32::from(vantage.v4.network());
    Ipv4Addr::from(first + client_number(0).unwrap_or_default())
}

/// The routers between a client and the first hop, which are no addresses of the client's own.
pub(super) fn routers(vantage: &Vantage) -> Vec<IpNet> {
    let v6 = vantage.access.has(Family::V6);
    let kinds = vantage.access.nat.iter();
    let both = kinds.flat_map(|kind| {
        let own_v6 = v6.then(|| IpNet::from(IpAddr::V6(router_v6(vantage, *kind))));
        [Some(IpNet::from(IpAddr::V4(router(*kind)))), own_v6]
    });
    both.flatten().collect()
}

fn inside(kind: NatKind) -> Ipv4Net {
    match kind {
        NatKind::Home => Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16),
        NatKind::Carrier => Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10),
    }
}

fn router(kind: NatKind) -> Ipv4Addr {
    match kind {
        NatKind::Home => Ipv4Addr::new(192, 168, 1, 1),
        NatKind::Carrier => Ipv4Addr::new(100, 64, 0, 1),
    }
}

/// What a customer's router has from the translator that it is behind.
fn customer(kind: NatKind) -> Ipv4Addr {
    let first = u32::from(inside(kind).network());
    Ipv4Addr::from(first + client_number(0).unwrap_or_default())
}

/// The first addresses of a vantage's prefix are for routers.
fn router_v6(vantage: &Vantage, kind: NatKind) -> Ipv6Addr {
    let number = match kind {
        NatKind::Home => 1,
        NatKind::Carrier => 2,
    };
    Ipv6Addr::from(u128::from(vantage.v6.network()) + number)
}
