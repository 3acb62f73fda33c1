//! Segments that no TCP of a kernel would send: with flags and without payload, before there is a connection.

use std::io;
use std::net::SocketAddr;

use roadblock_censor::policy::TcpFlags;
use roadblock_censor::wire::build::{self, TcpHeader};
use roadblock_censor::wire::ip::Addresses;

use crate::kernel::raw_socket;

/// Sends one from the calling thread's namespace, in which the process must have `CAP_NET_RAW`.
pub fn send(from: SocketAddr, to: SocketAddr, flags: TcpFlags) -> io::Result<()> {
    raw_socket::send(&packet(from, to, flags)?, to.ip())
}

fn packet(from: SocketAddr, to: SocketAddr, flags: TcpFlags) -> io::Result<Vec<u8>> {
    let addresses = Addresses::new(from.ip(), to.ip()).ok_or(io::ErrorKind::InvalidInput)?;
    let header = TcpHeader {
        source_port: from.port(),
        destination_port: to.port(),
        sequence: SEQUENCE,
        acknowledgement: if flags.0 & ACK == 0 { 0 } else { SEQUENCE },
        flags,
        window: WINDOW,
    };
    Ok(build::tcp(&addresses, &header, &[]))
}

/// Of no connection, so any will do; the same in every run.
const SEQUENCE: u32 = 1_000_000;
const WINDOW: u16 = 1024;
const ACK: u8 = 0x10;

#[cfg(test)]
mod tests {
    use roadblock_censor::wire::ip::IpPacket;
    use roadblock_censor::wire::tcp::TcpSegment;

    use super::*;

    #[test]
    fn it_is_whole_and_says_its_flags() {
        for (from, to) in [("192.0.2.1:1", "198.51.100.2:443"), ("[2001:db8::1]:1", "[2001:db8::2]:443")] {
            let (from, to): (SocketAddr, SocketAddr) = (from.parse().expect("one"), to.parse().expect("one"));
            let bytes = packet(from, to, TcpFlags(0x11)).expect("addresses of one family");
            let packet = IpPacket::parse(&bytes).expect("a packet");
            let segment = TcpSegment::parse(packet.payload()).expect("a segment");
            assert_eq!((segment.source_port(), segment.destination_port()), (1, 443));
            assert_eq!(segment.flags().0, 0x11);
        }
    }
}
