//! A scenario with everything filled in: lists read, services joined, profiles given their parameters, phases applied.
//!
//! This is what the lab is built from. Nothing in here is optional because "it was not said": what the file leaves out has
//! its default, and what is wrong was reported by the parser with its line.

mod service;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::{Ipv4Net, Ipv6Net};
use roadblock_censor::NameSet;
use roadblock_censor::policy::{DnsForgery, Grade, Policy};
use serde::Serialize;

pub use service::{Certificate, Host, Listener, Page, Protocol, Service, Target, WebSocket, WireGuardKeys};

use crate::source::Location;

/// A name that the scenario file gives to a thing of its own: a hop, a vantage, a resolver, a censor, a phase.
pub type Name = Arc<str>;

/// A scenario, resolved.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// `ru/whatsapp-2026`.
    pub id: Name,
    /// One line for people.
    pub title: String,
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
    /// At least one; the last is a command's default.
    pub phases: Vec<Phase>,
    /// What must be observed.
    pub expectations: Vec<Expectation>,
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
    /// What its resolv.conf says, in this order; at least one.
    pub resolvers: Vec<IpAddr>,
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

/// What must be observed.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Where the file says so.
    pub location: Location,
    /// A short name for reports: the `id` that the file gives, or `expect.3`.
    pub id: Name,
    /// From which vantages; never empty.
    pub vantages: Vec<Name>,
    /// In which phases; never empty.
    pub phases: Vec<Name>,
    /// Expectations with the same sequence share a client address and run in the order of the file.
    pub sequence: Option<Name>,
    /// The measurement and what it must give, then what must hold afterwards.
    pub steps: Vec<Step>,
}

/// One measurement of an expectation.
#[derive(Clone, Debug)]
pub struct Step {
    /// How far the machine's clock is moved before it.
    pub wait: Duration,
    /// Whether it uses the client port of the step before.
    pub same_tuple: bool,
    /// What is measured.
    pub probe: Probe,
    /// What it must give.
    pub verdict: VerdictWord,
    /// OONI's failure string, where the file names one.
    pub failure: Option<String>,
    /// The rule that must have done it, as `censor/rule` or `resolver/lie`.
    pub by: Option<String>,
}

/// A measurement with each layer pinned that the file pins.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Probe {
    /// A DNS query over UDP or TCP.
    Dns {
        /// The name asked for.
        name: String,
        /// A or AAAA.
        family: Family,
        /// Whom to ask; the vantage's first resolver where not said.
        resolver: Option<IpAddr>,
        /// Over TCP instead of UDP.
        tcp: bool,
        /// Addresses that the answer must hold for the verdict `ok`; empty: those of the lab's own host.
        answer: Vec<IpAddr>,
    },
    /// A TCP connection.
    Tcp {
        /// Where to: address and port.
        address: IpAddr,
        /// The port.
        port: u16,
    },
    /// A TCP connection and a TLS handshake.
    Tls {
        /// Where to.
        address: IpAddr,
        /// The port, 443 where not said.
        port: u16,
        /// The server's name.
        sni: String,
        /// Whether the certificate must be right for the verdict `ok`. An address pinned to a host that does not serve
        /// the name answers with its default certificate.
        verify: bool,
    },
    /// A page: DNS, TCP, TLS where the URL says so, and a GET.
    Http {
        /// The URL.
        url: String,
        /// Where to, in place of what DNS says.
        address: Option<IpAddr>,
        /// Which family to use where DNS is asked.
        family: Family,
    },
}

/// An address family.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// IPv4.
    #[default]
    V4,
    /// IPv6.
    V6,
}

/// The verdict words of the scenario language.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictWord {
    /// Reached.
    Ok,
    /// The name could not be resolved, or to a wrong address.
    Dns,
    /// The address cannot be reached at all.
    Ip,
    /// The TCP connection failed.
    Tcp,
    /// The TLS handshake failed.
    Tls,
    /// The HTTP exchange failed.
    Http,
    /// A block page came.
    Blockpage,
    /// QUIC failed where TCP works.
    Quic,
    /// A protocol was recognised and cut.
    Protocol,
    /// It works, too slowly.
    Throttled,
    /// It works and then stands still.
    Freezes,
    /// Somebody else's certificate came.
    Intercepted,
    /// It could not be measured.
    Unmeasured,
}

impl Scenario {
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
            .filter(|host| host.names.iter().any(|each| each.eq_ignore_ascii_case(name)))
            .flat_map(|host| host.addresses.iter().copied())
            .collect()
    }
}
