//! The services of a scenario, and those that come with them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use crate::bogons;
use crate::declare::{FileKind, HostDeclaration, PageAnswerDeclaration, PageDeclaration, ScenarioFile, ServiceFile};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::library::{Library, is_path};
use crate::model::{Host, HostAnswer, Listener, Page, Protocol, Service};
use crate::read::Located;
use crate::source::{Location, SourceFile, Text};
use crate::suggest;

use super::host::{check_ports, tunnel, websocket};
use super::targets::target;
use super::{Context, check_id, document};

/// All services of a scenario: those that it uses, and its own machines as one more, which is called by its id.
pub(crate) fn of_scenario(file: &ScenarioFile, context: &Context<'_>, errors: &mut Collector) -> Vec<Service> {
    let mut services = brought_in(&file.uses, context, errors);
    if !(file.hosts.is_empty() && file.targets.is_empty()) {
        services.extend(own(file, context.library, errors));
    }
    let place = file.uses.first().map(|first| &first.at).or_else(|| file.hosts.first().map(Located::at));
    finished(services, place, errors)
}

/// All services of the library.
pub(crate) fn of_library(context: &Context<'_>, errors: &mut Collector) -> Vec<Service> {
    let named = |id: &str| {
        let source = context.library.document(id)?;
        Some(Text { value: id.to_owned(), at: source.location(0..0) })
    };
    let all: Vec<Text> = context.library.services().filter_map(named).collect();
    brought_in(&all, context, errors)
}

/// All services that these names bring in, each once, in the order in which they are met.
fn brought_in(uses: &[Text], context: &Context<'_>, errors: &mut Collector) -> Vec<Service> {
    let mut walk = Walk { context, errors, trail: Vec::new(), done: Vec::new(), services: Vec::new() };
    for each in uses {
        walk.visit(each);
    }
    walk.services
}

/// The services with all that they have only together; `place` is where a clash of theirs is shown.
fn finished(mut services: Vec<Service>, place: Option<&Location>, errors: &mut Collector) -> Vec<Service> {
    if let Some(place) = place {
        check_hosts(&services, place, errors);
    }
    add_other_ports(&mut services);
    services
}

/// What is on every lab's internet without being named: what a stock OONI probe needs. Where a scenario has a name or a place
/// of it already, the scenario's counts.
pub(crate) fn background(services: &[Service], context: &Context<'_>, errors: &mut Collector) -> Vec<Service> {
    let Some(source) = context.library.document(OONI) else { return Vec::new() };
    let written = Text { value: OONI.to_owned(), at: source.location(0..0) };
    let done = services.iter().map(|service| service.id.to_string()).collect();
    let mut walk = Walk { context, errors, trail: Vec::new(), done, services: Vec::new() };
    walk.visit(&written);
    let mut background = walk.services;
    let hosts = services.iter().flat_map(|service| &service.hosts);
    let taken: BTreeSet<_> = hosts.clone().flat_map(places).collect();
    let names: BTreeSet<&str> = hosts.flat_map(|host| &host.names).map(String::as_str).collect();
    for service in &mut background {
        service.targets.clear();
        service.hosts.retain(|host| {
            !host.names.iter().any(|name| names.contains(name.as_str()))
                && places(host).all(|place| !taken.contains(&place))
        });
    }
    background
}

const OONI: &str = "services/ooni";

/// Checks a service of the library.
pub(crate) fn check_service(id: &str, context: &Context<'_>, errors: &mut Collector) -> Option<()> {
    let source = context.library.document(id)?;
    errors.open(source);
    let written = Text { value: id.to_owned(), at: source.location(0..0) };
    let services = brought_in(std::slice::from_ref(&written), context, errors);
    finished(services, Some(&written.at), errors);
    Some(())
}

/// A walk through files that use each other.
struct Walk<'a, 'b> {
    context: &'a Context<'b>,
    errors: &'a mut Collector,
    /// The files between the scenario and here.
    trail: Vec<String>,
    done: Vec<String>,
    services: Vec<Service>,
}

impl Walk<'_, '_> {
    fn visit(&mut self, id: &Text) {
        let Some(source) = self.find(id) else { return };
        // A service of the library is called by its place, and one beside a file by its path.
        let name = if is_path(id) { source.name() } else { id };
        if let Some(start) = self.trail.iter().position(|each| each == name) {
            let circle = self.trail[start..].iter().map(String::as_str).chain([name]).collect::<Vec<_>>();
            let message = format!("`use` goes in a circle: {}", circle.join(" -> "));
            let help = "take one of these `use` out";
            self.errors.push(Diagnostic::new(DiagnosticKind::UseLoop, &id.at, message).help(help));
            return;
        }
        if self.done.iter().any(|each| each == name) {
            return;
        }
        let Some(file): Option<ServiceFile> = document(&source, FileKind::Service, self.errors) else { return };
        check_id(&file.id, Some(id.as_str()).filter(|id| !is_path(id)), self.errors);
        self.trail.push(name.to_owned());
        file.uses.iter().for_each(|each| self.visit(each));
        self.trail.pop();
        self.done.push(name.to_owned());
        self.services.extend(service(&file, self.context.library, self.errors));
    }

    fn find(&mut self, id: &Text) -> Option<Arc<SourceFile>> {
        if is_path(id) {
            return self.context.file_beside(id, "service", self.errors);
        }
        let Some(source) = self.context.library.document(id) else {
            let message = format!("the library has no service `{}`", id.value);
            let help = suggest::help("it has", id, self.context.library.services());
            self.errors.push(Diagnostic::new(DiagnosticKind::UnknownService, &id.at, message).help(help));
            return None;
        };
        if !id.starts_with("services/") {
            let message = format!("`{}` is not a service", id.value);
            let help = suggest::help("the library's services are", id, self.context.library.services());
            self.errors.push(Diagnostic::new(DiagnosticKind::WrongKind, &id.at, message).help(help));
            return None;
        }
        Some(Arc::clone(source))
    }
}

/// The machines that a scenario has of its own.
fn own(file: &ScenarioFile, library: &Library, errors: &mut Collector) -> Option<Service> {
    let (id, title) = (file.id.0.as_ref()?, file.title.0.clone()?);
    let hosts: Vec<Host> = file.hosts.iter().filter_map(|each| host(each, &title, errors)).collect();
    let targets = file.targets.iter().filter_map(|each| target(each, &hosts, library, errors)).collect();
    Some(Service { id: id.as_str().into(), title, hosts, targets })
}

fn service(file: &ServiceFile, library: &Library, errors: &mut Collector) -> Option<Service> {
    let title = file.title.0.clone()?;
    let hosts: Vec<Host> = file.hosts.iter().filter_map(|each| host(each, &title, errors)).collect();
    let targets = file.targets.iter().filter_map(|each| target(each, &hosts, library, errors)).collect();
    Some(Service { id: file.id.0.as_ref()?.as_str().into(), title, hosts, targets })
}

fn host(host: &HostDeclaration, title: &str, errors: &mut Collector) -> Option<Host> {
    for name in &host.names {
        check_host_name(name, errors);
    }
    for address in &host.addresses {
        // Real names lead to such addresses too, by mistake or by a lie, and nobody answers there.
        let broken = host.listen.as_ref().is_some_and(Vec::is_empty);
        if let Some(message) = bogons::complaint(**address).filter(|_| !broken) {
            errors.push(Diagnostic::new(DiagnosticKind::NotPublic, &address.at, message).help(bogons::HELP));
        }
    }
    for (key, empty) in [("names", host.names.is_empty()), ("addresses", host.addresses.is_empty())] {
        if empty {
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, host.at(), format!("`{key}` names nothing")));
        }
    }
    let usual =
        || vec![Listener { port: 80, protocol: Protocol::Http }, Listener { port: 443, protocol: Protocol::Https }];
    let page = host.page.as_ref().map(page_of);
    let answers = host.answers.iter().map(|each| answer(each, errors)).collect();
    let listen = host.listen.as_ref().map(|listen| listen.iter().flat_map(|each| &each.0).copied().collect());
    let listen: Vec<Listener> = listen.unwrap_or_else(usual);
    check_ports(&listen, host, errors);
    Some(Host {
        names: host.names.iter().map(|name| name.to_ascii_lowercase()).collect(),
        addresses: host.addresses.iter().map(|address| address.value).collect(),
        certificate: host.certificate,
        websocket: host.websocket.as_ref().and_then(|each| websocket(each, errors)),
        wireguard: tunnel(&listen, host, errors),
        ooni: host.ooni,
        listen,
        page: page.unwrap_or_else(|| Page { title: title.to_owned(), text: format!("{title} answers."), length: None }),
        answers,
        hidden: host.hidden,
    })
    .filter(|host| !host.names.is_empty() && !host.addresses.is_empty())
}

fn page_of(declared: &PageDeclaration) -> Page {
    let length = declared.length.map(|length| usize::try_from(length).unwrap_or(usize::MAX).min(LONGEST_PAGE));
    Page { title: declared.title.clone(), text: declared.text.clone(), length }
}

fn answer(declared: &PageAnswerDeclaration, errors: &mut Collector) -> HostAnswer {
    let status = declared.status.as_ref().map_or(200, |status| status.value);
    if let Some(written) = declared.status.as_ref().filter(|status| !(200..600).contains(&status.value)) {
        let message = format!("{} is not the status of an answer", written.value);
        errors.push(Diagnostic::new(DiagnosticKind::BadValue, &written.at, message).help("write one from 200 to 599"));
    }
    HostAnswer {
        path: declared.path.clone(),
        clients: declared.clients.0.clone(),
        status,
        location: declared.location.clone(),
        page: declared.page.as_ref().map(page_of),
    }
}

/// As much as the lab's servers fill.
const LONGEST_PAGE: usize = 16 << 20;

fn check_host_name(name: &Text, errors: &mut Collector) {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|each| each.is_ascii_alphanumeric() || b"-_".contains(&each))
    };
    if name.len() > 253 || !name.split('.').all(label) {
        let message = format!("`{}` is not a host name", name.value);
        let help = "write letters, digits, `-` and dots, without a dot at the end; other scripts in punycode";
        errors.push(Diagnostic::new(DiagnosticKind::BadName, &name.at, message).help(help));
    }
}

/// The host's name in a URL.
pub(crate) fn host_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let name = authority.split(':').next()?;
    (!name.is_empty() && !authority.contains('@')).then_some(name)
}

/// Two hosts cannot share an address and a port: the lab could not tell which of them answers.
fn check_hosts(services: &[Service], at: &Location, errors: &mut Collector) {
    let mut taken: BTreeMap<(IpAddr, u16, &str), (&Service, usize)> = BTreeMap::new();
    let hosts = services.iter().flat_map(|service| service.hosts.iter().map(move |host| (service, host)));
    for (number, (service, host)) in hosts.enumerate() {
        for (address, port, transport) in places(host) {
            let other = taken.insert((address, port, transport), (service, number));
            if let Some((other, _)) = other.filter(|(_, owner)| *owner != number) {
                let message = format!(
                    "{address} port {port} ({transport}) is taken twice, by `{}` and `{}`",
                    other.id, service.id
                );
                let help = "give the names to one host, or move one of them to another address";
                errors.push(Diagnostic::new(DiagnosticKind::AddressClash, at, message).help(help));
            }
        }
    }
}

/// Lets what answers at its usual port answer at another too, where nothing else does: a block of a port must be told from
/// one of an address.
fn add_other_ports(services: &mut [Service]) {
    let all = services.iter().flat_map(|service| &service.hosts);
    let mut taken: BTreeSet<_> = all.flat_map(places).collect();
    for host in services.iter_mut().flat_map(|service| &mut service.hosts) {
        let usual = host.listen.iter().filter(|each| each.port == each.protocol.usual_port());
        let others: Vec<Listener> = usual
            .filter_map(|each| Some(Listener { port: each.protocol.other_port()?, protocol: each.protocol }))
            .collect();
        for listener in others {
            let alone = Host { addresses: host.addresses.clone(), listen: vec![listener], ..Host::default() };
            let wanted: Vec<_> = places(&alone).collect();
            if wanted.iter().all(|place| !taken.contains(place)) {
                host.listen.push(listener);
                taken.extend(wanted);
            }
        }
    }
}

/// Every place where a host listens.
fn places(host: &Host) -> impl Iterator<Item = (IpAddr, u16, &'static str)> {
    host.addresses.iter().flat_map(move |address| {
        host.listen.iter().flat_map(move |Listener { port, protocol }| {
            let transports = [("TCP", protocol.over_tcp()), ("UDP", protocol.over_udp())];
            transports.into_iter().filter(|(_, used)| *used).map(move |(transport, _)| (*address, *port, transport))
        })
    })
}
