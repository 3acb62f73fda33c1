//! Ping: does an echo request come back (RFC 792, RFC 4443)? From a socket that needs no privileges, whose kernel writes the
//! identifier and the checksum; `ping_group_range` is open in every namespace of a lab.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket};
use std::os::fd::AsRawFd;

use nix::sys::socket::sockopt::{Ipv4RecvErr, Ipv6RecvErr};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, connect, setsockopt, socket,
};
use roadblock_scenarios::model::{Family, VerdictWord};
use tokio::net::UdpSocket;

use super::failure::Failure;
use super::socket::Source;
use super::tools::Tools;
use super::trace::{Operation, Outcome, Place, Trace};

/// Sends one echo request and says how it went.
pub(crate) async fn probe(tools: &Tools, address: IpAddr) -> Outcome {
    let mut trace = Trace::default();
    let socket = match open(&tools.source, address) {
        Ok(socket) => socket,
        Err(error) => {
            let failure = Failure::of_socket(&error);
            return Outcome { failure: Some(failure), ..Outcome::new(VerdictWord::Unmeasured) };
        }
    };
    // ICMP has no ports.
    let place = Place { operation: Operation::Ping, remote: SocketAddr::new(address, 0), local_port: 0 };
    let exchange = async { echo(&socket, address).await.map_err(|error| Failure::from(&error)) };
    match trace.layer(place, tools.timeouts.datagram, exchange).await {
        Ok(()) => trace.end(VerdictWord::Ok),
        Err(failure) => trace.failed(failure),
    }
}

/// A socket for echo requests to this address, from the client's own.
fn open(source: &Source, address: IpAddr) -> io::Result<UdpSocket> {
    let (family, protocol, own) = if address.is_ipv4() {
        (AddressFamily::Inet, SockProtocol::Icmp, Family::V4)
    } else {
        (AddressFamily::Inet6, SockProtocol::IcmpV6, Family::V6)
    };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = socket(family, SockType::Datagram, flags, protocol)?;
    // Without it the kernel keeps to itself which error came.
    match own {
        Family::V4 => setsockopt(&socket, Ipv4RecvErr, &true)?,
        Family::V6 => setsockopt(&socket, Ipv6RecvErr, &true)?,
    }
    bind(socket.as_raw_fd(), &endpoint(source.client.address(own)))?;
    connect(socket.as_raw_fd(), &endpoint(address))?;
    UdpSocket::from_std(StdUdpSocket::from(socket))
}

fn endpoint(address: IpAddr) -> SockaddrStorage {
    SockaddrStorage::from(SocketAddr::new(address, 0))
}

/// Sends a request and waits for its reply. The kernel hands over only what has the socket's identifier.
async fn echo(socket: &UdpSocket, address: IpAddr) -> io::Result<()> {
    let (asks, answers) = if address.is_ipv4() { (8, 0) } else { (128, 129) };
    // Type, code, checksum, identifier, sequence number, then what `ping` would send so much of.
    let request = [&[asks, 0, 0, 0, 0, 0, 0, 1][..], &[0x55; 56]].concat();
    socket.send(&request).await?;
    let mut reply = [0; 128];
    loop {
        let length = socket.recv(&mut reply).await?;
        if reply.get(..length).is_some_and(|reply| reply.first() == Some(&answers)) {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[tokio::test]
    async fn a_client_without_its_address_has_measured_nothing() {
        let mut source = testing::source();
        source.client.v4 = "192.0.2.1".parse().expect("an address");
        let outcome = probe(&testing::tools_from(source), [127, 0, 0, 1].into()).await;
        assert_eq!(outcome.verdict, VerdictWord::Unmeasured);
    }
}
