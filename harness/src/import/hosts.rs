//! The machines that must exist: the measured names' own, and those that lies lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use roadblock_scenarios::is_public;

use super::claim::{Findings, LieAnswer, Page, Server};
use super::observations::{Exchange, Failed, Observations, Test};
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
            let mut by_ports: BTreeMap<(BTreeSet<String>, bool), BTreeSet<IpAddr>> = BTreeMap::new();
            for address in addresses.difference(taken) {
                let key = (self.listens(&names, *address), self.is_untrusted(*address));
                by_ports.entry(key).or_default().insert(*address);
            }
            let first = names.first().cloned();
            let page = first.map(|_| self.page(&names)).unwrap_or_default();
            let evidence = self.evidence(&names);
            servers.extend(by_ports.into_iter().map(|((listen, untrusted), addresses)| Server {
                names: names.iter().map(ToString::to_string).collect(),
                addresses,
                listen,
                untrusted,
                page: page.clone(),
                evidence: evidence.clone(),
            }));
        }
        servers
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

    /// Whether nobody knows the authority of its certificate: the control does not either.
    fn is_untrusted(&self, address: IpAddr) -> bool {
        let Some(control) = &self.observations.control else { return false };
        let unknown = |failed: &Failed| failed.symptom == Symptom::UnknownAuthority;
        control.handshakes.iter().any(|(remote, failed)| remote.ip() == address && failed.as_ref().is_some_and(unknown))
    }

    /// The page of the control, or the one that the client got.
    fn page(&self, names: &BTreeSet<HostName>) -> Page {
        let is_input = self.observations.name().is_some_and(|name| names.contains(&name));
        let control = self.observations.control.as_ref().and_then(|control| control.page.as_ref()).filter(|_| is_input);
        let own =
            self.observations.exchanges.iter().filter(|each| names.iter().any(|name| name.as_str() == each.url.host));
        let got = own.filter_map(|each| each.result.as_ref().ok()).next_back();
        if let Some(control) = control {
            let longest = control.length.max(got.map_or(0, |got| got.length));
            return Page { title: control.title.clone(), length: scaled(control.length, longest) };
        }
        match got {
            Some(got) => Page { title: got.title.clone(), length: scaled(got.length, got.length) },
            None => Page { title: names.first().map(ToString::to_string).unwrap_or_default(), length: 0 },
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
            let wrong = addresses.iter().filter(|address| is_public(**address) && !self.truth.has(**address));
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
            untrusted: self.shows_unknown_authority(address),
            page,
            evidence: format!("somebody answered there in the name of {name}"),
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
    Some(Page { title: answer.title.clone(), length: scaled(answer.length, answer.length) })
}

/// A length in a world where the longest of those that are compared is not too long to be written down.
pub(crate) fn scaled(length: usize, longest: usize) -> usize {
    if longest <= LONGEST_PAGE { length } else { length.saturating_mul(LONGEST_PAGE) / longest }
}

/// A page of about so many bytes with this title.
pub(crate) fn filled(title: &str, length: usize) -> String {
    let safe: String = title.chars().filter(|each| !matches!(each, '<' | '>' | '&')).collect();
    let head = format!("<html><head><title>{safe}</title></head><body>");
    let end = "</body></html>";
    let filler = length.saturating_sub(head.len() + end.len());
    format!("{head}{}{end}", ".".repeat(filler.min(LONGEST_PAGE)))
}

const LONGEST_PAGE: usize = 8 * 1024;
const MOST_PORTS: usize = 16;
