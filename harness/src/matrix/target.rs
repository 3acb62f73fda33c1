//! The page that a cell opens: one that the phase blocks.

use std::net::IpAddr;

use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::{Name, Probe, Protocol, Vantage, VerdictWord};

use super::check_host;
use crate::probes::{Known, Truth, WebUrl};

/// A page.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Where it is.
    pub(super) url: WebUrl,
    /// What the addresses of its host are.
    pub(super) truth: Truth,
    /// Its title.
    pub(super) title: Option<String>,
    /// Whether the scenario says that something of its host is blocked in this phase at this vantage.
    pub(super) blocked: bool,
}

/// The first page of the scenario's file whose host is blocked in the phase at the vantage; else the first that a person would
/// open; else that of the host for checks. The host has a web server in the lab, so that the control vantage can open it.
pub(super) fn target(scenario: &Scenario, phase: &Name, vantage: &Vantage) -> Target {
    let mut blocked: Vec<(VerdictWord, WebUrl)> = scenario
        .expectations
        .iter()
        .filter(|each| each.neighbour_of.is_none() && each.phases.contains(phase))
        .filter(|each| each.vantages.contains(&vantage.name))
        .filter_map(|each| each.steps.first())
        .filter(|step| !matches!(step.verdict, VerdictWord::Ok | VerdictWord::Unmeasured))
        .filter_map(|step| Some((step.verdict, page_of(&step.probe)?)))
        .filter(|(_, url)| is_served(scenario, url))
        .collect();
    // Those that do not open at all come before those that open slowly.
    blocked.sort_by_key(|(verdict, _)| matches!(verdict, VerdictWord::Throttled | VerdictWord::Freezes));
    let blocked = blocked.into_iter().map(|(_, url)| url).next();
    let opened = || scenario.targets().filter_map(|each| page_of(&each.probe)).find(|url| is_served(scenario, url));
    let (url, is_blocked) = match blocked {
        Some(url) => (url, true),
        None => (opened().unwrap_or_else(check_page), false),
    };
    let known = Known::at(scenario, vantage).ok();
    let truth = known.map_or(Truth::Public, |known| known.truth(&url.host));
    let title = known.and_then(|known| known.title(&url.host)).filter(|_| url.is_page());
    Target { truth, title, blocked: is_blocked, url }
}

/// The page that somebody wants who makes this measurement.
fn page_of(probe: &Probe) -> Option<WebUrl> {
    let of_host = |host: &str| format!("https://{}/", host.trim_end_matches('.')).parse().ok();
    match probe {
        Probe::Http { url, request, .. } => {
            let url: WebUrl = url.parse().ok()?;
            // What the server is asked for counts, not where the connection goes.
            let host = request.host.clone().unwrap_or_else(|| url.host.clone());
            Some(WebUrl { host, path: "/".to_owned(), ..url })
        }
        Probe::H3 { url, .. } => of_host(&url.parse::<WebUrl>().ok()?.host),
        Probe::Tls { sni, .. } | Probe::Connections { sni, .. } => of_host(sni),
        Probe::Dns { name, .. } => of_host(name),
        Probe::Throughput { host, .. } => of_host(host),
        Probe::WhatsApp { .. } => of_host("web.whatsapp.com"),
        Probe::Instagram { .. } => of_host("www.instagram.com"),
        Probe::Messenger { .. } => of_host("www.messenger.com"),
        Probe::Telegram { .. } => of_host("web.telegram.org"),
        _ => None,
    }
}

/// Whether a host of the lab serves pages under this name, with a certificate that clients believe.
fn is_served(scenario: &Scenario, url: &WebUrl) -> bool {
    let hosts = scenario.services.iter().flat_map(|service| &service.hosts);
    let mut own = hosts.filter(|host| host.names.iter().any(|name| name.eq_ignore_ascii_case(&url.host)));
    own.any(|host| {
        let speaks = |each: Protocol| match each {
            Protocol::Http => !url.secure,
            Protocol::Https | Protocol::Doh => url.secure,
            _ => false,
        };
        let trusted = host.certificate == roadblock_scenarios::model::Certificate::Trusted;
        let has_v4 = host.addresses.iter().any(IpAddr::is_ipv4);
        trusted && has_v4 && host.listen.iter().any(|each| each.port == url.port && speaks(each.protocol))
    })
}

fn check_page() -> WebUrl {
    WebUrl { secure: true, host: check_host::NAME.to_owned(), port: 443, path: "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use roadblock_scenarios::{Library, load};

    use super::*;

    fn url(scenario: &str, phase: &str) -> (String, bool) {
        let mut scenario = load(scenario, &Library::embedded()).expect("a sound scenario");
        check_host::add(&mut scenario);
        let vantage = scenario.vantages[0].clone();
        let target = target(&scenario, &phase.into(), &vantage);
        (target.url.to_string(), target.blocked)
    }

    #[test]
    fn it_is_one_that_the_phase_blocks() {
        assert_eq!(url("ru/whatsapp-2026", "full-block"), ("https://web.whatsapp.com/".to_owned(), true));
        let (_, blocked) = url("ru/whatsapp-2026", "before");
        assert!(!blocked);
    }

    #[test]
    fn every_phase_of_the_library_has_one() {
        let library = Library::embedded();
        for id in library.ids() {
            let mut scenario = load(id, &library).expect("a sound scenario");
            check_host::add(&mut scenario);
            for phase in &scenario.phases {
                let target = target(&scenario, &phase.id, &scenario.vantages[0]);
                assert!(is_served(&scenario, &target.url), "{id}@{}: {}", phase.id, target.url);
            }
        }
    }
}
