//! Sending packets of the machine's own making, exactly as it made them.
//!
//! A raw IP socket would fill in an IP id of zero and a checksum; a packet socket sends what it is given. The plan fixes the
//! hardware addresses at both ends of each link, so nothing need be resolved. Injected packets leave the hop without
//! passing prerouting, so they are not inspected again.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};

use ipnet::IpNet;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

/// One way out of a hop.
#[derive(Clone, Debug)]
pub struct Way {
    /// What lies that way.
    pub prefix: IpNet,
    /// The index of the interface.
    pub interface: u32,
    /// The hardware address at the other end.
    pub hardware: [u8; 6],
}

/// Sends packets from a hop.
#[derive(Debug)]
pub struct Injector {
    socket: OwnedFd,
    /// Longest prefix first.
    ways: Vec<Way>,
}

impl Injector {
    /// An injector of the calling thread's namespace.
    pub fn open(mut ways: Vec<Way>) -> io::Result<Self> {
        // Protocol 0: it only sends.
        let socket = socket(AddressFamily::Packet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
        ways.sort_by_key(|way| std::cmp::Reverse(way.prefix.prefix_len()));
        Ok(Self { socket, ways })
    }

    /// Sends a packet, from its IP header on, the way its destination lies.
    pub fn send(&self, packet: &[u8]) -> io::Result<()> {
        let (destination, protocol) = destination_of(packet).ok_or(io::ErrorKind::InvalidInput)?;
        let way = self.ways.iter().find(|way| way.prefix.contains(&destination));
        let way = way.ok_or(io::ErrorKind::HostUnreachable)?;
        let mut hardware = [0; 8];
        hardware[..6].copy_from_slice(&way.hardware);
        let address = libc::sockaddr_ll {
            sll_family: u16::try_from(libc::AF_PACKET).unwrap_or_default(),
            sll_protocol: protocol.to_be(),
            sll_ifindex: way.interface.cast_signed(),
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 6,
            sll_addr: hardware,
        };
        // SAFETY: the address is a sockaddr_ll of the given length, and the packet is as long as it says.
        #[expect(unsafe_code, reason = "nix cannot make a link-layer address to send to")]
        let sent = unsafe {
            libc::sendto(
                self.socket.as_raw_fd(),
                packet.as_ptr().cast(),
                packet.len(),
                0,
                (&raw const address).cast(),
                libc::socklen_t::try_from(size_of::<libc::sockaddr_ll>()).unwrap_or_default(),
            )
        };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// A packet's destination and its `EtherType`.
fn destination_of(packet: &[u8]) -> Option<(IpAddr, u16)> {
    match packet.first()? >> 4 {
        4 => {
            let octets: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
            Some((IpAddr::from(octets), 0x0800))
        }
        6 => {
            let octets: [u8; 16] = packet.get(24..40)?.try_into().ok()?;
            Some((IpAddr::from(octets), 0x86dd))
        }
        _ => None,
    }
}
