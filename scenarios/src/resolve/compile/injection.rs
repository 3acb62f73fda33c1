//! `inject` becomes injections.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use roadblock_censor::policy::{
    DnsForgery, DnsInjection, HttpAnswer, Injection, InjectionKind, IpShape, Number, SegmentShape, TcpFlags,
};

use super::super::arguments::Setting;
use super::super::items::expand;
use super::Compiler;
use crate::declare::{
    Argument, DnsAnswer, HeaderNumber, HttpDeclaration, InjectDeclaration, Injectable, IpDeclaration, Items, Offset,
    ResetDeclaration, SegmentDeclaration,
};
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::read::{Located, OneOrMany};
use crate::source::{Location, Text};

impl Compiler<'_, '_> {
    /// The packets that are sent besides.
    pub(super) fn injections(&mut self, all: &[InjectDeclaration]) -> Vec<Injection> {
        all.iter().flat_map(|each| self.injection(each)).collect()
    }

    /// One packet for each of its delays.
    fn injection(&mut self, declared: &InjectDeclaration) -> Vec<Injection> {
        let kind = match declared.what() {
            Some(Injectable::Reset(reset)) => InjectionKind::Segment(reset_shape(reset)),
            Some(Injectable::Segment(segment)) => InjectionKind::Segment(self.segment(segment)),
            Some(Injectable::Http(http)) => self.http_answer(http),
            Some(Injectable::Dns(answer)) => InjectionKind::Dns(self.dns_answer(answer)),
            Some(Injectable::Icmp(icmp)) => InjectionKind::Icmp { to: icmp.to.0, error: icmp.error.0 },
            None => {
                let message = "a packet to inject is one of `reset`, `segment`, `http`, `dns` and `icmp`";
                self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, declared.at(), message));
                return Vec::new();
            }
        };
        let ip = declared.ip.as_ref().map(|ip| self.ip(ip)).unwrap_or_default();
        let delays = self.delays(&declared.delay);
        delays.into_iter().map(|delay| Injection { kind: kind.clone(), ip: ip.clone(), delay }).collect()
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
    pub(super) fn addresses(&mut self, argument: &Argument<Items>) -> Vec<IpAddr> {
        match argument {
            Argument::Literal(items) => expand(items, self.context, self.errors),
            Argument::Parameter(name) => match self.setting(name) {
                Some(Setting::Addresses(addresses)) => addresses.clone(),
                other => self.mistyped(name, "a list of addresses", other).unwrap_or_default(),
            },
        }
    }

    fn text(&mut self, argument: &Argument<Text>) -> String {
        match argument {
            Argument::Literal(text) => text.value.clone(),
            Argument::Parameter(name) => match self.setting(name) {
                Some(Setting::Text(text)) => text.clone(),
                other => self.mistyped(name, "a text", other).unwrap_or_default(),
            },
        }
    }

    fn segment(&mut self, segment: &SegmentDeclaration) -> SegmentShape {
        let text = segment.text.as_ref().map(|text| self.text(text)).unwrap_or_default();
        let hex = segment.hex.as_ref().map(|hex| hex.0.as_slice()).unwrap_or_default();
        let payload: Arc<[u8]> = [text.as_bytes(), hex].concat().into();
        SegmentShape {
            to: segment.to.0,
            flags: segment.flags.0,
            payload,
            at: offsets(&segment.at_offsets),
            window: segment.window.map_or(Number::Fixed(0), |window| number(window, &Number::RANDOM)),
            acknowledgement: segment.ack_offset.0,
        }
    }

    fn http_answer(&mut self, http: &HttpDeclaration) -> InjectionKind {
        if !(200..600).contains(&http.status) {
            let message = format!("{} is no status that ends an exchange", http.status);
            let help = "write one from 200 to 599, such as 200, 302, 403 or 451";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, http.at(), message).help(help));
        }
        let location = http.location.as_ref().map(|location| self.text(location));
        // A line break in a header would begin another.
        if location.as_ref().is_some_and(|location| location.contains(['\r', '\n'])) {
            let message = "a location is one line";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, http.at(), message));
        }
        let body = http.body.as_ref().map(|body| self.text(body)).unwrap_or_default();
        let answer = HttpAnswer { status: http.status, location, body: body.into_bytes() };
        match (InjectionKind::http(http.to.0, &answer), http.flags) {
            (InjectionKind::Segment(shape), Some(flags)) => {
                InjectionKind::Segment(SegmentShape { flags: flags.0, ..shape })
            }
            (kind, _) => kind,
        }
    }

    fn dns_answer(&mut self, answer: &DnsAnswer) -> DnsInjection {
        let addresses = answer.addresses.as_ref().map(|addresses| self.addresses(addresses)).unwrap_or_default();
        DnsInjection {
            forgery: DnsForgery {
                rcode: answer.rcode.unwrap_or_default().0,
                addresses,
                ttl: answer.ttl,
                authoritative: answer.authoritative,
            },
            pick: answer.pick,
            recursion_available: answer.recursion_available,
            cname: answer.cname.as_ref().map(|cname| self.text(cname).into()),
            qtypes: answer.qtypes.0.iter().map(|qtype| qtype.0).collect(),
            whatever_type: answer.whatever_type,
            copy_query: answer.copy_query,
        }
    }

    fn ip(&mut self, ip: &IpDeclaration) -> IpShape {
        let default = IpShape::default();
        let ttl = ip.ttl.map_or(default.ttl, |ttl| number(ttl, &Number::RANDOM_TTL));
        if largest(&ttl) > u16::from(u8::MAX) {
            let message = "a time to live is at most 255";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, ip.at(), message));
        }
        let id = ip.id.map_or(default.id, |id| number(id, &Number::RANDOM));
        IpShape { ttl, id, dont_fragment: ip.df }
    }

    /// What an on-path box cannot do, and what a profile believes that it does.
    pub(super) fn note_on_path(&mut self, at: &Location) {
        let message = "an on-path box can only watch and inject; the packet passes whatever a rule says";
        let help = "write `place = \"in-path\"` for the box, or use `inject`";
        self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, at, message).help(help));
    }
}

fn reset_shape(reset: &ResetDeclaration) -> SegmentShape {
    SegmentShape {
        to: reset.to.0,
        flags: reset.flags.map_or(TcpFlags::RST, |letters| letters.0),
        at: offsets(&reset.at_offsets),
        window: reset.window.map_or(Number::Fixed(0), |window| number(window, &Number::RANDOM)),
        acknowledgement: reset.ack_offset.0,
        ..SegmentShape::default()
    }
}

fn offsets(declared: &OneOrMany<Offset>) -> Vec<i64> {
    declared.0.iter().map(|offset| offset.0).collect()
}

/// A header's number; `any` is what a random one is where no range is said.
fn number(declared: HeaderNumber, any: &Number) -> Number {
    match declared {
        HeaderNumber::Fixed(number) => Number::Fixed(number),
        HeaderNumber::Copy => Number::Copy,
        HeaderNumber::Cycle(first, last) => Number::Cycle(first..=last),
        HeaderNumber::Random(Some((first, last))) => Number::Random(first..=last),
        HeaderNumber::Random(None) => any.clone(),
    }
}

fn largest(number: &Number) -> u16 {
    match number {
        Number::Fixed(number) => *number,
        Number::Copy => 0,
        Number::Cycle(range) | Number::Random(range) => *range.end(),
    }
}
