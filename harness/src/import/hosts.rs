//! The machines that must exist: the measured names' own, and those that lies lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use roadblock_scenarios::is_public;

use super::claim::{Findings, LieAnswer, Page, Redirect, Server};
use super::observations::{Answer, Asked, Exchange, Failed, Observations, Test};
use super::symptom::Symptom;
use super::truth::Truth;
use super::words::HostName;

/// The machines besides those of the library's services.
pub(crate) fn servers(observations: &Observations, truth: &Truth, findings: &Findings) -> Vec<Server> {
    let hosts = Hosts { observations, truth };
    let taken: BTreeSet<IpAddr> =
        truth.uses.iter().flat_map(|service| &service.hosts).flat_map(|host| host.addresses.iter().copied()).collect();
    let mut servers = hosts.own(&taken);
    servers.extend(hosts.impostors(findings, &taken));
    hosts.add_resolvers(&mut servers, &taken);
    servers
}

struct Hosts<'a> {
    observations: &'a Observations,
    truth: &'a Truth,
}

impl Hosts<'_> {
    /// The names' own, those with addresses in common as one, and a machine for each set of ports.
    fn own(&self, taken: &BTreeSet<IpAddr>) -> Vec<Server> {
        let mut servers = Vec::new();
        for (names, addresses) in self.families() {
            let mut by_ports: BTreeMap<(BTreeSet<String>, Option<&'static str>), BTreeSet<IpAddr>> = BTreeMap::new();
            for address in addresses.difference(taken) {
                let key = (self.listens(&names, *address), self.certificate(*address));
                by_ports.entry(key).or_default().insert(*address);
            }
            let (page, evidence) = (self.page(&names), self.evidence(&names));
            for ((listen, certificate), addresses) in by_ports {
                let names: Vec<String> = names.iter().map(ToString::to_string).collect();
                let page = page.clone();
                let evidence = evidence.clone();
                let all = Server { names, addresses, listen, certificate, page, evidence, ..Server::default() };
                servers.extend(self.with_redirects(all));
            }
        }
        servers
    }

    /// The same with where it leads to. What leads from HTTP to HTTPS must not lead there again, so the two are machines of
    /// their own then, at the same addresses.
    fn with_redirects(&self, server: Server) -> Vec<Server> {
        let [plain, secure] = [false, true].map(|secure| self.redirects(&server.names, secure));
        if plain == secure {
            return vec![Server { redirects: plain, ..server }];
        }
        let (http, other): (BTreeSet<_>, BTreeSet<_>) =
            server.listen.iter().cloned().partition(|each| each.starts_with("http:"));
        let halves = [(http, plain), (other, secure)].into_iter().filter(|(listen, _)| !listen.is_empty());
        halves.map(|(listen, redirects)| Server { listen, redirects, ..server.clone() }).collect()
    }

    /// Where these names lead to, with or without TLS; what somebody else answered in their place does not count.
    fn redirects(&self, names: &[String], secure: bool) -> Vec<Redirect> {
        let replaced = self.observations.replaced().is_some();
        let own = self
            .observations
            .exchanges
            .iter()
            .filter(|each| each.url.secure == secure && names.contains(&each.url.host) && (secure || !replaced));
        let redirects: BTreeSet<Redirect> = own
            .filter(|each| each.remote.is_none_or(|remote| self.truth.has(remote.ip())))
            .filter_map(|each| {
                let answer = each.result.as_ref().ok()?;
                let location = answer.location.clone().filter(|location| is_location(location))?;
                let status = Some(answer.status).filter(|status| (300..400).contains(status))?;
                Some(Redirect { path: each.url.path.clone(), status, location })
            })
            .collect();
        redirects.into_iter().take(MOST_PORTS).collect()
    }

    /// Whoever was asked for names, and is nobody that the lab has.
    fn add_resolvers(&self, servers: &mut Vec<Server>, taken: &BTreeSet<IpAddr>) {
        let asked: BTreeSet<IpAddr> = self
            .observations
            .lookups
            .iter()
            .filter_map(|lookup| match lookup.asked {
                Asked::Resolver(address) => Some(address),
                Asked::System => None,
            })
            .filter(|address| has_a_place(*address) && !taken.contains(address))
            .collect();
        for (number, address) in asked.into_iter().enumerate() {
            if let Some(known) = servers.iter_mut().find(|server| server.addresses.contains(&address)) {
                known.listen.insert("dns".to_owned());
                continue;
            }
            servers.push(Server {
                names: vec![format!("resolver-{}.example", number + 1)],
                addresses: BTreeSet::from([address]),
                listen: BTreeSet::from(["dns".to_owned()]),
                page: Page { title: "Resolver".to_owned(), ..Page::default() },
                evidence: "it was asked for names".to_owned(),
                ..Server::default()
            });
        }
    }

    /// Names that share addresses, with all of these.
    fn families(&self) -> Vec<(BTreeSet<HostName>, BTreeSet<IpAddr>)> {
        let mut families: Vec<(BTreeSet<HostName>, BTreeSet<IpAddr>)> = Vec::new();
        for (name, addresses) in self.truth.names().filter(|(_, addresses)| !addresses.is_empty()) {
            let (mut names, mut all) = (BTreeSet::from([name.clone()]), addresses.clone());
            families.retain(|(other, theirs)| {
                let apart = theirs.is_disjoint(&all);
                if !apart {
                    names.extend(other.iter().cloned());
                    all.extend(theirs.iter().copied());
                }
                apart
            });
            families.push((names, all));
        }
        families
    }

    /// What listens at an address: a port that nobody could connect to answers nothing, or refuses.
    fn listens(&self, names: &BTreeSet<HostName>, address: IpAddr) -> BTreeSet<String> {
        let input =
            self.observations.input.as_ref().filter(|input| names.iter().any(|name| name.as_str() == input.host));
        let tried = self.observations.connects.iter().map(|each| each.remote).filter(|remote| remote.ip() == address);
        let control = self.observations.control.iter().flat_map(|control| control.connects.keys().copied());
        let tried = tried.chain(control.filter(|remote| remote.ip() == address)).map(|remote| remote.port());
        let ports: BTreeSet<u16> = [80, 443].into_iter().chain(input.map(|input| input.port)).chain(tried).collect();
        let secure = |port: u16| port == 443 || input.is_some_and(|input| input.port == port && input.secure);
        ports
            .into_iter()
            .take(MOST_PORTS)
            .filter_map(|port| {
                let word = if secure(port) { "https" } else { "http" };
                match self.at_control(SocketAddr::new(address, port)) {
                    Some(failed) if failed.symptom == Symptom::Timeout => Some(format!("silence:{port}")),
                    Some(failed) if failed.symptom == Symptom::Refused => None,
                    // What else the control met, as that it has no IPv6, says nothing of the server.
                    Some(_) | None => Some(format!("{word}:{port}")),
                }
            })
            .chain(self.speaks_quic(address).then(|| "h3".to_owned()))
            .collect()
    }

    fn speaks_quic(&self, address: IpAddr) -> bool {
        let greeted = self.observations.handshakes.iter().filter(|each| each.quic);
        greeted.filter_map(|each| each.remote).any(|remote| remote == SocketAddr::new(address, 443))
    }

    /// How the control failed to connect, where it did.
    fn at_control(&self, remote: SocketAddr) -> Option<&Failed> {
        self.observations.control.as_ref()?.connects.get(&remote)?.as_ref()
    }

    /// What is wrong with its certificate: the control met it too.
    fn certificate(&self, address: IpAddr) -> Option<&'static str> {
        let control = self.observations.control.as_ref()?;
        let there = control.handshakes.iter().filter(|(remote, _)| remote.ip() == address);
        there.filter_map(|(_, failed)| failed.as_ref()).find_map(|failed| wrong_certificate(failed.symptom))
    }

    /// The page of the control, which is that of the last name that the input led to, or the one that the client got.
    fn page(&self, names: &BTreeSet<HostName>) -> Page {
        let is_own = |host: &str| names.iter().any(|name| name.as_str() == host);
        let mut chain = self.observations.exchanges.iter().filter(|_| self.observations.replaced().is_none());
        let last = chain.next_back().map(|each| each.url.host.as_str());
        let last = last.or(self.observations.input.as_ref().map(|input| input.host.as_str()));
        let control = self.observations.control.as_ref().and_then(|control| control.page.as_ref());
        let own = self.observations.exchanges.iter().filter(|each| is_own(&each.url.host));
        let got = own.filter_map(|each| each.result.as_ref().ok()).rfind(|answer| answer.location.is_none());
        if let Some(control) = control.filter(|_| last.is_some_and(is_own)) {
            return Page { title: control.title.clone(), length: control.length, status: control.status };
        }
        match got {
            Some(got) => page_of(got),
            None => Page { title: names.first().map(ToString::to_string).unwrap_or_default(), ..Page::default() },
        }
    }

    fn evidence(&self, names: &BTreeSet<HostName>) -> String {
        let input = self.observations.name().is_some_and(|name| names.contains(&name));
        let controlled = self.observations.control.as_ref().is_some_and(|control| !control.addresses.is_empty());
        match (input && controlled, self.observations.test) {
            (true, _) => "as the control found it".to_owned(),
            (false, Test::Web) => "as the client was told, which no control looked at".to_owned(),
            (false, _) => "as the client was told; there is no control in this test".to_owned(),
        }
    }

    /// Who lives where lies lead to, as far as somebody answered there.
    fn impostors(&self, findings: &Findings, taken: &BTreeSet<IpAddr>) -> Vec<Server> {
        let lies = findings.lies.iter().filter_map(|lie| match &lie.answer {
            LieAnswer::Addresses(addresses) => Some((lie, addresses)),
            LieAnswer::Code(_) | LieAnswer::Silence => None,
        });
        let mut impostors: BTreeMap<IpAddr, &HostName> = BTreeMap::new();
        for (lie, addresses) in lies {
            let wrong = addresses.iter().filter(|address| has_a_place(**address) && !self.truth.has(**address));
            impostors.extend(wrong.filter(|address| !taken.contains(*address)).map(|address| (*address, &lie.name)));
        }
        let answering = impostors.into_iter().enumerate();
        answering.filter_map(|(number, (address, name))| self.impostor(number + 1, address, name)).collect()
    }

    fn impostor(&self, number: usize, address: IpAddr, name: &HostName) -> Option<Server> {
        let there = self.observations.connects.iter().filter(|each| each.remote.ip() == address);
        let listens = there.filter_map(|each| match &each.failed {
            None => {
                Some(format!("{}:{}", if each.remote.port() == 443 { "https" } else { "http" }, each.remote.port()))
            }
            // Where the control met it too, nobody on the way does it.
            Some(failed) if failed.symptom == Symptom::Timeout && self.at_control(each.remote).is_some() => {
                Some(format!("silence:{}", each.remote.port()))
            }
            Some(_) => None,
        });
        let listen: BTreeSet<String> = listens.take(MOST_PORTS).collect();
        if listen.is_empty() {
            return None;
        }
        let page =
            self.observations.exchanges.iter().find_map(|each| answer_of(each, address, name)).unwrap_or_default();
        Some(Server {
            names: vec![format!("impostor-{number}.example")],
            addresses: BTreeSet::from([address]),
            listen,
            certificate: self.shows_unknown_authority(address).then_some("untrusted"),
            hidden: true,
            page,
            evidence: format!("somebody answered there in the name of {name}"),
            ..Server::default()
        })
    }

    fn shows_unknown_authority(&self, address: IpAddr) -> bool {
        let there =
            self.observations.handshakes.iter().filter(|each| each.remote.is_some_and(|remote| remote.ip() == address));
        there.filter_map(|each| each.failed.as_ref()).any(|failed| failed.symptom == Symptom::UnknownAuthority)
    }
}

/// The page that came from an address, or for a name whose address the lie gave.
fn answer_of(exchange: &Exchange, address: IpAddr, name: &HostName) -> Option<Page> {
    let there = match exchange.remote {
        Some(remote) => remote.ip() == address,
        None => exchange.url.host == name.as_str(),
    };
    let answer = exchange.result.as_ref().ok().filter(|_| there)?;
    Some(page_of(answer))
}

fn page_of(answer: &Answer) -> Page {
    Page { title: answer.title.clone(), length: answer.length, status: answer.status }
}

/// Whether the lab has a place for a machine at this address: of IPv6 it has `2000::/3`, as the internet does.
pub(crate) fn has_a_place(address: IpAddr) -> bool {
    let global = |address: std::net::Ipv6Addr| (0x2000..0x4000).contains(&address.segments()[0]);
    is_public(address)
        && match address {
            IpAddr::V4(_) => true,
            IpAddr::V6(address) => global(address),
        }
}

/// What the language calls a certificate that a client refuses like this.
fn wrong_certificate(symptom: Symptom) -> Option<&'static str> {
    match symptom {
        Symptom::UnknownAuthority => Some("untrusted"),
        Symptom::InvalidCertificate => Some("expired"),
        Symptom::OtherName => Some("wrong-name"),
        _ => None,
    }
}

/// Whether it may stand in a Location field.
pub(crate) fn is_location(text: &str) -> bool {
    (1..=2048).contains(&text.len()) && text.bytes().all(|each| each.is_ascii_graphic())
}

/// A page of about so many bytes with this title.
pub(crate) fn filled(title: &str, length: usize) -> String {
    let safe: String = title.chars().filter(|each| !matches!(each, '<' | '>' | '&')).collect();
    let head = format!("<html><head><title>{safe}</title></head><body>");
    let end = "</body></html>";
    let filler = length.saturating_sub(head.len() + end.len());
    format!("{head}{}{end}", ".".repeat(filler))
}

const MOST_PORTS: usize = 16;
