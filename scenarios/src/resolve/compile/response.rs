//! `trigger`, `then` and `inject` become responses.

use std::net::IpAddr;
use std::time::Duration;

use roadblock_censor::policy::{DnsForgery, Fate, Injection, InjectionKind, Place, Response, Rewrite, TcpFlags};

use super::super::arguments::Setting;
use super::Compiler;
use crate::declare::{
    Argument, DnsAnswer, InjectDeclaration, Injectable, PayloadFate, ResponseDeclaration, RewriteDeclaration,
};
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::read::{Located, OneOrMany};
use crate::source::Location;

impl Compiler<'_, '_> {
    /// What happens to a packet.
    pub(super) fn response(&mut self, response: &ResponseDeclaration, place: Place, rule: &Location) -> Response {
        let fate = match response {
            ResponseDeclaration::Pass | ResponseDeclaration::Inject(_) => Fate::Pass,
            ResponseDeclaration::Drop => Fate::Drop,
            ResponseDeclaration::Reject(rejection) => Fate::Reject(*rejection),
            ResponseDeclaration::Rewrite(rewrite) => Fate::Rewrite(self.rewrite(rewrite)),
        };
        if place == Place::OnPath && fate != Fate::Pass {
            let message = "an on-path box can only watch and inject; the packet passes whatever a rule says";
            let help = "write `place = \"in-path\"` for the box, or use `inject`";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, rule, message).help(help));
        }
        let inject = match response {
            ResponseDeclaration::Inject(injections) => self.injections(&injections.0),
            _ => Vec::new(),
        };
        Response { fate, inject }
    }

    /// The packets that are sent besides.
    pub(super) fn injections(&mut self, all: &[InjectDeclaration]) -> Vec<Injection> {
        all.iter().flat_map(|each| self.injection(each)).collect()
    }

    /// One packet for each of its delays.
    fn injection(&mut self, declared: &InjectDeclaration) -> Vec<Injection> {
        let kind = match declared.what() {
            Some(Injectable::Reset(reset)) => {
                InjectionKind::Reset { to: reset.to.0, flags: reset.flags.map_or(TcpFlags::RST, |letters| letters.0) }
            }
            Some(Injectable::Dns(answer)) => InjectionKind::Dns(self.forgery(answer)),
            None => {
                let message = "a packet to inject is either a `reset` or a `dns` answer";
                self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, declared.at(), message));
                return Vec::new();
            }
        };
        let delays = self.delays(&declared.delay);
        delays.into_iter().map(|delay| Injection { kind: kind.clone(), delay }).collect()
    }

    fn delays(&mut self, argument: &Argument<OneOrMany<Duration>>) -> Vec<Duration> {
        match argument {
            Argument::Literal(delays) => delays.0.clone(),
            Argument::Parameter(name) => match self.setting(name) {
                Some(Setting::Duration(delay)) => vec![*delay],
                other => self.mistyped(name, "a duration", other).unwrap_or_default(),
            },
        }
    }

    fn forgery(&mut self, answer: &DnsAnswer) -> DnsForgery {
        let addresses: Vec<IpAddr> = match &answer.addresses {
            None => Vec::new(),
            Some(Argument::Literal(addresses)) => addresses.0.clone(),
            Some(Argument::Parameter(name)) => match self.setting(name) {
                Some(Setting::Addresses(addresses)) => addresses.clone(),
                other => self.mistyped(name, "a list of addresses", other).unwrap_or_default(),
            },
        };
        DnsForgery {
            rcode: answer.rcode.unwrap_or_default().0,
            addresses,
            ttl: answer.ttl,
            authoritative: answer.authoritative,
        }
    }

    fn rewrite(&mut self, rewrite: &RewriteDeclaration) -> Rewrite {
        if rewrite.tcp_flags.is_none() && rewrite.payload.is_none() {
            let message = "the rewrite changes nothing";
            let help = "say `tcp-flags = \"RA\"`, `payload = \"strip\"` or both";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, rewrite.at(), message).help(help));
        }
        Rewrite {
            tcp_flags: rewrite.tcp_flags.map(|letters| letters.0),
            strip_payload: rewrite.payload == Some(PayloadFate::Strip),
        }
    }
}
