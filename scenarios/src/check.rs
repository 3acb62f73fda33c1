//! What must hold for a scenario as a whole.

mod lists;
mod measured;

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::declare::ScenarioFile;
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::{Scenario, Vantage};
use crate::read::Located;
use crate::resolve::{Context, known, overlap};
use crate::source::{Location, Text};
use crate::suggest;

/// The vantage with no censor on its path.
const CONTROL: &str = "control";

/// The names that the file gives, and those that it refers to.
pub(crate) fn names(file: &ScenarioFile, errors: &mut Collector) {
    let lies = file.resolvers.entries.iter().flat_map(|(_, resolver)| &resolver.lies);
    let mut names: Vec<&Text> = Vec::new();
    names.extend(file.hops.keys());
    names.extend(file.vantages.keys());
    names.extend(file.resolvers.keys());
    names.extend(file.censors.keys());
    names.extend(file.machines.keys());
    names.extend(file.phases.iter().map(|phase| &phase.id));
    names.extend(lies.filter_map(|lie| lie.id.as_ref()));
    for name in names {
        check_name(name, errors);
    }
    for name in file.censors.keys().filter(|name| file.resolvers.contains(name)) {
        let message = format!("a censor and a resolver are both named `{}`", name.value);
        let help = "give one of them another name, so that `by` can tell them apart";
        errors.push(Diagnostic::new(DiagnosticKind::Duplicate, &name.at, message).help(help));
    }
    hops(file, errors);
    phases(file, errors);
    expectations(file, errors);
}

/// What can only be seen when everything has its addresses.
pub(crate) fn scenario(file: &ScenarioFile, scenario: &Scenario, context: &Context<'_>, errors: &mut Collector) {
    routing(file, errors);
    control(file, scenario, errors);
    addresses(file, scenario, errors);
    measured::check(scenario, errors);
    if errors.wants_warnings() {
        networks(file, scenario, context, errors);
        lists::check(file, scenario, context, errors);
    }
}

/// Vantages whose addresses are not those of the network that they name. That the library knows one prefix of it and not all
/// makes it a warning.
fn networks(file: &ScenarioFile, scenario: &Scenario, context: &Context<'_>, errors: &mut Collector) {
    for vantage in &scenario.vantages {
        let Some(known) = context.network(vantage.network.asn) else { continue };
        let declared = file.vantages.get(&vantage.name).and_then(|declared| declared.address.as_ref());
        let Some(declared) = declared else { continue };
        let outside = [
            (!known.v4.contains(&vantage.v4)).then(|| (&declared.v4.at, vantage.v4.to_string(), known.v4.to_string())),
            (!known.v6.contains(&vantage.v6)).then(|| (&declared.v6.at, vantage.v6.to_string(), known.v6.to_string())),
        ];
        for (at, given, known) in outside.into_iter().flatten() {
            let message =
                format!("{given} is not in {known}, which is what the library knows of AS{}", vantage.network.asn);
            let help = "take `address` out, or name the network that has these addresses in `isp`";
            errors.push(Diagnostic::new(DiagnosticKind::OutsideNetwork, at, message).help(help).warning());
        }
    }
}

/// Names become parts of interface names, of file names and of `by`.
fn check_name(name: &Text, errors: &mut Collector) {
    let plain = |each: u8| each.is_ascii_lowercase() || each.is_ascii_digit() || each == b'-';
    if name.is_empty() || name.len() > 32 || name.starts_with('-') || !name.bytes().all(plain) {
        let message = format!("`{}` cannot be a name", name.value);
        let help = "write at most 32 lower-case letters, digits and `-`, the first no `-`";
        errors.push(Diagnostic::new(DiagnosticKind::BadName, &name.at, message).help(help));
    }
}

fn hops(file: &ScenarioFile, errors: &mut Collector) {
    let paths = file.vantages.entries.iter().map(|(_, vantage)| &vantage.path);
    for path in paths.clone() {
        for (index, hop) in path.iter().enumerate() {
            known(hop, "hop", &file.hops, DiagnosticKind::UnknownHop, errors);
            if path[..index].iter().any(|other| other.value == hop.value) {
                let message = format!("the path goes through `{}` twice", hop.value);
                errors.push(Diagnostic::new(DiagnosticKind::Duplicate, &hop.at, message));
            }
        }
    }
    let places = file.resolvers.entries.iter().map(|(_, resolver)| &resolver.at_hop);
    for at in places.chain(file.censors.entries.iter().map(|(_, censor)| &censor.at_hop)) {
        known(at, "hop", &file.hops, DiagnosticKind::UnknownHop, errors);
    }
    // A vantage that could not be read may be the one that goes there.
    for hop in file.hops.keys().filter(|_| file.vantages.broken.is_empty()) {
        if !paths.clone().flatten().any(|each| each.value == hop.value) {
            let message = format!("no vantage goes through the hop `{}`", hop.value);
            let help = "name it in a vantage's `path`, or take it out";
            errors.push(Diagnostic::new(DiagnosticKind::NoPath, &hop.at, message).help(help));
        }
    }
}

fn phases(file: &ScenarioFile, errors: &mut Collector) {
    for (index, phase) in file.phases.iter().enumerate() {
        if file.phases[..index].iter().any(|other| other.id.value == phase.id.value) {
            let message = format!("two phases have the id `{}`", phase.id.value);
            errors.push(Diagnostic::new(DiagnosticKind::Duplicate, &phase.id.at, message));
        }
    }
    let dates: Vec<_> = file.phases.iter().filter_map(|phase| phase.date.as_ref()).collect();
    for pair in dates.windows(2) {
        if pair[1].value < pair[0].value {
            let message = format!("the phase of {} comes after that of {}", pair[1].value.0, pair[0].value.0);
            let help = "write the phases in the order of their dates: what one changes holds in the next";
            errors.push(Diagnostic::new(DiagnosticKind::OutOfOrder, &pair[1].at, message).help(help));
        }
    }
}

fn expectations(file: &ScenarioFile, errors: &mut Collector) {
    let ids: Vec<&Text> = file.expectations.iter().filter_map(|each| each.id.as_ref()).collect();
    for (index, id) in ids.iter().enumerate() {
        if ids[..index].iter().any(|other| other.value == id.value) {
            let message = format!("two expectations have the id `{}`", id.value);
            errors.push(Diagnostic::new(DiagnosticKind::Duplicate, &id.at, message));
        }
    }
}

/// A router has one way up: vantages that share a hop must leave it the same way.
fn routing(file: &ScenarioFile, errors: &mut Collector) {
    let mut ways: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for (name, vantage) in &file.vantages.entries {
        for (index, hop) in vantage.path.iter().enumerate() {
            let next = vantage.path.get(index + 1).map_or("the internet", |next| next.value.as_str());
            let (other, first) = *ways.entry(&hop.value).or_insert((&name.value, next));
            if first != next {
                let message = format!(
                    "after `{}` the vantage `{}` goes to {next}, and `{other}` to {first}",
                    hop.value, name.value
                );
                let help = "a hop has one way up: let both go the same way, or give one of them a hop of its own";
                errors.push(Diagnostic::new(DiagnosticKind::Routing, &hop.at, message).help(help));
            }
        }
    }
}

/// `control` is what everything is compared with, so nothing may touch it.
fn control(file: &ScenarioFile, scenario: &Scenario, errors: &mut Collector) {
    let Some((_, declared)) = file.vantages.entries.iter().find(|(name, _)| name.as_str() == CONTROL) else {
        if !file.vantages.contains(CONTROL) {
            let at = file.vantages.keys().next().map_or(file.at(), |name| &name.at);
            let message = "no vantage is named `control`";
            let help = "add [vantage.control] with a path of its own and no censor on it: it shows what is reached \
                        where nothing is blocked";
            errors.push(Diagnostic::new(DiagnosticKind::Control, at, message).help(help));
        }
        return;
    };
    for hop in &declared.path {
        let censor = file.censors.entries.iter().find(|(_, censor)| censor.at_hop.value == hop.value);
        if let Some((censor, _)) = censor {
            let message =
                format!("the control vantage goes through `{}`, where the censor `{}` sits", hop.value, censor.value);
            let help = "give it a path of its own";
            errors.push(Diagnostic::new(DiagnosticKind::Control, &hop.at, message).help(help));
        }
    }
    let Some(control) = scenario.vantage(CONTROL) else { return };
    for resolver in
        scenario.resolvers.iter().filter(|each| each.addresses.iter().any(|a| control.resolvers.contains(a)))
    {
        let lies = file.resolvers.get(&resolver.name).is_some_and(|resolver| !resolver.lies.is_empty());
        if lies {
            let message = format!("the control vantage asks `{}`, which lies", resolver.name);
            let help = "give it an honest resolver, such as \"8.8.8.8\" of services/public-dns";
            errors.push(Diagnostic::new(DiagnosticKind::Control, declared.at(), message).help(help));
        }
    }
}

/// No two things may have the same address.
fn addresses(file: &ScenarioFile, scenario: &Scenario, errors: &mut Collector) {
    let place = |name: &str| file.vantages.keys().find(|key| key.value == name).map_or(file.at(), |key| &key.at);
    for (index, vantage) in scenario.vantages.iter().enumerate() {
        let at = place(&vantage.name);
        let others = &scenario.vantages[..index];
        if let Some(other) = others.iter().find(|other| overlap((other.v4, other.v6), (vantage.v4, vantage.v6))) {
            let what = format!("the vantages `{}` and `{}` share client addresses", other.name, vantage.name);
            clash(at, what, "give one of them another `address`", errors);
        }
        let hosts = scenario.services.iter().flat_map(|service| &service.hosts);
        let taken = hosts.flat_map(|host| host.addresses.iter().map(move |address| (*address, &host.names)));
        if let Some((address, names)) = taken.into_iter().find(|(address, _)| is_client(vantage, *address)) {
            let name = suggest::list(names.iter().take(1).map(String::as_str));
            let what = format!("{address} of {name} is also a client's address of `{}`", vantage.name);
            clash(at, what, "give the vantage another `address`", errors);
        }
    }
    let hosts = scenario.services.iter().flat_map(|service| &service.hosts);
    let hosts = hosts.filter_map(|host| Some((host.names.first()?.as_str(), host.addresses.as_slice())));
    let mut taken: BTreeMap<IpAddr, &str> = BTreeMap::new();
    for (name, addresses) in hosts {
        taken.extend(addresses.iter().map(|address| (*address, name)));
    }
    for hop in &scenario.hops {
        let at = file.hops.keys().find(|key| *key.value == *hop.name).map_or(file.at(), |key| &key.at);
        claim(&mut taken, &hop.name, &[hop.v4.into(), hop.v6.into()], at, errors);
    }
    for each in &scenario.resolvers {
        let at = file.resolvers.keys().find(|key| *key.value == *each.name).map_or(file.at(), |key| &key.at);
        claim(&mut taken, &each.name, &each.addresses, at, errors);
    }
    for machine in &scenario.machines {
        let at = file.machines.keys().find(|key| *key.value == *machine.name).map_or(file.at(), |key| &key.at);
        let own: Vec<IpAddr> = machine.v4.map(IpAddr::V4).into_iter().chain(machine.v6.map(IpAddr::V6)).collect();
        // A service's address was noted where the machine got it.
        let own: Vec<IpAddr> = own.into_iter().filter(|address| !is_hosts(scenario, *address)).collect();
        claim(&mut taken, &machine.name, &own, at, errors);
        for address in own {
            if let Some(vantage) = scenario.vantages.iter().find(|vantage| is_client(vantage, address)) {
                let what = format!("{address} is also a client's address of `{}`", vantage.name);
                clash(at, what, "give the machine another `address`", errors);
            }
        }
    }
}

fn is_hosts(scenario: &Scenario, address: IpAddr) -> bool {
    scenario.services.iter().flat_map(|service| &service.hosts).any(|host| host.addresses.contains(&address))
}

/// Notes whose these addresses are, and that somebody else has one of them already.
fn claim<'a>(
    taken: &mut BTreeMap<IpAddr, &'a str>,
    name: &'a str,
    addresses: &[IpAddr],
    at: &Location,
    errors: &mut Collector,
) {
    for address in addresses {
        if let Some(other) = taken.insert(*address, name) {
            let what = format!("`{other}` is already at {address}");
            clash(at, what, "give one of them another `address`", errors);
        }
    }
}

fn is_client(vantage: &Vantage, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => vantage.v4.contains(&address),
        IpAddr::V6(address) => vantage.v6.contains(&address),
    }
}

fn clash(at: &Location, message: String, help: &str, errors: &mut Collector) {
    errors.push(Diagnostic::new(DiagnosticKind::AddressClash, at, message).help(help));
}
