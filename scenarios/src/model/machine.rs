//! Machines of their own, and what runs on them.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ipnet::IpNet;

use super::Name;
use crate::source::Location;

/// A machine of its own, in a namespace of its own.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its name.
    pub name: Name,
    /// The hop that it hangs off; `None`: it is abroad.
    pub at: Option<Name>,
    /// Its public IPv4 address.
    pub v4: Option<Ipv4Addr>,
    /// Its public IPv6 address.
    pub v6: Option<Ipv6Addr>,
    /// Prefixes that lie behind it.
    pub behind: Vec<IpNet>,
    /// What runs there from the beginning.
    pub run: Option<MachineCommand>,
}

/// A command that runs on a machine from the beginning of a lab to its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MachineCommand {
    /// Where the file says so.
    pub location: Location,
    /// The command, for a shell.
    pub command: String,
    /// When it can be measured; `None`: at once.
    pub ready: Option<Readiness>,
    /// How long that may take, on the wall's clock.
    pub ready_within: Duration,
}

/// When a machine's command can be measured.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Readiness {
    /// Something listens at this TCP port of the machine.
    Tcp(u16),
    /// A socket is bound to this UDP port of the machine.
    Udp(u16),
    /// The log holds this text.
    Log(String),
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(port) => write!(f, "tcp:{port}"),
            Self::Udp(port) => write!(f, "udp:{port}"),
            Self::Log(text) => write!(f, "log:{text}"),
        }
    }
}
