//! What must be observed in a scenario that was made of a measurement: what it says was.

use std::fmt::Write as _;
use std::net::IpAddr;

use roadblock_scenarios::is_public;

use super::claim::{ConnectionFate, Deed, Findings, Lie, LieAnswer, What};
use super::document::censor;
use super::observations::{Observations, Test};
use super::words::{HostName, quoted};
use crate::ooni::web_keys::Blocking;
use crate::probes::WebUrl;

/// All expectations: what the whole test gave, each claim by itself, and what the control met.
pub(crate) fn expectations(observations: &Observations, findings: &Findings) -> String {
    let mut text = of_web(observations).unwrap_or_default();
    for (number, lie) in findings.lies.iter().enumerate() {
        text.push_str(&of_lie(number, lie));
    }
    for (number, deed) in findings.deeds.iter().enumerate() {
        text.push_str(&of_deed(number, deed, observations, findings).unwrap_or_default());
    }
    text.push_str(&of_control(observations, findings).unwrap_or_default());
    text
}

fn expectation(
    id: &str,
    vantage: Option<&str>,
    probe: &str,
    verdict: &str,
    failure: Option<&str>,
    by: Option<&str>,
) -> String {
    let mut text = format!("[[expect]]\nid = {}\n", quoted(id));
    if let Some(vantage) = vantage {
        let _ = writeln!(text, "vantage = {}", quoted(vantage));
    }
    let _ = writeln!(text, "probe = {probe}\nverdict = {}", quoted(verdict));
    for (key, value) in [("failure", failure), ("by", by)] {
        if let Some(value) = value {
            let _ = writeln!(text, "{key} = {}", quoted(value));
        }
    }
    text.push('\n');
    text
}

/// What OONI's own rule said of the whole; nothing where it said that it does not know.
fn of_web(observations: &Observations) -> Option<String> {
    let (web, input) = (observations.web.as_ref()?, observations.input.as_ref()?);
    let tls_failed = || observations.handshakes.iter().any(|each| !each.quic && each.failed.is_some());
    let verdict = match (web.blocking, web.accessible) {
        (Blocking::Unknown, _) => return None,
        (Blocking::None, Some(true)) => "ok",
        (Blocking::None, _) => "unmeasured",
        (Blocking::Dns, _) => "dns",
        (Blocking::TcpIp, _) => "tcp",
        (Blocking::HttpDiff, _) => "blockpage",
        (Blocking::HttpFailure, _) if tls_failed() => "tls",
        (Blocking::HttpFailure, _) => "http",
    };
    let probe = format!("{{ web = {{ url = {} }} }}", quoted(&url_of(input)));
    let blocking = web.blocking.word().map_or_else(|| "false".to_owned(), quoted);
    let accessible = web.accessible.map_or_else(|| quoted("null"), |accessible| accessible.to_string());
    let mut keys = format!("blocking = {blocking}, accessible = {accessible}");
    match web.failure.as_deref() {
        None => keys.push_str(", http_experiment_failure = \"null\""),
        Some(failure) if is_given(failure) => {
            let _ = write!(keys, ", http_experiment_failure = {}", quoted(failure));
        }
        Some(_) => {}
    }
    let text = expectation("web", None, &probe, verdict, None, None);
    Some(format!("{}keys = {{ {keys} }}\n\n", text.trim_end_matches('\n').to_owned() + "\n"))
}

fn url_of(url: &WebUrl) -> String {
    let scheme = if url.secure { "https" } else { "http" };
    format!("{scheme}://{}{}", url.authority(), url.path)
}

fn of_lie(number: usize, lie: &Lie) -> String {
    let id = format!("lie-{}", number + 1);
    let by = format!("isp/{id}");
    // A lie that has addresses of one family alone is seen by who asks for these.
    let family = match &lie.answer {
        LieAnswer::Addresses(addresses) if addresses.iter().all(IpAddr::is_ipv6) => ", family = \"v6\"",
        _ => "",
    };
    let probe = format!("{{ dns = {{ name = {}{family} }} }}", quoted(lie.name.as_str()));
    expectation(&id, None, &probe, "dns", None, Some(&by))
}

fn of_deed(number: usize, deed: &Deed, observations: &Observations, findings: &Findings) -> Option<String> {
    let id = censor(number);
    let by = format!("{id}/{}", deed.what.rule());
    let address = || deed.addresses.iter().copied().find(|address| !findings.only_v4 || address.is_ipv4());
    let of_name = |name: &HostName| address().or_else(|| address_of(name, observations, findings));
    let failure = deed.failure.as_deref().filter(|failure| is_given(failure));
    let (probe, verdict) = match &deed.what {
        What::Connection(fate) => {
            let verdict = match fate {
                ConnectionFate::Drop | ConnectionFate::Refuse => "tcp",
                ConnectionFate::HostUnreachable | ConnectionFate::NetworkUnreachable => "ip",
            };
            (format!("{{ tcp = {{ address = \"{}\", port = {} }} }}", address()?, deed.port?), verdict)
        }
        What::Handshake(name, _) => {
            (format!("{{ tls = {{ address = \"{}\", sni = {} }} }}", of_name(name)?, quoted(name.as_str())), "tls")
        }
        What::Secure(name, _) => (
            format!(
                "{{ http = {{ url = {}, address = \"{}\" }} }}",
                quoted(&format!("https://{name}/")),
                of_name(name)?
            ),
            "http",
        ),
        What::Request(name, _) => (
            format!(
                "{{ http = {{ url = {}, address = \"{}\" }} }}",
                quoted(&format!("http://{name}/")),
                of_name(name)?
            ),
            "http",
        ),
        What::Page(name, _) => (
            format!(
                "{{ http = {{ url = {}, address = \"{}\" }} }}",
                quoted(&format!("http://{name}/")),
                of_name(name)?
            ),
            "blockpage",
        ),
        What::Quic(name) => {
            (format!("{{ quic = {{ address = \"{}\", sni = {} }} }}", of_name(name)?, quoted(name.as_str())), "quic")
        }
        What::Query(name, _) => {
            (format!("{{ dns = {{ name = {}, resolver = \"{}\" }} }}", quoted(name.as_str()), address()?), "dns")
        }
    };
    Some(expectation(&id, None, &probe, verdict, failure, Some(&by)))
}

/// Whether the lab's box gives just this failure; what is not known is only said to fail.
fn is_given(failure: &str) -> bool {
    const GIVEN: &[&str] = &[
        "connection_refused",
        "connection_reset",
        "dns_nxdomain_error",
        "dns_refused_error",
        "dns_servfail_error",
        "eof_error",
        "generic_timeout_error",
        "host_unreachable",
        "network_unreachable",
        "ssl_failed_handshake",
    ];
    GIVEN.contains(&failure)
}

/// The first address of a name that the client can get to.
fn address_of(name: &HostName, observations: &Observations, findings: &Findings) -> Option<IpAddr> {
    let own = findings.servers.iter().filter(|server| server.names.iter().any(|each| each == name.as_str()));
    let blocked = |address: &IpAddr| {
        let on_connections =
            |deed: &&Deed| matches!(deed.what, What::Connection(_)) && deed.addresses.contains(address);
        findings.deeds.iter().any(|deed| on_connections(&deed))
    };
    let all: Vec<IpAddr> = own.flat_map(|server| server.addresses.iter().copied()).collect();
    let reached = || observations.connects.iter().filter(|each| each.failed.is_none()).map(|each| each.remote.ip());
    let candidates = all.iter().copied().filter(|address| !blocked(address));
    let usable = |address: &IpAddr| is_public(*address) && (!findings.only_v4 || address.is_ipv4());
    candidates
        .clone()
        .find(|address| usable(address) && reached().any(|each| each == *address))
        .or_else(|| candidates.clone().find(usable))
}

/// From `control` the page is reached, where the control of the measurement reached it.
fn of_control(observations: &Observations, findings: &Findings) -> Option<String> {
    let (Test::Web, Some(input), Some(name)) = (observations.test, &observations.input, observations.name()) else {
        return None;
    };
    let control = observations.control.as_ref()?;
    let own = findings.servers.iter().find(|server| server.names.iter().any(|each| each == name.as_str()));
    // What leads elsewhere, or says that something is wrong, is no page of its own.
    let is_page = own.is_some_and(|server| server.redirects.is_empty());
    let reached = is_page && control.page.as_ref().is_some_and(|page| page.status == 200);
    let probe = format!("{{ http = {{ url = {} }} }}", quoted(&url_of(input)));
    reached.then(|| expectation("control", Some("control"), &probe, "ok", None, None))
}
