//! How a client is connected to the first hop of its path: with which address families, behind which translators.

use serde::Serialize;

use super::Family;

/// How a vantage's client is connected.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Access {
    /// The families that it has addresses and routes of; at least one.
    pub families: Vec<Family>,
    /// The IPv4 translators that it is behind, the nearest to the client first.
    pub nat: Vec<NatKind>,
    /// Whether it reaches IPv4 through NAT64, its resolvers speaking DNS64.
    pub nat64: bool,
}

/// A translator of IPv4 addresses.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NatKind {
    /// The router at home: 192.168.1.0/24 inside, and nothing of what it did not ask for let in.
    Home,
    /// The provider's, between its customers and its first hop: 100.64.0.0/10 inside (RFC 6598).
    Carrier,
}

impl NatKind {
    /// What the file calls it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Carrier => "carrier",
        }
    }
}

impl Access {
    /// Whether the client has addresses of this family.
    pub fn has(&self, family: Family) -> bool {
        self.families.contains(&family)
    }
}

impl Default for Access {
    fn default() -> Self {
        Self { families: vec![Family::V4, Family::V6], nat: Vec::new(), nat64: false }
    }
}
