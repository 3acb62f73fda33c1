//! How a connection gets into a tool.

use std::net::SocketAddr;
use std::time::Duration;

use roadblock_scenarios::model::{Family, Through};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Fault, proxy};
use crate::probes::Failure;
use crate::probes::{Question, Tools, Trace, Truth, resolve, tcp_connect};

/// How a connection gets into a tool, and who is asked for names where the tool does not look them up itself.
#[derive(Clone, Debug)]
pub(in crate::matrix) struct Way {
    /// By what.
    pub(in crate::matrix) through: Through,
    /// Where sockets come from, whom TLS believes and how long is waited.
    pub(in crate::matrix) tools: Tools,
    /// Who is asked for names.
    pub(in crate::matrix) resolver: SocketAddr,
}

impl Way {
    /// A connection to a host of this name, which has these addresses.
    pub(super) async fn connect(&self, host: &str, truth: &Truth, port: u16) -> Result<TcpStream, Fault> {
        match self.through {
            Through::Socks5(proxy) => limited(proxy::socks5(proxy, host, port)).await,
            Through::Http(proxy) => limited(proxy::http(proxy, host, port)).await,
            Through::Tunnel | Through::Nothing => self.connect_by_address(host, truth, port).await,
        }
    }

    async fn connect_by_address(&self, host: &str, truth: &Truth, port: u16) -> Result<TcpStream, Fault> {
        let question = self.question(host);
        let mut trace = Trace::default();
        let answered = resolve(&mut trace, &self.tools, &question, truth).await;
        let addresses = answered.map_err(|failure| unresolved(host, failure))?;
        let address = addresses.first().ok_or_else(|| Fault::before(Failure::DnsNoAnswer))?;
        tcp_connect(&mut trace, &self.tools, SocketAddr::new(*address, port)).await.map_err(Fault::before)
    }

    /// What is asked for a name.
    pub(super) fn question(&self, host: &str) -> Question {
        Question { resolver: self.resolver, ..Question::usual(host, Family::V4, self.resolver.ip()) }
    }

    /// Whether a TCP connection alone shows that the far end was reached: in a tunnel its packets went there and back. A proxy
    /// may say yes before it has asked anybody, and on the plain way a connection is no more than the first step.
    pub(super) fn connection_is_proof(&self) -> bool {
        self.through == Through::Tunnel
    }

    /// Whether the tool looks names up itself.
    pub(super) fn resolves(&self) -> bool {
        matches!(self.through, Through::Socks5(_) | Through::Http(_))
    }
}

/// What it means that a name was not resolved, or to an address that nobody of the lab's has.
pub(super) fn unresolved(name: &str, failure: Option<Failure>) -> Fault {
    match failure {
        Some(failure) => Fault::before(failure),
        None => Fault { reached: false, failure: None, how: Some(format!("a wrong address for {name}")) },
    }
}

async fn limited(work: impl Future<Output = Result<TcpStream, Failure>>) -> Result<TcpStream, Fault> {
    let connected = timeout(CONNECT, work).await.unwrap_or(Err(Failure::GenericTimeout));
    connected.map_err(Fault::before)
}

/// How long a proxy may take: it looks up a name and makes a connection, both through its server.
const CONNECT: Duration = Duration::from_secs(5);
