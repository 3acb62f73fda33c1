//! What is measured: names are checked, and what was left out is filled in.

use std::net::IpAddr;
use std::time::Duration;

use super::services::host_of;
use crate::declare::{
    AppProbe, ConnectionsProbe, DnsProbe, H3Probe, HttpProbe, ProbeDeclaration, QuicProbe, ResidualProbe, TlsProbe,
    TraceProbe,
};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::library::Library;
use crate::model::{
    Authority, DnsPatience, DnsTransport, Family, Host, MtProtoTransport, Probe, Protocol, Says, Service, USUAL_MEDIA,
};
use crate::read::Located;
use crate::source::{Location, Spanned, Text};

/// From a declared measurement to one with every address that the file pins or means.
pub(super) struct ProbeBuilder<'a> {
    hosts: Vec<&'a Host>,
    /// Where captured bytes are.
    pub(super) library: &'a Library,
    /// The address of a resolver that is called by a name of the file's.
    resolver: &'a mut dyn FnMut(&Text, &mut Collector) -> Option<IpAddr>,
    pub(super) errors: &'a mut Collector,
}

impl<'a> ProbeBuilder<'a> {
    /// One for measurements that use these services.
    pub(super) fn new(
        services: &'a [Service],
        library: &'a Library,
        resolver: &'a mut dyn FnMut(&Text, &mut Collector) -> Option<IpAddr>,
        errors: &'a mut Collector,
    ) -> Self {
        Self { hosts: services.iter().flat_map(|service| &service.hosts).collect(), library, resolver, errors }
    }

    /// One for what a service's own users do: its hosts are all that there is, and no resolver has a name.
    pub(super) fn of_service(
        hosts: &'a [Host],
        library: &'a Library,
        resolver: &'a mut dyn FnMut(&Text, &mut Collector) -> Option<IpAddr>,
        errors: &'a mut Collector,
    ) -> Self {
        Self { hosts: hosts.iter().collect(), library, resolver, errors }
    }

    /// The measurement, if nothing is missing. `at` is where it is asked for.
    pub(super) fn probe(&mut self, declared: &ProbeDeclaration, at: &Location) -> Option<Probe> {
        let probe = self.built(declared)?;
        for name in names_of(&probe) {
            self.check_name(name, at);
        }
        Some(probe)
    }

    fn built(&mut self, declared: &ProbeDeclaration) -> Option<Probe> {
        Some(match declared {
            ProbeDeclaration::UsualWhatsApp => Probe::WhatsApp { media: USUAL_MEDIA, family: Family::V4 },
            ProbeDeclaration::UsualTelegram => {
                Probe::Telegram { media: USUAL_MEDIA, transport: MtProtoTransport::Obfuscated2 }
            }
            ProbeDeclaration::UsualMessenger => Probe::Messenger { media: USUAL_MEDIA, family: Family::V4 },
            ProbeDeclaration::UsualInstagram => Probe::Instagram { media: USUAL_MEDIA, family: Family::V4 },
            ProbeDeclaration::UsualMax => Probe::Max { authority: Authority::Known, family: Family::V4 },
            ProbeDeclaration::Dns(dns) => self.dns(dns)?,
            ProbeDeclaration::Command(command) => Probe::Command {
                location: command.run.at.clone(),
                run: command.run.value.clone(),
                status: command.status,
                within: command.within,
            },
            ProbeDeclaration::Ping(ping) => Probe::Ping { address: ping.address },
            ProbeDeclaration::Tcp(tcp) => Probe::Tcp { address: tcp.address, port: tcp.port },
            ProbeDeclaration::Tls(tls) => self.tls(tls)?,
            ProbeDeclaration::Http(http) => self.http(http)?,
            ProbeDeclaration::Web(web) => {
                let Some(_) = host_of(&web.url) else { return self.no_url(&web.url) };
                Probe::WebConnectivity { url: web.url.value.clone() }
            }
            ProbeDeclaration::WhatsApp(AppProbe { media, family, .. }) => {
                Probe::WhatsApp { media: *media, family: *family }
            }
            ProbeDeclaration::WhatsAppChat(chat) => {
                let name = Text { value: CHAT.to_owned(), at: chat.at().clone() };
                let address = self.server(chat.address, Some(&name), chat.at())?;
                Probe::WhatsAppChat { address, port: chat.port, header: chat.header }
            }
            ProbeDeclaration::Telegram(telegram) => {
                Probe::Telegram { media: telegram.media, transport: telegram.transport }
            }
            ProbeDeclaration::TelegramChat(chat) => {
                Probe::TelegramChat { address: chat.address, port: chat.port, transport: chat.transport }
            }
            ProbeDeclaration::Messenger(AppProbe { media, family, .. }) => {
                Probe::Messenger { media: *media, family: *family }
            }
            ProbeDeclaration::Instagram(AppProbe { media, family, .. }) => {
                Probe::Instagram { media: *media, family: *family }
            }
            ProbeDeclaration::Max(max) => Probe::Max { authority: max.authority, family: max.family },
            ProbeDeclaration::Call(call) => {
                self.check_length(call.lasts, call.at());
                let address = self.server(call.address, call.host.as_ref(), call.at())?;
                Probe::Call { address, port: call.port, lasts: call.lasts }
            }
            ProbeDeclaration::Stun(stun) => {
                let address = self.server(stun.address, stun.host.as_ref(), stun.at())?;
                Probe::Stun { address, port: stun.port }
            }
            ProbeDeclaration::WireGuard(tunnel) => {
                let address = self.server(tunnel.address, tunnel.host.as_ref(), tunnel.at())?;
                self.check_tunnel(address, tunnel.at())?;
                Probe::WireGuard { address, port: tunnel.port, packets: tunnel.packets }
            }
            ProbeDeclaration::Throughput(throughput) => {
                for name in std::iter::once(&throughput.host).chain(&throughput.beside) {
                    self.check_name(name, &name.at);
                }
                Probe::Throughput {
                    host: throughput.host.value.clone(),
                    address: throughput.address,
                    kilobytes: throughput.kilobytes,
                    upload: throughput.upload,
                    at_least: throughput.at_least,
                    beside: throughput.beside.as_ref().map(|name| name.value.clone()),
                }
            }
            ProbeDeclaration::Freeze(freeze) => {
                for name in std::iter::once(&freeze.host).chain(&freeze.beside) {
                    self.check_name(name, &name.at);
                }
                Probe::Freeze {
                    host: freeze.host.value.clone(),
                    address: freeze.address,
                    kilobytes: freeze.kilobytes,
                    upload: freeze.upload,
                    beside: freeze.beside.as_ref().map(|name| name.value.clone()),
                }
            }
            ProbeDeclaration::Residual(residual) => self.residual(residual)?,
            ProbeDeclaration::Trace(trace) => self.trace(trace)?,
            ProbeDeclaration::Connections(connections) => self.connections(connections)?,
            ProbeDeclaration::Quic(quic) => self.quic(quic)?,
            ProbeDeclaration::H3(h3) => self.h3(h3)?,
            ProbeDeclaration::Speak(speak) => {
                let address = self.server(speak.address, speak.host.as_ref(), speak.at())?;
                let payloads = self.payloads(speak)?;
                let before = self.before(speak)?;
                let (port, transport, pause, reply) = (speak.port, speak.transport, speak.pause, speak.reply);
                Probe::Speak { address, port, transport, before, payloads, pause, reply }
            }
        })
    }

    fn dns(&mut self, dns: &DnsProbe) -> Option<Probe> {
        let resolver = match &dns.resolver {
            Some(written) => Some((self.resolver)(written, self.errors)?),
            None => None,
        };
        if dns.answer.0.is_empty() {
            self.check_name(&dns.name, &dns.name.at);
        }
        if matches!(dns.transport, DnsTransport::Tls | DnsTransport::Https) && !self.has_name(resolver) {
            let message = "a resolver over TLS must have a name for its certificate, and this one has none";
            let help = "name a public resolver of a service with `resolver`";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, dns.at(), message).help(help));
            return None;
        }
        if dns.transport != DnsTransport::Udp && (dns.patient || !dns.within.is_zero()) {
            let help = "take `within` and `patient` out, or ask over UDP";
            return self.refuse(dns.at(), "over a connection there is one answer and nothing to wait for", help);
        }
        Some(Probe::Dns {
            name: dns.name.value.clone(),
            family: dns.family,
            resolver,
            port: dns.port.unwrap_or(dns.transport.usual_port()),
            transport: dns.transport,
            answer: dns.answer.0.clone(),
            patience: DnsPatience { within: dns.within, last: dns.patient },
        })
    }

    fn has_name(&self, resolver: Option<IpAddr>) -> bool {
        resolver.is_some_and(|address| self.hosts.iter().any(|host| host.addresses.contains(&address)))
    }

    fn tls(&mut self, tls: &TlsProbe) -> Option<Probe> {
        let address = self.named(tls.address, tls.family, &tls.sni)?;
        let verify = tls.verify.unwrap_or_else(|| self.addresses(&tls.sni).any(|each| each == address));
        let hello = self.hello(tls)?;
        Some(Probe::Tls { address, port: tls.port, sni: tls.sni.value.clone(), verify, hello })
    }

    fn no_url(&mut self, url: &Spanned<String>) -> Option<Probe> {
        let message = format!("`{}` is not a URL that a probe can open", **url);
        let help = "write `http://` or `https://`, a name and a path";
        self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, &url.at, message).help(help));
        None
    }

    fn http(&mut self, http: &HttpProbe) -> Option<Probe> {
        let Some(name) = host_of(&http.url) else { return self.no_url(&http.url) };
        if http.address.is_none() {
            self.check_name(name, &http.url.at);
        }
        let HttpProbe { url, address, family, version, .. } = http;
        let request = self.request(http)?;
        Some(Probe::Http { url: url.value.clone(), address: *address, family: *family, version: *version, request })
    }

    fn connections(&mut self, declared: &ConnectionsProbe) -> Option<Probe> {
        let ConnectionsProbe { port, sni, count, within, .. } = declared;
        if !(1..=MOST_CONNECTIONS).contains(count) {
            let message = format!("{count} connections cannot be made");
            return self.refuse(declared.at(), &message, &format!("write a `count` from 1 to {MOST_CONNECTIONS}"));
        }
        let address = self.named(declared.address, declared.family, sni)?;
        let verify = self.addresses(sni).any(|each| each == address);
        let (port, sni, count, within) = (*port, sni.value.clone(), *count, *within);
        Some(Probe::Connections { address, port, sni, verify, count, within })
    }

    fn residual(&mut self, declared: &ResidualProbe) -> Option<Probe> {
        let ResidualProbe { trigger, test, elsewhere, within, tries, .. } = declared;
        if !(1..=MOST_TRIES).contains(tries) || !(Duration::from_secs(4)..=LONGEST_RESIDUAL).contains(within) {
            let help = "write a `within` from 4 seconds to a day, and `tries` from 1 to 20";
            return self.refuse(declared.at(), "so long or so often is not looked", help);
        }
        let mut part = |probe: &ProbeDeclaration| {
            let probe = self.built(probe)?;
            // A program's need for permission would not be seen in here, and the clock can be moved by one at a time.
            if matches!(probe, Probe::Command { .. } | Probe::Residual { .. }) {
                let message = "a `command` or a `residual` is no part of a `residual`";
                return self.refuse(declared.at(), message, "name a measurement of one connection, as `tls`");
            }
            Some(Box::new(probe))
        };
        let (trigger, test) = (part(trigger)?, part(test)?);
        let elsewhere = match elsewhere {
            Some(elsewhere) => Some(part(elsewhere)?),
            None => None,
        };
        Some(Probe::Residual { trigger, test, elsewhere, within: *within, tries: *tries })
    }

    fn trace(&mut self, declared: &TraceProbe) -> Option<Probe> {
        let TraceProbe { address, port, sni, host, query, neutral, .. } = declared;
        let (says, name, usual_port) = match (sni, host, query) {
            (Some(name), None, None) => (Says::ClientHello, name, 443),
            (None, Some(name), None) => (Says::Request, name, 80),
            (None, None, Some(name)) => (Says::Query, name, 53),
            _ => {
                let help = "write one of `sni`, `host` and `query`, with the name that may be interfered with";
                return self.refuse(declared.at(), "it says one name, in one way", help);
            }
        };
        let address = match (says, address) {
            (Says::Query, None) => {
                let help = "say with `address` who is asked; it must answer the neutral name";
                return self.refuse(declared.at(), "where to is missing", help);
            }
            _ => self.named(*address, Family::V4, name)?,
        };
        if address.is_ipv6() {
            let help = "write an IPv4 address; hop limits of IPv6 are not traced";
            return self.refuse(declared.at(), "this is an IPv6 address", help);
        }
        let port = port.unwrap_or(usual_port);
        Some(Probe::Trace { address, port, says, about: name.value.clone(), neutral: neutral.clone() })
    }

    fn quic(&mut self, quic: &QuicProbe) -> Option<Probe> {
        let address = self.named(quic.address, quic.family, &quic.sni)?;
        let verify = quic.verify.unwrap_or_else(|| self.addresses(&quic.sni).any(|each| each == address));
        let QuicProbe { port, sni, version, .. } = quic;
        Some(Probe::Quic { address, port: *port, sni: sni.value.clone(), version: *version, verify })
    }

    fn h3(&mut self, h3: &H3Probe) -> Option<Probe> {
        let Some(name) = host_of(&h3.url).filter(|_| h3.url.starts_with("https://")) else {
            let message = format!("`{}` is not a URL that can be opened over HTTP/3", *h3.url);
            return self.refuse(&h3.url.at, &message, "write `https://`, a name and a path");
        };
        if h3.address.is_none() {
            self.check_name(name, &h3.url.at);
        }
        Some(Probe::H3 { url: h3.url.value.clone(), address: h3.address, family: h3.family })
    }

    /// A pinned address, or the first one of a family that a server's name has.
    fn named(&mut self, pinned: Option<IpAddr>, family: Family, name: &Text) -> Option<IpAddr> {
        let of_family = |address: &IpAddr| address.is_ipv6() == (family == Family::V6);
        let found = pinned.or_else(|| self.addresses(name).find(of_family));
        if found.is_none() {
            let message = format!("the lab has no address of this family for `{}`", name.value);
            let help = "pin one with `address`, or name a service that has it in `use`";
            self.errors.push(Diagnostic::new(DiagnosticKind::UnknownHost, &name.at, message).help(help));
        }
        found
    }

    /// A pinned address, or the first one that a name has.
    fn server(&mut self, pinned: Option<IpAddr>, name: Option<&Text>, at: &Location) -> Option<IpAddr> {
        if pinned.is_some() {
            return pinned;
        }
        let Some(name) = name else {
            let message = "where to is missing";
            let help = "say it with `address`, or name a host of the lab with `host`";
            self.errors.push(Diagnostic::new(DiagnosticKind::MissingKey, at, message).help(help));
            return None;
        };
        self.check_name(name, &name.at);
        self.addresses(name).next()
    }

    fn check_tunnel(&mut self, address: IpAddr, at: &Location) -> Option<()> {
        let listens = |host: &&&Host| host.listen.iter().any(|each| each.protocol == Protocol::WireGuard);
        let mut there = self.hosts.iter().filter(|host| host.addresses.contains(&address));
        if there.any(|host| listens(&host)) {
            return Some(());
        }
        let message = format!("no host of the lab has a WireGuard tunnel at {address}");
        let help = "name the service that has it in `use`";
        self.errors.push(Diagnostic::new(DiagnosticKind::UnknownHost, at, message).help(help));
        None
    }

    fn check_length(&mut self, lasts: Duration, at: &Location) {
        if !(Duration::from_secs(1)..=LONGEST_CALL).contains(&lasts) {
            let message = "a call must last from one second to one hour";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, at, message));
        }
    }

    fn check_name(&mut self, name: &str, at: &Location) {
        if self.addresses(name).next().is_none() {
            let message = format!("no host of the lab is named `{name}`");
            let help = "name the service that has it in `use`";
            self.errors.push(Diagnostic::new(DiagnosticKind::UnknownHost, at, message).help(help));
        }
    }

    fn addresses(&self, name: &str) -> impl Iterator<Item = IpAddr> {
        addresses(self.hosts.iter().copied(), name)
    }
}

/// The addresses that these hosts have under a name.
pub(super) fn addresses<'a>(hosts: impl Iterator<Item = &'a Host>, name: &str) -> impl Iterator<Item = IpAddr> {
    let named = hosts.filter(move |host| host.names.iter().any(|each| each.eq_ignore_ascii_case(name)));
    named.flat_map(|host| host.addresses.iter().copied())
}

/// The names without which an app cannot be used.
fn names_of(probe: &Probe) -> &'static [&'static str] {
    match probe {
        Probe::WhatsApp { .. } => {
            &[CHAT, "mmg.whatsapp.net", "e1.whatsapp.net", "e16.whatsapp.net", "v.whatsapp.net", "web.whatsapp.com"]
        }
        Probe::Telegram { .. } => &["cdn4.telesco.pe", "web.telegram.org"],
        Probe::Messenger { .. } => &["edge-mqtt.facebook.com", "scontent.xx.fbcdn.net", "stun.fbsbx.com"],
        Probe::Instagram { .. } => &["www.instagram.com", "i.instagram.com", "scontent.cdninstagram.com"],
        Probe::Max { authority: Authority::Known, .. } => &["max.ru", "api.oneme.ru", "ws-api.oneme.ru"],
        Probe::Max { authority: Authority::Foreign, .. } => &["max.ru", "platform-api2.max.ru", "ws-api.oneme.ru"],
        _ => &[],
    }
}

/// The name under which a client of WhatsApp finds its chat.
const CHAT: &str = "g.whatsapp.net";
/// Each is a socket at both ends.
const MOST_CONNECTIONS: u16 = 200;
const MOST_TRIES: u16 = 20;
const LONGEST_RESIDUAL: Duration = Duration::from_secs(86_400);
const LONGEST_CALL: Duration = Duration::from_secs(3600);
