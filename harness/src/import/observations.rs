//! What a measurement says was met, layer by layer, and what its control says.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::error::ImportError;
use super::seat::Seat;
use super::symptom::Symptom;
use super::words::{HostName, one_line};
use crate::ooni::control::{ControlResponse, ControlTcp, ControlTls};
use crate::ooni::dns::Query;
use crate::ooni::http::Transaction;
use crate::ooni::measurement::Measurement;
use crate::ooni::tls::TlsHandshake;
use crate::ooni::web_keys::{Blocking, WebKeys};
use crate::probes::WebUrl;

/// What a measurement says.
#[derive(Clone, Debug)]
pub(crate) struct Observations {
    /// Which test.
    pub(crate) test: Test,
    /// Its name, as OONI writes it.
    pub(crate) test_name: String,
    /// What was measured, where the test takes an input.
    pub(crate) input: Option<WebUrl>,
    /// Whose network the client was in.
    pub(crate) seat: Seat,
    /// The day, `2026-02-11`.
    pub(crate) day: Option<String>,
    /// The report that it is in.
    pub(crate) report: Option<String>,
    /// Who measured, with the version.
    pub(crate) software: String,
    /// The look-ups.
    pub(crate) lookups: Vec<Lookup>,
    /// The TCP connections.
    pub(crate) connects: Vec<Connect>,
    /// The handshakes over TCP and inside QUIC.
    pub(crate) handshakes: Vec<Handshake>,
    /// The pages, the first first.
    pub(crate) exchanges: Vec<Exchange>,
    /// What Web Connectivity's control says.
    pub(crate) control: Option<Control>,
    /// What Web Connectivity concluded.
    pub(crate) web: Option<WebVerdict>,
}

/// The tests that are told apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Test {
    /// Web Connectivity, which has a control.
    Web,
    /// An app's, or one of layers alone: neither has a control.
    WithoutControl,
}

/// How something failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Failed {
    /// What it was like.
    pub(crate) symptom: Symptom,
    /// OONI's string, fit for a comment.
    pub(crate) failure: String,
}

/// A look-up of a name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Lookup {
    /// The name.
    pub(crate) name: HostName,
    /// Who was asked.
    pub(crate) asked: Asked,
    /// The addresses, or how it failed.
    pub(crate) result: Result<Vec<IpAddr>, Failed>,
}

/// Who was asked.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Asked {
    /// Whoever the system asks.
    System,
    /// A resolver over UDP or TCP.
    Resolver(IpAddr),
}

/// A TCP connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Connect {
    /// Where to.
    pub(crate) remote: SocketAddr,
    /// How it failed.
    pub(crate) failed: Option<Failed>,
}

/// A TLS handshake.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Handshake {
    /// The SNI, where it is a name.
    pub(crate) sni: Option<HostName>,
    /// With whom, where it is said.
    pub(crate) remote: Option<SocketAddr>,
    /// Whether it was inside QUIC.
    pub(crate) quic: bool,
    /// How it failed.
    pub(crate) failed: Option<Failed>,
}

/// A request and its answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Exchange {
    /// What was asked for.
    pub(crate) url: WebUrl,
    /// Of whom, where it is said.
    pub(crate) remote: Option<SocketAddr>,
    /// The answer, or how it failed.
    pub(crate) result: Result<Answer, Failed>,
}

/// What a server answered, or whoever answered in its place.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// Where it leads, where it does.
    pub(crate) location: Option<String>,
    /// The page.
    pub(crate) body: String,
    /// Its title.
    pub(crate) title: String,
    /// How long it is.
    pub(crate) length: usize,
    /// Its headers, as far as they can be written down again.
    pub(crate) headers: Vec<(String, String)>,
}

/// What the control says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Control {
    /// The addresses of the input's name, or how the look-up failed.
    pub(crate) addresses: Vec<IpAddr>,
    /// Whether the name does not exist there either.
    pub(crate) no_name: bool,
    /// The connections, and how they failed.
    pub(crate) connects: BTreeMap<SocketAddr, Option<Failed>>,
    /// The handshakes, and how they failed.
    pub(crate) handshakes: BTreeMap<SocketAddr, Option<Failed>>,
    /// The page.
    pub(crate) page: Option<ControlPage>,
    /// Whose each address is.
    pub(crate) networks: BTreeMap<IpAddr, u32>,
}

/// The page that the control saw.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ControlPage {
    /// Its title.
    pub(crate) title: String,
    /// How many bytes it has.
    pub(crate) length: usize,
    /// The status.
    pub(crate) status: u16,
}

/// What Web Connectivity concluded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WebVerdict {
    /// What keeps the page from being read.
    pub(crate) blocking: Blocking,
    /// Whether it can be read.
    pub(crate) accessible: Option<bool>,
    /// Whether the addresses are the right ones.
    pub(crate) dns_consistency: Option<String>,
    /// How the page failed.
    pub(crate) failure: Option<String>,
    /// How the test helper failed.
    pub(crate) control_failure: Option<String>,
}

impl Observations {
    /// What the measurement says; what cannot be read in it is left out.
    pub(crate) fn of(measurement: &Measurement) -> Result<Self, ImportError> {
        let test = test(&measurement.test_name)?;
        let keys = &measurement.test_keys;
        let web: Option<WebKeys> = (test == Test::Web).then(|| keys.own().ok()).flatten();
        let seat = Seat::of(measurement);
        let observations = Self {
            test,
            test_name: one_line(&measurement.test_name),
            input: input(test, measurement)?,
            day: day(&measurement.measurement_start_time),
            report: Some(one_line(&measurement.report_id)).filter(|id| !id.is_empty()),
            software: one_line(format!("{} {}", measurement.software_name, measurement.software_version).trim()),
            lookups: keys.queries.iter().filter_map(|query| lookup(query, seat.resolver)).take(MOST).collect(),
            connects: keys.tcp_connect.iter().map(connect).take(MOST).collect(),
            handshakes: handshakes(&keys.tls_handshakes, false)
                .chain(handshakes(&keys.quic_handshakes, true))
                .take(MOST)
                .collect(),
            exchanges: keys.requests.iter().rev().filter_map(exchange).take(MOST).collect(),
            control: web.as_ref().and_then(|web| web.control.as_ref()).map(control),
            web: web.as_ref().map(verdict),
            seat,
        };
        if observations.is_empty() { Err(ImportError::Empty) } else { Ok(observations) }
    }

    fn is_empty(&self) -> bool {
        self.lookups.is_empty() && self.connects.is_empty() && self.handshakes.is_empty() && self.exchanges.is_empty()
    }

    /// The name that was measured, where it is one.
    pub(crate) fn name(&self) -> Option<HostName> {
        HostName::new(&self.input.as_ref()?.host)
    }
}

impl Observations {
    /// The plain request that somebody on the way answered in the server's place: OONI's rule says so, or it led away to
    /// another name, and what was found there is not the page of the control, which was led nowhere.
    pub(crate) fn replaced(&self) -> Option<&Exchange> {
        let first = self.exchanges.first().filter(|first| !first.url.secure && first.result.is_ok())?;
        let differs = self.web.as_ref().is_some_and(|web| web.blocking == Blocking::HttpDiff);
        (differs || self.is_led_away(first)).then_some(first)
    }

    fn is_led_away(&self, first: &Exchange) -> bool {
        let Some(control) = self.control.as_ref().and_then(|control| control.page.as_ref()) else { return false };
        let leads = first.result.as_ref().is_ok_and(|answer| answer.location.is_some());
        let Some(last) = self.exchanges.last().filter(|last| leads && last.url.host != first.url.host) else {
            // Where it led there was not even a name.
            let gone = self.web.as_ref().and_then(|web| web.failure.as_deref()).map(Symptom::of);
            return leads && gone == Some(Symptom::NoName);
        };
        match &last.result {
            Ok(answer) => answer.title != control.title && !is_about(answer.length, control.length),
            Err(_) => false,
        }
    }
}

/// OONI's measure of alike (ts-017).
fn is_about(one: usize, other: usize) -> bool {
    one.min(other) * 10 > one.max(other) * 7
}

impl Failed {
    /// What OONI's string says.
    pub(crate) fn new(failure: &str) -> Self {
        Self { symptom: Symptom::of(failure), failure: one_line(failure) }
    }
}

fn test(name: &str) -> Result<Test, ImportError> {
    Ok(match name {
        "web_connectivity" => Test::Web,
        "whatsapp" | "telegram" | "facebook_messenger" | "signal" | "urlgetter" | "tcpping" | "tlsping"
        | "simplequicping" | "dnscheck" | "sni_blocking" => Test::WithoutControl,
        other => return Err(ImportError::Test(one_line(other))),
    })
}

fn input(test: Test, measurement: &Measurement) -> Result<Option<WebUrl>, ImportError> {
    if test != Test::Web {
        return Ok(None);
    }
    let input = measurement.input.as_deref().unwrap_or_default();
    let wrong = || ImportError::Input { input: one_line(input) };
    let url: WebUrl = input.parse().map_err(|_| wrong())?;
    let host = url.host.trim_start_matches('[').trim_end_matches(']');
    let is_host = HostName::new(host).is_some() || host.parse::<IpAddr>().is_ok();
    let is_plain = url.path.bytes().all(|each| each.is_ascii_graphic());
    if is_host && is_plain && input.len() <= LONGEST_URL { Ok(Some(url)) } else { Err(wrong()) }
}

/// The day of `2026-02-11 10:00:00`, where it is one.
fn day(start: &str) -> Option<String> {
    let day = start.get(..10)?;
    let mut parts = day.split('-');
    let (year, month, date) = (parts.next()?, parts.next()?, parts.next()?);
    let number =
        |text: &str| text.bytes().all(|each| each.is_ascii_digit()).then(|| text.parse::<u16>().ok()).flatten();
    let days = match number(month)? {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let is_day = (1..=days).contains(&number(date)?) && (2012..=2100).contains(&number(year)?);
    (is_day && parts.next().is_none()).then(|| day.to_owned())
}

/// A look-up; who asks the resolver that the system asks has asked the system's.
fn lookup(query: &Query, own: Option<IpAddr>) -> Option<Lookup> {
    let name = HostName::new(&query.hostname)?;
    let asked = match (query.engine.as_deref(), query.resolver_address.as_deref()) {
        (Some("system" | "getaddrinfo" | "golang_net_resolver" | "unknown") | None, _) => Asked::System,
        (Some("udp" | "tcp"), Some(address)) => match resolver_address(address)? {
            address if Some(address) == own => Asked::System,
            address => Asked::Resolver(address),
        },
        _ => return None,
    };
    let addresses: Vec<IpAddr> = query.addresses().take(MOST).collect();
    let result = match &query.failure {
        // Some versions keep the addresses of an answer that they do not believe.
        Some(failure) if failure == "dns_bogon_error" && !addresses.is_empty() => Ok(addresses),
        Some(failure) => Err(Failed::new(failure)),
        None => Ok(addresses),
    };
    Some(Lookup { name, asked, result })
}

fn resolver_address(text: &str) -> Option<IpAddr> {
    text.parse::<SocketAddr>().map(|address| address.ip()).or_else(|_| text.parse()).ok()
}

fn connect(connect: &crate::ooni::tcp::TcpConnect) -> Connect {
    let failed = connect.status.failure.as_deref().map(Failed::new);
    Connect { remote: SocketAddr::new(connect.ip, connect.port), failed }
}

fn handshakes(all: &[TlsHandshake], quic: bool) -> impl Iterator<Item = Handshake> {
    all.iter().map(move |handshake| Handshake {
        sni: handshake.server_name.as_deref().and_then(HostName::new),
        remote: handshake.address.as_deref().and_then(|address| address.parse().ok()),
        quic: quic || handshake.network.as_deref().is_some_and(|network| matches!(network, "udp" | "quic")),
        failed: handshake.failure.as_deref().map(Failed::new),
    })
}

fn exchange(transaction: &Transaction) -> Option<Exchange> {
    let url: WebUrl = transaction.request.url.parse().ok()?;
    let result = match &transaction.failure {
        Some(failure) => Err(Failed::new(failure)),
        None => Ok(answer(transaction)?),
    };
    let remote = transaction.address.as_deref().and_then(|address| address.parse().ok());
    Some(Exchange { url, remote, result })
}

fn answer(transaction: &Transaction) -> Option<Answer> {
    let response = &transaction.response;
    let body = response.body.text();
    let headers = response.headers_list.iter().map(|header| (header.0.text(), header.1.text()));
    Some(Answer {
        status: u16::try_from(response.code).ok().filter(|status| (100..=599).contains(status))?,
        location: response.header("location"),
        title: title(&body),
        length: body.len(),
        headers: headers.filter(|(name, value)| is_header(name, value)).take(MOST_HEADERS).collect(),
        body,
    })
}

/// The text of the first `<title>`.
pub(crate) fn title(page: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let inside = lower.find("<title").and_then(|at| lower[at..].find('>').map(|end| at + end + 1));
    let Some(start) = inside else { return String::new() };
    let end = lower[start..].find("</title").map_or(page.len(), |end| start + end);
    page[start..end].trim().chars().take(LONGEST_TITLE).collect()
}

fn is_header(name: &str, value: &str) -> bool {
    let is_token = |each: u8| each.is_ascii_alphanumeric() || each == b'-' || each == b'_';
    (1..=64).contains(&name.len())
        && name.bytes().all(is_token)
        && value.len() <= 512
        && value.bytes().all(|each| each == b' ' || each.is_ascii_graphic())
}

fn control(response: &ControlResponse) -> Control {
    let connects = response.tcp_connect.iter().take(MOST);
    let handshakes = response.tls_handshake.iter().take(MOST);
    let page = &response.http_request;
    let status = page.status_code.and_then(|status| u16::try_from(status).ok()).filter(|status| *status >= 100);
    Control {
        addresses: response.dns.addrs.iter().filter_map(|address| address.parse().ok()).take(MOST).collect(),
        no_name: response.dns.failure.is_some(),
        connects: connects.filter_map(|(place, result)| Some((place.parse().ok()?, connected(result)))).collect(),
        handshakes: handshakes.filter_map(|(place, result)| Some((place.parse().ok()?, shaken(result)))).collect(),
        page: status.filter(|_| page.failure.is_none()).map(|status| ControlPage {
            title: page.title.chars().take(LONGEST_TITLE).collect(),
            length: usize::try_from(page.body_length).unwrap_or_default(),
            status,
        }),
        networks: response
            .ip_info
            .iter()
            .filter(|(_, whose)| whose.asn != 0)
            .filter_map(|(address, whose)| Some((address.parse().ok()?, whose.asn)))
            .take(MOST)
            .collect(),
    }
}

fn connected(result: &ControlTcp) -> Option<Failed> {
    (!result.status).then(|| Failed::new(result.failure.as_deref().unwrap_or("unknown_failure")))
}

fn shaken(result: &ControlTls) -> Option<Failed> {
    (!result.status).then(|| Failed::new(result.failure.as_deref().unwrap_or("unknown_failure")))
}

fn verdict(keys: &WebKeys) -> WebVerdict {
    WebVerdict {
        blocking: keys.blocking,
        accessible: keys.accessible,
        dns_consistency: keys.dns_consistency.clone(),
        failure: keys.http_experiment_failure.clone(),
        control_failure: keys.control_failure.clone(),
    }
}

/// More of a kind than any test of OONI's has is not looked at.
const MOST: usize = 512;
const MOST_HEADERS: usize = 32;
const LONGEST_TITLE: usize = 128;
const LONGEST_URL: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_day() {
        assert_eq!(day("2021-03-22 15:01:01").as_deref(), Some("2021-03-22"));
        for wrong in ["", "2021-13-01 0", "2021-02-30 x", "20210322", "yyyy-mm-dd", "2021-03-2\n", "ääääääää"] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_title_is_what_stands_between_its_tags() {
        assert_eq!(title("<html><TITLE lang=x> Blocked </title>"), "Blocked");
        assert_eq!(title("<title>never closed"), "never closed");
        assert_eq!((title("no title"), title("<title")), (String::new(), String::new()));
    }
}
