//! A scenario with everything filled in: lists read, services joined, profiles given their parameters, phases applied.
//!
//! This is what the lab is built from. Nothing in here is optional because "it was not said": what the file leaves out has
//! its default, and what is wrong was reported by the parser with its line.

mod access;
mod findings;
mod hello;
mod machine;
mod mechanism;
mod mentions;
mod payload;
mod probe;
mod service;
mod tool;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::{Ipv4Net, Ipv6Net};
use roadblock_censor::NameSet;
use roadblock_censor::policy::{DnsForgery, Grade, Policy};
use serde::Serialize;

use crate::source::Location;

pub use access::{Access, NatKind};
pub use findings::{Counts, Finds, FreezeFinds, Limit, Punished, ResidualFinds, ThroughputFinds, TraceFinds};
pub use hello::{Hello, HttpRequest, Split};
pub use machine::{Machine, MachineCommand, Readiness};
pub use mechanism::{Mechanism, UnknownMechanism};
pub use payload::{Payload, Reply, Transport};
pub use probe::{
    Authority, ChatHeader, DnsPatience, DnsTransport, Expectation, Family, FamilyChoice, HttpVersion, MtProtoTransport,
    Neighbour, NeighbourKind, OfControl, Probe, QuicVersion, Says, Step, Times, USUAL_MEDIA, VerdictWord,
};
pub use service::{
    Certificate, Host, HostAnswer, Listener, OoniRole, Page, Protocol, Service, Target, WebSocket, WireGuardKeys,
};
pub(crate) use tool::Piece;
pub use tool::{
    Check, Filling, Template, Through, ThroughWord, Tool, ToolClash, ToolClient, ToolServer, WithTool, in_folder,
};

/// A name that the scenario file gives to a thing of its own: a hop, a vantage, a resolver, a censor, a phase.
pub type Name = Arc<str>;

/// A scenario, resolved.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Whether a stranger wrote it: whether it, or the library that it refers to, is not what the binary carries, and its
    /// user has not said that its commands may be run. A lab runs no command of such a scenario.
    pub foreign: bool,
    /// `ru/whatsapp-2026`.
    pub id: Name,
    /// One line for people.
    pub title: String,
    /// What happened, in a paragraph for people who read no packets.
    pub story: Option<String>,
    /// What a user felt.
    pub felt: Option<String>,
    /// What is not known.
    pub unknown: Option<String>,
    /// The ways of blocking that it shows, each once.
    pub mechanisms: Vec<Mechanism>,
    /// What may be set, and to what it is set.
    pub parameters: Vec<Parameter>,
    /// Where the story is told.
    pub sources: Vec<Source>,
    /// The routers, in the order of the file.
    pub hops: Vec<Hop>,
    /// The clients' seats, in the order of the file; the first is the default. One is named `control`.
    pub vantages: Vec<Vantage>,
    /// The resolvers that the scenario itself places at hops, in the order of the file.
    pub resolvers: Vec<Resolver>,
    /// The censors, in the order of the file.
    pub censors: Vec<Censor>,
    /// What exists on the internet.
    pub services: Vec<Service>,
    /// What exists there besides, in every lab: what a stock OONI probe needs.
    pub background: Vec<Service>,
    /// Machines of their own, for servers of the user's.
    pub machines: Vec<Machine>,
    /// At least one; the last is a command's default.
    pub phases: Vec<Phase>,
    /// What must be observed.
    pub expectations: Vec<Expectation>,
}

/// What of a scenario may be set, and to what it is set.
#[derive(Clone, Debug, Serialize)]
pub struct Parameter {
    /// Its name.
    pub name: Name,
    /// What it holds: `names`, `duration`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// One line for people.
    pub about: Option<String>,
    /// How far the default is known; none where somebody set it.
    pub grade: Option<Grade>,
    /// What it holds, as TOML.
    pub value: String,
    /// Whether somebody set it: a file that extends the scenario, or a command.
    pub is_set: bool,
    /// Where the value was written.
    pub at: Location,
}

/// Where a claim comes from.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// What it is called.
    pub title: String,
    /// When it was published, as `YYYY-MM-DD`.
    pub date: Option<String>,
    /// Where it can be read.
    pub url: Option<String>,
    /// The facts that it supports.
    pub facts: Vec<String>,
}

/// A router, in a namespace of its own.
#[derive(Clone, Debug)]
pub struct Hop {
    /// Its name.
    pub name: Name,
    /// The address that traceroute shows.
    pub v4: Ipv4Addr,
    /// Likewise.
    pub v6: Ipv6Addr,
}

/// A client's seat.
#[derive(Clone, Debug)]
pub struct Vantage {
    /// Its name.
    pub name: Name,
    /// Its network.
    pub network: Network,
    /// The prefix that its client addresses come from; the lab gives each measurement an address of its own.
    pub v4: Ipv4Net,
    /// Likewise.
    pub v6: Ipv6Net,
    /// The hops from the client to the internet, by name; at least one, each one named once.
    pub path: Vec<Name>,
    /// How long a packet takes from one end of the path to the other, one way.
    pub delay: Duration,
    /// Whether its TCP sends timestamps.
    pub tcp_timestamps: bool,
    /// What its resolv.conf says, in this order; at least one.
    pub resolvers: Vec<IpAddr>,
    /// How its clients are connected to the first hop.
    pub access: Access,
}

/// Who runs the network of a vantage.
#[derive(Clone, Debug, Serialize)]
pub struct Network {
    /// The autonomous system's number.
    pub asn: u32,
    /// Its operator's name.
    pub operator: String,
}

/// A resolver that the scenario places at a hop. It knows every name of the lab and lies as its [`Lie`]s say.
#[derive(Clone, Debug)]
pub struct Resolver {
    /// Its name.
    pub name: Name,
    /// The hop where it lives.
    pub at: Name,
    /// Where it listens, UDP and TCP port 53.
    pub addresses: Vec<IpAddr>,
}

/// A censor at a hop.
#[derive(Clone, Debug)]
pub struct Censor {
    /// Its name; events carry it.
    pub name: Name,
    /// The profile it was made from, as `censors/tspu-2026`.
    pub profile: Name,
    /// The hop where it sits.
    pub at: Name,
}

/// A dated step.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its name.
    pub id: Name,
    /// When it began, as `YYYY-MM-DD`.
    pub date: Option<String>,
    /// One line for people.
    pub title: Option<String>,
    /// What a user felt.
    pub felt: Option<String>,
    /// What is not known.
    pub unknown: Option<String>,
    /// What holds in it, earlier phases' changes included.
    pub state: PhaseState,
}

/// All that a phase can change.
#[derive(Clone, Debug, Default)]
pub struct PhaseState {
    /// The lies of each resolver, by its name.
    pub lies: BTreeMap<Name, Vec<Lie>>,
    /// The policy of each censor, by its name. Every censor has one in every phase, with the same rule ids.
    pub policies: BTreeMap<Name, Policy>,
}

/// What a resolver says in place of the truth. The first lie that matches is told.
#[derive(Clone, Debug)]
pub struct Lie {
    /// What events and `by` call it: `lies.0`, or the id that the file gives.
    pub id: Name,
    /// The names it is told about.
    pub names: NameSet,
    /// What is said.
    pub answer: LieAnswer,
    /// The facts it reproduces.
    pub facts: Vec<Arc<str>>,
    /// How far it is known.
    pub grade: Grade,
}

/// What a lying resolver says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LieAnswer {
    /// An answer: NXDOMAIN, REFUSED, SERVFAIL, or chosen addresses.
    Forged(DnsForgery),
    /// Nothing.
    Silence,
}

impl Scenario {
    /// The commands that the scenario would have this machine run, each with its place, in the order of the file's kinds.
    pub fn commands(&self) -> impl Iterator<Item = (&Location, &str)> {
        let on_machines = self.machines.iter().filter_map(|machine| machine.run.as_ref());
        let on_machines = on_machines.map(|run| (&run.location, run.command.as_str()));
        let steps = self.expectations.iter().flat_map(|expectation| &expectation.steps).map(|step| &step.probe);
        let probes = steps.chain(self.targets().map(|target| &target.probe));
        on_machines.chain(probes.filter_map(|probe| match probe {
            Probe::Command { run, location, .. } => Some((location, run.as_str())),
            _ => None,
        }))
    }

    /// The country whose network it shows, as `ru`: the folder of its id, where that is a country's.
    pub fn country(&self) -> Option<&str> {
        let (folder, _) = self.id.split_once('/')?;
        country_name(folder).map(|_| folder)
    }

    /// Whether anything is measured by a command.
    pub fn has_command_probes(&self) -> bool {
        self.commands().count() > self.machines.iter().filter(|machine| machine.run.is_some()).count()
    }

    /// The vantage of this name.
    pub fn vantage(&self, name: &str) -> Option<&Vantage> {
        self.vantages.iter().find(|each| &*each.name == name)
    }

    /// The phase of this name.
    pub fn phase(&self, id: &str) -> Option<&Phase> {
        self.phases.iter().find(|each| &*each.id == id)
    }

    /// The true addresses of a name of the lab, in the order of the file.
    pub fn addresses_of(&self, name: &str) -> Vec<IpAddr> {
        let name = name.trim_end_matches('.');
        let hosts = self.services.iter().flat_map(|service| &service.hosts);
        hosts
            .filter(|host| !host.hidden && host.names.iter().any(|each| each.eq_ignore_ascii_case(name)))
            .flat_map(|host| host.addresses.iter().copied())
            .collect()
    }
}

/// The name of a country of the library, by its code (ISO 3166-1).
pub fn country_name(code: &str) -> Option<&'static str> {
    COUNTRIES.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

/// The countries whose networks the library shows.
const COUNTRIES: &[(&str, &str)] = &[
    ("cn", "China"),
    ("eg", "Egypt"),
    ("id", "Indonesia"),
    ("in", "India"),
    ("ir", "Iran"),
    ("kz", "Kazakhstan"),
    ("mm", "Myanmar"),
    ("pk", "Pakistan"),
    ("ru", "Russia"),
    ("tm", "Turkmenistan"),
    ("tr", "Turkey"),
    ("ve", "Venezuela"),
];
