//! Targets as they are written on the command line.

use std::net::{IpAddr, SocketAddr};

use super::kind::{Ask, AskError};

/// A server by name and address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Server {
    /// The name that is said to it.
    pub(super) name: String,
    /// Where it is.
    pub(super) address: SocketAddr,
    /// Whether the lab serves the name there.
    pub(super) own: bool,
}

impl Ask<'_> {
    /// An address and a port, as `1.1.1.1:443` or `[2001:db8::1]:443`.
    pub(super) fn endpoint(&self) -> Result<SocketAddr, AskError> {
        let wanted = "an address and a port, as 1.1.1.1:443";
        self.target.parse().map_err(|_| AskError::Form { target: self.target.to_owned(), wanted })
    }

    /// `NAME`, `NAME:PORT` or `NAME@ADDRESS:PORT`; without an address the lab's own host of that name is meant.
    pub(super) fn server(&self, usual_port: u16) -> Result<Server, AskError> {
        let wanted = "a name, as www.wikipedia.org, or a name at an address, as www.wikipedia.org@1.1.1.1:443";
        let wrong = || AskError::Form { target: self.target.to_owned(), wanted };
        if let Some((name, address)) = self.target.split_once('@') {
            let alone = || address.parse::<IpAddr>().map(|address| SocketAddr::new(address, usual_port));
            let address = address.parse().or_else(|_| alone()).map_err(|_| wrong())?;
            let own = self.scenario.addresses_of(name).contains(&address.ip());
            return Ok(Server { name: name.to_owned(), address, own });
        }
        let (name, port) = match self.target.rsplit_once(':') {
            Some((name, port)) => (name, port.parse().map_err(|_| wrong())?),
            None => (self.target, usual_port),
        };
        if name.is_empty() || name.contains(['/', ':']) {
            return Err(wrong());
        }
        let address = self.scenario.addresses_of(name).into_iter().min_by_key(IpAddr::is_ipv6);
        let address = address
            .ok_or_else(|| AskError::NoAddress { scenario: self.scenario.id.to_string(), name: name.to_owned() })?;
        Ok(Server { name: name.to_owned(), address: SocketAddr::new(address, port), own: true })
    }

    /// A neutral name of the lab, where it has one that is not the target.
    pub(super) fn neutral(&self) -> Option<String> {
        let is_there = |name: &&str| !self.scenario.addresses_of(name).is_empty() && !self.target.starts_with(*name);
        NEUTRAL.iter().copied().find(is_there).map(str::to_owned)
    }

    /// An `http://` or `https://` URL.
    pub(super) fn url(&self) -> Result<String, AskError> {
        let wanted = "a URL, as https://www.wikipedia.org/";
        let (scheme, rest) = self.target.split_once("://").unwrap_or_default();
        let sound = matches!(scheme, "http" | "https") && !rest.is_empty() && !rest.starts_with('/');
        sound.then(|| self.target.to_owned()).ok_or(AskError::Form { target: self.target.to_owned(), wanted })
    }
}

/// Whom no scenario of the library blocks unless it says so.
const NEUTRAL: [&str; 2] = ["www.example.com", "www.debian.org"];
