//! A scenario, accounted for: `roadblock.show/1`.

use std::net::IpAddr;

use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::{
    Access, Censor, Hop, Machine, Mechanism, Parameter, Phase, Resolver, Service, Source, Target, Vantage,
};
use serde::Serialize;

use super::changes::{Change, changes};
use super::rules::{RuleAccount, rules};
use crate::run::target_key;

/// What a scenario says.
#[derive(Debug, Serialize)]
pub(super) struct Account {
    pub(super) schema: &'static str,
    pub(super) id: String,
    pub(super) title: String,
    pub(super) country: Option<String>,
    pub(super) story: Option<String>,
    pub(super) felt: Option<String>,
    pub(super) unknown: Option<String>,
    pub(super) mechanisms: Vec<Mechanism>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) sources: Vec<Source>,
    pub(super) vantages: Vec<VantageAccount>,
    pub(super) hops: Vec<HopAccount>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) machines: Vec<MachineAccount>,
    /// What the scenario would have the user's machine run, as it would be given to a shell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) commands: Vec<String>,
    pub(super) resolvers: Vec<ResolverAccount>,
    pub(super) censors: Vec<CensorAccount>,
    /// All rules and lies, as they are in the last phase.
    pub(super) rules: Vec<RuleAccount>,
    pub(super) services: Vec<ServiceAccount>,
    pub(super) phases: Vec<PhaseAccount>,
    pub(super) expectations: usize,
}

/// A client's seat and its way to the internet.
#[derive(Debug, Serialize)]
pub(super) struct VantageAccount {
    pub(super) name: String,
    pub(super) network: String,
    pub(super) path: Vec<String>,
    pub(super) delay_microseconds: u128,
    pub(super) resolvers: Vec<String>,
    pub(super) access: Access,
}

/// A machine of its own.
#[derive(Debug, Serialize)]
pub(super) struct MachineAccount {
    pub(super) name: String,
    /// The hop that it hangs off; abroad where not said.
    pub(super) at: Option<String>,
    pub(super) addresses: Vec<String>,
    /// What runs there.
    pub(super) run: Option<String>,
}

/// A router.
#[derive(Debug, Serialize)]
pub(super) struct HopAccount {
    pub(super) name: String,
    pub(super) addresses: Vec<String>,
}

/// A resolver of the scenario's own.
#[derive(Debug, Serialize)]
pub(super) struct ResolverAccount {
    pub(super) name: String,
    pub(super) at: String,
    pub(super) addresses: Vec<String>,
}

/// A censor.
#[derive(Debug, Serialize)]
pub(super) struct CensorAccount {
    pub(super) name: String,
    pub(super) at: String,
    pub(super) profile: String,
}

/// Something on the internet.
#[derive(Debug, Serialize)]
pub(super) struct ServiceAccount {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) names: Vec<String>,
    pub(super) targets: Vec<TargetAccount>,
}

/// What a person would open or use.
#[derive(Debug, Serialize)]
pub(super) struct TargetAccount {
    pub(super) title: String,
    pub(super) url: String,
}

/// A phase and what it changes.
#[derive(Debug, Serialize)]
pub(super) struct PhaseAccount {
    pub(super) id: String,
    pub(super) date: Option<String>,
    pub(super) title: Option<String>,
    pub(super) felt: Option<String>,
    pub(super) unknown: Option<String>,
    pub(super) changes: Vec<Change>,
}

impl Account {
    /// The account of a scenario.
    pub(super) fn new(scenario: &Scenario) -> Self {
        Self {
            schema: "roadblock.show/1",
            id: scenario.id.to_string(),
            title: scenario.title.clone(),
            country: scenario.country().map(str::to_owned),
            story: scenario.story.clone(),
            felt: scenario.felt.clone(),
            unknown: scenario.unknown.clone(),
            mechanisms: scenario.mechanisms.clone(),
            parameters: scenario.parameters.clone(),
            sources: scenario.sources.clone(),
            vantages: vantages(scenario),
            hops: hops(scenario),
            machines: scenario.machines.iter().map(machine).collect(),
            commands: scenario.commands().map(|(_, command)| command.to_owned()).collect(),
            resolvers: resolvers(scenario),
            censors: censors(scenario),
            rules: scenario.phases.last().map(|phase| rules(&phase.state)).unwrap_or_default(),
            services: scenario.services.iter().map(service).collect(),
            phases: phases(scenario),
            expectations: scenario.expectations.len(),
        }
    }
}

fn vantages(scenario: &Scenario) -> Vec<VantageAccount> {
    let account = |vantage: &Vantage| VantageAccount {
        name: vantage.name.to_string(),
        network: format!("AS{} {}", vantage.network.asn, vantage.network.operator),
        path: vantage.path.iter().map(ToString::to_string).collect(),
        delay_microseconds: vantage.delay.as_micros(),
        resolvers: vantage.resolvers.iter().map(ToString::to_string).collect(),
        access: vantage.access.clone(),
    };
    scenario.vantages.iter().map(account).collect()
}

fn machine(machine: &Machine) -> MachineAccount {
    let addresses = machine.v4.map(IpAddr::V4).into_iter().chain(machine.v6.map(IpAddr::V6));
    MachineAccount {
        name: machine.name.to_string(),
        at: machine.at.as_ref().map(ToString::to_string),
        addresses: addresses.map(|address| address.to_string()).collect(),
        run: machine.run.as_ref().map(|run| run.command.clone()),
    }
}

fn hops(scenario: &Scenario) -> Vec<HopAccount> {
    let account =
        |hop: &Hop| HopAccount { name: hop.name.to_string(), addresses: vec![hop.v4.to_string(), hop.v6.to_string()] };
    scenario.hops.iter().map(account).collect()
}

fn resolvers(scenario: &Scenario) -> Vec<ResolverAccount> {
    let account = |resolver: &Resolver| ResolverAccount {
        name: resolver.name.to_string(),
        at: resolver.at.to_string(),
        addresses: resolver.addresses.iter().map(ToString::to_string).collect(),
    };
    scenario.resolvers.iter().map(account).collect()
}

fn censors(scenario: &Scenario) -> Vec<CensorAccount> {
    let account = |censor: &Censor| CensorAccount {
        name: censor.name.to_string(),
        at: censor.at.to_string(),
        profile: censor.profile.to_string(),
    };
    scenario.censors.iter().map(account).collect()
}

fn service(service: &Service) -> ServiceAccount {
    ServiceAccount {
        id: service.id.to_string(),
        title: service.title.clone(),
        names: service.hosts.iter().flat_map(|host| host.names.iter().cloned()).collect(),
        targets: service.targets.iter().map(target).collect(),
    }
}

fn target(target: &Target) -> TargetAccount {
    TargetAccount { title: target.title.clone(), url: target_key(&target.probe) }
}

fn phases(scenario: &Scenario) -> Vec<PhaseAccount> {
    let before = std::iter::once(None).chain(scenario.phases.iter().map(Some));
    let pairs = before.zip(&scenario.phases);
    let account = |(before, phase): (Option<&Phase>, &Phase)| PhaseAccount {
        id: phase.id.to_string(),
        date: phase.date.clone(),
        title: phase.title.clone(),
        felt: phase.felt.clone(),
        unknown: phase.unknown.clone(),
        changes: changes(before.map(|before| &before.state), &phase.state),
    };
    pairs.map(account).collect()
}
