//! Which addresses vantages, hops and resolvers get out of their network's address space.
//!
//! The slices of one space are disjoint and depend only on the order of the file, so the same scenario has the same
//! addresses on every machine:
//!
//! | what | IPv4 | IPv6 |
//! |---|---|---|
//! | clients of the n-th vantage | the n-th /22 | /64 number n + 1 |
//! | hops | the last /24 | /64 number 0xf0 |
//! | resolvers | the last /24 but one | /64 number 0xf1 |
//! | machines | the last /24 but two | /64 number 0xf2 |

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// The longest prefixes that hold all slices.
pub(crate) const LONGEST: (u8, u8) = (20, 56);

/// Address space with a note of what was given away.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    v4: Ipv4Net,
    v6: Ipv6Net,
    clients: u32,
    hops: u8,
    resolvers: u8,
    machines: u8,
}

impl Space {
    /// The space of these prefixes, nothing of it given away; `None` where they are too small.
    pub(crate) fn new(v4: Ipv4Net, v6: Ipv6Net) -> Option<Self> {
        let large = v4.prefix_len() <= LONGEST.0 && v6.prefix_len() <= LONGEST.1;
        large.then(|| Self { v4: v4.trunc(), v6: v6.trunc(), clients: 0, hops: 0, resolvers: 0, machines: 0 })
    }

    /// Whether it is the space of these prefixes.
    pub(crate) fn is(&self, v4: Ipv4Net, v6: Ipv6Net) -> bool {
        self.v4 == v4.trunc() && self.v6 == v6.trunc()
    }

    /// The next vantage's clients.
    pub(crate) fn clients(&mut self) -> Option<(Ipv4Net, Ipv6Net)> {
        let slices = 1_u32 << (22 - self.v4.prefix_len());
        let number = self.clients;
        // The last /22 is for hops and resolvers.
        if number + 1 >= slices.min(0xf0) {
            return None;
        }
        self.clients += 1;
        let v4 = Ipv4Addr::from(u32::from(self.v4.network()) + number * 1024);
        let v6 = self.subnet(u128::from(number) + 1, 0);
        Some((Ipv4Net::new(v4, 22).ok()?, Ipv6Net::new(v6, 64).ok()?))
    }

    /// The next hop's addresses.
    pub(crate) fn hop(&mut self) -> Option<(Ipv4Addr, Ipv6Addr)> {
        self.hops = self.hops.checked_add(1).filter(|number| *number < 255)?;
        Some((self.near_end(256, self.hops), self.subnet(0xf0, self.hops)))
    }

    /// The next resolver's addresses.
    pub(crate) fn resolver(&mut self) -> Option<(Ipv4Addr, Ipv6Addr)> {
        self.resolvers = self.resolvers.checked_add(1).filter(|number| *number < 255)?;
        Some((self.near_end(512, self.resolvers), self.subnet(0xf1, self.resolvers)))
    }

    /// The next machine's addresses.
    pub(crate) fn machine(&mut self) -> Option<(Ipv4Addr, Ipv6Addr)> {
        self.machines = self.machines.checked_add(1).filter(|number| *number < 255)?;
        Some((self.near_end(768, self.machines), self.subnet(0xf2, self.machines)))
    }

    /// Whether an address lies in it.
    pub(crate) fn holds(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.v4.contains(&address),
            IpAddr::V6(address) => self.v6.contains(&address),
        }
    }

    fn near_end(&self, distance: u32, number: u8) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.v4.broadcast()) - (distance - 1) + u32::from(number))
    }

    fn subnet(&self, subnet: u128, number: u8) -> Ipv6Addr {
        Ipv6Addr::from(u128::from(self.v6.network()) + (subnet << 64) + u128::from(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smallest() -> Space {
        Space::new("95.167.0.0/20".parse().expect("a literal"), "2a01:620::/56".parse().expect("a literal"))
            .expect("it is large enough")
    }

    #[test]
    fn slices_are_disjoint_and_end_before_they_meet() {
        let mut space = smallest();
        let clients: Vec<_> = std::iter::from_fn(|| space.clients()).collect();
        let hop = space.hop().expect("the first");
        let resolver = space.resolver().expect("the first");
        assert_eq!(clients.len(), 3);
        assert_eq!(hop, ("95.167.15.1".parse().expect("v4"), "2a01:620:0:f0::1".parse().expect("v6")));
        assert_eq!(resolver, ("95.167.14.1".parse().expect("v4"), "2a01:620:0:f1::1".parse().expect("v6")));
        let machine = space.machine().expect("the first");
        assert_eq!(machine, ("95.167.13.1".parse().expect("v4"), "2a01:620:0:f2::1".parse().expect("v6")));
        for (v4, v6) in &clients {
            assert!(!v4.contains(&hop.0) && !v4.contains(&resolver.0) && !v6.contains(&hop.1));
            assert!(!v4.contains(&machine.0) && !v6.contains(&machine.1));
        }
        assert_eq!(std::iter::from_fn(|| space.hop()).count(), 253);
    }

    #[test]
    fn too_small_a_space_is_refused() {
        assert!(Space::new("95.167.0.0/21".parse().expect("v4"), "2a01::/32".parse().expect("v6")).is_none());
    }
}
