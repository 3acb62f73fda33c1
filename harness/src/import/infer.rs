//! From what was met to what must be there so that it is met again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use roadblock_scenarios::Library;

use super::claim::{ConnectionFate, Deed, Fate, Findings, Lie, LieAnswer, What};
use super::error::ImportError;
use super::hosts;
use super::observations::{Answer, Asked, Control, Exchange, Failed, Handshake, Lookup, Observations, Test};
use super::symptom::Symptom;
use super::truth::Truth;
use super::words::{HostName, one_line};
use crate::ooni::web_keys::Blocking;

/// What a scenario must say.
pub(crate) fn infer(observations: &Observations, library: &Library) -> Result<Findings, ImportError> {
    let truth = Truth::new(observations, library)?;
    let mut inference = Inference { observations, truth: &truth, findings: Findings::default() };
    inference.look_ups();
    inference.connections();
    inference.handshakes();
    inference.requests();
    inference.page();
    inference.what_is_never_known();
    let mut findings = inference.findings;
    findings.uses = truth.uses.iter().map(|service| service.id.to_string()).collect();
    findings.servers = hosts::servers(observations, &truth, &findings);
    Ok(findings)
}

struct Inference<'a> {
    observations: &'a Observations,
    truth: &'a Truth,
    findings: Findings,
}

impl Inference<'_> {
    /// Each name that was asked for, of each who was asked.
    fn look_ups(&mut self) {
        let mut asked: BTreeMap<(&HostName, Asked), Vec<&Lookup>> = BTreeMap::new();
        for lookup in &self.observations.lookups {
            asked.entry((&lookup.name, lookup.asked)).or_default().push(lookup);
        }
        for ((name, asked), lookups) in asked {
            let Some((answer, what)) = self.untruth(name, &lookups) else { continue };
            match asked {
                Asked::System => {
                    let evidence = format!("the client's resolver answered {what}");
                    self.findings.lies.push(Lie { name: name.clone(), answer, evidence });
                }
                Asked::Resolver(resolver) => {
                    let failure = lookups.iter().find_map(|lookup| lookup.result.as_ref().err());
                    self.findings.deeds.push(Deed {
                        what: What::Query(name.clone(), answer),
                        addresses: BTreeSet::from([resolver]),
                        port: None,
                        evidence: format!("{resolver} answered {what}"),
                        failure: failure.map(|failed| failed.failure.clone()),
                    });
                }
            }
        }
        if !self.findings.lies.is_empty() {
            self.unknown("whether the resolver itself does not tell the truth, or somebody on the way to it: it is the resolver here");
        }
    }

    /// What was said of a name, where it is not the truth.
    fn untruth(&mut self, name: &HostName, lookups: &[&Lookup]) -> Option<(LieAnswer, String)> {
        let answered: BTreeSet<IpAddr> =
            lookups.iter().filter_map(|lookup| lookup.result.as_ref().ok()).flatten().copied().collect();
        let right = self.truth.of(name);
        if answered.iter().any(|address| !self.truth.is_right(name, *address)) {
            let text = answered.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Some((LieAnswer::Addresses(answered), one_line(&text)));
        }
        // A name without addresses of one family is no lie, and that of a name that is gone neither.
        let failed = lookups.iter().find_map(|lookup| lookup.result.as_ref().err()).filter(|_| answered.is_empty())?;
        if right.is_empty() {
            return None;
        }
        let answer = match failed.symptom {
            Symptom::NoName => LieAnswer::Code("NXDOMAIN"),
            Symptom::ServerFailure => LieAnswer::Code("SERVFAIL"),
            Symptom::QueryRefused => LieAnswer::Code("REFUSED"),
            Symptom::NoAnswer => LieAnswer::Code("NOERROR"),
            Symptom::Timeout => LieAnswer::Silence,
            Symptom::Bogon => {
                self.unknown(&format!("which address that nobody has was answered for {name}: 127.0.0.2 is assumed"));
                LieAnswer::Addresses(BTreeSet::from([IpAddr::from([127, 0, 0, 2])]))
            }
            _ => {
                let line = format!("what `{}` of the look-up of {name} was: silence is assumed", failed.failure);
                self.unknown(&line);
                LieAnswer::Silence
            }
        };
        Some((answer, failed.failure.clone()))
    }

    /// Connections that failed here and not at the control.
    fn connections(&mut self) {
        let mut met: BTreeMap<(u16, Symptom), (BTreeSet<IpAddr>, String)> = BTreeMap::new();
        let failed = self.observations.connects.iter().filter_map(|each| Some((each.remote, each.failed.as_ref()?)));
        let failed: Vec<(SocketAddr, &Failed)> = failed.collect();
        if self.has_no_way_to_v6(&failed) {
            self.findings.only_v4 = true;
        }
        for (remote, how) in failed {
            let skipped = self.findings.only_v4 && remote.is_ipv6();
            if !skipped && !remote.ip().is_loopback() && self.is_the_ways_fault(remote, how) && !self.is_reached(remote)
            {
                let entry =
                    met.entry((remote.port(), how.symptom)).or_insert_with(|| (BTreeSet::new(), how.failure.clone()));
                entry.0.extend(self.truth.place(remote.ip()));
            }
        }
        for ((port, symptom), (addresses, failure)) in met {
            let fate = match symptom {
                Symptom::Timeout => ConnectionFate::Drop,
                Symptom::Refused | Symptom::Reset => ConnectionFate::Refuse,
                Symptom::HostUnreachable => ConnectionFate::HostUnreachable,
                Symptom::NetworkUnreachable => ConnectionFate::NetworkUnreachable,
                _ => {
                    self.unknown(&format!("what `{failure}` of connections to port {port} was: they are dropped here"));
                    ConnectionFate::Drop
                }
            };
            let evidence = format!("connections to port {port} met {failure}");
            let what = What::Connection(fate);
            self.findings.deeds.push(Deed { what, addresses, port: Some(port), evidence, failure: Some(failure) });
        }
    }

    /// All of IPv6 failed for want of a route, and there was some.
    fn has_no_way_to_v6(&self, failed: &[(SocketAddr, &Failed)]) -> bool {
        let v6 = self.observations.connects.iter().filter(|each| each.remote.is_ipv6()).count();
        let routeless = |how: &Failed| matches!(how.symptom, Symptom::NetworkUnreachable | Symptom::HostUnreachable);
        v6 > 0 && failed.iter().filter(|(remote, how)| remote.is_ipv6() && routeless(how)).count() == v6
    }

    /// Whether the same address and port could be connected to at another time.
    fn is_reached(&self, remote: SocketAddr) -> bool {
        self.observations.connects.iter().any(|each| each.remote == remote && each.failed.is_none())
    }

    /// Whether a connection failed on the way: the control reached the place, or where it says nothing, nobody there refused.
    fn is_the_ways_fault(&self, remote: SocketAddr, how: &Failed) -> bool {
        match self.control().and_then(|control| control.connects.get(&remote)) {
            Some(control) => {
                !control.as_ref().is_some_and(|failed| matches!(failed.symptom, Symptom::Timeout | Symptom::Refused))
            }
            None => how.symptom != Symptom::Refused || (self.truth.has(remote.ip()) && !self.is_nobodys_fault()),
        }
    }

    /// Whether OONI's rule says that nothing is blocked.
    fn is_nobodys_fault(&self) -> bool {
        self.observations.web.as_ref().is_some_and(|web| web.blocking == Blocking::None)
    }

    /// Handshakes that failed, by name: whether the name is what they failed for is seen where it did not elsewhere.
    fn handshakes(&mut self) {
        let mut met: BTreeMap<(Option<&HostName>, bool, Symptom), Vec<&Handshake>> = BTreeMap::new();
        for handshake in &self.observations.handshakes {
            if let Some(failed) = &handshake.failed
                && !self.is_the_servers_fault(handshake)
            {
                met.entry((handshake.sni.as_ref(), handshake.quic, failed.symptom)).or_default().push(handshake);
            }
        }
        for ((name, quic, symptom), handshakes) in met {
            let failure = handshakes.iter().find_map(|each| each.failed.as_ref()).map(|failed| failed.failure.clone());
            let failure = failure.unwrap_or_default();
            let Some(name) = name else {
                let line =
                    format!("what is looked for in handshakes without a server name, which met `{failure}`: left out");
                self.unknown(&line);
                continue;
            };
            let Some(what) = self.handshake_deed(name, quic, symptom, &failure) else { continue };
            let addresses = self.only_there(name, quic, &handshakes);
            if addresses.is_empty() {
                self.unknown(&format!(
                    "whether the handshakes for {name} fail for the name or for the address: they do for the name here"
                ));
            }
            let evidence = format!("TLS handshakes for {name} met {failure}");
            self.findings.deeds.push(Deed { what, addresses, port: None, evidence, failure: Some(failure) });
        }
    }

    fn handshake_deed(&mut self, name: &HostName, quic: bool, symptom: Symptom, failure: &str) -> Option<What> {
        let fate = match symptom {
            Symptom::Timeout | Symptom::Other => Fate::Drop,
            Symptom::Reset | Symptom::Refused => Fate::Reset,
            Symptom::Closed => Fate::Close,
            Symptom::NoHandshake => Fate::Alert,
            _ => {
                self.unknown(&format!(
                    "who showed the certificate of {name} that met `{failure}`: the lab has no interceptor on the way, and \
                     this is left out"
                ));
                return None;
            }
        };
        if symptom == Symptom::Other {
            self.unknown(&format!("what `{failure}` of the handshakes for {name} was: they are dropped here"));
        }
        match (quic, fate) {
            (false, fate) => Some(What::Handshake(name.clone(), fate)),
            (true, Fate::Drop) => Some(What::Quic(name.clone())),
            (true, _) => {
                self.unknown(&format!("what `{failure}` of QUIC for {name} was: left out"));
                None
            }
        }
    }

    /// The addresses where these failed, where the same name passed at others; none where it passed nowhere.
    fn only_there(&self, name: &HostName, quic: bool, failed: &[&Handshake]) -> BTreeSet<IpAddr> {
        let passed = self
            .observations
            .handshakes
            .iter()
            .any(|each| each.failed.is_none() && each.quic == quic && each.sni.as_ref() == Some(name));
        if !passed {
            return BTreeSet::new();
        }
        let addresses = failed.iter().filter_map(|each| each.remote).flat_map(|remote| self.truth.place(remote.ip()));
        addresses.collect()
    }

    /// Whether the server would have failed it anyway: it does so for the control too, or it is the lie's.
    fn is_the_servers_fault(&self, handshake: &Handshake) -> bool {
        let Some(remote) = handshake.remote else { return false };
        let at_control =
            self.control().and_then(|control| control.handshakes.get(&remote)).is_some_and(Option::is_some);
        let wrong = handshake.sni.as_ref().is_some_and(|name| !self.truth.is_right(name, remote.ip()));
        let is_lie = |lie: &Lie| matches!(&lie.answer, LieAnswer::Addresses(all) if all.contains(&remote.ip()));
        at_control || (wrong && self.findings.lies.iter().any(is_lie))
    }

    /// Requests that failed although everything below them went well.
    fn requests(&mut self) {
        for exchange in &self.observations.exchanges {
            let (Err(failed), Some(name)) = (&exchange.result, HostName::new(&exchange.url.host)) else { continue };
            if self.is_explained(exchange, &name, failed) {
                continue;
            }
            let fate = match failed.symptom {
                Symptom::Timeout => Fate::Drop,
                Symptom::Reset | Symptom::Refused => Fate::Reset,
                Symptom::Closed => Fate::Close,
                _ => {
                    let line = format!("what `{}` of the request to {name} was: left out", failed.failure);
                    self.unknown(&line);
                    continue;
                }
            };
            if fate == Fate::Drop {
                let line = format!(
                    "after how many bytes of the exchange with {name} it stood still: it does at the request here"
                );
                self.unknown(&line);
            }
            let evidence = format!("the request to {name} met {}", failed.failure);
            let failure = Some(failed.failure.clone());
            let what = if exchange.url.secure { What::Secure(name, fate) } else { What::Request(name, fate) };
            let deed = Deed { what, addresses: BTreeSet::new(), port: None, evidence, failure };
            if !self.findings.deeds.iter().any(|each| each.what == deed.what) {
                self.findings.deeds.push(deed);
            }
        }
    }

    /// Whether what made a request fail was below it: old probes say of a request how its look-up, connection or handshake
    /// failed.
    fn is_explained(&self, exchange: &Exchange, name: &HostName, failed: &Failed) -> bool {
        let port = exchange.url.port;
        let below = self.findings.deeds.iter().any(|deed| match &deed.what {
            What::Connection(_) => {
                deed.port == Some(port)
                    && exchange.remote.is_none()
                    && deed.addresses.iter().any(|each| self.truth.is_right(name, *each))
            }
            What::Handshake(greeted, _) => exchange.url.secure && greeted == name && deed.addresses.is_empty(),
            _ => false,
        });
        let layer = matches!(
            failed.symptom,
            Symptom::NoName
                | Symptom::ServerFailure
                | Symptom::QueryRefused
                | Symptom::NoAnswer
                | Symptom::Bogon
                | Symptom::UnknownAuthority
                | Symptom::OtherName
                | Symptom::InvalidCertificate
                | Symptom::NoHandshake
        );
        let down = self.control().is_some_and(|control| self.is_down(control, exchange));
        let lied = exchange.remote.is_none() && self.findings.lies.iter().any(|lie| lie.name == *name);
        below || layer || down || lied
    }

    /// Whether the control fetched no page either.
    fn is_down(&self, control: &Control, exchange: &Exchange) -> bool {
        let is_input = self.observations.input.as_ref().is_some_and(|input| *input == exchange.url);
        is_input && control.page.is_none()
    }

    /// A page that came in place of the server's, where Web Connectivity says so.
    fn page(&mut self) {
        let Some(exchange) = self.observations.replaced() else { return };
        let (Ok(answer), Some(name)) = (&exchange.result, HostName::new(&exchange.url.host)) else { return };
        let evidence = format!(
            "{name} answered with another page than the control's: status {}, title {:?}",
            answer.status, answer.title
        );
        let what = What::Page(name.clone(), Self::sent(answer));
        self.findings.deeds.push(Deed {
            what,
            addresses: BTreeSet::new(),
            port: None,
            evidence: one_line(&evidence),
            failure: None,
        });
        self.unknown(&format!("whether {name} itself answered with that page: somebody on the way does here"));
    }

    /// The page as it is sent. One that is longer than is written down is as long, with its title in it.
    fn sent(answer: &Answer) -> String {
        let body = shortened(answer);
        let reason = if (300..400).contains(&answer.status) { "Found" } else { "Blocked" };
        // Writing to a string cannot fail.
        let mut page = format!("HTTP/1.1 {} {reason}\r\n", answer.status);
        for (name, value) in &answer.headers {
            let _ = match name.to_ascii_lowercase().as_str() {
                "content-length" => write!(page, "{name}: {}\r\n", body.len()),
                // The body is as it is, in one piece.
                "transfer-encoding" | "content-encoding" => Ok(()),
                _ => write!(page, "{name}: {value}\r\n"),
            };
        }
        let _ = write!(page, "\r\n{body}");
        page
    }

    fn what_is_never_known(&mut self) {
        if !self.findings.deeds.is_empty() {
            self.unknown("at which hop it is done, and by whom: one box between the client's network and the internet does it here");
            self.unknown("whether the box holds packets back or only adds its own, and whether it punishes afterwards: it holds them back and forgets");
        }
        if self.observations.test == Test::Web {
            self.unknown("the server's real page: of it only the title and the length are published");
            let failed = self.observations.web.as_ref().and_then(|web| web.control_failure.as_ref());
            if let Some(failure) = failed.map(|failure| one_line(failure)) {
                self.unknown(&format!(
                    "what the control would have said: the test helper met `{failure}`; in the lab it is reached"
                ));
            }
        }
        if self.observations.seat.asn.is_none() {
            self.unknown("the client's network: AS64496, a number for documentation, stands for it");
        }
    }

    fn control(&self) -> Option<&Control> {
        self.observations.control.as_ref()
    }

    fn unknown(&mut self, line: &str) {
        let line = one_line(line);
        if !self.findings.unknown.contains(&line) && self.findings.unknown.len() < MOST_UNKNOWN {
            self.findings.unknown.push(line);
        }
    }
}

/// The page, or where it is long or no plain text, one with its title and about its length.
fn shortened(answer: &Answer) -> String {
    if answer.body.len() <= LONGEST_PAGE && answer.body.is_ascii() {
        return answer.body.clone();
    }
    hosts::filled(&answer.title, answer.length.min(LONGEST_PAGE))
}

const LONGEST_PAGE: usize = 32 * 1024;
const MOST_UNKNOWN: usize = 64;
