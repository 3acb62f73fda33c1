//! Lists of which nothing is in the lab: what they hold is probably misspelt, or a service is missing in `use`.

use std::net::IpAddr;

use ipnet::IpNet;
use roadblock_censor::NameSet;
use roadblock_censor::PrefixSet;

use crate::declare::{ParameterType, ScenarioFile};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::{Probe, Scenario};
use crate::resolve::{Context, Setting, read_profile};
use crate::source::Location;
use crate::tree::Node;

/// Notes each list of names or prefixes, as it is written in a censor, in a lie or in a phase, that matches nothing.
pub(super) fn check(file: &ScenarioFile, scenario: &Scenario, context: &Context<'_>, errors: &mut Collector) {
    let lab = Lab::of(scenario);
    for (name, censor) in &file.censors.entries {
        // What is wrong with the profile is noted elsewhere.
        let Some(profile) = read_profile(&censor.profile, context, &mut Collector::default()) else { continue };
        for (parameter, declared) in &profile.parameters.entries {
            let own = censor.parameters.iter().filter(|entry| entry.key.value == parameter.value);
            let target = format!("censor.{}.{}", name.value, parameter.value);
            for node in own.map(|entry| &entry.node).chain(changes(file, &target)) {
                lab.judge(declared.kind, node, context, errors);
            }
        }
    }
    for (name, resolver) in &file.resolvers.entries {
        for (index, lie) in resolver.lies.iter().enumerate() {
            let id = lie.id.as_ref().map_or_else(|| format!("lies.{index}"), |id| id.value.clone());
            let by_place = format!("resolver.{}.lies.{index}.names", name.value);
            let by_id = format!("resolver.{}.lies.{id}.names", name.value);
            let changed = changes(file, &by_id).chain(changes(file, &by_place).filter(|_| by_place != by_id));
            for node in changed {
                lab.judge(ParameterType::Names, node, context, errors);
            }
        }
    }
}

/// What phases add to a list, or put in its place.
fn changes<'f>(file: &'f ScenarioFile, target: &str) -> impl Iterator<Item = &'f Node> {
    let all = file.phases.iter().flat_map(|phase| &phase.changes);
    let target = target.to_owned();
    all.filter(move |change| change.target.value == target)
        .filter_map(|change| change.add.as_ref().or(change.set.as_ref()))
}

/// All names and addresses that something in the lab has or asks for.
struct Lab {
    /// Whether raw bytes are sent or commands run, which may say any name.
    says_anything: bool,
    names: Vec<String>,
    addresses: Vec<IpAddr>,
    /// Prefixes from which clients come, or behind which something may be.
    prefixes: Vec<IpNet>,
}

impl Lab {
    fn of(scenario: &Scenario) -> Self {
        let hosts = || scenario.services.iter().flat_map(|service| &service.hosts);
        let steps = scenario.expectations.iter().flat_map(|each| &each.steps).map(|step| &step.probe);
        let probes: Vec<&Probe> = steps.chain(scenario.targets().map(|target| &target.probe)).collect();
        let names = probes.iter().filter_map(|probe| probe.name()).map(str::to_owned);
        let addresses = probes.iter().filter_map(|probe| probe.address());
        let machines = scenario.machines.iter();
        let at = machines.flat_map(|each| [each.v4.map(IpAddr::from), each.v6.map(IpAddr::from)]).flatten();
        let resolvers = scenario.resolvers.iter().flat_map(|each| each.addresses.iter().copied());
        let clients = scenario.vantages.iter().flat_map(|each| [IpNet::from(each.v4), IpNet::from(each.v6)]);
        let behind = scenario.machines.iter().flat_map(|each| each.behind.iter().copied());
        let says_anything = |probe: &&Probe| matches!(probe, Probe::Speak { .. } | Probe::Command { .. });
        Self {
            says_anything: probes.iter().any(says_anything),
            names: hosts().flat_map(|host| host.names.iter().cloned()).chain(names).collect(),
            addresses: hosts()
                .flat_map(|host| host.addresses.iter().copied())
                .chain(addresses)
                .chain(at)
                .chain(resolvers)
                .collect(),
            prefixes: clients.chain(behind).collect(),
        }
    }

    fn judge(&self, kind: ParameterType, node: &Node, context: &Context<'_>, errors: &mut Collector) {
        match Setting::read(kind, node, context, &mut Collector::default()) {
            Some(Setting::Names(names)) if !names.is_empty() => {
                let names: NameSet = names.into_iter().collect();
                if !self.says_anything && !self.names.iter().any(|name| names.matches(name)) {
                    nothing("names", "name", &node.at, errors);
                }
            }
            Some(Setting::Prefixes(prefixes)) if !prefixes.is_empty() => {
                let covers =
                    |prefix: &IpNet| self.prefixes.iter().any(|own| own.contains(prefix) || prefix.contains(own));
                let set: PrefixSet = prefixes.iter().copied().collect();
                if !self.addresses.iter().any(|address| set.contains(*address)) && !prefixes.iter().any(covers) {
                    nothing("prefixes", "address", &node.at, errors);
                }
            }
            _ => {}
        }
    }
}

fn nothing(what: &str, of: &str, at: &Location, errors: &mut Collector) {
    let message = format!("these {what} match no {of} of the lab");
    let help = "look for a slip of the pen, or name the service that has what is meant in `use`";
    errors.push(Diagnostic::new(DiagnosticKind::MatchesNothing, at, message).help(help).warning());
}
