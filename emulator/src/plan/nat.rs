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
//! | nat64 | 100.64.0.0/10, which stands for the IPv6 prefix of the clients | 100.64.0.1 | the public address |
//!
//! A NAT64 is a translator of headers on a TUN device, to which all of `64:ff9b::/96` goes, and behind it the same
//! translation of addresses as the provider's.
//!
//! A home's own network is 192.168.1.0/24; the measurements after the 245th are those of homes whose routers were set up
//! differently, which saves a translator for each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use roadblock_scenarios::model::{Family, Name, NatKind, Vantage};
use serde::Serialize;

use super::topology::{NamespacePlan, Role, RouteKind, RoutePlan, UP, address_on_loopback, client_number};
use crate::translate::{Mapping, WELL_KNOWN};

/// The translators of the vantages, by the names of their namespaces.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct NatPlan {
    /// The namespace.
    pub namespace: Name,
    /// The vantage whose clients are behind it.
    pub vantage: Name,
    /// What it is.
    pub kind: TranslatorKind,
    /// What is inside.
    pub inside: Ipv4Net,
    /// What all of it comes out as.
    pub outside: Ipv4Addr,
}

impl NatPlan {
    /// A vantage's translators, the nearest to the client first.
    pub fn of(vantage: &Vantage) -> Vec<Self> {
        let kinds = kinds(vantage);
        let plan = |(index, kind): (usize, &TranslatorKind)| Self {
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
        let mut routes = vec![RoutePlan { prefix: IpNet::V4(Ipv4Net::default()), kind: over(UP, self.outside.into()) }];
        let mut devices = Vec::new();
        if self.kind == TranslatorKind::Nat64 {
            devices.push(TUN.into());
            for prefix in [IpNet::V4(self.inside), IpNet::V6(Ipv6Net::new_assert(WELL_KNOWN, 96))] {
                routes.push(RoutePlan { prefix, kind: RouteKind::Device { interface: TUN.into() } });
            }
        } else {
            routes.push(RoutePlan { prefix: IpNet::V4(self.inside), kind: over(down, own.into()) });
        }
        if vantage.access.has(Family::V6) {
            addresses.push(address_on_loopback(own_v6.into()));
            routes.push(RoutePlan { prefix: IpNet::V6(Ipv6Net::default()), kind: over(UP, own_v6.into()) });
            routes.push(RoutePlan { prefix: IpNet::V6(vantage.v6), kind: over(down, own_v6.into()) });
            // The routers further out have addresses of the clients' prefix.
            for further in kinds(vantage).iter().filter(|kind| **kind > self.kind) {
                let prefix = IpNet::from(IpAddr::V6(router_v6(vantage, *further)));
                routes.push(RoutePlan { prefix, kind: over(UP, own_v6.into()) });
            }
        }
        NamespacePlan { name: Name::clone(&self.namespace), role: Role::Nat, addresses, routes, devices }
    }
}

/// A translator, the nearest to the client first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TranslatorKind {
    /// The router at home.
    Home,
    /// The provider's.
    Carrier,
    /// From IPv6 to IPv4.
    Nat64,
}

/// The name of the namespace of a translator.
pub fn nat_namespace(kind: TranslatorKind, vantage: &str) -> Name {
    match kind {
        TranslatorKind::Home => format!("nat-home-{vantage}"),
        TranslatorKind::Carrier => format!("nat-carrier-{vantage}"),
        TranslatorKind::Nat64 => format!("nat64-{vantage}"),
    }
    .into()
}

/// The device where a NAT64 takes packets and gives them back.
pub const TUN: &str = "nat64";

/// Which address is which on either side of a vantage's NAT64.
pub fn mapping(vantage: &Vantage) -> Mapping {
    Mapping { clients: vantage.v6, inside: inside(TranslatorKind::Nat64) }
}

fn kinds(vantage: &Vantage) -> Vec<TranslatorKind> {
    let kind = |kind: &NatKind| match kind {
        NatKind::Home => TranslatorKind::Home,
        NatKind::Carrier => TranslatorKind::Carrier,
    };
    let nat64 = vantage.access.nat64.then_some(TranslatorKind::Nat64);
    vantage.access.nat.iter().map(kind).chain(nat64).collect()
}

/// The prefix that a vantage's clients have their IPv4 addresses from: their provider's, or that of the translator they are
/// behind.
pub fn client_prefix(vantage: &Vantage) -> Ipv4Net {
    kinds(vantage).first().map_or(vantage.v4, |kind| inside(*kind))
}

/// The n-th client's IPv4 address behind translators; `None` where there are none, or no address is left.
pub(super) fn nth_client_v4(vantage: &Vantage, n: u32) -> Option<Ipv4Addr> {
    let kinds = kinds(vantage);
    let kind = kinds.first()?;
    let first = match kind {
        // 192.168.1.0.
        TranslatorKind::Home => 0xc0a8_0100,
        TranslatorKind::Carrier | TranslatorKind::Nat64 => u32::from(inside(*kind).network()),
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
    let kinds = kinds(vantage).into_iter();
    let has_v4 = vantage.access.has(Family::V4);
    let both = kinds.flat_map(|kind| {
        let own_v6 = v6.then(|| IpNet::from(IpAddr::V6(router_v6(vantage, kind))));
        [has_v4.then(|| IpNet::from(IpAddr::V4(router(kind)))), own_v6]
    });
    both.flatten().collect()
}

fn inside(kind: TranslatorKind) -> Ipv4Net {
    match kind {
        TranslatorKind::Home => Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16),
        TranslatorKind::Carrier | TranslatorKind::Nat64 => Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10),
    }
}

fn router(kind: TranslatorKind) -> Ipv4Addr {
    match kind {
        TranslatorKind::Home => Ipv4Addr::new(192, 168, 1, 1),
        TranslatorKind::Carrier | TranslatorKind::Nat64 => Ipv4Addr::new(100, 64, 0, 1),
    }
}

/// What a customer's router has from the translator that it is behind.
fn customer(kind: TranslatorKind) -> Ipv4Addr {
    let first = u32::from(inside(kind).network());
    Ipv4Addr::from(first + client_number(0).unwrap_or_default())
}

/// The first addresses of a vantage's prefix are for routers.
fn router_v6(vantage: &Vantage, kind: TranslatorKind) -> Ipv6Addr {
    let number = match kind {
        TranslatorKind::Home => 1,
        TranslatorKind::Carrier => 2,
        TranslatorKind::Nat64 => 3,
    };
    Ipv6Addr::from(u128::from(vantage.v6.network()) + number)
}
