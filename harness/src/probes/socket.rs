//! Sockets with a source address of their own: a residual hits only the measurement that earned it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use roadblock_emulator::lab::Client;
use roadblock_scenarios::model::Family;
use tokio::net::{TcpSocket, UdpSocket};

/// Where a measurement's sockets come from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The client addresses.
    pub(crate) client: Client,
    /// The port that the last connection of the measurement must come from.
    pub(crate) port: Option<u16>,
    /// Whether the connection ends with a reset instead of a FIN, so that its ports are free for the next step at once.
    pub(crate) abort: bool,
}

impl Source {
    /// A source with any port.
    pub(crate) fn any_port(client: Client) -> Self {
        Self { client, port: None, abort: false }
    }

    /// The same, for a connection that comes before the one that a port was asked for.
    pub(crate) fn without_port(&self) -> Self {
        Self::any_port(self.client.clone())
    }

    /// A TCP socket towards `remote`, bound, and its port.
    pub(crate) fn tcp(&self, remote: IpAddr) -> io::Result<(TcpSocket, u16)> {
        let socket = if remote.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if self.port.is_some() {
            socket.set_reuseaddr(true)?;
        }
        if self.abort {
            socket.set_zero_linger()?;
        }
        socket.bind(self.address(remote))?;
        let port = socket.local_addr()?.port();
        Ok((socket, port))
    }

    /// A UDP socket that hears only `remote`, bound, and its port.
    pub(crate) async fn udp(&self, remote: SocketAddr) -> io::Result<(UdpSocket, u16)> {
        let socket = UdpSocket::bind(self.address(remote.ip())).await?;
        socket.connect(remote).await?;
        let port = socket.local_addr()?.port();
        Ok((socket, port))
    }

    /// A UDP socket that hears anybody, for who looks at senders itself.
    pub(crate) fn udp_for_any(&self, remote: IpAddr) -> io::Result<std::net::UdpSocket> {
        let address = self.address(remote);
        let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::DGRAM, None)?;
        // The one before it is closed a moment later than its connection.
        socket.set_reuse_address(self.port.is_some() || self.abort)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        Ok(socket.into())
    }

    fn address(&self, remote: IpAddr) -> SocketAddr {
        let family = if remote.is_ipv4() { Family::V4 } else { Family::V6 };
        SocketAddr::new(self.client.address(family), self.port.unwrap_or(0))
    }
}
