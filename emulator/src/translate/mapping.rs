//! Which address is which on the other side (RFC 6052).

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// The well-known prefix of translators, of 96 bits (RFC 6052 section 2.1).
pub const WELL_KNOWN: Ipv6Addr = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0);

/// Which address is which on the other side: the clients, by their number in their prefix, have addresses of a prefix inside;
/// everybody else's lie in the well-known prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mapping {
    /// The clients' prefix.
    pub clients: Ipv6Net,
    /// What stands for it in IPv4.
    pub inside: Ipv4Net,
}

impl Mapping {
    /// An IPv4 address in IPv6.
    pub fn to_v6(&self, address: Ipv4Addr) -> Ipv6Addr {
        if self.inside.contains(&address) {
            let number = u32::from(address) - u32::from(self.inside.network());
            return Ipv6Addr::from(u128::from(self.clients.network()) + u128::from(number));
        }
        embed(address)
    }

    /// An IPv6 address in IPv4; `None` where nothing stands for it.
    pub fn to_v4(&self, address: Ipv6Addr) -> Option<Ipv4Addr> {
        if self.clients.contains(&address) {
            let number = u32::try_from(u128::from(address) - u128::from(self.clients.network())).ok()?;
            let inside = Ipv4Addr::from(u32::from(self.inside.network()).checked_add(number)?);
            return self.inside.contains(&inside).then_some(inside);
        }
        let [.., a, b, c, d] = address.octets();
        let v4 = Ipv4Addr::new(a, b, c, d);
        // An address of the inside is a client's, and not to be had from without.
        (embed(v4) == address && !self.inside.contains(&v4)).then_some(v4)
    }
}

/// An IPv4 address in the well-known prefix (RFC 6052 section 2.2).
pub fn embed(address: Ipv4Addr) -> Ipv6Addr {
    Ipv6Addr::from(u128::from(WELL_KNOWN) | u128::from(u32::from(address)))
}
