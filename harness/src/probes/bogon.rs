//! Addresses that no public name can have, as OONI sees it (ooni/probe-cli `netxlite/bogon.go`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an answer that holds this address is a lie on the face of it.
pub(crate) fn is_bogon(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => V4.iter().any(|(prefix, length)| v4_within(address, *prefix, *length)),
        IpAddr::V6(address) => {
            address.to_ipv4_mapped().is_some() || V6.iter().any(|(prefix, length)| v6_within(address, *prefix, *length))
        }
    }
}

fn v4_within(address: Ipv4Addr, prefix: Ipv4Addr, length: u32) -> bool {
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    u32::from(address) & mask == u32::from(prefix) & mask
}

fn v6_within(address: Ipv6Addr, prefix: Ipv6Addr, length: u32) -> bool {
    let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
    u128::from(address) & mask == u128::from(prefix) & mask
}

const V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

const V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::UNSPECIFIED, 128),
    (Ipv6Addr::LOCALHOST, 128),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64),
    // Teredo: what a forged AAAA answer often is (facts.md, T4).
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2001, 0x10, 0, 0, 0, 0, 0, 0), 28),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_censors_forge_are_bogons() {
        for address in ["10.10.34.35", "127.0.0.1", "192.168.1.1", "198.18.0.9", "2001::1", "::1", "::ffff:1.1.1.1"] {
            assert!(is_bogon(address.parse().expect("an address")), "{address}");
        }
    }

    #[test]
    fn addresses_of_real_services_are_not() {
        for address in ["8.8.8.8", "157.240.0.60", "198.20.0.1", "2001:4860:4860::8888", "2a03:2880::1"] {
            assert!(!is_bogon(address.parse().expect("an address")), "{address}");
        }
    }
}
