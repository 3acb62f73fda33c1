//! Addresses that the public internet does not have.
//!
//! OONI's probe calls an answer with such an address `dns_bogon_error` (its `netxlite/bogon.go`), so a lab that gave one to
//! a service would look censored where it is not. The ranges are those of the IANA special-purpose registries.

use std::net::IpAddr;

use ipnet::IpNet;

/// The special-purpose range that holds this address, and what it is for.
pub(crate) fn bogon(address: IpAddr) -> Option<(&'static str, &'static str)> {
    RANGES.iter().copied().find(|(range, _)| range.parse::<IpNet>().is_ok_and(|range| range.contains(&address)))
}

/// Whether the public internet has this address, so that a host of the lab may have it.
pub fn is_public(address: IpAddr) -> bool {
    bogon(address).is_none()
}

/// What the range is, as a message says it.
pub(crate) fn complaint(address: IpAddr) -> Option<String> {
    bogon(address).map(|(range, what)| format!("{address} is not a public address: {range} is {what}"))
}

/// What to do about it.
pub(crate) const HELP: &str = "OONI takes such an answer for a bogon; use the service's real public address";

const RANGES: &[(&str, &str)] = &[
    ("0.0.0.0/8", "this host on this network"),
    ("10.0.0.0/8", "for private use"),
    ("100.64.0.0/10", "for carrier-grade NAT"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "for private use"),
    ("192.0.0.0/24", "for IETF protocols"),
    ("192.0.2.0/24", "for documentation"),
    ("192.88.99.0/24", "6to4's relays"),
    ("192.168.0.0/16", "for private use"),
    ("198.18.0.0/15", "for benchmarks"),
    ("198.51.100.0/24", "for documentation"),
    ("203.0.113.0/24", "for documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/96", "unspecified, loopback and other forms of no use"),
    ("::ffff:0:0/96", "IPv4 in IPv6"),
    ("64:ff9b::/96", "for NAT64"),
    ("64:ff9b:1::/48", "for local NAT64"),
    ("100::/64", "a black hole"),
    ("2001::/32", "Teredo"),
    ("2001:10::/28", "ORCHID"),
    ("2001:20::/28", "ORCHIDv2"),
    ("2001:db8::/32", "for documentation"),
    ("2002::/16", "6to4"),
    ("3fff::/20", "for documentation"),
    ("fc00::/7", "unique local"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_is_a_prefix() {
        for (range, _) in RANGES {
            assert!(range.parse::<IpNet>().is_ok(), "{range}");
        }
    }

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        for address in ["10.1.2.3", "100.64.0.1", "192.168.0.1", "198.18.0.1", "203.0.113.9", "fd00::1", "2001:db8::1"]
        {
            assert!(bogon(address.parse().expect("a literal")).is_some(), "{address}");
        }
        for address in ["8.8.8.8", "157.240.0.35", "2a03:2880::1", "2001:67c:4e8:f004::9", "2001:4490:4400::1"] {
            assert!(bogon(address.parse().expect("a literal")).is_none(), "{address}");
        }
    }
}
