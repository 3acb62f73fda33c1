//! How clients are connected: families, and the translators between them and the first hop.

use std::net::IpAddr;

use crate::declare::{ScenarioFile, VantageDeclaration};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::{Access, Family, NatKind};
use crate::read::Located;
use crate::source::Text;

/// How a vantage's clients are connected.
pub(super) fn access(vantage: &VantageDeclaration, errors: &mut Collector) -> Access {
    let mut families: Vec<Family> = vantage.families.0.iter().map(|family| family.value).collect();
    if families.is_empty() {
        families = Access::default().families;
    }
    let mut nat: Vec<NatKind> = vantage.nat.0.iter().map(|kind| kind.value).collect();
    nat.sort_unstable();
    nat.dedup();
    let has_v4 = families.contains(&Family::V4);
    if let Some(first) = vantage.nat.0.first().filter(|_| !has_v4) {
        let message = "`nat` translates IPv4, and the clients of this vantage have none";
        let help = "take it out, or add \"v4\" to `families`; IPv6 is not translated";
        errors.push(Diagnostic::new(DiagnosticKind::BadValue, &first.at, message).help(help));
    }
    let nat64 = vantage.nat64.as_ref().filter(|nat64| nat64.value);
    if let Some(nat64) = nat64.filter(|_| has_v4) {
        let message = "`nat64` is for clients that have no IPv4 of their own";
        let help = "write `families = [\"v6\"]` beside it";
        errors.push(Diagnostic::new(DiagnosticKind::BadValue, &nat64.at, message).help(help));
    }
    Access { families, nat, nat64: nat64.is_some() }
}

/// Those of a vantage's resolvers that its clients have a way to.
pub(super) fn reachable(
    all: Vec<IpAddr>,
    access: &Access,
    declared: &VantageDeclaration,
    file: &ScenarioFile,
    errors: &mut Collector,
) -> Vec<IpAddr> {
    let of_a_hop = |name: &Text| file.resolvers.contains(name);
    if let Some(nat64) = declared.nat64.as_ref().filter(|nat64| nat64.value && !declared.resolvers.iter().any(of_a_hop))
    {
        let message = "no resolver of this vantage speaks DNS64, so nobody would find the translator";
        let help = "name a resolver of the scenario's own in `resolvers`, as `[resolver.isp]` with `at = \"HOP\"`";
        errors.push(Diagnostic::new(DiagnosticKind::BadValue, &nat64.at, message).help(help));
    }
    let family = |address: &IpAddr| if address.is_ipv4() { Family::V4 } else { Family::V6 };
    let some = !all.is_empty();
    let reachable: Vec<IpAddr> = all.into_iter().filter(|address| access.has(family(address))).collect();
    if reachable.is_empty() && some {
        let message = "none of the resolvers has an address of the families that the clients have";
        let help = "name one that has, as \"2001:4860:4860::8888\" of services/public-dns, or a resolver of the scenario's own";
        errors.push(Diagnostic::new(DiagnosticKind::BadValue, declared.at(), message).help(help));
    }
    reachable
}
