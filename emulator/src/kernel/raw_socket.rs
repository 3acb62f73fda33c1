//! Packets with headers of their sender's own making, routed as any other.

use std::io;
use std::net::{IpAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd;

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, SockaddrIn6, sendto, socket,
};

/// Sends a whole IP packet from the calling thread's namespace (raw(7): a socket of `IPPROTO_RAW` takes the header along).
pub fn send(packet: &[u8], to: IpAddr) -> io::Result<()> {
    let family = if to.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let socket = socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::Raw)?;
    let sent = match to {
        IpAddr::V4(to) => {
            let to = SockaddrIn::from(SocketAddrV4::new(to, 0));
            sendto(socket.as_raw_fd(), packet, &to, MsgFlags::empty())
        }
        IpAddr::V6(to) => {
            let to = SockaddrIn6::from(SocketAddrV6::new(to, 0, 0, 0));
            sendto(socket.as_raw_fd(), packet, &to, MsgFlags::empty())
        }
    };
    sent?;
    Ok(())
}
