//! `trigger`, `then` and `inject` become responses.

use std::net::IpAddr;
use std::time::Duration;

use roadblock_censor::policy::{
    DnsForgery, Fate, Injection, InjectionKind, Place, Police, Redirect, Response, Rewrite, TcpFlags,
};

use super::super::arguments::Setting;
use super::Compiler;
use crate::declare::{
    Argument, DnsAnswer, InjectDeclaration, Injectable, LossDeclaration, PayloadFate, PoliceDeclaration,
    RedirectDeclaration, ResponseDeclaration, RewriteDeclaration,
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
            ResponseDeclaration::Lose(LossDeclaration { chance, .. }) => Fate::Lose(self.probability(chance)),
            ResponseDeclaration::Police(police) => Fate::Police(self.police(police)),
            ResponseDeclaration::Redirect(redirect) => Fate::Redirect(self.redirect(redirect)),
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
                InjectionKind::reset(reset.to.0, reset.flags.map_or(TcpFlags::RST, |letters| letters.0))
            }
            Some(Injectable::Dns(answer)) => InjectionKind::Dns(self.forgery(answer).into()),
            None => {
                let message = "a packet to inject is either a `reset` or a `dns` answer";
                self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, declared.at(), message));
                return Vec::new();
            }
        };
        let delays = self.delays(&declared.delay);
        delays.into_iter().map(|delay| Injection { delay, ..kind.clone().into() }).collect()
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

    /// Addresses, given in the profile or by a parameter.
    pub(super) fn addresses(&mut self, argument: &Argument<OneOrMany<IpAddr>>) -> Vec<IpAddr> {
        match argument {
            Argument::Literal(addresses) => addresses.0.clone(),
            Argument::Parameter(name) => match self.setting(name) {
                Some(Setting::Addresses(addresses)) => addresses.clone(),
                other => self.mistyped(name, "a list of addresses", other).unwrap_or_default(),
            },
        }
    }

    fn forgery(&mut self, answer: &DnsAnswer) -> DnsForgery {
        let addresses = answer.addresses.as_ref().map(|addresses| self.addresses(addresses)).unwrap_or_default();
        DnsForgery {
            rcode: answer.rcode.unwrap_or_default().0,
            addresses,
            ttl: answer.ttl,
            authoritative: answer.authoritative,
        }
    }

    fn police(&mut self, police: &PoliceDeclaration) -> Police {
        let burst = self.size(&police.burst);
        if burst < MIN_BURST {
            let message = format!("a burst of {burst} bytes is less than one packet, so most would never pass");
            let help = format!("write at least \"{MIN_BURST}B\", which is a full packet");
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, police.at(), message).help(help));
        }
        Police { bits_per_second: self.rate(&police.rate), burst, per: police.per }
    }

    fn redirect(&mut self, redirect: &RedirectDeclaration) -> Redirect {
        let addresses = self.addresses(&redirect.address);
        let v4 = addresses.iter().find_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        });
        let v6 = addresses.iter().find_map(|address| match address {
            IpAddr::V6(address) => Some(*address),
            IpAddr::V4(_) => None,
        });
        Redirect { v4, v6, port: redirect.port }
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
            ..Rewrite::default()
        }
    }
}

/// The MTU of every link.
const MIN_BURST: u64 = 1500;
