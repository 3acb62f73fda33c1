//! A running lab.

mod client;
mod commands;
mod companion;
mod differences;
mod errand;
mod error;
mod files;
mod graft;
mod isolation;
mod machines;
mod nat;
mod readiness;
mod shared;
mod transition;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipnet::Ipv6Net;
use roadblock_censor::{Counters, Instant};
use roadblock_scenarios::model::{Name, Scenario};
use tokio::runtime::Handle;

pub use client::Client;
pub use commands::{CommandError, CommandSpec};
pub use companion::Companion;
pub use errand::{Errand, Errands};
pub use error::LabError;
pub use graft::NotGrafted;
pub use machines::MachineLog;
pub use nat::Translators;
pub use readiness::NotReady;
pub use shared::{SHARED, SharedFile, SharedFolder};

use crate::capture::{Capture, Tape};
use crate::clock::LabClock;
use crate::events::EventLog;
use crate::inspector::{Inspector, Setup};
use crate::internet::ooni::{Backend, Networks};
use crate::internet::{self, Authority, InternetError, LieTable, Servers, Zone};
use crate::kernel::inject::Way;
use crate::kernel::namespace::Namespace;
use crate::kernel::nftables::{QueueKind, detect_queue_kind};
use crate::kernel::{links, sysctl};
use crate::plan::delays::delays;
use crate::plan::nat::{NatPlan, TranslatorKind, mapping};
use crate::plan::ruleset::{PASSED_SIZE, policy_at};
use crate::plan::topology::{INTERNET, Role, RouteKind, UP, client_namespace, hop_namespace, nth_client};
use crate::plan::{Ruleset, Topology};

/// A running lab. Dropping it stops its threads; the namespaces go with the process.
#[derive(Debug)]
pub struct Lab {
    scenario: Arc<Scenario>,
    clock: LabClock,
    events: EventLog,
    authority: Arc<Authority>,
    capture: Option<Capture>,
    inspectors: Vec<Inspector>,
    lies: BTreeMap<Name, LieTable>,
    servers: Vec<Servers>,
    /// There once the servers are.
    ooni: Option<Arc<Backend>>,
    clients: BTreeMap<Name, AtomicU32>,
    translators: BTreeMap<Name, Translators>,
    failures: Failures,
    /// Whoever changes the lab holds this, so that changes come one after the other.
    now: Mutex<Now>,
    passed_flows: u32,
    commands: commands::Commands,
    // Dropped last: everything above lives in these.
    namespaces: BTreeMap<Name, Namespace>,
}

/// What a live lab can change of itself.
#[derive(Debug)]
struct Now {
    /// What it plays: the scenario that it was built from, or the same file read again.
    scenario: Arc<Scenario>,
    /// The phases that it was in, ending with the one it is in.
    phases: Vec<Begun>,
    /// The ruleset of each hop that has an inspector, and how often it was replaced.
    rulesets: BTreeMap<Name, (u32, Ruleset)>,
    /// How packets are queued here.
    queue: Option<QueueKind>,
}

/// A phase that the lab was in, and since when.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The phase.
    pub phase: Name,
    /// When it began, by the lab's clock.
    pub at: Instant,
}

/// Something that makes a measurement untrustworthy: the result is `invalid`, never `ok` or blocked.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Problem {
    /// Where: a hop or a service.
    pub place: String,
    /// What happened, as a sentence fragment.
    pub what: String,
}

/// What a lab can be given besides its scenario.
#[derive(Clone, Copy, Debug)]
pub struct LabOptions {
    /// Where all chance comes from.
    pub seed: u64,
    /// How many passed flows the kernel notes at each hop and for each family.
    pub passed_flows: u32,
    /// Whether the packets at the hops that decide are captured.
    pub capture: bool,
    /// What tells this lab from the others of its process.
    pub number: usize,
}

impl Default for LabOptions {
    fn default() -> Self {
        Self { seed: 1, passed_flows: PASSED_SIZE, capture: false, number: 0 }
    }
}

/// What inspectors died of.
#[derive(Clone, Debug, Default)]
struct Failures(Arc<Mutex<Vec<Problem>>>);

impl Lab {
    /// Builds a lab and enters a phase. Must be called in the process that [`crate::sandbox::run`] made, outside any
    /// tokio runtime.
    pub fn start(scenario: Arc<Scenario>, phase: &str, seed: u64) -> Result<Self, LabError> {
        Self::start_with(scenario, phase, LabOptions { seed, ..LabOptions::default() })
    }

    /// As [`Lab::start`], with other limits.
    pub fn start_with(scenario: Arc<Scenario>, phase: &str, options: LabOptions) -> Result<Self, LabError> {
        isolation::verify_sandbox()?;
        if let Some((location, _)) = scenario.commands().next().filter(|_| scenario.foreign) {
            return Err(LabError::CommandsNotAllowed(location.to_string()));
        }
        let first = scenario.phase(phase).ok_or_else(|| LabError::NoSuchPhase(phase.to_owned()))?;
        let topology = Topology::of(&scenario);
        let rulesets = rulesets(&scenario, options.passed_flows)?;
        let namespaces = make_namespaces(options.number, &topology)?;
        forgo_timestamps(&scenario, &namespaces)?;
        links::build(&topology, &namespaces)?;
        for namespace in namespaces.values() {
            isolation::verify(namespace, &topology)?;
        }
        let failures = Failures::default();
        let translators = start_translators(&scenario, &namespaces, &failures)?;
        let lies = scenario.resolvers.iter().map(|resolver| {
            let lies = first.state.lies.get(&resolver.name).cloned().unwrap_or_default();
            (Name::clone(&resolver.name), LieTable::new(lies))
        });
        let clock = LabClock::start();
        let capture = options.capture.then(|| Capture::start(&scenario, &namespaces, &clock, options.seed)).transpose();
        let mut lab = Self {
            clock,
            capture: capture.map_err(LabError::system("capture packets"))?,
            events: EventLog::default(),
            authority: Arc::new(Authority::new(wall_clock())?),
            inspectors: Vec::new(),
            lies: lies.collect(),
            servers: Vec::new(),
            ooni: None,
            clients: scenario.vantages.iter().map(|vantage| (Name::clone(&vantage.name), AtomicU32::new(1))).collect(),
            translators,
            failures,
            now: Mutex::new(Now {
                scenario: Arc::clone(&scenario),
                phases: vec![Begun { phase: Name::clone(&first.id), at: Instant::ZERO }],
                rulesets: rulesets.iter().map(|(hop, ruleset)| (Name::clone(hop), (0, ruleset.clone()))).collect(),
                queue: None,
            }),
            passed_flows: options.passed_flows,
            commands: commands::Commands::new(options.number),
            scenario,
            namespaces,
        };
        if let Some(capture) = &lab.capture {
            capture.phase_begins(&Name::from(phase), lab.clock.now());
        }
        lab.start_inspectors(&topology, rulesets, phase, options.seed)?;
        lab.start_servers()?;
        lab.start_machines()?;
        Ok(lab)
    }

    /// The scenario that it was built from. What it plays now is in [`Lab::plays`].
    pub fn scenario(&self) -> &Arc<Scenario> {
        &self.scenario
    }

    /// The clock.
    pub fn clock(&self) -> &LabClock {
        &self.clock
    }

    /// Moves the clock on without waiting, and lets every censor do what was due.
    pub fn advance(&self, duration: Duration) {
        let _changing = self.changing();
        if let Some(capture) = &self.capture {
            capture.clock_moves(duration);
        }
        self.clock.advance(duration);
        for inspector in &self.inspectors {
            // One that has ended is among the problems.
            let _ = inspector.clock_moved();
        }
    }

    /// What was decided so far.
    pub fn events(&self) -> &EventLog {
        &self.events
    }

    /// A client address that nobody else in this lab uses, ready to bind.
    pub fn fresh_client(&self, vantage: &str) -> Result<Client, LabError> {
        let counter = self.clients.get(vantage).ok_or_else(|| LabError::NoSuchVantage(vantage.to_owned()))?;
        self.client(vantage, counter.fetch_add(1, Ordering::Relaxed))
    }

    /// The address that commands at this vantage use.
    pub fn main_client(&self, vantage: &str) -> Result<Client, LabError> {
        self.client(vantage, 0)
    }

    /// The runtime of the thread that lives in the vantage's network namespace: sockets made by futures spawned here
    /// belong to the vantage.
    pub fn runtime(&self, vantage: &str) -> Result<Handle, LabError> {
        Ok(self.vantage_namespace(vantage)?.runtime().clone())
    }

    /// The runtime of a hop's thread, for looking at its namespace.
    pub fn hop_runtime(&self, hop: &str) -> Option<Handle> {
        self.namespaces.get(&hop_namespace(hop)).map(|namespace| namespace.runtime().clone())
    }

    /// The runtime of any namespace's thread by the name that the plan gives it, for looking at the namespace.
    pub fn namespace_runtime(&self, name: &str) -> Option<Handle> {
        self.namespaces.get(name).map(|namespace| namespace.runtime().clone())
    }

    /// The lab's certificate authority, DER.
    pub fn authority_der(&self) -> &[u8] {
        self.authority.der()
    }

    /// The measurements that OONI's probes have handed in, in the order of arrival.
    pub fn submitted(&self) -> Vec<serde_json::Value> {
        self.ooni.as_ref().map(|ooni| ooni.measurements().all()).unwrap_or_default()
    }

    /// What makes measurements so far untrustworthy: queues that dropped packets, services that died, inspectors that
    /// failed. Empty: all is well.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.failures.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for inspector in &self.inspectors {
            let place = inspector.hop().to_string();
            match inspector.lost() {
                Ok(0) => {}
                Ok(lost) => problems.push(Problem { place, what: format!("its queue lost {lost} packets") }),
                Err(cause) => problems.push(Problem { place, what: cause.to_string() }),
            }
        }
        for problem in self.servers.iter().flat_map(Servers::problems) {
            problems.push(Problem { place: problem.server.to_string(), what: problem.kind.to_string() });
        }
        problems.extend(self.commands.servers.problems());
        problems
    }

    /// What the machine at a hop has done and keeps; `None` where no packet is looked at.
    pub fn counters(&self, hop: &str) -> Option<Counters> {
        self.inspectors.iter().find(|inspector| &**inspector.hop() == hop)?.counters().ok()
    }

    /// How many packets of passed flows had to be looked at again because the kernel's set was full. It costs speed and
    /// changes no verdict.
    pub fn offload_full(&self) -> u64 {
        self.inspectors.iter().map(|inspector| inspector.counts().offload_full.load(Ordering::Relaxed)).sum()
    }

    /// The packets that were captured since this was asked the last time, where they are captured.
    pub fn tape(&self) -> Result<Option<Tape>, LabError> {
        let tape = self.capture.as_ref().map(|capture| capture.tape(&self.events)).transpose();
        tape.map_err(LabError::system("read the captured packets"))
    }

    fn client(&self, vantage: &str, number: u32) -> Result<Client, LabError> {
        let found = self.scenario.vantage(vantage).ok_or_else(|| LabError::NoSuchVantage(vantage.to_owned()))?;
        let (v4, v6) = nth_client(found, number).ok_or_else(|| LabError::OutOfAddresses(vantage.to_owned()))?;
        Ok(Client::of(found, v4, v6, self.translators.get(&found.name).cloned()))
    }

    fn vantage_namespace(&self, vantage: &str) -> Result<&Namespace, LabError> {
        let namespace = self.namespaces.get(&client_namespace(vantage));
        namespace.ok_or_else(|| LabError::NoSuchVantage(vantage.to_owned()))
    }

    fn namespace(&self, name: &str) -> Result<&Namespace, LabError> {
        self.namespaces.get(name).ok_or_else(|| LabError::System {
            doing: format!("find the namespace {name}"),
            cause: std::io::Error::from(std::io::ErrorKind::NotFound),
        })
    }

    fn start_inspectors(
        &mut self,
        topology: &Topology,
        rulesets: BTreeMap<Name, Ruleset>,
        phase: &str,
        seed: u64,
    ) -> Result<(), LabError> {
        let delays = delays(&self.scenario);
        let mut kind = None;
        for (hop, ruleset) in rulesets {
            let namespace = self.namespace(&hop_namespace(&hop))?;
            let queue = match kind {
                Some(kind) => kind,
                None => *kind.insert(queue_kind(namespace)?),
            };
            let setup = HopSetup { topology: topology.clone(), namespace: Name::clone(namespace.name()) };
            let (policy, elements) =
                (policy_at(&self.scenario, &hop, phase), Ruleset::elements(&self.scenario, &hop, phase));
            let delay = delays.get(&hop).copied().unwrap_or_default();
            let (clock, events, failures) = (self.clock.clone(), self.events.clone(), self.failures.clone());
            let place = Name::clone(&hop);
            let started = namespace.block_on(async move {
                let (ways, up) = setup.ways()?;
                let hop = Name::clone(&place);
                let setup = Setup { hop, policy, seed, delay, ruleset, elements, queue, ways, up, clock, events };
                Ok(Inspector::start(setup, move |cause| {
                    failures.note(&place, format!("its inspector failed: {cause}"));
                }))
            });
            let doing = format!("start the inspector at {hop}");
            let started = started.and_then(|started| started).map_err(LabError::system(doing))?;
            self.inspectors.push(started.map_err(|cause| LabError::Inspector { hop: hop.to_string(), cause })?);
        }
        self.changing().queue = kind;
        Ok(())
    }

    /// OONI's services, which know each vantage's network, also by the address that its clients have abroad.
    fn ooni_backend(&self, zone: &Arc<Zone>) -> Result<Backend, InternetError> {
        let mut networks = Networks::of(&self.scenario);
        for vantage in &self.scenario.vantages {
            if let Some(translators) = self.translators.get(&vantage.name) {
                networks.add_outside(vantage.v4.addr().into(), translators.outside().into());
            }
        }
        Ok(Backend::new(&self.scenario, zone, &self.authority, networks, wall_clock)?)
    }

    fn start_servers(&mut self) -> Result<(), LabError> {
        let zone = Arc::new(Zone::new(self.scenario.services.iter().chain(&self.scenario.background)));
        let (scenario, authority) = (Arc::clone(&self.scenario), Arc::clone(&self.authority));
        let ooni = Arc::new(self.ooni_backend(&zone)?);
        self.ooni = Some(Arc::clone(&ooni));
        let internet_zone = Arc::clone(&zone);
        let internet = self.namespace(INTERNET)?;
        let servers = internet
            .block_on(async move {
                let services = scenario.services.iter().chain(&scenario.background);
                internet::start(services, &internet_zone, &authority, Some(ooni))
            })
            .map_err(LabError::system("start the services"))??;
        self.servers.push(servers);
        for resolver in self.scenario.resolvers.clone() {
            let lies = self.lies.get(&resolver.name).cloned().unwrap_or_default();
            let (zone, clock, events) = (Arc::clone(&zone), self.clock.clone(), self.events.clone());
            let translated = self.scenario.vantages.iter().filter(|vantage| vantage.access.nat64);
            let dns64: Vec<Ipv6Net> = translated.map(|vantage| vantage.v6).collect();
            let hop = self.namespace(&hop_namespace(&resolver.at))?;
            let servers = hop
                .block_on(async move { internet::start_resolver(&resolver, &zone, &lies, &clock, &events, &dns64) })
                .map_err(LabError::system("start a resolver"))??;
            self.servers.push(servers);
        }
        Ok(())
    }
}

impl Failures {
    fn note(&self, hop: &Name, what: String) {
        let problem = Problem { place: hop.to_string(), what };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
    }
}

/// What an inspector needs to know of its hop, found out in the hop's own thread.
struct HopSetup {
    topology: Topology,
    namespace: Name,
}

impl HopSetup {
    fn ways(&self) -> std::io::Result<(Vec<Way>, u32)> {
        let mut ways = Vec::new();
        let routes = self.topology.namespace(&self.namespace).map(|plan| plan.routes.as_slice()).unwrap_or_default();
        for route in routes {
            let RouteKind::Over { interface, .. } = &route.kind else { continue };
            let Some((_, there)) = self.topology.link_at(&self.namespace, interface) else { continue };
            let way = Way { prefix: route.prefix, interface: links::index_of(interface)?, hardware: there.hardware };
            ways.push(way);
        }
        Ok((ways, links::index_of(UP)?))
    }
}

fn rulesets(scenario: &Scenario, passed_flows: u32) -> Result<BTreeMap<Name, Ruleset>, LabError> {
    let delays = delays(scenario);
    let mut rulesets = BTreeMap::new();
    for hop in &scenario.hops {
        let has_censor = scenario.censors.iter().any(|censor| censor.at == hop.name);
        // What a policy cannot see is decided, and only what is undecided is delayed.
        let watch = !has_censor && delays.contains_key(&hop.name);
        // A censor that has nothing to do may be given something while the lab lives.
        let ruleset = Ruleset::of(scenario, &hop.name, watch)?.or_else(|| has_censor.then(Ruleset::default));
        if let Some(mut ruleset) = ruleset {
            ruleset.passed_size = passed_flows;
            rulesets.insert(Name::clone(&hop.name), ruleset);
        }
    }
    Ok(rulesets)
}

/// Makes all namespaces side by side: the kernel takes its time for each.
fn make_namespaces(lab: usize, topology: &Topology) -> Result<BTreeMap<Name, Namespace>, LabError> {
    std::thread::scope(|scope| {
        let making: Vec<_> = topology
            .namespaces
            .iter()
            .map(|plan| scope.spawn(|| Namespace::create(lab, &plan.name, plan.role != Role::Client)))
            .collect();
        let mut namespaces = BTreeMap::new();
        for each in making {
            let namespace = each.join().map_err(|_| LabError::System {
                doing: "make a namespace".to_owned(),
                cause: std::io::Error::other("its maker panicked"),
            })??;
            namespaces.insert(Name::clone(namespace.name()), namespace);
        }
        Ok(namespaces)
    })
}

/// Some clients' TCP sends no timestamps.
fn forgo_timestamps(scenario: &Scenario, namespaces: &BTreeMap<Name, Namespace>) -> Result<(), LabError> {
    for vantage in scenario.vantages.iter().filter(|vantage| !vantage.tcp_timestamps) {
        if let Some(namespace) = namespaces.get(&client_namespace(&vantage.name)) {
            let set = namespace.block_on(async { sysctl::forgo_timestamps() });
            set.and_then(|set| set).map_err(LabError::system("make TCP send no timestamps"))?;
        }
    }
    Ok(())
}

/// Starts the translators of every vantage that has some.
fn start_translators(
    scenario: &Scenario,
    namespaces: &BTreeMap<Name, Namespace>,
    failures: &Failures,
) -> Result<BTreeMap<Name, Translators>, LabError> {
    let mut all = BTreeMap::new();
    for vantage in &scenario.vantages {
        let plans = NatPlan::of(vantage).into_iter();
        let placed: Vec<(&Namespace, NatPlan)> =
            plans.filter_map(|plan| Some((namespaces.get(&plan.namespace)?, plan))).collect();
        for (namespace, plan) in placed.iter().filter(|(_, plan)| plan.kind == TranslatorKind::Nat64) {
            let (failures, place) = (failures.clone(), Name::clone(&plan.namespace));
            nat::translate_headers(namespace, mapping(vantage), move |cause| {
                failures.note(&place, format!("its translator failed: {cause}"));
            })?;
        }
        if let Some(translators) = Translators::start(&placed)? {
            all.insert(Name::clone(&vantage.name), translators);
        }
    }
    Ok(all)
}

fn queue_kind(namespace: &Namespace) -> Result<QueueKind, LabError> {
    let kind = namespace.block_on(async { detect_queue_kind() });
    kind.map_err(LabError::system("try the packet queue"))?.map_err(LabError::NoQueue)
}

#[expect(clippy::disallowed_methods, reason = "certificates are dated, and this is the edge where time comes in")]
fn wall_clock() -> std::time::SystemTime {
    std::time::SystemTime::now()
}
