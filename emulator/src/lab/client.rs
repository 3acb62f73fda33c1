//! The addresses of clients.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use roadblock_scenarios::model::{Family, Name};

/// A client address pair of a vantage, used by nobody else in this lab.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Client {
    /// The vantage.
    pub vantage: Name,
    /// Its IPv4 address.
    pub v4: Ipv4Addr,
    /// Its IPv6 address.
    pub v6: Ipv6Addr,
}

impl Client {
    /// The address of this family.
    pub fn address(&self, family: Family) -> IpAddr {
        match family {
            Family::V4 => self.v4.into(),
            Family::V6 => self.v6.into(),
        }
    }
}
