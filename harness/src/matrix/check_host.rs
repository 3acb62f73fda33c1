//! The host that checks speak to.

use std::net::{IpAddr, Ipv4Addr};

use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::{Host, Listener, Page, Protocol, Service};

/// Its name, which no list holds.
pub(super) const NAME: &str = "check.roadblock.example";

/// Its address: public, in a network that none of the library's lists names, and nobody's in any scenario.
pub(super) const ADDRESS: Ipv4Addr = Ipv4Addr::new(193, 0, 14, 77);

/// Adds it to a scenario: an HTTPS server, whose pages are as long as one asks, and a resolver that knows all names, as VPN
/// providers have. HTTPS, because that is most of what people do, and because a byte that is changed or missing shows.
pub(super) fn add(scenario: &mut Scenario) {
    let title = "roadblock's check";
    let listen = |protocol: Protocol| Listener { port: protocol.usual_port(), protocol };
    let host = Host {
        names: vec![NAME.to_owned()],
        addresses: vec![IpAddr::V4(ADDRESS)],
        listen: vec![listen(Protocol::Https), listen(Protocol::Dns)],
        page: Page { title: title.to_owned(), text: String::new(), length: None },
        ..Host::default()
    };
    let (id, title) = ("services/check".into(), title.to_owned());
    scenario.services.push(Service { id, title, hosts: vec![host], targets: Vec::new() });
}

#[cfg(test)]
mod tests {
    use ipnet::IpNet;
    use roadblock_scenarios::{Library, load};

    use super::*;

    #[test]
    fn no_list_and_no_scenario_of_the_library_has_it() {
        let library = Library::embedded();
        for list in library.lists() {
            let text = library.list(list).expect("a list").text();
            let items = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
            for item in items.filter(|item| !item.is_empty()) {
                let holds = item.parse::<IpNet>().is_ok_and(|prefix| prefix.contains(&IpAddr::V4(ADDRESS)));
                assert!(!holds && item != NAME, "{list}: {item}");
            }
        }
        for id in library.ids() {
            let scenario = load(id, &library).expect("a sound scenario");
            let mut hosts = scenario.services.iter().flat_map(|service| &service.hosts);
            assert!(!hosts.any(|host| host.addresses.contains(&IpAddr::V4(ADDRESS))), "{id}");
            assert!(!scenario.vantages.iter().any(|vantage| vantage.v4.contains(&ADDRESS)), "{id}");
        }
    }
}
