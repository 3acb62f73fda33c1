//! What must be observed: names are checked, and what was left out is filled in.

use std::net::IpAddr;
use std::time::Duration;

use super::Context;
use super::findings::finds;
use super::neighbours::Neighbourhood;
use super::probes::{ProbeBuilder, addresses};
use super::repeat;
use super::topology::{Topology, known, resolver};
use crate::declare::{ExpectDeclaration, FindsDeclaration, ProbeDeclaration, ScenarioFile, ThenDeclaration};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::library::Library;
use crate::model::{Expectation, Finds, Name, Phase, Probe, Service, Step, VerdictWord};
use crate::queries::rules_of;
use crate::read::{Located, OneOrMany};
use crate::source::{Location, Text};
use crate::suggest;

/// All expectations, in the order of the file.
pub(crate) fn build(
    file: &ScenarioFile,
    services: &[Service],
    phases: &[Phase],
    topology: &Topology,
    context: &Context<'_>,
    errors: &mut Collector,
) -> Vec<Expectation> {
    let mut builder = Builder { file, services, phases, topology, library: context.library, errors };
    let mut all = Vec::new();
    for (index, declared) in file.expectations.iter().enumerate() {
        let Some(expectation) = builder.expectation(index, declared) else { continue };
        let neighbours = builder.neighbours(&expectation, declared);
        all.push(expectation);
        all.extend(neighbours);
    }
    all
}

struct Builder<'a> {
    file: &'a ScenarioFile,
    services: &'a [Service],
    phases: &'a [Phase],
    topology: &'a Topology,
    library: &'a Library,
    errors: &'a mut Collector,
}

impl Builder<'_> {
    fn expectation(&mut self, index: usize, declared: &ExpectDeclaration) -> Option<Expectation> {
        let phases = self.phases(declared.phases.as_ref());
        let vantages = self.vantages(declared.vantages.as_ref());
        for by in declared.by.0.iter().chain(declared.then.0.iter().flat_map(|then| &then.by.0)) {
            self.check_active(by, &phases);
        }
        let probe = self.probe(&declared.probe, declared.at());
        let mut steps = Vec::new();
        if let Some(probe) = &probe {
            let first = self.step(probe.clone(), declared.verdict, declared.failure.as_ref(), &declared.by);
            let of_control = repeat::of_control(declared.of_control.as_ref(), probe, self.errors);
            let finds = self.finds(declared.finds.as_ref(), probe);
            let keys =
                declared.keys.entries.iter().map(|(name, value)| (name.value.clone(), value.0.clone())).collect();
            steps = repeat::attempts(declared, &Step { of_control, finds, keys, ..first }, self.errors);
        }
        let mut before = probe;
        for then in &declared.then.0 {
            let probe = self.later_probe(then, before.as_ref());
            if let Some(probe) = &probe {
                let step = self.step(probe.clone(), then.verdict, then.failure.as_ref(), &then.by);
                let finds = self.finds(then.finds.as_ref(), probe);
                steps.push(Step { wait: then.wait, same_tuple: then.same_tuple, finds, ..step });
            }
            before = probe;
        }
        (!steps.is_empty()).then(|| Expectation {
            location: declared.at().clone(),
            id: declared.id.as_ref().map_or_else(|| format!("expect.{index}").into(), |id| id.as_str().into()),
            neighbour_of: None,
            vantages,
            phases,
            sequence: declared.sequence.as_ref().map(|name| name.as_str().into()),
            times: repeat::times(declared, self.errors),
            steps,
        })
    }

    fn neighbours(&mut self, expectation: &Expectation, declared: &ExpectDeclaration) -> Vec<Expectation> {
        let Some(wanted) = &declared.neighbours else { return Vec::new() };
        let vantages = &self.topology.vantages;
        let vantages: Vec<_> = vantages.iter().filter(|each| expectation.vantages.contains(&each.name)).collect();
        Neighbourhood::new(self.services, &vantages, wanted).of(expectation, self.errors)
    }

    fn phases(&mut self, written: Option<&OneOrMany<Text>>) -> Vec<Name> {
        let all = || self.phases.iter().map(|phase| phase.id.clone()).collect();
        let Some(written) = written.filter(|written| !is_all(written)) else { return all() };
        written.0.iter().filter_map(|name| self.phase(name)).collect()
    }

    fn phase(&mut self, name: &Text) -> Option<Name> {
        let found = self.phases.iter().find(|phase| *phase.id == *name.value);
        if found.is_none() {
            let message = format!("no phase has the id `{}`", name.value);
            let help = suggest::help("the phases are", name, self.phases.iter().map(|phase| &*phase.id));
            self.errors.push(Diagnostic::new(DiagnosticKind::UnknownPhase, &name.at, message).help(help));
        }
        found.map(|phase| phase.id.clone())
    }

    fn vantages(&mut self, written: Option<&OneOrMany<Text>>) -> Vec<Name> {
        let mut all = self.file.vantages.entries.iter().map(|(name, _)| Name::from(name.as_str()));
        let Some(written) = written else { return all.next().into_iter().collect() };
        if is_all(written) {
            return all.collect();
        }
        let vantages = &self.file.vantages;
        let named = written
            .0
            .iter()
            .filter(|name| known(name, "vantage", vantages, DiagnosticKind::UnknownVantage, self.errors));
        named.map(|name| name.as_str().into()).collect()
    }

    fn step(&mut self, probe: Probe, verdict: VerdictWord, failure: Option<&Text>, by: &OneOrMany<Text>) -> Step {
        if let Some(failure) = failure {
            self.check_failure(failure, verdict);
        }
        by.0.iter().for_each(|by| self.check_by(by));
        Step {
            wait: Duration::ZERO,
            same_tuple: false,
            probe,
            verdict,
            failure: failure.map(|text| text.value.clone()),
            by: by.0.iter().map(|text| text.value.clone()).collect(),
            of_control: None,
            finds: None,
            keys: Vec::new(),
        }
    }

    fn finds(&mut self, declared: Option<&FindsDeclaration>, probe: &Probe) -> Option<Finds> {
        let hop = declared.and_then(|declared| declared.hop.as_ref());
        if let Some(hop) = hop.filter(|_| matches!(probe, Probe::Trace { .. })) {
            known(hop, "hop", &self.file.hops, DiagnosticKind::UnknownHop, self.errors);
        }
        finds(declared, probe, self.errors)
    }

    fn check_failure(&mut self, failure: &Text, verdict: VerdictWord) {
        if verdict == VerdictWord::Ok {
            let message = "what is `ok` has no failure";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, &failure.at, message));
        }
        if !FAILURES.contains(&failure.as_str()) && !failure.starts_with("unknown_failure") {
            let message = format!("`{}` is not a failure string of OONI's", failure.value);
            let help = suggest::help("they are", failure, FAILURES.iter().copied());
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, &failure.at, message).help(help));
        }
    }

    /// The rule or lie must be there. Which rules there are does not depend on the phase.
    fn check_by(&mut self, by: &Text) {
        let Some(phase) = self.phases.first() else { return };
        let holder = by.split(['/', '.']).next().unwrap_or_default();
        if self.file.censors.contains(holder) && !phase.state.policies.contains_key(holder) {
            // Its profile could not be read, and that was noted.
            return;
        }
        let rules = rules_of(&phase.state);
        if !rules.iter().any(|rule| rule.by == by.value) {
            let message = format!("no rule and no lie is called `{}`", by.value);
            let help = suggest::help("there are", by, rules.iter().map(|rule| rule.by.as_str()));
            self.errors.push(Diagnostic::new(DiagnosticKind::UnknownRule, &by.at, message).help(help));
        }
    }

    /// A rule that has nothing to look for in any of these phases cannot have done it.
    fn check_active(&mut self, by: &Text, phases: &[Name]) {
        let named = self.phases.iter().filter(|phase| phases.contains(&phase.id));
        let listed = |phase: &Phase| rules_of(&phase.state).into_iter().find(|rule| rule.by == by.value);
        let found: Vec<_> = named.filter_map(listed).collect();
        if found.is_empty() || found.iter().any(|rule| rule.active) {
            return;
        }
        let message = format!("`{}` does nothing in any phase of this expectation", by.value);
        let help = "put what it looks for into its list in one of these phases, or name other phases";
        self.errors.push(Diagnostic::new(DiagnosticKind::InactiveRule, &by.at, message).help(help));
    }

    fn later_probe(&mut self, then: &ThenDeclaration, before: Option<&Probe>) -> Option<Probe> {
        let probe = match &then.probe {
            Some(declared) => self.probe(declared, then.at())?,
            None => before?.clone(),
        };
        let Some(name) = &then.sni else { return Some(probe) };
        let Probe::Tls { address, port, hello, .. } = probe else {
            let message = "`sni` changes the server name of a TLS measurement, and the one before is none";
            let help = "write the measurement out, as `probe = { tls = { … } }`";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, &name.at, message).help(help));
            return None;
        };
        Some(Probe::Tls { address, port, sni: name.value.clone(), verify: self.serves(address, name), hello })
    }

    fn probe(&mut self, declared: &ProbeDeclaration, at: &Location) -> Option<Probe> {
        let Self { file, services, topology, library, errors, .. } = self;
        let mut resolver = |written: &Text, errors: &mut Collector| {
            resolver(written, file, &topology.resolvers, services, errors).first().copied()
        };
        ProbeBuilder::new(services, library, &mut resolver, errors).probe(declared, at)
    }

    fn serves(&self, address: IpAddr, name: &str) -> bool {
        addresses(self.services.iter().flat_map(|service| &service.hosts), name).any(|each| each == address)
    }
}

fn is_all(written: &OneOrMany<Text>) -> bool {
    matches!(written.0.as_slice(), [only] if only.value == "*")
}

/// The failure strings of OONI's df-007 that a measurement of the lab can give.
const FAILURES: &[&str] = &[
    "address_family_not_supported",
    "android_dns_cache_no_data",
    "connection_aborted",
    "connection_already_closed",
    "connection_refused",
    "connection_reset",
    "dns_bogon_error",
    "dns_no_answer",
    "dns_non_recoverable_failure",
    "dns_nxdomain_error",
    "dns_refused_error",
    "dns_reply_with_wrong_query_id",
    "dns_server_misbehaving",
    "dns_servfail_error",
    "dns_temporary_failure",
    "eof_error",
    "generic_timeout_error",
    "host_unreachable",
    "http_invalid_redirect_location_host",
    "json_parse_error",
    "network_down",
    "network_reset",
    "network_unreachable",
    "permission_denied",
    "quic_incompatible_version",
    "ssl_failed_handshake",
    "ssl_invalid_certificate",
    "ssl_invalid_hostname",
    "ssl_unknown_authority",
    "timed_out",
];
