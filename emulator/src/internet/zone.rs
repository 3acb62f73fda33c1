//! What names mean on the lab's internet: one zone, its apex the root, that holds every host of every service.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use roadblock_scenarios::model::{OoniRole, Service};

/// Every name of the lab and its addresses. Case does not matter (RFC 4343), nor does one trailing dot.
#[derive(Clone, Debug, Default)]
pub struct Zone {
    addresses: HashMap<String, Vec<IpAddr>>,
    /// Names that exist only because names below them do (RFC 8020).
    ancestors: HashSet<String>,
    /// Names that mean whoever is asked for them.
    whoami: HashSet<String>,
}

/// What a name means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meaning<'a> {
    /// It has these addresses, of both families, in the order of the file.
    Addresses(&'a [IpAddr]),
    /// It has the IPv4 addresses of the resolver that is asked for it.
    Whoami,
    /// It exists and has no records.
    Empty,
    /// Neither it nor anything below it exists.
    Unknown,
}

impl Zone {
    /// The names of these services. A name that several hosts bear has all their addresses.
    pub fn new<'a>(services: impl IntoIterator<Item = &'a Service>) -> Self {
        let mut zone = Self::default();
        let hosts = services.into_iter().flat_map(|service| &service.hosts);
        for host in hosts.filter(|host| !host.hidden) {
            for name in &host.names {
                if host.ooni == Some(OoniRole::Whoami) {
                    zone.whoami.insert(canonical(name));
                }
                zone.add(&canonical(name), &host.addresses);
            }
        }
        zone
    }

    /// What a name means. The root exists.
    pub fn lookup(&self, name: &str) -> Meaning<'_> {
        let name = canonical(name);
        if self.whoami.contains(&name) {
            return Meaning::Whoami;
        }
        match self.addresses.get(&name) {
            Some(addresses) => Meaning::Addresses(addresses),
            None if name.is_empty() || self.ancestors.contains(&name) => Meaning::Empty,
            None => Meaning::Unknown,
        }
    }

    fn add(&mut self, name: &str, addresses: &[IpAddr]) {
        let known = self.addresses.entry(name.to_owned()).or_default();
        for address in addresses {
            if !known.contains(address) {
                known.push(*address);
            }
        }
        self.ancestors.extend(name.match_indices('.').map(|(at, _)| name[at + 1..].to_owned()));
    }
}

/// A name as it is looked up: in lower case, without the trailing dot.
pub(crate) fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use roadblock_scenarios::model::Host;

    fn service(names: &[&str], addresses: &[&str]) -> Service {
        let host = Host {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            addresses: addresses.iter().map(|address| address.parse().expect("an address")).collect(),
            ..Host::default()
        };
        Service { id: "services/test".into(), title: String::new(), hosts: vec![host], targets: Vec::new() }
    }

    #[test]
    fn case_and_the_trailing_dot_do_not_matter() {
        let zone = Zone::new(&[service(&["Web.WhatsApp.com"], &["57.144.245.32", "2a03:2880:f377::167"])]);
        let Meaning::Addresses(addresses) = zone.lookup("wEB.whatsapp.COM.") else { panic!("not found") };
        assert_eq!(addresses.len(), 2);
    }

    #[test]
    fn a_name_above_a_host_exists_and_is_empty() {
        let zone = Zone::new(&[service(&["web.whatsapp.com"], &["57.144.245.32"])]);
        for name in ["whatsapp.com", "com", "", "."] {
            assert_eq!(zone.lookup(name), Meaning::Empty, "{name}");
        }
        for name in ["max.ru", "a.web.whatsapp.com", "atsapp.com"] {
            assert_eq!(zone.lookup(name), Meaning::Unknown, "{name}");
        }
    }

    #[test]
    fn a_name_of_two_hosts_has_the_addresses_of_both_once() {
        let zone = Zone::new(&[service(&["a.ru"], &["1.2.3.4", "1.2.3.5"]), service(&["a.ru"], &["1.2.3.5"])]);
        let Meaning::Addresses(addresses) = zone.lookup("a.ru") else { panic!("not found") };
        assert_eq!(addresses.len(), 2);
    }
}
