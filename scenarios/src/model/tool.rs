//! A tool, and a scenario in which it is run.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;

use super::{Machine, MachineCommand, Name, Readiness, Scenario};
use crate::source::Location;

/// A tool with everything filled in.
#[derive(Clone, Debug)]
pub struct Tool {
    /// What tables call it.
    pub name: Name,
    /// One line for people.
    pub about: Option<String>,
    /// What prints its version.
    pub version: Option<String>,
    /// The programs that must be installed.
    pub programs: Vec<String>,
    /// Its servers abroad, each on a machine of its own.
    pub servers: Vec<ToolServer>,
    /// Its client.
    pub client: Option<ToolClient>,
    /// How traffic gets into it.
    pub through: Through,
    /// How it is looked at whether it gets through.
    pub check: Check,
    /// Why it is not run at all.
    pub untried: Option<String>,
}

/// A server of a tool's.
#[derive(Clone, Debug)]
pub struct ToolServer {
    /// Its name: `server` where it is the only one.
    pub name: Name,
    /// Its public IPv4 address.
    pub v4: Option<Ipv4Addr>,
    /// Its public IPv6 address.
    pub v6: Option<Ipv6Addr>,
    /// Prefixes that lie behind it.
    pub behind: Vec<IpNet>,
    /// What runs there.
    pub run: Template,
    /// Where the file says so.
    pub location: Location,
    /// When it is ready; `None`: at once.
    pub ready: Option<Readiness>,
    /// How long that may take.
    pub ready_within: Duration,
}

/// A tool's client.
#[derive(Clone, Debug)]
pub struct ToolClient {
    /// The command.
    pub run: Template,
    /// When it is ready; `None`: at once.
    pub ready: Option<Readiness>,
    /// How long that may take.
    pub ready_within: Duration,
    /// Whether it is root at the vantage.
    pub root: bool,
}

/// The words for how traffic gets into a tool.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ThroughWord {
    /// A SOCKS proxy.
    Socks5,
    /// An HTTP proxy.
    Http,
    /// Routes.
    Tunnel,
    /// Not at all.
    Nothing,
}

/// How traffic gets into a tool.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Through {
    /// By the SOCKS proxy (RFC 1928) here, which resolves names itself.
    Socks5(SocketAddr),
    /// By the HTTP proxy here, by CONNECT (RFC 9110 section 9.3.6).
    Http(SocketAddr),
    /// By routes that its client lays.
    Tunnel,
    /// Not at all: its client changes what others send, or the check is the tool.
    Nothing,
}

/// How it is looked at whether a tool gets through.
#[derive(Clone, Debug)]
pub enum Check {
    /// What a user feels.
    Default,
    /// A command that ends with status 0 where it does.
    Command {
        /// The command.
        run: Template,
        /// How long it may take.
        within: Duration,
    },
}

/// A command in which something is still open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Piece {
    Text(String),
    Folder,
    Target,
}

/// What is open in a command until it is run.
#[derive(Clone, Copy, Debug)]
pub struct Filling<'a> {
    /// The folder that the commands of a tool share.
    pub folder: &'a str,
    /// A page that is blocked.
    pub target: &'a str,
}

impl Template {
    pub(crate) fn new(pieces: Vec<Piece>) -> Self {
        Self(pieces)
    }

    /// The command.
    pub fn fill(&self, filling: Filling<'_>) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Folder => filling.folder.to_owned(),
            Piece::Target => filling.target.to_owned(),
        };
        self.0.iter().map(piece).collect()
    }
}

impl Through {
    /// The proxy as curl's `--proxy` takes it.
    pub fn proxy(self) -> Option<String> {
        match self {
            // socks5h: the proxy resolves names.
            Self::Socks5(address) => Some(format!("socks5h://{address}")),
            Self::Http(address) => Some(format!("http://{address}")),
            Self::Tunnel | Self::Nothing => None,
        }
    }
}

impl ToolServer {
    /// The machine that it runs on.
    pub fn machine(&self) -> Name {
        format!("{MACHINE}{}", self.name).into()
    }

    /// Its addresses.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.v4.map(IpAddr::V4).into_iter().chain(self.v6.map(IpAddr::V6))
    }
}

/// Before the name of a server: what a scenario calls its own machines must not be in the way.
const MACHINE: &str = "tool-";

/// Why a tool cannot be run in a scenario.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ToolClash {
    /// The address that two would have.
    pub address: IpAddr,
    /// Who has it.
    pub owner: String,
}

impl std::fmt::Display for ToolClash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "its server would be at {}, where {} is; give it another address", self.address, self.owner)
    }
}

impl std::error::Error for ToolClash {}

/// A scenario in which a tool can be run.
#[derive(Clone, Debug)]
pub struct WithTool {
    /// The scenario.
    pub scenario: Scenario,
    /// The names of its hosts that made room for the tool's servers.
    pub displaced: Vec<String>,
}

impl Scenario {
    /// The scenario with a tool's servers on machines of their own abroad, whose commands run in this folder. A host of the
    /// scenario's services that lives where a server is to be makes room for it. Whoever calls this says that the tool's
    /// commands may be run, and must have looked at the scenario's own.
    pub fn with_tool(&self, tool: &Tool, folder: &str) -> Result<WithTool, ToolClash> {
        let mut with = WithTool { scenario: self.clone(), displaced: Vec::new() };
        for server in &tool.servers {
            for address in server.addresses() {
                with.displaced.extend(with.scenario.make_room(address));
                if let Some(owner) = with.scenario.owner(address) {
                    return Err(ToolClash { address, owner });
                }
            }
            with.scenario.machines.push(server.on_a_machine(folder));
        }
        with.scenario.foreign = false;
        Ok(with)
    }

    /// Takes an address from the host that has it; the host's first name.
    fn make_room(&mut self, address: IpAddr) -> Option<String> {
        let mut displaced = None;
        for service in &mut self.services {
            for host in service.hosts.iter_mut().filter(|host| host.addresses.contains(&address)) {
                host.addresses.retain(|each| *each != address);
                displaced = displaced.or_else(|| host.names.first().cloned());
            }
            service.hosts.retain(|host| !host.addresses.is_empty());
        }
        displaced
    }

    /// Who of those that make no room is at an address.
    fn owner(&self, address: IpAddr) -> Option<String> {
        let is_at = |v4: Option<Ipv4Addr>, v6: Option<Ipv6Addr>| match address {
            IpAddr::V4(address) => v4 == Some(address),
            IpAddr::V6(address) => v6 == Some(address),
        };
        let machine = self.machines.iter().find(|each| is_at(each.v4, each.v6));
        let resolver = self.resolvers.iter().find(|each| each.addresses.contains(&address));
        let hop = self.hops.iter().find(|hop| is_at(Some(hop.v4), Some(hop.v6)));
        let vantage = self.vantages.iter().find(|vantage| match address {
            IpAddr::V4(address) => vantage.v4.contains(&address),
            IpAddr::V6(address) => vantage.v6.contains(&address),
        });
        let machine = machine.map(|each| format!("the machine `{}`", each.name));
        let resolver = || resolver.map(|each| format!("the resolver `{}`", each.name));
        let hop = || hop.map(|each| format!("the hop `{}`", each.name));
        let vantage = || vantage.map(|each| format!("a client of `{}`", each.name));
        machine.or_else(resolver).or_else(hop).or_else(vantage)
    }
}

impl ToolServer {
    /// The machine with what runs on it.
    fn on_a_machine(&self, folder: &str) -> Machine {
        // No server's command knows a target.
        let command = self.run.fill(Filling { folder, target: "" });
        Machine {
            name: self.machine(),
            at: None,
            v4: self.v4,
            v6: self.v6,
            behind: self.behind.clone(),
            run: Some(MachineCommand {
                location: self.location.clone(),
                command: in_folder(folder, &command),
                ready: self.ready.clone(),
                ready_within: self.ready_within,
            }),
        }
    }
}

/// A command that begins in a folder whose name needs no care in a shell.
pub fn in_folder(folder: &str, command: &str) -> String {
    format!("cd '{folder}' && {{\n{command}\n}}")
}
