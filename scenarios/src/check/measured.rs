//! Expectations beside each other, and of what is not there.

use std::net::IpAddr;

use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::{Expectation, Scenario, Step};

/// Notes expectations that say the same as others, or the contrary, and those about places that nobody has.
pub(super) fn check(scenario: &Scenario, errors: &mut Collector) {
    let own: Vec<&Expectation> = scenario.expectations.iter().filter(|each| each.neighbour_of.is_none()).collect();
    for (index, one) in own.iter().enumerate() {
        for other in own[..index].iter().filter(|other| measures_the_same(one, other)) {
            same(one, other, has_neighbours(one, scenario), errors);
        }
    }
    if errors.wants_warnings() {
        for each in own {
            places(each, scenario, errors);
        }
    }
}

/// Whether two expectations make the same measurements, each from clients of its own, somewhere at the same time.
fn measures_the_same(one: &Expectation, other: &Expectation) -> bool {
    let alone = |each: &Expectation| each.sequence.is_none() && each.times.is_none();
    let measures = |step: &Step| (step.probe.clone(), step.wait, step.same_tuple);
    let overlap = |one: &[_], other: &[_]| one.iter().any(|name| other.contains(name));
    alone(one)
        && alone(other)
        && one.steps.len() == other.steps.len()
        && one.steps.iter().zip(&other.steps).all(|(one, other)| measures(one) == measures(other))
        && overlap(&one.vantages, &other.vantages)
        && overlap(&one.phases, &other.phases)
}

/// Whether others are measured for its sake, so that it says more than the measurement itself.
fn has_neighbours(one: &Expectation, scenario: &Scenario) -> bool {
    scenario.expectations.iter().any(|each| each.neighbour_of.as_ref().is_some_and(|beside| beside.of == one.id))
}

fn same(one: &Expectation, other: &Expectation, says_more: bool, errors: &mut Collector) {
    let agree = one.steps.iter().zip(&other.steps).all(|(one, other)| one.verdict == other.verdict);
    if !agree {
        let message = format!("`{}` expects another verdict of the same measurement in a phase of both", other.id);
        let help = "give them different phases or vantages, or take one of them out";
        errors.push(Diagnostic::new(DiagnosticKind::Contradiction, &one.location, message).help(help));
    } else if !says_more && one.phases == other.phases && one.vantages == other.vantages && errors.wants_warnings() {
        let message = format!("this expectation is the same as `{}`", other.id);
        let diagnostic = Diagnostic::new(DiagnosticKind::Duplicate, &one.location, message);
        errors.push(diagnostic.help("take one of them out").warning());
    }
}

/// An address that nobody has refuses connections and answers pings, as if somebody was there who wants nothing.
fn places(expectation: &Expectation, scenario: &Scenario, errors: &mut Collector) {
    let addresses = expectation.steps.iter().filter_map(|step| step.probe.address());
    for address in addresses.filter(|address| !is_somebodys(*address, scenario)) {
        let message = format!("nobody in the lab has the address {address}");
        let help = "name the service that has it in `use`, or measure at an address of the lab's";
        let diagnostic = Diagnostic::new(DiagnosticKind::NobodyThere, &expectation.location, message);
        errors.push(diagnostic.help(help).warning());
    }
}

fn is_somebodys(address: IpAddr, scenario: &Scenario) -> bool {
    let hosts = scenario.services.iter().flat_map(|service| &service.hosts);
    hosts.flat_map(|host| &host.addresses).any(|each| *each == address)
        || scenario.resolvers.iter().flat_map(|each| &each.addresses).any(|each| *each == address)
        || scenario.machines.iter().any(|machine| {
            machine.v4.is_some_and(|own| own == address)
                || machine.v6.is_some_and(|own| own == address)
                || machine.behind.iter().any(|prefix| prefix.contains(&address))
        })
        || scenario.hops.iter().any(|hop| hop.v4 == address || hop.v6 == address)
}
